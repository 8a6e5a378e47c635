"""The letter of double opt-in, and the link in it. The letter only asks to confirm what was asked for: an offer in it would itself need consent."""

from dataclasses import dataclass
from email.utils import parseaddr
from html import escape
from typing import Any

from cegla.activate.audience import Reader, readers
from cegla.activate.letters import Occasion, Writer, signed
from cegla.activate.links import genuine, no_such_link
from cegla.activate.outlet import Outlet
from cegla.activate.rules import mime, tokens
from cegla.activate.rules.channels import deliverable, masked
from cegla.activate.rules.dialog import Letter
from cegla.activate.telling import internal_source
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.text import Language, Text

AT_ONCE = 50
SUBJECT = Text("Potwierdź zapis: {what}", "Confirm your subscription: {what}")
LINES = (
    Text("Ktoś, zapewne Ty, poprosił o wiadomości na ten adres: {what}.", "Somebody, likely you, asked for messages to this address: {what}."),
    Text("Jeśli to Ty, otwórz odnośnik i naciśnij przycisk:", "If it was you, open the link and press the button:"),
    Text(
        "Jeśli nie, nie rób nic: bez potwierdzenia nic nie wyślemy. Odnośnik działa do {until}.",
        "If not, do nothing: without it we send nothing. The link works until {until}.",
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Confirmation:
    """What the page of a confirmation link shows."""

    address: str
    purpose: govern.Purpose | None
    notice: govern.Notice | None
    standing: govern.optin.Standing


def send_requests(ws: Workspace, conn: Connection, outlet: Outlet) -> int:
    """Send a letter for each request that waits for one; returns how many left. A mail server that is away leaves them waiting."""
    now, left = ws.clock(), 0
    ready = govern.optin.waiting(conn, now, AT_ONCE)
    people = resolve.reach.owners(conn, [one.identity_id for one in ready]) if ready else {}
    conn.commit()
    for one in ready:
        reader = readers(conn, [people.get(one.identity_id, one.identity_id)])[0]
        recipient = deliverable(reader.address) if reader.address else None
        if recipient is None or not _may_be_asked(ws, conn, reader):
            govern.optin.no_letter(conn, one.record_id, now)
            conn.commit()
            continue
        letter = _written(ws, conn, outlet, one, recipient)
        govern.optin.begin_letter(conn, one.record_id, now)
        conn.commit()
        carrier = outlet.carrier(conn, Channel.EMAIL)
        carrier.now = now
        outcome = carrier.hand_off(letter)
        if outcome.reply is None and not outcome.unanswered:
            govern.optin.letter_came_back(conn, one.record_id)
            conn.commit()
            break
        left += 1
    return left


def confirmation(ws: Workspace, token: str, *, act: bool, seen: dict[str, str] | None = None, language: Language = "pl") -> Confirmation:
    """What a confirmation link says; only a POST may `act`, since scanners open every link. `seen` is proof: network and browser.

    Raises NotFound for a forged link, or once the person was erased.
    """
    now = ws.clock()
    read = genuine(ws, token, tokens.CONFIRM)
    with ws.transaction() as conn:
        found = govern.optin.request(conn, read.message_id, now)
        if found is None:
            raise no_such_link()
        asked, standing = found
        if act and standing is govern.optin.Standing.WAITING:
            govern.record(conn, [govern.optin.confirmed(asked, internal_source(conn, now), seen or {}, now)], now)
            standing = govern.optin.Standing.CONFIRMED
        held = govern.register.current(conn)
        person = resolve.reach.owners(conn, [asked.identity_id]).get(asked.identity_id, asked.identity_id)
        address = readers(conn, [person])[0].address
        return Confirmation(masked(address or ""), held.purposes.get(asked.purpose), held.newest_notice(asked.purpose, language), standing)


def _may_be_asked(ws: Workspace, conn: Connection, reader: Reader) -> bool:
    """Not an address that bounced, complained or was erased."""
    return not govern.suppressed_for(conn, ws.keys, [reader.address or ""], Channel.EMAIL, ws.clock())


def _written(ws: Workspace, conn: Connection, outlet: Outlet, asked: "govern.optin.Request", recipient: str) -> Letter:
    now, sender = ws.clock(), ws.settings.smtp.sender
    language: Language = "en" if (asked.language or ws.settings.language).startswith("en") else "pl"
    facts: dict[str, Any] = {
        "what": govern.register.label(conn, asked.purpose).say(language), "until": asked.until.astimezone(ws.settings.zone).strftime("%d.%m.%Y %H:%M"),
    }  # fmt: skip
    link = f"{ws.settings.app.address}/c/{signed(ws.keys, tokens.CONFIRM, asked.record_id)}?lang={language}"
    first, before, last = (line.say(language, **facts) for line in LINES)
    text = f"{first}\n\n{before}\n{link}\n\n{last}\n"
    shown = f'<a href="{escape(link)}">{escape(link)}</a>'
    html = f'<html lang="{language}"><body><p>{escape(first)}</p><p>{escape(before)}<br>{shown}</p><p>{escape(last)}</p></body></html>'
    name = f"<c{asked.record_id}@{mime.mailbox_of(sender)[1].rpartition('@')[2] or 'localhost'}>"
    signers = Writer(ws, conn, outlet.renderer).signers_of(Occasion(0, "", 0, ""))
    content = mime.written(mime.Letter(sender, recipient, SUBJECT.say(language, **facts), text, html, name, now, [("Auto-Submitted", "auto-replied")]), signers)
    return Letter(-asked.record_id, parseaddr(sender)[1], recipient, content)
