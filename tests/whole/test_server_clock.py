"""The server's own clock jumps an hour forward and back, under PostgreSQL, collector and intake at once: order and counts stay, nothing is negative."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from bench.crashes import installation
from bench.trials import disk
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.storage.settings import Settings
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.worker.supervisor import Running

SHIM = disk.shim(disk.SOURCE.with_name("clock.c"))
pytestmark = [
    pytest.mark.whole, pytest.mark.timeout(300), pytest.mark.skipif(SHIM is None, reason="the shim under the clock needs a C compiler (cc), and there is none here"),
]  # fmt: skip

HOUR = 3_600
JUMPS = (0, HOUR, 0, -HOUR, 0)


class Moved:
    """The clock of everything: this far from the right one."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.jump(0)

    def jump(self, seconds: int) -> None:
        self.seconds = seconds
        self.file.write_text(str(seconds))

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Generator[Moved]:
    with tempfile.TemporaryDirectory(prefix="cegla-clock-") as name:
        Path(name).chmod(0o755)
        yield Moved(Path(name) / "offset")


@pytest.fixture
def running(clock: Moved) -> Generator[Running]:
    moved = {"LD_PRELOAD": str(SHIM), "CLOCK_OFFSET": str(clock.file)}
    command = ["env", *(f"{name}={value}" for name, value in moved.items()), sys.executable, "-m", "cegla.worker.collector"]
    with installation(clock.file.parent / "data", command, workers=1, under=moved) as running:
        yield running


@pytest.fixture
def ws(running: Running, clock: Moved) -> Generator[Workspace]:
    settings = Settings.model_validate({"data_dir": clock.file.parent / "data"})
    workspace = Workspace(settings, running.dsn, clock.now)
    yield workspace
    workspace.close()


def send(client: httpx.Client, *numbers: int) -> None:
    """Events without a stamp of their own: the server's clock says when they happened."""
    for number in numbers:
        event = {"type": "track", "event": "Seen", "messageId": f"m{number}", "anonymousId": "browser", "properties": {"number": number}}
        assert client.post("/v1/t", json=event).status_code == 200


def until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if client.get("/readyz").status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError("the collector did not come up")


def lags(ws: Workspace) -> list[float]:
    with ws.transaction() as conn:
        return [one.lag_seconds for one in collect.standing(conn)]


def numbers_in_order(ws: Workspace) -> list[int]:
    events = table("events")
    return [json.loads(row)["number"] for row in ws.warehouse.run(events.select("event_id", "properties").order_by("event_id"))["properties"].to_pylist()]


def test_the_shim_moves_the_wall_clock_and_nothing_else(clock: Moved) -> None:
    clock.jump(HOUR)
    told = subprocess.run(
        [sys.executable, "-c", "import time; print(time.time(), time.monotonic())"],
        env={"LD_PRELOAD": str(SHIM), "CLOCK_OFFSET": str(clock.file)}, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert float(told[0]) - time.time() > HOUR - 60
    assert abs(float(told[1]) - time.monotonic()) < 60


def test_jumps_of_an_hour_keep_order_and_counts_and_make_nothing_negative(running: Running, ws: Workspace, clock: Moved) -> None:
    with psycopg.connect(running.dsn) as conn:
        source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, clock.now())
    intake = Intake(ws)
    with httpx.Client(base_url=running.collector_url, timeout=30, auth=(source.key, "")) as client:
        until_ready(client)
        for phase, seconds in enumerate(JUMPS):
            clock.jump(seconds)
            first = phase * 10
            send(client, *range(first, first + 10), *range(max(0, first - 10), first))  # new ones, then those of the last phase again
            clock.jump(seconds - HOUR)
            assert min(lags(ws)) >= 0  # what waits was written an hour later than now
            clock.jump(seconds)
            intake.drain()
            assert lags(ws) == [0.0]
    with ws.transaction() as conn:
        (received,) = conn.execute("select extract(epoch from max(received_at) - min(received_at)) from collect.inbox").fetchone() or (0,)
        (standing,) = collect.standing(conn)
    assert received > 2 * HOUR - 120  # the control: the collector's clock did jump
    assert numbers_in_order(ws) == list(range(10 * len(JUMPS)))
    assert (standing.applied, standing.repeated, standing.waiting, standing.damaged) == (50, 40, 0, 0)
    assert standing.adds_up
    events = ws.warehouse.run(table("events"))
    assert all(row["occurred_at"] <= row["received_at"] for row in events.to_pylist())
