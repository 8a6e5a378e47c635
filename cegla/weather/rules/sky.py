"""Weather as it is kept: a day of a place in 24 hours, and what the codes of the sky mean.

Codes are those of WMO table 4677 that weather models give (28 of them); temperatures are in °C, rain in mm, snow in cm an hour; hours are UTC.
"""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from cegla.vocabulary.text import Text

Cell = tuple[int, int]  #: a place of the grid: latitude and longitude in tenths of a degree
Hourly = tuple[float | None, ...]  #: 24 values


class Day(NamedTuple):
    """A day (UTC) of a place. `settled`: the provider will not change it any more."""

    cell: Cell
    day: date
    temperature: Hourly
    precipitation: Hourly
    snowfall: Hourly
    code: tuple[int | None, ...]
    settled: bool


CODES: dict[int, Text] = {
    0: Text("bezchmurnie", "clear sky"), 1: Text("prawie bezchmurnie", "mainly clear"), 2: Text("częściowe zachmurzenie", "partly cloudy"),
    3: Text("pochmurno", "overcast"), 45: Text("mgła", "fog"), 48: Text("mgła osadzająca szadź", "depositing rime fog"),
    51: Text("słaba mżawka", "light drizzle"), 53: Text("mżawka", "drizzle"), 55: Text("gęsta mżawka", "dense drizzle"),
    56: Text("słaba marznąca mżawka", "light freezing drizzle"), 57: Text("gęsta marznąca mżawka", "dense freezing drizzle"),
    61: Text("słaby deszcz", "slight rain"), 63: Text("deszcz", "rain"), 65: Text("ulewny deszcz", "heavy rain"),
    66: Text("słaby marznący deszcz", "light freezing rain"), 67: Text("silny marznący deszcz", "heavy freezing rain"),
    71: Text("słaby śnieg", "slight snow"), 73: Text("śnieg", "snow"), 75: Text("intensywny śnieg", "heavy snow"), 77: Text("ziarna śniegu", "snow grains"),
    80: Text("słaby przelotny deszcz", "slight rain showers"), 81: Text("przelotny deszcz", "rain showers"),
    82: Text("gwałtowna ulewa", "violent rain showers"), 85: Text("słaby przelotny śnieg", "slight snow showers"),
    86: Text("silny przelotny śnieg", "heavy snow showers"), 95: Text("burza", "thunderstorm"), 96: Text("burza z gradem", "thunderstorm with hail"),
    99: Text("burza z silnym gradem", "thunderstorm with heavy hail"),
}  # fmt: skip


def known_code(value: object) -> int | None:
    """A code of `CODES`; None for anything else."""
    return int(value) if isinstance(value, (int, float)) and value in CODES else None


def hourly(values: Sequence[object], least: float, most: float) -> Hourly:
    """24 values; what is missing, no number or beyond what there is on Earth is None."""
    return tuple(float(one) if isinstance(one, (int, float)) and not isinstance(one, bool) and least <= one <= most else None for one in values)
