"""How a file that came from outside is written: encoding, separator, quote, and where its table begins. Each guess says why.

bytes ── encoding ── text ── separator, quote ── rows ── the row with the names of the columns
"""

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cegla.collect.rules.contents import is_value
from cegla.collect.rules.headings import role_of
from cegla.vocabulary.text import Text

SEPARATORS: dict[str, Text] = {
    ";": Text("średnik", "semicolon"),
    ",": Text("przecinek", "comma"),
    "\t": Text("tabulator", "tab"),
    "|": Text("kreska pionowa", "vertical bar"),
}
ROWS_LOOKED_AT = 200
LAST_HEADER_ROW = 50
_SHARE_SURE = 0.95
_NAMES_COUNT = 0.3  #: what a first row of names is worth beside the shape of the table

#: Bytes of ą ś ź Ą Ś Ź; ć ę ł ń ó ż are the same in both. The ones of Windows-1250 at 80-9F are control codes in ISO-8859-2.
_OF_CP1250, _OF_ISO = frozenset(b"\xb9\x9c\x9f\xa5\x8c\x8f"), frozenset(b"\xb1\xb6\xbc\xa1\xa6\xac")
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LETTERS = re.compile(r"\w*[^\W\d_a-zA-Z]\w*")


@dataclass(frozen=True)
class Guessed:
    """One thing about how a file is written, and why we think so. `field` is one of FileForm."""

    field: str
    value: str
    reason: Text
    sure: bool


def guess_encoding(pieces: Sequence[bytes]) -> Guessed:
    """The encoding of a text, from its beginning and, when that is all ASCII, later pieces of it."""
    head = pieces[0] if pieces else b""
    for mark, name in _BOMS.items():
        if head.startswith(mark):
            return Guessed("encoding", name, Text("plik zaczyna się od znacznika BOM", "the file begins with a byte order mark"), True)
    if head[:1000].count(0) > len(head[:1000]) // 4:
        name = "utf-16-le" if head[1:1000:2].count(0) > head[:1000:2].count(0) else "utf-16-be"
        return Guessed("encoding", name, Text("co drugi bajt jest zerem", "every other byte is zero"), True)
    if all(piece.isascii() for piece in pieces):
        return Guessed("encoding", "utf-8", Text("nie ma liter spoza ASCII", "there are no letters beyond ASCII"), True)
    if all(_is_utf8(piece) for piece in pieces):
        return Guessed("encoding", "utf-8", _seen(pieces, "utf-8", Text("znaki układają się w UTF-8", "the letters are valid UTF-8")), True)
    return _one_byte_encoding(pieces)


def _one_byte_encoding(pieces: Sequence[bytes]) -> Guessed:
    found = Counter(byte for piece in pieces for byte in piece if byte > 127)
    windows = sum(count for byte, count in found.items() if byte in _OF_CP1250 or byte < 0xA0)
    iso = sum(count for byte, count in found.items() if byte in _OF_ISO)
    name = "iso-8859-2" if iso > windows and not any(byte < 0xA0 for byte in found) else "cp1250"
    if name == "cp1250" and found.keys() & set(b"\x81\x83\x88\x90\x98"):
        name = "iso-8859-2"
    said = {"cp1250": "Windows-1250", "iso-8859-2": "ISO-8859-2"}[name]
    if windows or iso:
        reason = Text(f"ą, ś, ź są zapisane jak w {said}", f"ą, ś, ź are written as in {said}")
    else:
        reason = Text("to nie UTF-8; te litery są takie same w Windows-1250 i ISO-8859-2", "it is not UTF-8; Windows-1250 and ISO-8859-2 agree on its letters")
    return Guessed("encoding", name, _seen(pieces, name, reason), windows * 10 <= iso or iso * 10 <= windows)


def _is_utf8(piece: bytes) -> bool:
    """Whether a piece cut anywhere is UTF-8."""
    start = next((at for at, byte in enumerate(piece[:4]) if byte & 0xC0 != 0x80), 0)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece[start:])
    except UnicodeDecodeError:
        return False
    return True


def _seen(pieces: Sequence[bytes], encoding: str, reason: Text) -> Text:
    """The reason, with a word of the file to look at."""
    for piece in pieces:
        at = next((place for place, byte in enumerate(piece) if byte > 127), None)
        if at is not None:
            word = _LETTERS.search(piece[max(0, at - 30) : at + 30].decode(encoding, errors="ignore"))
            if word:
                return Text(f"{reason.pl}: „{word[0]}”", f"{reason.en}: “{word[0]}”")
    return reason


def guess_separator(text: str, quote: str) -> Guessed:
    """The separator of a CSV text: the one that cuts nearly all rows into equally many fields, the first into names."""
    scores = {separator: _shape(text, separator, quote) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: scores[separator])
    score, fields, share = scores[best]
    if not score:
        return Guessed("separator", ",", Text("jest tylko jedna kolumna", "there is only one column"), False)
    others = max(scores[separator][0] for separator in SEPARATORS if separator != best)
    said = SEPARATORS[best]
    reason = Text(
        f"{said.pl} dzieli {share:.0%} wierszy na {fields} pól",
        f"the {said.en} cuts {share:.0%} of the rows into {fields} fields",
    )
    return Guessed("separator", best, reason, share >= _SHARE_SURE and others < score)


def _shape(text: str, separator: str, quote: str) -> tuple[float, int, float]:
    """How well a separator fits (0: not at all), the usual number of fields, and the share of rows that have it."""
    rows = [row for row in split(text, separator, quote)[:ROWS_LOOKED_AT] if any(cell.strip() for cell in row)]
    if not rows:
        return 0.0, 0, 0.0
    fields = Counter(len(row) for row in rows if len(row) > 1)
    if not fields:
        return 0.0, 0, 0.0
    usual = max(fields, key=lambda count: (fields[count] * (1 - 1 / count), count))
    start = next(at for at, row in enumerate(rows) if len(row) == usual)
    body = rows[start:]
    share = sum(len(row) == usual for row in body) / len(body)
    before = start / len(rows)  # rows of a title are few
    names = _NAMES_COUNT if _are_names(body[0]) else 0.0
    return share * share * (1 - 1 / usual) * (1 - before) + names * share, usual, share


def split(text: str, separator: str, quote: str) -> list[list[str]]:
    """The rows of a text; as far as they can be read."""
    rows: list[list[str]] = []
    try:
        rows.extend(csv.reader(text.split("\n") if "\r" not in text else re.split(r"(?<=\n)|(?<=\r)(?!\n)", text), delimiter=separator, quotechar=quote))
    except csv.Error:
        pass
    return rows


def guess_quote(text: str) -> Guessed:
    """The character around fields."""
    double, single = (len(re.findall(rf"(?:^|[;,\t|]){mark}[^{mark}\n]*{mark}(?=[;,\t|\r\n]|$)", text, re.MULTILINE)) for mark in ('"', "'"))
    if single > double:
        return Guessed("quote", "'", Text("pola są w apostrofach", "fields are in apostrophes"), not double)
    reason = Text("pola są w cudzysłowach", "fields are in quotes") if double else Text("pola nie są w cudzysłowach", "fields are not quoted")
    return Guessed("quote", '"', reason, not single)


def guess_header_row(rows: Sequence[Sequence[str | None]]) -> Guessed:
    """The number of the row with the names of the columns, counted from 1; 0 when the table begins without one."""
    filled = [sum(1 for cell in row if cell and cell.strip()) for row in rows]
    usual = Counter(count for count in filled if count > 1).most_common(1)
    least = max(1, (usual[0][0] if usual else 1) * 0.6)
    for number, (row, count) in enumerate(zip(rows[:LAST_HEADER_ROW], filled, strict=False), 1):
        if count < least:
            continue
        known = [cell for cell in row if cell and role_of(cell)]
        if known and not any(is_value(cell) for cell in known):
            polish, english = (", ".join(f"{mark}{cell.strip()}”" for cell in known[:3]) for mark in "„“")
            return Guessed("header_row", str(number), Text(f"wiersz {number} ma znane nazwy: {polish}", f"row {number} has known names: {english}"), True)
        if _are_names([cell or "" for cell in row]):
            reason = Text(f"wiersz {number} ma nazwy zamiast wartości", f"row {number} has names and no values")
            return Guessed("header_row", str(number), reason, len(rows) > 1 and not _are_names([cell or "" for cell in rows[-1]]))
        reason = Text("pierwszy pełny wiersz ma już wartości", "the first full row already has values")
        return Guessed("header_row", "0", reason, any(is_value(cell) for cell in row if cell))
    return Guessed("header_row", "1", Text("plik ma same krótkie wiersze", "the file has short rows only"), False)


def _are_names(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row if cell.strip()]
    return bool(cells) and not any(is_value(cell) for cell in cells) and len(set(cells)) == len(cells) and len(cells) * 2 > len(row)
