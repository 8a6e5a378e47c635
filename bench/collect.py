"""How many requests the collectors accept, each committed and flushed before its answer; beside it, what PostgreSQL and the disk can do alone."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from bench.installation import Installation, collectors_running
from bench.load import rendered
from bench.result import Result

CONNECTIONS = 64


def measure(running: Installation, events: int, seconds: float) -> dict[str, float]:
    """One load run by a generator process on the same machine, with the processor time each part took."""
    before = running.cpu_seconds()
    command = [sys.executable, "-m", "bench.load", str(running.port), running.write_key, str(events), str(CONNECTIONS), str(seconds)]
    done = subprocess.run(command, capture_output=True, check=True)
    after = running.cpu_seconds()
    figures: dict[str, float] = json.loads(done.stdout)
    for part, used in after.items():
        figures[f"cpu_{part}"] = (used - before[part]) / (seconds + 1.0)  # the warm-up counts as well
    figures["cpu_generator"] = figures["cpu"] / (seconds + 1.0)
    return figures


def flushes_per_second(directory: Path, seconds: float = 1.0) -> float:
    """How often the disk under `directory` flushes 8 kB, alone."""
    file = os.open(directory / "flushed", os.O_CREAT | os.O_WRONLY)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        os.write(file, bytes(8_192))
        os.fdatasync(file)
        count += 1
    os.close(file)
    return count / (time.perf_counter() - started)


def groups_alone(dsn: str, body: bytes, group: int, seconds: float = 2.0) -> float:
    """Rows a second when one connection does nothing but COPY groups of such bodies and commit: the store without a collector."""
    count, started = 0, time.perf_counter()
    with psycopg.connect(dsn, autocommit=True, options="-c synchronous_commit=on") as conn:
        conn.execute("create table if not exists public.alone (writer int, number bigint, body bytea, primary key (writer, number))")
        conn.execute("alter table public.alone alter column body set storage external")
        while time.perf_counter() - started < seconds:
            with conn.cursor() as cursor, cursor.copy("copy public.alone from stdin (format binary)") as copy:
                copy.set_types(["int4", "int8", "bytea"])
                for _ in range(group):
                    count += 1
                    copy.write_row([1, count, body])
        conn.execute("drop table public.alone")
    return count / (time.perf_counter() - started)


def run(seconds: float, workers: int) -> list[Result]:
    """All figures. Each load runs `seconds`, after one second that is not counted."""
    results: list[Result] = []
    with collectors_running(workers) as running:
        for events, wanted, unit in ((1, 8_000, "requests/s"), (100, 120_000, "events/s")):
            figures = measure(running, events, seconds)
            rate = figures["per_second"] * events
            size = figures["request_bytes"]
            note = (
                f"{CONNECTIONS} connections, {workers} collectors, {size:.0f} bytes a request, p50 {figures['p50']:.1f} ms, p99 {figures['p99']:.1f} ms, "
                f"p99.9 {figures['p999']:.1f} ms, {figures['refused']:.0f} refused; cores used: collectors {figures['cpu_collectors']:.2f}, "
                f"PostgreSQL {figures['cpu_postgres']:.2f}, load generator {figures['cpu_generator']:.2f}"
            )
            results.append(Result(f"collect, {events} event{'s' * (events > 1)} a request", rate, unit, f">= {wanted:,}", rate >= wanted, note))
            if events == 1:
                results.append(Result("collect, p99 of one event a request", figures["p99"], "ms", "<= 60", figures["p99"] <= 60, "same run"))
            body = rendered(running.write_key, events, 1)[0].partition(b"\r\n\r\n")[2]
            group = max(1, CONNECTIONS // workers)
            alone = groups_alone(running.dsn, body, group) * events
            results.append(
                Result(f"PostgreSQL alone, groups of {group}, {events} a row", alone, unit, "the limit", True, "one connection, COPY and commit only")
            )
        results.append(Result("flushes alone", flushes_per_second(running.directory), "fdatasync/s", "the limit", True, "8 kB appended each time"))
    return results


def main(argv: list[str]) -> int:
    """`python -m bench collect [--seconds 8] [--workers 2]`."""
    parser = argparse.ArgumentParser(prog="bench collect", description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(argv)
    print(f"collect: {os.cpu_count()} cores, Python {platform.python_version()}, everything on this machine")
    results = run(options.seconds, options.workers)
    for result in results:
        print(f"  {'ok  ' if result.reached else 'MISS'} {result.name:45} {result.value:>12,.1f} {result.unit:12} ({result.goal}); {result.note}")
    return 0 if all(result.reached for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
