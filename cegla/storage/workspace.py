"""A workspace: everything that hangs together for one client: its PostgreSQL, its warehouse, its keys, its clock.

There is no global state; whoever needs a store is given the workspace.
"""

import fcntl
import json
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import msgspec
import psycopg
import structlog
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool, PoolTimeout

from cegla.reference.library import Library
from cegla.storage.anywhere import AnyWarehouse
from cegla.storage.engines.connecting import file_of, is_file, open_elsewhere
from cegla.storage.files import Files
from cegla.storage.keys import Keys
from cegla.storage.migrations import migrate
from cegla.storage.opening import open_or_set_aside
from cegla.storage.postgres import EmbeddedPostgres, refuse_unsafe
from cegla.storage.recent import Recent
from cegla.storage.settings import Settings
from cegla.storage.warehouse import TABLES
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.errors.installation import AlreadyRunning, DatabaseAway

LOG = structlog.get_logger("storage")
Clock = Callable[[], datetime]
Connection = psycopg.Connection
READING_CONNECTIONS = 2
# arrays of one element or of fifty thousand: a plan made for any length would be a bad one for the long
# and an index read in order beats gathering and sorting all that waits: what is read was written a moment ago, or lies on no spinning disk
SESSION_OPTIONS = "-c synchronous_commit=on -c timezone=UTC -c plan_cache_mode=force_custom_plan -c random_page_cost=1.1"  #: of connections that write


def _loads(text: str | bytes) -> Any:
    """JSON as the standard library reads it, in a fifth of the time; what is beyond a 64-bit float is left to the library itself."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return json.loads(text)


def utc_now() -> datetime:
    """The system clock, in UTC."""
    return datetime.now(UTC)


READING_PATIENCE_SECONDS = 3.0  #: who asks for a profile would rather hear at once that PostgreSQL is away


@dataclass
class Workspace:
    """One client's stores. `warehouse` opens on first use, since only one process may hold its file."""

    settings: Settings
    dsn: str
    clock: Clock = utc_now
    pool_size: int = 8
    recent: Recent = field(default_factory=Recent, repr=False, compare=False)  #: answers about everybody, in memory
    _closing: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)  #: two threads that ask first open it once

    @cached_property
    def pool(self) -> "ConnectionPool[Connection]":
        """Connections to PostgreSQL, UTC and with synchronous commit on."""
        pool: ConnectionPool[Connection] = ConnectionPool(
            self.dsn,
            min_size=1,
            max_size=self.pool_size,
            open=True,
            timeout=15,
            kwargs={"options": SESSION_OPTIONS},
            check=ConnectionPool.check_connection,
        )
        self._closing.append(pool.close)
        return pool

    @cached_property
    def _reading(self) -> "ConnectionPool[Connection]":
        pool: ConnectionPool[Connection] = ConnectionPool(
            self.dsn,
            min_size=1,
            max_size=READING_CONNECTIONS,
            open=True,
            timeout=15,
            kwargs={"autocommit": True, "options": "-c timezone=UTC -c default_transaction_read_only=on -c random_page_cost=1.1"},
            configure=lambda conn: set_json_loads(_loads, conn),
        )
        self._closing.append(pool.close)
        return pool

    @property
    def warehouse_file(self) -> Path:
        """Where the history lies when no other engine holds it."""
        address = self.settings.warehouse
        return file_of(address) if is_file(address) else self.settings.data_dir / "warehouse" / "cegla.duckdb"

    @cached_property
    def warehouse(self) -> AnyWarehouse:
        """The history. Raises Busy when another process holds its file, EngineAway when another engine has it and does not answer; a damaged file is
        moved aside, and an empty one takes its place."""
        with self._opening:
            return self.__dict__.get("warehouse") or self._opened()

    def _opened(self) -> AnyWarehouse:
        if self.settings.warehouse and not is_file(self.settings.warehouse):
            warehouse, aside = open_elsewhere(self.settings.warehouse, self.settings.data_dir / "warehouse"), None
        else:
            warehouse, aside = open_or_set_aside(self.warehouse_file, self.clock())
        if aside is not None:
            LOG.error("the warehouse was damaged and is moved aside", folder=str(aside))
        self._closing.append(warehouse.close)
        self.__dict__["warehouse"] = warehouse
        return warehouse

    @cached_property
    def snapshots(self) -> Files:
        """The history as files, a night behind at most: what a damaged warehouse is rebuilt from."""
        return Files(self.settings.data_dir / "snapshots", TABLES)

    @cached_property
    def library(self) -> Library:
        """What is known of the world: places, networks, devices, referrers, calendars, words. `library.current()` sees new data."""
        return Library(self.settings.data_dir / "reference")

    @cached_property
    def keys(self) -> Keys:
        """The installation's secrets."""
        return Keys(self.settings.data_dir / "keys")

    @contextmanager
    def transaction(self, patience_seconds: float | None = None) -> Generator[Connection]:
        """A connection in a transaction: committed at the end of the block, rolled back when it raises.

        `patience_seconds` is how long to wait for a connection, when not as long as usual.
        """
        try:
            with self.pool.connection(timeout=patience_seconds) as conn:
                yield conn
        except PoolTimeout as error:
            raise DatabaseAway(where="dsn", seen=str(error)) from None

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """A connection for statements that only read, each by itself, and that are asked thousands of times a second: their plans are kept.

        Nobody looks first whether it still works: after a restart of PostgreSQL the first use raises psycopg.OperationalError, the next does not.
        """
        try:
            with self._reading.connection(timeout=READING_PATIENCE_SECONDS) as conn:
                yield conn
        except PoolTimeout as error:
            raise DatabaseAway(where="dsn", seen=str(error)) from None
        except psycopg.OperationalError:
            self._reading.check()
            raise

    def at_close(self, close: Callable[[], None]) -> None:
        """Something else that is to be closed with the workspace, before what was opened earlier."""
        self._closing.append(close)

    def close(self) -> None:
        """Give back everything that was opened, last first."""
        while self._closing:
            self._closing.pop()()


class DataDirectory:
    """The one directory that holds everything, and the lock that lets one Cegla own it."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def take(self) -> None:
        """Become the owner until this process ends. Raises AlreadyRunning with the owner's process id."""
        self.path.mkdir(parents=True, exist_ok=True)
        lock = (self.path / "owner.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise AlreadyRunning(where=str(self.path), pid=owner or "?") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def release(self) -> None:
        """Let go of the directory."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None


@contextmanager
def open_workspace(settings: Settings, clock: Clock = utc_now, *, alone: bool = False) -> Generator[Workspace]:
    """The workspace of these settings, with PostgreSQL started when it is embedded and nobody runs it yet, and migrated.

    When another Cegla owns the data directory, its PostgreSQL is used as a guest; or, `alone`, AlreadyRunning is raised. Raises DatabaseAway,
    DatabaseWontStart.
    """
    with running_database(settings, alone=alone) as dsn:
        workspace = Workspace(settings, dsn, clock)
        try:
            yield workspace
        finally:
            workspace.close()


@contextmanager
def running_database(settings: Settings, *, alone: bool = False) -> Generator[str]:
    """The address of a migrated PostgreSQL that runs at least as long as the block. `alone`: AlreadyRunning when an installation is at work in the data
    directory, and none begins during the block."""
    directory = DataDirectory(settings.data_dir)
    if settings.dsn:
        refuse_unsafe(settings.dsn)
        if alone:
            directory.take()
        try:
            migrate(settings.dsn)
            yield settings.dsn
        finally:
            directory.release()
        return
    server = EmbeddedPostgres(directory.path / "postgres")
    try:
        directory.take()
    except AlreadyRunning:
        if alone:
            raise
        yield _guest(server.dsn)
        return
    try:
        server.start()
        migrate(server.dsn)
        yield server.dsn
    finally:
        server.stop()
        directory.release()


def _guest(dsn: str) -> str:
    try:
        psycopg.connect(dsn, connect_timeout=10).close()
    except psycopg.OperationalError as error:
        raise Busy(
            where="data_dir", seen=str(error).splitlines()[0], detail="another Cegla owns the data directory, and its PostgreSQL does not answer yet"
        ) from None
    return dsn
