"""The hash chain over a writer's requests: one changed, missing or reordered request breaks every later link."""

from hashlib import sha256
from struct import Struct

_HEAD = Struct(">qi").pack

START = b""


def link(previous: bytes, number: int, source_id: int, body: bytes) -> bytes:
    """The SHA-256 that ties request `number` to the one before it (`START` before the first)."""
    return sha256(b"".join((previous, _HEAD(number, source_id), body))).digest()
