"""A message about segments as others receive it, in the form of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec):

    webhook-id         the key of the message, the same at every try: who has seen it leaves it out
    webhook-timestamp  seconds since 1970 of this try
    webhook-signature  v1,BASE64(HMAC-SHA256(secret, "id.timestamp.body"))
"""

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

TYPE = "segment.changed"
SECRET_PREFIX = "whsec_"
REFUSED_TRIES = 5  #: a message that is refused (4xx) so often is put aside, and the next one is sent
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)
WAITING_ANSWERS = frozenset({408, 425, 429})  #: 4xx that ask for another try and say nothing of the message
GONE = 410


@dataclass(frozen=True)
class Line:
    """That somebody entered or left a segment. `person` is as others know it, p12; `reason` of leaving: left, consent, erased."""

    segment_id: int
    person: str
    entered: bool
    reason: str
    at: datetime
    hashed: str | None = None  #: SHA-256 of the address, when the receiver is to have one


def body_of(lines: Sequence[Line], names: dict[int, str], hashes: str | None, now: datetime) -> bytes:
    """The body: compact JSON. `hashes` is the name of the field with the hashed address; None: there is none."""
    changes = [
        {
            "segment": line.segment_id, "segment_name": names.get(line.segment_id), "person": line.person,
            "change": "entered" if line.entered else "left", "reason": line.reason, "at": _moment(line.at),
        }
        | ({hashes: line.hashed} if hashes and line.hashed else {})
        for line in lines
    ]  # fmt: skip
    return msgspec.json.encode({"type": TYPE, "timestamp": _moment(now), "data": {"changes": changes}})


def headers_of(key: str, secret: bytes, body: bytes, now: datetime) -> dict[str, str]:
    """What goes with a body at one try."""
    seconds = str(int(now.timestamp()))
    return {"content-type": "application/json", "webhook-id": key, "webhook-timestamp": seconds, "webhook-signature": signature(secret, key, seconds, body)}


def signature(secret: bytes, key: str, seconds: str, body: bytes) -> str:
    """The proof that a message comes from who knows the secret."""
    signed = hmac.new(secret, f"{key}.{seconds}.".encode() + body, sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


def shown(secret: bytes) -> str:
    """A secret as it is handed over, once."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def wait(tries: int, asked_seconds: int | None = None) -> timedelta:
    """How long until the next try after so many: twice as long each time up to an hour, or as long as the other side asks, up to a day."""
    grown = min(FIRST_WAIT * 2 ** min(tries - 1, 20), LONGEST_WAIT)
    return max(grown, timedelta(seconds=min(asked_seconds, 86_400))) if asked_seconds else grown


def is_refusal(status: int) -> bool:
    """Whether an answer is about this message, so that another may fare better."""
    return 300 <= status < 500 and status not in WAITING_ANSWERS


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
