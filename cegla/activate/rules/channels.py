"""The channels a message can leave by, as data: what an address is there, and how what happens to it is called. A channel is a row."""

from dataclasses import dataclass

from cegla.vocabulary.consent import Channel
from cegla.vocabulary.identifiers import ascii_domain
from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class Kind:
    """One channel. `identifier` is the type of identifier that is its address (empty: the channel keeps its own addresses); events begin with `event`.

    `tracking` is the purpose for which clicks are somebody's; where there is none, or it was not agreed to, they are counted without saying whose."""

    channel: Channel
    label: Text
    identifier: str
    event: str
    tracking: str = ""


KINDS: dict[Channel, Kind] = {
    row.channel: row
    for row in (
        Kind(Channel.EMAIL, Text("e-mail", "e-mail"), "email", "Email", "email_tracking"),
        Kind(Channel.SMS, Text("SMS", "SMS"), "phone", "SMS"),
        Kind(Channel.PUSH, Text("web push", "web push"), "", "Push", "push_tracking"),
    )
}


def told_as(name: str, channel: Channel) -> str:
    """The name of an event about a message on its own channel: "Email Sent" of a text message is "SMS Sent"."""
    return f"{KINDS[channel].event}{name.removeprefix('Email')}" if name.startswith("Email ") else name


def deliverable(address: str, channel: Channel = Channel.EMAIL) -> str | None:
    """The address as servers take it, an e-mail's domain in ASCII (IDNA); None when none would."""
    if channel is not Channel.EMAIL:
        return address or None
    local, _, domain = address.rpartition("@")
    if not local or not local.isascii() or len(local) > 64:
        return None
    known = ascii_domain(domain)
    return f"{local}@{known}" if known is not None else None


def masked(address: str) -> str:
    """An address that can be shown: a***@example.pl, +48***789; of a browser only whose service it is."""
    local, at, domain = address.rpartition("@")
    if not at:
        return f"{address[:3]}***{address[-3:]}"
    return f"{'' if local.isdigit() else local[:1]}***@{domain}"


def destination(address: str) -> str:
    """Where an address that is no mailbox's lives: the network of text messages, or the push service of a browser."""
    return address.rpartition("@")[2].lower() if "@" in address else Channel.SMS.value
