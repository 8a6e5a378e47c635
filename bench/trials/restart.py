"""A start with much waiting: how soon is the first event acknowledged, is /readyz honest meanwhile, how fast is the rest taken in?

    fill, kill -9 of PostgreSQL ─► first start, with recovery ─► clean stop ─► second start ─► the rest is taken in

While an installation starts, a client asks /readyz and sends one event, again and again.
"""

import argparse
import json
import os
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import psycopg

from bench.crashes import free_port, whole_installation
from bench.result import Result
from cegla.collect import actions as collect
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.worker.supervisor import Running

AT_ONCE = 10_000
LOOK_SECONDS = 0.5


def fill(directory: Path, requests: int) -> str:
    """So many accepted requests of one event each, not taken in, in a PostgreSQL that is killed at the end; returns the source's key."""
    now = datetime.now(UTC)
    server = EmbeddedPostgres(directory / "postgres")
    server.start()
    migrate(server.dsn)
    ws = Workspace(Settings.model_validate({"data_dir": directory}), server.dsn)
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "restart", "website", Basis.CONTRACT, now)
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        conn.execute("checkpoint")  # making the tables is long ago where a million requests wait
    for start in range(0, requests, AT_ONCE):
        bodies = [_body(number) for number in range(start, min(start + AT_ONCE, requests))]
        with ws.transaction() as conn:
            collect.write_down(conn, source.id, bodies, now)
    ws.close()
    assert server.process is not None
    os.killpg(server.process.pid, signal.SIGKILL)
    server.process.wait()
    return source.key


def _body(number: int) -> bytes:
    page = {"url": f"https://shop.example/product/{number % 500}"}
    return json.dumps({"type": "page", "messageId": f"wait-{number}", "anonymousId": f"browser-{number % 50_000}", "properties": page}).encode()


@dataclass
class Knocks:
    """What a client saw of one start. Seconds since its beginning."""

    name: str
    first: float = 999.0  #: acknowledgement
    parts_up: float = 999.0
    ready: list[tuple[float, int]] = field(default_factory=list)  #: /readyz whenever its answer changed; 0: nobody listened
    refused_though_ready: bool = False

    def run(self, port: int, key: str, began: float) -> None:
        """Ask and send until an event is acknowledged and /readyz says yes."""
        event = {"type": "track", "event": "Knock", "messageId": f"knock {self.name}", "anonymousId": "k", "writeKey": key}
        while not (self.first < 999 and self.ready and self.ready[-1][1] == 200) and time.monotonic() - began < 200:
            try:
                with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:  # a connection each: any collector may answer
                    said = client.get("/readyz").status_code
                    self._note(said, began)
                    answered = client.post("/v1/t", json=event).status_code == 200
                    if answered:
                        self.first = min(self.first, time.monotonic() - began)
                    self.refused_though_ready |= said == 200 and not answered
            except httpx.TransportError:
                self._note(0, began)
            time.sleep(0.005)

    def _note(self, said: int, began: float) -> None:
        if not self.ready or self.ready[-1][1] != said:
            self.ready.append((time.monotonic() - began, said))

    def told(self) -> str:
        """The start in one line."""
        transitions = " → ".join(f"{said or 'nobody'} at {at:.2f} s" for at, said in self.ready)
        return f"PostgreSQL included; /readyz: {transitions}; all parts at {self.parts_up:.1f} s"


class _Start:
    """An installation that is started, with a client knocking meanwhile; `with` gives what runs."""

    def __init__(self, name: str, directory: Path, key: str) -> None:
        self.knocks = Knocks(name)
        port, began = free_port(), time.monotonic()
        knocking = threading.Thread(target=self.knocks.run, args=(port, key, began), daemon=True)
        knocking.start()
        self._whole = whole_installation(directory, port=port)
        self._knocking, self._began = knocking, began

    def __enter__(self) -> Running:
        running = self._whole.__enter__()
        self.knocks.parts_up = time.monotonic() - self._began
        self._knocking.join(120)
        return running

    def __exit__(self, *error: object) -> None:
        self._whole.__exit__(None, None, None)


def _recovery(directory: Path) -> str:
    """What PostgreSQL says about its last recovery."""
    lines = (directory / "postgres" / "server.log").read_text(errors="replace").splitlines()
    done = [line.partition("elapsed: ")[2] for line in lines if "redo done" in line]
    return f"redo took {done[-1]}" if done else "no redo"


@dataclass
class _Drain:
    events: int
    seconds: float
    adds_up: bool
    early_bytes: int  #: the app's memory, at most, in the first half
    late_bytes: int  #: and in the second


def _drain(running: Running) -> _Drain:
    """Wait until nothing waits."""
    app = psutil.Process(running.process_ids()["app"])
    memory: list[int] = []
    with psycopg.connect(running.dsn, autocommit=True) as conn:
        first = sum(row.waiting for row in collect.standing(conn))
        began = time.monotonic()
        while sum(row.waiting for row in collect.standing(conn)):
            memory.append(app.memory_info().rss)
            time.sleep(LOOK_SECONDS)
        seconds = time.monotonic() - began
        adds_up = all(row.adds_up for row in collect.standing(conn))
    half = max(1, len(memory) // 2)
    return _Drain(first, seconds, adds_up, max(memory[:half], default=0), max(memory[half:], default=0))


def main(argv: list[str]) -> list[Result]:
    """`python -m bench restart [--requests 1000000]`."""
    parser = argparse.ArgumentParser(prog="bench restart", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    requests = parser.parse_args(argv).requests
    with tempfile.TemporaryDirectory(prefix="cegla-restart-") as name:
        directory = Path(name)
        key = fill(directory, requests)
        with (killed := _Start("after kill -9", directory, key)):
            recovery = _recovery(directory)
        with (stopped := _Start("after a clean stop", directory, key)) as running:
            drain = _drain(running)
    starts = (stopped.knocks, killed.knocks)
    honest = not any(start.refused_though_ready for start in starts) and all(start.ready and start.ready[-1][1] == 200 for start in starts)
    rate = drain.events / max(drain.seconds, 0.001)
    drained = f"{drain.events:,} waiting when all parts were up; adds up: {drain.adds_up}"
    return [
        Result(
            f"restart: first acknowledgement {start.name}", start.first, "s", "<= 1", start.first <= 1,
            f"{requests:,} requests waiting; {start.told()}{f'; {recovery}' if start is killed.knocks else ''}",
        )
        for start in starts
    ] + [
        Result("restart: /readyz says so only when it accepts", float(honest), "yes = 1", "1", honest, "asked before each event, from the first moment on"),
        Result("restart: drained", rate, "events/s", ">= 20,000", rate >= 20_000 and drain.adds_up, drained),
        Result(
            "restart: the app's memory while it drains", drain.late_bytes / 2**20, "MiB", "no growth", drain.late_bytes <= drain.early_bytes * 1.2 + 2**25,
            f"highest in the second half; in the first {drain.early_bytes / 2**20:,.0f}",
        ),
    ]  # fmt: skip
