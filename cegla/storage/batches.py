"""Intake batches: the numbers that make PostgreSQL and the warehouse agree, and how far traits and segments follow them.

The warehouse gets a batch's rows first, PostgreSQL commits the batch's number last. So after a crash the warehouse holds
at most rows of a batch that PostgreSQL does not know, and those are taken back.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from cegla.storage.workspace import Connection

INTAKE_LOCK = 7_236_453
REFRESH_LOCK = 7_236_457


class Committed(NamedTuple):
    """The newest committed batch: its number and the last event id it used; zeros when there is none."""

    number: int
    last_event_id: int


class Unrefreshed(NamedTuple):
    """Batches after `after` up to `upto` whose people are still to be looked at, besides those with events: who won or lost
    identities, and who was absorbed by somebody else."""

    after: int
    upto: int
    changed: list[int]
    absorbed: list[int]


def last_committed(conn: Connection) -> Committed:
    """The newest committed batch."""
    row = conn.execute("select number, last_event_id from storage.batches order by number desc limit 1").fetchone()
    return Committed(row[0], row[1]) if row else Committed(0, 0)


def commit_batch(conn: Connection, batch: Committed, events: int, now: datetime) -> None:
    """Say, in the batch's own transaction, that it is applied."""
    conn.execute("insert into storage.batches (number, last_event_id, events, committed_at) values (%s, %s, %s, %s)", [*batch, events, now])


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
    after, upto = last_refreshed(conn), last_committed(conn).number
    moved = conn.execute("select distinct person_id, absorbed from storage.moved_people where batch <= %s", [upto]).fetchall()
    return Unrefreshed(after, upto, [person for person, absorbed in moved if not absorbed], [person for person, absorbed in moved if absorbed])


def mark_refreshed(conn: Connection, upto: int) -> None:
    """Say, in the transaction that refreshed them, that traits and segments hold everything up to this batch."""
    conn.execute("delete from storage.moved_people where batch <= %s", [upto])
    conn.execute("update storage.refreshed set batch = %s", [upto])


def only_intake_worker(conn: Connection) -> None:
    """Wait until no other transaction takes in events; lets go at the end of this one."""
    conn.execute("select pg_advisory_xact_lock(%s)", [INTAKE_LOCK])


def only_refresher(conn: Connection) -> None:
    """Wait until no other transaction rewrites traits and memberships; lets go at the end of this one.

    Whoever needs both locks takes `only_intake_worker` first.
    """
    conn.execute("select pg_advisory_xact_lock(%s)", [REFRESH_LOCK])
