"""The weather that is kept."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.weather.rules.sky import Cell, Day

SQL = statements.load(__file__)


def known_days(conn: Connection, since: date) -> dict[tuple[Cell, date], bool]:
    """Place and day → whether it is settled, from a day on."""
    return {((latitude, longitude), day): settled for latitude, longitude, day, settled in SQL.known_days(conn, since=since)}


def unknown_days(conn: Connection, since: date) -> dict[tuple[Cell, date], date]:
    """Place and day → when it was asked for in vain the last time, from a day on."""
    return {((latitude, longitude), day): asked_on for latitude, longitude, day, asked_on in SQL.unknown_days(conn, since=since)}


def keep_unknown(conn: Connection, days: Collection[tuple[Cell, date]], today: date) -> None:
    """Remember that these days were asked for in vain."""
    if days:
        SQL.keep_unknown(conn, today=today, **_columns(days))


def keep_days(conn: Connection, days: Sequence[Day], now: datetime) -> None:
    """Keep days; what was known of them before gives way."""
    for one in days:
        SQL.keep_day(
            conn, latitude=one.cell[0], longitude=one.cell[1], day=one.day, temperature=list(one.temperature), precipitation=list(one.precipitation),
            snowfall=list(one.snowfall), code=list(one.code), settled=one.settled, now=now,
        )  # fmt: skip
    if days:
        SQL.drop_unknown(conn, **_columns([(one.cell, one.day) for one in days]))


def _columns(days: Collection[tuple[Cell, date]]) -> dict[str, list[Any]]:
    return {
        "latitudes": [latitude for (latitude, _), _ in days],
        "longitudes": [longitude for (_, longitude), _ in days],
        "days": [day for _, day in days],
    }
