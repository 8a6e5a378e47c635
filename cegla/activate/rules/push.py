"""Web push as bytes: the content coding of RFC 8188 as RFC 8291 uses it, and what VAPID (RFC 8292) signs. The ciphers come in from outside.

A push message travels through the browser maker's service, which must not read it: it is closed with a key that only the browser can
make again, and the sender is known by a signed note.
"""

import hmac
import json
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from cegla.activate.rules.replies import Reply

RECORD_BYTES = 4_096
LONGEST_TEXT_BYTES = 3_993
TOKEN_HOURS = 12  #: RFC 8292 allows 24
GONE = frozenset({404, 410})  #: the subscription is no more

Seal = Callable[[bytes, bytes, bytes], bytes]  #: AES-128-GCM: key, nonce, text


def closed(text: bytes, browser: tuple[bytes, bytes], own: tuple[bytes, bytes], salt: bytes, seal: Seal) -> bytes:
    """The body for a browser: one record of aes128gcm. Raises ValueError for a text that does not fit into one.

    `browser` is its public key (65 bytes) and its secret (16); `own` is a fresh public key and the ECDH secret shared with the browser.
    """
    if len(text) > LONGEST_TEXT_BYTES:
        raise ValueError(f"a push message of {len(text)} bytes is too long")
    (their_public, secret), (our_public, shared) = browser, own
    mixed = _hkdf(secret, shared, b"WebPush: info\0" + their_public + our_public, 32)
    key = _hkdf(salt, mixed, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(salt, mixed, b"Content-Encoding: nonce\0", 12)
    return salt + struct.pack(">IB", RECORD_BYTES, len(our_public)) + our_public + seal(key, nonce, text + b"\2")


def claims(endpoint: str, subject: str, now: datetime) -> bytes:
    """What is signed with ES256 for a push service: header and claims of the token, still without the signature. One serves its origin for hours."""
    place = urlsplit(endpoint)
    body = {"aud": f"{place.scheme}://{place.netloc}", "exp": int((now + timedelta(hours=TOKEN_HOURS)).timestamp()), "sub": subject}
    return f"{encoded(_compact({'typ': 'JWT', 'alg': 'ES256'}))}.{encoded(_compact(body))}".encode()


def ticket(signed: bytes, signature: bytes, public: bytes) -> str:
    """The Authorization header: what was signed, the signature (r and s, 32 bytes each) and the key that checks it. One serves an origin for hours."""
    return f"vapid t={signed.decode()}.{encoded(signature)}, k={encoded(public)}"


def headers(authorization: str, ttl_seconds: int, topic: str = "") -> dict[str, str]:
    """The headers of the request. Of messages with the same `topic` the newest replaces those that still wait."""
    found = {
        "Authorization": authorization,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(ttl_seconds),
        "Urgency": "normal",
    }
    return found | ({"Topic": topic[:32]} if topic else {})


def encoded(raw: bytes) -> str:
    """URL-safe base64 without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What `encoded` wrote. Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def answered(status: int, retry_after: str) -> Reply | None:
    """What a push service's answer comes to, as a mail server would say it (RFC 8030); None when nobody knows whether the message was taken."""
    if 200 <= status < 300:
        return Reply(250, "taken", "body")
    if status in GONE:
        return Reply(550, f"5.1.1 no such user: the subscription is gone ({status})", "rcpt")
    if status in (401, 403):
        return Reply(554, f"5.7.8 the push service does not take our key for this subscription ({status})", "message")
    if status in (408, 425, 429, 503):
        wait = int(retry_after) if retry_after.isdecimal() and len(retry_after) < 6 else 0
        return Reply(451, f"4.4.5 {status}" + (f"; retry after {wait} s" if wait else ""), "body")
    return None if status >= 500 else Reply(554, f"5.6.0 refused ({status})", "message")


def later(said: str) -> Reply:
    """A push service that cannot be reached: the message is tried again later, and those for other browsers go on."""
    return Reply(451, f"4.4.1 {said}", "body")


def _hkdf(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869), for one block at most."""
    key = hmac.digest(salt, material, sha256)
    return hmac.digest(key, info + b"\1", sha256)[:length]


def _compact(value: Mapping[str, object]) -> bytes:
    return json.dumps(dict(value), separators=(",", ":")).encode()
