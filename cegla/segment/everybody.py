"""Many people, a part of them at a time, each part decided in memory like those whom a batch touched: everybody at night, and whom a backlog touched.

At night each part is a transaction of its own, so what comes in meanwhile is followed between two of them. Many rules about everybody in one question would be
planned and written for longer than they are answered, and each sequence and window read the whole history once more.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import numpy as np

from cegla.segment import store
from cegla.segment.asking import AsOf
from cegla.segment.evaluating import known, minute, readable, renew, trees_of
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection

ROWS_OF_A_PART = 500_000
FEW_PEOPLE = 2_000  #: are one part without being counted


def begin(conn: Connection, warehouse: Readable, as_of: AsOf) -> list[Any]:
    """Work out anew what rests on everybody at once: the RFM scale, the tenths. Returns everybody, in parts for `refresh`: int64, ascending.

    Everybody is who has an event, is in a segment, or is to be looked at again.
    """
    about = known(conn)
    renew(conn, warehouse, trees_of(about.segments, about), AsOf(minute(as_of.now), as_of.zone, as_of.keys))
    return _divided(warehouse, history(columns=()), store.people_kept(conn))


def parts(warehouse: Readable, people: Sequence[int]) -> list[Any]:
    """These people in parts for `refresh`, int64, ascending in each: as many at a time as memory should hold the history of."""
    if len(people) <= FEW_PEOPLE:
        return [np.sort(np.asarray(people, np.int64))] if people else []
    with warehouse.people(people) as asked:
        return _divided(warehouse, history(people=asked, columns=()), people)


def _divided(warehouse: Readable, events: ir.Table, others: Any) -> list[Any]:
    """Whose events these are, in parts; the last one are those of `others` who have none."""
    rows: Any = events
    counted = warehouse.run(rows.group_by("person_id").aggregate(events=rows.count())).sort_by("person_id")
    people = counted["person_id"].to_numpy()
    numbers = np.cumsum(counted["events"].to_numpy()) // ROWS_OF_A_PART
    without_events = np.setdiff1d(np.asarray(others, np.int64), people)
    return [one for one in (*np.split(people, np.flatnonzero(np.diff(numbers)) + 1), without_events) if len(one)]


def end(conn: Connection, now: datetime) -> None:
    """Note that everybody was looked at."""
    store.mark_refreshed(conn, [one.id for one in readable(known(conn))], now)
