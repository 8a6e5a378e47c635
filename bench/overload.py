"""Five times what the collectors can take, for a minute: an open loop, in which requests come at their times whatever is answered.

A generator on the same two cores cannot send five times what two collectors accept at their best, so their best is made small: the
disk under PostgreSQL is made slow (each flush waits, by `commit_delay`), and a collector has room for few requests at a time. What it
then accepts is measured first, by clients that wait for their answers; five times that rate follows. Every answer is counted,
every 200 looked for, and a latency counts from the moment its request was due.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from typing import Any

import psutil
import psycopg
from psycopg import sql

from bench.installation import Installation, collectors_running
from bench.result import Result

COLLECTORS = 2
ROOM = 20  #: requests that may wait in one collector
FLUSH_MILLISECONDS = 50
CONNECTIONS = 1_000
LONGEST_P99_MILLISECONDS = 250
MOST_MEMORY_MIB = 512


def main(argv: list[str] | None = None) -> list[Result]:
    """`python -m bench overload [--seconds 60] [--times 5]`."""
    options = argparse.ArgumentParser(prog="bench overload", description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--times", type=float, default=5.0, help="how many times the sustainable rate")
    chosen = options.parse_args(argv)
    with collectors_running(COLLECTORS, CEGLA_COLLECTOR_MOST_WAITING_REQUESTS=str(ROOM)) as running:
        _slow_down(running.dsn)
        before = _load(running, COLLECTORS * ROOM, 5.0)
        capacity = before["per_second"]
        watch = _Watch(running)
        figures = _load(running, CONNECTIONS, chosen.seconds, capacity * chosen.times)
        peak = watch.stop()
        with psycopg.connect(running.dsn) as conn:
            row = conn.execute("select count(*) from collect.inbox").fetchone()
    stored = row[0] if row else 0
    lost = max(0, before["answered"] + figures["answered"] - stored)
    came = (figures["answered"] + figures["refused"]) / chosen.seconds
    print(f"overload: {came:,.0f} requests/s for {chosen.seconds:.0f} s, {came / capacity:.1f} times the {capacity:,.0f}/s that two collectors take "
        f"with room for {ROOM} each on a disk that flushes in {FLUSH_MILLISECONDS} ms")  # fmt: skip
    print(f"  {figures['answered']:,} accepted ({figures['per_second']:,.0f}/s), p50 {figures['p50']:.0f} ms, p99 {figures['p99']:.0f} ms")
    print(f"  {figures['refused']:,} refused, 99 of 100 within {figures['refused_p99']:.0f} ms, {figures['refused_otherwise']} not by 429 with Retry-After")
    print(f"  {stored:,} in the inbox, {lost} lost, largest collector {peak:.0f} MiB")
    note = f"{came / capacity:.1f} times {capacity:,.0f}/s, {figures['refused']:,} refused within {figures['refused_p99']:.0f} ms"
    only_429 = figures["refused"] > 0 and figures["refused_otherwise"] == 0
    return [
        Result("overload, accepted and lost", lost, "requests", "0", lost == 0, note),
        Result("overload, refused otherwise than by 429 with Retry-After", figures["refused_otherwise"], "requests", "0", only_429, note),
        Result("overload, p99 of accepted", figures["p99"], "ms", f"<= {LONGEST_P99_MILLISECONDS}", figures["p99"] <= LONGEST_P99_MILLISECONDS, note),
        Result("overload, largest collector", peak, "MiB", f"<= {MOST_MEMORY_MIB}", peak <= MOST_MEMORY_MIB, note),
    ]


def _load(running: Installation, connections: int, seconds: float, rate: float = 0) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.load", str(running.port), running.write_key, "1", str(connections), str(seconds), str(rate)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def _slow_down(dsn: str) -> None:
    """Let each flush of PostgreSQL's log wait."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        for setting, value in (("commit_delay", FLUSH_MILLISECONDS * 1_000), ("commit_siblings", 0)):
            conn.execute(sql.SQL("alter system set {} = {}").format(sql.Identifier(setting), sql.Literal(value)))
        conn.execute("select pg_reload_conf()")


class _Watch:
    """The largest memory of any collector, looked at twice a second."""

    def __init__(self, running: Installation) -> None:
        self._running = running
        self._peak = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ending.is_set():
            self._peak = max(self._peak, *(psutil.Process(child.pid).memory_info().rss / 2**20 for child in self._running.collectors))
            time.sleep(0.5)

    def stop(self) -> float:
        """End, and tell the peak in MiB."""
        self._ending.set()
        self._thread.join()
        return self._peak


if __name__ == "__main__":
    main()
