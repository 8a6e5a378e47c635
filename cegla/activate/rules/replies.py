"""What an SMTP server's answer means. Not "5 is hard": only evidence about the address itself makes a bounce hard.

A full mailbox, a policy or a size is our trouble or a passing one; the address stays good.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

HARD_STATUS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_HARD_WORDS = re.compile(
    r"user unknown|unknown user|no such (?:user|mailbox|recipient|person)"
    r"|(?:mailbox|address|account|recipient|user)[^.]{0,40}(?:does ?n[o']t exist|not found|unavailable for good|unknown)"
    r"|invalid (?:recipient|mailbox|address)|address rejected: undeliverable|host (?:unknown|not found)"
    r"|domain (?:does not exist|not found)|has (?:moved|been disabled)",
    re.IGNORECASE,
)
_OUR_FAULT = re.compile(
    r"spam|blocked|black ?list|reputation|policy|dmarc|dkim|spf\b|rate|quota|full|too (?:large|big|many)|size|greylist|relay", re.IGNORECASE
)


class Meaning(StrEnum):
    """What to do about a reply."""

    ACCEPTED = "accepted"
    RETRY = "retry"  #: this message, later
    HARD = "hard"  #: the address is dead
    SOFT = "soft"  #: refused for good, but the address is not to blame
    SERVER = "server"  #: the server refuses us, not this person


@dataclass(frozen=True)
class Reply:
    """One answer of a server. `stage` is where: connect, mail, rcpt, data or body."""

    code: int
    text: str
    stage: str

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463) found in the text, or an empty string."""
        found = _STATUS.search(self.text)
        return found.group(1) if found else ""


def meaning(reply: Reply) -> Meaning:
    """The class of a reply."""
    if 200 <= reply.code < 300:
        return Meaning.ACCEPTED
    if reply.stage in ("connect", "mail") or reply.code in (421, 454, 530, 535):
        return Meaning.SERVER
    if 400 <= reply.code < 500:
        return Meaning.RETRY
    if reply.status in HARD_STATUS:
        return Meaning.HARD
    if reply.stage == "rcpt" and _HARD_WORDS.search(reply.text) and not _OUR_FAULT.search(reply.text):
        return Meaning.HARD
    return Meaning.SOFT
