"""Intake batches: the numbers that make PostgreSQL and the warehouse agree, and how far traits and segments follow them.

The warehouse gets a batch's rows first, PostgreSQL commits the batch's number last. So after a crash the warehouse holds
at most rows of a batch that PostgreSQL does not know, and those are taken back. The other way round, a warehouse that
lacks batches PostgreSQL knows was damaged; each batch's receipt says how to write its rows again from the requests.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event

_RECEIPT = pa.schema(
    [("writer", pa.int32()), ("number", pa.int64()), ("index", pa.int32()), ("occurred_at", pa.timestamp("us", "UTC")), ("identity_id", pa.int64())]
)
MOST_RECEIPTS = 500  #: how far behind a request its batch is looked for
CLOCKS_APART = timedelta(seconds=10)  #: at most, of PostgreSQL and the app
INTAKE_LOCK = 7_236_453
REFRESH_LOCK = 7_236_457


class Committed(NamedTuple):
    """The newest committed batch: its number and the last event id it used; zeros when there is none."""

    number: int
    last_event_id: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where one event of the history came from: its request, its index in there, when it happened, the identity it points at."""

    writer: int
    number: int
    index: int
    occurred_at: datetime
    identity_id: int


@dataclass(frozen=True, slots=True)
class Row:
    """One event in the history, found from its request."""

    batch: int
    taken_in_at: datetime
    event_id: int
    index: int  #: of the event in its request
    identity_id: int


class Receipt(NamedTuple):
    """What one batch wrote into the warehouse. `places` are in the order of the event ids; empty when the requests are not kept any more."""

    batch: int
    first_event_id: int
    events: int
    places: list[Place]
    moves: pa.Table | None  #: its lines of the merge log


class Unrefreshed(NamedTuple):
    """Batches after `after` up to `upto` whose people are still to be looked at, besides those with events: who won or lost
    identities, and who was absorbed by somebody else. Analysers know all batches up to `found`, which may be older."""

    after: int
    upto: int
    changed: list[int]
    absorbed: list[int]
    found: int


def last_committed(conn: Connection) -> Committed:
    """The newest committed batch."""
    row = conn.execute("select number, last_event_id from storage.batches order by number desc limit 1").fetchone()
    return Committed(row[0], row[1]) if row else Committed(0, 0)


def commit_batch(conn: Connection, batch: Committed, events: Sequence[Event], identity_ids: Sequence[int], moves: pa.Table | None, now: datetime) -> None:
    """Say, in the batch's own transaction, that it is applied; `moves` are its lines of the merge log."""
    conn.execute(
        "insert into storage.batches (number, last_event_id, events, committed_at, receipt, moves) values (%s, %s, %s, %s, %s, %s)",
        [*batch, len(events), now, _packed(_columns(events, identity_ids)) if events else None, None if moves is None else _packed(moves)],
    )
    passing("intake: before the commit")


def receipts(conn: Connection, after: int = 0) -> Iterator[Receipt]:
    """The batches after a number that wrote into the warehouse, oldest first, one at a time."""
    while True:
        row = conn.execute(
            "select number, last_event_id, events, receipt, moves from storage.batches where number > %s and (events > 0 or moves is not null) "
            "order by number limit 1",
            [after],
            binary=True,
        ).fetchone()
        if row is None:
            return
        after, last_event_id, events, receipt, moves = row
        places = [Place(*place.values()) for place in _unpacked(receipt).to_pylist()] if receipt else []
        yield Receipt(after, last_event_id - events + 1, events, places, _unpacked(moves) if moves else None)


def lacking_batches(conn: Connection, after: int) -> int:
    """How many batches after a number wrote into the warehouse."""
    row = conn.execute("select count(*) from storage.batches where number > %s and (events > 0 or moves is not null)", [after]).fetchone()
    return int(row[0]) if row else 0


def forget_receipts(conn: Connection, before: datetime) -> None:
    """Drop the receipts of batches whose requests are not kept any more."""
    conn.execute("update storage.batches set receipt = null where receipt is not null and committed_at < %s", [before])
    conn.execute("delete from storage.refreshes where at < %s", [before])


def find_request(conn: Connection, writer: int, number: int, since: datetime) -> list[Row]:
    """The rows of the history that a request became, in the order of its events; empty when it became none, or the receipts are not kept any more.

    `since` is when the request was written down: intake cannot have seen it before.
    """
    with conn.cursor(binary=True) as cursor:
        cursor.execute(
            "select number, last_event_id - events + 1, receipt, committed_at from storage.batches "
            "where committed_at >= %s and receipt is not null order by number limit %s",
            [since - CLOCKS_APART, MOST_RECEIPTS],
        )
        for batch, first_event_id, receipt, committed_at in cursor:
            places = _unpacked(receipt)
            ours = places.append_column("event_id", pa.array(range(first_event_id, first_event_id + len(places)), pa.int64()))
            ours = ours.filter((pc.field("writer") == writer) & (pc.field("number") >= number))
            found = [row for row in ours.to_pylist() if row["number"] == number]
            if found:
                return [Row(batch, committed_at.replace(tzinfo=UTC), row["event_id"], row["index"], row["identity_id"]) for row in found]
            if len(ours):
                break  # a writer's requests are taken in order
    return []


def place_of(conn: Connection, batch: int, event_id: int) -> Place | None:
    """Where an event of the history came from; None when the batch's receipt is not kept any more."""
    found = next(receipts(conn, after=batch - 1), None)
    if found is None or found.batch != batch or not 0 <= event_id - found.first_event_id < len(found.places):
        return None
    return found.places[event_id - found.first_event_id]


def refreshed_at(conn: Connection, batch: int) -> datetime | None:
    """When traits and segments were brought up to a batch; None when they are not yet, or it was too long ago."""
    row = conn.execute("select at from storage.refreshes where batch >= %s order by batch limit 1", [batch]).fetchone()
    return row[0] if row else None


def note_moved(conn: Connection, batch: int, changed: Iterable[int], absorbed: Collection[int]) -> None:
    """Leave word, in the batch's own transaction, of people to look at although they may have no events in it."""
    rows = dict.fromkeys(changed, False) | dict.fromkeys(absorbed, True)
    if rows:
        people, gone = list(rows), list(rows.values())
        conn.execute("insert into storage.moved_people select %s, * from unnest(%s::bigint[], %s::boolean[])", [batch, people, gone])


def last_refreshed(conn: Connection) -> int:
    """The batch up to which traits and segments hold everything; 0 when there is none."""
    row = conn.execute("select batch from storage.refreshed").fetchone()
    return row[0] if row else 0


def unrefreshed(conn: Connection) -> Unrefreshed:
    """What traits and segments do not hold yet."""
    row = conn.execute("select batch, found from storage.refreshed").fetchone()
    after, found = row or (0, 0)
    upto = last_committed(conn).number
    moved = conn.execute("select distinct person_id, absorbed from storage.moved_people where batch <= %s", [upto]).fetchall()
    changed, gone = [person for person, absorbed in moved if not absorbed], [person for person, absorbed in moved if absorbed]
    return Unrefreshed(after, upto, changed, gone, found)


def mark_refreshed(conn: Connection, upto: int, found: int, at: datetime) -> None:
    """Say, in the transaction that refreshed them, up to which batch traits and segments hold everything, and up to which analysers do.

    `at` is the refresh's own time.
    """
    conn.execute("insert into storage.refreshes (batch, at) values (%s, %s) on conflict do nothing", [upto, at])
    conn.execute("delete from storage.moved_people where batch <= %s", [upto])
    conn.execute("update storage.refreshed set batch = %s, found = %s", [upto, found])
    passing("refresh: before the commit")


def only_intake_worker(conn: Connection) -> None:
    """Wait until no other transaction takes in events; lets go at the end of this one."""
    conn.execute("select pg_advisory_xact_lock(%s)", [INTAKE_LOCK])


def only_refresher(conn: Connection) -> None:
    """Wait until no other transaction rewrites traits and memberships; lets go at the end of this one.

    Whoever needs both locks takes `only_intake_worker` first.
    """
    conn.execute("select pg_advisory_xact_lock(%s)", [REFRESH_LOCK])


def _columns(events: Sequence[Event], identity_ids: Sequence[int]) -> pa.Table:
    columns: list[Any] = [map(attrgetter(name), events) for name in _RECEIPT.names[:-1]]
    arrays = [pa.array(column, field.type, size=len(events)) for column, field in zip([*columns, identity_ids], _RECEIPT, strict=True)]
    return pa.Table.from_arrays(arrays, schema=_RECEIPT)


def _packed(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _unpacked(packed: bytes) -> pa.Table:
    return pa.ipc.open_stream(packed).read_all()
