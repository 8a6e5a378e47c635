"""Weather: a visit beside the same hour and weekday of its month; worked out by hand for one person in Warsaw."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from cegla.profile import analysing
from cegla.profile.analysers import weather
from cegla.profile.analysing import Devices, When
from cegla.storage.warehouse import EVENTS, Warehouse
from cegla.weather.actions import HOURS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Warsaw")


def sky(rainy_days: set[int]) -> pa.Table:
    """October and November of Warsaw: rain all day on some days of the month, +5 °C, sunny else; forecast of a day."""
    hours = [datetime(2026, 10, 1) + timedelta(hours=hour) for hour in range(24 * 52)]
    wet = [hour.day in rainy_days for hour in hours]
    return pa.table({
        "powiat": ["1465"] * len(hours), "hour": hours, "hours_ago": [round((NOW.replace(tzinfo=None) - hour).total_seconds() / 3600) for hour in hours],
        "temperature": [5.0] * len(hours), "precipitation": [1.0 if one else 0.0 for one in wet], "snowfall": [0.0] * len(hours), "code": [61 if one else 0 for one in wet],
    }, schema=HOURS)  # fmt: skip


def found(days: list[int], skies: pa.Table) -> dict[str, Any]:
    """What the analyser says of somebody who came at 10 o'clock UTC on these days of October."""
    moments = [datetime(2026, 10, day, 10) for day in days]
    columns: dict[str, Any] = {name: pa.nulls(len(moments), EVENTS.field(name).type) for name in EVENTS.names}
    numbers = list(range(1, len(moments) + 1))
    columns |= {
        "batch": [1] * len(moments), "event_id": numbers, "source_id": pa.array([1] * len(moments), pa.int32()), "identity_id": [7] * len(moments), "kind": ["page"] * len(moments),
        "name": ["Page Viewed"] * len(moments), "occurred_at": moments, "received_at": moments, "local_at": moments, "session_id": numbers, "is_bot": [False] * len(moments),
        "powiat": ["1465"] * len(moments),
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w.duckdb", threads=1)
        try:
            warehouse.append({"events": pa.table(columns, schema=EVENTS)})
            with analysing.seen_of(warehouse, [7], [weather.ANALYSER], When(NOW, ZONE, weather=lambda: skies), Devices()) as seen:
                ((_, document),) = analysing.found_by(warehouse, seen, weather.ANALYSER, [7], ({}, NOW, Devices(), {})).documents()
        finally:
            warehouse.close()
    return {key: one["value"] for key, one in document["traits"].items()} | document["facts"]


WET_DAYS = {1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 18, 19, 20, 21}  # of each weekday of October 2026 two wet days, and two or three dry ones


def test_who_comes_in_the_rain_has_a_ratio_above_one_with_what_it_rests_on() -> None:
    told = found([*range(1, 22)], sky(WET_DAYS))
    # 14 visits on wet days and 7 on dry ones; each weekday has 4 or 5 days, 2 of them wet
    expected = sum(2 / (5 if datetime(2026, 10, day).weekday() in (3, 4, 5) else 4) for day in [*WET_DAYS, *range(8, 15)])
    assert told["rain_visits"] == 14
    assert told["rain_expected"] == pytest.approx(expected, abs=0.06)
    assert told["rain_low"] < told["weather.sensitivity_rain"] < told["rain_high"]
    assert told["weather.sensitivity_rain"] > 1.0
    assert told["weather.at_event"]["rain"] == pytest.approx(14 / 21, abs=0.001)


def test_who_comes_every_day_is_not_sensitive() -> None:
    told = found(list(range(1, 32)), sky(WET_DAYS))
    assert told["weather.sensitivity_rain"] == pytest.approx(1.0, abs=0.01)
    assert told["weather.sensitivity_heat"] is None  # it never was hot: nothing to compare with


def test_few_visits_are_an_honest_unknown() -> None:
    told = found(list(range(1, 18)), sky(WET_DAYS))
    assert told["weather.sensitivity_rain"] is None


def test_without_weather_everything_is_unknown_and_nothing_fails() -> None:
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w.duckdb", threads=1)
        try:
            with analysing.seen_of(warehouse, [7], [weather.ANALYSER], When(NOW, ZONE), Devices()) as seen:
                assert analysing.found_by(warehouse, seen, weather.ANALYSER, [7], ({}, NOW, Devices(), {})).texts == []
        finally:
            warehouse.close()


def test_the_next_day_is_named_by_its_weather() -> None:
    assert found(list(range(1, 10)), sky({20, 21}))["weather.now_segment"] == "rain"
    assert found(list(range(1, 10)), sky(set()))["weather.now_segment"] == "sun"


def test_a_ratio_is_the_mode_of_likelihood_and_prior() -> None:
    strata = np.zeros((1, weather.WIDTH))
    strata[0, 42] = 100  # a hundred visits whose stratum had four days, two of them wet
    mean, _ = weather.posterior(strata, np.array([75.0]), {"mean": 0.0, "spread": 100.0})
    assert np.exp(mean[0]) == pytest.approx(3.0, rel=0.01)  # 75 of 100 where half would be: odds of 3 to 1
    drawn, spread = weather.posterior(strata, np.array([75.0]), {"mean": 0.0, "spread": 0.1})
    assert 0 < drawn[0] < mean[0]
    assert spread[0] < 0.1
