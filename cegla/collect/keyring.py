"""The keys a collector knows: kept in memory, read again every few seconds, honest about being out of date.

SDKs throw events away at 401, so a key is called unknown only by a list that was read after the question came.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psycopg

from cegla.collect import log
from cegla.collect.committer import CONNECTION_OPTIONS, PAUSE_GROWTH
from cegla.collect.rules.door import Grant
from cegla.collect.store import SQL
from cegla.collect.webhook_door import Hook, read_hooks, token_hash

EVERY_SECONDS = 2.0
LEAST_PAUSE_SECONDS = 0.1
FIRST_AWAY_SECONDS = 0.02  # between attempts to reach PostgreSQL, growing to the longest
READ_SECONDS = 10.0  # PostgreSQL may take for the list, or for the notes; then it counts as away
LONGEST_AWAY_SECONDS = 0.5
RECENT_SECONDS = 5.0  # without an answer for longer, PostgreSQL may hang
STALE_SECONDS = 30.0
PATIENCE_SECONDS = 3.0


class Notes(Protocol):
    """What a collector writes down of itself now and then."""

    async def write(self, conn: psycopg.AsyncConnection) -> None:
        """Write what is new. Raises psycopg.Error, and then, or when it is cut off, it is kept for the next time."""


class Keyring:
    """Grants by key. Start with `run` in a task, which also writes down what was refused and counted.

    `keys` is the directory of the installation's own keys, which open those of webhooks.
    """

    def __init__(self, dsn: str, notes: Sequence[Notes], keys: Path) -> None:
        self.dsn = dsn
        self.keys = keys
        self.notes = notes
        self.answered = False  # PostgreSQL did, the last time it was asked
        self.largest_request_bytes = 0  # the largest that any source allows for itself
        self.open_to_any_origin = False
        self.origins: frozenset[str] = frozenset()
        self._keys: dict[str, Grant] = {}
        self._secrets: dict[bytes, Grant] = {}
        self._hooks: dict[bytes, Hook] = {}
        self._read_at = float("-inf")
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def recent(self) -> bool:
        """Whether PostgreSQL answered the last time, and that was a moment ago."""
        return self.answered and time.monotonic() - self._read_at < RECENT_SECONDS

    @property
    def fresh(self) -> bool:
        """Whether the list was read lately."""
        return time.monotonic() - self._read_at < STALE_SECONDS

    def find(self, key: str) -> Grant | None:
        """What a write key or a secret key allows, as far as is known."""
        return self._keys.get(key) or (self._secrets.get(hashlib.sha256(key.encode()).digest()) if key.startswith("sk_") else None)

    async def find_surely(self, key: str) -> Grant | None:
        """As `find`, from a list that is read from now on. Raises TimeoutError when it cannot be read."""
        await self._read_from_now_on()
        return self.find(key)

    async def hook_surely(self, token: str) -> Hook | None:
        """The webhook of a token, if need be from a list that is read from now on. Raises TimeoutError when it cannot be read."""
        mark = token_hash(token)
        if mark not in self._hooks:
            await self._read_from_now_on()
        return self._hooks.get(mark)

    async def _read_from_now_on(self) -> None:
        asked_at = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self._read_at < asked_at:
                self._wanted.set()
                await asyncio.shield(self._next)

    async def run(self) -> None:
        """Read the list again and again, sooner when somebody asks for an unknown key."""
        away = FIRST_AWAY_SECONDS
        while True:
            try:
                conn = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, connect_timeout=5, options=CONNECTION_OPTIONS)
                try:
                    while True:
                        async with asyncio.timeout(READ_SECONDS):  # a PostgreSQL that hangs says nothing at all
                            await self._read(conn)
                        away = FIRST_AWAY_SECONDS
                        await self._pause()
                        async with asyncio.timeout(READ_SECONDS):
                            for one in self.notes:
                                await one.write(conn)
                finally:
                    await conn.close()
            except (psycopg.Error, OSError) as error:
                self.answered = False
                log.warning("the key list cannot be read", error=type(error).__name__)
                await asyncio.sleep(away)
                away = min(away * PAUSE_GROWTH, LONGEST_AWAY_SECONDS)

    async def _read(self, conn: psycopg.AsyncConnection) -> None:
        asked_at = time.monotonic()
        rows = await (await conn.execute(SQL.keys.sql)).fetchall()
        keys: dict[str, Grant] = {}
        secrets: dict[bytes, Grant] = {}
        for shown, secret_hash, source_id, present, enabled, origins, largest, per_second in rows:
            if shown is not None:
                keys[shown] = Grant(source_id, present, False, enabled, tuple(origins), largest, per_second)
            if secret_hash is not None:
                secrets[bytes(secret_hash)] = Grant(source_id, present, True, enabled, tuple(origins), largest, per_second)
        self.largest_request_bytes = max((row[6] for row in rows if row[6] is not None), default=0)
        self._hooks = read_hooks(await (await conn.execute(SQL.webhooks.sql)).fetchall(), self.keys)
        self._keys, self._secrets, self._read_at = keys, secrets, asked_at
        self.answered = True
        self.origins = frozenset(origin for grant in keys.values() for origin in grant.origins)
        self.open_to_any_origin = any(not grant.origins for grant in keys.values())
        done, self._next = self._next, asyncio.get_running_loop().create_future()
        done.set_result(True)

    async def _pause(self) -> None:
        await asyncio.sleep(LEAST_PAUSE_SECONDS)  # however many ask, the list is not read more often than this
        try:
            async with asyncio.timeout(EVERY_SECONDS):
                await self._wanted.wait()
        except TimeoutError:
            pass
        self._wanted.clear()
