"""Reading what a provider answers, which is untrusted: sizes are checked, numbers beyond what there is on Earth are dropped."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from cegla.weather.rules.asking import ARCHIVED_AFTER, LONGEST_STRETCH, Ask
from cegla.weather.rules.sky import Day, hourly, known_code

HOURS = 24
COLUMNS = {"temperature_2m": (-90.0, 60.0), "precipitation": (0.0, 500.0), "snowfall": (0.0, 300.0)}
Answer = Any  # JSON as it came


class AnswerWrong(ValueError):
    """The answer is not what was asked for."""


def open_meteo(answer: Answer, ask: Ask, today: date) -> list[Day]:
    """The days of an answer in Open-Meteo's format: an object for one place, a list along `ask.cells` for several. Raises AnswerWrong."""
    places: Sequence[Any] = answer if isinstance(answer, list) else [answer]
    if len(places) != len(ask.cells):
        raise AnswerWrong(f"{len(places)} places for {len(ask.cells)} asked")
    found = [day for cell, place in zip(ask.cells, places, strict=True) for day in _days(cell, place, today)]
    if any(not ask.first <= one.day <= ask.last for one in found):
        raise AnswerWrong("days that nobody asked for")
    return found


def _days(cell: tuple[int, int], place: Any, today: date) -> list[Day]:
    told: Any = place.get("hourly") if isinstance(place, Mapping) else None
    times: Any = told.get("time") if isinstance(told, Mapping) else None
    if not isinstance(times, list) or len(times) > (LONGEST_STRETCH + 1) * HOURS or len(times) % HOURS:
        raise AnswerWrong("no hours, or not whole days of them")
    columns: dict[str, list[Any]] = {name: told.get(name) or [None] * len(times) for name in (*COLUMNS, "weather_code")}
    if any(not isinstance(column, list) or len(column) != len(times) for column in columns.values()):
        raise AnswerWrong("columns of unlike length")
    found: list[Day] = []
    for start in range(0, len(times), HOURS):
        day = _whole_day(times[start : start + HOURS])
        rows = {name: hourly(columns[name][start : start + HOURS], *bounds) for name, bounds in COLUMNS.items()}
        code = tuple(known_code(one) for one in columns["weather_code"][start : start + HOURS])
        if any(one is not None for one in rows["temperature_2m"]):
            found.append(Day(cell, day, rows["temperature_2m"], rows["precipitation"], rows["snowfall"], code, today - day >= ARCHIVED_AFTER))
    return found


def _whole_day(times: Sequence[Any]) -> date:
    """The day that 24 stamps are the hours of. Raises AnswerWrong."""
    try:
        first, last = datetime.fromisoformat(times[0]), datetime.fromisoformat(times[-1])
    except (ValueError, TypeError):
        raise AnswerWrong("stamps that are none") from None
    if first.tzinfo or last.tzinfo or first.hour or last - first != timedelta(hours=HOURS - 1):
        raise AnswerWrong("hours that are not those of a day")
    return first.date()
