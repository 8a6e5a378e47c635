"""The file that holds the history: opened with its tables, read by many, and exchanged for another while nobody reads.

A file that could not be opened again is tried once more by whoever wants to read next, so that a failure does not outlast its cause.
"""

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from shutil import disk_usage, rmtree
from typing import Any

import duckdb
import pyarrow as pa

from cegla.storage.blocks import damaged_blocks
from cegla.storage.rewriting import Gate, previous, sweep
from cegla.storage.settling import settle
from cegla.vocabulary.errors import Busy, CeglaError
from cegla.vocabulary.errors.installation import DiskFull, WarehouseDamaged, WarehouseHalted

#: What DuckDB says of a file that is not as it was written.
DAMAGED = (
    "Corrupt", "corrupt", "Failure while replaying WAL", "Could not read enough bytes", "not a valid DuckDB database file", "has been invalidated",
    "This WAL was created for",  # another version of the file: a disk that only says it flushed lost one of the two
)  # fmt: skip
DUCKDB_TYPES: dict[pa.DataType, str] = {
    pa.int64(): "bigint", pa.int32(): "integer", pa.float64(): "double", pa.string(): "varchar", pa.bool_(): "boolean", pa.timestamp("us"): "timestamp",
}  # fmt: skip
SECONDS_FOR_LEAVING = 5.0
LEAST_FREE_BYTES = 16 << 20  #: and twice the log: with less on the disk, opening the file again would only fail
#: Rows wait in the log until it has so many bytes: putting few in their place at a time took twice the processor time. Without a thread that gives memory
#: back, DuckDB's allocator held half a gigabyte after a question about a million rows, for as long as nobody asked another.
KEPT_SMALL = {"checkpoint_threshold": "64MB", "allocator_background_threads": True}
MAP = "derived.main.identity_map"  #: which identities are whose, in memory
ASIDE = "aside"  #: tables that no snapshot looks at, in a database of their own: elsewhere one that is dropped takes memory until the last snapshot ends


class HistoryFile:
    """One DuckDB file, open. Safe to use from several threads; one process at a time."""

    def __init__(self, path: Path, tables: Mapping[str, pa.Schema], config: dict[str, Any]) -> None:
        self.path, self._tables, self._config = path, tables, config | KEPT_SMALL
        self._gate, self._opening = Gate(), threading.Lock()
        self._people: pa.Table | None = None  # the map of a file that is closed
        self._root: Any = self._open()
        _sweep(path)

    @contextmanager
    def cursor(self) -> Generator[Any]:
        """A cursor for one thread. Raises WarehouseDamaged, which the next start hears of, DiskFull, WarehouseHalted, Busy."""
        with self._gate.reader(), closing(self._opened().cursor()) as cursor:  # closing rolls an open transaction back
            try:
                yield cursor
            except duckdb.Error as error:
                refused = _refusal(error, self.path)
                if isinstance(refused, WarehouseDamaged):
                    marker(self.path).touch()
                elif isinstance(refused, DiskFull):
                    if isinstance(error, duckdb.FatalException) and self._has_room():  # the engine answers nothing any more, whatever is free
                        refused = WarehouseHalted(where=str(self.path))
                elif not isinstance(error, (duckdb.IOException, duckdb.OutOfMemoryException)):
                    raise
                raise refused from error

    def refuse_damaged(self) -> None:
        """Raises WarehouseDamaged when somebody met damage: the next start mends it."""
        if marker(self.path).exists():
            raise WarehouseDamaged(where=str(self.path), seen=marker(self.path).name)

    def check_disk(self, writing: AbstractContextManager[Any]) -> None:
        """Read the blocks as they lie on the disk; nobody writes within `writing`. Raises WarehouseDamaged, which the next start hears of."""
        if seen := damaged_blocks(self.path):
            with writing:  # what was being written is whole by now
                if (seen := damaged_blocks(self.path, seen)) and (seen := self._of_use(seen)):
                    marker(self.path).touch()
                    raise WarehouseDamaged(where=str(self.path), seen=f"blocks {', '.join(map(str, seen[:20]))}")

    def _of_use(self, blocks: Sequence[int]) -> list[int]:
        """Those of the blocks, headers among them, that hold something: one that is free may be torn as a power cut left it, and nobody reads it. All of them
        when DuckDB uses others than those that it tells about."""
        with self.cursor() as cursor:
            used: set[int | None] = {block for (block,) in cursor.execute("select block_id from pragma_metadata_info()").fetchall()}
            for name in self._tables:
                for block, more in cursor.execute(f"select block_id, additional_block_ids from pragma_storage_info('{name}')").fetchall():
                    used.update((block, *(more or ())))
            ((counted,),) = cursor.execute("select used_blocks from pragma_database_size() where database_name = current_database()").fetchall()
        if len(used - {None, -1}) != counted:
            return list(blocks)
        return [block for block in blocks if block < 0 or block in used]

    def exchange(self, fresh: Path, seconds: float) -> bool:
        """Put another file in this one's place, with the same map of people; false when readers did not leave within so many seconds.

        A file that does not open gives its place back to the one before, which goes only when the new one is open.
        """
        with self._gate.alone(seconds) as alone:
            if not alone:
                return False
            held = previous(self.path)
            held.unlink(missing_ok=True)
            self._let_go()
            try:
                held.hardlink_to(self.path)
                fresh.replace(self.path)
                settle(self.path.parent)
                self._root = self._open()
            except BaseException:
                if held.exists():
                    sweep_log(self.path)
                    held.replace(self.path)
                    settle(self.path.parent)
                raise
            finally:
                with suppress(CeglaError):  # then whoever reads next opens it
                    self._opened()
            held.unlink()
        return True

    def close(self) -> None:
        """Flush and let go of the file. Whoever still reads is waited for, some seconds."""
        with self._gate.alone(SECONDS_FOR_LEAVING):
            if self._root is not None:
                self._root.close()

    def new(self, path: Path) -> Any:
        """Another file, open: with the same settings, and nothing in it."""
        return duckdb.connect(str(path), config=self._config)

    def _has_room(self) -> bool:
        """Whether what is in the log could be put in its place, as opening does."""
        log = log_of(self.path)
        return disk_usage(self.path.parent).free > LEAST_FREE_BYTES + (2 * log.stat().st_size if log.exists() else 0)

    def _let_go(self) -> None:
        self._people = self._root.cursor().sql(f"from {MAP}").to_arrow_table()
        root, self._root = self._root, None
        root.execute("checkpoint")
        root.close()  # which leaves no log beside the file

    def _opened(self) -> Any:
        if self._root is None:
            with self._opening:
                if self._root is None:
                    self._root = self._open()
        return self._root

    def _open(self) -> Any:
        root: Any = None
        try:
            root = duckdb.connect(str(self.path), config=self._config)
            root.execute(f"attach ':memory:' as derived; attach ':memory:' as {ASIDE}")
            for name, schema in self._tables.items():
                columns = ", ".join(f"{column.name} {DUCKDB_TYPES[column.type]}" for column in schema)
                root.execute(f"create table if not exists {name} ({columns})")
                for column in schema:  # a file of an older version lacks the newer ones
                    root.execute(f"alter table {name} add column if not exists {column.name} {DUCKDB_TYPES[column.type]}")
            root.execute(f"create table {MAP} (mapped_identity bigint, mapped_person bigint)")
            if self._people is not None:  # nobody may read without it
                root.cursor().register("incoming", self._people).execute(f"insert into {MAP} from incoming")
            root.execute("checkpoint")
            root.execute("set enable_external_access = false")
            root.execute("set lock_configuration = true")
        except duckdb.Error as error:
            if root is not None:
                with suppress(duckdb.Error):
                    root.close()
            raise _refusal(error, self.path) from None
        self._people = None
        return root


def marker(path: Path) -> Path:
    """The file that says, for the next start, that damage was met while reading."""
    return path.with_suffix(".damaged")


def log_of(path: Path) -> Path:
    """Where rows wait that are not in their place in the file yet."""
    return path.with_name(f"{path.name}.wal")


def sweep_log(path: Path) -> None:
    """Remove the log beside a file that another one takes the place of."""
    log_of(path).unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what a killed process had put aside from its memory, maybe with declared values, and files that it was exchanging.

    The caller has the file open, which only one process can, so nobody else's are there.
    """
    rmtree(f"{path}.tmp", ignore_errors=True)
    previous(path).unlink(missing_ok=True)
    sweep(path.with_suffix(".fresh"))


def _refusal(error: duckdb.Error, path: Path) -> CeglaError:
    """What DuckDB's words mean for us."""
    said = str(error)
    if "No space left" in said:
        return DiskFull(where=str(path))
    if any(words in said for words in DAMAGED):
        return WarehouseDamaged(where=str(path), seen=said.splitlines()[0])
    return Busy(where=str(path), detail=said.splitlines()[0])
