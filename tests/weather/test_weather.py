"""Weather over real HTTP and a real database: asked for once, kept, read by powiat; and nothing breaks while the provider is away."""

import json
from collections.abc import Generator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.night import ask_weather
from cegla.storage.settings import WeatherSettings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.weather import actions as weather
from cegla.weather import wire
from cegla.weather.rules.answers import AnswerWrong, open_meteo
from cegla.weather.rules.asking import Ask, Asked, asks, cell_of
from cegla.weather.rules.sky import CODES

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
TODAY = NOW.date()


def answer(latitude: float, first: date, last: date) -> dict[str, Any]:
    """What Open-Meteo answers for one place, in its format; temperatures tell the latitude and the hour."""
    days = [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]
    times = [f"{day}T{hour:02}:00" for day in days for hour in range(24)]
    return {
        "latitude": latitude, "longitude": 21.0, "utc_offset_seconds": 0, "timezone": "GMT", "hourly_units": {"time": "iso8601", "temperature_2m": "°C"},
        "hourly": {
            "time": times, "temperature_2m": [round(latitude - 50 + index % 24, 1) for index in range(len(times))], "precipitation": [0.4] * len(times),
            "snowfall": [0.0] * len(times), "weather_code": [61] * len(times),
        },
    }  # fmt: skip


class Meteo(BaseHTTPRequestHandler):
    """A server that speaks the provider's format and remembers what it was asked."""

    def do_GET(self) -> None:
        server: Any = self.server
        asked = parse_qs(urlsplit(self.path).query)
        server.asked.append((urlsplit(self.path).path, asked, self.headers["user-agent"]))
        status = server.statuses.pop(0) if server.statuses else 200
        first, last = (date.fromisoformat(asked[name][0]) for name in ("start_date", "end_date"))
        places = [answer(float(one), first, last) for one in asked["latitude"][0].split(",")]
        body = json.dumps(places if len(places) > 1 else places[0]).encode() if server.garbage is None else server.garbage
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def meteo() -> Generator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Meteo)
    server.asked, server.statuses, server.garbage = [], [], None
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def settings(meteo: Any, **more: Any) -> WeatherSettings:
    address = f"http://127.0.0.1:{meteo.server_address[1]}"
    return WeatherSettings.model_validate({"provider": "open-meteo", "address": f"{address}/v1/forecast", "archive_address": f"{address}/v1/archive", "pause_seconds": 0, "key": "k"} | more)


def test_places_and_days_are_asked_for_once_and_only_by_the_grid(workspace: Workspace, meteo: Any) -> None:
    wanted = weather.wanted([("1465", date(2026, 11, 2)), ("1261", date(2026, 11, 18))], NOW)
    first = weather.fetch(workspace.transaction, settings(meteo), wanted, NOW)
    assert (first.requests, first.days, first.away) == (2, 2 * 21, "")  # 1 to 21 November: what is archived by now, and the rest with tomorrow
    assert {path for path, _, _ in meteo.asked} == {"/v1/forecast", "/v1/archive"}
    for _, asked, agent in meteo.asked:
        assert all(len(one.partition(".")[2]) == 1 for name in ("latitude", "longitude") for one in asked[name][0].split(","))
        assert asked["apikey"] == ["k"]
        assert agent.startswith("Cegla")
    meteo.asked.clear()
    again = weather.fetch(workspace.transaction, settings(meteo), wanted, NOW)
    assert [asked["start_date"] for _, asked, _ in meteo.asked] == [["2026-11-20"]]  # the days that may still change
    assert again.days == 2 * 2


def test_hours_are_read_by_powiat_with_how_long_ago_they_were(workspace: Workspace, meteo: Any) -> None:
    weather.fetch(workspace.transaction, settings(meteo), weather.wanted([("1465", date(2026, 11, 20))], NOW), NOW)
    with workspace.transaction() as conn:
        found = {(row["powiat"], row["hour"]): row for row in weather.hours(conn, NOW).to_pylist()}
        standing = weather.standing(conn)
    now = found["1465", datetime(2026, 11, 20, 2)]
    assert (now["hours_ago"], now["temperature"], now["precipitation"], now["code"]) == (0, pytest.approx(52.2 - 50 + 2, abs=0.01), pytest.approx(0.4), 61)
    assert found["1465", datetime(2026, 11, 21, 2)]["hours_ago"] == -24
    assert (standing.days, standing.places, standing.newest) == (21, 1, date(2026, 11, 21))


@pytest.mark.parametrize("fault", ["refused", "overloaded", "garbage", "too few places", "nobody there", "nested without end"])
def test_a_provider_that_is_away_costs_nothing_but_its_weather(workspace: Workspace, meteo: Any, fault: str) -> None:
    chosen = settings(meteo)
    meteo.statuses = {"refused": [401], "overloaded": [429]}.get(fault, [])
    meteo.garbage = {"garbage": b"<html>", "too few places": b"[]", "nested without end": b"[" * 200_000}.get(fault)
    if fault == "nobody there":
        chosen = settings(meteo, address="http://127.0.0.1:1/v1", archive_address="http://127.0.0.1:1/v1")
    found = weather.fetch(workspace.transaction, chosen, weather.wanted([("1465", date(2026, 11, 2))], NOW), NOW)
    assert found.requests == 1
    assert found.days == 0
    assert found.away
    with workspace.transaction() as conn:
        assert weather.hours(conn, NOW).num_rows == 0


def test_an_answer_that_trickles_ends_the_round(workspace: Workspace, meteo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LONGEST_SECONDS", 0.0)
    found = weather.fetch(workspace.transaction, settings(meteo), weather.wanted([("1465", date(2026, 11, 2))], NOW), NOW)
    assert found.away == "its answer takes too long"


def test_days_the_provider_does_not_know_are_remembered_until_it_does(workspace: Workspace, meteo: Any) -> None:
    def fetched(night: datetime) -> tuple[int, int]:
        found = weather.fetch(workspace.transaction, settings(meteo), [("1465", date(2026, 11, 2))], night)
        with workspace.transaction() as conn:
            return found.requests, weather.standing(conn).days

    meteo.garbage = json.dumps(answer(52.2, date(2026, 11, 2), date(2026, 11, 2)) | {"hourly": {"time": []}}).encode()
    assert [fetched(NOW + timedelta(days=days)) for days in (0, 1, 7)] == [(1, 0), (0, 0), (1, 0)]
    meteo.garbage = None
    assert [fetched(NOW + timedelta(days=days)) for days in (8, 14, 21)] == [(0, 0), (1, 1), (0, 1)]
    with workspace.transaction() as conn:
        assert not list(conn.execute("select from weather.unknown"))


def test_without_a_provider_nobody_is_asked(workspace: Workspace, meteo: Any) -> None:
    assert weather.fetch(workspace.transaction, settings(meteo, provider=""), weather.wanted([("1465", date(2026, 11, 2))], NOW), NOW) == weather.Fetched(0, 0)
    assert not meteo.asked


def test_what_no_analyser_looks_at_any_more_is_forgotten(workspace: Workspace, meteo: Any) -> None:
    weather.fetch(workspace.transaction, settings(meteo), [("1465", date(2025, 10, 10))], datetime(2025, 10, 20, tzinfo=UTC))
    with workspace.transaction() as conn:
        conn.execute("insert into weather.unknown values (522, 210, '2025-10-09', '2025-10-20')")
        assert weather.standing(conn).days == 1
        weather.forget_old(conn, NOW)
        assert weather.standing(conn).days == 0
        assert not list(conn.execute("select from weather.unknown"))


# rules -------------------------------------------------------------------------------------------------------------------


def test_near_places_and_days_share_a_request_and_powiats_of_one_cell_are_one() -> None:
    cells = [cell_of(52.23 + place / 10, 21.01) for place in range(3)]
    found = asks([(cell, date(2026, 11, day)) for cell in cells for day in (3, 4)], Asked({(cells[0], date(2026, 11, 3)): True}), TODAY, most_cells=2)
    assert [(len(one.cells), one.first, one.last, one.archived) for one in found] == [(2, date(2026, 11, 3), date(2026, 11, 4), True), (1, date(2026, 11, 3), date(2026, 11, 4), True)]
    assert cell_of(52.2349, 21.0412) == cell_of(52.2296, 21.0122) == (522, 210)


def test_a_day_that_was_a_forecast_is_asked_again_when_the_archive_has_it() -> None:
    wanted = [((522, 210), date(2026, 11, 15))]
    assert asks(wanted, Asked({wanted[0]: False}), TODAY, 50) == []
    assert [one.archived for one in asks(wanted, Asked({wanted[0]: False}), date(2026, 11, 21), 50)] == [True]


def test_a_day_the_provider_does_not_know_is_asked_again_when_the_archive_has_it_and_then_once_a_week() -> None:
    day, cell = date(2026, 11, 15), (522, 210)
    nights = [date(2026, 11, number) for number in range(14, 31)]
    in_vain: list[date] = []
    for night in nights:
        if Asked({}, {(cell, day): in_vain[-1]} if in_vain else {}).lacks(cell, day, night):
            in_vain.append(night)
    assert [night.day for night in in_vain] == [14, 15, 21, 28]
    assert not Asked({(cell, day): False}, {(cell, day): date(2026, 11, 21)}).lacks(cell, day, date(2026, 11, 22))  # a forecast that the archive lacks


@pytest.mark.parametrize(
    "hourly",
    [
        None, {"time": []} | {"temperature_2m": [1.0]}, {"time": ["2026-11-20T00:00"] * 24}, {"time": ["x"] * 24}, {"time": ["2026-11-20T01:00"] * 23},
        {"time": [f"2026-11-20T{hour:02}:00" for hour in range(24)], "temperature_2m": [1.0] * 23},
        {"time": [f"2026-11-19T{hour:02}:00" for hour in range(24)], "temperature_2m": [1.0] * 24},
    ],
    ids=["none", "unlike", "one hour", "no stamps", "part of a day", "short", "another day"],
)  # fmt: skip
def test_an_answer_that_is_not_what_was_asked_is_refused(hourly: Any) -> None:
    with pytest.raises(AnswerWrong):
        open_meteo({"hourly": hourly}, Ask(((522, 210),), TODAY, TODAY, False), TODAY)


def test_numbers_beyond_what_there_is_on_earth_are_unknown() -> None:
    told = answer(52.2, TODAY, TODAY)
    told["hourly"]["temperature_2m"][:4] = [999.0, "warm", None, True]
    told["hourly"]["weather_code"][0] = 1234
    (day,) = open_meteo(told, Ask(((522, 210),), TODAY, TODAY, False), TODAY)
    assert day.temperature[:4] == (None, None, None, None)
    assert day.code[:2] == (None, 61)
    assert not day.settled


def test_the_sky_has_28_words_in_two_languages() -> None:
    assert len(CODES) == 28
    assert len({text.pl for text in CODES.values()} | {text.en for text in CODES.values()}) == 56


def test_at_night_the_weather_of_where_people_come_from_is_asked(workspace: Workspace, meteo: Any) -> None:
    workspace.clock = lambda: NOW
    object.__setattr__(workspace, "settings", workspace.settings.model_copy(update={"weather": settings(meteo)}))
    with workspace.transaction() as conn:
        source = collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOW)[0].id
        visit = {"type": "page", "messageId": "1", "userId": "anna", "timestamp": "2026-11-19T10:00:00Z", "context": {"ip": "149.156.96.0"}, "properties": {"url": "https://shop.example/"}}
        collect.write_down(conn, source, [json.dumps({"batch": [visit]}).encode()], NOW)
    Intake(workspace).drain()
    ask_weather(workspace, NOW)
    assert {asked["latitude"][0] for _, asked, _ in meteo.asked} == {"50.0"}  # Kraków, on the grid
    assert not [one for _, asked, _ in meteo.asked for one in asked if one not in ("latitude", "longitude", "hourly", "timezone", "start_date", "end_date", "apikey")]
    with workspace.transaction() as conn:
        assert weather.standing(conn).days == 21
