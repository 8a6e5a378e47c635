"""Orders, revenue and new people by calendar day of the shop, as expressions over the history.

A day is a day of the wall clock in the shop's time zone, so it may have 23 or 25 hours.
"""

from datetime import date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

ORDER = "Order Completed"
REFUNDS = ("Order Refunded", "Order Cancelled")


def of_humans(history: Any, now: datetime) -> Any:
    """The history up to now (naive UTC) without bots."""
    return history.filter(history["occurred_at"] <= ibis.literal(now, type="timestamp"), ~history["is_bot"].fill_null(False))


def by_day(history: ir.Table, first: date, last: date, now: datetime) -> ir.Table:
    """`day`, `orders`, `gross_micros`, `refunded_micros` (negative) and `buyers` for each day from first to last on which money moved."""
    past = of_humans(history, now)
    day = past.local_at.date()
    moved = past.filter(past.name.isin([ORDER, *REFUNDS]), day.between(ibis.literal(first), ibis.literal(last)))
    return moved.group_by(day=moved.local_at.date()).aggregate(**_sums(moved))


def until(history: ir.Table, start: datetime, end: datetime, now: datetime) -> ir.Table:
    """One row with the same sums over the wall clock from `start` (included) to `end` (included)."""
    past = of_humans(history, now)
    moved = past.filter(past.name.isin([ORDER, *REFUNDS]), past.local_at >= _moment(start), past.local_at <= _moment(end))
    return moved.aggregate(**_sums(moved))


def new_people(history: ir.Table, start: datetime, end: datetime, now: datetime) -> ir.Table:
    """One row: `people` whose first event of all is within the wall clock from `start` to `end`."""
    past = of_humans(history, now)
    within = past.filter(past.local_at >= _moment(start), past.local_at <= _moment(end)).select("person_id").distinct()
    before = past.filter(past.local_at < _moment(start)).select("person_id")
    fresh = within.anti_join(before, "person_id")
    return fresh.aggregate(people=fresh.count())


def _sums(moved: Any) -> dict[str, Any]:
    ordered, refunded = moved.name == ORDER, moved.name.isin(REFUNDS)
    return {
        "orders": moved.order_id.nunique(where=ordered) + (ordered & moved.order_id.isnull()).sum().fill_null(0),
        "gross_micros": moved.value_micros.sum(where=ordered).fill_null(0).cast("int64"),
        "refunded_micros": moved.value_micros.sum(where=refunded).fill_null(0).cast("int64"),
        "buyers": moved.person_id.nunique(where=ordered),
    }


def _moment(moment: datetime) -> Any:
    return ibis.literal(moment, type="timestamp")
