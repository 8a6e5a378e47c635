"""Power cuts under the warehouse: what DuckDB does to its file is recorded while batches are appended; then the power goes, again and again.

    record   batches ──► Warehouse.append ──► DuckDB on the shim ──► one log: writes, syncs, names, and each batch that returned
    cut      a random place in the log ──► the folder as the disk may hold it ──► the warehouse is opened as a start opens it
    judge    every batch that had returned is there, whole, and no batch is there in part

The log after the last flush may be torn in any way, and DuckDB forgives only a short one: a start cuts it to what is whole. A file that does not
open even so is set aside, and the history is written again from the requests that are kept; such cuts are counted apart, since nothing can be looked
for in the empty file.

The control comes first and must fail: the same log on a disk that only says it flushed.
"""

import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa

from bench.crashes import environment_with
from bench.result import Result
from bench.trials import disk
from bench.trials.verdict import SHARES, Verdict
from cegla.storage.opening import open_or_set_aside
from cegla.storage.warehouse import EVENTS, Warehouse, table

FILE = "cegla.duckdb"
BATCHES = 40
ROUNDS_OF_THE_CONTROL = 5  #: at most
SYNCS = (disk.Kind.SYNC_BEGINS, disk.Kind.SYNC_ENDS)
SET_ASIDE = "the file was set aside"


def rows_of(seed: int, batch: int) -> int:
    """How many events a batch of the trial has."""
    return random.Random(seed * 1_000 + batch).choice((1, 40, 700, 6_000))


def write(folder: Path, log: Path, seed: int) -> None:
    """Append batches, and now and then close the file and open it again, which moves its log into it; runs on the shim."""
    rng, witness = random.Random(seed), disk.Witness(log)
    warehouse = Warehouse(folder / FILE)
    for batch in range(1, BATCHES + 1):
        warehouse.append({"events": _rows(batch, rows_of(seed, batch))})
        witness.add(str(batch))
        if rng.random() < 0.15:
            warehouse.close()
            warehouse = Warehouse(folder / FILE)
    warehouse.close()


def _rows(batch: int, rows: int) -> pa.Table:
    columns: dict[str, pa.Array] = {name: pa.nulls(rows, kind) for name, kind in zip(EVENTS.names, EVENTS.types, strict=True)}
    columns["batch"] = pa.repeat(pa.scalar(batch, pa.int64()), rows)
    columns["event_id"] = pa.array(range(rows), pa.int64())
    columns["occurred_at"] = pa.repeat(pa.scalar(datetime(2026, 1, 1), pa.timestamp("us")), rows)
    columns["properties"] = pa.array([f'{{"n":"{batch} {number * 7919}"}}' for number in range(rows)], EVENTS.field("properties").type)
    return pa.table(columns, schema=EVENTS)


def record(directory: Path, seed: int) -> dict[int, str]:
    """Record one run below `directory`: its `base`, its `log`; returns the files there were at the beginning, by inode."""
    live = directory / "live"
    live.mkdir(parents=True)
    Warehouse(live / FILE).close()
    inodes = dict(disk.files_below(live))
    shutil.copytree(live, directory / "base")
    with environment_with(disk.under(live, directory / "log")):
        subprocess.run([sys.executable, "-m", "bench.trials.warehouse_cuts", str(live), str(directory / "log"), str(seed)], check=True)
    return inodes


def cut(directory: Path, inodes: dict[int, str], cuts: int, seed: int, *, flushes: bool = True, run_seed: int | None = None) -> Verdict:
    """Replay one log once, and cut the power at so many random places on the way; without `flushes` on a disk that only says it does."""
    rng = random.Random(seed)
    entries = [entry for entry in disk.read(directory / "log") if flushes or entry.kind not in SYNCS]
    acknowledgements = [place for place, entry in enumerate(entries) if entry.kind == disk.Kind.ACKNOWLEDGED]
    places = sorted(rng.choices(range(acknowledgements[0] + 1, len(entries)), k=cuts))
    state, verdict, done, acknowledged = disk.Disk(directory / "base", inodes), Verdict(), 0, 0
    for number, place in enumerate(places):
        for entry in entries[done:place]:
            if entry.kind == disk.Kind.ACKNOWLEDGED:
                acknowledged = int(entry.data)
            state.apply(entry, str((directory / "live").resolve()))
        done = place
        with tempfile.TemporaryDirectory(prefix="cut-", dir=directory, ignore_cleanup_errors=True) as name:
            state.write_out(Path(name) / "found", rng, 0.0 if number % 3 == 0 else rng.choice(SHARES))
            verdict += judge(Path(name) / "found", acknowledged, seed if run_seed is None else run_seed)
    return verdict


def judge(folder: Path, acknowledged: int, seed: int) -> Verdict:
    """Open the warehouse as a start does, and look for every batch."""
    warehouse, aside = open_or_set_aside(folder / FILE, datetime.now(UTC))
    try:
        events = table("events")
        counted = warehouse.run(events.group_by("batch").aggregate(rows=events.count())).to_pylist()
    finally:
        warehouse.close()
    found = {row["batch"]: row["rows"] for row in counted}
    if aside is not None:
        return Verdict(1, 0, faults=Counter([SET_ASIDE]))
    parts = [f"a batch is there in part: {rows} of {rows_of(seed, batch)}" for batch, rows in found.items() if rows != rows_of(seed, batch)]
    missing = sum(batch not in found for batch in range(1, acknowledged + 1))
    return Verdict(1, acknowledged, missing, int(missing > 0), int(bool(parts)), Counter(parts))


def trial(place: Path, cuts: int, seed: int, control_cuts: int) -> tuple[Verdict, Verdict]:
    """The control on a disk that lies, and `cuts` cuts on an honest one, spread over two recordings when they are many."""
    runs = [(place / f"warehouse-{number}", seed + number) for number in range(1 + (cuts >= 100))]
    recorded = [(directory, record(directory, run_seed), run_seed) for directory, run_seed in runs]
    directory, inodes, run_seed = recorded[0]
    lying = Verdict()
    for number in range(ROUNDS_OF_THE_CONTROL):  # whether one of a few cuts shows the lie is chance
        lying += cut(directory, inodes, control_cuts, seed + number, flushes=False, run_seed=run_seed)
        if lying.lost:
            break
    return lying, _spread(recorded, cuts)


def _spread(recorded: Sequence[tuple[Path, dict[int, str], int]], cuts: int) -> Verdict:
    each = [cuts // len(recorded) + (number < cuts % len(recorded)) for number in range(len(recorded))]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(partial(cut, *one[:2], share, one[2])) for one, share in zip(recorded, each, strict=True)]
        return sum((job.result() for job in jobs), Verdict())


def results(lying: Verdict, real: Verdict) -> list[Result]:
    """The rows of the report."""
    aside = real.faults[SET_ASIDE]
    control = f"of {lying.cuts} cuts, {lying.faults[SET_ASIDE]} more set aside"
    note = f"{real.acknowledged:,} batches that had returned looked for, {real.corrupt} files with a batch in part"
    return [
        Result("control: the warehouse on a disk that lies", lying.cuts_with_loss, "cuts", "some lose", lying.lost > 0, control),
        Result(f"power cuts under the warehouse, {real.cuts}", real.lost, "batches lost", "0 lost, 0 in part", real.good, note),
        Result("of them set aside, to be written again from requests", aside, "cuts", "0", not aside, "a block of the file itself, torn in a checkpoint"),
    ]


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
