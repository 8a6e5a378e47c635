"""Small worlds for the segment tests: example histories as warehouse rows."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from cegla.segment.rules.history import ORDER
from cegla.segment.rules.language import Past
from cegla.storage.warehouse import EVENTS, ORDER_LINES, Warehouse
from cegla.vocabulary.money import to_micros

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def fill(warehouse: Warehouse, histories: Mapping[int, Sequence[Past]], now: datetime = NOW) -> None:
    """Append these people's histories; a person's number is the identity's."""
    events: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    number = 0
    for person, history in histories.items():
        for past in history:
            number += 1
            events.append(event_row(person, number, past, now))
            lines += line_rows(person, number, past, events[-1]["occurred_at"])
    append(warehouse, events, lines)


def append(warehouse: Warehouse, events: Iterable[Mapping[str, Any]], lines: Iterable[Mapping[str, Any]] = ()) -> None:
    """Append rows given as dictionaries; missing columns are null."""
    warehouse.append({"events": _table(events, EVENTS), "order_lines": _table(lines, ORDER_LINES)})


def event_row(person: int, number: int, past: Past, now: datetime) -> dict[str, Any]:
    """One event as the warehouse keeps it."""
    at = (now - timedelta(days=past.days_ago)).astimezone(UTC).replace(tzinfo=None)
    columns = dict(past.columns)
    local = at
    if "local_hour" in columns:
        local = at.replace(hour=columns.pop("local_hour"), minute=30)
    if "weekday" in columns:
        local = at + timedelta(days=columns.pop("weekday") - at.isoweekday())
    return {
        "batch": 1, "event_id": number, "source_id": 1, "identity_id": person, "kind": "track", "name": past.name, "occurred_at": at, "received_at": at, "local_at": local,
        "session_id": number, "value_micros": None if past.value is None else to_micros(past.value), "properties": json.dumps(dict(past.properties)), "is_bot": False, **columns,
    }  # fmt: skip


def line_rows(person: int, number: int, past: Past, at: datetime) -> list[dict[str, Any]]:
    """The order lines of an event."""
    return [
        {"batch": 1, "event_id": number, "identity_id": person, "name": past.name, "occurred_at": at, "product": product, "category": category, "quantity": 1.0}
        for product, category in past.lines
    ]


def order(days_ago: float, value: float = 100.0) -> Past:
    """An order."""
    return Past(ORDER, days_ago, value)


def page(days_ago: float, **columns: Any) -> Past:
    """A page view."""
    return Past("Page Viewed", days_ago, columns=columns)


def _table(rows: Iterable[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
