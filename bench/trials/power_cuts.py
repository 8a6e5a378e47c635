"""Power cuts: what PostgreSQL does to its disk is recorded while a collector acknowledges; then the power goes, again and again.

    record   clients ──► collector ──► PostgreSQL on the shim ──► one log: writes, syncs, names, and each acknowledgement
    cut      a random place in the log ──► the directory as the disk may hold it ──► PostgreSQL recovers on it
    judge    every request acknowledged before that place is there; chain, indexes and page checksums hold

A cut is one of two kinds: everything unsynced is lost, or each unsynced sector has its own luck. The controls come first
and must fail: commits that do not wait for the disk lose, a server without fsync loses or does not start.
"""

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import psycopg

from bench.crashes import COLLECTOR, Load, environment_with, free_port
from bench.result import Result
from bench.trials import disk, warehouse_cuts
from bench.trials.verdict import SHARES, Verdict
from cegla.collect import actions as collect
from cegla.collect.rules import chain
from cegla.storage import postgres
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import CeglaError

LIMITS = Settings.model_validate({}).collector
SMALL_CLUSTER = ["--wal-segsize=1", "--no-sync"]
SMALL_SERVER = {"shared_buffers": "4MB", "max_connections": "20", "min_wal_size": "2MB", "max_wal_size": "8MB", "autovacuum_naptime": "1s"}
AFTER_CUT = {"shared_buffers": "16MB", "max_connections": "10", "fsync": "off", "autovacuum": "off", "io_method": "sync"}
PAGE_BYTES = 8_192
RECORDINGS_OF_A_CONTROL = 5  #: at most
TEMPLATES = ("4",)  # the folder of template0, which nothing writes to; autovacuum does write to template1


@dataclass(frozen=True)
class Recording:
    """One run of the recorder. `base` is the data directory when it began, `log` what followed."""

    directory: Path
    inodes: dict[int, str]

    @property
    def base(self) -> Path:
        """The copy that cuts begin with."""
        return self.directory / "base"

    @property
    def log(self) -> Path:
        """What the shim recorded."""
        return self.directory / "disk.log"

    @property
    def live(self) -> Path:
        """The directory that was recorded."""
        return self.directory / "postgres" / "data"


@contextmanager
def room() -> Generator[Path]:
    """A place for recordings: memory where there is enough of it, since a cut is about what a disk keeps and not about its speed."""
    memory = Path("/dev/shm")
    enough = memory.is_dir() and shutil.disk_usage(memory).free > 2**30
    with tempfile.TemporaryDirectory(prefix="cegla-cuts-", dir=memory if enough else None) as name:
        yield Path(name)


@dataclass(frozen=True)
class Cluster:
    """A small, migrated server with one source, stopped; recordings begin with a copy of it."""

    data: Path
    key: str


def make_cluster(directory: Path) -> Cluster:
    """Make the cluster that the recordings of a trial share."""
    directory.mkdir()
    directory.chmod(0o755)
    server = EmbeddedPostgres(directory)
    with _options(postgres.CLUSTER_OPTIONS, SMALL_CLUSTER), server_settings(SMALL_SERVER):
        server.start()
    migrate(server.dsn)
    with psycopg.connect(server.dsn, autocommit=True) as conn:
        source, _ = collect.add_source(conn, "cuts", "website", Basis.CONTRACT, datetime.now(UTC))
        conn.execute("alter database template1 allow_connections false")
    server.stop()
    return Cluster(server.data, source.key)


@dataclass(frozen=True)
class Ways:
    """How a recorded server is run; `sync_microseconds` is how long a sync takes at least, so that something happens meanwhile, as on a disk."""

    collector: Sequence[str] = tuple(COLLECTOR)
    server_options: Mapping[str, str] = field(default_factory=dict[str, str])
    sync_microseconds: int = 0


SOUND = (Ways(sync_microseconds=1_500), Ways())  #: recordings take them in turn
RELAXED = Ways([sys.executable, "-m", "bench.trials.relaxed_collector"], {"shared_buffers": "64MB", "wal_writer_delay": "10s"})
UNSYNCED = Ways(server_options={"fsync": "off"})


def record(directory: Path, cluster: Cluster, seed: int, seconds: float, ways: Ways) -> Recording:
    """Record a server while a collector acknowledges for about `seconds`, intake takes in and checkpoints come in between."""
    server = EmbeddedPostgres(directory / "postgres")
    server.data.parent.mkdir(parents=True)
    directory.chmod(0o755)
    subprocess.run(["cp", "-a", str(cluster.data), str(server.data)], check=True)
    recording = Recording(directory, dict(disk.files_below(server.data)))
    _copy(server.data, recording.base)
    recording.log.touch()
    recording.log.chmod(0o666)
    shim = disk.under(server.data, recording.log, sync_microseconds=ways.sync_microseconds)
    with server_settings(SMALL_SERVER | dict(ways.server_options)), environment_with(shim):
        server.start()
    try:
        _load(server, cluster.key, recording, seed, seconds, ways.collector)
    finally:
        server.stop()
    return recording


def _copy(data: Path, base: Path) -> None:
    """The data directory; of the template that nothing writes to, every copy of this copy shares the files."""
    subprocess.run(["cp", "-a", str(data), str(base)], check=True)
    for template in TEMPLATES:
        shared = base.with_name(f"template-{template}")
        (base / "base" / template).rename(shared)
        (base / "base" / template).symlink_to(shared)


def _load(server: EmbeddedPostgres, key: str, recording: Recording, seed: int, seconds: float, command: Sequence[str]) -> None:
    port = free_port()
    environment = {**os.environ, "CEGLA_DSN": server.dsn, "CEGLA_DATA_DIR": str(recording.directory / "data"), "CEGLA_COLLECTOR_PORT": str(port)}
    with (recording.directory / "collector.log").open("ab") as log:
        collector = subprocess.Popen(list(command), env=environment, stdout=log, stderr=log)
    load = Load()
    load.acknowledged = disk.Witness(recording.log)
    loading = threading.Thread(target=lambda: asyncio.run(load.run(port, key)), daemon=True)
    loading.start()
    rng = random.Random(seed)
    try:
        began = first_answer(load, collector)
        with psycopg.connect(server.dsn, options="-c timezone=UTC") as conn:
            while time.monotonic() - began < seconds:
                time.sleep(rng.random() * 0.25)
                if rng.random() < 0.3:
                    conn.execute("checkpoint")
                else:
                    _take_in_some(conn)
                conn.commit()
        load.finish()
        loading.join(30)
    finally:
        collector.terminate()
        collector.wait(30)


def _take_in_some(conn: psycopg.Connection) -> None:
    """What intake does to the inbox: positions move, repeats are remembered, old requests go."""
    taken = collect.take(conn, 200)
    if taken.requests:
        decoded = collect.decode(taken, {source.id: source for source in collect.sources(conn)}, LIMITS)
        events = collect.drop_repeats(conn, decoded.events, datetime.now(UTC))
        collect.advance(conn, taken, events, len(decoded.events) - len(events), decoded.set_aside)


def first_answer(load: Load, collector: subprocess.Popen[bytes]) -> float:
    deadline = time.monotonic() + 300  # on a machine that is busy with other things, too
    while not load.last_answer_at:
        if collector.poll() is not None:
            raise RuntimeError(f"the collector ended with {collector.returncode} before it acknowledged anything: somebody else may have taken its port")
        if time.monotonic() > deadline:
            raise TimeoutError("the collector acknowledged nothing")
        time.sleep(0.01)
    return time.monotonic()


def cut(recordings: Sequence[Recording], cuts: int, seed: int, processes: int = 2) -> Verdict:
    """That many cuts, spread over the recordings, in parallel."""
    shares = [(recording, number) for recording in recordings for number in range(processes)]
    each = [cuts // len(shares) + (place < cuts % len(shares)) for place in range(len(shares))]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(cut_one, recording, share, seed * 1_000 + place) for place, ((recording, _), share) in enumerate(zip(shares, each, strict=True))]
        verdict = Verdict()
        for job in jobs:
            verdict += job.result()
    return verdict


def cut_one(recording: Recording, cuts: int, seed: int) -> Verdict:
    """Replay one log once, and cut the power at `cuts` random places on the way."""
    rng = random.Random(seed)
    entries = disk.read(recording.log)
    acknowledgements = [place for place, entry in enumerate(entries) if entry.kind == disk.Kind.ACKNOWLEDGED]
    changes = [place for place in range(acknowledgements[0], acknowledgements[-1] + 1) if entries[place].kind != disk.Kind.ACKNOWLEDGED]
    places = sorted(rng.choices(changes, k=cuts))
    state = disk.Disk(recording.base, recording.inodes)
    acknowledged: set[str] = set()
    verdict, done = Verdict(), 0
    for number, place in enumerate(places):
        for entry in entries[done:place]:
            if entry.kind == disk.Kind.ACKNOWLEDGED:
                acknowledged.add(entry.data.decode())
            state.apply(entry, str(recording.live))
        done = place
        share = 0.0 if number % 3 == 0 else rng.choice(SHARES)
        with tempfile.TemporaryDirectory(prefix="cut-", dir=recording.directory, ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)
            state.write_out(folder / "data", rng, share)
            (folder / "data" / "postmaster.pid").unlink(missing_ok=True)
            verdict += judge(folder, acknowledged)
    return verdict


def judge(directory: Path, acknowledged: set[str]) -> Verdict:
    """Start PostgreSQL on a directory, let it recover, and look for everything."""
    server = EmbeddedPostgres(directory)
    faults: list[str] = []
    found: set[str] = set()
    with server_settings(AFTER_CUT):
        try:
            server.start()
            with psycopg.connect(server.dsn) as conn:
                found = requests_in(conn, faults)
                faults += _contradictions(conn)
        except (CeglaError, psycopg.Error) as error:
            faults.append(f"it does not start or read: {type(error).__name__}, {_last_words(server)}")
        finally:
            server.stop()
    if not faults:
        faults += _wrong_pages(server)
    missing = len(acknowledged - found)
    if faults and not found:
        missing = 0  # then it is corrupt, which is counted apart
    return Verdict(1, len(acknowledged), missing, int(missing > 0), int(bool(faults)), Counter(faults))


def _last_words(server: EmbeddedPostgres) -> str:
    """What the server said last of what went wrong, or else at all."""
    lines = server.log.read_text(errors="replace").splitlines() if server.log.exists() else []
    wrong = [line for line in lines if any(word in line for word in ("PANIC", "FATAL", "ERROR"))]
    return (wrong or lines or ["without a word"])[-1][-160:]


def requests_in(conn: psycopg.Connection, faults: list[str]) -> set[str]:
    """The message ids in the inbox; the chains are computed anew on the way."""
    found: set[str] = set()
    ends: dict[int, tuple[int, bytes]] = {}
    for writer, number, source, link, body in conn.execute("select writer, number, source_id, link, body from collect.inbox order by writer, number"):
        last, before = ends.get(writer, (0, chain.START))
        if number != last + 1 or chain.link(before, number, source, body) != link:
            faults.append("the chain is broken")
        ends[writer] = number, link
        found.add(body.partition(b'"messageId": "')[2].partition(b'"')[0].decode())
    return found


def _contradictions(conn: psycopg.Connection) -> Iterator[str]:
    """Tables against their indexes, and what intake counted against what it took in."""
    for table in ("collect.inbox", "collect.seen", "collect.positions", "collect.writers", "collect.counters", "pg_class", "pg_attribute"):
        counts: list[int] = []
        for scan in ("enable_seqscan", "enable_indexscan"):
            conn.execute(f"set enable_seqscan = {'off' if scan == 'enable_seqscan' else 'on'}")
            conn.execute(f"set enable_indexscan = {'off' if scan == 'enable_indexscan' else 'on'}")
            conn.execute(f"set enable_indexonlyscan = {'off' if scan == 'enable_indexscan' else 'on'}")
            row = conn.execute(f"select count(*) from {table}").fetchone()
            counts.append(row[0] if row else -1)
        if counts[0] != counts[1]:
            yield f"{table} and its index differ"
    taken = conn.execute("select coalesce(sum(taken), 0) from collect.positions").fetchone()
    counted = conn.execute("select coalesce(sum(accepted), 0) from collect.counters").fetchone()
    if taken != counted:
        yield "intake counted something else than it took in"


def _wrong_pages(server: EmbeddedPostgres) -> Iterator[str]:
    """Files with a page whose checksum is wrong, but for maps of free space: those are guesses, and PostgreSQL empties a torn page of them."""
    _drop_parts_of_pages(server.data / "base")
    checked = subprocess.run([str(server.programs / "pg_checksums"), "--check", "-D", str(server.data)], capture_output=True, text=True, check=False)
    for line in checked.stderr.splitlines():
        if "error:" in line and not ("verification failed" in line and "_fsm" in line):
            yield f"a page's checksum is wrong, or was not looked at: {line}"


def _drop_parts_of_pages(below: Path) -> None:
    """A file that was growing may end within a page. PostgreSQL counts whole pages and writes over the rest; pg_checksums would stop at it."""
    for _, path in disk.files_below(below):
        size = (below / path).stat().st_size
        if (below / path).name[0].isdigit() and size % PAGE_BYTES:
            os.truncate(below / path, size - size % PAGE_BYTES)


@contextmanager
def server_settings(changes: dict[str, str]) -> Generator[None]:
    """The embedded server with some options changed."""
    before = dict(postgres.SERVER_OPTIONS)
    postgres.SERVER_OPTIONS.update(changes)
    try:
        yield
    finally:
        postgres.SERVER_OPTIONS.clear()
        postgres.SERVER_OPTIONS.update(before)


@contextmanager
def _options(options: list[str], more: list[str]) -> Generator[None]:
    options.extend(more)
    try:
        yield
    finally:
        del options[-len(more) :]


@dataclass(frozen=True)
class Report:
    """The controls, which must fail, and the real thing."""

    relaxed: Verdict
    unsynced: Verdict
    real: Verdict
    lying: Verdict  #: the warehouse on a disk that only says it flushed
    warehouse: Verdict
    seconds: float

    @property
    def good(self) -> bool:
        """Both controls were caught, and nothing else was."""
        caught = self.relaxed.lost > 0 and (self.unsynced.lost > 0 or self.unsynced.corrupt > 0) and self.lying.lost > 0
        return caught and self.real.good and self.warehouse.good


def trial(cuts: int, seed: int, control_cuts: int = 12, recordings: int = 1, seconds: float = 1.5) -> Report:
    """Controls first, then `cuts` cuts over so many recordings of `seconds` each."""
    began = time.monotonic()
    with room() as place:
        cluster = make_cluster(place / "cluster")
        make = partial(record, cluster=cluster, seconds=seconds)
        relaxed = _caught(lambda number: make(place / f"relaxed-{number}", seed=seed + number, ways=RELAXED), control_cuts, seed)
        unsynced = _caught(lambda number: make(place / f"unsynced-{number}", seed=seed + number, ways=UNSYNCED), control_cuts, seed)
        real = Verdict()
        for number in range(recordings):  # one after the other, so that memory holds one at a time
            share = cuts // recordings + (number < cuts % recordings)
            real += cut([make(place / f"real-{number}", seed=seed + number, ways=SOUND[number % len(SOUND)])], share, seed + number)
            shutil.rmtree(place / f"real-{number}", ignore_errors=True)
        lying, warehouse = warehouse_cuts.trial(place, max(control_cuts, cuts // 10), seed, control_cuts)
    return Report(relaxed, unsynced, real, lying, warehouse, time.monotonic() - began)


def _caught(recorded: Callable[[int], Recording], cuts: int, seed: int) -> Verdict:
    """A control, recorded anew until a cut shows its fault: whether one of a few cuts falls between a promise and its keeping is chance."""
    found = Verdict()
    for number in range(RECORDINGS_OF_A_CONTROL):
        recording = recorded(number)
        found += cut([recording], cuts, seed + number)
        shutil.rmtree(recording.directory, ignore_errors=True)
        if found.lost or found.corrupt:
            break
    return found


def main(argv: list[str]) -> list[Result]:
    """`python -m bench power_cuts [--cuts 2000] [--seed 1]`."""
    parser = argparse.ArgumentParser(prog="bench power_cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    if disk.shim() is None:
        sys.exit("the recorder of writes needs a C compiler (cc), and there is none here")
    report = trial(options.cuts, options.seed, control_cuts=max(8, options.cuts // 20), recordings=max(1, options.cuts // 250), seconds=3.0)
    relaxed, unsynced, real = report.relaxed, report.unsynced, report.real
    note = f"{real.acknowledged:,} acknowledged requests looked for, {real.corrupt} stores corrupt, seed {options.seed}, {report.seconds:.0f} s"
    note += "".join(f"; {count} times: {fault}" for fault, count in real.faults.most_common(5))
    broken = f"{unsynced.corrupt} corrupt, {unsynced.cuts_with_loss} with losses, of {unsynced.cuts} cuts"
    return [
        Result("control: commits that do not wait for the disk", relaxed.cuts_with_loss, "cuts", "some lose", relaxed.lost > 0, f"of {relaxed.cuts} cuts"),
        Result("control: a server without fsync", unsynced.corrupt + unsynced.cuts_with_loss, "cuts", "some break", unsynced.corrupt > 0, broken),
        Result(f"power cuts, {real.cuts}", real.lost, "requests lost", "0 lost, 0 corrupt", real.good, note),
        *warehouse_cuts.results(report.lying, report.warehouse),
    ]
