"""The tables of quarantine and of the runs over it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from cegla.collect import actions as collect
from cegla.repair.rules.returning import event_name, own_traceparent
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Reason, SetAside

SQL = statements.load(__file__)
WHOLE_REQUEST = [Reason.INTAKE_FAILED.value, Reason.UNREADABLE_BODY.value]
HOUR_SECONDS = 3_600  #: tallies are kept by the hour


def set_aside(conn: Connection, rows: Sequence[SetAside], now: datetime) -> None:
    """Put events into quarantine; one that comes again while it waits is a count of the first."""
    once, times = _each_once(rows)
    SQL.set_aside(
        conn,
        source_ids=[row.source_id for row in once],
        reasons=[str(row.reason) for row in once],
        details=[row.detail.replace("\0", "") for row in once],
        payloads=[row.payload for row in once],
        message_ids=[row.message_id for row in once],
        events=[event_name(row.payload) for row in once],
        received=[row.received_at for row in once],
        writers=[row.writer for row in once],
        numbers=[row.number for row in once],
        indexes=[row.index for row in once],
        remembered=[row.remembered for row in once],
        kinds=[row.kind for row in once],
        times=times,
        traces=[collect.traceparent(own_traceparent(row.payload)) for row in once],
        whole=WHOLE_REQUEST,
        now=now,
    )


def _each_once(rows: Sequence[SetAside]) -> tuple[list[SetAside], list[int]]:
    """The first of each (source, message id, reason), and how often it is there; those without a message id all stay."""
    places: dict[tuple[int, str, Reason], int] = {}
    once, times = list[SetAside](), list[int]()
    for row in rows:
        place = len(once) if row.message_id is None else places.setdefault((row.source_id, row.message_id, row.reason), len(once))
        if place < len(once):
            times[place] += 1
        else:
            once.append(row)
            times.append(1)
    return once, times


def asked(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A filter's keys as the statements take them: what an index can find apart from the rest."""
    rest = {key: value for key, value in wanted.items() if key not in ("ids", "since", "until")}
    return {"filter": Jsonb(rest), "ids": wanted.get("ids"), "since": wanted.get("since"), "until": wanted.get("until")}


def count(conn: Connection, wanted: Mapping[str, Any], zone: str) -> list[tuple[str, date, int]]:
    """How many events a filter's keys mean, by reason and day of a time zone: from the tallies, or one by one when those do not know."""
    bounds = [datetime.fromisoformat(wanted[key]) for key in ("since", "until") if key in wanted]
    days = [datetime(2026, month, 1, tzinfo=ZoneInfo(zone)) for month in (1, 7)]  # where summer time moves them by half an hour, one of them shows it
    if "text" in wanted or "ids" in wanted or any(moment.timestamp() % HOUR_SECONDS for moment in (*bounds, *days)):
        return list(SQL.counted(conn, zone=zone, **asked(wanted)))
    state = wanted.get("state", "open")
    given = {key: wanted.get(key) for key in ("source_id", "reason", "event", "since", "until")}
    return list(SQL.tallied(conn, zone=zone, state=None if state == "all" else state, **given))


def as_json(value: Mapping[str, Any] | None) -> Jsonb | None:
    """A value for a jsonb column."""
    return None if value is None else Jsonb(dict(value))
