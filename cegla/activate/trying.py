"""A trial of a text or push message, sent to its author: no message of a campaign, so it counts nowhere."""

from datetime import datetime

from cegla.activate.audience import Reader, readers, readers_at, verdicts
from cegla.activate.channels.email import raise_when_refused
from cegla.activate.channels.post import Carrier
from cegla.activate.letters import Occasion, Writer
from cegla.activate.outlet import Outlet, lent
from cegla.activate.rules.channels import KINDS, deliverable
from cegla.activate.rules.dialog import Letter
from cegla.activate.store import Campaign
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.people import parse_person_label
from cegla.vocabulary.text import Text

NO_ADDRESS = {
    Channel.SMS: Text("to nie jest numer telefonu", "this is no phone number"),
    Channel.PUSH: Text("podaj osobę, która zgodziła się na web push, na przykład p12", "name a person who agreed to web push, such as p12"),
}


def short_trial(ws: Workspace, wanted: Campaign, address: str, outlet: Outlet | None, occasion: Occasion) -> None:
    """Send one copy under a key of its own, so that the next one is another message.

    Web push has no addresses to write down: there `address` names a person ("p12") who agreed, whose browser gets it.
    Raises InvalidInput, TemplateInvalid, GatewayRefused, MailServerRefused.
    """
    channel = Channel(wanted.channel)
    with lent(ws, outlet) as own:
        with ws.transaction() as conn:
            clean, reader = _meant(ws, conn, wanted, address)
            writer = Writer(ws, conn, own.renderer)
            person = writer.fields([reader], occasion)[reader.person_id] if reader else {}
            content = writer.short(occasion, writer.render(occasion, person), channel)
            carrier = own.carrier(conn, channel)
        hand_over(carrier, occasion.sender, clean, content, ws.clock())


def hand_over(carrier: Carrier, sender: str, recipient: str, content: bytes, now: datetime) -> None:
    """Hand a trial to a carrier, under a key of its own: for providers that know a key again each trial is another message.

    Raises MailServerRefused, GatewayRefused.
    """
    carrier.now = now
    outcome = carrier.hand_off(Letter(int(now.timestamp() * 1_000), sender, recipient, content))
    if outcome.reply is None:
        raise carrier.refused()
    raise_when_refused(outcome.reply)


def _meant(ws: Workspace, conn: Connection, wanted: Campaign, address: str) -> tuple[str, Reader | None]:
    """Where a trial goes, and whose fields it shows."""
    channel = Channel(wanted.channel)
    number = parse_person_label(address) if channel is Channel.PUSH else None
    reader = readers(conn, [number], channel)[0] if number is not None else None
    if reader is not None and reader.address is not None and verdicts(ws, conn, [reader], wanted.purpose, ws.clock(), channel)[0].allowed:
        return reader.address, reader
    clean = normalized(KINDS[channel].identifier, address) if KINDS[channel].identifier else None
    if clean is None or deliverable(clean, channel) is None:
        raise InvalidInput(where="address", seen=address, detail=NO_ADDRESS[channel])
    return clean, readers_at(conn, [clean], channel)[0]
