"""Handing messages over: a few at a time, at the pace that was set, and so that a crash at any point doubles nothing.

For one message the order is: ask the gate again, render, wait for the server to want the content, commit `handing_off`, send,
commit what the server said. Whoever dies in between leaves `handing_off` behind, and the next round reports it as ambiguous.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

from cegla.activate import store
from cegla.activate.audience import Reader, readers_at, verdicts
from cegla.activate.channels.email import Mailer, Unanswered
from cegla.activate.letters import Occasion, Writer
from cegla.activate.renderer import Renderer
from cegla.activate.rules import pace, returning
from cegla.activate.rules.audience import deliverable, refused_by
from cegla.activate.rules.replies import Meaning, Reply, meaning
from cegla.activate.store import SQL
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis, Channel, Verdict
from cegla.vocabulary.errors import MailServerRefused, TemplateInvalid
from cegla.vocabulary.messages import MessageState, SkipReason

AT_ONCE = 50
TOLD_AT_ONCE = 5_000
WHOLE_INSTALLATION = "all"
SERVICE = "service"  #: messages a contract needs: nothing to unsubscribe from
TOLD_AS = {
    MessageState.SENT: returning.SENT,
    MessageState.BOUNCED: returning.BOUNCED,
    MessageState.SKIPPED: returning.SKIPPED,
    MessageState.AMBIGUOUS: returning.AMBIGUOUS,
    MessageState.FAILED: returning.FAILED,
}


@dataclass(frozen=True)
class Progress:
    """What one round did, by state and skip reason; `more`: another round has work at once; `trouble`: what the mail server said."""

    counts: dict[str, int]
    more: bool
    trouble: str | None = None


class Outlet:
    """What a sender keeps open between rounds: the template worker and the connection to the mail server."""

    def __init__(self, ws: Workspace) -> None:
        self.renderer = Renderer()
        self.mailer = Mailer(ws.settings.smtp)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give both back."""
        self.renderer.close()
        self.mailer.close()


class Due(NamedTuple):
    """An outbox row that may be handed over."""

    id: int
    person_id: int
    identity_id: int | None
    address: str
    version: int
    attempts: int
    decided_at: datetime


class Sending(NamedTuple):
    """A campaign at work."""

    id: int
    name: str
    purpose: str
    sender: str
    messages_per_minute: int | None
    failures: int
    cap: int


class Round:
    """One round of the only sender, on one connection. Everything is committed as soon as it is true."""

    def __init__(self, ws: Workspace, conn: Connection, outlet: Outlet, now: datetime) -> None:
        self.ws, self.conn, self.outlet, self.now = ws, conn, outlet, now
        self.counts: Counter[str] = Counter()
        self.trouble: str | None = None
        self.more = False

    def run(self) -> Progress:
        """Report what an earlier sender left, then serve every campaign that is due."""
        self.report_interrupted()
        for row in SQL.due_campaigns(self.conn, now=self.now):
            self.serve(Sending(*row))
        self.tell()
        return Progress(dict(self.counts), self.more and self.trouble is None, self.trouble)

    def report_interrupted(self) -> None:
        """What was being handed over when the sender ended: nobody knows, so it is said, and never sent again."""
        left = SQL.interrupted(self.conn, now=self.now)
        self.counts.update({MessageState.AMBIGUOUS.value: left} if left else {})
        self.conn.commit()

    def serve(self, campaign: Sending) -> None:
        """Hand over the next messages of one campaign, as many as its pace and the installation's allow."""
        allowance = self.allowance(campaign)
        due = [Due(*row) for row in SQL.due_messages(self.conn, campaign_id=campaign.id, now=self.now, most=min(AT_ONCE, allowance))]
        readers = readers_at(self.conn, [row.address for row in due])
        known = [reader for reader in readers if reader is not None]
        verdict = dict(zip((reader.address for reader in known), verdicts(self.ws, self.conn, known, campaign.purpose, self.now), strict=True))
        tracked = dict(zip((reader.address for reader in known), verdicts(self.ws, self.conn, known, "email_tracking", self.now), strict=True))
        writer = Writer(self.ws, self.conn, self.outlet.renderer)
        fields = writer.fields(known)
        met = self.met(campaign, known)
        used, handed = 0, set[int]()
        for row, reader in zip(due, readers, strict=True):
            reason = SkipReason.NOT_MATCHING_ANY_MORE if reader is None else refused_by(verdict[row.address]) or met.get(reader.person_id)
            if reader is None or reason is not None:
                self.end(row, MessageState.SKIPPED, reason=reason.value if reason else None)
                continue
            if reader.person_id in handed:  # a second address of one person: the next round sees what became of the first
                continue
            used += 1
            handed.add(reader.person_id)
            occasion = Occasion(campaign.id, campaign.name, row.version, campaign.sender, row.id, tracked[row.address].allowed, campaign.purpose != SERVICE)
            self.hand_over(row, campaign, writer, occasion, (fields[reader.person_id], verdict[row.address]))
            if self.trouble is not None:
                break
        self.settle(campaign, allowance, used, bool(due))

    def met(self, campaign: Sending, known: Sequence[Reader]) -> dict[int, SkipReason]:
        """Whom this campaign reached at another address, or others too often: people who were joined after it had been launched."""
        people = {reader.person_id: reader.identity_ids for reader in known}
        counts = store.recent(self.conn, people, campaign.id, self.now, waiting=False) if campaign.cap else {}
        capped = {person: SkipReason.CAPPED for person, number in counts.items() if number >= campaign.cap}
        return capped | dict.fromkeys(store.given(self.conn, people, campaign.id), SkipReason.GOT_IT_ELSEWHERE)

    def hand_over(self, row: Due, campaign: Sending, writer: Writer, occasion: Occasion, known: tuple[dict[str, Any], Verdict]) -> None:
        """Give one message to the mail server, and keep what it said."""
        fields, verdict = known
        try:
            content = writer.letter(occasion, writer.render(occasion, fields), row.address, self.now)
        except TemplateInvalid as error:
            self.end(row, MessageState.SKIPPED, reason=SkipReason.RENDERING_FAILED.value, reply=error.say("en"))
            return
        self.conn.commit()  # the links in the message, before the server waits

        def begin() -> bool:
            passing("send: before the hand-off")
            begun = SQL.begin_hand_off(
                self.conn, id=row.id, now=self.now, tracked=occasion.tracked, consent_record_id=verdict.record_id, consent_at=verdict.decided_at
            )
            self.conn.commit()
            passing("send: after the hand-off began")
            return begun == 1

        try:
            envelope = writer.mailbox(row.id) or campaign.sender or self.ws.settings.smtp.sender
            reply = self.outlet.mailer.hand_off(envelope, deliverable(row.address) or row.address, content, begin)
        except MailServerRefused as error:
            self.server_away(campaign, error.say(self.ws.settings.language))
        except Unanswered as error:
            self.end(row, MessageState.AMBIGUOUS, reply=str(error))
        else:
            if reply is not None:
                passing("send: after the content")
                self.answered(row, campaign, reply)
                passing("send: after the answer was kept")

    def answered(self, row: Due, campaign: Sending, reply: Reply) -> None:
        """Do what a reply asks for."""
        said = f"{reply.code} {reply.text}"
        match meaning(reply):
            case Meaning.ACCEPTED:
                if campaign.failures:
                    SQL.server_back(self.conn, id=campaign.id)
                self.end(row, MessageState.SENT, reply=said)
            case Meaning.HARD:
                govern.suppress(self.conn, self.ws.keys, row.address, Channel.EMAIL, "bounced", self.now)
                self.end(row, MessageState.BOUNCED, reason="hard", reply=said)
            case Meaning.SOFT:
                self.end(row, MessageState.BOUNCED, reason="soft", reply=said)
            case Meaning.RETRY:
                due_at = pace.next_try(row.attempts + 1, self.now)
                if due_at is None:
                    self.end(row, MessageState.FAILED, reply=said)
                else:
                    self.put_off(row, row.attempts + 1, due_at, said)
            case Meaning.SERVER:
                self.put_off(row, row.attempts, self.now, said)
                self.server_away(campaign, said)

    def put_off(self, row: Due, attempts: int, due_at: datetime, said: str) -> None:
        """Try a message again later."""
        SQL.put_off(self.conn, id=row.id, attempts=attempts, reply=said, due_at=due_at)
        self.counts["put_off"] += 1
        self.conn.commit()

    def server_away(self, campaign: Sending, said: str) -> None:
        """The campaign stays as it is and tries again later."""
        SQL.server_away(self.conn, id=campaign.id, trouble=said, retry_at=pace.server_retry(campaign.failures + 1, self.now))
        self.conn.commit()
        self.trouble = said

    def end(self, row: Due, state: MessageState, *, reason: str | None = None, reply: str | None = None) -> None:
        """Keep what became of a message: `reason` is a SkipReason, or hard or soft for a bounce."""
        SQL.end_message(self.conn, id=row.id, state=state.value, reason=reason, reply=reply, now=self.now)
        self.counts[reason or state.value] += 1
        self.conn.commit()

    def tell(self) -> None:
        """Let what became of messages into the inbox as events. Marking and telling are one transaction, so each is told once."""
        told = list(SQL.tell(self.conn, most=TOLD_AT_ONCE))
        events = [
            returning.event(TOLD_AS[MessageState(state)], number, address, at, dict(zip(("campaign_id", "campaign", "purpose", "reason"), facts, strict=True)))
            for number, *facts, address, state, at in told
            if address is not None
        ]
        if events:
            collect.write_down(self.conn, internal_source(self.conn, self.now), returning.requests(events), self.now)
            passing("tell: before the commit")
        self.more = self.more or len(told) == TOLD_AT_ONCE
        self.conn.commit()
        if events:
            passing("tell: after the commit")

    def allowance(self, campaign: Sending) -> int:
        """How many messages may go now."""
        installation = pace.refilled(store.bucket(self.conn, WHOLE_INSTALLATION), self.ws.settings.smtp.messages_per_minute, self.now)
        own = pace.refilled(store.bucket(self.conn, str(campaign.id)), self.speed(campaign), self.now)
        return int(min(installation.tokens, own.tokens))

    def speed(self, campaign: Sending) -> int:
        """Messages per minute of a campaign."""
        return campaign.messages_per_minute or self.ws.settings.smtp.messages_per_minute

    def settle(self, campaign: Sending, allowance: int, used: int, any_due: bool) -> None:
        """Pay for what was handed over; end the campaign when nothing waits."""
        for key, speed in ((WHOLE_INSTALLATION, self.ws.settings.smtp.messages_per_minute), (str(campaign.id), self.speed(campaign))):
            bucket = pace.refilled(store.bucket(self.conn, key), speed, self.now)
            SQL.set_bucket(self.conn, key=key, tokens=bucket.tokens - used, at=bucket.at)
        if not SQL.waiting(self.conn, campaign_id=campaign.id):
            SQL.set_state(self.conn, id=campaign.id, state="sent", finished_at=self.now)
        elif any_due and used < allowance:
            self.more = True
        self.conn.commit()


def deliver_round(ws: Workspace, now: datetime, outlet: Outlet) -> Progress:
    """One round, unless another sender is at work."""
    with ws.pool.connection() as conn:
        if not SQL.become_only_sender(conn):
            return Progress({}, more=False)
        try:
            return Round(ws, conn, outlet, now).run()
        finally:
            conn.rollback()
            SQL.let_others_send(conn)
            conn.commit()


def internal_source(conn: Connection, now: datetime) -> int:
    """The source that what happens to messages comes back through."""
    source, _ = collect.add_source(conn, returning.SOURCE, returning.KIND, Basis.CONTRACT, now)
    return source.id
