"""The SDKs themselves against a real collector: what they sent is what is stored, once each, whatever happened on the way."""

import asyncio
import shutil
import subprocess
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from cegla.collect import actions as collect
from cegla.collect.rules import envelope
from cegla.flow import Intake
from cegla.storage.settings import Settings
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from tests.contracts.clients.browser import CHROMIUM, Browser, open_browser
from tests.contracts.clients.faults import FAULTS, Collector, Proxy

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKAGES = HERE / "node_modules"
PYTHON = ROOT / ".venv" / "clients" / "bin" / "python"
NODE = shutil.which("node")
EVENTS = 14
PATIENCE_SECONDS = 300
VOLATILE = {"sentAt", "writeKey", "_metadata"}  #: set anew for each attempt

pytestmark = [pytest.mark.whole, pytest.mark.timeout(900)]

Drive = Callable[[str, str, Proxy, Browser | None], Awaitable[None]]


@dataclass(frozen=True)
class Client:
    """One SDK: how it is driven, what it needs here, where it shows its key, and whether a browser asks before it may send."""

    drive: Drive
    there: bool
    needs: str
    key_in: set[str]
    asks_first: bool = False


def process(program: str | None, script: str) -> Drive:
    """An SDK in a process of its own."""

    async def drive(host: str, key: str, proxy: Proxy, _: Browser | None) -> None:
        command = (str(program), script, host, key, str(EVENTS))
        running = await asyncio.create_subprocess_exec(*command, cwd=HERE, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            await _until_all_arrived(proxy)
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()

    return drive


def page(file: str, package: str) -> Drive:
    """An SDK on a page in Chromium."""

    async def drive(host: str, key: str, proxy: Proxy, browser: Browser | None) -> None:
        assert browser is not None
        async with browser.page(file, package=package, host=host, key=key, number=str(EVENTS)):
            await _until_all_arrived(proxy)

    return drive


async def _until_all_arrived(proxy: Proxy) -> None:
    """Every fault was met and every event has passed."""
    for _ in range(PATIENCE_SECONDS * 10):
        if not proxy.faults and set(map(number_of, proxy.passed.values())) == set(range(EVENTS)):
            return
        await asyncio.sleep(0.1)


def number_of(event: dict[str, Any]) -> int:
    """Which of its calls a client made this event of. RudderStack's SDKs put traits into the context."""
    places = (event.get("properties"), event.get("traits"), event.get("context", {}).get("traits"))
    return next(place["n"] for place in places if place and "n" in place)


def _npm(package: str) -> bool:
    return (PACKAGES / package / "package.json").exists()


def _node(package: str, script: str, key_in: set[str]) -> Client:
    return Client(process(NODE, script), bool(NODE) and _npm(package), "node and npm", key_in)


def _python(script: str, key_in: set[str]) -> Client:
    return Client(process(str(PYTHON), script), PYTHON.exists(), "the environment of requirements/clients.txt", key_in)


def _page(file: str, package: str, key_in: set[str]) -> Client:
    return Client(page(file, package), bool(CHROMIUM) and (not package or _npm(package)), "Chromium, node and npm", key_in, asks_first=key_in != {"body"})


CLIENTS = {
    "analytics-next 1.84.3 in Chromium": _page("analytics_next.html", "@segment/analytics-next", {"header", "body"}),
    "analytics-next 1.83.0 in Chromium": _page("analytics_next.html", "analytics-next-body-key", {"body"}),
    "analytics-next 1.84.3 batching in Chromium": _page("analytics_next.html?batching=yes", "@segment/analytics-next", {"header", "body"}),
    "Segment's snippet in Chromium": _page("analytics_snippet.html", "", {"header", "body"}),
    "rudderstack analytics-js 3.34.1 in Chromium": _page("rudder_js.html", "@rudderstack/analytics-js", {"header"}),
    "analytics-node 3.1.0": _node("@segment/analytics-node", "segment_node.mjs", {"header", "body"}),
    "rudder-sdk-node 3.0.13": _node("@rudderstack/rudder-sdk-node", "rudder_node.cjs", {"header"}),
    "segment-analytics-python 2.4.0": _python("segment_python.py", {"header", "body"}),
    "rudder-sdk-python 2.1.9": _python("rudder_python.py", {"header"}),
}
HERE_NOW = {name: client for name, client in CLIENTS.items() if client.there}


@dataclass
class Outcome:
    """What one client sent and met, what lies in the inbox of its source, and how many events intake made of it."""

    proxy: Proxy
    stored: list[dict[str, Any]]
    applied: int


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """All clients that are here, at the same time, each through its own faults to the one collector; then intake."""
    server = request.getfixturevalue("server")
    directory = tmp_path_factory.mktemp("clients")
    with psycopg.connect(server.dsn.replace("dbname=cegla", "dbname=postgres"), autocommit=True) as keeper:
        keeper.execute("create database test_clients template cegla strategy file_copy")
    dsn = server.dsn.replace("dbname=cegla", "dbname=test_clients")
    with psycopg.connect(dsn) as conn:
        sources = {name: collect.add_source(conn, name, "website", Basis.CONTRACT, datetime.now(UTC))[0] for name in HERE_NOW}
    proxies = asyncio.run(_drive_all(Collector(dsn, directory), {name: source.key for name, source in sources.items()}))
    applied = _take_in(dsn, directory)
    with psycopg.connect(dsn) as conn:
        return {name: Outcome(proxy, _stored(conn, sources[name].id), applied[sources[name].id]) for name, proxy in proxies.items()}


async def _drive_all(collector: Collector, keys: dict[str, str]) -> dict[str, Proxy]:
    await collector.start()
    proxies = {name: Proxy(collector) for name in HERE_NOW}
    opened = {name: await proxy.open() for name, proxy in proxies.items()}
    try:
        async with open_browser() as browser:
            drives = (client.drive(f"http://127.0.0.1:{opened[name][1]}", keys[name], proxies[name], browser) for name, client in HERE_NOW.items())
            await asyncio.gather(*drives)
            print(*(browser.heard if browser else []), sep="\n")  # pytest shows it when a test is red
    finally:
        collector.stop()
        for listening, _ in opened.values():
            listening.close()
    return proxies


def _take_in(dsn: str, directory: Path) -> Counter[int]:
    """What intake makes of the requests: events of the history by source."""
    workspace = Workspace(Settings.model_validate({"data_dir": directory / "data"}), dsn, pool_size=4)
    try:
        Intake(workspace).drain()
        return Counter(workspace.warehouse.run(table("events"))["source_id"].to_pylist())
    finally:
        workspace.close()


def _stored(conn: psycopg.Connection, source_id: int) -> list[dict[str, Any]]:
    rows = conn.execute("select body from collect.inbox where source_id = %s order by writer, number", [source_id]).fetchall()
    return [msgspec.json.decode(raw) for (body,) in rows for raw in envelope.read(body).events]


@pytest.fixture(params=CLIENTS)
def name(request: pytest.FixtureRequest) -> str:
    """Each client that is here."""
    if request.param not in HERE_NOW:
        pytest.skip(f"{request.param} needs {CLIENTS[request.param].needs}: `make test` installs them where it can")
    return request.param


def test_what_a_client_sent_is_what_is_stored(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    sent = outcome.proxy.sent
    assert outcome.proxy.met[: len(FAULTS)] == list(FAULTS), "every fault was met"
    stored = {event["messageId"]: event for event in outcome.stored}
    assert sorted(map(number_of, stored.values())) == list(range(EVENTS))
    assert set(stored) == set(sent)
    for message_id, event in stored.items():
        assert _lasting(event) == _lasting(sent[message_id])


def test_an_event_whose_answer_was_lost_is_sent_and_stored_again_and_counted_once(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    copies = Counter(event["messageId"] for event in outcome.stored)
    assert outcome.proxy.lost
    assert all(outcome.proxy.arrivals[message_id] >= 2 and copies[message_id] >= 2 for message_id in outcome.proxy.lost)
    assert outcome.applied == EVENTS


def test_a_client_shows_its_key_as_its_release_does_and_a_browser_asks_first(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    assert outcome.proxy.keys == CLIENTS[name].key_in
    assert bool(outcome.proxy.preflights) == CLIENTS[name].asks_first


def _lasting(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in VOLATILE}
