"""The SDKs themselves against a real collector: what they sent is what is stored, once each, whatever happened on the way."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from cegla.collect import actions as collect
from cegla.collect.rules import envelope
from cegla.vocabulary.consent import Basis
from tests.contracts.clients.faults import FAULTS, Proxy

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKAGES = HERE / "node_modules"
PYTHON = ROOT / ".venv" / "clients" / "bin" / "python"
NODE = shutil.which("node")
EVENTS = 14
PATIENCE_SECONDS = 40

@dataclass
class Collector:
    """A collector process that can be killed and started again, by whoever meets that fault first at a time."""

    environment: dict[str, str]
    port: int
    process: subprocess.Popen[bytes] | None = None
    kills: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "cegla.worker.collector"], env=self.environment, stderr=subprocess.DEVNULL)
        async with httpx.AsyncClient() as client:
            for _ in range(600):
                try:
                    if (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.05)
        raise TimeoutError("the collector did not come up")

    async def restart(self) -> None:
        """kill -9, and a new process on the same port."""
        async with self.lock:
            assert self.process is not None
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.kills += 1
            await self.start()


def process(*command: str) -> Callable[[str, str, Proxy], Awaitable[None]]:
    """An SDK in a process of its own."""

    async def drive(host: str, key: str, proxy: Proxy) -> None:
        running = await asyncio.create_subprocess_exec(*command, host, key, str(EVENTS), cwd=HERE, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            await _until_all_arrived(proxy)
            await asyncio.sleep(0.5)
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()

    return drive


async def _until_all_arrived(proxy: Proxy) -> None:
    """Every event was sent and every fault was met, and the last request passed."""
    for _ in range(PATIENCE_SECONDS * 10):
        if not proxy.faults and {event["properties"]["n"] for event in proxy.passed.values()} == set(range(EVENTS)):
            return
        await asyncio.sleep(0.1)


CLIENTS: dict[str, tuple[bool, str, Callable[[str, str, Proxy], Awaitable[None]]]] = {
    "analytics-node": (bool(NODE) and PACKAGES.exists(), "node and npm", process(NODE or "", "segment_node.mjs")),
    "segment-analytics-python": (PYTHON.exists(), "the environment of requirements/clients.txt", process(str(PYTHON), "segment_python.py")),
}


@dataclass
class Outcome:
    """What one client sent, what it met, and what lies in the inbox of its source."""

    sent: dict[str, dict[str, Any]]
    met: list[str]
    stored: list[dict[str, Any]]


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All clients that are here, at the same time, each through its own faults to the one collector."""
    server = request.getfixturevalue("server")
    directory = tmp_path_factory.mktemp("clients")
    with psycopg.connect(server.dsn.replace("dbname=cegla", "dbname=postgres"), autocommit=True) as keeper:
        keeper.execute("create database test_clients template cegla strategy file_copy")
    dsn = server.dsn.replace("dbname=cegla", "dbname=test_clients")
    here = {name: drive for name, (there, _, drive) in CLIENTS.items() if there}
    with psycopg.connect(dsn) as conn:
        keys = {name: collect.add_source(conn, name, "website", Basis.CONTRACT, datetime.now(UTC))[0] for name in here}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "CEGLA_DSN": dsn, "CEGLA_DATA_DIR": str(directory), "CEGLA_COLLECTOR_PORT": str(port)}

    async def run() -> dict[str, Proxy]:
        collector = Collector(environment, port)
        await collector.start()
        proxies = {name: Proxy(port, collector.restart) for name in here}
        opened = {name: await proxy.open() for name, proxy in proxies.items()}
        try:
            await asyncio.gather(*(drive(f"http://127.0.0.1:{opened[name][1]}", keys[name].key, proxies[name]) for name, drive in here.items()))
            assert collector.kills == len(here)
        finally:
            assert collector.process is not None
            collector.process.terminate()
            collector.process.wait(15)
            for listening, _ in opened.values():
                listening.close()
        return proxies

    proxies = asyncio.run(run())
    found: dict[str, Outcome] = {}
    with psycopg.connect(dsn) as conn:
        for name, proxy in proxies.items():
            rows = conn.execute("select body from collect.inbox where source_id = %s order by writer, number", [keys[name].id]).fetchall()
            stored = [msgspec.json.decode(raw) for (body,) in rows for raw in envelope.read(body).events]
            found[name] = Outcome(proxy.sent, proxy.met, stored)
    return found


@pytest.mark.whole
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", CLIENTS)
def test_what_a_client_sent_is_what_is_stored_once_each(name: str, outcomes: dict[str, Outcome]) -> None:
    there, needs, _ = CLIENTS[name]
    if not there:
        pytest.skip(f"{name} needs {needs}: `make test` installs them where it can")
    outcome = outcomes[name]
    assert outcome.met[: len(FAULTS)] == list(FAULTS), "every fault was met"
    stored = {event["messageId"]: event for event in outcome.stored}
    assert sorted(event["properties"]["n"] for event in stored.values()) == list(range(EVENTS))
    assert set(stored) == set(outcome.sent)
    for message_id, event in stored.items():
        sent = outcome.sent[message_id]
        volatile = {"sentAt", "writeKey", "_metadata"}  # set anew for each attempt
        assert {key: value for key, value in event.items() if key not in volatile} == {key: value for key, value in sent.items() if key not in volatile}
