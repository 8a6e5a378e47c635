"""What every test may ask for: a workspace of its own on one PostgreSQL that the tests of a process share.

The server runs without fsync: tests ask whether the code is right, not whether the disk is. The tests that do ask the
disk (tests/whole) start their own processes with the real settings.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Generator
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
import structlog

from cegla.storage import postgres
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.workspace import Connection, Workspace

# The same examples every time, so that a red run is about the change at hand; RANDOM=1 looks for new ones. No example has a deadline, and
# none is drawn too slowly: a busy machine would fail a different test each time.
hypothesis.settings.register_profile(
    "steady", derandomize=not os.environ.get("RANDOM"), print_blob=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")

MEMORY = Path("/dev/shm")
ROOMY = 4 * 1024**3  #: what a few servers never fill


def _room() -> Path:
    """Where the servers live: in memory where it has room, because each test copies a database of some eight hundred files."""
    in_memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOMY
    return (MEMORY if in_memory else Path(tempfile.gettempdir())) / f"cegla-tests-{os.getuid()}"


ROOM = _room()
HURRIED = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB", "max_wal_size": "256MB"}
NUMBERS = count(1)
MOST_WORKERS = 4  #: each has a PostgreSQL, and at times a browser, of its own


def pytest_xdist_auto_num_workers() -> int:
    """How many tests `make test` runs side by side."""
    return min(MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side the files that may take longest come first: at the end, everybody would wait for the one that has them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        longest: dict[Path, float] = {}
        for item in items:
            own = item.get_closest_marker("timeout")
            longest[item.path] = max(longest.get(item.path, 0), own.args[0] if own else 0)
        items.sort(key=lambda item: -longest[item.path])


@pytest.fixture(autouse=True, scope="session")
def only_this_machine() -> Generator[None]:
    """No test reaches another machine: a connection that leaves the loopback interface is an error."""
    honest = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and str(address[0]) not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        honest(self, address)

    socket.socket.connect = guarded  # type: ignore[method-assign]
    yield
    socket.socket.connect = honest  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def plain_log() -> None:
    """Log lines as short text: drawing a trace with its local values takes seconds, and shows personal data."""
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])


@pytest.fixture(scope="session")
def server() -> Generator[EmbeddedPostgres]:
    """One embedded PostgreSQL for all tests of this process, with a migrated database to copy from."""
    _end_forgotten_servers()
    directory = ROOM / str(os.getpid())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in HURRIED.items():
            patch.setitem(postgres.SERVER_OPTIONS, name, value)
        running = EmbeddedPostgres(directory / "postgres")
        running.start()
    try:
        migrate(running.dsn)
        yield running
    finally:
        running.stop()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def dsn(server: EmbeddedPostgres) -> Generator[str]:
    """The address of a fresh, migrated, empty database."""
    name = f"test_{next(NUMBERS)}"
    keeper = server.dsn.replace("dbname=cegla", "dbname=postgres")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute(f"create database {name} template cegla strategy file_copy")
    yield server.dsn.replace("dbname=cegla", f"dbname={name}")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults, with every file under the test's own folder and free ports."""
    return Settings.model_validate({"data_dir": tmp_path / "data", "collector": {"port": 0, "workers": 1}, "app": {"port": 0}})


@pytest.fixture
def workspace(dsn: str, settings: Settings) -> Generator[Workspace]:
    """A fresh workspace: empty tables, empty warehouse, keys of its own."""
    fresh = Workspace(settings, dsn, pool_size=4)
    yield fresh
    fresh.close()


@pytest.fixture
def conn(workspace: Workspace) -> Generator[Connection]:
    """A transaction in the test's workspace; committed when the test ends well."""
    with workspace.transaction() as connection:
        yield connection


def _end_forgotten_servers() -> None:
    """End the servers of earlier runs that were killed before they could."""
    for directory in ROOM.glob("*"):
        if not Path(f"/proc/{directory.name}").exists():
            EmbeddedPostgres(directory / "postgres")._end_leftover()  # pyright: ignore[reportPrivateUsage]
            shutil.rmtree(directory, ignore_errors=True)
