"""Workers that stop before every statement until they are told to go on, so that any interleaving of them can be played, with deaths between statements.

    schedule ──► step(worker) ──► one statement of that worker on the real PostgreSQL ──► it stops before the next one,
                                  or waits for a lock that another worker holds

A worker that dies loses its connection and what it remembers, one that fails only its transaction; both do the same work again, also when
their transaction had been committed and nobody heard of it.
"""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Literal

import psycopg

from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection

Order = Literal["go", "die", "fail", "end"]
Work = Callable[[Connection, resolve.IdentityCache], object]
PATIENCE_SECONDS = 60.0
REMEMBERED = 100  #: all there is, so that what is out of date would be believed


class Interrupted(Exception):
    """The worker was told to die or to fail."""


class Ended(Exception):
    """The play is over, whatever the worker was doing."""


class WatchedConnection(psycopg.Connection[Any]):
    """A connection that asks before each statement."""

    ask: Callable[[], None]


class WatchedCursor(psycopg.Cursor[Any]):
    """A cursor of such a connection."""

    connection: WatchedConnection  # type: ignore[assignment]

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        self.connection.ask()
        return super().execute(*args, **kwargs)

    @contextmanager
    def copy(self, *args: Any, **kwargs: Any) -> Generator[Any]:
        self.connection.ask()
        with super().copy(*args, **kwargs) as copy:
            yield copy


class Worker:
    """One of several who do their work at the same time, each piece in a transaction of its own."""

    def __init__(self, dsn: str, work: Sequence[Work]) -> None:
        self.died = 0
        self.over = False
        self.error: Exception | None = None
        self._dsn, self._work = dsn, work
        self._stands, self._may_go, self._order = threading.Event(), threading.Event(), "go"
        self._conn = self._connected()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def step(self, order: Order, watcher: psycopg.Connection[Any]) -> bool:
        """Let it do one statement, or die or fail before it; False when it waits for another worker or has nothing left to do."""
        if not self.settled(watcher) or self.over:
            return False
        self._stands.clear()
        self._order = order
        self._may_go.set()
        self.settled(watcher)
        return True

    def settled(self, watcher: psycopg.Connection[Any]) -> bool:
        """Wait until it stands before a statement or is done; False as soon as it waits for a lock instead."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._stands.wait(0.002):
            waits = watcher.execute("select 1 from pg_locks where pid = %s and not granted", [self._pid]).fetchone()
            if waits or time.monotonic() > deadline:
                return False
        return True

    def end(self) -> None:
        """End it where it is; what it has not committed is gone."""
        self._order = "end"
        self._may_go.set()
        self._thread.join(PATIENCE_SECONDS)

    def _connected(self) -> WatchedConnection:
        conn = WatchedConnection.connect(self._dsn, autocommit=True, cursor_factory=WatchedCursor)
        conn.ask, self._pid = self._ask, conn.info.backend_pid
        return conn

    def _ask(self) -> None:
        self._stands.set()
        self._may_go.wait()
        self._may_go.clear()
        if self._order == "end":
            raise Ended
        if self._order != "go":
            self.died += 1
            if self._order == "die":
                self._conn.close()
            raise Interrupted

    def _run(self) -> None:
        cache = resolve.IdentityCache(capacity=REMEMBERED)
        try:
            for work in self._work:
                while not self._done(work, cache):
                    if self._conn.closed:
                        self._conn, cache = self._connected(), resolve.IdentityCache(capacity=REMEMBERED)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the play's to raise
            self.error = error
        finally:
            self.over = True
            with suppress(psycopg.Error):
                self._conn.close()
            self._stands.set()

    def _done(self, work: Work, cache: resolve.IdentityCache) -> bool:
        """Whether it was done and it is known that it was."""
        try:
            with self._conn.transaction():
                work(self._conn, cache)
                self._ask()  # before the commit
            self._ask()  # the commit is done, but who dies here has not heard of it
        except Interrupted:
            return False
        return True


def play(dsn: str, works: Sequence[Sequence[Work]], schedule: Sequence[tuple[int, int, Order]]) -> int:
    """Let workers do their work in this interleaving, (worker, steps, what it is told at the last one), then in turn to the end; how often one died."""
    with psycopg.connect(dsn, autocommit=True) as watcher:
        workers = [Worker(dsn, work) for work in works]
        try:
            for number, steps, last in schedule:
                for left in reversed(range(steps)):
                    workers[number].step("go" if left else last, watcher)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not all(worker.over for worker in workers):
                for worker in workers:
                    worker.step("go", watcher)
                assert time.monotonic() < deadline, "the workers wait for each other"
        finally:
            for worker in workers:
                worker.end()
        for worker in workers:
            if worker.error is not None:
                raise worker.error
    return sum(worker.died for worker in workers)
