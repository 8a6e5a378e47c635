"""The people of a campaign: the segment's members, each with an address, the gate's verdict and the messages of late."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cegla.activate import store
from cegla.activate.rules.audience import Candidate, Chosen, choose
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Verdict
from cegla.vocabulary.identifiers import Identifier

AT_ONCE = 20_000


@dataclass(frozen=True)
class Audience:
    """Who would get a campaign, and for everybody else why not. `reasons` counts people by SkipReason; `rows` are all of them."""

    members: int
    reachable: int
    reasons: dict[str, int]
    rows: tuple[Chosen, ...]
    at: datetime


@dataclass(frozen=True)
class Reader:
    """Whom a message is for today: the person, the identities, and the address."""

    person_id: int
    identity_ids: tuple[int, ...]
    identity_id: int | None
    address: str | None


def audience_of(ws: Workspace, campaign: store.Campaign, now: datetime) -> Audience:
    """Decide for every member of the campaign's segment as of `now`, and change nothing."""
    with ws.transaction() as conn:
        rule = segment.segment(conn, campaign.segment_id).rule
    people: list[int] = segment.members_of(ws, rule, now).to_pylist()
    rows: list[Chosen] = []
    with ws.transaction() as conn:
        for start in range(0, len(people), AT_ONCE):
            candidates = _candidates(ws, conn, campaign, people[start : start + AT_ONCE], now)
            rows += choose(candidates, campaign.id, campaign.cap, campaign.holdout_percent)
    reasons = Counter(row.reason.value for row in rows if row.reason is not None)
    return Audience(len(rows), len(rows) - reasons.total(), dict(reasons.most_common()), tuple(rows), now)


def readers(conn: Connection, people: Sequence[int]) -> list[Reader]:
    """Each person with their identities and the newest e-mail address."""
    known = resolve.identifiers_of(conn, people)
    found: list[Reader] = []
    for person in people:
        rows = known.get(person, [])
        newest = max((row for row in rows if row.addresses("email")), key=lambda row: (row.first_seen_at, row.identity_id), default=None)
        identities = tuple(dict.fromkeys([person, *(row.identity_id for row in rows)]))
        found.append(Reader(person, identities, newest.identity_id if newest else None, newest.value if newest else None))
    return found


def readers_at(conn: Connection, addresses: Sequence[str]) -> list[Reader | None]:
    """For each address the person it belongs to today; None when nobody has it any more."""
    people = resolve.look_up(conn, [Identifier("email", address) for address in addresses])
    known = {reader.person_id: reader for reader in readers(conn, sorted({person for person in people if person is not None}))}
    return [replace(known[person], address=address) if person is not None else None for person, address in zip(people, addresses, strict=True)]


def verdicts(ws: Workspace, conn: Connection, whom: Sequence[Reader], purpose: str, at: datetime) -> list[Verdict]:
    """The gate's word on this purpose by e-mail; who objected to profiling is not chosen by a segment either."""
    return verdicts_on(ws, conn, whom, (purpose,), at)[0]


def verdicts_on(ws: Workspace, conn: Connection, whom: Sequence[Reader], purposes: Sequence[str], at: datetime) -> list[list[Verdict]]:
    """The same for several purposes at once, in their order."""
    asked = [govern.Subject(reader.person_id, reader.identity_ids, reader.address) for reader in whom]
    given = [govern.allowed(conn, ws.keys, asked, purpose, Channel.EMAIL, at) for purpose in purposes]
    if all(purpose == "service" for purpose in purposes):
        return given
    profiling = govern.allowed(conn, ws.keys, asked, "profiling", Channel.NONE, at)
    return [
        found if purpose == "service" else [one if own.allowed or not one.allowed else own for one, own in zip(found, profiling, strict=True)]
        for purpose, found in zip(purposes, given, strict=True)
    ]


def _candidates(ws: Workspace, conn: Connection, campaign: store.Campaign, people: Sequence[int], now: datetime) -> Iterator[Candidate]:
    whom = readers(conn, people)
    counts = store.recent(conn, {reader.person_id: reader.identity_ids for reader in whom}, campaign.id, now) if campaign.cap else {}
    for reader, verdict in zip(whom, verdicts(ws, conn, whom, campaign.purpose, now), strict=True):
        yield Candidate(reader.person_id, reader.identity_ids, reader.identity_id, reader.address, verdict, counts.get(reader.person_id, 0))
