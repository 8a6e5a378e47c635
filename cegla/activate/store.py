"""The tables of `activate`: rows in, frozen values out."""

import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, Protocol, Self
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from cegla.activate.rules.audience import FIRST, REST, Chosen
from cegla.activate.rules.channels import destination
from cegla.activate.rules.contact import FREE, SHIPPED, Contact, Limits
from cegla.activate.rules.destinations import destination_of
from cegla.activate.rules.pace import Bucket
from cegla.activate.rules.timing import Clock, Timing
from cegla.govern import actions as govern
from cegla.storage import statements
from cegla.storage.arrays import moments, numbers, texts
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel, Verdict
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.messages import MessageState, SkipReason
from cegla.vocabulary.text import Text

SQL = statements.load(__file__)
AT_ONCE = 10_000
WALK = 5_000  #: rows that a look for the next messages goes through when some destinations are closed
WISHES = ("id", "campaign_id", "people", "state", "reason", "arm", "destination", "before", "trace_id")
CAP_WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Variant:
    """Another content of a campaign, beside A: its letter, the version that holds it, its share (A's is 1)."""

    key: str
    version: int
    share: int
    subject: str
    mjml: str
    text: str


class Asking(Protocol):
    """A campaign as the rules across campaigns see it."""

    @property
    def id(self) -> int: ...
    @property
    def purpose(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def offer(self) -> str: ...
    @property
    def offer_days(self) -> int: ...
    @property
    def launched_at(self) -> datetime | None: ...


class Question(NamedTuple):
    """What is asked about the messages that people were given and wait for: as which campaign."""

    campaign_id: int
    channel: str
    priority: int
    launched_at: datetime
    offer: str
    offer_since: datetime

    @classmethod
    def of(cls, campaign: Asking, now: datetime) -> Self:
        """As this campaign, now."""
        return cls(campaign.id, campaign.channel, campaign.priority, campaign.launched_at or now, campaign.offer, now - timedelta(days=campaign.offer_days))


class Met(NamedTuple):
    """A person as the rules across campaigns ask about them: identities, clock, and when the message goes (None: at once)."""

    identities: Sequence[int]
    zone: ZoneInfo
    at: datetime | None = None


@dataclass(frozen=True)
class Campaign:
    """A campaign of one channel, e-mail, SMS or web push: its wording is that of its newest version, `counts` are messages by state and `skipped`
    those left out by reason, times are UTC.

    `state` is draft, scheduled, sending, paused, sent or cancelled. `segment_name` and `segment_sentence` are the segment as it was at
    the launch, None before. `send_at` is a wall clock, `begins_at` the moment the audience of a scheduled one is decided. `winner` is the variant
    chosen for the rest of a tested audience, sent from `fires_at` on. `trouble` says what the mail server last said when it is away, or why
    a scheduled one could not begin, until `retry_at`.
    """

    id: int
    name: str
    segment_id: int
    purpose: str
    channel: str
    sender: str
    version: int
    holdout_percent: int
    messages_per_minute: int | None
    cap: int
    state: str
    created_at: datetime
    changed_at: datetime
    launched_at: datetime | None
    finished_at: datetime | None
    segment_name: str | None
    segment_sentence: Text | None
    trouble: str | None
    retry_at: datetime | None
    subject: str
    mjml: str
    content: dict[str, Any]
    counts: dict[str, int]
    skipped: dict[str, int]
    priority: int = 5
    offer: str = ""
    offer_days: int = 30
    goal: str = "orders"
    variants: tuple[Variant, ...] = ()
    send_at: datetime | None = None
    clock: Clock = "shop"
    begins_at: datetime | None = None
    test_percent: int = 0
    test_hours: int = 24
    winner: str | None = None
    winner_why: str | None = None
    winner_at: datetime | None = None
    fires_at: datetime | None = None
    text: str = ""  #: what a text or push message says; the text part of a letter

    @property
    def timing(self) -> Timing:
        """When it goes, as its author chose."""
        return Timing(self.send_at, self.clock)

    @property
    def chooses_at(self) -> datetime | None:
        """When a variant is chosen for the rest of the audience; None: everybody compares, or it was not launched."""
        tested = self.test_percent and self.variants and self.launched_at
        return self.launched_at + self.timing.lag + timedelta(hours=self.test_hours) if tested and self.launched_at else None

    @property
    def shares(self) -> tuple[tuple[str, int], ...]:
        """Every variant with its share; A is the campaign's own content."""
        return ((FIRST, 1), *((one.key, one.share) for one in self.variants))

    def version_of(self, arm: str) -> int:
        """The version of the content that an arm is given."""
        return next((one.version for one in self.variants if one.key == arm), self.version)

    def count(self, *states: MessageState) -> int:
        """How many messages are in these states; of all when none is named."""
        return sum(self.counts.get(state.value, 0) for state in states) if states else sum(self.counts.values())


@dataclass(frozen=True)
class Message:
    """One outbox row. `bounce` is hard (a dead address) or soft, `address` is None after erasure, `reply` is what the mail server said last."""

    id: int
    campaign_id: int
    campaign: str
    person_id: int
    identity_id: int | None
    address: str | None
    state: MessageState
    reason: SkipReason | None
    bounce: str | None
    version: int
    consent_record_id: int | None
    consent_at: datetime | None
    tracked: bool
    attempts: int
    reply: str | None
    decided_at: datetime
    handed_at: datetime | None
    done_at: datetime | None
    channel: str = "email"
    trace: str | None = None  #: the W3C traceparent of the call that asked for it


def campaigns(conn: Connection, campaign_id: int | None = None) -> list[Campaign]:
    """Every campaign, newest first, or the one of this number."""
    return [_campaign(row) for row in SQL.campaigns(conn, id=campaign_id)]


def campaign(conn: Connection, campaign_id: int) -> Campaign:
    """One campaign. Raises NotFound."""
    found = campaigns(conn, campaign_id)
    if not found:
        raise NotFound(where="campaign", seen=campaign_id, thing=Text(f"kampania {campaign_id}", f"campaign {campaign_id}"))
    return found[0]


def _campaign(row: Sequence[Any]) -> Campaign:
    sentence = Text(row[16], row[17]) if row[16] else None
    rest, variants, later = row[18:29], row[29], row[30:]
    values: list[Any] = [*row[:16], sentence, *rest, tuple(Variant(**one) for one in variants), *later]
    return Campaign(*values)


def messages(conn: Connection, limit: int, **wanted: Any) -> list[Message]:
    """Outbox rows, newest first, of those that fit every wish given: id, campaign_id, people, state, reason, arm, destination, before (a row's), trace_id."""
    wishes: dict[str, Any] = dict.fromkeys(WISHES) | wanted
    return [_message(row) for row in SQL.messages(conn, most=limit, **wishes)]


def _message(row: Sequence[Any]) -> Message:
    state, reason = MessageState(row[6]), row[7]
    skipped = SkipReason(reason) if state is MessageState.SKIPPED and reason else None
    values: list[Any] = [*row[:6], state, skipped, reason if state is MessageState.BOUNCED else None, *row[8:]]
    return Message(*values)


def add_messages(
    conn: Connection, campaign: Campaign, chosen: Sequence[Chosen], facts: Mapping[int, dict[str, Any]], now: datetime
) -> None:
    """Write outbox rows for everybody the campaign decided on, with why they are in the segment (`facts` by person)."""
    rest = now + campaign.timing.lag + timedelta(hours=campaign.test_hours)  #: is chosen for the others then
    for start in range(0, len(chosen), AT_ONCE):
        part = chosen[start : start + AT_ONCE]
        SQL.add_messages(
            conn, campaign_id=campaign.id, now=now, versions=[campaign.version_of(row.arm) for row in part],
            arms=[row.arm for row in part], due=[max(row.due_at or now, rest if row.arm == REST else now) for row in part],
            people=[row.person_id for row in part], identities=[row.identity_id for row in part], addresses=[row.address for row in part],
            reasons=[row.reason.value if row.reason else None for row in part],
            destinations=[place_of(row.address, campaign.channel) for row in part],
            records=[row.consent_record_id for row in part], times=[row.consent_at for row in part],
            facts=[Jsonb(facts[row.person_id]) if row.person_id in facts else None for row in part],
        )  # fmt: skip


def place_of(address: str | None, channel: str) -> str:
    """The destination an address belongs to; empty without one."""
    return "" if address is None else destination_of(address) if channel == Channel.EMAIL else destination(address)


def due(conn: Connection, campaign_id: int, now: datetime, most: int, closed: Sequence[str]) -> list[Sequence[Any]]:
    """The next outbox rows of a campaign that may be handed over. However many wait for closed destinations, they are not walked past again and again."""
    found = list(SQL.due_messages(conn, campaign_id=campaign_id, now=now, most=most, closed=list(closed), walk=WALK if closed else most))
    if closed and len(found) < most:
        found = list(SQL.due_elsewhere(conn, campaign_id=campaign_id, now=now, most=most, closed=list(closed), each=max(1, most // 8))) or found
    return found


def begin_hand_off(conn: Connection, rows: Sequence[tuple[int, bool, Verdict]], now: datetime) -> set[int]:
    """Mark messages (id, tracked, verdict) as being handed over; those that still wait in a campaign that is sending, whose numbers come back."""
    ids, tracked, verdicts = zip(*rows, strict=True) if rows else ((), (), ())
    records, times = [one.record_id for one in verdicts], [one.decided_at for one in verdicts]
    marks = "{" + ",".join(["t" if one else "f" for one in tracked]) + "}"
    begun = SQL.begin_hand_off(conn, ids=numbers(ids), tracked=marks, records=numbers(records), times=moments(times), now=now)
    return {number for (number,) in begun}


def attach(conn: Connection, rows: Sequence[tuple[int, int, int | None]]) -> None:
    """Keep whom messages (id, person, identity of the address) are for, once that is known."""
    ids, people, identities = zip(*rows, strict=True) if rows else ((), (), ())
    SQL.attach(conn, ids=list(ids), people=list(people), identities=list(identities))


def end_messages(conn: Connection, rows: Sequence[tuple[int, str, str | None, str | None, str | None]], now: datetime) -> None:
    """Keep what became of messages: id, state, reason, reply, and the reason of the 34 when it bounced."""
    ids, states, reasons, replies, returned = zip(*rows, strict=True)
    columns = dict(zip(("states", "reasons", "replies", "returned"), map(texts, (states, reasons, replies, returned)), strict=True))
    SQL.end_messages(conn, ids=numbers(ids), now=now, **columns)
    if skipped := [row[0] for row in rows if row[1] == MessageState.SKIPPED.value]:
        SQL.let_go(conn, ids=skipped)


def put_off(conn: Connection, rows: Sequence[tuple[int, int, str | None, datetime]]) -> None:
    """Try messages (id, attempts, reply, when) again later."""
    ids, attempts, replies, times = zip(*rows, strict=True)
    SQL.put_off(conn, ids=list(ids), attempts=list(attempts), replies=list(replies), times=list(times))


def contacts(conn: Connection, people: Mapping[int, Met], asked: Question, now: datetime) -> dict[int, Contact]:
    """What each person was given by other campaigns and waits for, on the day their message goes; who has nothing of either is left out.

    Messages belong to the identity of their address, so people who were joined or parted since are counted as they are today.
    What a contract needs, such as an order's confirmation, never counts.
    """
    here: dict[str, date] = {}
    clocks: dict[tuple[str, date], int] = {}
    pairs: list[tuple[int, int, int]] = []
    for person, (identities, zone, at) in people.items():
        today = here.get(zone.key) or here.setdefault(zone.key, now.astimezone(zone).date())
        clock = clocks.setdefault((zone.key, today if at is None else at.astimezone(zone).date()), len(clocks) + 1)
        pairs += [(person, one, clock) for one in identities]
    columns: dict[str, Any] = {name: numbers(row[place] for row in pairs) for place, name in enumerate(("people", "identities", "places"))}
    columns |= {"zones": [zone for zone, _ in clocks], "days": [day for _, day in clocks]}
    free = [key for key, purpose in govern.register.purposes(conn).items() if purpose.by_contract]
    since = min(now - CAP_WINDOW, asked.offer_since if asked.offer else now)
    rows = SQL.contacts(conn, **columns, **asked._asdict(), week=now - CAP_WINDOW, since=since, now=now, free=free)
    return {person: Contact(*rest) for person, *rest in rows}


def limits(conn: Connection, campaign: Asking) -> Limits:
    """How often and when a campaign may write to somebody; what a contract needs is free."""
    purpose = govern.register.purposes(conn).get(campaign.purpose)
    return FREE if purpose is not None and purpose.by_contract else channel_limits(conn).get(campaign.channel, FREE)


def channel_limits(conn: Connection) -> dict[str, Limits]:
    """The rule of every channel."""
    return SHIPPED | {channel: Limits(*rest) for channel, *rest in SQL.limits(conn)}


def set_limits(conn: Connection, channel: str, wanted: Limits, now: datetime) -> None:
    """Put a channel's rule in force."""
    hours: dict[str, time | None] = {"quiet_from": wanted.quiet_from, "quiet_until": wanted.quiet_until}
    SQL.set_limits(conn, channel=channel, per_day=wanted.per_day, now=now, **hours)


def keep_numbers(conn: Connection, given: "queue.SimpleQueue[tuple[int, str]]") -> None:
    """Keep the numbers that a gateway gave messages, as far as they came in; the caller commits."""
    rows: list[tuple[int, str]] = []
    while not given.empty():
        rows.append(given.get())
    if rows:
        SQL.keep_gateway_numbers(conn, ids=[number for number, _ in rows], numbers=[text for _, text in rows])


def arms(conn: Connection, campaign_id: int) -> list[tuple[str, int, int, bool]]:
    """Everybody in a comparison: arm, person at the launch, identity of the address (the person's own without one), whether clicks were measured."""
    return list(SQL.arms(conn, campaign_id=campaign_id))


def recent_for(conn: Connection, identity_ids: Sequence[int], since: datetime) -> int:
    """How many messages these identities were given since a moment."""
    return int(SQL.recent_for(conn, ids=list(identity_ids), since=since))


def given(conn: Connection, people: Mapping[int, Sequence[int]], campaign_id: int) -> set[int]:
    """Who of these people (→ identities) was handed a message of this campaign at any of their addresses."""
    pairs = [(person, identity) for person, identities in people.items() for identity in identities]
    columns = {"people": numbers(person for person, _ in pairs), "identities": numbers(identity for _, identity in pairs)}
    return {person for (person,) in SQL.given(conn, **columns, campaign_id=campaign_id)}


def bucket(conn: Connection, key: str) -> Bucket | None:
    """How many messages may go by this key's pace."""
    row = SQL.bucket(conn, key=key)
    return Bucket(*row) if row else None


class Numbered(NamedTuple):
    """A link of a campaign: its number, and the message that alone has it (None: it is the same for several)."""

    number: int
    message_id: int | None


def numbered(conn: Connection, campaign_id: int, url: str, message_id: int | None) -> Numbered:
    """The number of an address among a campaign's links, for a message that has it, or (None) for all of them."""
    row = SQL.link_number(conn, campaign_id=campaign_id, url=url)
    if row is None:
        SQL.add_link(conn, campaign_id=campaign_id, url=url, message_id=message_id)
        row = SQL.link_number(conn, campaign_id=campaign_id, url=url)
    found = Numbered(*row)
    if found.message_id in (None, message_id):
        return found
    SQL.share_link(conn, campaign_id=campaign_id, number=found.number)
    return Numbered(found.number, None)


def add_content(conn: Connection, campaign_id: int, version: int, parts: dict[str, Any], now: datetime) -> None:
    """Keep a version of what a campaign says: subject, mjml, html, text and its content."""
    SQL.add_content(conn, campaign_id=campaign_id, version=version, now=now, **{**parts, "content": Jsonb(parts["content"])})
