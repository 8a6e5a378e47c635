"""The slice's own tables: identities, links, the merge log."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from cegla.resolve.cache import KnownEdge
from cegla.resolve.rules.clusters import CHANGES_HANDS, Group
from cegla.resolve.rules.folding import folded
from cegla.resolve.rules.mentions import PLACES, Rule
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifiers import Identifier

SQL = statements.load(__file__)
LOCK_KEY = 7_236_461
_PLACES = sorted(PLACES)
_CHANGES_HANDS = sorted(CHANGES_HANDS)


class NewIdentity(NamedTuple):
    """A row of resolve.identities to be written."""

    identity_id: int
    identifier: Identifier
    holder_id: int
    person_id: int
    first_seen_at: datetime
    source_id: int


class NewEdge(NamedTuple):
    """A row of resolve.edges to be written."""

    edge_id: int
    strong_id: int
    weak_id: int
    rule: Rule
    trusted: bool
    at: datetime
    last_at: datetime
    source_id: int
    message_id: str
    refused: str | None


class Found(NamedTuple):
    """An identity that exists."""

    identity_id: int
    person_id: int
    shared: bool  #: a browser or phone that changed hands


class EdgeChange(NamedTuple):
    """New time and authority of a known link. Source and message are None when its first event stays the same."""

    edge_id: int
    at: datetime
    rule: Rule
    trusted: bool
    source_id: int | None
    message_id: str | None


def only_writer(conn: Connection) -> None:
    """Wait until no other transaction changes identities."""
    SQL.lock(conn, key=LOCK_KEY)


def identities(conn: Connection, wanted: Sequence[Identifier]) -> dict[Identifier, Found]:
    """Those of these identifiers that exist."""
    rows = SQL.identities_by_value(conn, types=[one.type for one in wanted], values=[one.value for one in wanted], places=_PLACES, reasons=_CHANGES_HANDS)
    return {Identifier(kind, value): Found(identity, person, shared) for identity, kind, value, person, shared in rows}


def held(conn: Connection, wanted: Sequence[tuple[Identifier, int]]) -> dict[tuple[Identifier, int], Found]:
    """Those of these (place, holder) rows that exist."""
    places = [place for place, _ in wanted]
    rows = SQL.held_identities(conn, types=[place.type for place in places], values=[place.value for place in places], holders=[holder for _, holder in wanted])
    return {(Identifier(kind, value), holder): Found(identity, person, False) for kind, value, holder, identity, person in rows}


def people_of(conn: Connection, identity_ids: Sequence[int]) -> dict[int, int]:
    """Whose these identities are."""
    return dict(SQL.people_of_identities(conn, ids=list(identity_ids))) if identity_ids else {}


def edges(conn: Connection, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], KnownEdge]:
    """Those of these (strong, weak) pairs that are linked."""
    rows = SQL.edges_by_pair(conn, strongs=[strong for strong, _ in pairs], weaks=[weak for _, weak in pairs])
    return {(strong, weak): KnownEdge(*rest) for strong, weak, *rest in rows}


def groups(conn: Connection, people: Sequence[int]) -> dict[int, Group]:
    """What is known about these people as a whole."""
    found: dict[int, Group] = {}
    for person, kind, number, last_at, refused in SQL.groups(conn, people=list(people)):
        group = found.setdefault(person, Group(person, {}))
        group.counts[kind] = number
        group.last_at = max(filter(None, (group.last_at, last_at)), default=None)
        group.refused |= refused
    return found


def add_identities(conn: Connection, rows: Iterable[NewIdentity]) -> None:
    """Write new identities, with the text by which people search for them."""
    with conn.cursor() as cursor, cursor.copy(SQL.copy_identities.sql) as copy:
        for row in rows:
            kind, value = row.identifier
            text = None if kind in PLACES else folded(value)
            copy.write_row((row.identity_id, kind, value, row.holder_id, row.person_id, row.first_seen_at, row.source_id, text))


def add_edges(conn: Connection, rows: Iterable[NewEdge]) -> None:
    """Write new links."""
    with conn.cursor() as cursor, cursor.copy(SQL.copy_edges.sql) as copy:
        for row in rows:
            copy.write_row(row)


def change_edges(conn: Connection, rows: Sequence[EdgeChange]) -> None:
    """Rewrite time and authority of known links."""
    ids, ats, rules, trusted, sources, messages = map(list, zip(*rows, strict=True))
    SQL.change_edges(conn, ids=ids, ats=ats, rules=rules, trusted=trusted, sources=sources, messages=messages)


def move_people(conn: Connection, joined: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:
    """Give everything of some people to others: old person → (new person, the link behind it). Returns (identity, person)."""
    return list(SQL.move_people(conn, olds=list(joined), news=[new for new, _ in joined.values()], edges=[edge for _, edge in joined.values()]))
