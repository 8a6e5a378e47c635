"""A part of a message as pieces: those that are the same for everybody, encoded once, and a person's own between them.

Base64 turns three bytes into four letters, so what a fixed piece becomes depends on where it begins within such a group of three. There are
three such places: for each of them the piece is encoded once, and the one to three bytes at its edges go with its neighbours.
"""

import re
from binascii import b2a_base64
from collections.abc import Sequence
from functools import cached_property

LINE_BYTES = 57  #: become 76 letters, the longest line of RFC 2045
SHORT_BYTES = 120  #: below this a piece is not worth a line of its own
BODY_END = "</body>"
_GAPS = re.compile(r"\n{3,}")


class Fixed:
    """Text that many letters share."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.raw = text.encode("utf-8", "replace")

    def __str__(self) -> str:
        return self.text

    @cached_property
    def encoded(self) -> tuple[tuple[bytes, bytes], ...]:
        """For each number of bytes at the beginning that go with the neighbour before: the lines, and the bytes left for the one behind."""
        found: list[tuple[bytes, bytes]] = []
        for taken in range(3):
            rest = self.raw[taken:]
            whole = len(rest) - len(rest) % 3
            found.append((lines(rest[:whole]), rest[whole:]))
        return tuple(found)


Pieces = Sequence[Fixed | str]


def lines(raw: bytes) -> bytes:
    """Base64 in lines of 76 letters, each ended by CRLF."""
    if len(raw) <= LINE_BYTES:  # a person's own piece, as a rule
        return b2a_base64(raw, newline=False) + b"\r\n" if raw else b""
    return b"".join([b2a_base64(raw[start : start + LINE_BYTES], newline=False) + b"\r\n" for start in range(0, len(raw), LINE_BYTES)])


def base64_parts(pieces: Pieces) -> list[bytes]:
    """The base64 text, to be joined. A fixed piece begins on a line of its own, so lines may be shorter than 76 letters, never longer."""
    made: list[bytes] = []
    open_bytes = b""  # not encoded yet
    for piece in pieces:
        if isinstance(piece, str):
            open_bytes += piece.encode("utf-8", "replace")
        elif len(piece.raw) < SHORT_BYTES:
            open_bytes += piece.raw
        else:
            taken = -len(open_bytes) % 3
            encoded, left = piece.encoded[taken]
            made += (lines(open_bytes + piece.raw[:taken]), encoded)
            open_bytes = left
    made.append(lines(open_bytes))
    return made


class Shape:
    """What is the same in a part for everybody: `pieces` with None where a personal one goes, ready to be filled."""

    def __init__(self, pieces: Sequence[str | None], line_at: int | None = None) -> None:
        self.pieces = [None if piece is None else Fixed(piece) for piece in pieces]
        self.line_at = line_at  #: where a line of ours at the end goes: before this piece

    def filled(self, personal: Sequence[str], line: str = "") -> list[Fixed | str]:
        """The part for one person, with a line at its end; only for a shape that has a `line_at`."""
        own = iter(personal)
        made: list[Fixed | str] = [next(own) if piece is None else piece for piece in self.pieces]
        if line and self.line_at is not None:
            made.insert(self.line_at, line)
        return made


def html_shape(pieces: Sequence[str | None]) -> Shape:
    """The shape of an HTML part: a line at its end stands before the last end of the body, if that is the same for everybody."""
    ending = max((number for number, piece in enumerate(pieces) if piece is not None and BODY_END in piece), default=None)
    if ending is None:
        return Shape(pieces)
    before, _, behind = str(pieces[ending]).rpartition(BODY_END)
    return Shape([*pieces[:ending], before, BODY_END + behind, *pieces[ending + 1 :]], ending + 1)


def text_shape(pieces: Sequence[str | None]) -> Shape:
    """The shape of a text part, where no more than one line is empty in a row; a line at its end stands at its very end."""
    calm = [None if piece is None else calmed(piece) for piece in pieces]
    return Shape([*calm[:-1], calm[-1].rstrip()], len(calm)) if calm and calm[-1] is not None else Shape(calm)


def calmed(text: str) -> str:
    """The text with one empty line at most between two others."""
    return _GAPS.sub("\n\n", text)


def calm(personal: Sequence[str]) -> bool:
    """Whether pieces may stand between calmed ones and all is calm."""
    return all(piece and piece[0] != "\n" and piece[-1] != "\n" and "\n\n\n" not in piece for piece in personal)
