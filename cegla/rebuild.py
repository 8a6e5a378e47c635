"""After damage: the history is written again from its snapshot and, since then, from the requests that are still kept, each row as it was.

    snapshot ──► append                                                         the batches up to last night's
    receipts of the batches ──► requests ──► decode ──► enrich ──► append       for the batches that the warehouse lacks

Nothing is decided again: a batch's receipt says which events became rows, under which ids, when they count as having happened
and whose they are. So repeats, consents, identities and counters in PostgreSQL are neither asked nor changed.
"""

from dataclasses import dataclass

import msgspec
import pyarrow as pa
import structlog

from cegla.collect import actions as collect
from cegla.plan import actions as plan
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.storage import snapshots
from cegla.storage.batches import Receipt, last_committed, receipts
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection, Workspace

LOG = structlog.get_logger("flow")


@dataclass(frozen=True)
class Rebuilt:
    """What was written again. `missing` events were in batches whose requests are not kept any more, or were erased with a person."""

    batches: int
    events: int
    missing: int
    from_snapshot: int = 0  #: rows, of all tables


def rebuild(ws: Workspace, conn: Connection) -> Rebuilt:
    """Write the batches that PostgreSQL knows and the warehouse lacks, from the snapshot and the requests that are still kept.

    A batch's receipt says which events became rows, under which ids and whose they are, so nothing is decided again and
    nothing changes in PostgreSQL. Batches are appended in order: interrupted, it goes on where it stopped.
    """
    given = snapshots.give_back(ws.warehouse, ws.snapshots, last_committed(conn).number)
    if given:
        LOG.warning("the history lacked what the snapshot has", rows=given)
    have = ws.warehouse.last_batch()
    if next(receipts(conn, after=have), None) is None:
        return Rebuilt(0, 0, 0, given)
    LOG.warning("the history lacks batches and is written again", last_batch=have)
    sources = {source.id: source for source in collect.sources(conn)}
    past = profile.PastBatches(ws.settings.zone, ws.library.current())
    batches = events = missing = 0
    for receipt in receipts(conn):
        tables, found = _rows_again(ws, conn, receipt, sources, past)
        if receipt.batch > have:
            ws.warehouse.append(tables)
            passing("recover: within the rebuild")
            batches, events, missing = batches + 1, events + found, missing + receipt.events - found
    LOG.warning("the history is written again", batches=batches, events=events, missing=missing)
    return Rebuilt(batches, events, missing, given)


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
