"""A message as bytes, ready for SMTP: RFC 5322 headers, RFC 2047 words, a text and an HTML part in base64.

Written by hand because the standard library's writer takes several milliseconds a message and folds a long List-Unsubscribe
into encoded words, which silently ends one-click. The tests read every message back with the standard library.
"""

import functools
import re
from binascii import b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from typing import NamedTuple

from cegla.activate.rules.dkim import Signer, Wanted, signatures, wanted
from cegla.activate.rules.pieces import Pieces, base64_parts
from cegla.vocabulary.errors.messages import HeaderRefused

WORD_BYTES = 45  # of UTF-8 in one encoded word: 45 become 60 characters, so that its line stays under the 76 of RFC 2047
FIRST_WORD_BYTES = 36  # beside the name of its header
LINE = 76
CONTROLS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
SPECIALS = frozenset('"<>@,;:.\\()[]')


@dataclass(frozen=True)
class Letter:
    """Everything a message says. `headers` are further headers in their order."""

    sender: str
    recipient: str
    subject: str
    text: str | Pieces
    html: str | Pieces
    message_id: str
    at: datetime
    headers: Sequence[tuple[str, str]] = ()


class Unsigned(NamedTuple):
    """A message that lacks nothing but its signatures."""

    fields: list[tuple[str, str]]
    body: bytes
    wanted: list[Wanted]


def written(letter: Letter, signers: Sequence[Signer] = ()) -> bytes:
    """The message with CRLF line ends, signed by each of `signers`. Raises HeaderRefused when a value would break out of its header."""
    made = unsigned(letter, signers)
    return signed(made, [one.signer.sign(one.content) for one in made.wanted])


def unsigned(letter: Letter, signers: Sequence[Signer] = ()) -> Unsigned:
    """The message but for its signatures. Raises HeaderRefused."""
    fields, body = _fields(letter), _body(letter)
    return Unsigned(fields, body, wanted(fields, body, signers, letter.at))


def signed(made: Unsigned, raw: Sequence[bytes]) -> bytes:
    """The message with the signatures that were wanted."""
    fields = [*signatures(made.wanted, raw), *made.fields]
    return b"".join(["".join([f"{header}: {value}\r\n" for header, value in fields]).encode("ascii"), b"\r\n", made.body])


def _fields(letter: Letter) -> list[tuple[str, str]]:
    name, address = mailbox_of(letter.sender)
    plain = (("From", address), ("To", letter.recipient), ("Message-ID", letter.message_id), *letter.headers)
    if CONTROLS.search("".join([letter.sender, letter.subject, *[value for _, value in plain]])):  # one look for all; which it is matters then
        for header, value in (("From", letter.sender), ("Subject", letter.subject), *plain):
            refuse_breakout(header, value)
    if not "".join([value for _, value in plain]).isascii():
        header = next(header for header, value in plain if not value.isascii())
        raise HeaderRefused(where=header, header=header)
    return [
        ("From", _mailbox(name, address)),
        ("To", letter.recipient),
        ("Subject", words(letter.subject)),
        ("Date", _date(letter.at)),
        ("Message-ID", letter.message_id),
        *((header, value.replace(">, <", ">,\r\n <")) for header, value in letter.headers),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{_boundary(letter.message_id)}"'),
    ]


def _body(letter: Letter) -> bytes:
    boundary = _boundary(letter.message_id)
    return b"".join([*_part(boundary, "plain", letter.text), *_part(boundary, "html", letter.html), f"--{boundary}--\r\n".encode()])


def _boundary(message_id: str) -> str:
    """The parts are base64, where no line begins with a hyphen, so any text will do."""
    return "=_cegla_" + message_id.strip("<>").partition("@")[0]


@functools.lru_cache(8)  # a round has one time
def _date(at: datetime) -> str:
    return format_datetime(at)


@functools.lru_cache(64)  # a campaign has one sender
def _mailbox(name: str, address: str) -> str:
    if not name:
        return address
    shown = display_name(name)
    gap = " " if len(shown.rpartition("\n")[2]) + len(address) < LINE - 10 else "\r\n "
    return f"{shown}{gap}<{address}>"


@functools.lru_cache(64)
def mailbox_of(sender: str) -> tuple[str, str]:
    """Name and address of a From header; a campaign has one, and parsing it costs more than writing the rest of the header."""
    return parseaddr(sender)


def refuse_breakout(header: str, value: str) -> None:
    """Raise HeaderRefused for control characters: a line break in a merged value would start a header of somebody else's choice."""
    if CONTROLS.search(value):
        raise HeaderRefused(where=header, header=header)


def display_name(name: str) -> str:
    """The name before an address: encoded when it holds anything that has a meaning there."""
    return encoded(name) if set(name) & SPECIALS else words(name)


def words(text: str) -> str:
    """Text for a header: as it is when it is plain ASCII that fits a line, else encoded."""
    return text if text.isascii() and len(text) <= LINE - 10 and "=?" not in text else encoded(text)


def encoded(text: str) -> str:
    """UTF-8 encoded words (RFC 2047), each at most 75 characters and on a line of its own, never cutting a letter."""
    raw = text.encode("utf-8", "replace")
    chunks: list[bytes] = []
    start = 0
    while start < len(raw) or not chunks:
        end = start + (WORD_BYTES if chunks else FIRST_WORD_BYTES)
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # within a letter
            end -= 1
        chunks.append(raw[start:end])
        start = end
    return "\r\n ".join([f"=?utf-8?B?{b2a_base64(part, newline=False).decode()}?=" for part in chunks])


def _part(boundary: str, kind: str, content: str | Pieces) -> list[bytes]:
    head = f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'.encode()
    return [head, *base64_parts((content,) if isinstance(content, str) else content)]
