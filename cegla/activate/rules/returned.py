"""What a mail that came back is, and which of our messages it may be about.

Only a signed token says which message it is: it stands in the address the mail came to (VERP), and in the copy of our own message
below the words. Words without a token prove nothing, so a forged bounce can at most stop mail to its own forger.
"""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from enum import StrEnum

from cegla.activate.rules.bounces import Failure, failures, subject_of
from cegla.activate.rules.reasons import Reason

BOUNCE, UNSUBSCRIBE = "b", "unsub"  #: before the plus sign of the addresses that mail comes back to
MOST_TOKENS = 50
WAYS_OUT = frozenset(("unsubscribe", "wypisz", "wypisz mnie", "rezygnuję", "rezygnuje"))
_MAILBOX = re.compile(rb"\b(b|unsub)\+([a-z2-7]{39})@", re.IGNORECASE)
_LINK = re.compile(rb"/u/([A-Za-z0-9_-]{38})(?![A-Za-z0-9_-])")
_COMPLAINT_SUBJECT = re.compile(r"^\s*complaint about message from", re.IGNORECASE)


class Kind(StrEnum):
    """What came."""

    BOUNCE = "bounce"
    DELAY = "delay"  #: a warning: the server still tries
    DELIVERED = "delivered"
    COMPLAINT = "complaint"
    OPT_OUT = "opt_out"  #: a wish to get no more, sent by mail
    AUTHENTICATION = "authentication"  #: a DMARC report about one message: nobody complained
    AUTO_REPLY = "auto_reply"
    OTHER = "other"


@dataclass(frozen=True)
class Returned:
    """A mail that came back: `failures` for each recipient it speaks of; `complaints` counts the recipients of a complaint report."""

    kind: Kind
    failures: tuple[Failure, ...] = ()
    complaints: int = 0

    def about(self, address: str) -> Failure | None:
        """What it says of this address; of its only recipient when the addresses differ, as forwarding and aliases make them."""
        named = next((failure for failure in self.failures if failure.address.lower() == address.lower()), None)
        return named or (self.failures[0] if self.failures else None)


def read(raw: bytes) -> Returned:
    """Read any bytes that came to a return address; what is nested deeper than mail ever is says nothing."""
    try:
        return _read(raw)
    except RecursionError:
        return Returned(Kind.OTHER)


def _read(raw: bytes) -> Returned:
    message = message_from_bytes(raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    report = _feedback(message)
    if report is not None:
        return report
    if _asks_out(message):
        return Returned(Kind.OPT_OUT)
    found = tuple(failures(raw))
    if not found:
        return Returned(Kind.OTHER)
    reason, action = found[0].reason, found[0].action
    if reason is Reason.VACATION:
        return Returned(Kind.AUTO_REPLY, found)
    if reason is Reason.DELIVERED or action in ("delivered", "relayed", "expanded"):
        return Returned(Kind.DELIVERED, found)
    return Returned(Kind.DELAY if action == "delayed" else Kind.BOUNCE, found)


def _feedback(message: Message) -> Returned | None:
    """A complaint report (RFC 5965), or the older form of Hotmail, whose original stands under a subject of its own."""
    for part in message.walk():
        if part.get_content_type() == "message/feedback-report":
            fields = _lines(part)
            kind = next((value.lower() for name, value in fields if name == "feedback-type"), "abuse")
            people = [value for name, value in fields if name == "original-rcpt-to"]
            if kind == "auth-failure":
                return Returned(Kind.AUTHENTICATION)
            return Returned(Kind.OPT_OUT if kind == "opt-out" else Kind.COMPLAINT, complaints=max(1, len(people)))
    if _COMPLAINT_SUBJECT.match(str(message.get("Subject", ""))):
        return Returned(Kind.COMPLAINT, complaints=1)
    return None


def _asks_out(message: Message) -> bool:
    """Mail that a program wrote to the mailto of List-Unsubscribe: the subject alone says it. Apple's calls itself an automatic reply."""
    return message.get_content_type() != "multipart/report" and " ".join(subject_of(message).lower().split()) in WAYS_OUT


def _lines(part: Message) -> list[tuple[str, str]]:
    """The fields of a report, whether the parser read them as a message or as text."""
    payload = part.get_payload()
    groups = [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []
    pairs = [(name, str(value)) for group in groups for name, value in group.items()]
    texts = [str(group.get_payload()) for group in groups] if groups else [str(payload)]
    pairs += [(name, value) for text in texts for name, value in re.findall(r"^([A-Za-z-]+): ?(.*)$", text, re.MULTILINE)]
    return [(name.lower(), value.strip()) for name, value in pairs]


def tokens_in(raw: bytes, came_to: str = "") -> list[tuple[str, str]]:
    """Everything that may be a token of ours, as (b, unsub or link, text): the envelope's first, then those in the mail. None is checked yet."""
    whole = raw.replace(b"=\r\n", b"").replace(b"=\n", b"")
    found = [(kind.decode().lower(), token.decode().lower()) for kind, token in _MAILBOX.findall(came_to.encode("ascii", "ignore"))]
    if not found:
        found = [(kind.decode().lower(), token.decode().lower()) for kind, token in _MAILBOX.findall(whole)]
        found += [("link", token.decode()) for token in _LINK.findall(whole)]
    return list(dict.fromkeys(found))[:MOST_TOKENS]
