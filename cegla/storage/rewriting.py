"""A warehouse's file written anew: DuckDB leaves the bytes of removed rows in its file for good, so only another file is without them."""

import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from types import MappingProxyType
from typing import Any, NamedTuple

import pyarrow as pa

from cegla.vocabulary.errors.installation import WarehouseDamaged

CHECKED = "select count(*), bit_xor(hash(t)), max(batch) from (select {columns} from {table}) t where batch between ? and ?"
ROWS_AT_ONCE = 100_000
LAST_BATCH = (1 << 63) - 1


class Checked(NamedTuple):
    """Rows of a table, a sum over them that is the same for the same rows in any order, and their newest batch."""

    rows: int
    checksum: int
    newest: int

    def joined(self, other: "Checked") -> "Checked":
        """What both parts come to together."""
        return Checked(self.rows + other.rows, self.checksum ^ other.checksum, max(self.newest, other.newest))


class Gate:
    """Many may be within at a time, or one alone. Who is within may come in again, so that nobody waits for itself."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._within: dict[int, int] = {}  # by thread how often
        self._closed = False

    @contextmanager
    def reader(self) -> Generator[None]:
        """Be within; waits while somebody is alone."""
        me = threading.get_ident()
        with self._changed:
            self._changed.wait_for(lambda: not self._closed or me in self._within)
            self._within[me] = self._within.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._within[me] -= 1
                if not self._within[me]:
                    del self._within[me]
                self._changed.notify_all()

    @contextmanager
    def alone(self, seconds: float) -> Generator[bool]:
        """Be within alone: true. False when the others did not leave within so many seconds; then nobody is kept out any more."""
        until = time.monotonic() + seconds
        with self._changed:
            self._closed = True
            empty = self._changed.wait_for(lambda: not self._within, until - time.monotonic())
            if not empty:
                self._closed = False
                self._changed.notify_all()
        try:
            yield empty
        finally:
            with self._changed:
                self._closed = False
                self._changed.notify_all()


def copied(cursor: Any, target: Any, tables: Mapping[str, pa.Schema], after: Mapping[str, int] = MappingProxyType({})) -> dict[str, int]:
    """Copy the rows of these tables into another file, of the batches after a number each, and compare by count and checksum.

    Returns the newest batch of each table. Raises WarehouseDamaged when a table is not equal.
    """
    newest: dict[str, int] = {}
    for name, schema in tables.items():
        first = after.get(name, -1) + 1
        target.register("incoming", cursor.sql(f"from {name} where batch >= {first}").to_arrow_reader(ROWS_AT_ONCE))
        target.execute(f"create table if not exists {name} as from incoming limit 0")
        target.execute(f"insert into {name} from incoming")
        target.unregister("incoming")
        held, copy = (checked(one, name, schema, first) for one in (cursor, target))
        if held != copy:
            raise WarehouseDamaged(where=name, seen=f"{held} -> {copy}")
        newest[name] = max(held.newest, first - 1)
    return newest


def checked(cursor: Any, name: str, schema: pa.Schema, first: int = 0, last: int = LAST_BATCH) -> Checked:
    """What a table comes to, of the batches from one to another. Reads all of them."""
    ((rows, checksum, newest),) = cursor.execute(CHECKED.format(table=name, columns=", ".join(schema.names)), [first, last]).fetchall()
    return Checked(rows, checksum or 0, newest or 0)


def sweep(fresh: Path) -> None:
    """Remove a new file that did not get to its place, with what DuckDB keeps beside it."""
    for leftover in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        leftover.unlink(missing_ok=True)
    rmtree(f"{fresh}.tmp", ignore_errors=True)


def previous(path: Path) -> Path:
    """The file that had this one's place, as long as it is not sure that this one opens."""
    return path.with_suffix(".previous")


def erased_marker(path: Path) -> Path:
    """The file that says that rows were removed whose bytes are still in the warehouse's file."""
    return path.with_suffix(".erased")
