"""The tables of `activate`: rows in, frozen values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from cegla.activate.rules.audience import Chosen
from cegla.activate.rules.destinations import destination_of
from cegla.activate.rules.pace import Bucket
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Verdict
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.messages import MessageState, SkipReason
from cegla.vocabulary.text import Text

SQL = statements.load(__file__)
AT_ONCE = 10_000
CAP_WINDOW = timedelta(days=7)


@dataclass(frozen=True)
class Campaign:
    """An e-mail campaign: its wording is that of its newest version, `counts` are messages by state and `skipped`
    those left out by reason, times are UTC.

    `state` is draft, sending, paused, sent or cancelled. `segment_name` and `segment_sentence` are the segment as it was at
    the launch, None before. `trouble` says what the mail server last said when it is away, until `retry_at`.
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
    values: list[Any] = [*row[:16], sentence, *row[18:]]
    return Campaign(*values)


def messages(conn: Connection, limit: int, **wanted: Any) -> list[Message]:
    """Outbox rows, newest first, of those that fit every wish given: id, campaign_id, people, state, before (a row's id)."""
    wishes: dict[str, Any] = {"id": None, "campaign_id": None, "people": None, "state": None, "before": None, **wanted}
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
    for start in range(0, len(chosen), AT_ONCE):
        part = chosen[start : start + AT_ONCE]
        SQL.add_messages(
            conn, campaign_id=campaign.id, version=campaign.version, now=now,
            people=[row.person_id for row in part], identities=[row.identity_id for row in part], addresses=[row.address for row in part],
            reasons=[row.reason.value if row.reason else None for row in part],
            destinations=[destination_of(row.address) if row.address else "" for row in part],
            records=[row.consent_record_id for row in part], times=[row.consent_at for row in part],
            facts=[Jsonb(facts[row.person_id]) if row.person_id in facts else None for row in part],
        )  # fmt: skip


def begin_hand_off(conn: Connection, rows: Sequence[tuple[int, bool, Verdict]], now: datetime) -> set[int]:
    """Mark messages (id, tracked, verdict) as being handed over; those that still wait in a campaign that is sending, whose numbers come back."""
    ids, tracked, verdicts = zip(*rows, strict=True) if rows else ((), (), ())
    records, times = [one.record_id for one in verdicts], [one.decided_at for one in verdicts]
    begun = SQL.begin_hand_off(conn, ids=list(ids), tracked=list(tracked), records=records, times=times, now=now)
    return {number for (number,) in begun}


def attach(conn: Connection, rows: Sequence[tuple[int, int, int | None]]) -> None:
    """Keep whom messages (id, person, identity of the address) are for, once that is known."""
    ids, people, identities = zip(*rows, strict=True) if rows else ((), (), ())
    SQL.attach(conn, ids=list(ids), people=list(people), identities=list(identities))


def end_messages(conn: Connection, rows: Sequence[tuple[int, str, str | None, str | None, str | None]], now: datetime) -> None:
    """Keep what became of messages: id, state, reason, reply, and the reason of the 34 when it bounced."""
    ids, states, reasons, replies, returned = zip(*rows, strict=True)
    SQL.end_messages(conn, ids=list(ids), states=list(states), reasons=list(reasons), replies=list(replies), returned=list(returned), now=now)


def put_off(conn: Connection, rows: Sequence[tuple[int, int, str | None, datetime]]) -> None:
    """Try messages (id, attempts, reply, when) again later."""
    ids, attempts, replies, times = zip(*rows, strict=True)
    SQL.put_off(conn, ids=list(ids), attempts=list(attempts), replies=list(replies), times=list(times))


def recent(conn: Connection, people: Mapping[int, Sequence[int]], campaign_id: int, now: datetime, *, waiting: bool = True) -> dict[int, int]:
    """How many messages of other campaigns each person (→ identities) was given in the last seven days or, if asked, waits for.

    Messages belong to the identity of their address, so people who were joined or parted since are counted as they are today.
    """
    return dict(SQL.recent_messages(conn, **_identities(people), campaign_id=campaign_id, since=now - CAP_WINDOW, waiting=waiting))


def recent_for(conn: Connection, identity_ids: Sequence[int], since: datetime) -> int:
    """How many messages these identities were given since a moment."""
    return int(SQL.recent_for(conn, ids=list(identity_ids), since=since))


def given(conn: Connection, people: Mapping[int, Sequence[int]], campaign_id: int) -> set[int]:
    """Who of these people (→ identities) was handed a message of this campaign at any of their addresses."""
    return {person for (person,) in SQL.given(conn, **_identities(people), campaign_id=campaign_id)}


def _identities(people: Mapping[int, Sequence[int]]) -> dict[str, list[int]]:
    pairs = [(person, identity) for person, identities in people.items() for identity in identities]
    return {"people": [person for person, _ in pairs], "identities": [identity for _, identity in pairs]}


def bucket(conn: Connection, key: str) -> Bucket | None:
    """How many messages may go by this key's pace."""
    row = SQL.bucket(conn, key=key)
    return Bucket(*row) if row else None


def link_number(conn: Connection, campaign_id: int, url: str) -> int:
    """The number of an address among a campaign's links."""
    number = SQL.link_number(conn, campaign_id=campaign_id, url=url)
    if number is None:
        SQL.add_link(conn, campaign_id=campaign_id, url=url)
        number = SQL.link_number(conn, campaign_id=campaign_id, url=url)
    return int(number)


def add_content(conn: Connection, campaign_id: int, version: int, parts: dict[str, Any], now: datetime) -> None:
    """Keep a version of what a campaign says: subject, mjml, html, text and its content."""
    SQL.add_content(conn, campaign_id=campaign_id, version=version, now=now, **{**parts, "content": Jsonb(parts["content"])})
