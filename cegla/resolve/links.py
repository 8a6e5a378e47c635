"""Links between identifiers: which there are, which were refused and why, taking one back, and the log of merges.

A person can be looked at as a graph and in pages; each of these answers is bounded, so that a person with ten thousand
identifiers costs about as much as one with ten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa

from cegla.resolve import store
from cegla.resolve.deriving import Cause, rederive
from cegla.resolve.resolution import Resolution, without_events
from cegla.resolve.rules.clusters import REFUSALS, Refusal
from cegla.resolve.rules.mentions import rank
from cegla.resolve.store import SQL
from cegla.storage.identifier_rules import current_rules
from cegla.storage.warehouse import MOVES
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import LinkRefused
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import LONGEST_IDENTIFIER, Identifier
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text

TOO_LONG = Text(
    f"Wartość ma ponad {LONGEST_IDENTIFIER} znaków, więc nie może być identyfikatorem.",
    f"A value of more than {LONGEST_IDENTIFIER} characters is no identifier.",
)
MOST_TYPES = 12  #: drawn one by one; external ids may have any number of types
MOST_EDGES = 200
MOST_OUTSIDE = 12  #: links to other people, refused or taken back
_NEWEST = (1 << 63) - 1  #: no move has a greater number
WARNINGS: dict[str, Text] = {**{reason.value: sentence for reason, sentence in REFUSALS.items()}, "too_long": TOO_LONG}


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
    retracted_why: str | None = None

    @property
    def why_refused(self) -> Text | None:
        """The reason as a sentence."""
        return REFUSALS[Refusal(self.refused)] if self.refused else None


class Move(NamedTuple):
    """One line of the merge log: whose an identity was and became, by which link, when, why and by whom. Holds no identifier's value."""

    move_id: int
    moved_at: datetime
    identity_id: int
    from_person: int
    to_person: int
    cause: str  #: link, late_link, retraction, rules, confirmed, release, release_undone
    actor: str
    edge_id: int | None
    rule: str | None
    event_at: datetime | None
    source_id: int | None
    message_id: str | None


class Node(NamedTuple):
    """An identifier of the person. `held`: a browser or phone that others use too."""

    identity_id: int
    type: str
    value: str
    held: bool
    first_seen_at: datetime
    source_id: int


class Bundle(NamedTuple):
    """Links between an identifier that is drawn and others of one type that are not, counted."""

    identity_id: int
    type: str
    number: int


@dataclass(frozen=True)
class Graph:
    """`counts` has all identifiers by type, the strongest type first; `nodes` only so many of each, the oldest."""

    person_id: int
    counts: dict[str, int]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]  #: between nodes
    outside: tuple[Edge, ...]  #: refused and retracted links to identifiers of other people, newest first
    bundles: tuple[Bundle, ...]

    @property
    def whole(self) -> int:
        """How many identifiers the person has."""
        return sum(self.counts.values())


class Warned(NamedTuple):
    """How often something was refused or left out: links by reason, identifiers left out by reason and type."""

    reason: str
    type: str  #: of the identifier left out, or of the weaker end of the link
    number: int
    last_at: datetime


def sole_user_of(conn: Connection, browser: str) -> int | None:
    """The person of a browser that only one person ever used; None when it is unknown or changed hands."""
    found = store.identities(conn, [Identifier("anonymous_id", browser)]).get(Identifier("anonymous_id", browser))
    return None if found is None or found.shared else found.person_id


def identity_of(conn: Connection, identifier: Identifier) -> int | None:
    """The number of an identifier; None when it was never seen."""
    found = store.identities(conn, [identifier]).get(identifier)
    return found.identity_id if found is not None else None


def count_people(conn: Connection) -> int:
    """How many people there are."""
    return SQL.count_people(conn)


def identities_by_person(conn: Connection, people: Sequence[int]) -> dict[int, list[int]]:
    """Every identity of each of these people, those held on browsers too; none for who became part of another meanwhile."""
    found: dict[int, list[int]] = {person: [] for person in people}
    for identity, _, _, _, person, _ in SQL.members(conn, people=list(people)):
        if person in found:
            found[person].append(identity)
    return found


def retract(conn: Connection, edge_id: int, actor: str, now: datetime, why: str | None = None) -> Resolution:
    """Take one link back, for good: people become what they were if it had never been seen, and seeing it again joins nobody.

    `why` is kept with the link, in the words of whoever did it.

    Returns what moved, for the warehouse and the traits; `people` are all whose identities changed. Raises NotFound when
    there is no such link or it was taken back before.
    """
    store.only_writer(conn)
    edge = SQL.retract_edge(conn, edge_id=edge_id, actor=actor, why=why, now=now)
    if edge is None:
        raise NotFound(thing=Text(f"powiązanie {edge_id}", f"link {edge_id}"), where="edge_id", seen=edge_id)
    strong, weak, at = edge
    people = set(store.people_of(conn, [strong, weak]).values())
    rederived = rederive(conn, people, at, Cause("retraction", actor, edge_id), current_rules(conn))
    SQL.new_stamp(conn)
    return without_events(conn, rederived)


def try_retract(conn: Connection, edge_id: int, actor: str, now: datetime) -> Resolution:
    """What taking a link back would change; nothing does. Intake waits meanwhile, as it does for `retract`. Raises NotFound."""
    with conn.transaction(force_rollback=True):
        return retract(conn, edge_id, actor, now)


def confirm(conn: Connection, people: tuple[int, int], reason: str, actor: str, now: datetime) -> Resolution:
    """Join two people because a person said that they are one; `retract` undoes it. `reason` is kept as the link's message.

    The link goes between their strongest identifiers. Raises LinkRefused when a limit of the rules forbids it, NotFound when
    one of the two is not there any more.
    """
    store.only_writer(conn)
    rules = current_rules(conn)
    ends = [_strongest(conn, person, rules) for person in people]
    (_, strong), (_, weak) = sorted(ends)
    edge_id = SQL.confirm_edge(conn, strong=strong, weak=weak, reason=reason, now=now)
    edge = next(edge for edge in edges_of(conn, people[0]) if edge.edge_id == edge_id)
    rederived = rederive(conn, set(people), edge.at, Cause("confirmed", actor, edge_id), rules)
    SQL.new_stamp(conn)
    refused = next((edge.why_refused for edge in edges_of(conn, people[0]) if edge.edge_id == edge_id), None)
    if refused is not None:
        raise LinkRefused(where="people", seen=" = ".join(map(person_label, people)), detail=refused)
    return without_events(conn, rederived)


def _strongest(conn: Connection, person: int, rules: IdentifierRules) -> tuple[tuple[int, str, str], int]:
    """The rank and number of the identity that says most about a person; never a browser in somebody's hands."""
    found = [(rank(Identifier(kind, value), rules), identity) for identity, kind, value, holder, *_ in SQL.members(conn, people=[person]) if not holder]
    if not found:
        raise NotFound(thing=person_label(person), where="people", seen=person_label(person))
    return min(found)


def edge(conn: Connection, edge_id: int) -> Edge:
    """One link. Raises NotFound."""
    found = next((edge_from(row) for row in SQL.edges_by_id(conn, ids=[edge_id])), None)
    if found is None:
        raise NotFound(thing=Text(f"powiązanie {edge_id}", f"link {edge_id}"), where="edge_id", seen=edge_id)
    return found


def edges_of(conn: Connection, person_id: int) -> list[Edge]:
    """Every link that touches a person's identifiers, oldest first: accepted, refused and retracted."""
    ids = [identity for identity, *_ in SQL.members(conn, people=[person_id])]
    return [edge_from(row) for row in SQL.edges_of_people(conn, ids=ids)]


def edges_after(conn: Connection, person_id: int, after: int, limit: int) -> list[Edge]:
    """A page of a person's links in the order in which they were seen first; `after` is the number of the last one already shown."""
    ids = [identity for identity, *_ in SQL.members(conn, people=[person_id])]
    return [edge_from(row) for row in SQL.edges_of_people_after(conn, ids=ids, after=after, limit=limit)]


def edge_from(row: Sequence[Any]) -> Edge:
    """A link as the statements give it."""
    edge_id, strong_id, strong_type, strong, weak_id, weak_type, weak, *rest = row
    return Edge(edge_id, strong_id, Identifier(strong_type, strong), weak_id, Identifier(weak_type, weak), *rest)


def refused_links(conn: Connection, limit: int = 50, reason: str | None = None, before: int | None = None) -> list[Edge]:
    """Links that were refused, newest first, of one reason or all; `before` is the edge id a page goes on from."""
    return [edge_from(row) for row in SQL.newest_refusals(conn, limit=limit, reason=reason, before=before)]


def warnings(conn: Connection) -> list[Warned]:
    """Everything refused or left out, counted by reason and type, most frequent first."""
    rows = [Warned(*row) for row in (*SQL.count_refusals(conn), *SQL.count_left_out(conn))]
    return sorted(rows, key=lambda row: (-row.number, row.reason, row.type))


def merges_of(conn: Connection, identity_ids: Sequence[int]) -> list[Move]:
    """The merge log of these identities, oldest first."""
    return [Move(*row) for row in SQL.moves_of(conn, ids=list(identity_ids))]


def identities_of(conn: Connection, people: Sequence[int]) -> dict[int, int]:
    """Every identity of these people, those held on shared browsers too: identity → person."""
    return {identity: person for identity, _, _, _, person, _ in SQL.members(conn, people=list(people))}


def graph_of(conn: Connection, person_id: int, each: int = 8) -> Graph:
    """A person's graph with up to `each` identifiers of a type; without any when there is no such person."""
    rows = list(SQL.graph_nodes(conn, person=person_id, each=each))
    counts = {kind: number for _, kind, *_, number in rows}
    kinds = sorted(counts, key=lambda kind: rank(Identifier(kind, "")))
    drawn = set(kinds[:MOST_TYPES])
    nodes = sorted((Node(*row[:-1]) for row in rows if row[1] in drawn), key=lambda node: (rank(Identifier(node.type, "")), node.identity_id))
    ids = [node.identity_id for node in nodes]
    edges = [edge_from(row) for row in SQL.edges_among(conn, ids=ids, limit=MOST_EDGES)]
    outside = [edge_from(row) for row in SQL.edges_outside(conn, ids=ids, person=person_id, limit=MOST_OUTSIDE)]
    bundles = [Bundle(*row) for row in SQL.bundles(conn, ids=ids, person=person_id)]
    return Graph(person_id, {kind: counts[kind] for kind in kinds}, tuple(nodes), tuple(edges), tuple(outside), tuple(bundles))


def identity_ids(conn: Connection, person_id: int) -> list[int]:
    """All identities of a person, those held on shared browsers too; none when there is no such person."""
    return [identity for identity, person in identities_of(conn, [person_id]).items() if person == person_id]


def edges_page(conn: Connection, person_id: int, after: tuple[datetime, int] | None, limit: int) -> list[Edge]:
    """Every link that touches a person's identifiers, oldest first; `after` is (at, edge_id) of the last one of the page before."""
    at, edge_id = after or (None, None)
    return [edge_from(row) for row in SQL.edges_page(conn, person=person_id, at=at, edge_id=edge_id, limit=limit)]


def history_page(conn: Connection, person_id: int, before: int | None, limit: int) -> list[Move]:
    """What came to a person or left them, newest first, also what a link that was taken back once brought; `before` is a move's number."""
    start = _NEWEST if before is None else before
    return [Move(*row) for row in SQL.moves_page(conn, person=person_id, start=start, oldest_first=False, limit=limit)]


def history_after(conn: Connection, person_id: int, after: int, limit: int) -> list[Move]:
    """The same from the oldest on; `after` is the number of the last one already shown."""
    return [Move(*row) for row in SQL.moves_page(conn, person=person_id, start=after, oldest_first=True, limit=limit)]


def merge_log(conn: Connection, batch: int, events: Sequence[Event], first_event_id: int) -> pa.Table | None:
    """Lines of the merge log that the warehouse does not know, as its table "moves", told once when the caller's transaction commits.

    Numbers and times only. `events`, numbered from `first_event_id`, are those of the batch: a link that one of them showed
    names it. None when there is nothing to tell. For the only writer.
    """
    rows = [Move(*row) for row in SQL.untold_moves(conn)]
    if not rows:
        return None
    SQL.note_told(conn, move_id=rows[-1].move_id)
    asked = {(row.source_id, row.message_id) for row in rows}
    numbers = {key: number for number, event in enumerate(events, first_event_id) if (key := (event.source_id, event.message_id)) in asked}
    columns = {name: [getattr(row, name) for row in rows] for name in MOVES.names if name in Move._fields}
    columns |= {"batch": [batch] * len(rows), "event_id": [numbers.get((row.source_id or 0, row.message_id or "")) for row in rows]}
    arrays = [pa.array(columns[field.name], pa.timestamp("us", "UTC") if pa.types.is_timestamp(field.type) else field.type).cast(field.type) for field in MOVES]
    return pa.Table.from_arrays(arrays, schema=MOVES)


def shared_devices(conn: Connection, person_ids: Sequence[int] | None = None) -> list[tuple[int, int, int]]:
    """(identity, its person, how many people hold it) of the browsers and phones that several people hold.

    With `person_ids`, of theirs only, each with everybody who holds it: to look at the others too.
    """
    return list(SQL.shared_devices(conn) if person_ids is None else SQL.shared_devices_of(conn, people=list(person_ids)))
