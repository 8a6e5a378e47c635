"""Damage to PostgreSQL's own files while it stands still: noticed, or provably harmless, and never a long start.

    make     collector and load ──► a store with requests taken in and requests that wait ──► stopped in order, or killed
    damage   log, table or index of the inbox: cut short, a byte flipped in the tail or the middle, the tail zeroed, by bytes or by pages
    judge    it does not start, or a page is refused, or heads and chain say how many requests are gone ── or nothing is missing

The control: an undamaged copy raises no alarm, and among the damaged ones there are stores that start, read and call themselves
healthy with requests missing, so that only the heads and the chain can tell.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.crashes import COLLECTOR, Load, free_port
from bench.result import Result
from bench.trials.power_cuts import LIMITS, SMALL_SERVER, Cluster, first_answer, make_cluster, room, server_settings
from cegla.collect import actions as collect
from cegla.storage.postgres import EmbeddedPostgres
from cegla.vocabulary.errors import CeglaError

STOPS = ("in order", "killed")
PLACES = ("log", "table", "index")
WAYS = ("cut short", "flip in the tail", "flip in the middle", "zeroed tail", "zeroed pages")
PAGE_BYTES = 8192  #: PostgreSQL takes a page of zeros for one that was never used
LONGEST_START_SECONDS = 10.0


@dataclass(frozen=True)
class Store:
    """A stopped store: which requests wait in it, and where what can be damaged lies below its data directory."""

    directory: Path
    waiting: frozenset[str]
    files: dict[str, tuple[str, range]]  #: and which bytes of it matter


@dataclass
class Report:
    """What became of the damaged stores."""

    fates: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)  #: something is missing, and nobody says so, or says too little
    called_itself_healthy: int = 0  #: PostgreSQL started and read everything, with requests missing
    false_alarms: int = 0  #: of undamaged copies
    longest_start_seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Everything was noticed, undamaged stores are well, and the control was met."""
        return not (self.silent or self.false_alarms) and self.called_itself_healthy > 0


def make_store(directory: Path, cluster: Cluster, killed: bool, seconds: float = 1.5) -> Store:
    """Load for so long, a checkpoint and some intake in the middle of it, and the stop."""
    server = EmbeddedPostgres(directory / "postgres")
    server.data.parent.mkdir(parents=True)
    directory.chmod(0o755)
    subprocess.run(["cp", "-a", str(cluster.data), str(server.data)], check=True)
    with server_settings(SMALL_SERVER):
        server.start()
    port, load = free_port(), Load()
    environment = {**os.environ, "CEGLA_DSN": server.dsn, "CEGLA_DATA_DIR": str(directory), "CEGLA_COLLECTOR_PORT": str(port)}
    with subprocess.Popen(COLLECTOR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as collector:
        loading = threading.Thread(target=lambda: asyncio.run(load.run(port, cluster.key)), daemon=True)
        loading.start()
        first_answer(load, collector)
        time.sleep(seconds / 2)
        with psycopg.connect(server.dsn, autocommit=True, options="-c timezone=UTC") as conn:
            with conn.transaction():
                taken = _take_in(conn, 300)
            conn.execute("checkpoint")
            time.sleep(seconds / 2)  # no checkpoint after this: so much of the log is the only place where some requests are
            load.finish()
            loading.join(30)
            collector.terminate()
            collector.wait(30)
            conn.execute("vacuum collect.inbox")  # from now on an index may answer alone for pages that it takes to be whole
            files = _files(conn)
            if killed and server.process is not None:
                os.killpg(server.process.pid, signal.SIGKILL)
                server.process.wait()
    server.stop()
    return Store(directory, frozenset(load.acknowledged - taken), files)


def _take_in(conn: psycopg.Connection, most_events: int) -> set[str]:
    """What intake does to the inbox, and the ids it saw. Damage to the chain is noted on the way."""
    taken = collect.take(conn, most_events)
    if not taken.requests:
        return set()
    decoded = collect.decode(taken, {source.id: source for source in collect.sources(conn)}, LIMITS)
    events = collect.drop_repeats(conn, decoded.events, datetime.now(UTC))
    collect.advance(conn, taken, events, len(decoded.events) - len(events), decoded.set_aside)
    return {event.message_id for event in decoded.events}


def _files(conn: psycopg.Connection) -> dict[str, tuple[str, range]]:
    """Of the log the newest segment, from where a recovery would begin."""
    asked = """select (ends).file_name, case when (begins).file_name = (ends).file_name then (begins).file_offset else 0 end, (ends).file_offset
               from (select pg_walfile_name_offset(redo_lsn) as begins, pg_walfile_name_offset(pg_current_wal_lsn()) as ends from pg_control_checkpoint()) w"""
    log, begin, end = conn.execute(asked).fetchone() or ("", 0, 0)
    sized = "select pg_relation_filepath(t::regclass), pg_relation_size(t::regclass) from unnest(array['collect.inbox', 'collect.inbox_pkey']) t"
    (table, rows), (index, keys) = conn.execute(sized).fetchall()
    return {"log": (f"pg_wal/{log}", range(begin, end)), "table": (table, range(rows)), "index": (index, range(keys))}


def damage(file: Path, part: range, way: str, rng: random.Random) -> None:
    """Spoil a part of a file."""
    content = bytearray(file.read_bytes())
    part = range(part.start, min(part.stop, len(content)))  # after a kill the end of a table may not be there yet
    tail = part[rng.randrange(len(part) // 2, len(part))]
    if way == "cut short":
        del content[tail:]
    elif way.startswith("zeroed"):
        tail -= tail % PAGE_BYTES if way == "zeroed pages" else 0
        content[tail:] = bytes(len(content) - tail)
    else:
        begin, end = (9, 10) if way == "flip in the tail" else (1, 9)
        place = part[rng.randrange(len(part) * begin // 10, len(part) * end // 10)]
        content[place] ^= 1 << rng.randrange(8)
    file.write_bytes(content)


def judge(store: Store, copy: Path, what: str, report: Report) -> None:
    """Start on what is left, and see who notices what."""
    server = EmbeddedPostgres(copy / "postgres")
    began = time.monotonic()
    try:
        with server_settings(SMALL_SERVER):
            server.start()
        report.longest_start_seconds = max(report.longest_start_seconds, time.monotonic() - began)
        with psycopg.connect(server.dsn, options="-c timezone=UTC") as conn:
            collect.look_at_heads(conn, copy, datetime.now(UTC))
            found: set[str] = set()
            while more := _take_in(conn, 20_000):
                found |= more
            standing = collect.standing(conn)[0]
    except (CeglaError, psycopg.Error) as error:
        report.longest_start_seconds = max(report.longest_start_seconds, time.monotonic() - began)
        report.fates["does not start" if isinstance(error, CeglaError) else "a page is refused"] += 1
        return
    finally:
        server.stop()
    missing = len(store.waiting - found)
    report.called_itself_healthy += missing > 0
    if missing and standing.gone < missing:
        report.silent.append(f"{what}: {missing} missing, {standing.gone} told")
    elif not what:
        report.false_alarms += bool(standing.damaged)
    report.fates["gone, and told" if missing else "noticed, nothing missing" if standing.damaged else "harmless"] += 1


def trial(trials: int, seed: int) -> Report:
    """So many damages of each kind, at each place, after each stop; undamaged copies first."""
    rng, report = random.Random(seed), Report()
    with room() as place:
        cluster = make_cluster(place / "cluster")
        for stop in STOPS:
            store = make_store(place / stop.replace(" ", "-"), cluster, killed=stop == "killed")
            for number, (where, way) in enumerate([("", ""), *((where, way) for where in PLACES for way in WAYS for _ in range(trials))]):
                copy = place / "copy"
                subprocess.run(["cp", "-a", str(store.directory), str(copy)], check=True)
                if where:
                    file, part = store.files[where]
                    damage(copy / "postgres" / "data" / file, part, way, rng)
                judge(store, copy, f"{where}, {way}, stopped {stop}, {number}" if where else "", report)
                shutil.rmtree(copy)
    return report


def main(argv: list[str]) -> list[Result]:
    """`python -m bench damage [--trials 25] [--seed 1]`."""
    parser = argparse.ArgumentParser(prog="bench damage", description=__doc__)
    parser.add_argument("--trials", type=int, default=25, help="of each kind, at each place, after each stop")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    report = trial(options.trials, options.seed)
    fates = ", ".join(f"{fate}: {times}" for fate, times in report.fates.most_common())
    note = "; ".join([fates, f"PostgreSQL called itself healthy with requests missing {report.called_itself_healthy} times", *report.silent[:5]])
    slow = report.longest_start_seconds
    return [
        Result("damage to PostgreSQL's files", len(report.silent), "unnoticed", "0", report.good, note),
        Result("damage: longest start, or refusal to", slow, "s", "<= 10", slow <= LONGEST_START_SECONDS, f"of {report.fates.total()} starts"),
    ]
