"""After damage: the history is written again from its snapshot and, since then, from the requests that are still kept, each row as it was.

    snapshot ──► append                                                         the batches up to last night's
    receipts of the batches ──► requests ──► decode ──► enrich ──► append       for the batches that the warehouse lacks

Nothing is decided again: a batch's receipt says which events became rows, under which ids, when they count as having happened
and whose they are. So repeats, consents, identities and counters in PostgreSQL are neither asked nor changed.
"""

from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
import pyarrow as pa
import structlog

from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.plan import actions as plan
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.storage import snapshots
from cegla.storage.anywhere import AnyWarehouse
from cegla.storage.batches import Receipt, last_committed, only_intake_worker, only_refresher, receipts
from cegla.storage.failpoint import passing
from cegla.storage.opening import rebuilt_file
from cegla.storage.rewriting import sweep
from cegla.storage.warehouse import TABLES, Warehouse, table
from cegla.storage.workspace import Connection, Workspace

LOG = structlog.get_logger("flow")
APP = "app"  #: who did it, in the audit log


@dataclass(frozen=True)
class Rebuilt:
    """What was written again. `missing` events were in batches whose requests are not kept any more, or were erased with a person."""

    batches: int
    events: int
    missing: int
    from_snapshot: int = 0  #: rows, of all tables


@dataclass(frozen=True)
class Compared:
    """A history written beside the one in use, table by table: rows in use, rows written; `equal`: by checksum, too.

    `taken` says whether it is in use now; if not, `kept` says why: dry_run, lacks_rows, changed (rows were removed meanwhile, or somebody read for long).
    """

    held: dict[str, int]
    written: dict[str, int]
    equal: bool
    rebuilt: Rebuilt
    taken: bool = False
    kept: str = ""


def rebuild(ws: Workspace, conn: Connection, warehouse: AnyWarehouse | None = None) -> Rebuilt:
    """Write the batches that PostgreSQL knows and a warehouse lacks (the workspace's own, unless another is given), from the snapshot and the
    requests that are still kept.

    A batch's receipt says which events became rows, under which ids and whose they are, so nothing is decided again and
    nothing changes in PostgreSQL. Batches are appended in order: interrupted, it goes on where it stopped. What a damaged file of the snapshot
    held comes from the requests, too.
    """
    into = warehouse or ws.warehouse
    given = snapshots.give_back(into, ws.snapshots, last_committed(conn).number)
    if given:
        LOG.warning("the history lacked what the snapshot has", rows=given)
    have = into.last_batch()
    holes = {name: _Hole(into, name, ws.snapshots.holes(name)) for name in TABLES}
    done = Rebuilt(0, 0, 0, given)
    if next(receipts(conn, after=have), None) is not None or any(holes.values()):
        done = replace(_from_requests(ws, conn, into, have, holes), from_snapshot=given)
    if warehouse is None and done != Rebuilt(0, 0, 0):
        govern.note(conn, APP, "history.write_again", "", asdict(done), ws.clock())
    return done


def _from_requests(ws: Workspace, conn: Connection, into: AnyWarehouse, have: int, holes: dict[str, "_Hole"]) -> Rebuilt:
    """What neither the warehouse has, whose newest batch is `have`, nor its snapshot."""
    LOG.warning("the history lacks batches and is written again", last_batch=have)
    sources = {source.id: source for source in collect.sources(conn)}
    past = profile.PastBatches(ws.settings.zone, ws.library.current())
    batches = events = missing = 0
    for receipt in receipts(conn):
        tables, found = _rows_again(ws, conn, receipt, sources, past)
        lacking = tables if receipt.batch > have else {name: rows for name, rows in tables.items() if receipt.batch in holes[name]}
        if lacking:
            into.append(lacking)
            passing("recover: within the rebuild")
        if "events" in lacking:
            batches, events, missing = batches + 1, events + found, missing + receipt.events - found
    LOG.warning("the history is written again", batches=batches, events=events, missing=missing)
    return Rebuilt(batches, events, missing)


class _Hole:
    """Batches that a damaged file held and the warehouse lacks."""

    def __init__(self, warehouse: AnyWarehouse, name: str, ranges: list[tuple[int, int]]) -> None:
        self._ranges, self._there = ranges, set[int]()
        for first, last in ranges:
            rows: Any = table(name)
            there = warehouse.run(rows.filter(rows.batch.between(first, last)).select("batch").distinct())
            self._there.update(there["batch"].to_pylist())

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def __contains__(self, batch: int) -> bool:
        return batch not in self._there and any(first <= batch <= last for first, last in self._ranges)


def beside(ws: Workspace, *, dry_run: bool = False, accept_loss: bool = False) -> Compared:
    """Write the whole history again into another file, from the snapshot and the requests, compare it with the one in use, and put it in its place.

    It stays out of use with `dry_run`, and when it lacks rows that the one in use has, unless `accept_loss`. Intake waits meanwhile, so nothing is
    appended; requests are accepted and history is read as ever. Raises DiskFull.
    """
    fresh = rebuilt_file(ws.warehouse_file)
    with ws.transaction() as conn:
        only_intake_worker(conn)
        sweep(fresh)
        try:
            with closing(Warehouse(fresh)) as again:
                rebuilt = rebuild(ws, conn, again)
                found = _compared(ws.warehouse, again, rebuilt)
            lacks = any(found.written[name] < found.held[name] for name in TABLES)
            if dry_run or (lacks and not accept_loss):
                return replace(found, kept="dry_run" if dry_run else "lacks_rows")
            only_refresher(conn)  # nobody counts traits from a history that is half exchanged
            taken = ws.warehouse.replace(fresh, found.held)
            return replace(found, taken=taken, kept="" if taken else "changed")
        finally:
            sweep(fresh)


def _compared(held: AnyWarehouse, again: Warehouse, rebuilt: Rebuilt) -> Compared:
    sums = [one.verify() for one in (held, again)]
    counts = [{name: found.rows for name, found in one.items()} for one in sums]
    return Compared(counts[0], counts[1], sums[0] == sums[1], rebuilt)


def _rows_again(
    ws: Workspace, conn: Connection, receipt: Receipt, sources: dict[int, collect.Source], past: profile.PastBatches
) -> tuple[dict[str, pa.Table], int]:
    """The rows of one past batch, and how many events they are."""
    requests = sorted({(place.writer, place.number) for place in receipt.places})
    decoded = collect.decode(collect.take_again(conn, requests), sources, ws.settings.collector)
    by_place = {(event.writer, event.number, event.index): event for event in plan.thin_again(conn, decoded.events)}
    moved: list[int] = receipt.moves["identity_id"].to_pylist() if receipt.moves else []
    known = resolve.reach.owners(conn, list({*moved, *(place.identity_id for place in receipt.places)}))  # whoever was erased is not
    kept = [
        (msgspec.structs.replace(event, occurred_at=place.occurred_at), place.identity_id, event_id)
        for event_id, place in enumerate(receipt.places, receipt.first_event_id)
        if place.identity_id in known and (event := by_place.get((place.writer, place.number, place.index))) is not None
    ]
    tables = past.tables([row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept], receipt.batch)
    if receipt.moves is not None:
        tables["moves"] = receipt.moves.filter(pa.array([identity in known for identity in moved], pa.bool_()))
    return tables, len(kept)
