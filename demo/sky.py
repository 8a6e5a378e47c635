"""Weather for the demonstration, without a network: answers in Open-Meteo's format, made here from the place and the day, always the same."""

import math
from datetime import date, timedelta
from random import Random
from typing import Any

import httpx

from cegla.storage.settings import WeatherSettings

SETTINGS = WeatherSettings.model_validate({"provider": "open-meteo", "address": "https://weather.invalid/v1/forecast", "pause_seconds": 0})


def client() -> httpx.Client:
    """A client that asks nobody: every answer is made here."""
    return httpx.Client(transport=httpx.MockTransport(_answer))


def _answer(request: httpx.Request) -> httpx.Response:
    asked = request.url.params
    places = list(zip(asked["latitude"].split(","), asked["longitude"].split(","), strict=True))
    days = _days(date.fromisoformat(asked["start_date"]), date.fromisoformat(asked["end_date"]))
    answers = [{"latitude": float(north), "longitude": float(east), "hourly": _hours(f"{north}/{east}", days)} for north, east in places]
    return httpx.Response(200, json=answers if len(answers) > 1 else answers[0])


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _hours(place: str, days: list[date]) -> dict[str, list[Any]]:
    """Warm at noon, cold at night, colder in winter; three days of ten are wet."""
    found: dict[str, list[Any]] = {"time": [], "temperature_2m": [], "precipitation": [], "snowfall": [], "weather_code": []}
    for day in days:
        dice = Random(f"{place}/{day}")
        usual = 9.0 - 11.0 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 15) / 365) + dice.gauss(0, 3)
        is_wet = dice.random() < 0.3
        for hour in range(24):
            warm = round(usual + 4.0 * math.sin(2 * math.pi * (hour - 9) / 24), 1)
            rain = round(dice.random() * 2, 1) if is_wet and 7 <= hour < 20 else 0.0
            found["time"].append(f"{day}T{hour:02}:00")
            found["temperature_2m"].append(warm)
            found["precipitation"].append(rain)
            found["snowfall"].append(round(rain / 2, 1) if warm < 0 else 0.0)
            found["weather_code"].append((73 if warm < 0 else 61) if rain else dice.choice((0, 1, 2, 3)))
    return found
