"""What the door decides without asking anybody: which call a path means, which key a request shows, how large it may be."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec

CALLS = ("identify", "track", "page", "screen", "group", "alias")

#: The call each path means; None for a batch. Paths end with and without a slash, since a redirect would lose the body.
PATHS: dict[str, str | None] = {
    f"{path}{slash}": call
    for slash in ("", "/")
    for path, call in (
        *((f"/v1/{call}", call) for call in CALLS),
        *((f"/v1/{call[0]}", call) for call in CALLS),
        ("/v1/batch", None),
        ("/v1/b", None),
        ("/v1/import", None),
        ("/beacon/v1/batch", None),
    )
}
WEBHOOK_PREFIX = "/v1/webhooks/"
SETTINGS_PREFIX, SETTINGS_SUFFIX = "/v1/projects/", "/settings"

_GZIP_MAGIC = b"\x1f\x8b"


class TooLarge(Exception):
    """The request is larger than allowed, as sent or decompressed."""


class Unreadable(Exception):
    """The request claims an encoding that it does not have, or that nobody here can read."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key allows."""

    source_id: int
    write_key: str
    trusted: bool  #: the secret key was shown
    enabled: bool
    origins: tuple[str, ...]

    def serves(self, origin: str) -> bool:
        """Whether a page of this origin may use the key."""
        return not self.origins or self.trusted or origin in self.origins


def unpacked(body: bytes, encoding: bytes, largest: int) -> bytes:
    """The body without compression, never more than `largest` bytes of it in memory. Some SDKs send gzip without saying so."""
    if len(body) > largest:
        raise TooLarge
    if body[:2] != _GZIP_MAGIC:
        if encoding in (b"", b"identity", b"gzip"):  # a body that says gzip and is none is judged as it is
            return body
        raise Unreadable(f"content-encoding {encoding.decode('latin-1')[:20]}")
    unpacker = zlib.decompressobj(31)
    try:
        plain = unpacker.decompress(body, largest + 1)
    except zlib.error:
        raise Unreadable("damaged gzip") from None
    if len(plain) > largest:
        raise TooLarge
    if not unpacker.eof:
        raise Unreadable("truncated gzip")
    return plain


@lru_cache(maxsize=4_096)
def key_in_header(authorization: bytes) -> str:
    """The key of a Basic header, with or without the colon after it; "" when there is none (OAuth sends Bearer and a key in the body)."""
    scheme, _, rest = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[0].strip()
    except (binascii.Error, ValueError):
        return ""


def key_in_query(query: bytes) -> str:
    """The key of `?writeKey=`, as beacons and pixels send it."""
    found = parse_qs(query.decode("latin-1")).get("writeKey") if b"writeKey" in query else None
    return found[0] if found else ""


def client_address(peer: str, headers: Mapping[bytes, bytes]) -> str:
    """Who sent the request: the peer, or whom a proxy on this machine names last."""
    forwarded = headers.get(b"x-forwarded-for")
    if forwarded is None or peer not in ("127.0.0.1", "::1", ""):
        return peer
    return forwarded.decode("latin-1").rpartition(",")[2].strip()


def settings_document(write_key: str, scheme: str, host: str) -> bytes:
    """What browser SDKs ask for before they send anything. Another name in `integrations` would make them load more code."""
    return msgspec.json.encode(
        {
            "integrations": {"Segment.io": {"apiKey": write_key, "apiHost": f"{host}/v1", "protocol": scheme}},
            "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
            "metrics": {"sampleRate": 0},
        }
    )
