"""What comes back about messages: taken from a mailbox, the SMTP listener or a provider, believed by its token, kept once, and told as an event.

    hard bounce      the address goes on the suppression list         soft bounce   kept with its reason, the address stays good
    complaint        suppressed at once                               opt-out       the consent is withdrawn, as by the link
    delivered        an ambiguous message is ambiguous no more        auto-reply, delay, DMARC report    kept, and nothing else
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cegla.activate import store
from cegla.activate.links import withdraw
from cegla.activate.rules import returned as rules
from cegla.activate.rules import returning, tokens
from cegla.activate.rules.bounces import Failure
from cegla.activate.rules.channels import told_as
from cegla.activate.rules.mime import mailbox_of
from cegla.activate.rules.reasons import Reason
from cegla.activate.rules.returned import Kind, Returned
from cegla.activate.store import SQL, Message
from cegla.activate.telling import internal_source
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.messages import MessageState

LARGEST_BYTES = 1_000_000
METHOD_OF = {Channel.SMS: "sms"}
EVENTS = {
    Kind.BOUNCE: returning.BOUNCED,
    Kind.COMPLAINT: returning.COMPLAINED,
    Kind.DELIVERED: returning.DELIVERED,
    Kind.AUTO_REPLY: returning.AUTO_REPLIED,
}


@dataclass(frozen=True)
class TakenBack:
    """What became of a mail that came back. `message_ids` are ours that it is about; none: it was not believed. `again`: it had come before."""

    kind: Kind
    message_ids: tuple[int, ...] = ()
    reason: Reason | None = None
    hard: bool = False
    again: bool = False


def expected(ws: Workspace, mailbox: str) -> bool:
    """Whether mail to this address is taken: it carries a token that was made here. Nothing else is, so strangers cannot fill the store."""
    return bool(messages_named(ws, b"", mailbox))


def messages_named(ws: Workspace, raw: bytes, came_to: str) -> list[int]:
    """The numbers of the messages that genuine tokens in an address, or else in the mail itself, stand for."""
    return list(dict.fromkeys(number for _, number in _genuine(ws.keys, rules.tokens_in(raw, came_to))))


def take_back(ws: Workspace, raw: bytes, came_to: str, way: str = "smtp") -> TakenBack:
    """Take one mail that came back to `came_to`. Any bytes are safe; without a genuine token in the address or the mail nothing happens."""
    now = ws.clock()
    named = _genuine(ws.keys, rules.tokens_in(raw[:LARGEST_BYTES], came_to))
    read = rules.read(raw[:LARGEST_BYTES])
    asks_out = any(kind == rules.UNSUBSCRIBE for kind, _ in named)
    if asks_out and read.kind in (Kind.OTHER, Kind.OPT_OUT):
        read = Returned(Kind.OPT_OUT)
    known = [(message_id, read) for message_id in dict.fromkeys(number for _, number in named)]
    return note_returned(ws, known, sha256(raw).digest(), way, now)


def note_returned(ws: Workspace, known: Sequence[tuple[int, Returned]], digest: bytes, way: str, now: datetime) -> TakenBack:
    """Keep what was said of messages whose numbers are proved, and do what it asks for; all of it or nothing."""
    kind, reason, hard, done = known[0][1].kind if known else Kind.OTHER, None, False, list[int]()
    with ws.transaction() as conn:
        for message_id, read in known:
            found = store.messages(conn, 1, id=message_id)
            if not found or found[0].address is None:
                continue
            row, failure = found[0], read.about(found[0].address)
            reason = failure.reason if failure else (Reason.FEEDBACK if read.kind is Kind.COMPLAINT else None)
            hard = failure is not None and failure.hard and read.kind is Kind.BOUNCE
            if _keep(conn, row.id, digest, (read, failure), way, now):
                _act(ws, conn, row, (read, failure), now)
                done.append(row.id)
    return TakenBack(kind, tuple(done), reason, hard, again=bool(known) and not done)


def _keep(conn: Connection, message_id: int, digest: bytes, said: tuple[Returned, Failure | None], way: str, now: datetime) -> bool:
    read, failure = said
    return bool(
        SQL.keep_returned(
            conn, message_id=message_id, digest=digest, kind=read.kind.value, reason=(failure.reason.value if failure else ""),
            hard=failure is not None and failure.hard, status=failure.status if failure else "", reply=failure.reply if failure else "",
            words=_without_nul(failure.words) if failure else "", way=way, now=now,
        )
    )  # fmt: skip


def _act(ws: Workspace, conn: Connection, row: Message, said: tuple[Returned, Failure | None], now: datetime) -> None:
    read, failure = said
    assert row.address is not None
    channel = Channel(row.channel)
    facts: dict[str, object] = {"campaign_id": row.campaign_id, "campaign": row.campaign}
    match read.kind:
        case Kind.BOUNCE if failure is not None:
            facts |= {"reason": failure.reason.value, "hard": failure.hard, "status": failure.status}
            SQL.note_bounce(conn, id=row.id, bounce="hard" if failure.hard else "soft", returned=failure.reason.value, now=now)
            if failure.hard:
                govern.suppress(conn, ws.keys, row.address, channel, "bounced", now)
        case Kind.COMPLAINT:
            SQL.note_complaint(conn, id=row.id, now=now)
            govern.suppress(conn, ws.keys, row.address, channel, "complained", now)
        case Kind.OPT_OUT:
            withdraw(ws, conn, row, METHOD_OF.get(channel, "mail"), now)
        case Kind.DELIVERED if row.state is MessageState.AMBIGUOUS:
            SQL.end_message(conn, id=row.id, state=MessageState.SENT.value, reason=None, reply="delivered", now=now)
        case _:
            pass
    if read.kind in (Kind.BOUNCE, Kind.COMPLAINT):
        sender = store.campaign(conn, row.campaign_id).sender or (ws.settings.smtp.sender if channel is Channel.EMAIL else "")
        counted = {"bounced": int(read.kind is Kind.BOUNCE), "complained": int(read.kind is Kind.COMPLAINT)}
        domain = mailbox_of(sender)[1].rpartition("@")[2].lower()
        SQL.count_back(conn, day=now.date(), domain=domain, destination=store.place_of(row.address, channel), **counted)
    if read.kind in EVENTS:
        told = returning.event(told_as(EVENTS[read.kind], channel), row.id, returning.whose(row.address, channel), now, facts)
        collect.write_down(conn, internal_source(conn, now), returning.requests([told]), now)


def _genuine(keys: Keys, found: Sequence[tuple[str, str]]) -> list[tuple[str, int]]:
    """Those of the tokens that were made here, as kind and message."""
    proved: list[tuple[str, int]] = []
    for kind, text in found:
        read = tokens.read(text) if kind == "link" else tokens.heard(text)
        if read is None:
            continue
        signed = read.content if kind == "link" else tokens.number(read.message_id)
        purpose = tokens.UNSUBSCRIBE if kind == "link" else tokens.RETURN + kind
        if keys.genuine(purpose, signed, read.signature):
            proved.append((kind, read.message_id))
    return proved


def _without_nul(words: str) -> str:
    return words.replace("\0", "").encode("utf-8", "replace").decode()
