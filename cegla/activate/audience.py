"""The people of a campaign: the segment's members, each with an address, the gate's verdict and the messages of late."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from cegla.activate import browsers, store
from cegla.activate.rules.audience import Candidate, Chosen, Plan, choose
from cegla.activate.rules.channels import KINDS
from cegla.activate.rules.contact import NO_CONTACT, opens_at
from cegla.activate.rules.timing import due_at, sure_hour, usual_hour
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Verdict
from cegla.vocabulary.identifiers import Identifier

AT_ONCE = 20_000
BESIDE = 2  #: parts of an audience that are decided at a time
HOUR = "rhythm.best_send_hour"
NOWHERE = profile.places.NOWHERE
PROFILING = "profiling"
UNCHOSEN = "service"  #: a contract needs it, so no segment chooses its people


@dataclass(frozen=True)
class Audience:
    """Who would get a campaign, and for everybody else why not. `reasons` counts people by SkipReason; `rows` are all of them.

    `held` are those of the reachable whose messages wait: for the end of quiet hours, or for their own time.
    """

    members: int
    reachable: int
    reasons: dict[str, int]
    rows: tuple[Chosen, ...]
    at: datetime
    held: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a message is for today: the person, the identities, the address, and whose clock and law hold."""

    person_id: int
    identity_ids: tuple[int, ...]
    identity_id: int | None
    address: str | None
    place: profile.places.Place = NOWHERE

    def subject(self, address: str | None = None) -> govern.Subject:
        """The person as the gate is asked, at this address."""
        return govern.Subject(self.person_id, self.identity_ids, address, self.place.country, self.place.company)


def audience_of(ws: Workspace, campaign: store.Campaign, now: datetime) -> Audience:
    """Decide for every member of the campaign's segment as of `now`, and change nothing."""
    with ws.transaction() as conn:
        rule = segment.segment(conn, campaign.segment_id).rule
    return decided(ws, campaign, segment.members_of(ws, rule, now).to_pylist(), now)


def decided(ws: Workspace, campaign: store.Campaign, people: Sequence[int], now: datetime) -> Audience:
    """The decision for each of these people, by a few statements for thousands of them."""
    with ws.transaction() as conn:
        limits = store.limits(conn, campaign)
        hours = _hours(conn, people) if campaign.clock == "usual" else {}
    plan = Plan(campaign.id, campaign.cap, limits.per_day, campaign.holdout_percent, campaign.shares, campaign.test_percent, Channel(campaign.channel))

    def part(start: int) -> list[Chosen]:
        with ws.transaction() as conn:
            return choose(_candidates(ws, conn, campaign, people[start : start + AT_ONCE], (now, hours)), plan)

    with ThreadPoolExecutor(BESIDE) as pool:  # while the database looks up one part, another is decided
        rows = [row for found in pool.map(part, range(0, len(people), AT_ONCE)) for row in found]
    reasons = Counter(row.reason.value for row in rows if row.reason is not None)
    held = sum(row.reason is None and row.due_at is not None for row in rows)
    return Audience(len(rows), len(rows) - reasons.total(), dict(reasons.most_common()), tuple(rows), now, held)


def readers(conn: Connection, people: Sequence[int], channel: Channel = Channel.EMAIL) -> list[Reader]:
    """Each person with their identities and the newest address of a channel."""
    kind = KINDS[channel].identifier
    reached = resolve.reach.addresses(conn, people, kind) if kind else browsers.reached(conn, people)
    places = profile.places.places_of(conn, {person: identities for person, identities, *_ in reached})
    return [Reader(*one, places.get(one[0], NOWHERE)) for one in reached]


def readers_at(conn: Connection, addresses: Sequence[str], channel: Channel = Channel.EMAIL) -> list[Reader | None]:
    """For each address of a channel the person it belongs to today; None when nobody has it any more."""
    kind = KINDS[channel].identifier
    people = resolve.look_up(conn, [Identifier(kind, address) for address in addresses]) if kind else browsers.owners(conn, addresses)
    known = {reader.person_id: reader for reader in readers(conn, sorted({person for person in people if person is not None}), channel)}
    return [replace(known[person], address=address) if person is not None else None for person, address in zip(people, addresses, strict=True)]


def verdicts(
    ws: Workspace, conn: Connection, whom: Sequence[Reader], purpose: str, at: datetime, channel: Channel = Channel.EMAIL
) -> list[Verdict]:
    """The gate's word on this purpose by a channel; who objected to profiling is not chosen by a segment either."""
    return verdicts_on(ws, conn, whom, ((purpose, channel),), at)[0]


def verdicts_on(
    ws: Workspace, conn: Connection, whom: Sequence[Reader], uses: Sequence[tuple[str, Channel]], at: datetime
) -> list[list[Verdict]]:
    """The same for several purposes, each by its channel, in their order."""
    asked = [reader.subject(reader.address) for reader in whom]
    given = [govern.allowed(conn, ws.keys, asked, purpose, channel, at) for purpose, channel in uses]
    purposes = [purpose for purpose, _ in uses]
    if all(purpose == UNCHOSEN for purpose in purposes):
        return given
    profiling = govern.allowed(conn, ws.keys, [reader.subject() for reader in whom], PROFILING, Channel.NONE, at)
    return [found if purpose == UNCHOSEN else stricter(found, profiling) for purpose, found in zip(purposes, given, strict=True)]


def stricter(given: Sequence[Verdict], profiling: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts on a purpose, but for those who may be written to and may not be profiled."""
    return [one if own.allowed or not one.allowed else own for one, own in zip(given, profiling, strict=True)]


def _hours(conn: Connection, people: Sequence[int]) -> dict[int, int | None]:
    """The hour each person is usually there, by the shop's clock; whose is not sure has that of most others."""
    found = {person: of[HOUR] for person, of in profile.findings.by_person(conn, [HOUR], people).items()}
    others = usual_hour(found.values())
    return {person: sure_hour(found.get(person), others) for person in people}


def _candidates(
    ws: Workspace, conn: Connection, campaign: store.Campaign, people: Sequence[int], at: tuple[datetime, Mapping[int, int | None]]
) -> Iterator[Candidate]:
    channel = Channel(campaign.channel)
    (now, hours), whom = at, readers(conn, people, channel)
    limits, own = store.limits(conn, campaign), ws.settings.zone
    asked: dict[int, store.Met] = {}
    for reader in whom:
        zone = reader.place.zone or own
        due = opens_at(limits, due_at(campaign.timing, now, (zone, own), hours.get(reader.person_id)), zone)
        asked[reader.person_id] = store.Met(reader.identity_ids, zone, due if due > now else None)
    contacts = store.contacts(conn, asked, store.Question.of(campaign, now), now) if campaign.cap or limits.per_day or campaign.offer else {}
    for reader, verdict in zip(whom, verdicts(ws, conn, whom, campaign.purpose, now, channel), strict=True):
        met, contact = asked[reader.person_id], contacts.get(reader.person_id, NO_CONTACT)
        yield Candidate(reader.person_id, reader.identity_ids, reader.identity_id, reader.address, verdict, contact, met.at)
