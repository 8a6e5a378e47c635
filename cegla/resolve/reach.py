"""Whose identities are today, and where people can be reached: every identity and the newest address of one kind, a statement for thousands."""

from collections.abc import Iterator, Sequence
from datetime import datetime
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


class Holding(NamedTuple):
    """An identity of a person today: its identifier, when it was first seen, and whether it is somebody else's by now or nobody's."""

    person_id: int
    identity_id: int
    type: str
    value: str
    first_seen_at: datetime
    is_released: bool


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


def holdings(conn: Connection, people: Sequence[int]) -> list[Holding]:
    """Every identity of these people, in one look that asks no more than that; those of a person and a type are in the order of their values."""
    with SQL.identities_of_people_cursor(conn, people=numbers(people)) as cursor:
        return [Holding(*row) for row in cursor.fetchall()]


def identifiers(conn: Connection, identity_ids: Sequence[int]) -> dict[int, Identifier]:
    """What these identities are: identity → identifier. One that was erased is left out."""
    found = SQL.identifiers_of_identities(conn, ids=list(identity_ids)) if identity_ids else ()
    return {identity: Identifier(kind, value) for identity, kind, value in found}


def _reach(person: int, ids: Sequence[int], newest: int | None, value: str | None) -> Reach:
    others = [one for one in ids if one != person]
    return Reach(person, (person, *others), newest, value)
