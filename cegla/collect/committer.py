"""Group commit: requests that arrive together are written by one COPY and one flush, and answered after it.

                     ┌─ gather a few milliseconds ─┐
    request ─► row ─►│ row row row row row ...     │─► number, chain ─► COPY ─► commit (flushed) ─► every answer
                     └─────────────────────────────┘
                                                        error ─► every answer 503, and then: where does the chain really end?

After an error nobody knows whether the commit happened, so the numbers go on from what PostgreSQL says. Clients send a
503 again with the same message id, and intake drops the repeat if the first one did arrive. When PostgreSQL came back
without something that was acknowledged (collect/heads.py knows), that is said and noted, and a new chain begins.

When PostgreSQL reports that its disk failed to write, the collector answers 503 and ends: a later success would prove nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path
from struct import Struct
from typing import LiteralString, cast

import psycopg

from cegla.collect import heads, log, reserve
from cegla.collect.rules import chain, trace
from cegla.collect.rules.door import Grant
from cegla.collect.rules.stamps import truncated
from cegla.collect.store import LOCK_SPACE, SQL
from cegla.storage import migrations
from cegla.storage.failpoint import passing
from cegla.vocabulary.errors.installation import DatabaseAway

CONNECTION_OPTIONS = "-c synchronous_commit=on -c timezone=UTC -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s"
COMMIT_SECONDS = 30.0  # a commit that takes longer counts as failed
SLOW_COMMIT_SECONDS = 2.0  # while one takes longer, this collector is not ready
FIRST_PAUSE_SECONDS = 0.02  # between attempts to reach PostgreSQL: it often starts beside us, and every moment counts then
PAUSE_GROWTH = 1.1  # so a pause is a tenth of the time PostgreSQL was away: after recovery from a crash everybody waits for this
LONGEST_PAUSE_SECONDS = 0.2
SETTLE_SECONDS = 1.0  # how far the head of the chain may be ahead of the disk
LONGEST_AGENT = 500
LONGEST_ADDRESS = 64

_COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_END = b"\xff\xff"
_PLACE = Struct(">hiiiqi32s").pack  # fields of the row; then writer, number, link, each behind its length
_FACTS = Struct(">iiiiibibiq").pack  # source, events, trusted, gpc, received
_LENGTH = Struct(">i").pack
_NULL = NO_TRACE = _LENGTH(-1)
_POSTGRES_EPOCH_MICROSECONDS = 946_684_800_000_000
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Outcome(Enum):
    """What became of a request."""

    COMMITTED = "committed"
    AWAY = "away"  #: PostgreSQL is away, or the commit failed: try again
    FULL = "full"  #: more requests wait than may, in number, in bytes or in time
    NO_SPACE = "no_space"  #: PostgreSQL's disk is full


@dataclass(slots=True)
class Row:
    """One request on its way into the inbox. `facts` are its columns as COPY wants them, without place and body.

    `answer` is called once, with what became of it. A plain call: a future would cost every request a turn of the loop.
    """

    source_id: int
    facts: bytes
    body: bytes
    answer: Callable[[Outcome], None]


@dataclass(frozen=True)
class Room:
    """How much may wait for a commit in one process. Beyond any of the three the next request is told to come back."""

    requests: int
    bytes: int
    seconds: float  #: age of the oldest request that waits: a slow store is seen here first


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
    return _text_field(truncated(address)) + _text_field(agent.decode("utf-8", "replace") if agent else None)


def sender(address: str, agent: bytes) -> bytes:
    """The columns of who sent a request. Texts are cut before they are remembered, or a client could fill the memory."""
    return _address_and_agent(address[:LONGEST_ADDRESS], agent[:LONGEST_AGENT])


def traced(header: bytes) -> bytes:
    """The column of the trace that a header names; nothing of it is remembered, since each comes once."""
    parent = trace.traceparent(header.decode("latin-1"))
    return NO_TRACE if parent is None else _LENGTH(len(parent)) + parent.encode()


def facts(grant: Grant, kind: str | None, events: int, gpc: bool, who: bytes, traced: bytes) -> bytes:
    """The columns of a request as COPY wants them; received now. `who` and `traced` are columns already (see `sender` and the function `traced`)."""
    received = time.time_ns() // 1_000 - _POSTGRES_EPOCH_MICROSECONDS
    return _FACTS(4, grant.source_id, 4, events, 1, grant.trusted, 1, gpc, 8, received) + _text_field(kind) + who + traced


class StoreFailing(Exception):
    """PostgreSQL's disk failed to write: nothing may be acknowledged any more by this process."""


class GroupCommitter:
    """Writes the requests of one collector process, under a writer number of its own. Start with `run` in a task."""

    def __init__(self, dsn: str, gather_seconds: float, room: Room, heads_folder: Path | None = None) -> None:
        self.dsn = dsn
        self.heads_folder = heads_folder  #: None: the head of the chain is kept in PostgreSQL only
        self.gather_seconds = gather_seconds
        self.room = room
        self.writer = 0
        self.ready = False
        self._committing_since: float | None = None
        self.figures = Figures()
        self._number = 0
        self._link = chain.START
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._waiting: list[Row] = []
        self._waiting_bytes = 0
        self._waiting_since = 0.0
        self._filled = asyncio.Event()
        self._ending = False
        self._conn: psycopg.AsyncConnection | None = None
        self._head: heads.HeadFile | None = None
        self._settling: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        """Whether a request would be refused now. Cheap, so that the door can ask before it reads a body."""
        if not self._waiting:
            return False
        room = self.room
        return (
            len(self._waiting) >= room.requests or self._waiting_bytes >= room.bytes or time.monotonic() - self._waiting_since > room.seconds
        )

    @property
    def hangs(self) -> bool:
        """Whether a commit takes so long that PostgreSQL may not answer at all."""
        return self._committing_since is not None and time.monotonic() - self._committing_since > SLOW_COMMIT_SECONDS

    def commit(self, row: Row) -> None:
        """Take a request; its `answer` is called once it is known what became of it."""
        if not self.ready:
            row.answer(Outcome.AWAY)
        elif self.full:
            row.answer(Outcome.FULL)
        else:
            if not self._waiting:
                self._waiting_since = time.monotonic()
                self._filled.set()
            self._waiting.append(row)
            self._waiting_bytes += len(row.body)

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
            # those who came while the last group was committed have waited already
            await asyncio.sleep(max(0.0, self._waiting_since + self.gather_seconds - time.monotonic()))
            if group := self._take():
                await self._commit(group)
        await self._let_go()
        self._close_head()

    def _take(self) -> list[Row]:
        """Everything that waits."""
        group, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if not self._ending:
            self._filled.clear()
        return group

    def finish(self) -> None:
        """Let `run` end after what waits is committed."""
        self._ending = True
        self._filled.set()

    async def _commit(self, group: list[Row]) -> None:
        started = time.perf_counter()
        buffer, number, link = self._numbered(group)
        self._committing_since = time.monotonic()
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                passing("collector: before the commit")
                await self._write(buffer)
                passing("collector: after the commit")
        except (psycopg.Error, OSError, TimeoutError) as error:
            await self._failed(group, error)
            return
        finally:
            self._committing_since = None
        self._number, self._link = number, link
        self._write_head()
        passing("collector: after the head")
        self.figures.count(len(group), time.perf_counter() - started)
        settle(group, Outcome.COMMITTED)

    def _numbered(self, group: list[Row]) -> tuple[bytes, int, bytes]:
        """The group as one COPY, with the number and link its last request gets."""
        number, link = self._number, self._link
        parts = [_COPY_HEAD]
        for row in group:
            number += 1
            link = chain.link(link, number, row.source_id, row.body)
            parts += (_PLACE(13, 4, self.writer, 8, number, 32, link), row.facts, _LENGTH(len(row.body)), row.body)
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
        log.error("a commit failed", error=type(error).__name__, requests=len(group))
        if self.heads_folder is not None and isinstance(error, psycopg.errors.DiskFull):
            reserve.give_up(self.heads_folder.parent)
        settle(group, Outcome.NO_SPACE if isinstance(error, psycopg.errors.DiskFull) else Outcome.AWAY)
        settle(self._take(), Outcome.AWAY)
        await self._let_go()
        if isinstance(error, psycopg.errors.IoError):
            raise StoreFailing from error

    async def _connect(self) -> None:
        """Become the only one who writes under our number, and find the end of our chain; a chain that lost its end is left for a new one.

        Raises DatabaseAway while migrations are under way.
        """
        if self.heads_folder is not None:
            await asyncio.to_thread(self._look_at_heads, self.heads_folder)
        conn = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=5, options=CONNECTION_OPTIONS)
        try:
            if missing := await migrations.missing(conn):
                raise DatabaseAway(where="migrations", seen=missing[0])
            end = await self._end_of_chain(conn) if self.writer else None
            if end is None or end[0] < self._number:
                if self.writer:
                    log.error("the chain lost its end, and a new one begins", writer=self.writer, acknowledged=self._number, found=end and end[0])
                await self._open_writer(conn)
                end = (0, chain.START)
        except BaseException:
            await conn.close()
            raise
        self._number, self._link = end
        self._conn = conn
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self.ready = True
        log.info("ready", writer=self.writer, number=self._number)

    async def _end_of_chain(self, conn: psycopg.AsyncConnection) -> tuple[int, bytes] | None:
        """The last request of ours that PostgreSQL holds; None when it does not know us."""
        await conn.execute(SQL.hold_writer.sql, {"lock_space": LOCK_SPACE, "writer": self.writer})
        # an old connection of ours may have been committing still: its lock went with it, so now the end is the end
        return await (await conn.execute(SQL.end_of_chain.sql, {"writer": self.writer}, binary=True)).fetchone()

    async def _open_writer(self, conn: psycopg.AsyncConnection) -> None:
        """A new chain, with its head file."""
        self._close_head()
        self.writer, opened_at = await (await conn.execute(SQL.open_writer.sql)).fetchone() or (0, datetime.now(UTC))
        await conn.execute(SQL.hold_writer.sql, {"lock_space": LOCK_SPACE, "writer": self.writer})
        if self.heads_folder is not None:
            try:
                self._head = heads.HeadFile(self.heads_folder, self.writer, opened_at)
            except OSError as error:
                log.error("the head of the chain cannot be kept outside PostgreSQL", error=type(error).__name__)

    def _look_at_heads(self, folder: Path) -> None:
        """What was acknowledged here before must still be there. Runs in a thread of its own."""
        with psycopg.connect(self.dsn, connect_timeout=5, options="-c timezone=UTC") as conn:
            for loss in heads.look(conn, folder, datetime.now(UTC)):
                log.error("acknowledged requests are gone", writer=loss.writer, first_number=loss.number, requests=loss.requests)
        heads.forget_old(folder)

    def _write_head(self) -> None:
        """Note the end of the chain outside PostgreSQL; the disk gets it in the background."""
        if self._head is None:
            return
        try:
            self._head.write(self._number, self._link)
        except OSError as error:
            log.error("the head of the chain cannot be written", error=type(error).__name__)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle_head(self._head))

    async def _settle_head(self, head: heads.HeadFile) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        try:
            await asyncio.to_thread(head.settle)
            if self.heads_folder is not None:
                await asyncio.to_thread(reserve.keep, self.heads_folder.parent)
        except OSError as error:
            log.error("the head of the chain does not reach the disk", error=type(error).__name__)

    def _close_head(self) -> None:
        head, self._head = self._head, None
        if self._settling is not None:
            self._settling.cancel()
        if head is not None:
            try:
                head.close()
            except OSError as error:
                log.error("the head of the chain does not reach the disk", error=type(error).__name__)

    async def _retry(self, attempt: Callable[[], Awaitable[None]]) -> None:
        try:
            await attempt()
        except (psycopg.Error, OSError, DatabaseAway) as error:
            if self._ending:
                settle(self._take(), Outcome.AWAY)
                return
            log.warning("PostgreSQL is away", error=type(error).__name__)
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(self._pause_seconds * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    async def _let_go(self) -> None:
        self.ready = False
        conn, self._conn = self._conn, None
        if conn is not None:
            await conn.close()


def settle(rows: list[Row], outcome: Outcome) -> None:
    """Tell everybody."""
    for row in rows:
        row.answer(outcome)
