"""The door to the weather: ask for what is missing, read what is known."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import structlog

from cegla.reference.places import poland
from cegla.storage.settings import WeatherSettings
from cegla.storage.workspace import Connection
from cegla.weather import store, wire
from cegla.weather.rules.asking import Asked, asks, cells_of
from cegla.weather.rules.sky import CODES as CODES

LOG = structlog.get_logger("weather")
LOOK_BACK = timedelta(days=400)  #: whose weather is looked at, and kept
HOURS = pa.schema([
    ("powiat", pa.string()), ("hour", pa.timestamp("us")), ("hours_ago", pa.int64()), ("temperature", pa.float64()), ("precipitation", pa.float64()),
    ("snowfall", pa.float64()), ("code", pa.int64()),
])  # fmt: skip
NONE: pa.Table = HOURS.empty_table()  #: the weather of who has no provider


@dataclass(frozen=True)
class Standing:
    """How much weather there is: days of places, places, the newest day (UTC), when something came last."""

    days: int
    places: int
    newest: date | None
    fetched_at: datetime | None


@dataclass(frozen=True)
class Fetched:
    """What a round of asking brought: requests made and days kept; `away` says what the provider answered instead, else empty."""

    requests: int
    days: int
    away: str = ""


def fetch(
    transaction: Callable[[], AbstractContextManager[Connection]], settings: WeatherSettings, wanted: Iterable[tuple[str, date]], now: datetime,
    client: httpx.Client | None = None,
) -> Fetched:  # fmt: skip
    """Ask the provider for powiats and days (UTC) that are not known yet, a pause between requests, and keep each answer at once.

    A provider that is away ends the round; nothing is raised, and what lacks is asked for the next time. Days that it does not know are asked for
    again some days later (`asking`).
    """
    opened = client or wire.client()
    try:
        provider = wire.provider_of(settings, opened)
        if provider is None:
            return Fetched(0, 0)
        told = list(wanted)
        cells = cells_of((powiat for powiat, _ in told), poland().centre)
        today = now.astimezone(UTC).date()
        with transaction() as conn:
            asked = Asked(store.known_days(conn, today - LOOK_BACK), store.unknown_days(conn, today - LOOK_BACK))
        planned = asks(((cells[powiat], day) for powiat, day in told if powiat in cells), asked, today, settings.places_per_request)
        requests = days = 0
        for ask in planned[: settings.requests_per_round]:
            if requests:
                time.sleep(settings.pause_seconds)
            try:
                found = provider.days(ask, today)
            except wire.ProviderAway as error:
                LOG.warning("the weather provider is away; everything else goes on", provider=settings.provider, said=str(error))
                return Fetched(requests + 1, days, str(error))
            with transaction() as conn:
                store.keep_days(conn, found, now)
                store.keep_unknown(conn, ask.without(found), today)
            requests, days = requests + 1, days + len(found)
        return Fetched(requests, days)
    finally:
        if client is None:
            opened.close()


def wanted(begun: Iterable[tuple[str, date]], now: datetime) -> list[tuple[str, date]]:
    """Every day of the powiats from the month of a first event to tomorrow: what a visit is compared with are the other days of its month."""
    today = now.astimezone(UTC).date()
    oldest = today - LOOK_BACK
    return [
        (powiat, date.fromordinal(day))
        for powiat, first in begun
        for day in range(max(first.replace(day=1), oldest).toordinal(), today.toordinal() + 2)
    ]


class Memory:
    """The weather as it was read last, for the parts of a run; read again when something came, or an hour went by."""

    def __init__(self) -> None:
        self._stamp: tuple[Any, ...] | None = None
        self._hours = NONE

    def hours(self, conn: Connection, now: datetime) -> pa.Table:
        """`hours`, remembered."""
        stamp = (now.replace(minute=0, second=0, microsecond=0), standing(conn))
        if stamp != self._stamp:
            self._stamp, self._hours = stamp, hours(conn, now)
        return self._hours


def unknown() -> pa.Table:
    """The weather of who has no provider: no hours."""
    return NONE


def hours(conn: Connection, now: datetime) -> pa.Table:
    """All that is known of the last 400 days and ahead, one row a powiat and hour (UTC), see `HOURS`."""
    this_hour = np.datetime64(now.astimezone(UTC).replace(tzinfo=None, minute=0, second=0, microsecond=0), "us")
    since = now.astimezone(UTC).date() - LOOK_BACK
    by_cell: dict[tuple[int, int], list[Any]] = {}
    for latitude, longitude, *day in store.SQL.find_days(conn, since=since):
        by_cell.setdefault((latitude, longitude), []).append(day)
    parts: list[pa.Table] = []
    for powiat, cell in cells_of(poland().powiats, poland().centre).items():
        days = by_cell.get(cell)
        if not days:
            continue
        begins = np.array([day for day, *_ in days], "datetime64[D]").astype("datetime64[us]")
        at: Any = (begins[:, None] + np.arange(24) * np.timedelta64(3_600_000_000, "us")).ravel()
        columns = {name: pa.array([value for row in days for value in row[place]], HOURS.field(name).type) for place, name in enumerate(HOURS.names[3:], 1)}
        ago = ((this_hour - at) / np.timedelta64(1, "h")).astype(np.int64)
        parts.append(pa.table({"powiat": pa.array([powiat] * len(at)), "hour": pa.array(at), "hours_ago": pa.array(ago), **columns}, schema=HOURS))
    return pa.concat_tables(parts) if parts else NONE


def standing(conn: Connection) -> Standing:
    """How much there is."""
    found: Any = store.SQL.standing(conn)
    return Standing(*found)


def forget_old(conn: Connection, now: datetime) -> None:
    """Drop what no analyser looks at any more."""
    for forget in (store.SQL.forget_days, store.SQL.forget_unknown):
        forget(conn, before=now.astimezone(UTC).date() - LOOK_BACK)
