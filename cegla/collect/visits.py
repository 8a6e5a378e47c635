"""Visits without anybody: what a website counts while its visitors were not asked yet.

Such an event carries no identifier at all, so it becomes a number and goes no further: no person, no history, no profile.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

import psycopg

from cegla.collect.store import SQL
from cegla.vocabulary.events import Event

LONGEST_NAME = 100
LONGEST_PATH = 200
MOST_PLACES = 1_000  #: kinds of numbers of a source and day, so that nobody can fill the table with invented paths
VIEWPORTS = frozenset({"phone", "tablet", "desktop", "wide"})


@dataclass(frozen=True)
class Counted:
    """How often something was done on a page by people who were not asked yet."""

    name: str
    path: str
    times: int


def count_visits(conn: psycopg.Connection, events: Sequence[Event], zone: tzinfo) -> tuple[list[Event], list[Event]]:
    """Add up the events that are about nobody, by day of the shop; returns the others, and those that were counted."""
    counted = [event for event in events if is_counted_only(event)]
    if not counted:
        return list(events), []
    times = Counter((event.source_id, event.occurred_at.astimezone(zone).date(), *_place(event)) for event in counted)
    columns: Any = zip(*times, strict=True)
    sources, days, names, paths, viewports = map(list, columns)
    SQL.count_visits(conn, sources=sources, days=days, names=names, paths=paths, viewports=viewports, times=list(times.values()), most=MOST_PLACES)
    gone = {id(event) for event in counted}
    return [event for event in events if id(event) not in gone], counted


def is_counted_only(event: Event) -> bool:
    """Whether an event is about nobody and becomes a number."""
    return event.anonymous_id is None and event.user_id is None and event.context.get("aggregate") is True


def visits(conn: psycopg.Connection, source_id: int, since: date, limit: int = 20) -> list[Counted]:
    """What was done most often since a day, by name and path."""
    return [Counted(*row) for row in SQL.visits(conn, source_id=source_id, since=since, limit=limit)]


def _place(event: Event) -> tuple[str, str, str]:
    page = event.context.get("page")
    path = page.get("path") if isinstance(page, dict) else None
    viewport = event.context.get("viewport")
    return event.name[:LONGEST_NAME], path[:LONGEST_PATH] if isinstance(path, str) else "", viewport if viewport in VIEWPORTS else "unknown"
