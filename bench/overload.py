"""More than the collectors can take: far more connections than they have room for, each sending again as soon as it is answered.

A generator on the same two cores cannot send five times what the collectors accept, so the pressure is made of work that
waits: a thousand connections against a queue made five times too small for them. Every answer is counted, every 200 looked for.
"""

import argparse
import json
import subprocess
import sys
import threading
import time

import psutil
import psycopg

from bench.installation import Installation, collectors_running
from bench.result import Result

LONGEST_P99_MILLISECONDS = 250
MOST_MEMORY_MIB = 512


def main(argv: list[str] | None = None) -> list[Result]:
    """`python -m bench overload [--seconds 60] [--connections 1000]`."""
    options = argparse.ArgumentParser(prog="bench overload", description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--connections", type=int, default=1_000)
    chosen = options.parse_args(argv)
    queue = max(8, chosen.connections // 10)  # of each of two collectors: together a fifth of what is sent at once
    with collectors_running(2, CEGLA_COLLECTOR_MOST_WAITING_REQUESTS=str(queue)) as running:
        watch = _Watch(running)
        command = [sys.executable, "-m", "bench.load", str(running.port), running.write_key, "1", str(chosen.connections), str(chosen.seconds)]
        figures = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        peak = watch.stop()
        with psycopg.connect(running.dsn) as conn:
            row = conn.execute("select count(*) from collect.inbox").fetchone()
    stored = row[0] if row else 0
    lost = max(0, figures["answered"] - stored)
    print(f"overload: {chosen.connections} connections for {chosen.seconds:.0f} s, room for {2 * queue} requests that wait")
    print(f"  {figures['answered']:,} accepted ({figures['per_second']:,.0f}/s), {figures['refused']:,} refused, {stored:,} in the inbox, {lost} lost")
    print(f"  p99 of accepted {figures['p99']:.0f} ms, largest collector {peak:.0f} MiB")
    note = f"{chosen.connections} connections, {figures['refused']:,} refused, {figures['per_second']:,.0f} accepted a second"
    return [
        Result("overload, accepted and lost", lost, "requests", "0", lost == 0 and figures["refused"] > 0, note),
        Result("overload, p99 of accepted", figures["p99"], "ms", f"<= {LONGEST_P99_MILLISECONDS}", figures["p99"] <= LONGEST_P99_MILLISECONDS, note),
        Result("overload, largest collector", peak, "MiB", f"<= {MOST_MEMORY_MIB}", peak <= MOST_MEMORY_MIB, note),
    ]


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
