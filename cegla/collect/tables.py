"""Files as columns of text, part after part, so that a file of any length fits: CSV, Excel, JSON Lines, Parquet.

    parts(path, form) ─► Part: a table of text columns, the number of each row, rows that did not split into fields

Files are hostile: what they unpack to is measured before, a row has a longest length, and nothing in them is run.
"""

import codecs
import csv
from bisect import bisect_right
from collections import Counter
from collections.abc import Generator, Iterator
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from cegla.collect import sheets
from cegla.collect.rules.columns import RowProblem
from cegla.collect.rules.formulas import PATTERN_OF_SAFE
from cegla.collect.rules.mapping import FileForm
from cegla.collect.rules.rows import RowError, pc
from cegla.collect.rules.switchboard import COLUMNS, FORMATS, Call, Switchboard
from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.text import Text

BLOCK_BYTES = 4 << 20  #: also the longest row of a CSV file
ROWS_IN_A_PART = 20_000  #: what is made of a row on its way takes twenty times its room
LONGEST_LINE_BYTES = 4 << 20  #: of JSON Lines
MOST_COLUMNS = 2_000
LINES_BETWEEN_CALLS = 1_000  #: of a switchboard's log, before calls that are over are told
ROWS_FOR_NAMES = 1_000  #: of JSON Lines: a name that first appears later is no column
LARGEST_UNPACKED_BYTES = 50 << 30
_FIRST_DAY_MICROS, _LAST_DAY_MICROS = -62_135_510_400_000_000, 253_402_214_400_000_000  #: 4 January 1 and 31 December 9999
PACKED = {".gz": "gzip", ".zst": "zstd"}
ERROR_COLUMNS = ("cegla_row", "cegla_column", "cegla_problem", "cegla_what", "cegla_seen")

HEADER_WRONG = Text("nie ma wiersza z nazwami kolumn", "there is no line with the names of the columns")
TOO_WIDE = Text(f"jest w nim ponad {MOST_COLUMNS} kolumn", f"it has more than {MOST_COLUMNS} columns")
TOO_LARGE = Text("po rozpakowaniu ma ponad 50 GB", "unpacked it is larger than 50 GB")
NO_OBJECTS = Text(
    "żaden z pierwszych wierszy nie jest obiektem JSON: zapisz każdy obiekt w jednym wierszu (JSON Lines)",
    "none of the first lines is a JSON object: write each object on one line (JSON Lines)",
)
LONG_ROW = Text(
    "jeden wiersz ma ponad 4 MB: może gdzieś nie zamknięto cudzysłowu albo podano zły separator",
    "one row is longer than 4 MB: a quote may not be closed, or the separator is another",
)


class Part(NamedTuple):
    """Some rows of a file. Every column is text with nulls where it is empty; `numbers` count rows from 1, the header not included."""

    texts: pa.Table
    numbers: Any
    broken: list[RowError]


def parts(path: Path, form: FileForm) -> Generator[Part]:
    """The rows of a file. Raises FileUnreadable, also half-way."""
    readers = {"csv": _csv, "xlsx": _excel, "jsonl": _json_lines, "parquet": _parquet} | dict.fromkeys(FORMATS, _switchboard)
    read = readers[form.format]
    try:
        for part in read(path, form):
            yield _made_whole(part) if set(ERROR_COLUMNS) <= set(part.texts.column_names) else part
    except (OSError, pa.ArrowException, ValueError, OverflowError, EOFError) as error:
        raise FileUnreadable(where=str(path), detail=reason(error)) from None


def columns(path: Path, form: FileForm) -> list[str]:
    """The names of a file's columns."""
    if form.format == "csv":
        return _header(path, form)
    if form.format in FORMATS:
        return [*COLUMNS]
    return next(parts(path, form)).texts.column_names


def opened(path: Path) -> Any:
    """The bytes of a file as a stream, unpacked when its name says it is packed."""
    return pa.input_stream(str(path), compression=PACKED.get(path.suffix.lower()))


def look_over(path: Path, form: FileForm) -> int:
    """Read the whole text once: it must be in the encoding given, since Arrow shows a broken row to nobody but the terminal.

    Returns about how many rows there are, 0 when that cannot be known so soon. Raises FileUnreadable.
    """
    if form.format not in ("csv", "jsonl", *FORMATS):
        return 0
    lines = 0
    decoder, unpacked = codecs.getincrementaldecoder(form.encoding)(), 0
    try:
        with opened(path) as stream:
            while block := stream.read(1 << 20):
                decoder.decode(block)
                unpacked += len(block)
                lines += block.count(b"\n")
                if unpacked > LARGEST_UNPACKED_BYTES:
                    raise FileUnreadable(where=str(path), detail=TOO_LARGE)
        decoder.decode(b"", final=True)
    except (OSError, pa.ArrowException, UnicodeDecodeError, EOFError) as error:
        raise FileUnreadable(where=str(path), detail=reason(error)) from None
    return lines


def distinct(names: list[str], path: Path) -> list[str]:
    """Names of columns without blanks around them, each once: an empty one is column_3, a second `Kwota` is `Kwota (2)`."""
    if len(names) > MOST_COLUMNS:
        raise FileUnreadable(where=f"{path}:1", detail=TOO_WIDE)
    taken: set[str] = set()
    found: list[str] = []
    for number, name in enumerate(names, 1):
        plain = name.strip().replace("{", "(").replace("}", ")") or f"column_{number}"
        chosen = next(one for one in (plain, *(f"{plain} ({again})" for again in range(2, len(names) + 2))) if one not in taken)
        taken.add(chosen)
        found.append(chosen)
    return found


def _made_whole(part: Part) -> Part:
    """A file of refused rows comes back: cells that were made harmless for spreadsheets are as they were."""
    whole = [pc.replace_substring_regex(column, PATTERN_OF_SAFE, r"\1") for column in part.texts.columns]
    return part._replace(texts=pa.table(dict(zip(part.texts.column_names, whole, strict=True))).drop_columns(list(ERROR_COLUMNS)))


# CSV ---------------------------------------------------------------------------------------------------------------------


def _csv(path: Path, form: FileForm) -> Iterator[Part]:
    names, seen = _header(path, form), _Numbers()

    def remember(row: Any) -> str:
        seen.broken.append(RowError(row.number - form.header_row, "", RowProblem.WRONG_NUMBER_OF_FIELDS, row.text[:200]))
        return "skip"

    with opened(path) as stream:
        try:
            reader = arrow_csv.open_csv(
                stream,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, encoding=form.encoding, column_names=names, skip_rows_after_names=form.header_row
                ),
                parse_options=arrow_csv.ParseOptions(delimiter=form.separator, quote_char=form.quote, newlines_in_values=True, invalid_row_handler=remember),
                convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV file" in str(error):
                yield Part(_nothing(names), np.arange(0), [])
                return
            raise
        for batch in reader:
            yield from _pieces(seen.numbered(pa.Table.from_batches([batch])))
        yield seen.rest(names)


def _pieces(part: Part) -> Iterator[Part]:
    """A part in pieces of at most ROWS_IN_A_PART rows, each with the broken rows up to its end."""
    rows, told = part.texts.num_rows, 0
    for start in range(0, rows, ROWS_IN_A_PART):
        numbers = part.numbers[start : start + ROWS_IN_A_PART]
        upto = bisect_right(part.broken, numbers[-1], told, key=attrgetter("row")) if start + ROWS_IN_A_PART < rows else len(part.broken)
        yield Part(part.texts.slice(start, ROWS_IN_A_PART), numbers, part.broken[told:upto])
        told = upto
    if not rows and part.broken:
        yield part


class _Numbers:
    """Gives rows their numbers: Arrow leaves broken rows out and tells them, perhaps ahead of the part they belong to."""

    def __init__(self) -> None:
        self.broken: list[RowError] = []
        self._last = 0

    def numbered(self, texts: pa.Table) -> Part:
        """The next part."""
        candidates = np.arange(self._last + 1, self._last + 1 + texts.num_rows + len(self.broken))
        numbers = candidates[~np.isin(candidates, [error.row for error in self.broken])][: texts.num_rows]
        if len(numbers):
            self._last = int(numbers[-1])
        now = [error for error in self.broken if error.row <= self._last]
        self.broken[:] = [error for error in self.broken if error.row > self._last]
        return Part(texts, numbers, now)

    def rest(self, names: list[str]) -> Part:
        """Broken rows after the last good one."""
        return Part(_nothing(names), np.arange(0), list(self.broken))


def _nothing(names: list[str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _header(path: Path, form: FileForm) -> list[str]:
    """The column names of a CSV file."""
    encoding = "utf-8-sig" if form.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else form.encoding
    try:
        with opened(path) as stream:
            head = stream.read(1 << 18).decode(encoding, errors="replace")
        rows = csv.reader(head.splitlines(keepends=True), delimiter=form.separator, quotechar=form.quote)
        names = next(islice(rows, max(form.header_row, 1) - 1, None), [])
    except (OSError, pa.ArrowException, EOFError) as error:
        raise FileUnreadable(where=str(path), detail=reason(error)) from None
    except csv.Error:
        raise FileUnreadable(where=f"{path}:1", detail=LONG_ROW) from None
    if not names:
        raise FileUnreadable(where=f"{path}:{max(form.header_row, 1)}", detail=HEADER_WRONG)
    return distinct(names if form.header_row else [""] * len(names), path)


# the others --------------------------------------------------------------------------------------------------------------


def _excel(path: Path, form: FileForm) -> Iterator[Part]:
    rows = sheets.rows(path, form.sheet)
    names = next(islice(rows, form.header_row - 1, None), None) if form.header_row else None
    first = None if form.header_row else next(rows, None)
    if names is None and first is None:
        raise FileUnreadable(where=str(path), detail=HEADER_WRONG)
    header = distinct([name or "" for name in names] if names is not None else [""] * len(first or ()), path)
    if first is not None:
        rows = (row for some in ((first,), rows) for row in some)
    number = 0
    while some := list(islice(rows, ROWS_IN_A_PART)):
        columns = zip(*some, strict=True)
        table = pa.table({name: pa.array(values, pa.string()) for name, values in zip(header, columns, strict=True)})
        numbers = np.arange(number + 1, number + 1 + len(some))
        number += len(some)
        blank = np.array([not any(row) for row in some])
        yield Part(table.filter(pa.array(~blank)), numbers[~blank], [])
    if not number:
        yield Part(_nothing(header), np.arange(0), [])


def _json_lines(path: Path, form: FileForm) -> Iterator[Part]:
    lines = _lines(path, form.encoding)
    head = list(islice(lines, ROWS_FOR_NAMES))
    found = Counter(name for _, row, _ in head if row is not None for name in row)
    names = distinct(list(found), path)
    keys = list(found)
    if not names:
        raise FileUnreadable(where=f"{path}:1", detail=NO_OBJECTS)
    everything = (line for some in (head, lines) for line in some)
    first = True
    while some := list(islice(everything, ROWS_IN_A_PART)):
        good = [(number, row) for number, row, _ in some if row is not None]
        table = pa.table({name: pa.array([row.get(key) for _, row in good], pa.string()) for name, key in zip(names, keys, strict=True)})
        broken = [RowError(number, "", problem, "") for number, _, problem in some if problem is not None]
        yield Part(table, np.array([number for number, _ in good], np.int64), broken)
        first = False
    if first:
        yield Part(_nothing(names), np.arange(0), [])


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, dict[str, str | None] | None, RowProblem | None]]:
    """Each line's number with its fields, or with what is wrong; blank lines are none."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    with opened(path) as stream:
        for number, line in enumerate(_split(stream), 1):
            if line is None:
                yield number, None, RowProblem.LINE_TOO_LONG
                continue
            text = line if encoding.lower() in ("utf-8", "utf8") else line.decode(encoding).encode()
            if not text.strip():
                continue
            try:
                yield number, dict(_flat("", decode(text.removeprefix(codecs.BOM_UTF8)))), None
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                yield number, None, RowProblem.NOT_AN_OBJECT


def _split(stream: Any) -> Iterator[bytes | None]:
    """The lines of a stream; None for one that is longer than any line should be."""
    rest, skipping = b"", False
    while block := stream.read(1 << 20):
        lines = (rest + block).split(b"\n")
        rest = lines.pop()
        for line in lines:
            yield None if skipping or len(line) > LONGEST_LINE_BYTES else line
            skipping = False
        if len(rest) > LONGEST_LINE_BYTES:
            rest, skipping = b"", True
    if rest or skipping:
        yield None if skipping else rest


def _flat(prefix: str, fields: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Fields of fields as `address.city`; lists as JSON."""
    for key, value in fields.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from _flat(f"{name}.", value)
        elif value is None or isinstance(value, str):
            yield name, value or None
        else:
            yield name, msgspec.json.encode(value).decode()


def _parquet(path: Path, form: FileForm) -> Iterator[Part]:
    import pyarrow.parquet as pq  # loaded for these files alone: it costs every start 20 MB

    number = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_IN_A_PART):
            table = pa.Table.from_batches([batch])
            while any(pa.types.is_struct(field.type) for field in table.schema):
                table = table.flatten()
            names = distinct(table.column_names, path)
            texts = pa.table({name: _as_texts(column) for name, column in zip(names, table.columns, strict=True)})
            yield Part(texts, np.arange(number + 1, number + 1 + table.num_rows), [])
            number += table.num_rows
        if not number:
            yield Part(_nothing(distinct([field.name for field in file.schema_arrow], path)), np.arange(0), [])


def _switchboard(path: Path, form: FileForm) -> Iterator[Part]:
    """Calls, one a row, out of the lines of a switchboard's log; a row has the number of the last line of its call."""
    board, broken, done = Switchboard(form.format), list[RowError](), list[Call]()
    with opened(path) as stream:
        for number, line in enumerate(_split(stream), 1):
            text = None if line is None else line.decode(form.encoding)
            if text is None:
                broken.append(RowError(number, "", RowProblem.LINE_TOO_LONG, ""))
            elif not board.take(number, text):
                broken.append(RowError(number, "", RowProblem.NOT_OF_A_CALL, text[:200]))
            if number % LINES_BETWEEN_CALLS == 0:
                done += board.over()
            if len(done) + len(broken) >= ROWS_IN_A_PART:
                yield _part_of(done, broken)
                broken, done = [], []
    yield _part_of([*done, *board.rest()], broken)


def _part_of(calls: list[Call], broken: list[RowError]) -> Part:
    ordered = sorted(calls, key=attrgetter("line"))
    rows = zip(*[call.row() for call in ordered], strict=True) if ordered else [[] for _ in COLUMNS]
    texts = pa.table({name: pa.array(values, pa.string()) for name, values in zip(COLUMNS, rows, strict=True)})
    return Part(texts, np.array([call.line for call in ordered], np.int64), broken)


def _as_texts(column: Any) -> Any:
    """Any Parquet column as text: times as ISO 8601, lists and maps as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        values = [None if value is None else msgspec.json.encode(value, enc_hook=str).decode() for value in column.to_pylist()]
        return pa.array(values, pa.string())
    if pa.types.is_timestamp(kind):
        return pa.array(_moments_as_texts(column.cast(pa.timestamp("us", kind.tz), safe=False)), pa.string())
    texts = column.cast(pa.string())
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _moments_as_texts(column: Any) -> list[str | None]:
    """Moments in ISO 8601; one beyond the years of the calendar, with a day to spare for its zone, as the number it is, which no form reads as a time."""
    numbers = column.cast(pa.int64())
    known = pc.and_(pc.greater(numbers, _FIRST_DAY_MICROS), pc.less(numbers, _LAST_DAY_MICROS))
    moments = pc.if_else(known, column, pa.scalar(None, column.type)).to_pylist()
    pairs = zip(moments, numbers.to_pylist(), strict=True)
    return [moment.isoformat() if moment is not None else None if number is None else str(number) for moment, number in pairs]


def reason(error: Exception) -> Text:
    """Why a file cannot be read: the common cases in words, the others as the library told them, on one line."""
    said = " ".join(str(error).split())[:300] or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return Text("nie ma takiego pliku", "there is no such file")
    if isinstance(error, PermissionError):
        return Text("brak uprawnień do odczytu", "no permission to read it")
    if isinstance(error, UnicodeDecodeError) or "UTF8" in said or "codec" in said:
        return Text("tekst jest w innym kodowaniu, niż podano", "the text is in another encoding than given")
    if "zlib" in said or "gzip" in said or "ompress" in said or "ZSTD" in said:
        return Text("archiwum jest uszkodzone", "the packed file is damaged")
    if "straddling" in said or "block size" in said:
        return LONG_ROW
    said = "".join(letter for letter in said.partition(": Expected")[0] if letter.isprintable())
    return Text(f"biblioteka mówi: {said}", said)
