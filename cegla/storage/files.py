"""The history as Parquet files: what snapshots are made of, what Spark reads, and what moves from one engine to another.

    <folder>/events/0…001-0…001-0.parquet      the rows of a batch; the name says the first and last batch in it, and how often it was rewritten
    <folder>/events/0…002-0…950-0.parquet      at night small files become larger ones

Files are written beside and renamed, so each is there whole or not at all. A file whose rows were joined into a larger one stays a while for questions
that still read it; one that held somebody who is erased is removed at once. Whatever reads or writes rows does so in pieces, so a file may be larger than
the memory; each page of a file has a checksum, so a damaged one is noticed.
"""

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from cegla.storage.settling import settle, settle_file
from cegla.vocabulary.errors.installation import DiskFull

pc: Any = pyarrow.compute  # its functions are made when it is loaded
Change = Callable[[pa.Table], tuple[pa.Table, int]]  #: rows in, the rows that stay and how many are otherwise now
Ranges = Sequence[tuple[int, int]]  #: whole numbers from the first to the last, both included
JOINED_ROWS = 2_000_000  #: at most in one file that the night makes
ROWS_AT_ONCE = 100_000  #: in memory, and in one row group
KEPT_SECONDS = 3_600  #: a joined file stays for questions that still read it


class Files:
    """Tables as files of one folder; `schemas` says which tables. Safe to use from several threads."""

    def __init__(self, folder: Path, schemas: Mapping[str, pa.Schema]) -> None:
        self.folder, self._schemas = folder, schemas
        self.changing = RLock()  #: held by whoever reads rows elsewhere to append them, so that nobody is removed in between

    def append(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches. Raises DiskFull, as all that writes here; then there is no new file."""
        with self.changing:
            if not (self.folder / name).is_dir():
                (self.folder / name).mkdir(parents=True)
                settle(self.folder, self.folder.parent)
            _write([rows], rows.schema, self.folder / name / _named(first, last, 0))

    def listed(self, name: str) -> list[Path]:
        """The files of a table, in the order of their batches. Of one that was being rewritten when the power went, the newer counts."""
        newest: dict[tuple[int, int], Path] = {}
        for file in sorted((self.folder / name).glob("*.parquet"), key=_read_name):
            newest[_read_name(file)[:2]] = file
        return [file for (first, last), file in newest.items() if not _inside_another(first, last, newest)]

    def read(self, file: Path, name: str) -> pa.Table:
        """The rows of a file with today's columns: what an older file lacks is null."""
        return pa.concat_tables([self._schemas[name].empty_table(), *self.pieces(file, name)])

    def pieces(self, file: Path, name: str) -> Iterator[pa.Table]:
        """The same in pieces. Raises OSError or ArrowInvalid when the file is not as it was written."""
        for rows in _pieces(file):
            columns = [
                rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type) for field in self._schemas[name]
            ]
            yield pa.Table.from_arrays(columns, schema=self._schemas[name])

    def last(self, name: str) -> int:
        """The newest batch of a table; 0 when there is none."""
        return max((_read_name(file)[1] for file in self.listed(name)), default=0)

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Take away rows by the numbers in a column, and return how many those were. Files that held them are written anew, and removed at once."""

        def change(rows: pa.Table) -> tuple[pa.Table, int]:
            kept = rows.filter(pc.invert(_within(rows[column], ranges)))
            return kept, rows.num_rows - kept.num_rows

        return self.change(name, [column], change)

    def change(self, name: str, columns: Sequence[str], change: Change) -> int:
        """Take away rows, or what they say; returns how many rows. `change` is asked about pieces of a table that have these columns at least.

        A file with nothing to change is only read; any other is written anew, and the old one is removed at once.
        """
        changed = 0
        with self.changing:
            self._sweep(name)
            for file in (self.folder / name).glob("*.joined"):
                file.unlink()
            for file in self.listed(name):
                has = [column for column in columns if column in pq.read_schema(file).names]
                if count := sum(change(rows)[1] for rows in _pieces(file, has)):
                    first, last, turn = _read_name(file)
                    _write((change(rows)[0] for rows in _pieces(file)), pq.read_schema(file), file.with_name(_named(first, last, turn + 1)))
                    file.unlink()
                    changed += count
            self._settle(name)
        return changed

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
                        kept = (rows.filter(pc.field("batch") <= batch) for rows in _pieces(file))
                        _write(kept, pq.read_schema(file), file.with_name(_named(first, batch, turn)))
                    file.unlink()
                self._settle(name)

    def damaged(self, file: Path, name: str) -> str:
        """What is wrong with a file, in the words of whoever cannot read it; empty: nothing."""
        try:
            for _ in self.pieces(file, name):
                pass
        except (OSError, pa.ArrowException) as error:
            return str(error).splitlines()[0][:200]
        return ""

    def set_aside(self, file: Path) -> None:
        """Move a damaged file out of the way, whole. Its batches are a hole until a file covers them again."""
        with self.changing:
            aside = self._aside(file.parent.name)
            aside.mkdir(parents=True, exist_ok=True)
            os.utime(file.rename(aside / file.name))  # so that its age is that of the finding
            settle(aside, aside.parent, self.folder, file.parent)

    def holes(self, name: str) -> list[tuple[int, int]]:
        """The batches of damaged files, (first, last), that no file covers."""
        covered = {_read_name(file)[:2]: file for file in self.listed(name)}
        return sorted({(first, last) for first, last in map(batches_of, self._aside(name).glob("*.parquet")) if not _inside(first, last, covered)})

    def forget_mended(self) -> None:
        """Remove damaged files whose batches are covered again: nobody needs them, and somebody who is erased may be in them."""
        with self.changing:
            for name in self._schemas:
                open_still = self.holes(name)
                for file in self._aside(name).glob("*.parquet"):
                    if batches_of(file) not in open_still:
                        file.unlink()

    def _settle(self, name: str) -> None:
        """Let removals last, if there is anything to last."""
        if (self.folder / name).is_dir():
            settle(self.folder / name)

    def _aside(self, name: str) -> Path:
        return self.folder / "set-aside" / name

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
                    joined = (rows for file in some for rows in self.pieces(file, name))
                    _write(joined, self._schemas[name], some[0].with_name(_named(first, last, 0)))
                    for file in some:
                        file.rename(kept := file.with_suffix(".joined"))
                        os.utime(kept)  # the hour begins now, not when it was written
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


def _inside(first: int, last: int, among: Mapping[tuple[int, int], Path]) -> bool:
    return (first, last) in among or _inside_another(first, last, among)


def _pieces(file: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    with pq.ParquetFile(file, page_checksum_verification=True) as held:
        for rows in held.iter_batches(ROWS_AT_ONCE, columns=columns):
            yield pa.Table.from_batches([rows])


def _write(pieces: Iterable[pa.Table], schema: pa.Schema, file: Path) -> None:
    """Whole or not at all; of no rows there is no file. Raises DiskFull."""
    fresh = file.with_suffix(".new")
    try:
        written = 0
        with pq.ParquetWriter(fresh, schema, compression="zstd", write_page_checksum=True) as writer:
            for rows in pieces:
                writer.write_table(rows, row_group_size=ROWS_AT_ONCE)
                written += rows.num_rows
        if not written:
            return fresh.unlink()
        settle_file(fresh)
        fresh.rename(file)
        settle(file.parent)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(where=str(file)) from error
        raise


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
