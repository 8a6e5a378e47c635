"""Intake under a stream that never ends: the loops of the app over minutes, fed by a process of its own.

The app gets the environment that its supervisor gives it. Every half minute one line: events a second, what waits, how many batches
traits and segments are behind, memory at its highest, and what each process spent.
At the end the limits of the machine on the same files: what DuckDB appends, and PostgreSQL indexes, alone.
"""

import gc
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import psycopg

from bench.intake import append_alone, requests
from bench.result import Result
from cegla.collect import actions as collect
from cegla.storage.settings import load_settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.consent import Basis
from cegla.worker.loops import Loops
from cegla.worker.supervisor import FRUGAL

ROUND = 50_000  #: events that are made once, and sent again with other ids and another day
MOST_WAITING = 400_000
FIRST_DAY = datetime(2026, 1, 1, 9, tzinfo=UTC)
WINDOW_SECONDS = 30.0
LOOK_SECONDS = 0.25  #: between two looks at the memory
FIGURES = "[{"  #: how the line of figures begins, and no line of a log


@dataclass(frozen=True)
class Window:
    """What one half minute brought; memory at its highest."""

    rate: float
    rss_bytes: int


def feed(dsn: str, source_id: int, people: int) -> None:
    """Keep requests waiting until the process is ended: days of a shop, one after the other, each with message ids of its own."""
    bodies = requests(ROUND, people, 100, 3, FIRST_DAY, datetime.now(UTC))
    day, round_ = FIRST_DAY.date().isoformat().encode(), 0
    with psycopg.connect(dsn) as conn:
        while True:
            round_ += 1
            today = (FIRST_DAY.date() + timedelta(days=round_ % 300)).isoformat().encode()
            for first in range(0, len(bodies), 100):
                part = [one.replace(b'"bench-', b'"%d-' % round_).replace(b'"o', b'"%do' % round_).replace(b'p":"' + day, b'p":"' + today)
                    for one in bodies[first : first + 100]]  # fmt: skip
                collect.write_down(conn, source_id, part, datetime.now(UTC))
                conn.commit()
                while _waiting(conn) > MOST_WAITING:
                    time.sleep(0.1)


def _waiting(conn: psycopg.Connection) -> int:
    row = conn.execute("select sum(w.last_number - p.taken) * 100 from collect.writers w join collect.positions p using (writer)").fetchone()
    conn.commit()
    return int(row[0] or 0) if row else 0


def _applied(conn: psycopg.Connection) -> tuple[int, int]:
    """Events in the history, and how many batches traits and segments are behind."""
    row = conn.execute("select coalesce(sum(events), 0), coalesce(max(number), 0) - (select batch from storage.refreshed) from storage.batches").fetchone()
    conn.commit()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _spent(processes: list[psutil.Process]) -> float:
    seconds = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        seconds += times.user + times.system
    return seconds


def _highest(process: psutil.Process, seconds: float) -> int:
    """The most memory that a process was seen to have within so many seconds."""
    ends, highest = time.perf_counter() + seconds, 0
    while time.perf_counter() < ends:
        time.sleep(LOOK_SECONDS)
        highest = max(highest, process.memory_info().rss)
    return highest


def _watch(dsn: str, feeder: int, minutes: float) -> list[Window]:
    here = psutil.Process()
    windows: list[Window] = []
    with psycopg.connect(dsn) as conn:
        ends, (before, _), began, spent = time.perf_counter() + minutes * 60, _applied(conn), time.perf_counter(), (0.0, 0.0)
        while time.perf_counter() < ends:
            rss = _highest(here, min(WINDOW_SECONDS, max(1.0, ends - time.perf_counter())))
            (after, behind), now = _applied(conn), time.perf_counter()
            servers = [child for child in here.children(recursive=True) if child.pid != feeder]
            cost = (_spent([here]), _spent(servers))
            windows.append(Window((after - before) / (now - began), rss))
            each = [1e6 * (new - old) / max(after - before, 1) for new, old in zip(cost, spent, strict=True)]
            lag = f"waiting {_waiting(conn):>7,}  traits {behind:>2} batches behind"
            print(
                f"  {after:>12,} events  {windows[-1].rate:>8,.0f}/s  {lag}  {rss / 2**20:>5,.0f} MB  "
                f"CPU an event: app {each[0]:.0f} µs, PostgreSQL {each[1]:.0f} µs", flush=True,
            )  # fmt: skip
            before, began, spent = after, now, cost
    return windows


def _index_alone(ws: Workspace, hashes: int) -> float:
    """Hashes a second that PostgreSQL adds to an index when nothing else is done: the floor under `drop_repeats`."""
    with ws.transaction() as conn:
        conn.execute("create table if not exists storage.bench_hashes (hash uuid primary key)")
    started = time.perf_counter()
    for _ in range(hashes // ROUND):
        given = [os.urandom(16).hex() for _ in range(ROUND)]
        with ws.transaction() as conn:
            conn.execute("insert into storage.bench_hashes select unnest(%s::uuid[]) on conflict do nothing", ["{" + ",".join(sorted(given)) + "}"])
    return hashes / (time.perf_counter() - started)


def run(minutes: float, people: int) -> list[Result]:
    """Feed and watch for some minutes; print the windows and return the figures."""
    command = [sys.executable, "-u", "-m", "bench.sustained", str(minutes), str(people)]
    with subprocess.Popen(command, env={**os.environ, **FRUGAL}, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        said = [_shown(line) for line in app.stdout]
    (figures,) = [line for line in said if line.startswith(FIGURES)]
    return [Result(**figure) for figure in json.loads(figures)]


def _shown(line: str) -> str:
    if not line.startswith(FIGURES):
        print(line, end="", flush=True)
    return line


def _measure(minutes: float, people: int) -> None:
    gc.set_threshold(50_000, 20, 20)  # as the app does
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": folder})) as ws:
        with ws.transaction() as conn:
            source, _ = collect.add_source(conn, "bench", "website", Basis.CONSENT, ws.clock())
        loops = Loops(ws)
        gc.freeze()  # as it does, too
        feeder = multiprocessing.get_context("spawn").Process(target=feed, args=(ws.dsn, source.id, people), daemon=True)
        print(f"intake for {minutes:g} minutes: {people:,} people in requests of 100, fed by a process of its own, {datetime.now(UTC):%Y-%m-%d}")
        loops.start()
        feeder.start()
        try:
            windows = _watch(ws.dsn, feeder.pid or 0, minutes)
        finally:
            feeder.terminate()
            feeder.join()
            loops.stop()
        size = subprocess.run(["du", "-sh", folder], capture_output=True, text=True, check=False).stdout.split()[:1]
        print(f"  alone: DuckDB appends {append_alone(300_000, Path(folder)):,.0f} rows/s, PostgreSQL indexes {_index_alone(ws, 300_000):,.0f} hashes/s; "
            f"the directory has {size[0] if size else '?'}")  # fmt: skip
        print(json.dumps([asdict(figure) for figure in _figures(windows, minutes, people)]), flush=True)  # before a round that still runs is cut off


def _figures(windows: list[Window], minutes: float, people: int) -> list[Result]:
    steady = windows[1:] or windows  # the first window holds the start
    rate = sum(window.rate for window in steady) / len(steady)
    highest = [window.rss_bytes for window in steady]
    half, last = len(steady) // 2, len(steady) * 3 // 4
    growth = max(highest[last:]) - max(highest[half:last] or highest[:1])
    at_most = f"highest {max(highest) / 2**20:,.0f} MB"
    note = f"{minutes:g} minutes, {people:,} people, slowest half minute {min(window.rate for window in steady):,.0f}/s"
    return [
        Result("intake, sustained", rate, "events/s", ">= 20,000", rate >= 20_000, note),
        Result("memory of the app, last quarter over the one before", growth / 2**20, "MB", "<= 100", growth <= 100 * 2**20, at_most),
    ]


if __name__ == "__main__":
    _measure(float(sys.argv[1]), int(sys.argv[2]))
