"""Group commit: requests that arrive together are written by one COPY and one flush, and answered after it.

                     ┌─ gather a few milliseconds ─┐
    request ─► row ─►│ row row row row row ...     │─► number, chain ─► COPY ─► commit (flushed) ─► every answer
                     └─────────────────────────────┘
                                                        error ─► every answer 503, and then: where does the chain really end?

After an error nobody knows whether the commit happened, so the numbers go on from what PostgreSQL says. Clients send a
503 again with the same message id, and intake drops the repeat if the first one did arrive.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from struct import Struct
from typing import LiteralString, cast

import psycopg
import structlog

from cegla.collect.rules import chain
from cegla.collect.rules.door import Grant
from cegla.collect.rules.stamps import truncated
from cegla.collect.store import LOCK_SPACE, SQL

LOG = structlog.get_logger("collector")

CONNECTION_OPTIONS = "-c synchronous_commit=on -c timezone=UTC -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
COMMIT_SECONDS = 30.0  # a commit that takes longer counts as failed
PAUSE_SECONDS = 0.2  # between attempts to reach PostgreSQL

_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_PLACE = Struct(">hiiiqi32s").pack  # fields of the row; then writer, number, link, each behind its length
_FACTS = Struct(">iiiiibibiq").pack  # source, events, trusted, gpc, received
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_POSTGRES_EPOCH_MICROSECONDS = 946_684_800_000_000
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Outcome(Enum):
    """What became of a request."""

    COMMITTED = "committed"
    AWAY = "away"  #: PostgreSQL is away, or the commit failed: try again
    FULL = "full"  #: more requests wait than may
    NO_SPACE = "no_space"  #: PostgreSQL's disk is full


@dataclass(slots=True)
class Row:
    """One request on its way into the inbox. `facts` are its columns as COPY wants them, without place and body."""

    source_id: int
    facts: bytes
    body: bytes
    answer: "asyncio.Future[Outcome]"


@dataclass
class Figures:
    """What one collector did since its start."""

    committed: int = 0
    groups: int = 0
    failures: int = 0
    seconds: float = 0.0
    within: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))

    def count(self, requests: int, seconds: float) -> None:
        """One more group."""
        self.committed += requests
        self.groups += 1
        self.seconds += seconds
        for place, bound in enumerate(BUCKETS):
            if seconds <= bound:
                self.within[place] += 1


@lru_cache(maxsize=8_192)
def _text_field(text: str | None) -> bytes:
    """A text column for COPY: never NUL, never half a character, so that no header can fail a group."""
    if text is None:
        return _NULL
    encoded = text.replace("\0", "").encode("utf-8", "replace")
    return _LENGTH(len(encoded)) + encoded


@lru_cache(maxsize=8_192)
def _address_and_agent(address: str, agent: bytes) -> bytes:
    return _text_field(truncated(address)) + _text_field(agent[:500].decode("utf-8", "replace") if agent else None)


def facts(grant: Grant, kind: str | None, events: int, gpc: bool, address: str, agent: bytes) -> bytes:
    """The columns of a request as COPY wants them; received now."""
    received = time.time_ns() // 1_000 - _POSTGRES_EPOCH_MICROSECONDS
    return _FACTS(4, grant.source_id, 4, events, 1, grant.trusted, 1, gpc, 8, received) + _text_field(kind) + _address_and_agent(address, agent)


class GroupCommitter:
    """Writes the requests of one collector process, under a writer number of its own. Start with `run` in a task."""

    def __init__(self, dsn: str, gather_seconds: float, most_waiting: int) -> None:
        self.dsn = dsn
        self.gather_seconds = gather_seconds
        self.most_waiting = most_waiting
        self.writer = 0
        self.ready = False
        self.figures = Figures()
        self._number = 0
        self._link = chain.START
        self._waiting: deque[Row] = deque()
        self._filled = asyncio.Event()
        self._ending = False
        self._conn: psycopg.AsyncConnection | None = None

    def commit(self, row: Row) -> None:
        """Take a request; its `answer` is set once it is known what became of it."""
        if not self.ready:
            row.answer.set_result(Outcome.AWAY)
        elif len(self._waiting) >= self.most_waiting:
            row.answer.set_result(Outcome.FULL)
        else:
            self._waiting.append(row)
            self._filled.set()

    @property
    def waiting(self) -> int:
        """How many requests wait for a commit."""
        return len(self._waiting)

    async def run(self) -> None:
        """Connect, commit group after group, connect again when PostgreSQL went away; until `finish`."""
        while not (self._ending and not self._waiting):
            if self._conn is None:
                await self._retry(self._connect)
                continue
            await self._filled.wait()
            await asyncio.sleep(self.gather_seconds)
            self._filled.clear()
            group = list(self._waiting)
            self._waiting.clear()
            if group:
                await self._commit(group)
        await self._let_go()

    def finish(self) -> None:
        """Let `run` end after what waits is committed."""
        self._ending = True
        self._filled.set()

    async def _commit(self, group: list[Row]) -> None:
        started = time.perf_counter()
        buffer, number, link = self._numbered(group)
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._write(buffer)
        except (psycopg.Error, OSError, TimeoutError) as error:
            await self._failed(group, error)
            return
        self._number, self._link = number, link
        self.figures.count(len(group), time.perf_counter() - started)
        settle(group, Outcome.COMMITTED)

    def _numbered(self, group: list[Row]) -> tuple[bytes, int, bytes]:
        """The group as one COPY, with the number and link its last request gets."""
        number, link = self._number, self._link
        parts = [_COPY_HEAD]
        for row in group:
            number += 1
            link = chain.link(link, number, row.source_id, row.body)
            parts += (_PLACE(12, 4, self.writer, 8, number, 32, link), row.facts, _LENGTH(len(row.body)), row.body)
        parts.append(_COPY_END)
        return b"".join(parts), number, link

    async def _write(self, buffer: bytes) -> None:
        """One statement outside any transaction block: when it returns, it is committed and flushed."""
        if self._conn is None:
            raise psycopg.OperationalError("not connected")
        async with self._conn.cursor() as cursor, cursor.copy(cast("LiteralString", SQL.copy_requests.sql)) as copy:
            await copy.write(buffer)

    async def _failed(self, group: list[Row], error: Exception) -> None:
        """Answer everybody at once, and start over from what PostgreSQL really holds."""
        self.ready = False
        self.figures.failures += 1
        LOG.error("a commit failed", error=type(error).__name__, requests=len(group))
        settle(group, Outcome.NO_SPACE if isinstance(error, psycopg.errors.DiskFull) else Outcome.AWAY)
        settle(self._waiting, Outcome.AWAY)
        self._waiting.clear()
        await self._let_go()

    async def _connect(self) -> None:
        """Become the only one who writes under our number, and find the end of our chain."""
        conn = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=5, options=CONNECTION_OPTIONS)
        try:
            if not self.writer:
                (self.writer,) = await (await conn.execute(SQL.open_writer.sql)).fetchone() or (0,)
            # an old connection of ours may still be committing: its lock goes with it, so after this the end is the end
            await conn.execute(SQL.hold_writer.sql, {"lock_space": LOCK_SPACE, "writer": self.writer})
            await conn.execute(SQL.place_writer.sql, {"writer": self.writer})
            end = await (await conn.execute(SQL.end_of_chain.sql, {"writer": self.writer}, binary=True)).fetchone()
        except BaseException:
            await conn.close()
            raise
        self._number, self._link = end or (self._number, self._link)
        self._conn = conn
        self.ready = True
        LOG.info("ready", writer=self.writer, number=self._number)

    async def _retry(self, attempt: Callable[[], Awaitable[None]]) -> None:
        try:
            await attempt()
        except (psycopg.Error, OSError) as error:
            if self._ending:
                settle(self._waiting, Outcome.AWAY)
                self._waiting.clear()
                return
            LOG.warning("PostgreSQL is away", error=type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _let_go(self) -> None:
        self.ready = False
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()


def settle(rows: "deque[Row] | list[Row]", outcome: Outcome) -> None:
    """Tell everybody who still listens."""
    for row in rows:
        if not row.answer.done():
            row.answer.set_result(outcome)
