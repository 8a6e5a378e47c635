"""What gateways tell later: whether a message arrived, that its reader complained or wants no more, and the replies people write.

    secret address ─► signed as the provider signs? ─► rows as data ─► our key, or the provider's number ─► what mail that came back does, too

Believed is what comes to the secret address and proves itself by the provider's own scheme. A receipt acts once, however often it comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cegla.activate import carriers, store
from cegla.activate.audience import readers_at
from cegla.activate.links import stop_channel
from cegla.activate.returns import TakenBack, note_returned
from cegla.activate.rules import gateways, returning, sms
from cegla.activate.rules.bounces import Failure
from cegla.activate.rules.channels import told_as
from cegla.activate.rules.reasons import Evidence, is_hard, reason_of
from cegla.activate.rules.returned import Kind, Returned
from cegla.activate.store import SQL
from cegla.activate.telling import internal_source
from cegla.collect import actions as collect
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.channels import ReceiptRefused
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.text import Text

LARGEST_BYTES = 1_000_000
KIND_OF: dict[gateways.State, Kind] = {
    "delivered": Kind.DELIVERED, "failed": Kind.BOUNCE, "delayed": Kind.DELAY, "complained": Kind.COMPLAINT, "opted_out": Kind.OPT_OUT,
}  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A request of a provider: what stands in its address, its headers (names in lower case), its body."""

    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


def take(ws: Workspace, token: str, told: Told) -> str:
    """Take what a provider tells; returns what it wants to read. Raises NotFound for an address that is none of ours, ReceiptRefused without a proof."""
    now = ws.clock()
    with ws.transaction() as conn:
        found = carriers.named_by(conn, ws.keys, token)
        if found is None:
            raise NotFound(where="receipts", thing=Text("ten adres", "this address"))
        own, secrets = found
        refusal = collect.proved(own.row.receipts.scheme, collect.Secrets(secrets.receipts), told.headers, told.body, now.timestamp())
        if refusal is not None:
            raise ReceiptRefused(where=own.provider, detail=collect.REFUSALS[refusal])
        rows = gateways.receipts(own.row, told.query, told.body[:LARGEST_BYTES], told.headers.get("content-type", ""))
        replies = [row for row in rows if row.text]
        for row in replies:
            _reply(ws, conn, own.channel, row, now)
        known = {row: _message(conn, ws, own.channel, row) for row in rows if not row.text and row.state in KIND_OF}
    for row, message_id in known.items():
        if message_id is not None:
            _note(ws, own, message_id, row, now)
    return own.row.receipts.answer


def _note(ws: Workspace, own: carriers.Gateway, message_id: int, row: gateways.Receipt, now: datetime) -> TakenBack:
    """What a receipt says, by the same evidence as a mail that came back."""
    assert row.state is not None
    kind = KIND_OF[row.state]
    failures: tuple[Failure, ...] = ()
    if kind is Kind.BOUNCE:
        evidence = Evidence(row.words, row.status, "", "")
        reason = reason_of(evidence)
        failures = (Failure("", row.status, "", reason, is_hard(reason, evidence), row.words),)
    digest = sha256("\0".join((own.provider, row.state, row.status, row.words)).encode()).digest()
    return note_returned(ws, [(message_id, Returned(kind, failures))], digest, own.provider, now)


def _message(conn: Connection, ws: Workspace, channel: Channel, row: gateways.Receipt) -> int | None:
    """Which of our messages a receipt is about: our own key proves it, the provider's number finds it."""
    found = carriers.message_of(ws.keys, row.key) if row.key else None
    if found is None and row.number:
        found = SQL.message_by_number(conn, number=row.number, channel=channel.value)
    return int(found) if found is not None else None


def _reply(ws: Workspace, conn: Connection, channel: Channel, row: gateways.Receipt, now: datetime) -> None:
    """Somebody answered: STOP ends every consent to this channel; that there was an answer comes back as an event, its words stay with nobody."""
    sender, digits = row.sender.strip(), "".join(filter(str.isdigit, row.sender))
    address = normalized("phone", sender if sender.startswith("+") or len(digits) <= 9 else f"+{digits.lstrip('0')}")
    if address is None:
        return
    stop = sms.asks_to_stop(row.text)
    last = SQL.last_to(conn, address=address, channel=channel.value)
    message = store.messages(conn, 1, id=last)[0] if last is not None else None
    reader = readers_at(conn, [address], channel)[0]
    if stop and reader is not None:
        stop_channel(conn, reader, channel, "sms", now, {"message_id": message.id} if message else {})
    if message is not None:
        facts = {"campaign_id": message.campaign_id, "campaign": message.campaign, "stop": stop}
        digest = sha256(f"{address}\0{row.text}\0{now.date()}".encode()).hexdigest()[:12]
        told = returning.event(told_as(returning.REPLIED, channel), message.id, returning.whose(address, channel), now, facts, key=f"-{digest}")
        collect.write_down(conn, internal_source(conn, now), returning.requests([told]), now)
