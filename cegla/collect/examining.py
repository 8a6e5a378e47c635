"""A file looked at before anybody described it: how it is written, what its columns are, and which mapping fits.

Only its beginning is read (of a workbook, the sheet), so the answer comes at once however long the file is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from cegla.collect import sheets, tables
from cegla.collect.rules.contents import ColumnGuess, Promise, guess_column
from cegla.collect.rules.guessing import Guessed, guess_encoding, guess_header_row, guess_quote, guess_separator, split
from cegla.collect.rules.headings import role_of
from cegla.collect.rules.mapping import ColumnForm, FileForm
from cegla.collect.rules.proposing import KNOWN_LOG, Kind, Proposed, propose
from cegla.collect.rules.switchboard import MAPPINGS, kind_of
from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.text import Text

HEAD_BYTES = 1 << 20
MOST_BYTES_FOR_LETTERS = 64 << 20  #: how far a file without letters beyond ASCII is read on, to know its encoding
PIECES_WITH_LETTERS = 3
ROWS_FOR_HEADER = 60
BYTES_OF_A_LOG = 1 << 16  #: enough to know a switchboard's log by
ROWS_LOOKED_AT = 1_000
ROWS_SHOWN = 20
LONGEST_CELL = 200
SUFFIXES = {".xlsx": "xlsx", ".xlsm": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_DATED = frozenset(("order_time", "time", "consent_at", "created_at", "birthday"))
_NUMBERS_AS_NAMES = frozenset(("order_id", "user_id", "client", "anonymous_id", "sku", "product_id", "tax_id", "phone", "postal_code"))
TEXT, WHOLE = ColumnForm.model_validate({}), ColumnForm.model_validate({"type": "integer"})
_COUNTED = frozenset(("total", "price", "quantity"))
_AGREED = frozenset(("marketing_email", "marketing_sms", "analytics", "profiling", "email"))
OLD_EXCEL = Text("to stary skoroszyt Excela (.xls): zapisz go jako .xlsx", "it is an old Excel workbook (.xls): save it as .xlsx")
JSON_LIST = Text(
    "to jedna lista JSON: zapisz każdy obiekt w osobnym wierszu (JSON Lines)", "it is one JSON list: write each object on a line of its own (JSON Lines)"
)
_JSON_LIST = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{\s*\"")
_FORMATS = {
    "csv": "CSV", "xlsx": "Excel", "jsonl": "JSON Lines", "parquet": "Parquet", "asterisk_cdr": "Asterisk CDR",
    "asterisk_queue_log": "Asterisk queue_log",
}  # fmt: skip


@dataclass(frozen=True)
class Examined:
    """What a file seems to be; see the types of its parts. `mapping` is complete but for `acquired`."""

    format: str
    form: FileForm  #: ready to use
    guessed: tuple[Guessed, ...]
    columns: tuple[ColumnGuess, ...]
    preview: list[list[str]]  #: the first ROWS_SHOWN rows
    kind: Kind
    mapping: dict[str, Any]
    proposals: tuple[Proposed, ...]
    questions: tuple[Text, ...]  #: what a person must decide


def examine(path: Path, name: str, zone: str = "Europe/Warsaw", form: FileForm | None = None) -> Examined:
    """Guess how the file at `path` is written and propose a mapping; `name` is what its owner calls it.

    `zone` is the one of clocks that name none. A `form` that is given holds; what was guessed is then told as far as it agrees. Raises FileUnreadable.
    """
    try:
        guessed, found = _form(path, name) if form is None else (_agreeing(path, name, form), form)
        some = next(tables.parts(path, found)).texts.slice(0, ROWS_LOOKED_AT)
    except (OSError, pa.ArrowException, EOFError) as error:
        raise FileUnreadable(where=name, detail=tables.reason(error)) from None
    texts = {column: some[column].to_pylist() for column in some.column_names if column not in tables.ERROR_COLUMNS}
    columns = tuple(_column(column, values, zone) for column, values in texts.items())
    if found.format in MAPPINGS:
        columns = tuple(replace(guess, form=_known_form(found.format, guess.name), reason=KNOWN_LOG, ambiguous=(), doubt=None, odd=()) for guess in columns)
    rows = [dict(zip(texts, values, strict=True)) for values in zip(*texts.values(), strict=True)]
    proposal = propose(name, found, columns, rows)
    questions = (*_about_form(guessed, path, found), *proposal.questions)
    preview = [[(cell or "")[:LONGEST_CELL] for cell in row.values()] for row in rows[:ROWS_SHOWN]]
    return Examined(found.format, found, guessed, columns, preview, proposal.kind, proposal.mapping, proposal.proposals, questions)


def _column(name: str, texts: list[str | None], zone: str) -> ColumnGuess:
    role = role_of(name)
    key = role.key if role else ""
    guess = guess_column(name, texts, zone, Promise(dated=key in _DATED, counted=key in _COUNTED, agreed=key in _AGREED))
    if key in _NUMBERS_AS_NAMES and guess.form == WHOLE and all("." not in sample for sample in guess.samples):
        return replace(guess, form=TEXT, reason=Text("to numery, nie liczby", "these are numbers that name something, not amounts"))
    return guess


def _known_form(log: str, column: str) -> ColumnForm:
    """What a column of a switchboard's log is: known, not guessed, since numbers of calls and extensions look like amounts."""
    forms: Any = MAPPINGS[log]["columns"]
    return ColumnForm.model_validate(forms.get(column, {}))


def _agreeing(path: Path, name: str, form: FileForm) -> tuple[Guessed, ...]:
    """The guesses that a form given by a person agrees with."""
    try:
        return tuple(guess for guess in _form(path, name)[0] if str(getattr(form, guess.field)) == guess.value)
    except FileUnreadable:
        return ()  # a person may know better what the file is than its name does


def _form(path: Path, name: str) -> tuple[tuple[Guessed, ...], FileForm]:
    pieces = list(_pieces(path))
    if not pieces:
        raise FileUnreadable(where=name, detail=Text("jest pusty", "it is empty"))
    form, why = _format(name, pieces[0])
    guessed = [Guessed("format", form, why, True)]
    if form == "xlsx":
        guessed.append(guess_header_row(list(islice(sheets.rows(path, ""), ROWS_FOR_HEADER))))
    elif form != "parquet":
        guessed.append(guess_encoding(pieces))
        if form == "csv":
            guessed += _dialect(pieces[0], guessed[-1].value, whole=len(pieces[0]) < HEAD_BYTES)
    return tuple(guessed), FileForm.model_validate({guess.field: guess.value for guess in guessed})


def _dialect(head: bytes, encoding: str, whole: bool) -> list[Guessed]:
    text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
    if not whole:
        text = text.rpartition("\n")[0] or text
    quote = guess_quote(text)
    separator = guess_separator(text, quote.value)
    header = guess_header_row(split(text, separator.value, quote.value)[:ROWS_FOR_HEADER])
    return [separator, quote, header]


def _format(name: str, head: bytes) -> tuple[str, Text]:
    """By the first bytes, since names lie; a text by the ending of its name, or by its first letter."""
    if head.startswith(b"PK\x03\x04"):
        return "xlsx", Text("zaczyna się jak skoroszyt Excela", "it begins as an Excel workbook does")
    if head.startswith(b"PAR1"):
        return "parquet", Text("zaczyna się jak plik Parquet", "it begins as a Parquet file does")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileUnreadable(where=name, detail=OLD_EXCEL)
    bare = name.lower().removesuffix(".gz").removesuffix(".zst")
    ending = next((kind for suffix, kind in SUFFIXES.items() if bare.endswith(suffix)), None)
    if ending == "jsonl" or (ending is None and head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")):
        return "jsonl", Text("wiersze są obiektami JSON", "its lines are JSON objects")
    if _JSON_LIST.match(head):
        raise FileUnreadable(where=name, detail=JSON_LIST)
    if ending in ("xlsx", "parquet"):
        said = _FORMATS[ending]
        raise FileUnreadable(where=name, detail=Text(f"to nie jest plik {said}, choć tak się nazywa", f"it is no {said} file, though its name says so"))
    log = kind_of(head[:BYTES_OF_A_LOG].decode("utf-8", errors="replace"))
    if log is not None:
        return log, Text(f"to zapisy rozmów centrali ({_FORMATS[log]})", f"these are a switchboard's records of calls ({_FORMATS[log]})")
    return "csv", Text("to tekst podzielony na pola", "it is text divided into fields")


def _pieces(path: Path) -> Iterator[bytes]:
    """The beginning of a file, and a few later pieces that hold letters beyond ASCII when the beginning has none."""
    with tables.opened(path) as stream:
        head = stream.read(HEAD_BYTES)
        if not head:
            return
        yield head
        taken, read = 0, len(head)
        while head.isascii() and taken < PIECES_WITH_LETTERS and read < MOST_BYTES_FOR_LETTERS and (block := stream.read(HEAD_BYTES)):
            read += len(block)
            if not block.isascii():
                taken += 1
                yield block


def _about_form(guessed: tuple[Guessed, ...], path: Path, form: FileForm) -> Iterator[Text]:
    for guess in guessed:
        if guess.sure:
            continue
        if guess.field == "header_row":
            yield Text("W którym wierszu są nazwy kolumn? Nie mamy pewności.", "Which row holds the names of the columns? We are not sure.")
        elif guess.field == "separator":
            yield Text("Jaki znak dzieli pola? Nie mamy pewności.", "Which character separates the fields? We are not sure.")
    if form.format == "xlsx" and not form.sheet and len(names := sheets.names(path)) > 1:
        listed = ", ".join(names[:20])
        yield Text(f"Skoroszyt ma kilka arkuszy ({listed}); czytamy pierwszy.", f"The workbook has several sheets ({listed}); the first is read.")
