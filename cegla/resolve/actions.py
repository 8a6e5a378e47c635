"""The door of resolve: who is behind an event, whose an identifier is, why two identifiers are one person, and back again.

Identities are rows of identifiers and never change their number; people are clusters of identities and are named by the
smallest. All times are UTC. Nothing here logs an identifier. `links` shows and takes back links, also as a
person's graph, `ruling` changes the rules, `releasing` gives an identifier to somebody else, `evidence` takes back what an import said.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cegla.resolve import evidence as evidence
from cegla.resolve import links as links
from cegla.resolve import reach as reach
from cegla.resolve import releasing as releasing
from cegla.resolve import ruling as ruling
from cegla.resolve import store
from cegla.resolve.batch import Batch
from cegla.resolve.cache import IdentityCache as IdentityCache
from cegla.resolve.finding import find as _find
from cegla.resolve.resolution import LinkWarning as LinkWarning
from cegla.resolve.resolution import Resolution as Resolution
from cegla.resolve.rules import releases
from cegla.resolve.rules.mentions import PLACES, rank
from cegla.resolve.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.folding import folded
from cegla.vocabulary.identifiers import Borne, Identifier
from cegla.vocabulary.people import parse_person_label


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
    released_at: datetime | None = None  #: from then on somebody else's; what it tells of this person is of before

    @property
    def may_be_released(self) -> bool:
        """Whether it is this person's today, and of a type that can become somebody else's."""
        return self.released_at is None and not self.held and releases.may_be_released(self.type)

    def addresses(self, kind: str) -> bool:
        """Whether the person is reached by it today: it is of this type and was not released."""
        return self.type == kind and self.released_at is None


@dataclass(frozen=True)
class PersonRow:
    """A person in a list. `identifiers` are (type, value), those that name a human first."""

    id: int
    first_seen_at: datetime
    identifiers: tuple[Identifier, ...]


def find_people(conn: Connection, events: Sequence[Event], cache: IdentityCache | None = None, imports: Sequence[int] = ()) -> Resolution:
    """Point each event at an identity and join the people whom the events link, in the caller's transaction.

    Any order, repetition and batching of the same events gives the same people. Waits until no other transaction changes
    identities. `cache` makes known people cheap; it empties itself when a transaction it was used in did not commit.
    `imports` runs along the events where some are of file imports (0: not), so that `evidence` can undo what one of them says.
    """
    if not any(imports):
        return _resolution(_find(conn, cache or IdentityCache(), events))
    parts: list[tuple[list[int], Resolution]] = []
    for import_id in sorted(set(imports)):
        places = [place for place, owner in enumerate(imports) if owner == import_id]
        known = IdentityCache() if import_id or cache is None else cache
        parts.append((places, _resolution(_find(conn, known, [events[place] for place in places], import_id))))
    return _together(conn, parts)


def _resolution(batch: Batch) -> Resolution:
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


def look_up(conn: Connection, identifiers: Sequence[Identifier]) -> list[int | None]:
    """Whose these normalized identifiers are today, in their order; None for one never seen."""
    found = store.identities(conn, identifiers) if identifiers else {}
    return [found[identifier].person_id if identifier in found else None for identifier in identifiers]


def identifiers_of(conn: Connection, person_ids: Sequence[int]) -> dict[int, list[KnownIdentifier]]:
    """Every identifier of these people, strongest first, each with how it is known. People without any are left out."""
    found: dict[int, list[KnownIdentifier]] = {}
    for person, identity, kind, value, holder, first_seen_at, source, rule, message, at, until in SQL.identifiers_of_people(conn, people=list(person_ids)):
        known = KnownIdentifier(identity, kind, value, holder != 0, first_seen_at, source, rule, message, at, None if holder else until)
        found.setdefault(person, []).append(known)
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


def names_of(conn: Connection, identity_ids: Sequence[int]) -> list[Borne]:
    """Every identifier of the people of these identities, each for the time in which it names them."""
    ids, _ = _whole_people(conn, identity_ids)
    return [Borne(Identifier(kind, value), since, until) for kind, value, since, until in SQL.borne_by(conn, ids=ids)]


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """Everything this slice holds on the people of these identities: identifiers, links, and the log of merges."""
    ids, people = _whole_people(conn, identity_ids)
    identifiers = [asdict(row) for known in identifiers_of(conn, people).values() for row in known]
    own = [_link_of_theirs(edge, set(ids)) for edge in map(links.edge_from, SQL.edges_of_people(conn, ids=ids))]
    merges = [move._asdict() for move in links.merges_of(conn, ids)]
    released = [asdict(row) for row in releasing.releases_of(conn, ids)]
    return {"identifiers": identifiers, "links": own, "merges": merges, "releases": released}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Delete the people of these identities with all their identifiers, links and log; returns how many rows went.

    Identity numbers are never used again: should an identifier come back, it is a new person.
    """
    store.only_writer(conn)
    ids, _ = _whole_people(conn, identity_ids)
    released = releasing.releases_of(conn, ids)
    gone = SQL.erase_edges(conn, ids=ids) + SQL.erase_moves(conn, ids=ids) + SQL.erase_identities(conn, ids=ids)
    gone += releasing.forget(conn, released)
    SQL.new_stamp(conn)
    return gone


def _together(conn: Connection, parts: Sequence[tuple[Sequence[int], Resolution]]) -> Resolution:
    """One resolution of parts of a batch that were found one after the other, each with the places of its events in the batch."""
    count = sum(len(places) for places, _ in parts)
    identity_ids = [0] * count
    moved: dict[int, int] = {}
    ceased: set[int] = set()
    changed: set[int] = set()
    for places, found in parts:
        for place, identity in zip(places, found.identity_ids, strict=True):
            identity_ids[place] = identity
        moved |= dict(found.moved)
        ceased |= found.absorbed.keys()
        changed |= {*found.changed, *found.absorbed.values()}
    people = reach.owners(conn, list({*identity_ids, *ceased, *changed} - {0})) | {0: 0}
    return Resolution(
        identity_ids=identity_ids,
        people=[people[identity] for identity in identity_ids],
        moved=list(moved.items()),
        absorbed={person: people[person] for person in ceased if people[person] != person},
        changed=sorted(person for person in changed if people[person] == person),
        warnings=[warning for _, found in parts for warning in found.warnings],
        unresolved=sorted(places[index] for places, found in parts for index in found.unresolved),
    )


def _whole_people(conn: Connection, identity_ids: Sequence[int]) -> tuple[list[int], list[int]]:
    people = sorted(set(store.people_of(conn, identity_ids).values()))
    return [identity for identity, *_ in SQL.members(conn, people=people)], people


def _warnings(batch: Batch) -> Iterator[LinkWarning]:
    for link, reason, first in batch.refused:
        yield LinkWarning(reason, (link.strong.type, link.weak.type), (link.strong_id, link.weak_id), link.at, first.source_id, first.message_id)
    for kind, event in batch.too_long:
        yield LinkWarning("too_long", (kind,), (), event.occurred_at, event.source_id, event.message_id)


def _link_of_theirs(edge: links.Edge, ids: set[int]) -> dict[str, Any]:
    """A link as one side may see it: an identifier that was refused because it is somebody else's is left out."""
    ends = [list(end) for end, identity in ((edge.strong, edge.strong_id), (edge.weak, edge.weak_id)) if identity in ids]
    return {"between": ends, "rule": edge.rule, "at": edge.at, "source_id": edge.source_id, "refused": edge.refused, "retracted_at": edge.retracted_at}


def _by_rank(kinds: list[str], values: list[str]) -> tuple[Identifier, ...]:
    return tuple(sorted(map(Identifier, kinds, values), key=rank))


def _literally(text: str) -> str:
    """`like` takes these characters for themselves."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
