"""Operators about places: where people live, as far as it is known, and where they were when something happened.

A place is a country (ISO code), a voivodeship, a powiat or a city of Poland; a point is a city, a postcode, or latitude and longitude. Both are
turned into codes and names when the rule is read, so what the history compares are a few constants.
"""

from functools import lru_cache
from math import cos, hypot, radians
from typing import Any, NamedTuple

import ibis

from cegla.reference.places import poland
from cegla.segment.rules.events import AT_LEAST, WINDOW
from cegla.segment.rules.facts import CONFIDENCE
from cegla.segment.rules.history import Column, Ground, Measure, Rows
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Question, Seen, Values, asking
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

KM_OF_DEGREE = 111.2
LEVELS = ("country", "voivodeship", "powiat", "city")
PLACES = Parameter("places", Kind.PLACES, Text("miejsca", "places"))
POINT = Parameter("point", Kind.POINT, Text("miejsce (miasto, kod pocztowy albo współrzędne)", "place (city, postcode or coordinates)"))
KM = Parameter("km", Kind.TIMES, Text("w promieniu … km", "within … km"))


class Place(NamedTuple):
    """What a word means: `level` is a column, `code` its value there."""

    level: str
    code: str


@lru_cache(maxsize=1_024)
def place_of(word: str) -> Place | None:
    """A voivodeship or powiat by name or TERYT code, a city by name, a country by its ISO code in capitals; None when it is none of them."""
    if len(word) == 2 and word.isascii() and word.isalpha() and word.isupper():
        return Place("country", word)
    known, plain = poland(), folded(word)
    for level, names in (("voivodeship", known.voivodeships), ("powiat", {code: row.name for code, row in known.powiats.items()})):
        if word in names:
            return Place(level, word)
        if level == "voivodeship":
            for code, name in names.items():
                if folded(name) == plain:
                    return Place(level, code)
    cities = known.named(word)
    if cities:
        return Place("city", cities[0].name)
    return next((Place("powiat", code) for code, row in known.powiats.items() if plain in (folded(row.name), f"powiat {folded(row.name)}")), None)


@lru_cache(maxsize=1_024)
def point_of(word: str) -> tuple[float, float] | None:
    """Latitude and longitude of a city (the largest of its name), a postcode, or of "50.06, 19.94"; None when it is none of them."""
    parts = word.split(",")
    if len(parts) == 2:
        try:
            latitude, longitude = (float(part) for part in parts)
        except ValueError:
            return None
        return (latitude, longitude) if -90 <= latitude <= 90 and -180 <= longitude <= 180 else None
    if (found := poland().postcode(word)) is not None:
        return found.latitude, found.longitude
    cities = poland().named(word)
    return (cities[0].latitude, cities[0].longitude) if cities else None


@lru_cache(maxsize=256)
def cities_around(point: tuple[float, float], km: float) -> dict[str, tuple[str, ...]]:
    """The cities within so many kilometers of a point, by voivodeship, since names come again."""
    latitude, longitude = point
    narrow = cos(radians(latitude))
    known = poland()
    found: dict[str, set[str]] = {}
    for city in known.cities:
        if hypot(city.latitude - latitude, (city.longitude - longitude) * narrow) * KM_OF_DEGREE <= km:
            powiat = known.powiat_at(city.latitude, city.longitude)
            if powiat is not None:
                found.setdefault(powiat[:2], set()).add(city.name)
    return {voivodeship: tuple(sorted(names)) for voivodeship, names in sorted(found.items())}


def _among(columns: Any, places: list[str]) -> Column:
    """Whether the columns country, voivodeship, powiat and city name one of these places."""
    known = [found for word in places if (found := place_of(word)) is not None]
    by_level = {level: [one.code for one in known if one.level == level] for level in LEVELS}
    return ibis.or_(*(columns[level].isin(codes).fill_null(False) for level, codes in by_level.items() if codes))


def _around(columns: Any, point: str, km: int) -> Column:
    found = point_of(point)
    near = cities_around(found, km) if found is not None else {}
    sides = [(columns["voivodeship"] == voivodeship) & columns["city"].isin(names) for voivodeship, names in near.items()]
    return ibis.or_(*(one.fill_null(False) for one in sides)) if sides else ibis.literal(False)


def _sure(values: Values, seen: Seen) -> Column:
    least = values["confidence"]
    return ibis.literal(True) if least is None else seen["confidence"] >= least / 100


def _home(values: Values) -> Question:
    return asking("home")


def _times(condition: Column, values: Values, rows: Rows) -> dict[str, Measure]:
    return {"times": rows.count(rows.windowed(condition, values))}


def _name(values: Values, seen: Seen, ground: Ground) -> Column:
    return ibis.coalesce(seen["city"], seen["powiat"], seen["country"])


_PAGE = (Past("Page Viewed", 1),)
_KRAKOW = {"country": "PL", "voivodeship": "12", "powiat": "1261", "city": "Kraków", "confidence": 0.9}
_GDANSK = {"country": "PL", "voivodeship": "22", "powiat": "2261", "city": "Gdańsk", "confidence": 0.9}
_WIELICZKA = {"country": "PL", "voivodeship": "12", "powiat": "1219", "city": "Wieliczka"}
PLACE_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "lives_in",
        "places",
        Text("mieszkają w", "live in"),
        Text("mieszkają w: {places}", "live in {places}"),
        (PLACES, CONFIDENCE),
        lambda values, rows: {},
        lambda values, seen, ground: _among(seen, values["places"]) & _sure(values, seen),
        lambda values: False,
        _name,
        {"op": "lives_in", "places": ["małopolskie", "DE"], "confidence": 50},
        _PAGE,
        _PAGE,
        asks=_home,
        told=(_KRAKOW, _GDANSK),
    ),
    Operator(
        "lives_near",
        "places",
        Text("mieszkają w pobliżu", "live near"),
        Text("mieszkają najwyżej {km:number} km od: {point}", "live within {km:number} km of {point}"),
        (POINT, KM, CONFIDENCE),
        lambda values, rows: {},
        lambda values, seen, ground: _around(seen, values["point"], values["km"]) & _sure(values, seen),
        lambda values: False,
        _name,
        {"op": "lives_near", "point": "Wieliczka", "km": 20},
        _PAGE,
        _PAGE,
        asks=_home,
        told=(_KRAKOW, _GDANSK),
    ),
    Operator(
        "was_in",
        "places",
        Text("były w", "were in"),
        Text("były w: {places} co najmniej {at_least}{days}{since}{until}", "were in {places} at least {at_least}{days}{since}{until}"),
        (PLACES, AT_LEAST, *WINDOW),
        lambda values, rows: _times(_among(rows, values["places"]), values, rows),
        lambda values, seen, ground: seen["times"] >= values["at_least"],
        lambda values: False,
        "times",
        {"op": "was_in", "places": ["Wieliczka"], "days": 30},
        (Past("Page Viewed", 1, columns=_WIELICZKA),),
        (Past("Page Viewed", 31, columns=_WIELICZKA), Past("Page Viewed", 1)),
    ),
    Operator(
        "was_near",
        "places",
        Text("były w pobliżu", "were near"),
        Text(
            "były najwyżej {km:number} km od: {point} co najmniej {at_least}{days}{since}{until}",
            "were within {km:number} km of {point} at least {at_least}{days}{since}{until}",
        ),
        (POINT, KM, AT_LEAST, *WINDOW),
        lambda values, rows: _times(_around(rows, values["point"], values["km"]), values, rows),
        lambda values, seen, ground: seen["times"] >= values["at_least"],
        lambda values: False,
        "times",
        {"op": "was_near", "point": "50.06, 19.94", "km": 25},
        (Past("Page Viewed", 1, columns=_WIELICZKA),),
        (Past("Page Viewed", 1, columns={"country": "PL", "voivodeship": "22", "city": "Gdańsk"}),),
    ),
)
