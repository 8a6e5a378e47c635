"""Handing messages over: at the pace that was set, as fast as the machine allows, and so that a crash at any point doubles nothing.

    due rows ──► gate ──► rendered, signed ──► a group: one commit ──► mailer ──► outcomes, with the next group's commit

A group's rows are `handing_off` in the database before the first byte of any of them leaves, and what the servers said is kept with the
commit of the next group. Whoever dies in between leaves at most `IN_FLIGHT` rows behind; the next round reports them as ambiguous.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cegla.activate import browsers, carriers, store
from cegla.activate.audience import Reader, readers_at, verdicts_on
from cegla.activate.channels.post import Carrier, Post
from cegla.activate.lanes import Lanes
from cegla.activate.letters import Composed, Occasion, Writer
from cegla.activate.links import tell_clicks
from cegla.activate.outlet import Outlet
from cegla.activate.rules import pace
from cegla.activate.rules.audience import refused_by
from cegla.activate.rules.channels import KINDS, deliverable
from cegla.activate.rules.contact import FREE, Limits, opens_at
from cegla.activate.rules.destinations import wish_of
from cegla.activate.rules.dialog import Letter, Outcome
from cegla.activate.rules.mime import Unsigned, mailbox_of, signed
from cegla.activate.rules.replies import Meaning, Reply, meaning
from cegla.activate.signing import Ticket
from cegla.activate.single import UNKNOWN_FOR
from cegla.activate.store import SQL
from cegla.activate.telling import tell
from cegla.govern import actions as govern
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel, Verdict
from cegla.vocabulary.errors.messages import HeaderRefused, TemplateInvalid
from cegla.vocabulary.messages import MessageState, SkipReason

AT_ONCE = 480  #: rows whose people are looked up and asked for at once
GROUP = 30  #: letters of one commit
IN_FLIGHT = 60  #: letters that may be with the servers at a time
FRESH = timedelta(seconds=10)  #: so long the gate's word holds; a slow server makes the rest of a batch be asked for anew
ON_THE_WAY = timedelta(seconds=2)  #: until a message to somebody not known yet is looked at again
WHOLE_INSTALLATION = "all"
SERVICE = "service"  #: messages a contract needs: nothing to unsubscribe from


@dataclass(frozen=True)
class Progress:
    """What one round did, by state and skip reason; `more`: another round has work at once; `trouble`: what the mail server said."""

    counts: dict[str, int]
    more: bool
    trouble: str | None = None


class Due(NamedTuple):
    """An outbox row that may be handed over."""

    id: int
    person_id: int
    identity_id: int | None
    address: str
    version: int
    attempts: int
    decided_at: datetime
    destination: str
    given: dict[str, Any] | None = None


class Sending(NamedTuple):
    """A campaign at work."""

    id: int
    name: str
    purpose: str
    sender: str
    messages_per_minute: int | None
    failures: int
    cap: int
    priority: int
    offer: str
    offer_days: int
    launched_at: datetime
    single: bool = False  #: a template: its messages are asked for one by one
    channel: Channel = Channel.EMAIL


class Asked(NamedTuple):
    """An outbox row whose person may get it, and what its template may say."""

    row: Due
    fields: dict[str, Any]
    verdict: Verdict
    tracked: bool
    identities: Sequence[int]


class Ready(NamedTuple):
    """A letter that is written, and what it rests on; of an e-mail `unsigned` is all but its signatures, and `letter` gets its content with them."""

    row: Due
    letter: Letter
    verdict: Verdict
    tracked: bool
    identities: Sequence[int]
    unsigned: Unsigned | None = None


class Ended(NamedTuple):
    """What became of a message: `reason` is a SkipReason, or hard or soft for a bounce."""

    row: Due
    state: MessageState
    reason: str | None = None
    reply: str | None = None
    returned: str | None = None


class PutOff(NamedTuple):
    """A message that is tried again later."""

    row: Due
    attempts: int
    due_at: datetime
    reply: str | None


class Round:
    """One round of the only sender, on one connection."""

    def __init__(self, ws: Workspace, conn: Connection, outlet: Outlet, now: datetime) -> None:
        self.ws, self.conn, self.outlet, self.now = ws, conn, outlet, now
        self.counts: Counter[str] = Counter()
        self.trouble: str | None = None
        self.more = False
        self.lanes = Lanes(conn, now, outlet.buckets)
        self.flying: dict[int, Due] = {}
        self.ended: list[Ended] = []
        self.later: list[PutOff] = []
        self.asked = govern.ledger.NOTHING  #: how far the ledger was when the gate was asked
        self.came_back = 0  #: letters no server took; the campaign waits
        self.carrier: Carrier = outlet.mailer
        self.heard: dict[Channel, str] = {}  #: the trouble of each channel: one that is away holds no other up

    def run(self) -> Progress:
        """Report what an earlier sender left, then serve every campaign that is due."""
        self.report_interrupted()
        for row in list(SQL.due_campaigns(self.conn, now=self.now)):
            self.now = self.lanes.now = max(self.now, self.ws.clock())  # the gate is asked about this moment, not that of the campaigns before
            campaign = Sending(*row)
            self.serve(campaign._replace(channel=Channel(campaign.channel)))
        self.tell()
        trouble = next(iter(self.heard.values()), None)
        return Progress(dict(self.counts), self.more and trouble is None, trouble)

    def report_interrupted(self) -> None:
        """What was being handed over when the sender ended: nobody knows, so it is said, and never sent again."""
        left = SQL.interrupted(self.conn, now=self.now)
        self.counts.update({MessageState.AMBIGUOUS.value: left} if left else {})
        self.conn.commit()

    def serve(self, campaign: Sending) -> None:
        """Hand over the next messages of one campaign, as many as its pace, the installation's and the destinations' allow."""
        self.carrier = self.outlet.carrier(self.conn, campaign.channel)
        self.carrier.now = self.now
        self.trouble = self.heard.get(campaign.channel)
        sender = campaign.sender or (self.ws.settings.smtp.sender if campaign.channel is Channel.EMAIL else "")
        allowance = self.allowance(campaign)
        self.lanes.open(sender)
        due = self.due(campaign, allowance)
        writer = Writer(self.ws, self.conn, self.outlet.renderer)
        used, asked = 0, self.people_of(campaign, due, writer)
        for group in self.groups(campaign, writer, asked, sender):
            used += self.hand_over(campaign, group)
            if self.trouble is not None or self.ws.clock() - self.now > FRESH:
                break
        self.land(campaign, 0)
        if self.trouble is not None:
            self.heard[campaign.channel] = self.trouble
        self.settle(campaign, used, more_due=bool(due) and used < allowance)

    def due(self, campaign: Sending, allowance: int) -> list[Due]:
        """The next rows whose places may get something now; none when all there is must wait."""
        most = min(AT_ONCE, allowance)
        found = store.due(self.conn, campaign.id, self.now, most, self.lanes.closed) if most else []
        known = [due if due.destination else due._replace(destination=store.place_of(due.address, campaign.channel)) for due in (Due(*row) for row in found)]
        alike = [row for row in known if row.version == known[0].version]
        return [row for row in alike if self.lanes.admit(row.destination)]

    def people_of(self, campaign: Sending, due: Sequence[Due], writer: Writer) -> list[Asked]:
        """Ask the gate about everybody at once; who may get nothing is skipped, and of two addresses of one person the second waits."""
        self.asked = govern.ledger.mark(self.conn, self.now)
        readers = readers_at(self.conn, [row.address for row in due], campaign.channel)
        known = [reader for reader in readers if reader is not None]
        uses = (campaign.purpose, campaign.channel), (KINDS[campaign.channel].tracking, campaign.channel)
        both = verdicts_on(self.ws, self.conn, known, uses, self.now)
        verdict, tracked = (dict(zip((reader.address for reader in known), given, strict=True)) for given in both)
        limits, own = FREE if campaign.single else store.limits(self.conn, campaign), self.ws.settings.zone
        fields, met = self.fields(campaign, due, known, writer), {} if campaign.single else self.met(campaign, known, limits)
        asked: list[Asked] = []
        seen = set[int]()
        for row, reader in zip(due, readers, strict=True):
            if reader is None and campaign.single and self.now < row.decided_at + UNKNOWN_FOR:
                self.later.append(PutOff(row, row.attempts, self.now + ON_THE_WAY, None))
                continue  # the person is on the way through the inbox
            reason = SkipReason.NOT_MATCHING_ANY_MORE if reader is None else refused_by(verdict[row.address]) or met.get(reader.person_id)
            if reader is None or reason is not None:
                self.ended.append(Ended(row, MessageState.SKIPPED, reason.value if reason else None))
            elif (opens := opens_at(limits, self.now, reader.place.zone or own)) > self.now:
                self.later.append(PutOff(row, row.attempts, opens, None))
            elif reader.person_id in seen and not campaign.single:
                continue  # the next round sees what became of the first
            else:
                seen.add(reader.person_id)
                asked.append(Asked(row, fields[reader.person_id], verdict[row.address], tracked[row.address].allowed, reader.identity_ids))
        if campaign.single:
            store.attach(self.conn, [(row.id, reader.person_id, reader.identity_id) for row, reader in zip(due, readers, strict=True) if reader is not None])
        return asked

    def fields(self, campaign: Sending, due: Sequence[Due], known: Sequence[Reader], writer: Writer) -> dict[int, dict[str, Any]]:
        """What the campaign's templates may say of each person; nothing when a template is broken, which each message will say."""
        found: dict[int, dict[str, Any]] = {reader.person_id: {} for reader in known}
        for version in sorted({row.version for row in due}):
            try:
                read = writer.fields(known, Occasion(campaign.id, campaign.name, version, campaign.sender))
            except TemplateInvalid:
                continue
            for person, fields in read.items():
                found[person] |= fields
        return found

    def met(self, campaign: Sending, known: Sequence[Reader], limits: Limits) -> dict[int, SkipReason]:
        """Whom this campaign reached at another address, or others too often: people who were joined, or written to, after it had been launched."""
        people = {reader.person_id: reader.identity_ids for reader in known}
        asked = {reader.person_id: store.Met(reader.identity_ids, reader.place.zone or self.ws.settings.zone) for reader in known}
        ruled = campaign.cap or limits.per_day or campaign.offer
        counts = store.contacts(self.conn, asked, store.Question.of(campaign, self.now), self.now) if ruled else {}
        refused = {person: one.reason(campaign.cap, limits.per_day, waiting=False) for person, one in counts.items()}
        capped = {person: reason for person, reason in refused.items() if reason is not None}
        return capped | dict.fromkeys(store.given(self.conn, people, campaign.id), SkipReason.GOT_IT_ELSEWHERE)

    def groups(self, campaign: Sending, writer: Writer, asked: Sequence[Asked], sender: str) -> Iterator[list[Ready]]:
        """The letters, group by group: one is signed while the next is written."""
        signatory = self.outlet.signatory
        before: tuple[list[Ready], Ticket] | None = None
        for start in range(0, len(asked), GROUP):
            group = self.written(campaign, writer, asked[start : start + GROUP], sender)
            ticket = signatory.begin([wanted for one in group if one.unsigned is not None for wanted in one.unsigned.wanted])
            if before is not None:
                yield whole(before[0], signatory.finish(before[1]))
            before = group, ticket
        if before is not None:
            yield whole(before[0], signatory.finish(before[1]))

    def written(self, campaign: Sending, writer: Writer, group: Sequence[Asked], sender: str) -> list[Ready]:
        """The letters of a group, of each variant together; a template that fails for a person costs that message and no other."""
        versions = sorted({one.row.version for one in group})
        return [ready for version in versions for ready in self.alike(campaign, writer, [one for one in group if one.row.version == version], sender)]

    def alike(self, campaign: Sending, writer: Writer, group: Sequence[Asked], sender: str) -> list[Ready]:
        """The letters of one content."""
        occasions = [
            Occasion(
                campaign.id, campaign.name, one.row.version, campaign.sender, one.row.id, one.tracked,
                campaign.purpose != SERVICE and campaign.channel is Channel.EMAIL, one.row.given,
            )
            for one in group
        ]
        ready: list[Ready] = []
        for one, occasion, made in zip(group, occasions, writer.compose(occasions, [one.fields for one in group]), strict=True):
            try:
                if isinstance(made, TemplateInvalid):
                    raise made
                letter, unsigned = self.letter(campaign, writer, (occasion, made), one.row, sender)
            except (TemplateInvalid, HeaderRefused) as error:
                self.ended.append(Ended(one.row, MessageState.SKIPPED, SkipReason.RENDERING_FAILED.value, error.say("en")))
                continue
            ready.append(Ready(one.row, letter, one.verdict, one.tracked, one.identities, unsigned))
        return ready

    def letter(self, campaign: Sending, writer: Writer, written: tuple[Occasion, Composed], row: Due, sender: str) -> tuple[Letter, Unsigned | None]:
        """What one person is handed by the campaign's channel; of an e-mail the content comes with its signatures. Raises HeaderRefused, TemplateInvalid."""
        occasion, made = written
        if campaign.channel is not Channel.EMAIL:
            return Letter(row.id, sender, row.address, writer.short(occasion, made, campaign.channel), row.destination), None
        unsigned = writer.unsigned(occasion, made, row.address, self.now)
        envelope = writer.mailbox(row.id) or mailbox_of(sender)[1]
        return Letter(row.id, envelope, deliverable(row.address) or row.address, b""), unsigned

    def hand_over(self, campaign: Sending, group: Sequence[Ready]) -> int:
        """Commit that these are being handed over, together with what became of those before, and let them leave. Returns how many left."""
        self.land(campaign, max(0, IN_FLIGHT - len(group)))
        if self.trouble is not None:
            return 0
        passing("send: before the hand-off")
        self.keep()
        touched = self.touched(campaign, group)
        self.more = self.more or bool(touched)
        group = [one for one in group if one.row.id not in touched]  # they said something since the gate was asked: the next round asks again
        begun = store.begin_hand_off(self.conn, [(one.row.id, one.tracked, one.verdict) for one in group], self.now)
        self.conn.commit()
        passing("send: after the hand-off began")
        leaving = [one for one in group if one.row.id in begun]
        self.flying |= {one.row.id: one.row for one in leaving}
        self.carrier.submit([one.letter for one in leaving])
        return len(leaving)

    def touched(self, campaign: Sending, group: Sequence[Ready]) -> set[int]:
        """The messages of a group whose people said something, or whose address was suppressed, since the gate was asked."""
        told = govern.ledger.touched(self.conn, {one.row.id: one.identities for one in group}, self.asked)
        if govern.ledger.anybody_suppressed(self.conn, self.asked):
            addresses = [one.row.address for one in group]
            listed = govern.suppressed_for(self.conn, self.ws.keys, addresses, campaign.channel, self.ws.clock(), self.asked.at)
            purpose = govern.register.purposes(self.conn).get(campaign.purpose)
            told |= {one.row.id for one in group if purpose is None or purpose.is_stopped_by(listed.get(one.row.address, ()))}
        return told

    def land(self, campaign: Sending, most: int) -> None:
        """Take in what became of letters, until at most so many are on the way."""
        outcomes = self.carrier.outcomes
        while self.flying and (len(self.flying) > most or not outcomes.empty()):
            outcome = outcomes.get()
            row = self.flying.pop(outcome.letter.key, None)
            if row is not None:  # not of a sender before, who was interrupted
                self.landed(row, campaign, outcome)
        if most == 0:
            passing("send: after the content")
            self.keep()
            if self.came_back:
                self.server_away(campaign)
            SQL.landed(self.conn)
            self.lanes.write_down()
            self.conn.commit()
            passing("send: after the answer was kept")

    def landed(self, row: Due, campaign: Sending, outcome: Outcome) -> None:
        """Do what an outcome asks for."""
        reply = outcome.reply
        if outcome.unanswered:
            self.ended.append(Ended(row, MessageState.AMBIGUOUS, reply="the connection ended before the reply"))
        elif reply is None:
            self.later.append(PutOff(row, row.attempts, self.now, None))
            self.came_back += 1
            self.trouble = self.carrier.refused().say(self.ws.settings.language)
        else:
            self.answered(row, campaign, reply)

    def answered(self, row: Due, campaign: Sending, reply: Reply) -> None:
        """Do what a reply asks for."""
        said = f"{reply.code} {reply.text}"
        wish = wish_of(reply, self.now)
        if wish is not None:  # it speaks of everything that goes there, and this message is not to blame
            self.lanes.heed(row.destination, wish, said)
            self.later.append(PutOff(row, row.attempts, wish.until if wish.stop else pace.next_minute(self.now), said))
            return
        match meaning(reply):
            case Meaning.ACCEPTED:
                if campaign.failures:
                    SQL.server_back(self.conn, id=campaign.id)
                self.ended.append(Ended(row, MessageState.SENT, reply=said))
            case Meaning.HARD:
                self.dead(row, campaign)
                self.ended.append(Ended(row, MessageState.BOUNCED, "hard", said, reply.reason.value))
            case Meaning.SOFT:
                self.ended.append(Ended(row, MessageState.BOUNCED, "soft", said, reply.reason.value))
            case Meaning.RETRY:
                due_at = pace.next_try(row.attempts + 1, self.now)
                if due_at is None:
                    self.ended.append(Ended(row, MessageState.FAILED, reply=said))
                else:
                    self.later.append(PutOff(row, row.attempts + 1, due_at, said))
            case Meaning.SERVER:
                self.later.append(PutOff(row, row.attempts, self.now, said))
                if self.carrier.trouble:
                    self.came_back += 1
                    self.trouble = said

    def dead(self, row: Due, campaign: Sending) -> None:
        """The address is no more: it is never written to again. A browser that is gone is forgotten, and the person's other ones stay."""
        if campaign.channel is Channel.PUSH:
            browsers.forget(self.conn, row.address)
        else:
            govern.suppress(self.conn, self.ws.keys, row.address, campaign.channel, "bounced", self.now)

    def keep(self) -> None:
        """Write down what became of messages; the caller commits."""
        if isinstance(self.carrier, Post):
            store.keep_numbers(self.conn, self.carrier.numbers)
        if self.ended:
            store.end_messages(self.conn, [(one.row.id, one.state.value, one.reason, one.reply, one.returned) for one in self.ended], self.now)
            self.counts.update(one.reason or one.state.value for one in self.ended)
        if self.later:
            store.put_off(self.conn, [(one.row.id, one.attempts, one.reply, one.due_at) for one in self.later])
            self.counts["put_off"] += len(self.later)
        self.lanes.count(
            [(one.row.destination, one.state) for one in self.ended if one.state is not MessageState.SKIPPED],
            [one.row.destination for one in self.later if one.reply is not None],
        )
        self.ended.clear()
        self.later.clear()

    def server_away(self, campaign: Sending) -> None:
        """The campaign stays as it is and tries again later."""
        self.came_back = 0
        SQL.server_away(self.conn, id=campaign.id, trouble=self.trouble, retry_at=pace.server_retry(campaign.failures + 1, self.now))

    def tell(self) -> None:
        """Let what became of messages into the inbox as events."""
        self.more = tell(self.conn, self.now) or self.more
        tell_clicks(self.conn, self.ws.settings.zone, self.now)

    def allowance(self, campaign: Sending) -> int:
        """How many messages may go now."""
        key, speed = self.whole(campaign)
        installation = pace.refilled(store.bucket(self.conn, key), speed, self.now)
        own = pace.refilled(store.bucket(self.conn, str(campaign.id)), self.speed(campaign), self.now)
        return max(0, int(min(installation.tokens, own.tokens)))

    def speed(self, campaign: Sending) -> int:
        """Messages per minute of a campaign."""
        return campaign.messages_per_minute or self.whole(campaign)[1]

    def whole(self, campaign: Sending) -> tuple[str, int]:
        """The bucket that all campaigns of a channel share, and its messages per minute."""
        if campaign.channel is Channel.EMAIL:
            return WHOLE_INSTALLATION, self.ws.settings.smtp.messages_per_minute
        return campaign.channel.value, carriers.speed_of(self.conn, campaign.channel)

    def settle(self, campaign: Sending, used: int, *, more_due: bool) -> None:
        """Pay for what was handed over; end the campaign when nothing waits."""
        for key, speed in (self.whole(campaign), (str(campaign.id), self.speed(campaign))):
            bucket = pace.refilled(store.bucket(self.conn, key), speed, self.now)
            SQL.set_bucket(self.conn, key=key, tokens=bucket.tokens - used, at=bucket.at)
        self.lanes.close()
        if not campaign.single and not SQL.waiting(self.conn, campaign_id=campaign.id):
            SQL.set_state(self.conn, id=campaign.id, state="sent", finished_at=self.now)
        elif more_due:
            self.more = True
        self.conn.commit()


def whole(group: Sequence[Ready], made: Sequence[bytes]) -> list[Ready]:
    """The group with its signatures, `made` in the order of its letters."""
    left = iter(made)
    return [
        one if one.unsigned is None
        else one._replace(letter=one.letter._replace(content=signed(one.unsigned, [next(left) for _ in one.unsigned.wanted])), unsigned=None)
        for one in group
    ]  # fmt: skip


def deliver_round(ws: Workspace, now: datetime, outlet: Outlet, first: Callable[[Workspace, Connection, Outlet], object]) -> Progress:
    """One round, unless another sender is at work; `first` sends what goes before campaigns."""
    with ws.pool.connection() as conn:
        if not SQL.become_only_sender(conn):
            return Progress({}, more=False)
        try:
            first(ws, conn, outlet)
            return Round(ws, conn, outlet, now).run()
        finally:
            conn.rollback()
            SQL.let_others_send(conn)
            conn.commit()
