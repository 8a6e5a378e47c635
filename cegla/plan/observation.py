"""What arrives, seen from both stores: counts from the history, contents from the requests that are still there."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import msgspec

from cegla.plan.rules.observing import Fields
from cegla.storage.warehouse import Readable, table

DAYS = 30
SAMPLED = 5_000  #: rows of the history, when no request is left


def volumes(warehouse: Readable, source_id: int) -> dict[str, tuple[str, int, datetime, datetime]]:
    """By event: the call, how often it is in the history, and when it came first and last (UTC, as received)."""
    events: Any = table("events")
    mine = events.filter(events.source_id == source_id)
    counted = mine.group_by("name").agg(kind=mine.kind.max(), n=mine.count(), first=mine.received_at.min(), last=mine.received_at.max())
    return {
        row["name"]: (row["kind"], row["n"], row["first"].replace(tzinfo=UTC), row["last"].replace(tzinfo=UTC)) for row in warehouse.run(counted).to_pylist()
    }


def by_day(warehouse: Readable, source_id: int, today: date) -> dict[str, list[int]]:
    """By event: how many came on each of the last thirty days (UTC), oldest first."""
    first = today - timedelta(days=DAYS - 1)
    events: Any = table("events")
    recent = events.filter((events.source_id == source_id) & (events.received_at >= ibis.timestamp(first.isoformat())))
    counted = recent.group_by("name", day=recent.received_at.date()).agg(n=recent.count())
    found: dict[str, list[int]] = {}
    for row in warehouse.run(counted).to_pylist():
        day = row["day"].date() if isinstance(row["day"], datetime) else row["day"]
        if 0 <= (day - first).days < DAYS:
            found.setdefault(row["name"], [0] * DAYS)[(day - first).days] = row["n"]
    return found


def past_contents(warehouse: Readable, source_id: int, event: str) -> Fields:
    """What the history still knows of an event's properties: no personal data, the newest rows."""
    events: Any = table("events")
    mine = events.filter((events.source_id == source_id) & (events.name == event)).order_by(events.event_id.desc()).limit(SAMPLED).select("properties")
    fields = Fields()
    for text in _texts(warehouse.run(mine)["properties"].to_pylist()):
        fields.add(msgspec.json.decode(text, type=dict[str, Any]))
    return fields


def _texts(rows: Iterable[str | None]) -> Iterable[str]:
    return (row or "{}" for row in rows)
