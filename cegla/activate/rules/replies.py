"""What an SMTP server's answer means. Not "5 is hard": only evidence about the address itself makes a bounce hard.

A full mailbox, a policy or a size is our trouble or a passing one; the address stays good.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from cegla.activate.rules.reasons import Evidence, Reason, is_hard, reason_of

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_STAGES = {"body": "data", "greeting": "connect", "ehlo": "helo", "auth": "connect"}


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

    @property
    def evidence(self) -> Evidence:
        """What the reply proves."""
        return Evidence(self.text, self.status, str(self.code), _STAGES.get(self.stage, self.stage))

    @property
    def reason(self) -> Reason:
        """Why it refuses."""
        return reason_of(self.evidence)


def meaning(reply: Reply) -> Meaning:
    """The class of a reply."""
    if 200 <= reply.code < 300:
        return Meaning.ACCEPTED
    if reply.stage in ("connect", "mail") or reply.code in (421, 454, 530, 535):
        return Meaning.SERVER
    if 400 <= reply.code < 500:
        return Meaning.RETRY
    return Meaning.HARD if is_hard(reply.reason, reply.evidence) else Meaning.SOFT
