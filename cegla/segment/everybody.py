"""Many people, a part of them at a time, each part decided in memory like those whom a batch touched: everybody at night, and whom a backlog touched.

At night each part is a transaction of its own, so what comes in meanwhile is followed between two of them. Many rules about everybody in one question would be
planned and written for longer than they are answered, and each sequence and window read the whole history once more.
"""

from datetime import datetime
from typing import Any

from cegla.segment import store
from cegla.segment.asking import AsOf
from cegla.segment.evaluating import known, minute, readable, renew, trees_of
from cegla.storage.dividing import divided
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection


def begin(conn: Connection, warehouse: Readable, as_of: AsOf) -> list[Any]:
    """Work out anew what rests on everybody at once: the RFM scale, the tenths. Returns everybody, in parts for `refresh`: int64, ascending.

    Everybody is who has an event, is in a segment, or is to be looked at again.
    """
    about = known(conn)
    renew(conn, warehouse, trees_of(about.segments, about), AsOf(minute(as_of.now), as_of.zone, as_of.keys))
    return divided(warehouse, history(columns=()), store.people_kept(conn))


def end(conn: Connection, now: datetime) -> None:
    """Note that everybody was looked at."""
    store.mark_refreshed(conn, [one.id for one in readable(known(conn))], now)
