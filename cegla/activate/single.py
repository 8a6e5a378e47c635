"""Messages to one person that somebody asks for: an order is confirmed, a password forgotten. By template, with data, under the caller's key.

They lie in the same outbox and leave by the same sender as everything else, so the same promises hold: written down before the answer, one
message for one key, the ambiguous moment reported. What marketing is held back by does not hold them: consent, pauses, caps, quiet hours.
A dead address does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from cegla.activate import store
from cegla.activate.audience import readers_at
from cegla.activate.composing import sender_of
from cegla.activate.renderer import Renderer
from cegla.activate.rules import content, returning
from cegla.activate.rules.channels import deliverable
from cegla.activate.rules.destinations import destination_of
from cegla.activate.rules.mime import refuse_breakout
from cegla.activate.store import SQL
from cegla.collect import actions as collect
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import MessageKeyUsed
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.text import Text

PURPOSE = "service"
UNKNOWN_FOR = timedelta(minutes=15)  #: a message waits so long for its person, who comes in by the inbox
LONGEST_KEY, MOST_DATA_BYTES = 200, 100_000


@dataclass(frozen=True)
class Template:
    """What messages of this name say; each message keeps the version it was made from."""

    name: str
    version: int
    subject: str
    mjml: str
    sender: str
    changed_at: datetime


@dataclass(frozen=True)
class Asked:
    """A message as it stands: `state` is decided (it waits for the sender), handing_off, sent, bounced, failed, ambiguous or skipped.

    `reason` says why it was skipped, or hard or soft for a bounce. `again`: this key had been used, and nothing new was begun.
    """

    id: int
    template: str
    key: str
    state: str
    reason: str | None
    decided_at: datetime
    done_at: datetime | None
    again: bool


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One message: the template's name, the address, what the template may read below `data`, and the caller's key for it."""

    template: str
    to: str
    key: str
    data: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


def save_template(conn: Connection, draft: Mapping[str, str], now: datetime) -> Template:
    """Make a template (name, subject, mjml, sender), or a new version of the one of this name; it is compiled, so its mistakes are told now.

    Raises TemplateInvalid, HeaderRefused, InvalidInput.
    """
    name, subject, mjml, sender = (str(draft.get(part, "")) for part in ("name", "subject", "mjml", "sender"))
    if not name.replace("-", "a").replace("_", "a").isalnum() or len(name) > 100:
        raise InvalidInput(where="name", seen=name, detail=Text("litery, cyfry, - i _, najwyżej 100", "letters, digits, - and _, at most 100"))
    refuse_breakout("Subject", subject)
    sender = sender_of(Channel.EMAIL, sender)
    with Renderer() as renderer:
        html = renderer.compile(mjml)
        text = content.plain_text(html)
        renderer.load("draft", {"subject": subject, "html": html, "text": text})
    found = SQL.save_template(conn, name=name, sender=sender, now=now)
    store.add_content(conn, found[0], found[1], {"subject": subject, "mjml": mjml, "html": html, "text": text, "content": {}}, now)
    return Template(name, found[1], subject, mjml, sender, now)


def templates(conn: Connection) -> list[Template]:
    """Every template in its newest version, by name."""
    return [Template(*row) for row in SQL.templates(conn)]


def send(conn: Connection, wish: Mapping[str, Any], now: datetime, trace: str | None = None) -> Asked:
    """Write a message to one person down; the sender hands it over within seconds. The same key again is the same message, and changes nothing.

    Somebody who is not known yet is told to the inbox and becomes known there; the message waits for it. Raises InvalidInput, NotFound for
    a template, MessageKeyUsed when the key stands for another message. `trace` is the traceparent of the call, in which the message stays.
    """
    try:
        wanted = msgspec.convert(dict(wish), Wish)
    except msgspec.ValidationError as error:
        raise InvalidInput(where="message", detail=str(error)) from None
    if not _storable(wanted):
        raise InvalidInput(where="message", detail=Text("znaki lub liczby, których JSON nie zna", "characters or numbers that JSON does not know"))
    address = normalized("email", wanted.to)
    if address is None or deliverable(address) is None:
        raise InvalidInput(where="to", detail=Text("to nie jest adres e-mail", "this is no e-mail address"))
    if not 0 < len(wanted.key) <= LONGEST_KEY or len(msgspec.json.encode(wanted.data)) > MOST_DATA_BYTES:
        raise InvalidInput(where="message", detail=Text("klucz 1–200 znaków, dane do 100 kB", "a key of 1 to 200 characters, data up to 100 kB"))
    template = SQL.template(conn, name=wanted.template)
    if template is None:
        raise NotFound(where="template", seen=wanted.template, thing=Text(f"szablon {wanted.template}", f"the template {wanted.template}"))
    number, version = template
    reader = readers_at(conn, [address])[0]
    added = SQL.add_single(
        conn, campaign_id=number, person_id=reader.person_id if reader else 0, identity_id=reader.identity_id if reader else None,
        address=address, version=version, destination=destination_of(address), key=wanted.key, given=Jsonb(wanted.data), trace=trace, now=now,
    )  # fmt: skip
    if added is not None and reader is None:
        source = collect.add_source(conn, returning.SOURCE, returning.KIND, Basis.CONTRACT, now)[0]
        collect.write_down(conn, source.id, returning.requests([returning.stranger(int(added), address, now, trace)]), now)
    row = SQL.single(conn, campaign_id=number, key=wanted.key)
    if added is None and (row[5], row[6]) != (address, wanted.data):
        raise MessageKeyUsed(where="key", seen=wanted.key)
    return Asked(row[0], wanted.template, wanted.key, *row[1:5], again=added is None)


def of_trace(conn: Connection, trace_id: str, limit: int = 200) -> list[store.Message]:
    """The messages that calls of a W3C trace asked for, newest first."""
    return store.messages(conn, limit, trace_id=trace_id)


def _storable(wish: Wish) -> bool:
    """Whether a wish comes back from the database as it went in: no NUL, no half of a character, no number that is none."""
    try:
        written = msgspec.json.encode(wish)
    except UnicodeEncodeError:
        return False
    return b"\\u0000" not in written and msgspec.json.decode(written, type=Wish) == wish
