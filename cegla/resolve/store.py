"""The slice's own tables: identities, links, the merge log."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from cegla.resolve.cache import KnownEdge
from cegla.resolve.rules.clusters import CHANGES_HANDS, Group
from cegla.resolve.rules.mentions import PLACES, Rule
from cegla.resolve.rules.releases import Era, Former, Releases
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.folding import folded
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import Identifier

SQL = statements.load(__file__)
LOCK_KEY = 7_236_461
_PLACES = sorted(PLACES)
_VALUE = attrgetter("value")
_CHANGES_HANDS = sorted(CHANGES_HANDS)


class NewIdentity(NamedTuple):
    """A row of resolve.identities to be written."""

    identity_id: int
    identifier: Identifier
    holder_id: int
    first_seen_at: datetime
    source_id: int
    import_id: int | None = None


class NewEdge(NamedTuple):
    """A row of resolve.edges, as it is written."""

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
    evidence: dict[str, Any] | None = None  #: when an import showed it, see evidence.py


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
    """Those of these identifiers that exist. Asked for in the order of the index, so that each of its pages is read once."""
    wanted = sorted(wanted, key=_VALUE)
    types, values = _json([one.type for one in wanted]), _json([one.value for one in wanted])
    rows = SQL.identities_by_value(conn, types=types, values=values, places=_PLACES, reasons=_CHANGES_HANDS)
    return {Identifier(kind, value): Found(identity, person, shared) for identity, kind, value, person, shared in rows}


def former(conn: Connection, wanted: Sequence[Former]) -> dict[Identifier, Found]:
    """Those of these identifiers, as they were before a release, that exist."""
    rows = SQL.former_identities(conn, types=[one.type for one in wanted], values=[one.value for one in wanted], untils=[one.until for one in wanted])
    return {Former(kind, value, until): Found(identity, person, False) for identity, kind, value, until, person in rows}


def releases(conn: Connection) -> Releases:
    """Every identifier that was released, with the moments."""
    found: dict[Identifier, list[datetime]] = {}
    for kind, value, at in SQL.release_moments(conn):
        found.setdefault(Identifier(kind, value), []).append(at)
    return found


def eras(conn: Connection, identity_ids: Sequence[int]) -> dict[int, Era]:
    """Which of these identities bear an identifier that was released, and since when; None: until its first release."""
    return {identity: Era(Identifier(kind, value), since) for identity, kind, value, since in SQL.eras(conn, ids=list(identity_ids))}


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


def groups(conn: Connection, people: Sequence[int], rules: IdentifierRules) -> dict[int, Group]:
    """What is known about these people as a whole."""
    found: dict[int, Group] = {}
    for person, kind, number, last_at, refused, merges in SQL.groups(conn, people=list(people)):
        group = found.setdefault(person, Group(person, {}))
        group.counts[kind] = number
        group.last_at = max(filter(None, (group.last_at, last_at)), default=None)
        group.refused |= refused
        group.merges += merges
    if rules.windows:
        for person, kind, identity, at in SQL.first_links(conn, people=list(people), types=list(rules.windows)):
            found[person].dated.setdefault(kind, {})[identity] = at
    for person, kind, value in SQL.released_of_people(conn, people=list(people)):
        if person in found:
            found[person].released |= {Identifier(kind, value)}
    return found


def add_identities(conn: Connection, rows: Iterable[NewIdentity], owners: Mapping[int, int]) -> None:
    """Write new identities, with the text by which people search for them. One without owner is a person of its own."""
    rows = sorted(rows, key=lambda row: row.identifier.value)  # as the index has them, which is larger than what a server keeps at hand
    with conn.cursor() as cursor, cursor.copy(SQL.copy_identities.sql) as copy:
        copy.set_types(["int8", "text", "text", "int8", "int8", "timestamptz", "int4", "text", "int4"])
        for identity, name, holder, first_seen_at, source, import_id in rows:
            if not isinstance(name, Former):
                owner, search = owners.get(identity, identity), None if name.type in PLACES else folded(name.value)
                copy.write_row((identity, name.type, name.value, holder, owner, first_seen_at, source, search, import_id))
    for identity, name, _, first_seen_at, source, import_id in rows:
        if isinstance(name, Former):
            SQL.add_former(
                conn, identity=identity, type=name.type, value=name.value, until=name.until, owner=owners.get(identity, identity),
                at=first_seen_at, source=source, folded=folded(name.value), import_id=import_id,
            )  # fmt: skip


def add_edges(conn: Connection, rows: Iterable[NewEdge]) -> None:
    """Write new links."""
    with conn.cursor() as cursor, cursor.copy(SQL.copy_edges.sql) as copy:
        copy.set_types(["int8", "int8", "int8", "text", "bool", "timestamptz", "timestamptz", "int4", "text", "text", "jsonb"])
        for row in rows:
            copy.write_row(row)


def change_edges(conn: Connection, rows: Sequence[EdgeChange]) -> None:
    """Rewrite time and authority of known links."""
    ids, ats, rules, trusted, sources, messages = map(list, zip(*rows, strict=True))
    SQL.change_edges(conn, ids=ids, ats=ats, rules=rules, trusted=trusted, sources=sources, messages=messages)


def aliases_of(conn: Connection, values: Sequence[str]) -> list[Any]:
    """Alias links to browser ids that bear one of these values."""
    return list(SQL.aliases_of(conn, values=_json(values)))


def move_people(conn: Connection, joined: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:
    """Give everything of some people to others: old person → (new person, the link behind it). Returns (identity, person)."""
    return list(SQL.move_people(conn, olds=list(joined), news=[new for new, _ in joined.values()], edges=[edge for _, edge in joined.values()]))


def _json(texts: Sequence[str]) -> str:
    """Many texts as one parameter: far cheaper to send than an array."""
    return msgspec.json.encode(texts).decode()
