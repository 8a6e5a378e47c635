"""The night's look at everybody: a part of the people at a time, each of them decided in memory like those whom a batch touched.

Each part is a transaction of its own, so what comes in meanwhile is followed between two of them. Many rules about everybody in one question would be planned
and written for longer than they are answered, and each sequence and window read the whole history once more.
"""

from datetime import datetime
from typing import Any

import numpy as np

from cegla.segment import store
from cegla.segment.asking import AsOf
from cegla.segment.evaluating import known, minute, readable, renew, trees_of
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection

ROWS_OF_A_PART = 500_000


def begin(conn: Connection, warehouse: Readable, as_of: AsOf) -> list[Any]:
    """Work out anew what rests on everybody at once: the RFM scale, the tenths. Returns everybody, in parts for `refresh`: int64, ascending.

    Everybody is who has an event, is in a segment, or is to be looked at again.
    """
    about = known(conn)
    renew(conn, warehouse, trees_of(about.segments, about), AsOf(minute(as_of.now), as_of.zone, as_of.keys))
    events: Any = history(columns=())
    counted = warehouse.run(events.group_by("person_id").aggregate(events=events.count())).sort_by("person_id")
    people = counted["person_id"].to_numpy()
    parts = np.cumsum(counted["events"].to_numpy()) // ROWS_OF_A_PART
    without_events = np.setdiff1d(store.people_kept(conn), people)
    return [one for one in (*np.split(people, np.flatnonzero(np.diff(parts)) + 1), without_events) if len(one)]


def end(conn: Connection, now: datetime) -> None:
    """Note that everybody was looked at."""
    store.mark_refreshed(conn, [one.id for one in readable(known(conn))], now)
