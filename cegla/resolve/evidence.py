"""What file imports said about links, kept apart from what everybody else says, so that an import can be taken back.

A link that no import ever showed has no evidence row. Once one did, the link's time, rule and authority are the earliest and
strongest of what each side saw; without any side left the link goes, and with it identities that only imports made known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any, NamedTuple, cast

import msgspec

from cegla.resolve import store
from cegla.resolve.deriving import Cause, rederive
from cegla.resolve.rules.mentions import Rule, stronger
from cegla.resolve.store import SQL, NewEdge
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection

EVERYBODY_ELSE = 0


class Side(NamedTuple):
    """What one import, or everybody else, saw of a link: its first event, the strongest authority, and the day of its newest event."""

    at: datetime
    rule: Rule
    trusted: bool
    source_id: int
    message_id: str
    last_at: datetime  #: the day is right where a release may ask for it, the hour may be later

    def joined(self, other: "Side") -> "Side":
        """Both together."""
        first = min(self, other, key=lambda side: (side.at, side.source_id, side.message_id))
        return first._replace(rule=stronger(self.rule, other.rule), trusted=self.trusted or other.trusted, last_at=max(self.last_at, other.last_at))


Sides = dict[int, Side]  #: by import; EVERYBODY_ELSE for the rest


@dataclass(frozen=True)
class TakenBack:
    """What became of people when an import was taken back."""

    gone: list[int]  #: identities that are no more
    moved: list[tuple[int, int]]  #: (identity, person) where the owner changed
    ceased: dict[int, int]  #: people who are no more → who holds one of their identities now (absent: nobody)
    people: list[int]  #: people there are, who lost or won identities


def note(conn: Connection, import_id: int, seen: Mapping[int, Side]) -> None:
    """Remember what an import, or everybody else (0), saw of known links (edge → side). To be called before the links change."""
    texts: list[str] = []
    edges: list[int] = []
    for edge_id, *known, evidence in SQL.evidence_of(conn, ids=list(seen)):
        sides = _sides(evidence) if evidence is not None else {EVERYBODY_ELSE: Side(*known)}
        before = sides.get(import_id)
        after = seen[edge_id] if before is None else before.joined(seen[edge_id])
        if after != before:
            sides[import_id] = after
            edges.append(edge_id)
            texts.append(_text(sides))
    if edges:
        SQL.set_evidence(conn, ids=edges, evidence=texts)


def only(import_id: int, side: Side) -> dict[str, Any]:
    """The evidence of a link that nobody but an import has shown yet."""
    return _plain({import_id: side})


def part(conn: Connection, copies: Mapping[int, NewEdge], at: datetime) -> None:
    """A link that was seen before a release and after it became two (copy → the link before): each keeps the sides that saw it in its own time."""
    rows: dict[int, Sides] = {}
    for copy, edge in copies.items():
        sides = _sides(edge.evidence) if edge.evidence else {}
        before = {key: side._replace(last_at=min(side.last_at, at)) for key, side in sides.items() if side.at < at}
        after = {key: side._replace(at=max(side.at, at)) for key, side in sides.items() if side.last_at >= at}
        if before and after:
            rows |= {edge.edge_id: before, copy: after}
    _leave(conn, rows)


def join(conn: Connection, pairs: Sequence[tuple[NewEdge, NewEdge]]) -> None:
    """The first of each two links is both together from now on, so what each side saw is, too."""
    rows: dict[int, Sides] = {}
    for one, other in pairs:
        if one.evidence is not None or other.evidence is not None:
            sides = _sides_of(one)
            for key, side in _sides_of(other).items():
                sides[key] = sides[key].joined(side) if key in sides else side
            rows |= {one.edge_id: sides} if sides else {}  # nobody shows any more what a person took back
    _leave(conn, rows)


def take_back(conn: Connection, import_id: int, touched: Sequence[int], with_history: Sequence[int], actor: str) -> TakenBack:
    """Make links and identities what they would be had an import never been.

    `touched` are the identities its events point at, `with_history` those of them that other events point at.
    """
    store.only_writer(conn)
    ends, since = _drop_side(conn, import_id)
    candidates = list({*touched, *ends})
    before = store.people_of(conn, candidates)
    gone = [identity for (identity,) in SQL.unsupported(conn, ids=candidates, kept=list(with_history))]
    SQL.erase_edges(conn, ids=gone)
    SQL.erase_moves(conn, ids=gone)
    SQL.erase_identities(conn, ids=gone)
    owners = set(before.values())
    moved: dict[int, int] = {}
    if since is not None and (people := {before[identity] for identity in ends if identity in before}):
        rederived = rederive(conn, people, since, Cause("retraction", actor), current_rules(conn))
        moved = {identity: person for identity, (_, person) in rederived.moved.items()}
        owners |= rederived.people
    SQL.new_stamp(conn)
    there = store.people_of(conn, list(owners | set(moved.values())))
    ceased = {person: there[person] for person in owners if person in there and there[person] != person}
    return TakenBack(sorted(gone), sorted(moved.items()), ceased, sorted(person for person, owner in there.items() if person == owner))


def _drop_side(conn: Connection, import_id: int) -> tuple[set[int], datetime | None]:
    """Take an import's side from every link; returns the identities at their ends, and the earliest event concerned."""
    ends: set[int] = set()
    moments: list[datetime] = []
    for strong, weak, at in SQL.drop_edges_of_import(conn, import_id=str(import_id)):
        ends |= {strong, weak}
        moments.append(at)
    rows: dict[int, Sides] = {}
    for edge_id, strong, weak, at, evidence in SQL.edges_of_import(conn, import_id=str(import_id)):
        rows[edge_id] = {key: side for key, side in _sides(evidence).items() if key != import_id}
        ends |= {strong, weak}
        moments.append(min(at, *(side.at for side in rows[edge_id].values())))
    _leave(conn, rows)
    return ends, min(moments, default=None)


def _leave(conn: Connection, rows: Mapping[int, Sides]) -> None:
    """Links (edge → sides) are what these sides saw, together."""
    if rows:
        seen = [reduce(Side.joined, sides.values()) for sides in rows.values()]
        ats, rules, trusted, sources, messages, lasts = map(list, zip(*seen, strict=True))
        texts = [None if list(sides) == [EVERYBODY_ELSE] else _text(sides) for sides in rows.values()]
        SQL.leave_sides(conn, ids=list(rows), ats=ats, rules=rules, trusted=trusted, sources=sources, messages=messages, lasts=lasts, evidence=texts)


def _sides_of(edge: NewEdge) -> Sides:
    if edge.evidence is not None:
        return _sides(edge.evidence)
    return {EVERYBODY_ELSE: Side(edge.at, edge.rule, edge.trusted, edge.source_id, edge.message_id, edge.last_at)}


def _sides(evidence: Mapping[str, Any]) -> Sides:
    return {int(key): _side(*said) for key, said in evidence.items()}


def _side(at: str, rule: str, trusted: bool, source_id: int, message_id: str, last_at: str | None = None) -> Side:
    """`last_at` was not kept at first."""
    first = datetime.fromisoformat(at)
    return Side(first, cast(Rule, rule), trusted, source_id, message_id, datetime.fromisoformat(last_at) if last_at else first)


def _text(sides: Mapping[int, Side]) -> str:
    return msgspec.json.encode(_plain(sides)).decode()


def _plain(sides: Mapping[int, Side]) -> dict[str, Any]:
    return {str(key): [side.at.isoformat(), *side[1:-1], side.last_at.isoformat()] for key, side in sides.items()}
