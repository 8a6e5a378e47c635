"""Crashes on purpose: parts are killed at random moments under load, and then every acknowledged event is looked for.

    64 clients ──► collectors ──► PostgreSQL ──► (app: intake ──► warehouse)
    each event is sent, with the same messageId, until its 200 came      kill -9, at random, of any part; the supervisor brings it back

What was acknowledged must be there, once. The supervisor is the one of `cegla up`.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from cegla.collect import actions as collect
from cegla.repair import actions as repair
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.workspace import DataDirectory
from cegla.vocabulary.consent import Basis
from cegla.worker.supervisor import Child, Running, start

CLIENTS = 64
THINKING_SECONDS = 0.02
ANSWER_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 180.0
COLLECTOR = [sys.executable, "-m", "cegla.worker.collector"]


@dataclass
class Load:
    """What the clients did. Times are `time.monotonic()`."""

    acknowledged: set[str] = field(default_factory=set)
    sent_again: int = 0
    last_answer_at: float = 0.0
    _ending: bool = False

    def finish(self) -> None:
        """No new events; those under way are sent until they are acknowledged."""
        self._ending = True

    async def run(self, port: int, key: str) -> None:
        """All clients, until `finish` and every event is acknowledged."""
        await asyncio.gather(*(self._client(port, key, number) for number in range(CLIENTS)))

    async def _client(self, port: int, key: str, client: int) -> None:
        rng = random.Random(client)
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        number = 0
        while not self._ending:
            number += 1
            message_id = f"crash-{client}-{number}"
            request = _request(key, message_id, client)
            while True:
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        connection = connection or await asyncio.open_connection("127.0.0.1", port)
                        status = await _exchange(*connection, request)
                except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
                    status = 0
                    if connection is not None:
                        connection[1].close()
                    connection = None
                if status == 200:
                    break
                self.sent_again += 1
                await asyncio.sleep(0.05 + rng.random() * 0.1)
            self.acknowledged.add(message_id)
            self.last_answer_at = time.monotonic()
            await asyncio.sleep(rng.random() * THINKING_SECONDS)
        if connection is not None:
            connection[1].close()


def _request(key: str, message_id: str, client: int) -> bytes:
    event = {"type": "track", "event": "Product Viewed", "messageId": message_id, "anonymousId": f"browser-{client}", "properties": {"product_id": message_id}}
    body = json.dumps({**event, "writeKey": key}).encode()
    return f"POST /v1/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    await reader.readexactly(length)
    return int(head[9:12])


@dataclass(frozen=True)
class Report:
    """What was killed, and what was found afterwards."""

    kills: dict[str, int]
    acknowledged: int
    sent_again: int
    stored: int  #: different events found
    repeats_dropped: int
    lost: int  #: acknowledged, and not found
    doubled: int  #: found more than once after repeats were dropped
    damaged: int
    adds_up: bool
    longest_silence_seconds: float  #: from a kill to the next answer

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (self.lost or self.doubled or self.damaged) and self.adds_up


@contextmanager
def installation(
    directory: Path, command: Sequence[str] = COLLECTOR, workers: int = 2, under: Mapping[str, str] | None = None
) -> Generator[Running]:
    """PostgreSQL and collectors under the supervisor, without the app. `command` starts a collector; `under` is added to the server's environment."""
    settings = Settings.model_validate({"data_dir": directory, "collector": {"workers": workers, "port": 0}, "app": {"port": 0}})
    owner = DataDirectory(directory)
    owner.take()
    server = EmbeddedPostgres(directory / "postgres")
    server.directory.mkdir(parents=True, exist_ok=True)
    with environment_with(under or {}):
        server.start()
    migrate(server.dsn)
    port = free_port()
    environment = {**os.environ, "CEGLA_DSN": server.dsn, "CEGLA_DATA_DIR": str(directory), "CEGLA_COLLECTOR_PORT": str(port)}
    children = [Child(f"collector-{number}", list(command), environment, directory / f"collector-{number}.log") for number in range(1, workers + 1)]
    running = Running(
        app_url="", collector_url=f"http://127.0.0.1:{port}", first_password=None, settings=settings, dsn=server.dsn,
        children=children, server=server, directory=owner,
    )  # fmt: skip
    try:
        running.watch_in_background()
        yield running
    finally:
        running.stop()


@contextmanager
def environment_with(more: Mapping[str, str]) -> Generator[None]:
    """The environment of what is started within the block."""
    os.environ.update(more)
    try:
        yield
    finally:
        for name in more:
            os.environ.pop(name, None)


@contextmanager
def whole_installation(directory: Path, workers: int = 2, port: int = 0) -> Generator[Running]:
    """Everything that `cegla up` starts: the app with its intake worker too."""
    running = start(Settings.model_validate({"data_dir": directory, "collector": {"workers": workers, "port": port}, "app": {"port": 0}}))
    try:
        yield running
    finally:
        running.stop()


def crash(running: Running, kills: int, seed: int, victims: Sequence[str]) -> tuple[Load, dict[str, int], float]:
    """Load, `kills` kills of `victims` at random moments, and the end of the load; returns the longest silence too.

    A victim is the beginning of a part's name: "collector", "postgres", "app".
    """
    rng = random.Random(seed)
    with psycopg.connect(running.dsn) as conn:
        source, _ = collect.add_source(conn, "crashes", "website", Basis.CONTRACT, datetime.now(UTC))
    load = Load()
    port = int(running.collector_url.rsplit(":", 1)[1])
    loading = threading.Thread(target=lambda: asyncio.run(load.run(port, source.key)), daemon=True)
    loading.start()
    counts: dict[str, int] = dict.fromkeys(victims, 0)
    silence = 0.0
    _wait_for_answer(load, time.monotonic())
    for number in range(kills):
        time.sleep(rng.random() * 0.6)
        victim = victims[number % len(victims)]
        killed_at = _kill(running, victim, rng)
        counts[victim] += 1
        if rng.random() < 0.75:  # otherwise the next kill comes while the parts are still coming back
            silence = max(silence, _wait_for_answer(load, killed_at))
    silence = max(silence, _wait_for_answer(load, time.monotonic()))
    load.finish()
    loading.join(LONGEST_WAIT_SECONDS)
    if loading.is_alive():
        raise TimeoutError("some events were never acknowledged: the installation did not come back by itself")
    return load, counts, silence


def _kill(running: Running, victim: str, rng: random.Random) -> float:
    """kill -9; half of the time PostgreSQL loses only its first process, otherwise all at once."""
    pids = [pid for name, pid in running.process_ids().items() if name.startswith(victim)]
    pid = rng.choice(pids)
    with contextlib.suppress(ProcessLookupError):
        if victim == "postgres" and rng.random() < 0.5:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    return time.monotonic()


def _wait_for_answer(load: Load, since: float) -> float:
    """Seconds from `since` until an event was acknowledged after it."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while load.last_answer_at <= since + 0.02:  # answers under way at the kill do not count
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing was acknowledged for {LONGEST_WAIT_SECONDS:.0f} s: the installation did not come back by itself")
        time.sleep(0.01)
    return load.last_answer_at - since


def take_in_everything(running: Running) -> list[str]:
    """The message ids that intake gets to see, in one transaction as intake has it, after repeats were dropped."""
    now = datetime.now(UTC)
    found: list[str] = []
    with psycopg.connect(running.dsn, options="-c timezone=UTC") as conn:
        sources = {source.id: source for source in collect.sources(conn)}
        while (taken := collect.take(conn, 20_000)).requests:
            decoded = collect.decode(taken, sources, running.settings.collector)
            events = collect.drop_repeats(conn, decoded.events, now + timedelta(0))
            repair.set_aside(conn, decoded.set_aside, now)
            collect.advance(conn, taken, events, len(decoded.events) - len(events), decoded.set_aside)
            found += [event.message_id for event in events]
    return found


def report(running: Running, load: Load, kills: dict[str, int], silence: float, found: Sequence[str]) -> Report:
    """Compare what was acknowledged with what was found."""
    with psycopg.connect(running.dsn) as conn:
        standing = collect.standing(conn)
    stored = set(found)
    return Report(
        kills=kills,
        acknowledged=len(load.acknowledged),
        sent_again=load.sent_again,
        stored=len(stored),
        repeats_dropped=sum(row.repeated for row in standing),
        lost=len(load.acknowledged - stored),
        doubled=len(found) - len(stored),
        damaged=max((row.damaged for row in standing), default=0),
        adds_up=all(row.adds_up for row in standing),
        longest_silence_seconds=silence,
    )


def collectors_and_store(kills: int, seed: int, command: Sequence[str] = COLLECTOR, victims: Sequence[str] = ("collector", "postgres")) -> Report:
    """The whole trial without the app."""
    with tempfile.TemporaryDirectory(prefix="cegla-crash-") as name, installation(Path(name), command) as running:
        load, counts, silence = crash(running, kills, seed, victims)
        return report(running, load, counts, silence, take_in_everything(running))


def everything(kills: int, seed: int) -> Report:
    """The whole trial with the app: intake and its warehouse are killed too, and the history is what is counted."""
    with tempfile.TemporaryDirectory(prefix="cegla-crash-") as name:
        with whole_installation(Path(name)) as running:
            load, counts, silence = crash(running, kills, seed, ("collector", "app", "postgres"))
            wait_until_taken_in(running)
            result = report(running, load, counts, silence, sorted(load.acknowledged))
        found = find_history(Path(name))
        stored = set(found)
        return Report(**{**result.__dict__, "stored": len(stored), "lost": len(load.acknowledged - stored), "doubled": len(found) - len(stored)})


def wait_until_taken_in(running: Running) -> None:
    """Until nothing waits in the inbox."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(running.dsn) as conn:
            if not sum(row.waiting for row in collect.standing(conn)):
                return
        time.sleep(0.2)
    raise TimeoutError("intake did not catch up")


def find_history(directory: Path) -> list[str]:
    """The message ids in the warehouse: each event of the load carries its own as a property."""
    import duckdb

    with duckdb.connect(str(directory / "warehouse" / "cegla.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute("select json_extract_string(properties, '$.product_id') from events where name = 'Product Viewed'").fetchall()
    return [row[0] for row in rows]


def free_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
