"""Could we send this on that day, on what basis, with which proof? For one person, and for everybody a campaign decided on.

People are asked about by the identifiers that are theirs today. What a message rested on is kept with it, so for a message that left,
the decision of then is looked at itself: whether it was a yes, had reached us, and nothing was decided after it on the same identifier.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cegla.activate import store
from cegla.activate.audience import PROFILING, UNCHOSEN, readers, readers_at, stricter
from cegla.activate.rules.channels import KINDS
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, State, Verdict
from cegla.vocabulary.messages import MessageState

LEFT = (MessageState.SENT, MessageState.BOUNCED, MessageState.AMBIGUOUS, MessageState.HANDING_OFF)
PAGE = 200
Gate = Callable[[Connection, Keys, Sequence[govern.Subject], str, Channel, datetime], list[Verdict]]
JUST_BEFORE = timedelta(microseconds=1)
COLUMNS = (
    "message person state asked_at could reason purpose basis channel record decided_at recorded_at method page notice words_match register link".split()
)


@dataclass(frozen=True)
class Answer:
    """The gate's word for a moment. `then` is by what had reached us, `hindsight` by everything we know; they differ when news came late."""

    at: datetime
    purpose_key: str
    purpose: govern.Purpose | None
    channel: Channel
    then: Verdict
    hindsight: Verdict
    record: govern.receipts.Record | None
    register: int  #: the version of the register that counted


@dataclass(frozen=True)
class Recipient:
    """One person of a campaign. `message` None person: erased since, so nothing can be asked any more."""

    message: store.Message
    answer: Answer | None

    @property
    def left(self) -> bool:
        """Whether the message was handed to a server."""
        return self.message.state in LEFT

    @property
    def wrong(self) -> bool:
        """Whether it left although nothing allowed it: there must be none."""
        return self.left and self.answer is not None and not self.answer.then.allowed


def could_send(conn: Connection, ws: Workspace, person_id: int, purpose: str, channel: Channel, at: datetime) -> Answer:
    """The as-of question for one person."""
    reader = readers(conn, [person_id], channel if channel in KINDS else Channel.EMAIL)[0]
    return _answers(conn, ws, [reader.subject(reader.address if channel in KINDS else None)], purpose, channel, at)[0]


def recipients(conn: Connection, ws: Workspace, campaign_id: int, *, at: datetime | None = None, before: int | None = None) -> list[Recipient]:
    """A page of a campaign's people, newest first: could we send when we did (or decided), or at the moment given? Raises NotFound."""
    campaign = store.campaign(conn, campaign_id)
    rows = store.messages(conn, PAGE, campaign_id=campaign_id, before=before)
    moments: dict[datetime, list[store.Message]] = {}
    for row in rows:
        if row.address is not None:
            moments.setdefault(at or row.handed_at or row.decided_at, []).append(row)
    found: dict[int, Answer] = {}
    for moment, messages in moments.items():
        known = readers_at(conn, [row.address or "" for row in messages], Channel(campaign.channel))
        asked = [
            reader.subject(row.address) if reader else govern.Subject(row.person_id, (row.identity_id or row.person_id,), row.address)
            for row, reader in zip(messages, known, strict=True)
        ]
        answers = _answers(conn, ws, asked, campaign.purpose, Channel(campaign.channel), moment)
        relied = _relied(conn, ws, [row for row in messages if at is None and row.state in LEFT], moment)
        for row, subject, answer in zip(messages, asked, answers, strict=True):
            if answer.then.reason == "suppressed" and at is None and row.state in LEFT:  # it bounced at the same moment: what held just before?
                answer = _answers(conn, ws, [subject], campaign.purpose, answer.channel, moment - JUST_BEFORE)[0]
            found[row.id] = _resting(answer, relied[row.id]) if row.id in relied and answer.then.reason != "suppressed" else answer
    return [Recipient(row, found.get(row.id)) for row in rows]


def everybody(conn: Connection, ws: Workspace, campaign_id: int, at: datetime | None = None) -> Iterator[Recipient]:
    """All of a campaign's people, page by page."""
    before: int | None = None
    while True:
        page = recipients(conn, ws, campaign_id, at=at, before=before)
        yield from page
        if len(page) < PAGE:
            return
        before = page[-1].message.id


def as_csv(found: Iterable[Recipient]) -> Iterator[str]:
    """Rows of a CSV with the proof and nothing that names a person: no address, network or browser. Cells cannot run as formulas."""
    yield ",".join(COLUMNS) + "\r\n"
    for one in found:
        line = io.StringIO()
        csv.writer(line).writerow([collect.harmless(cell) for cell in _cells(one)])
        yield line.getvalue()


def _cells(one: Recipient) -> list[str]:
    row, answer = one.message, one.answer
    person = f"p{row.person_id}" if row.person_id > 0 else "erased"
    if answer is None:
        return [str(row.id), person, row.state.value, *[""] * (len(COLUMNS) - 3)]
    record, basis = answer.record, answer.purpose.basis.value if answer.purpose else ""
    told = [str(row.id), person, row.state.value, answer.at.isoformat(), "yes" if answer.then.allowed else "no", answer.then.reason]
    told += [answer.purpose_key, basis, answer.channel.value]
    if record is None:
        return [*told, *[""] * 7, str(answer.register), ""]
    words = "" if record.words_match is None else "yes" if record.words_match else "no"
    proof = [str(record.record_id), record.at.isoformat(), record.recorded_at.isoformat(), record.method, record.page, record.notice_version, words]
    return [*told, *proof, str(answer.register), record.link.hex()]


def _answers(conn: Connection, ws: Workspace, asked: Sequence[govern.Subject], purpose: str, channel: Channel, at: datetime) -> list[Answer]:
    then, hindsight = (_gate(conn, ws, gate, asked, (purpose, channel, at)) for gate in (govern.could, govern.allowed))
    held = govern.register.current(conn, at)
    records = govern.receipts.records(conn, [one.record_id for one in then if one.record_id is not None])
    return [
        Answer(at, purpose, held.purposes.get(purpose), channel, one, later, records.get(one.record_id or 0), held.number)
        for one, later in zip(then, hindsight, strict=True)
    ]


def _gate(
    conn: Connection, ws: Workspace, gate: Gate, asked: Sequence[govern.Subject], use: tuple[str, Channel, datetime]
) -> list[Verdict]:
    """What the sender is told, too: who objected to profiling is chosen for no campaign."""
    purpose, channel, at = use
    given = gate(conn, ws.keys, asked, purpose, channel, at)
    return given if purpose == UNCHOSEN else stricter(given, gate(conn, ws.keys, [replace(one, address=None) for one in asked], PROFILING, Channel.NONE, at))


def _relied(conn: Connection, ws: Workspace, rows: Sequence[store.Message], moment: datetime) -> dict[int, govern.receipts.Record]:
    """The decisions that messages rested on, of those that held at the moment and whose people had not objected to profiling then.

    Whoever was joined with them since does not count: they are asked about by what was theirs when the message left.
    """
    records = govern.receipts.records(conn, [row.consent_record_id for row in rows if row.consent_record_id is not None])
    held: dict[int, govern.receipts.Record] = {}
    known = [row for row in rows if row.consent_record_id in records]
    asked = [govern.Subject(row.person_id, (row.person_id, row.identity_id or 0, records[row.consent_record_id or 0].identity_id)) for row in known]
    profiled = {row.id: one.allowed for row, one in zip(known, govern.could(conn, ws.keys, asked, PROFILING, Channel.NONE, moment), strict=True)}
    for row in known:
        one = records[row.consent_record_id or 0]
        if not profiled[row.id] or one.at > moment or one.recorded_at > moment or one.state is not State.GIVEN:
            continue
        if one.identity_id in govern.standing_as_known(conn, [one.identity_id], one.purpose_key, one.channel, moment):
            held[row.id] = one
    return held


def _resting(answer: Answer, record: govern.receipts.Record) -> Answer:
    """What the message rested on when it left, whoever was joined with the person since."""
    return replace(answer, then=Verdict(True, "ok", record.at, record.record_id), record=record)
