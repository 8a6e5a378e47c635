"""Whose identities are today, and where people can be reached: every identity and the newest address of one kind, a statement for thousands."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cegla.resolve.store import SQL
from cegla.storage.arrays import numbers
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifiers import Identifier

NOTHING: tuple[list[int], None, None] = ([], None, None)


class Reach(NamedTuple):
    """A person, all their identities (the person's own first), and the identity and value of the address; None: there is none."""

    person_id: int
    identity_ids: tuple[int, ...]
    identity_id: int | None
    value: str | None


def identity_map(conn: Connection) -> Iterator[tuple[int, int]]:
    """(identity, person) for every identity that is not its own person."""
    return SQL.identity_map(conn)


def addresses(conn: Connection, people: Sequence[int], kind: str) -> list[Reach]:
    """For each person, in their order, the newest identifier of a type ("email", "phone")."""
    with SQL.addresses_of_people_cursor(conn, people=numbers(people), kind=kind) as cursor:
        found = {person: (ids, newest, value) for person, ids, newest, value in cursor.fetchall()}
    return [_reach(person, *found.get(person, NOTHING)) for person in people]


def owners(conn: Connection, identity_ids: Sequence[int]) -> dict[int, int]:
    """Whose these identities are today: identity → person."""
    return dict(SQL.people_of_identities(conn, ids=list(identity_ids))) if identity_ids else {}


def identifiers(conn: Connection, identity_ids: Sequence[int]) -> dict[int, Identifier]:
    """What these identities are: identity → identifier. One that was erased is left out."""
    found = SQL.identifiers_of_identities(conn, ids=list(identity_ids)) if identity_ids else ()
    return {identity: Identifier(kind, value) for identity, kind, value in found}


def _reach(person: int, ids: Sequence[int], newest: int | None, value: str | None) -> Reach:
    others = [one for one in ids if one != person]
    return Reach(person, (person, *others), newest, value)
