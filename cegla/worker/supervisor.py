"""The supervisor of `cegla up`: PostgreSQL, the collectors and the app under one roof; whatever dies is started again.

    supervisor ── PostgreSQL (embedded, or by DSN elsewhere)
               ├─ collector × workers   one port, shared by the kernel (SO_REUSEPORT)
               └─ app                   intake, schedules, API, console

A start does not line them up. The collectors come up while PostgreSQL does, answer 503 until it takes their commits, and
accept from then on; migrations and the app, which takes the longest, follow and hold nobody up.

A child ends with its supervisor, also when that is killed (worker/tether.py).
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import structlog

from cegla.govern import actions as govern
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres, refuse_unsafe
from cegla.storage.settings import Settings
from cegla.storage.workspace import DataDirectory, Workspace
from cegla.vocabulary.errors import Broken, CeglaError
from cegla.vocabulary.errors.installation import DiskFailing
from cegla.worker import collector, tether

LOG = structlog.get_logger("supervisor")
LONGEST_PAUSE_SECONDS = 5.0
START_SECONDS = 60.0
#: Memory that a busy moment needed goes back to the system afterwards, instead of waiting in every thread's own heap.
FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "1048576", "ARROW_DEFAULT_MEMORY_POOL": "system"}


@dataclass
class Child:
    """One supervised process; a child that dies quickly is started again more slowly."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_seconds: float = 0.2
    restarts: int = -1

    def tend(self) -> None:
        """Start it when it does not run and its pause is over."""
        if self.alive():
            return
        now = time.monotonic()
        if self.process is not None:
            lived = now - self.started_at
            self.pause_seconds = 0.2 if lived > 10 else min(self.pause_seconds * 2, LONGEST_PAUSE_SECONDS)
            if lived < self.pause_seconds:
                return
            LOG.warning("child ended and is started again", child=self.name, exit=self.process.returncode)
        self.restarts += 1
        self.started_at = now
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )  # a session of its own: Ctrl-C reaches the supervisor alone, which ends its parts in order

    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask it to end, then make it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Running:
    """A running installation. `first_password` is the new administrator's, only on the very first start."""

    app_url: str
    collector_url: str
    first_password: str | None
    settings: Settings
    dsn: str
    children: list[Child]
    server: EmbeddedPostgres | None
    directory: DataDirectory
    app_is_busy: bool = False  #: events are accepted, and console and API come later
    failure: CeglaError | None = None  #: why everything was stopped, when nobody asked for it
    _ending: threading.Event = field(default_factory=threading.Event)
    _watcher: threading.Thread | None = None

    def watch(self) -> None:
        """Start again whatever dies, until `stop`, or until starting again would be a lie: then everything ends and `failure` says why."""
        while not self._ending.wait(0.2):
            try:
                self.tend()
            except DiskFailing as error:
                LOG.critical("the disk failed; everything is stopped", where=error.where, seen=error.seen)
                self._stop_parts()
                self.failure = error
                return
            except (CeglaError, psycopg.Error, OSError) as error:
                LOG.error("could not start a part again", error=str(error))

    def tend(self) -> None:
        """One look at every part. Raises DiskFailing when PostgreSQL ended because its disk did not write."""
        if self.server is not None and not self.server.alive():
            if failed := self.server.disk_failure():
                raise DiskFailing(where=str(self.server.log), seen=failed)
            LOG.warning("PostgreSQL ended and is started again")
            self.server.start()
        for child in self.children:
            child.tend()

    def watch_in_background(self) -> None:
        """`watch` in a thread of its own. Returns when every child has been started once."""
        self.tend()
        self._watcher = threading.Thread(target=self.watch, name="supervisor", daemon=True)
        self._watcher.start()

    def process_ids(self) -> dict[str, int]:
        """The process id of each part, for tests and `cegla status`."""
        ids = {child.name: child.process.pid for child in self.children if child.process is not None}
        if self.server is not None and self.server.process is not None:
            ids["postgres"] = self.server.process.pid
        return ids

    def stop(self) -> None:
        """End all parts, the app first, PostgreSQL last."""
        self._ending.set()
        if self._watcher is not None:
            self._watcher.join()
        self._stop_parts()
        (self.settings.data_dir / "run" / "app.json").unlink(missing_ok=True)
        self.directory.release()

    def wait(self, stopping: threading.Event) -> None:
        """Return once `stopping` is set. Raises what stopped the installation before that."""
        while not stopping.wait(0.2):
            if self.failure is not None:
                raise self.failure

    def _stop_parts(self) -> None:
        for child in reversed(self.children):
            child.stop()
        if self.server is not None:
            self.server.stop()


def start(settings: Settings) -> Running:
    """Start an installation and return when it accepts events and shows the console; after a minute also when the app is at work still.

    Raises AlreadyRunning when another one holds the data directory, DatabaseWontStart, UnsafeDatabase, or Broken with
    the log to read when a part does not come up within a minute.
    """
    directory = DataDirectory(settings.data_dir)
    directory.take()
    server = None if settings.dsn else EmbeddedPostgres(directory.path / "postgres")
    running: Running | None = None
    try:
        if server is not None:
            server.launch()
        else:
            refuse_unsafe(settings.dsn)
        running, app = _plan(settings, server, directory)
        for child in running.children:
            child.tend()
        if server is not None:
            server.wait()
        migrate(running.dsn)
        running.first_password = _first_user(running)
        running.children.append(app)
        running.watch_in_background()
        _wait_until_ready(running)
        return running
    except BaseException:
        if running is not None:
            running.stop()
        elif server is not None:
            server.stop()
        directory.release()
        raise


def _plan(settings: Settings, server: EmbeddedPostgres | None, directory: DataDirectory) -> tuple[Running, Child]:
    """What is to run, with the collectors as its children; the app, for later, apart. Nothing is started."""
    dsn = settings.dsn or (server.dsn if server is not None else "")
    logs, run = directory.path / "logs", directory.path / "run"
    logs.mkdir(exist_ok=True)
    run.mkdir(mode=0o700, exist_ok=True)
    (run / "app.json").unlink(missing_ok=True)
    collector_port = settings.collector.port or _free_port()
    app_port = settings.app.port or _free_port()
    environment = {
        **os.environ, "CEGLA_DSN": dsn, "CEGLA_DATA_DIR": str(directory.path), "CEGLA_COLLECTOR_PORT": str(collector_port), "CEGLA_APP_PORT": str(app_port),
        **_passed_on(settings),
        tether.VARIABLE: str(os.getpid()),
        **FRUGAL,
    }  # fmt: skip
    duty = {**environment, collector.VARIABLE: collector.handed_over(settings, dsn, collector_port)}
    children = [
        Child(f"collector-{n}", [sys.executable, "-m", "cegla.worker.collector"], duty, logs / f"collector-{n}.log")
        for n in range(1, settings.collector.workers + 1)
    ]
    running = Running(
        app_url=f"http://{settings.app.host}:{app_port}", collector_url=f"http://{settings.collector.host}:{collector_port}", first_password=None,
        settings=settings, dsn=dsn, children=children, server=server, directory=directory,
    )  # fmt: skip
    return running, Child("app", [sys.executable, "-m", "cegla.app", "serve"], environment, logs / "app.log")


def _first_user(running: Running) -> str | None:
    """The new administrator's password when there was nobody yet."""
    workspace = Workspace(running.settings, running.dsn)
    try:
        with workspace.transaction() as conn:
            return govern.ensure_first_user(conn, workspace.clock())
    finally:
        workspace.close()


def _passed_on(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, so that children started elsewhere see what the supervisor was given."""
    values: dict[str, str] = {
        "CEGLA_LANGUAGE": settings.language, "CEGLA_TIMEZONE": settings.timezone, "CEGLA_CURRENCY": settings.currency, "CEGLA_WAREHOUSE": settings.warehouse,
    }  # fmt: skip
    for section in ("collector", "app", "smtp"):
        for name, value in getattr(settings, section).model_dump().items():
            if name != "port" or section == "smtp":
                values[f"CEGLA_{section}_{name}".upper()] = json.dumps(value) if isinstance(value, (list, tuple)) else str(value)
    return values


def _wait_until_ready(running: Running) -> None:
    run_file = running.settings.data_dir / "run" / "app.json"
    collector = (running.settings.collector.host, int(running.collector_url.rsplit(":", 1)[1]))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if run_file.exists() and json.loads(run_file.read_text() or "{}") and _listens(collector):
            return
        failing = [child for child in running.children if child.restarts >= 3]
        if failing:
            raise Broken(where=str(failing[0].log), detail=f"{failing[0].name} ends again and again: {_last_line(failing[0].log)}")
        time.sleep(0.05)
    if _listens(collector) and running.children[-1].alive():
        running.app_is_busy = True
        LOG.warning("events are accepted; the app is not ready yet, maybe it writes the history again", log=str(running.children[-1].log))
        return
    raise Broken(where=str(running.directory.path / "logs"), detail="not every part came up within a minute")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""


def _listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, 0.2).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
