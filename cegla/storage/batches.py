"""Intake batches: the numbers that make PostgreSQL and the warehouse agree.

The warehouse gets a batch's rows first, PostgreSQL commits the batch's number last. So after a crash the warehouse holds
at most rows of a batch that PostgreSQL does not know, and those are taken back.
"""

from datetime import datetime
from typing import NamedTuple

from cegla.storage.workspace import Connection

INTAKE_LOCK = 7_236_453


class Committed(NamedTuple):
    """The newest committed batch: its number and the last event id it used; zeros when there is none."""

    number: int
    last_event_id: int


def last_committed(conn: Connection) -> Committed:
    """The newest committed batch."""
    row = conn.execute("select number, last_event_id from storage.batches order by number desc limit 1").fetchone()
    return Committed(row[0], row[1]) if row else Committed(0, 0)


def commit_batch(conn: Connection, batch: Committed, events: int, now: datetime) -> None:
    """Say, in the batch's own transaction, that it is applied."""
    conn.execute("insert into storage.batches (number, last_event_id, events, committed_at) values (%s, %s, %s, %s)", [*batch, events, now])


def only_intake_worker(conn: Connection) -> None:
    """Wait until no other transaction takes in events; lets go at the end of this one."""
    conn.execute("select pg_advisory_xact_lock(%s)", [INTAKE_LOCK])
