"""File imports: a CSV file, a mapping, and the same door as every other event.

    read ── type and group (rules/rows.py) ── encode ── write down in the inbox, a few thousand events a transaction

Message ids follow from the import's name and the file's content, so running it again, also after a crash half-way,
writes the same ids, and intake lets each through once.
"""

import codecs
import csv
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import yaml
from pyarrow import csv as arrow_csv

from cegla.collect.rules.columns import PROBLEMS, RowProblem
from cegla.collect.rules.mapping import Mapping, check_columns, read_mapping
from cegla.collect.rules.rows import Plan, RowError, events, plan_events, read_sheet
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import FileUnreadable, MappingInvalid
from cegla.vocabulary.text import Language, Text

FIRST_EVENTS = 5
EVENTS_IN_A_BODY = 250
BYTES_IN_A_BODY = 400_000
BYTES_IN_A_TRANSACTION = 4_000_000
EVENTS_AT_ONCE = 2_000
LARGEST_EVENT_BYTES = 4_000_000
ERROR_COLUMNS = ("cegla_row", "cegla_column", "cegla_problem", "cegla_what", "cegla_seen")
HEADER_WRONG = Text("pierwszy wiersz musi nazywać każdą kolumnę dokładnie raz", "the first line must name each column once")

Progress = Callable[[str, int, int], None]  #: stage ("read", "plan", "write"), done, of all
WriteDown = Callable[[Connection, list[bytes], datetime], None]


@dataclass(frozen=True)
class ImportResult:
    """What became of a file. `rows` = `rows_used` + the number of rows in `errors`; seconds are per stage."""

    name: str
    source: str
    dry_run: bool
    rows: int
    rows_used: int
    events: int
    by_name: dict[str, int]  #: events by name; identify calls as "identify"
    total_micros: int | None  #: sum of all totals, with `total: lines`
    first_events: list[dict[str, Any]]
    errors: list[RowError]
    seconds: dict[str, float] = field(default_factory=dict)

    def problems(self) -> dict[RowProblem, int]:
        """How many rows have each problem."""
        return dict(Counter(error.problem for error in self.errors))


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises MappingInvalid (field and value seen) or FileUnreadable."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        problem = str(getattr(error, "problem", None) or error)
        raise MappingInvalid(where=where, detail=Text(f"to nie jest poprawny YAML ({problem})", f"it is not valid YAML ({problem})")) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(where=str(path), detail=_reason(error)) from None
    return read_mapping(values, str(path))


def run_import(ws: Workspace, path: Path, mapping: Mapping, write_down: WriteDown | None, errors_to: Path | None, progress: Progress | None) -> ImportResult:
    """Turn `path` into events and hand them to `write_down`, a transaction at a time; without it, only look (a dry run).

    Rows that cannot be used are in the result and, when given, in the CSV file `errors_to`; they cost the others nothing.
    Raises FileUnreadable and MappingInvalid before anything is written.
    """
    stages = _Stages(progress or (lambda _stage, _done, _of: None))
    with stages.timed("read"):
        table, numbers, broken = _read_table(path, mapping)
        check_columns(mapping, table.column_names)
    with stages.timed("plan"):
        stages.tell("plan", 0, table.num_rows)
        sheet = read_sheet(table, numbers, mapping)
        sheet.errors += broken
        plan = plan_events(sheet, mapping)
    sent = _Sent()
    for bodies in _transactions(plan, stages, sent):
        if write_down is not None:
            with stages.timed("write"), ws.transaction() as conn:
                write_down(conn, bodies, ws.clock())
        stages.tell("write", sent.planned, len(plan))
    errors = sorted([*plan.errors, *sent.errors], key=lambda error: error.row)
    if errors_to is not None:
        _write_errors(errors_to, mapping, _Refused(table, numbers, errors), ws.settings.language)
    total = None if plan.total_micros is None else int(plan.total_micros.sum()) - sent.left_out_micros
    return ImportResult(
        name=mapping.name, source=mapping.source, dry_run=write_down is None, rows=table.num_rows + len(broken), rows_used=len(plan.rows) - len(sent.errors),
        events=sent.by_name.total(), by_name=dict(sent.by_name), total_micros=total, first_events=sent.first, errors=errors, seconds=stages.seconds,
    )  # fmt: skip


class _Stages:
    """Seconds per stage, and the progress callback."""

    def __init__(self, tell: Progress) -> None:
        self.tell = tell
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Generator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - started


@dataclass
class _Sent:
    """What the writing loop counts."""

    by_name: Counter[str] = field(default_factory=Counter)
    planned: int = 0
    left_out_micros: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)


def _read_table(path: Path, mapping: Mapping) -> tuple[pa.Table, Any, list[RowError]]:
    """The file as columns of text, the number of each row, and the rows whose number of fields is wrong."""
    broken: list[RowError] = []

    def remember(row: Any) -> str:
        broken.append(RowError(row.number - 1, "", RowProblem.WRONG_NUMBER_OF_FIELDS, row.text[:200]))
        return "skip"

    form, header = mapping.file, _header(path, mapping)
    compression = "gzip" if path.suffix == ".gz" else None
    try:
        with pa.input_stream(str(path), compression=compression) as stream:
            _refuse_other_encodings(stream, form.encoding)
        with pa.input_stream(str(path), compression=compression) as stream:
            table = arrow_csv.read_csv(
                stream,
                read_options=arrow_csv.ReadOptions(use_threads=False, encoding=form.encoding),
                parse_options=arrow_csv.ParseOptions(delimiter=form.separator, quote_char=form.quote, newlines_in_values=True, invalid_row_handler=remember),
                convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]),
            )
    except (OSError, pa.ArrowException, UnicodeDecodeError, EOFError) as error:
        raise FileUnreadable(where=str(path), detail=_reason(error)) from None
    table = table.rename_columns([name.strip() for name in header])
    numbers = np.arange(1, table.num_rows + len(broken) + 1)
    return table, np.delete(numbers, [error.row - 1 for error in broken]), broken


def _refuse_other_encodings(stream: Any, encoding: str) -> None:
    """Read the text once before Arrow does, which shows a broken row to nobody but the terminal. Raises UnicodeDecodeError."""
    decoder = codecs.getincrementaldecoder(encoding)()
    while block := stream.read(1 << 20):
        decoder.decode(block)
    decoder.decode(b"", final=True)


def _header(path: Path, mapping: Mapping) -> list[str]:
    """The column names as written; each may be there once, blanks around it aside."""
    form = mapping.file
    encoding = "utf-8-sig" if form.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else form.encoding
    try:
        with pa.input_stream(str(path), compression="gzip" if path.suffix == ".gz" else None) as stream:
            head = stream.read(65_536).decode(encoding, errors="replace")
    except (OSError, pa.ArrowException, EOFError) as error:
        raise FileUnreadable(where=str(path), detail=_reason(error)) from None
    names = next(csv.reader(head.splitlines(keepends=True), delimiter=form.separator, quotechar=form.quote), [])
    twice = [name for name, times in Counter(name.strip() for name in names).items() if times > 1]
    if not names or twice:
        raise FileUnreadable(where=f"{path}:1", seen=", ".join(twice or names), detail=HEADER_WRONG)
    return names


def _transactions(plan: Plan, stages: _Stages, sent: _Sent) -> Generator[list[bytes]]:
    """Request bodies for one transaction at a time; a body ends after EVENTS_IN_A_BODY events or BYTES_IN_A_BODY bytes."""
    bodies: list[bytes] = []
    waiting: list[bytes] = []
    waiting_bytes = body_bytes = 0
    for encoded in _encoded(plan, stages, sent):
        waiting.append(encoded)
        waiting_bytes += len(encoded)
        if len(waiting) == EVENTS_IN_A_BODY or waiting_bytes >= BYTES_IN_A_BODY:
            bodies.append(_body(waiting))
            body_bytes += waiting_bytes
            waiting, waiting_bytes = [], 0
            if body_bytes >= BYTES_IN_A_TRANSACTION:
                yield bodies
                bodies, body_bytes = [], 0
    if waiting:
        bodies.append(_body(waiting))
    if bodies:
        yield bodies


def _body(encoded: list[bytes]) -> bytes:
    return b'{"batch":[' + b",".join(encoded) + b"]}"


def _encoded(plan: Plan, stages: _Stages, sent: _Sent) -> Generator[bytes]:
    """Each event as JSON; one that no source accepts is left out, with its rows in `sent.errors`."""
    encoder, known_traits = msgspec.json.Encoder(), {}
    for start in range(0, len(plan), EVENTS_AT_ONCE):
        stop = min(start + EVENTS_AT_ONCE, len(plan))
        with stages.timed("map"):
            calls = [(at, call, encoder.encode(call)) for at, call in events(plan, start, stop, known_traits)]
        for at, call, encoded in calls:
            sent.planned = at + 1
            if len(encoded) > LARGEST_EVENT_BYTES:
                _leave_out(plan, at, sent)
                continue
            sent.by_name[call.get("event", call["type"])] += 1
            if len(sent.first) < FIRST_EVENTS:
                sent.first.append(call)
            yield encoded


def _leave_out(plan: Plan, at: int, sent: _Sent) -> None:
    low, high = int(plan.offsets[at]), int(plan.offsets[at + 1])
    sent.errors += [RowError(int(row), "", RowProblem.EVENT_TOO_LARGE, plan.keys[at]) for row in plan.rows[low:high]]
    sent.left_out_micros += 0 if plan.total_micros is None else int(plan.total_micros[at])


@dataclass(frozen=True)
class _Refused:
    """Rows that were not used, with the table they may be looked up in."""

    table: pa.Table
    numbers: Any
    errors: list[RowError]

    def rows(self) -> Generator[tuple[RowError, list[Any]]]:
        """Each with its fields as they were; a row that did not split into fields has none."""
        places = np.searchsorted(self.numbers, [error.row for error in self.errors])
        for error, place in zip(self.errors, places.tolist(), strict=True):
            there = place < len(self.numbers) and self.numbers[place] == error.row
            yield error, [column[place].as_py() for column in self.table.columns] if there else [None] * self.table.num_columns


def _write_errors(path: Path, mapping: Mapping, refused: _Refused, language: Language) -> None:
    """The rows that were not used as a file of the same form, with their problems at the end of each row: mend it and import it with the same mapping."""
    with path.open("w", encoding=mapping.file.encoding, errors="replace", newline="") as file:
        writer = csv.writer(file, delimiter=mapping.file.separator, quotechar=mapping.file.quote)
        writer.writerow([*refused.table.column_names, *ERROR_COLUMNS])
        for error, fields in refused.rows():
            writer.writerow([*fields, error.row, error.column, str(error.problem), PROBLEMS[error.problem].say(language), error.seen])


def _reason(error: Exception) -> Text:
    """Why a file cannot be read: the common cases in words, the others as the library told them, on one line."""
    said = " ".join(str(error).split())[:300] or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return Text("nie ma takiego pliku", "there is no such file")
    if isinstance(error, PermissionError):
        return Text("brak uprawnień do odczytu", "no permission to read it")
    if isinstance(error, UnicodeDecodeError) or "UTF8" in said or "codec" in said:
        return Text("tekst jest w innym kodowaniu, niż podano", "the text is in another encoding than given")
    if "zlib" in said or "gzip" in said or "ompress" in said:
        return Text("archiwum gzip jest uszkodzone", "the gzip archive is damaged")
    said = "".join(letter for letter in said.partition(": Expected")[0] if letter.isprintable())
    return Text(f"biblioteka mówi: {said}", said)
