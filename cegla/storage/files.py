"""The history as Parquet files: what snapshots are made of, what Spark reads, and what moves from one engine to another.

    <folder>/events/0…001-0…001-0.parquet      the rows of a batch; the name says the first and last batch in it, and how often it was rewritten
    <folder>/events/0…002-0…950-0.parquet      at night small files become larger ones

Files are written beside and renamed, so each is there whole or not at all. A file whose rows were joined into a larger one stays a while for questions
that still read it; one that held somebody who is erased is removed at once.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

pc: Any = pyarrow.compute  # its functions are made when it is loaded
Ranges = Sequence[tuple[int, int]]  #: whole numbers from the first to the last, both included
JOINED_ROWS = 2_000_000  #: at most in one file that the night makes
KEPT_SECONDS = 3_600  #: a joined file stays for questions that still read it


class Files:
    """Tables as files of one folder; `schemas` says which tables. Safe to use from several threads."""

    def __init__(self, folder: Path, schemas: Mapping[str, pa.Schema]) -> None:
        self.folder, self._schemas = folder, schemas
        self.changing = RLock()  #: held by whoever reads rows elsewhere to append them, so that nobody is removed in between

    def append(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches."""
        with self.changing:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
            _write(rows, self.folder / name / _named(first, last, 0))

    def listed(self, name: str) -> list[Path]:
        """The files of a table, in the order of their batches. Of one that was being rewritten when the power went, the newer counts."""
        newest: dict[tuple[int, int], Path] = {}
        for file in sorted((self.folder / name).glob("*.parquet"), key=_read_name):
            newest[_read_name(file)[:2]] = file
        return [file for (first, last), file in newest.items() if not _inside_another(first, last, newest)]

    def read(self, file: Path, name: str) -> pa.Table:
        """The rows of a file with today's columns: what an older file lacks is null."""
        rows = pq.read_table(file)
        columns = [
            rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type) for field in self._schemas[name]
        ]
        return pa.Table.from_arrays(columns, schema=self._schemas[name])

    def last(self, name: str) -> int:
        """The newest batch of a table; 0 when there is none."""
        return max((_read_name(file)[1] for file in self.listed(name)), default=0)

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Take away rows by the numbers in a column, and return how many those were. Files that held them are written anew, and removed at once."""
        removed = 0
        with self.changing:
            self._sweep(name)
            for file in (self.folder / name).glob("*.joined"):
                file.unlink()
            for file in self.listed(name):
                gone = _within(pq.read_table(file, columns=[column])[column], ranges)
                if not (count := pc.sum(gone).as_py() or 0):
                    continue
                removed += count
                kept = pq.read_table(file).filter(pc.invert(gone))
                first, last, turn = _read_name(file)
                if kept.num_rows:
                    _write(kept, file.with_name(_named(first, last, turn + 1)))
                file.unlink()
        return removed

    def take_back_after(self, batch: int) -> None:
        """Remove rows of later batches than this one: the numbers will be used again. Files that hold none are not looked into."""
        with self.changing:
            for name in self._schemas:
                for file in self.listed(name):
                    first, last, turn = _read_name(file)
                    if last <= batch:
                        continue
                    self._sweep(name)
                    if first <= batch:
                        _write(pq.read_table(file, filters=pc.field("batch") <= batch), file.with_name(_named(first, batch, turn)))
                    file.unlink()

    def _sweep(self, name: str) -> None:
        """Remove what was left when the power went: files half written, and those that a newer or a larger one stands for."""
        listed = set(self.listed(name))
        for file in (self.folder / name).glob("*"):
            if file.suffix == ".new" or (file.suffix == ".parquet" and file not in listed):
                file.unlink()

    def tidy(self) -> None:
        """Join neighbouring small files, and remove those that were joined long enough ago."""
        with self.changing:
            for name in self._schemas:
                self._sweep(name)
                for some in _joinable(self.listed(name)):
                    first, last = _read_name(some[0])[0], _read_name(some[-1])[1]
                    _write(pa.concat_tables([self.read(file, name) for file in some]), some[0].with_name(_named(first, last, 0)))
                    for file in some:
                        file.rename(joined := file.with_suffix(".joined"))
                        os.utime(joined)  # the hour begins now, not when it was written
                for old in (self.folder / name).glob("*.joined"):
                    if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                        old.unlink()


def batches_of(file: Path) -> tuple[int, int]:
    """The first and the last batch of a file."""
    return _read_name(file)[:2]


def _named(first: int, last: int, turn: int) -> str:
    return f"{first:019}-{last:019}-{turn}.parquet"


def _read_name(file: Path) -> tuple[int, int, int]:
    first, last, turn = file.stem.split("-")
    return int(first), int(last), int(turn)


def _inside_another(first: int, last: int, among: Mapping[tuple[int, int], Path]) -> bool:
    """Whether a file's batches are in a larger one: the power went between joining and removing."""
    return any(one <= first and last <= other and (one, other) != (first, last) for one, other in among)


def _write(rows: pa.Table, file: Path) -> None:
    """Whole or not at all."""
    fresh = file.with_suffix(".new")
    pq.write_table(rows, fresh, compression="zstd")
    with fresh.open("rb") as written:
        os.fsync(written.fileno())
    fresh.rename(file)


def _within(column: Any, ranges: Ranges) -> Any:
    single = pa.array([first for first, last in ranges if first == last], pa.int64())
    found = pc.is_in(column, value_set=single)
    for first, last in ranges:
        if first != last:
            found = pc.or_(found, pc.and_(pc.greater_equal(column, first), pc.less_equal(column, last)))
    return pc.fill_null(found, False)


def _joinable(files: Sequence[Path]) -> Iterator[list[Path]]:
    """Runs of two and more neighbours that fit into one file."""
    run: list[Path] = []
    rows = 0
    for file in files:
        size = pq.read_metadata(file).num_rows
        if rows + size > JOINED_ROWS:
            if len(run) > 1:
                yield run
            run, rows = [], 0
        run, rows = [*run, file], rows + size
    if len(run) > 1:
        yield run
