"""A PostgreSQL with collectors for the benches: the real processes with the real settings, on their own directory and port."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg

from cegla.collect import actions as collect
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.vocabulary.consent import Basis


@dataclass
class Installation:
    """What runs, and where."""

    directory: Path
    dsn: str
    port: int
    write_key: str
    collectors: list[subprocess.Popen[bytes]]
    server: EmbeddedPostgres

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time used so far, by part."""
        collectors = sum(_cpu(psutil.Process(child.pid)) for child in self.collectors)
        assert self.server.process is not None
        postmaster = psutil.Process(self.server.process.pid)
        return {"collectors": collectors, "postgres": _cpu(postmaster) + sum(_cpu(child) for child in postmaster.children(recursive=True))}


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


@contextmanager
def collectors_running(workers: int, **settings: str) -> Generator[Installation]:
    """PostgreSQL and `workers` collectors that accept; all ended and removed after the block."""
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name:
        directory = Path(name)
        server = EmbeddedPostgres(directory / "postgres")
        server.start()
        children: list[subprocess.Popen[bytes]] = []
        try:
            migrate(server.dsn)
            with psycopg.connect(server.dsn) as conn:
                source, _ = collect.add_source(conn, "bench", "website", Basis.CONTRACT, datetime.now(UTC))
            port = free_port()
            environment = {**os.environ, "CEGLA_DSN": server.dsn, "CEGLA_DATA_DIR": name, "CEGLA_COLLECTOR_PORT": str(port), **settings}
            children += [
                subprocess.Popen([sys.executable, "-m", "cegla.worker.collector"], env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                for _ in range(workers)
            ]
            wait_for_writers(server.dsn, workers)
            time.sleep(0.5)
            yield Installation(directory, server.dsn, port, source.key, children, server)
        finally:
            for child in children:
                child.terminate()
            for child in children:
                child.wait(60)
            server.stop()


def wait_for_writers(dsn: str, workers: int) -> None:
    """Until that many collectors have a writer number."""
    deadline = time.monotonic() + 60
    with psycopg.connect(dsn, autocommit=True) as conn:
        while time.monotonic() < deadline:
            row = conn.execute("select count(*) from collect.positions").fetchone()
            if row is not None and row[0] >= workers:
                return
            time.sleep(0.05)
    raise TimeoutError("the collectors did not come up")


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
