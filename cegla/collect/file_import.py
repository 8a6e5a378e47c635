"""File imports: a file, a mapping, and the same door as every other event; any length in the same memory.

    tables.py        rules/rows.py          rules/calls.py                      a thread of its own
    part of a file ─► type, group, plan ─► JSON, column by column ─► bodies ─► the inbox, some megabytes a transaction
         ▲                 └── rows that cannot be used ─► the file of refused rows
    buckets.py, when rows of one event may lie anywhere

The same file and mapping always make the same bodies in the same order. So an import that was interrupted is made again from
the beginning and passes over the bodies that are in the inbox already (`Target.written`). Message ids follow from the
import's name and the content, so bodies that do come twice change nothing either.
"""

import csv
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from cegla.collect import tables
from cegla.collect.buckets import gathered
from cegla.collect.countries import with_prefixes
from cegla.collect.rules.calls import Calls, calls
from cegla.collect.rules.columns import PROBLEMS, RowProblem
from cegla.collect.rules.formulas import harmless
from cegla.collect.rules.mapping import FileForm, Mapping, check_columns, read_mapping
from cegla.collect.rules.occurrences import Occurrences
from cegla.collect.rules.rows import Plan, RowError, pc, plan_events, read_sheet
from cegla.collect.rules.switchboard import FORMATS as LOGS
from cegla.collect.tables import ERROR_COLUMNS, Part
from cegla.storage import documents
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.intake import FileUnreadable, MappingInvalid
from cegla.vocabulary.identifiers import normalized
from cegla.vocabulary.text import Language

FIRST_EVENTS = 5
ERRORS_SHOWN = 1_000  #: in the result; all are in the file of refused rows
EVENTS_IN_A_BODY = 1_000
BYTES_IN_A_BODY = 1_000_000
BYTES_IN_A_TRANSACTION = 16_000_000
LARGEST_EVENT_BYTES = 4_000_000
ENGINE = f"4 {pa.__version__}"  #: bodies are the same only when made by the same one

Progress = Callable[[str, int, int], None]  #: stage ("read", "write"), rows done, of about how many (0: not known)


class Body(NamedTuple):
    """One request for the inbox, and how many events it holds."""

    events: int
    content: bytes


class Ear(NamedTuple):
    """Who hears of an import at work: a file for the refused rows (None: one is kept here for uploads) and its language, and of its progress."""

    errors_to: Path | None = None
    progress: Progress | None = None
    language: Language | None = None  #: None: that of whoever began it, or the installation's


SILENT = Ear()
WriteDown = Callable[[Connection, list[Body], datetime], None]


class Target(NamedTuple):
    """Where bodies go, and how many of them an earlier run wrote there."""

    write_down: WriteDown
    written: int = 0


@dataclass(frozen=True)
class ImportResult:
    """What became of a file. `rows` = `rows_used` + `rows_refused`; seconds are per stage.

    `rows_withheld`, of those used, are held by consent and do not say that their person agreed to analytics: intake keeps their decisions, and
    sets their events aside unless the person had agreed before.
    """

    name: str
    source: str
    dry_run: bool
    rows: int
    rows_used: int
    rows_refused: int
    rows_withheld: int
    events: int
    by_name: dict[str, int]  #: events by name; identify calls as "identify"
    total_micros: int | None  #: sum of all totals; None when the file has none that are numbers
    first_events: list[dict[str, Any]]
    errors: list[RowError]  #: the first ERRORS_SHOWN
    by_column: dict[str, dict[RowProblem, int]]  #: refused rows by column ("" where it is not one column) and problem
    seconds: dict[str, float] = field(default_factory=dict)
    import_id: int | None = None

    def problems(self) -> dict[RowProblem, int]:
        """How many rows have each problem."""
        counted: Counter[RowProblem] = Counter()
        for problems in self.by_column.values():
            counted.update(problems)
        return dict(counted)


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises MappingInvalid (field and value seen) or FileUnreadable."""
    return read_mapping(load_values(path), str(path))


def load_values(path: Path) -> object:
    """What a YAML or JSON file says. Raises MappingInvalid or FileUnreadable."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(where=str(path), detail=tables.reason(error)) from None
    try:
        return documents.read(text)
    except documents.Unfit as unfit:
        raise MappingInvalid(where=f"{path}:{unfit.place}", detail=unfit.what) from None


def run_import(ws: Workspace, path: Path, mapping: Mapping, target: Target | None, ear: Ear = SILENT) -> ImportResult:
    """Turn `path` into events and hand them to the target, a transaction at a time; without one, only look (a dry run).

    Rows that cannot be used are in the result and, when given, in the CSV file `ear.errors_to`; they cost the others nothing.
    Raises FileUnreadable and MappingInvalid, mostly before anything is written.
    """
    run = _Run(mapping, path, ear.progress or (lambda _stage, _done, _of: None))
    with run.timed("read"):
        run.tell("read", 0, 0)
        about = tables.look_over(path, run.form)
        names = [name for name in tables.columns(path, run.form) if name not in ERROR_COLUMNS]
        check_columns(mapping, names)
    with _refusals(ear.errors_to, run.form, names, ear.language or ws.settings.language) as refuse, _Inbox(ws, target) as inbox:
        for part in run.parts(ws.settings.data_dir / "imports"):
            with run.timed("map"):
                bodies = run.bodies(part, refuse)
            with run.timed("write"):
                inbox.put(bodies)
            run.tell("write", run.rows, max(about, run.rows))
        with run.timed("write"):
            inbox.end()
    return run.result(dry_run=target is None)


class _Run:
    """One run over one file: what it counts on its way."""

    def __init__(self, mapping: Mapping, path: Path, tell: Progress) -> None:
        self.mapping, self.path, self.tell = mapping, path, tell
        self.form = form_of(path, mapping.file)
        self.rows = 0
        self._used = self._refused = self._withheld = 0
        self._total_micros: int | None = 0 if mapping.total == "lines" else None
        self._by_name: Counter[str] = Counter()
        self._first: list[dict[str, Any]] = []
        self._errors: list[RowError] = []
        self._by_column: dict[str, Counter[RowProblem]] = {}
        self._seconds: dict[str, float] = {}
        self._before, self._known_traits = Occurrences(), dict[str, str]()

    @contextmanager
    def timed(self, stage: str) -> Generator[None]:
        """Seconds of a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + time.perf_counter() - started

    def parts(self, room: Path) -> Iterator[Part]:
        """The file, in parts that can be planned alone."""
        if self.mapping.group_by:
            room.mkdir(parents=True, exist_ok=True)
            found = gathered(lambda: tables.parts(self.path, self.form), self.mapping, room)
        else:
            found = tables.parts(self.path, self.form)
        while True:
            with self.timed("read"):
                part = next(found, None)
            if part is None:
                return
            yield part

    def bodies(self, part: Part, refuse: "Refuse") -> list[Body]:
        """What a part becomes, in order of time; its bad rows are counted and told."""
        errors = part.broken
        bodies: list[Body] = []
        if part.texts.num_rows:
            sheet = read_sheet(with_prefixes(part.texts, self.mapping), part.numbers, self.mapping)
            plan = plan_events(sheet, self.mapping, self._before, normalized)
            made, left_out = _without_giants(calls(plan, self._known_traits), plan)
            self._count(plan, made, left_out)
            errors = sorted([*plan.errors, *part.broken, *(error for event in left_out for error in _giant(plan, event))], key=lambda error: error.row)
            bodies = list(_bodies(made.texts))
        self.rows += part.texts.num_rows + len(part.broken)
        self._refuse(part, errors, refuse)
        return bodies

    def _count(self, plan: Plan, made: Calls, left_out: list[int]) -> None:
        self._by_name.update(made.by_name)
        sizes = np.diff(plan.offsets)
        self._used += len(plan.rows) - int(sizes[left_out].sum())
        if self.mapping.basis is Basis.CONSENT:
            silent = ~_agreed(plan)
            silent[left_out] = False
            self._withheld += int(sizes[silent].sum())
        if (totals := plan.event_totals) is not None:
            self._total_micros = (self._total_micros or 0) + int(totals.sum()) - int(totals[left_out].sum())
        for text in made.texts.slice(0, FIRST_EVENTS - len(self._first)).to_pylist() if len(self._first) < FIRST_EVENTS else ():
            self._first.append(msgspec.json.decode(text))

    def _refuse(self, part: Part, errors: list[RowError], refuse: "Refuse") -> None:
        self._refused += len(errors)
        self._errors += errors[: ERRORS_SHOWN - len(self._errors)] if len(self._errors) < ERRORS_SHOWN else []
        for error in errors:
            self._by_column.setdefault(error.column, Counter())[error.problem] += 1
        if errors:
            refuse(part, errors)

    def result(self, dry_run: bool) -> ImportResult:
        """What was counted."""
        return ImportResult(
            name=self.mapping.name, source=self.mapping.source, dry_run=dry_run, rows=self.rows, rows_used=self._used, rows_refused=self._refused,
            rows_withheld=self._withheld, events=self._by_name.total(), by_name=dict(self._by_name), total_micros=self._total_micros,
            first_events=self._first, errors=self._errors, by_column={name: dict(found) for name, found in self._by_column.items()}, seconds=self._seconds,
        )  # fmt: skip


class _Inbox:
    """Writes bodies in a thread of its own, so that one transaction is written while the next is made; never more than these two."""

    def __init__(self, ws: Workspace, target: Target | None) -> None:
        self._ws, self._target = ws, target
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="import")
        self._underway: Future[None] | None = None
        self._waiting: list[Body] = []
        self._waiting_bytes = 0
        self._to_pass_over = target.written if target else 0

    def __enter__(self) -> "_Inbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.shutdown(wait=True)

    def put(self, bodies: list[Body]) -> None:
        """Some more bodies. Raises what the writing of earlier ones raised."""
        if self._target is None:
            return
        fresh = bodies[self._to_pass_over :]
        self._to_pass_over = max(0, self._to_pass_over - len(bodies))
        for body in fresh:
            self._waiting.append(body)
            self._waiting_bytes += len(body.content)
            if self._waiting_bytes >= BYTES_IN_A_TRANSACTION:
                self._hand_over()

    def end(self) -> None:
        """Write the rest and wait for it."""
        if self._waiting:
            self._hand_over()
        self._settle()

    def _hand_over(self) -> None:
        self._settle()
        bodies, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._underway = self._writer.submit(self._write, bodies)

    def _settle(self) -> None:
        if self._underway is not None:
            self._underway.result()
            self._underway = None

    def _write(self, bodies: list[Body]) -> None:
        if self._target is not None:
            with self._ws.transaction() as conn:
                self._target.write_down(conn, bodies, self._ws.clock())
                passing("import: before the commit")
            passing("import: after the commit")


def _without_giants(made: Calls, plan: Plan) -> tuple[Calls, list[int]]:
    """The calls that are small enough for any source to accept, and the events that are not, with all their calls."""
    too_large = np.asarray(pc.greater(pc.binary_length(made.texts), LARGEST_EVENT_BYTES))
    if not too_large.any():
        return made, []
    left_out = sorted(set(made.events[too_large].tolist()))
    keep = ~np.isin(made.events, left_out)
    gone = Counter(msgspec.json.decode(text).get("event", "identify") for text in made.texts.filter(pa.array(~keep)).to_pylist())
    return Calls(made.texts.filter(pa.array(keep)), made.events[keep], dict(Counter(made.by_name) - gone)), left_out


def _giant(plan: Plan, event: int) -> list[RowError]:
    low, high = int(plan.offsets[event]), int(plan.offsets[event + 1])
    return [RowError(int(row), "", RowProblem.EVENT_TOO_LARGE, plan.keys[event].as_py()) for row in plan.rows[low:high]]


def _agreed(plan: Plan) -> Any:
    """Which events say that their person agreed to analytics, as numpy bool: only a plain yes counts (see `govern.ask`)."""
    said = plan.group_values["consents"].get("analytics")
    if said is None or not pa.types.is_boolean(said.type):
        return np.zeros(len(plan), bool)
    return np.asarray(pc.fill_null(said, False))


def _bodies(texts: Any) -> Iterator[Body]:
    """Requests of up to EVENTS_IN_A_BODY events and about BYTES_IN_A_BODY bytes."""
    if not len(texts):
        return
    sizes = np.asarray(pc.binary_length(texts)).astype(np.int64)
    number = np.arange(len(texts)) // EVENTS_IN_A_BODY + (np.cumsum(sizes) - sizes) // BYTES_IN_A_BODY
    starts = np.flatnonzero(np.append(True, number[1:] != number[:-1]))
    ends = np.append(starts[1:], len(texts))
    lists = pa.ListArray.from_arrays(pa.array(np.append(starts, len(texts)), pa.int32()), texts)
    joined = pc.binary_join(lists, ",")
    for start, end, text in zip(starts.tolist(), ends.tolist(), joined, strict=True):
        yield Body(end - start, b"".join((b'{"batch":[', text.as_buffer(), b"]}")))


# refused rows ------------------------------------------------------------------------------------------------------------

Refuse = Callable[[Part, list[RowError]], None]


def form_of(path: Path, form: FileForm) -> FileForm:
    """How a file is written: as its mapping says, unless it is a file of refused rows, which is always a CSV file with a header."""
    if form.format != "csv" and path.suffix.lower() == ".csv" and (form.format not in LOGS or ERROR_COLUMNS[-1].encode() in _first_line(path)):
        return FileForm.model_validate({})
    if form.format == "csv" and form.header_row != 1 and ERROR_COLUMNS[-1].encode() in _first_line(path):
        return form.model_copy(update={"header_row": 1})
    return form


def _first_line(path: Path) -> bytes:
    try:
        with tables.opened(path) as stream:
            return stream.read(1 << 16).partition(b"\n")[0]
    except (OSError, pa.ArrowException, EOFError):
        return b""


@contextmanager
def _refusals(path: Path | None, form: FileForm, names: list[str], language: Language) -> Generator[Refuse]:
    """A file of the same form for the rows that were not used, with their problems at the end of each row: mend it and import it."""
    with path.open("w", encoding=form.encoding, errors="replace", newline="") if path else nullcontext() as file:
        if file is None:
            yield lambda _part, _errors: None
            return
        writer = csv.writer(file, delimiter=form.separator, quotechar=form.quote)
        writer.writerow([*names, *ERROR_COLUMNS])

        def refuse(part: Part, errors: list[RowError]) -> None:
            for error, fields in _with_fields(part, errors, len(names)):
                cells = [*fields, error.row, error.column, str(error.problem), PROBLEMS[error.problem].say(language), error.seen]
                writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])

        yield refuse


def _with_fields(part: Part, errors: list[RowError], width: int) -> Iterator[tuple[RowError, list[Any]]]:
    """Each refused row with its fields as they were; a row that did not split into fields has none."""
    places = np.searchsorted(part.numbers, [error.row for error in errors])
    for error, place in zip(errors, places.tolist(), strict=True):
        there = place < len(part.numbers) and part.numbers[place] == error.row
        yield error, [column[place].as_py() for column in part.texts.columns] if there else [None] * width
