"""The embedded PostgreSQL: it comes up whatever was left behind."""

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from cegla.storage.postgres import EmbeddedPostgres

pytestmark = pytest.mark.whole


def test_a_server_starts_although_a_killed_one_left_a_process_at_work(tmp_path: Path) -> None:
    """A process that computes does not notice at once that its server is gone, and PostgreSQL does not start beside it. The server's number has passed
    to a stranger meanwhile, as it does after the machine was started again, and PostgreSQL alone would take that for its server."""
    killed, fresh = EmbeddedPostgres(tmp_path / "postgres"), EmbeddedPostgres(tmp_path / "postgres")
    killed.start()

    def compute() -> None:
        with suppress(psycopg.OperationalError), psycopg.connect(killed.dsn) as conn:
            conn.execute("select count(*) from generate_series(1, 10000000)")

    computing = threading.Thread(target=compute)
    computing.start()
    with psycopg.connect(killed.dsn, autocommit=True) as conn:
        while not conn.execute("select 1 from pg_stat_activity where state = 'active' and query like '%generate_series(1, 1%' and pid <> pg_backend_pid()").fetchone():
            time.sleep(0.01)
    assert killed.process is not None
    os.kill(killed.process.pid, signal.SIGKILL)
    killed.process.wait()
    stranger = subprocess.Popen(["sleep", "60"], cwd="/", **killed.as_user)
    for lock in (killed.data / "postmaster.pid", *killed.socket_directory.glob(".s.PGSQL.*.lock")):
        lock.write_text(lock.read_text().replace(str(killed.process.pid), str(stranger.pid), 1))
    try:
        fresh.start()
        with psycopg.connect(fresh.dsn) as conn:
            assert conn.execute("select 1").fetchone() == (1,)
        assert b"pre-existing shared memory block" in fresh.log.read_bytes()  # the control: it was as told
    finally:
        fresh.stop()
        stranger.kill()
        stranger.wait()
        computing.join()
