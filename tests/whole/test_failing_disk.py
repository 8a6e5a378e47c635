"""A disk that fails to write: nothing is acknowledged any more, everything ends, and nothing that was acknowledged is missing."""

import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bench.crashes import Load, installation
from bench.trials import disk
from cegla.collect import actions as collect
from cegla.storage.postgres import EmbeddedPostgres
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.installation import DiskFailing
from cegla.worker.supervisor import Running

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300)]


@pytest.fixture
def place() -> Generator[Path]:
    """Outside pytest's own folder, which every other run of pytest on this machine closes to PostgreSQL's user for a moment."""
    with tempfile.TemporaryDirectory(prefix="cegla-disk-") as name:
        yield Path(name)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 180
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


def loaded(running: Running) -> tuple[Load, threading.Thread]:
    with psycopg.connect(running.dsn) as conn:
        source, _ = collect.add_source(conn, "disk", "website", Basis.CONTRACT, datetime.now(UTC))
    load = Load()
    port = int(running.collector_url.rsplit(":", 1)[1])
    loading = threading.Thread(target=lambda: asyncio.run(load.run(port, source.key)), daemon=True)
    loading.start()
    return load, loading


@pytest.mark.skipif(disk.shim() is None, reason="the shim that makes fsync fail needs a C compiler (cc), and there is none here")
def test_after_a_failed_flush_nothing_is_acknowledged_and_everything_ends(place: Path) -> None:
    fail = place / "fail"
    with installation(place / "data", workers=1, under=disk.under(place / "data" / "postgres", fail=fail)) as running:
        load, _ = loaded(running)
        until(lambda: len(load.acknowledged) > 200)  # the control: on a disk that works the same load is acknowledged
        fail.write_text("eio")
        until(lambda: running.failure is not None)
        with pytest.raises(DiskFailing, match="stopped accepting"):
            running.wait(threading.Event())
        assert all(child.process is not None and child.process.poll() is not None for child in running.children)
    fail.unlink()
    server = EmbeddedPostgres(place / "data" / "postgres")
    server.start()
    try:
        with psycopg.connect(server.dsn) as conn:
            bodies = conn.execute("select body from collect.inbox").fetchall()
            assert collect.look_at_heads(conn, place / "data", datetime.now(UTC)) == 0
    finally:
        server.stop()
    stored = {row[0].partition(b'"messageId": "')[2].partition(b'"')[0].decode() for row in bodies}
    assert set(load.acknowledged) <= stored, "also what the clients read only after everything had ended"
