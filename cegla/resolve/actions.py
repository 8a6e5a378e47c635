"""The door of resolve: who is behind an event, whose an identifier is, why two identifiers are one person, and back again.

Identities are rows of identifiers and never change their number; people are clusters of identities and are named by the
smallest. All times are UTC. Nothing here logs an identifier.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from cegla.resolve import store
from cegla.resolve.batch import Batch
from cegla.resolve.cache import IdentityCache as IdentityCache
from cegla.resolve.deriving import Cause, rederive
from cegla.resolve.finding import find as _find
from cegla.resolve.rules.clusters import REFUSALS, Refusal
from cegla.resolve.rules.folding import folded
from cegla.resolve.rules.mentions import PLACES, rank
from cegla.resolve.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.people import parse_person_label
from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class LinkWarning:
    """A link that was refused, or an identifier left out ("too_long"). Holds no identifier's value, so it may be logged."""

    reason: str
    types: tuple[str, ...]  #: of the two identifiers linked, or of the one left out
    identity_ids: tuple[int, ...]
    at: datetime
    source_id: int
    message_id: str


@dataclass(frozen=True)
class Resolution:
    """Who is behind the events of a batch, or what a retraction changed.

    `identity_ids` and `people` run along the events; both are 0 at the indexes in `unresolved`.
    """

    identity_ids: list[int]  #: the identity each event points at
    people: list[int]  #: whose that is now
    moved: list[tuple[int, int]]  #: (identity, person) where the owner changed; new identities only when not their own person
    absorbed: dict[int, int]  #: people that were there before → the person who holds their identity now
    changed: list[int]  #: people there are now who won or lost identities, with or without events in the batch
    warnings: list[LinkWarning]
    unresolved: list[int]  #: indexes of events all of whose identifiers are blank or blocked


@dataclass(frozen=True)
class KnownIdentifier:
    """An identifier of a person and how it came to them: the rule, event and time of the first link that holds it.

    `linked_by` is None for a person's only identifier. `held` marks a browser or phone that others use too.
    """

    identity_id: int
    type: str
    value: str
    held: bool
    first_seen_at: datetime
    source_id: int
    linked_by: str | None  #: stated (identify or context.traits), seen (in one event), alias
    message_id: str | None
    linked_at: datetime | None


@dataclass(frozen=True)
class PersonRow:
    """A person in a list. `identifiers` are (type, value), those that name a human first."""

    id: int
    first_seen_at: datetime
    identifiers: tuple[Identifier, ...]


@dataclass(frozen=True)
class Edge:
    """A link between two identifiers. It joins them unless `refused` (a reason) or `retracted_at` is set."""

    edge_id: int
    strong_id: int
    strong: Identifier
    weak_id: int
    weak: Identifier
    strong_person: int
    weak_person: int
    rule: str
    trusted: bool
    at: datetime
    source_id: int
    message_id: str
    refused: str | None
    retracted_at: datetime | None
    retracted_by: str | None

    @property
    def why_refused(self) -> Text | None:
        """The reason as a sentence."""
        return REFUSALS[Refusal(self.refused)] if self.refused else None


def find_people(conn: Connection, events: Sequence[Event], cache: IdentityCache | None = None) -> Resolution:
    """Point each event at an identity and join the people whom the events link, in the caller's transaction.

    Any order, repetition and batching of the same events gives the same people. Waits until no other transaction changes
    identities. `cache` makes known people cheap; it empties itself when a transaction it was used in did not commit.
    """
    batch = _find(conn, cache or IdentityCache(), events)
    people = batch.owners({*batch.identity_ids, *batch.changed} - {0})
    people[0] = 0
    return Resolution(
        identity_ids=batch.identity_ids,
        people=[people[identity] for identity in batch.identity_ids],
        moved=list(batch.moved.items()),
        absorbed={person: people[person] for person in batch.ceased if people[person] != person},
        changed=sorted(person for person in batch.changed if people[person] == person),
        warnings=list(_warnings(batch)),
        unresolved=[index for index, identity in enumerate(batch.identity_ids) if identity == 0],
    )


def identity_map(conn: Connection) -> Iterator[tuple[int, int]]:
    """(identity, person) for every identity that is not its own person."""
    return SQL.identity_map(conn)


def look_up(conn: Connection, identifiers: Sequence[Identifier]) -> list[int | None]:
    """Whose these normalized identifiers are today, in their order; None for one never seen."""
    found = store.identities(conn, identifiers) if identifiers else {}
    return [found[identifier].person_id if identifier in found else None for identifier in identifiers]


def owners(conn: Connection, identity_ids: Sequence[int]) -> dict[int, int]:
    """Whose these identities are today: identity → person."""
    return dict(SQL.people_of_identities(conn, ids=list(identity_ids))) if identity_ids else {}


def identifiers_of(conn: Connection, person_ids: Sequence[int]) -> dict[int, list[KnownIdentifier]]:
    """Every identifier of these people, strongest first, each with how it is known. People without any are left out."""
    found: dict[int, list[KnownIdentifier]] = {}
    for person, identity, kind, value, holder, first_seen_at, source, rule, message, at in SQL.identifiers_of_people(conn, people=list(person_ids)):
        found.setdefault(person, []).append(KnownIdentifier(identity, kind, value, holder != 0, first_seen_at, source, rule, message, at))
    for known in found.values():
        known.sort(key=lambda row: (rank(Identifier(row.type, row.value)), row.identity_id))
    return found


def find(conn: Connection, text: str, after: int, limit: int) -> list[PersonRow]:
    """People by a part of an identifier (capitals and diacritics do not matter), by a whole browser id, or by number ("p12").

    Ordered by id, beginning after the id `after`; an empty text lists everybody. A number finds the person who holds
    that identity today.
    """
    text = text.strip()
    number = parse_person_label(text) if text else None
    if not text:
        people = [person for (person,) in SQL.people_after(conn, after=after, limit=limit)]
    else:
        pattern = f"%{_literally(folded(text))}%"
        people = [person for (person,) in SQL.people_matching(conn, after=after, pattern=pattern, exact=text, places=sorted(PLACES), limit=limit)]
        if number is not None:
            people = sorted({*people, *(person for person in store.people_of(conn, [number]).values() if person > after)})[:limit]
    rows = SQL.rows_of_people(conn, people=people) if people else ()
    return sorted((PersonRow(person, first, _by_rank(kinds, values)) for person, first, kinds, values in rows), key=lambda row: row.id)


def count(conn: Connection) -> int:
    """How many people there are."""
    return SQL.count_people(conn)


def retract(conn: Connection, edge_id: int, actor: str, now: datetime) -> Resolution:
    """Take one link back, for good: people become what they were if it had never been seen, and seeing it again joins nobody.

    Returns what moved, for the warehouse and the traits; `people` are all whose identities changed. Raises NotFound when
    there is no such link or it was taken back before.
    """
    store.only_writer(conn)
    edge = SQL.retract_edge(conn, edge_id=edge_id, actor=actor, now=now)
    if edge is None:
        raise NotFound(thing=f"link {edge_id}", where="edge_id", seen=edge_id)
    strong, weak, at = edge
    rederived = rederive(conn, set(store.people_of(conn, [strong, weak]).values()), at, Cause("retraction", actor, edge_id))
    SQL.new_stamp(conn)
    moved = [(identity, person) for identity, (_, person) in rederived.moved.items()]
    ceased = {identity: person for identity, (before, person) in rederived.moved.items() if identity == before}
    owners = store.people_of(conn, list({*chain.from_iterable(rederived.moved.values())}))
    changed = sorted(person for person, owner in owners.items() if person == owner)
    return Resolution([], changed, moved, ceased, changed, [], [])


def edges_of(conn: Connection, person_id: int) -> list[Edge]:
    """Every link that touches a person's identifiers, oldest first: accepted, refused and retracted."""
    ids = [identity for identity, *_ in SQL.members(conn, people=[person_id])]
    return [_edge(row) for row in SQL.edges_of_people(conn, ids=ids)]


def refused_links(conn: Connection, limit: int = 50) -> list[Edge]:
    """The links refused last, newest first: what the console warns of."""
    return [_edge(row) for row in SQL.newest_refusals(conn, limit=limit)]


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """Everything this slice holds on the people of these identities: identifiers, links, and the log of merges."""
    ids, people = _whole_people(conn, identity_ids)
    identifiers = [asdict(row) for known in identifiers_of(conn, people).values() for row in known]
    links = [_link_of_theirs(edge, set(ids)) for edge in map(_edge, SQL.edges_of_people(conn, ids=ids))]
    merges = [dict(zip(("at", "identity_id", "from", "to", "cause", "actor"), row, strict=True)) for row in SQL.moves_of(conn, ids=ids)]
    return {"identifiers": identifiers, "links": links, "merges": merges}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Delete the people of these identities with all their identifiers, links and log; returns how many rows went.

    Identity numbers are never used again: should an identifier come back, it is a new person.
    """
    store.only_writer(conn)
    ids, _ = _whole_people(conn, identity_ids)
    gone = SQL.erase_edges(conn, ids=ids) + SQL.erase_moves(conn, ids=ids) + SQL.erase_identities(conn, ids=ids)
    SQL.new_stamp(conn)
    return gone


def _whole_people(conn: Connection, identity_ids: Sequence[int]) -> tuple[list[int], list[int]]:
    people = sorted(set(store.people_of(conn, identity_ids).values()))
    return [identity for identity, *_ in SQL.members(conn, people=people)], people


def _warnings(batch: Batch) -> Iterator[LinkWarning]:
    for link, reason, first in batch.refused:
        yield LinkWarning(reason, (link.strong.type, link.weak.type), (link.strong_id, link.weak_id), link.at, first.source_id, first.message_id)
    for kind, event in batch.too_long:
        yield LinkWarning("too_long", (kind,), (), event.occurred_at, event.source_id, event.message_id)


def _link_of_theirs(edge: Edge, ids: set[int]) -> dict[str, Any]:
    """A link as one side may see it: an identifier that was refused because it is somebody else's is left out."""
    ends = [list(end) for end, identity in ((edge.strong, edge.strong_id), (edge.weak, edge.weak_id)) if identity in ids]
    return {"between": ends, "rule": edge.rule, "at": edge.at, "source_id": edge.source_id, "refused": edge.refused, "retracted_at": edge.retracted_at}


def _edge(row: Sequence[Any]) -> Edge:
    edge_id, strong_id, strong_type, strong, weak_id, weak_type, weak, *rest = row
    return Edge(edge_id, strong_id, Identifier(strong_type, strong), weak_id, Identifier(weak_type, weak), *rest)


def _by_rank(kinds: list[str], values: list[str]) -> tuple[Identifier, ...]:
    return tuple(sorted(map(Identifier, kinds, values), key=rank))


def _literally(text: str) -> str:
    """`like` takes these characters for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
