"""The weather that is kept."""

from collections.abc import Sequence
from datetime import date, datetime

from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.weather.rules.sky import Cell, Day

SQL = statements.load(__file__)


def known_days(conn: Connection, since: date) -> dict[tuple[Cell, date], bool]:
    """Place and day → whether it is settled, from a day on."""
    return {((latitude, longitude), day): settled for latitude, longitude, day, settled in SQL.known_days(conn, since=since)}


def keep_days(conn: Connection, days: Sequence[Day], now: datetime) -> None:
    """Keep days; what was known of them before gives way."""
    for one in days:
        SQL.keep_day(
            conn, latitude=one.cell[0], longitude=one.cell[1], day=one.day, temperature=list(one.temperature), precipitation=list(one.precipitation),
            snowfall=list(one.snowfall), code=list(one.code), settled=one.settled, now=now,
        )  # fmt: skip
