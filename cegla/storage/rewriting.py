"""A warehouse's file written anew: DuckDB leaves the bytes of removed rows in its file for good, so only another file is without them."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import duckdb

from cegla.vocabulary.errors.installation import WarehouseDamaged

CHECKED = "select count(*), bit_xor(hash(t)) from {table} t"  #: the same for the same rows in any order


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


def copied(cursor: Any, fresh: Path, config: dict[str, Any]) -> None:
    """Write every table of the main database into a new file, and compare. Raises WarehouseDamaged when a table is not equal; then, as after
    any failure, there is no new file."""
    sweep(fresh)
    try:
        _copy(cursor, fresh, config)
    except BaseException:
        sweep(fresh)
        raise


def _copy(cursor: Any, fresh: Path, config: dict[str, Any]) -> None:
    tables = [name for (name,) in cursor.execute("select table_name from duckdb_tables() where database_name = current_database()").fetchall()]
    with duckdb.connect(str(fresh), config=config) as target:
        for name in tables:
            target.register("incoming", cursor.sql(f"from {name}").to_arrow_reader(100_000))
            target.execute(f"create table {name} as from incoming")
            target.unregister("incoming")
            held, copy = (one.execute(CHECKED.format(table=name)).fetchall() for one in (cursor, target))
            if held != copy:
                raise WarehouseDamaged(where=str(fresh), seen=f"{name}: {held} -> {copy}")
        target.execute("checkpoint")


def sweep(fresh: Path) -> None:
    """Remove a new file that did not get to its place, with what DuckDB keeps beside it."""
    for leftover in (fresh, fresh.with_name(f"{fresh.name}.wal")):
        leftover.unlink(missing_ok=True)
    rmtree(f"{fresh}.tmp", ignore_errors=True)


def erased_marker(path: Path) -> Path:
    """The file that says that rows were removed whose bytes are still in the warehouse's file."""
    return path.with_suffix(".erased")
