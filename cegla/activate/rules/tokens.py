"""Tokens in messages: which message, and which link of it, signed so that nobody can make one up. They log nobody in."""

import binascii
import struct
from base64 import b32decode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

CLICK, UNSUBSCRIBE, RETURN = "click", "unsubscribe", "return"
TALLY = "tally"  #: a link of a campaign, whoever follows it
PREFERENCES, CONFIRM = "preferences", "confirm"  #: the second is for a request in the ledger, not for a message
SIGNATURE_BYTES = 16
_CONTENT = struct.Struct(">qi")
_NUMBER = struct.Struct(">q")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648, section 6
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]


@dataclass(frozen=True)
class Token:
    """What a token says, before its signature was checked."""

    message_id: int
    link: int
    signature: bytes

    @property
    def content(self) -> bytes:
        """The signed part."""
        return content(self.message_id, self.link)


def content(message_id: int, link: int = 0) -> bytes:
    """What is signed for a message and one of its links (0: the message itself)."""
    return _CONTENT.pack(message_id, link)


def written(signed: bytes, signature: bytes) -> str:
    """The token for an address: URL-safe, 38 characters."""
    return urlsafe_b64encode(signed + signature).rstrip(b"=").decode()


def read(text: str) -> Token | None:
    """A token as it came in, or None when it cannot be one. Exactly one spelling of each token is read."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    if len(raw) != _CONTENT.size + SIGNATURE_BYTES or written(raw, b"") != text:
        return None
    message_id, link = _CONTENT.unpack(raw[: _CONTENT.size])
    return Token(message_id, link, raw[_CONTENT.size :])


def number(message_id: int) -> bytes:
    """What is signed for an address that mail comes back to."""
    return _NUMBER.pack(message_id)


def spelled(signed: bytes, signature: bytes) -> str:
    """The token for a mailbox: 39 letters and digits, in which capitals do not matter, since mail servers change them."""
    bits = int.from_bytes(signed + signature) << 8  # to a whole number of pairs; the standard library takes five times as long, twice a letter
    return "".join([_PAIRS[bits >> shift & 1023] for shift in range(190, -1, -10)])[:39]


def heard(text: str) -> Token | None:
    """A token as it came in a mailbox, or None when it cannot be one."""
    try:
        raw = b32decode(text.upper() + "=" * (-len(text) % 8))
    except (ValueError, binascii.Error):
        return None
    if len(raw) != _NUMBER.size + SIGNATURE_BYTES:
        return None
    (message_id,) = _NUMBER.unpack(raw[: _NUMBER.size])
    return Token(message_id, 0, raw[_NUMBER.size :])
