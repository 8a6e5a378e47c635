"""The door to likely duplicates: look for them, list them, say what became of each. Nobody is joined here.

A proposal names two people and says why they could be one. Accepting it is a decision of a person; the link itself is made by
`resolve` and can be undone there. Times are UTC.
"""

import math
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from cegla.match import scoring, store
from cegla.match.rules.model import COMPARISONS, VERSION
from cegla.match.rules.names import alike as alike
from cegla.match.rules.records import Row, comparable, row
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.text import Text

PEOPLE_AT_A_TIME = 5_000
SAYS: dict[tuple[str, str], Text] = {(one.key, level.key): level.says for one in COMPARISONS for level in (*one.levels, one.other)}
LABELS: dict[str, Text] = {one.key: one.label for one in COMPARISONS}
State = Literal["open", "accepted", "refused"]


class Evidence(NamedTuple):
    """One comparison: what it is about, what it found, and its weight in bits (positive speaks for one human)."""

    label: Text
    says: Text
    weight: float


@dataclass(frozen=True)
class Proposal:
    """Two people who are likely one. `evidence` has the strongest first; what is unknown of one of them is left out."""

    id: int
    low_person: int
    high_person: int
    probability: float
    evidence: tuple[Evidence, ...]
    version: str
    proposed_at: datetime
    state: State
    decided_at: datetime | None
    decided_by: str | None

    @property
    def place(self) -> str:
        """Where it stands in the list, also once it is withdrawn."""
        return f"{self.probability!r}:{self.id}"


@dataclass(frozen=True)
class Found:
    """What a run did: how many people there are, how many have a name and something beside it, what is open now, what is no longer."""

    people: int
    compared: int
    open: int
    withdrawn: int


def propose(conn: Connection, now: datetime) -> Found:
    """Compare everybody and bring the list of open proposals up to date. What was decided stays decided, also when people moved since."""
    people = 0
    rows: list[Row] = []
    for one in _everybody(conn):
        people += 1
        if comparable(one):
            rows.append(one)
    found = _without(scoring.likely_duplicates(rows), _decided_apart(conn))
    lows, highs = [pair.low for pair in found], [pair.high for pair in found]
    store.SQL.propose(
        conn, lows=lows, highs=highs, probabilities=[pair.probability for pair in found],
        findings=[msgspec.json.encode(pair.findings).decode() for pair in found], version=VERSION, now=now,
    )  # fmt: skip
    withdrawn = store.SQL.withdraw(conn, lows=lows, highs=highs)
    return Found(people, len(rows), store.SQL.count_in(conn, state="open"), withdrawn)


def proposals(conn: Connection, state: State = "open", after: str = "", limit: int = 50) -> list[Proposal]:
    """Proposals of a state, the likeliest first; `after` is the place of the last one of the page before. Raises InvalidInput for what is no place."""
    likelier, number = _read_place(after) if after else (None, None)
    return [_proposal(found) for found in store.SQL.listed(conn, state=state, likelier=likelier, after=number, limit=limit)]


def count(conn: Connection, state: State = "open") -> int:
    """How many proposals are in a state."""
    return store.SQL.count_in(conn, state=state)


def proposal(conn: Connection, proposal_id: int) -> Proposal:
    """One proposal. Raises NotFound."""
    found = store.SQL.one(conn, id=proposal_id)
    if found is None:
        raise NotFound(where="proposal", seen=proposal_id, thing=Text(f"propozycja {proposal_id}", f"proposal {proposal_id}"))
    return _proposal(found)


def proposals_of(conn: Connection, person: int) -> list[Proposal]:
    """The open proposals that name a person."""
    return [_proposal(found) for found in store.SQL.of_person(conn, person=person)]


def decide(conn: Connection, proposal_id: int, state: Literal["accepted", "refused"], actor: str, now: datetime) -> Proposal:
    """Settle an open proposal, for good. Raises NotFound when there is none open of this number."""
    found = store.SQL.decide(conn, id=proposal_id, state=state, actor=actor, now=now)
    if found is None:
        raise NotFound(where="proposal", seen=proposal_id, thing=Text(f"otwarta propozycja {proposal_id}", f"open proposal {proposal_id}"))
    return _proposal(found)


def forget_people(conn: Connection, people: Iterable[int]) -> None:
    """Drop the open proposals of people who were joined into others."""
    if gone := list(people):
        store.SQL.forget_open(conn, people=gone)


def reopen_parted(conn: Connection, people: Sequence[int]) -> None:
    """Proposals that were accepted and whose two people are two again, whatever parted them, wait for a decision as before.

    One that no longer names two people by their numbers goes; the next run finds them under those they have now.
    """
    accepted: list[tuple[int, int, int]] = list(store.SQL.accepted_of(conn, people=list(people))) if people else []
    owners = resolve.reach.owners(conn, sorted({person for _, *pair in accepted for person in pair}))
    parted = [(number, low, high) for number, low, high in accepted if owners.get(low) != owners.get(high)]
    named = {number for number, low, high in parted if (owners.get(low), owners.get(high)) == (low, high)}
    if parted:
        store.SQL.reopen(conn, ids=sorted(named))
        store.SQL.drop(conn, ids=[number for number, *_ in parted if number not in named])


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, Any]:
    """The proposals that name the person, each with what spoke for it; the other one is told by number only."""
    names = ("person", "other", "probability", "findings", "state", "proposed_at", "decided_at")
    return {"likely_duplicates": [dict(zip(names, found, strict=True)) for found in store.SQL.naming(conn, ids=list(identity_ids))]}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Remove every proposal that names the person; returns how many."""
    return store.SQL.erase(conn, ids=list(identity_ids))


# inside ------------------------------------------------------------------------------------------------------------------


def _read_place(text: str) -> tuple[float, int]:
    probability, _, number = text.partition(":")
    try:
        place = float(probability), int(number)
    except ValueError:
        place = math.nan, 0
    if not (0 <= place[0] <= 1 and 0 < place[1] < 2**63):
        raise InvalidInput(where="after", seen=text, detail=Text("to nie jest miejsce na liście", "it is no place in the list"))
    return place


def _everybody(conn: Connection) -> Generator[Row]:
    """The row of each person, a page of people at a time."""
    after = 0
    while page := [one.id for one in resolve.find(conn, "", after, PEOPLE_AT_A_TIME)]:
        known = resolve.identifiers_of(conn, page)
        declared = profile.profiles_of(conn, {person: [one.identity_id for one in rows] for person, rows in known.items()})
        for person, rows in known.items():
            yield row(person, [Identifier(one.type, one.value) for one in rows], declared[person])
        after = page[-1]


def _decided_apart(conn: Connection) -> set[tuple[int, int]]:
    """Pairs of today's people who hold identities that were said to be two people's."""
    refused: list[tuple[int, int]] = list(store.SQL.refused(conn))
    owners = resolve.reach.owners(conn, sorted({person for pair in refused for person in pair}))
    apart = [(owners.get(low, low), owners.get(high, high)) for low, high in refused]
    return {(min(pair), max(pair)) for pair in apart}


def _without(found: list[scoring.Scored], apart: set[tuple[int, int]]) -> list[scoring.Scored]:
    return [pair for pair in found if (pair.low, pair.high) not in apart]


def _proposal(found: Sequence[Any]) -> Proposal:
    number, low, high, probability, findings, *rest = found
    evidence = [
        Evidence(LABELS[key], SAYS[key, level], weight) for key, (level, weight) in findings.items() if (key, level) in SAYS
    ]  # a level of an older version that is no more says nothing
    return Proposal(number, low, high, probability, tuple(sorted(evidence, key=lambda one: -abs(one.weight))), *rest)
