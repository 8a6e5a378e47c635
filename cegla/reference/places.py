"""Poland on a map: which powiat a point lies in, which city is there, where a postcode is, what people earn."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache, cached_property
from math import cos, hypot, radians
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cegla.reference.pack import SHIPPED, Columns, read_columns, read_json
from cegla.vocabulary.folding import folded

CELL = 20  #: thousandths of a degree: the side of a square of the grid
NEAR = 40  #: thousandths: how far outside every border, on a beach for one, a point still belongs to the nearest powiat
CITY_POWIATS = 61  #: powiats numbered from here are cities
NEAR_CITY_KM, FAR_CITY_KM = 3.0, 15.0
SIZES = ((500_000, "metropolis"), (100_000, "large"), (20_000, "medium"), (0, "small"))
_KM_OF_DEGREE = 111.2
Ring = tuple[list[int], list[int], tuple[int, int, int, int]]  #: its points and its box: left, low, right, high


class Powiat(NamedTuple):
    """`code` is TERYT with 4 digits; `wage` the average gross monthly wage in zł in 2024, at workplaces there with more than nine people."""

    code: str
    name: str
    wage: int


class City(NamedTuple):
    """A place with at least 500 people."""

    name: str
    latitude: float
    longitude: float
    population: int


class Postcode(NamedTuple):
    """Where a Polish postcode is; `powiat` is None for the few points outside every border."""

    code: str
    locality: str
    latitude: float
    longitude: float
    powiat: str | None


class Poland:
    """Read from the pack when first asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        places = read_json(folder, "places")
        self.voivodeships: dict[str, str] = places["voivodeships"]  #: TERYT, 2 digits → name
        self.powiats = {code: Powiat(code, name, wage) for code, name, wage in places["powiats"]}
        self._known_postcodes: dict[str, Postcode] = {}  #: those asked for
        self.cities = [City(*row) for row in zip(*places["cities"], strict=True)]

    def powiat_name(self, code: str | None) -> str | None:
        """The name of a powiat by its code; None for none and for a code that is not one."""
        found = self.powiats.get(code or "")
        return found.name if found else None

    def powiat_at(self, latitude: float, longitude: float) -> str | None:
        """TERYT code of the powiat that a point lies in; None outside Poland."""
        return self._borders.at(round(longitude * 1_000), round(latitude * 1_000))

    def centre(self, powiat: str) -> tuple[float, float] | None:
        """Latitude and longitude of the middle of a powiat's largest part; None when there is no such powiat."""
        return self._borders.centre(powiat)

    def city_at(self, latitude: float, longitude: float) -> City | None:
        """The city or village at a point: that of a city powiat, else the largest within 3 km, else the nearest within 15 km."""
        powiat = self.powiat_at(latitude, longitude)
        if powiat is not None and int(powiat[2:]) >= CITY_POWIATS and (found := self._city_of_powiat.get(powiat)):
            return found
        narrow = cos(radians(latitude))
        around = [
            (hypot((city.latitude - latitude), (city.longitude - longitude) * narrow) * _KM_OF_DEGREE, city)
            for row in range(-1, 2)
            for column in range(-1, 2)
            for city in self._cities_by_square.get((int(latitude * 5) + row, int(longitude * 5) + column), ())
        ]
        near = [city for km, city in around if km <= NEAR_CITY_KM]
        if near:
            return max(near, key=lambda city: city.population)
        return min((pair for pair in around if pair[0] <= FAR_CITY_KM), key=lambda pair: pair[0], default=(0, None))[1]

    def named(self, name: str) -> list[City]:
        """All cities and villages of this name, the largest first; spelling and diacritics do not matter."""
        return self._cities_by_name.get(" ".join(folded(name).replace("-", " ").split()), [])

    def postcode(self, text: str) -> Postcode | None:
        """Where "30-059" or "30059" is; None when there is no such postcode."""
        digits = text.strip().replace("-", "", 1).replace(" ", "", 1)
        found = self._postcodes.get(int(digits)) if len(digits) == 5 and digits.isascii() and digits.isdigit() else None
        if found is None:
            return None
        locality, latitude, longitude = found
        code = f"{digits[:2]}-{digits[2:]}"
        known = self._known_postcodes.get(code)
        if known is None:
            known = self._known_postcodes[code] = Postcode(code, locality, latitude, longitude, self.powiat_at(latitude, longitude))
        return known

    @staticmethod
    def size_of(population: int) -> str:
        """metropolis (from 500,000 people), large (100,000), medium (20,000), small."""
        return next(name for least, name in SIZES if population >= least)

    @cached_property
    def _borders(self) -> "Borders":
        return Borders(read_columns(self._folder, "borders"))

    @cached_property
    def _city_of_powiat(self) -> dict[str, City]:
        largest: dict[str, City] = {}
        for city in sorted(self.cities, key=lambda city: city.population):
            largest[city.name] = city
        return {code: largest[powiat.name] for code, powiat in self.powiats.items() if int(code[2:]) >= CITY_POWIATS and powiat.name in largest}

    @cached_property
    def _cities_by_name(self) -> dict[str, list[City]]:
        named: dict[str, list[City]] = defaultdict(list)
        for city in sorted(self.cities, key=lambda city: -city.population):
            named[" ".join(folded(city.name).replace("-", " ").split())].append(city)
        return dict(named)

    @cached_property
    def _cities_by_square(self) -> dict[tuple[int, int], list[City]]:
        squares: dict[tuple[int, int], list[City]] = defaultdict(list)
        for city in self.cities:
            squares[int(city.latitude * 5), int(city.longitude * 5)].append(city)
        return dict(squares)

    @cached_property
    def _postcodes(self) -> dict[int, tuple[str, float, float]]:
        kept = read_json(self._folder, "postcodes")
        codes, latitudes, longitudes = (np.cumsum(kept[name]).tolist() for name in ("code", "latitude", "longitude"))
        names: list[str] = [kept["names"][number] for number in kept["name"]]
        return {code: (name, y / 1_000, x / 1_000) for code, name, y, x in zip(codes, names, latitudes, longitudes, strict=True)}


@cache
def poland() -> Poland:
    """Poland as it ships, read when first asked and shared by every reader."""
    return Poland(SHIPPED)


class Borders:
    """The rings of the powiats over a grid. In a square that no border crosses, one look-up is enough."""

    def __init__(self, columns: Columns) -> None:
        self._rings: dict[str, list[Ring]] = defaultdict(list)
        self._crossed: dict[tuple[int, int], dict[str, None]] = defaultdict(dict)
        self._whole: dict[tuple[int, int], str | None] = {}
        start = 0
        for length, number in zip(columns["length"].tolist(), columns["owner"].tolist(), strict=True):
            xs = np.cumsum(columns["x"][start : start + length]).tolist()
            ys = np.cumsum(columns["y"][start : start + length]).tolist()
            start += length
            owner = f"{number:04d}"
            self._rings[owner].append((xs, ys, (min(xs), min(ys), max(xs), max(ys))))
            self._mark(owner, xs, ys)

    def at(self, x: int, y: int) -> str | None:
        """The owner of the point, in thousandths of a degree."""
        square = (x // CELL, y // CELL)
        if square not in self._crossed:
            if square not in self._whole:
                self._whole[square] = self._search(square[0] * CELL + CELL // 2, square[1] * CELL + CELL // 2, self._rings)
            return self._whole[square]
        return self._search(x, y, self._crossed[square]) or self._nearest(x, y, self._crossed[square])

    def centre(self, owner: str) -> tuple[float, float] | None:
        """The middle of the box around the longest ring of an owner, in degrees."""
        if owner not in self._rings:
            return None
        left, low, right, high = max(self._rings[owner], key=lambda ring: len(ring[0]))[2]
        return (low + high) / 2_000, (left + right) / 2_000

    def _mark(self, owner: str, xs: list[int], ys: list[int]) -> None:
        for place in range(1, len(xs)):
            left, right = sorted((xs[place - 1] // CELL, xs[place] // CELL))
            low, high = sorted((ys[place - 1] // CELL, ys[place] // CELL))
            for column in range(left, right + 1):
                for row in range(low, high + 1):
                    self._crossed[column, row][owner] = None

    def _search(self, x: int, y: int, owners: Iterable[str]) -> str | None:
        """The owner with an odd number of borders to one side, over all its rings: an exclave has one of its own, a hole takes away."""
        for owner in owners:
            odd = False
            for xs, ys, (left, low, right, high) in self._rings[owner]:
                if left <= x <= right and low <= y <= high and _odd(xs, ys, x, y):
                    odd = not odd
            if odd:
                return owner
        return None

    def _nearest(self, x: int, y: int, owners: Iterable[str]) -> str | None:
        distances = (
            (min((one - x) ** 2 + (other - y) ** 2 for one, other in zip(xs, ys, strict=True)), owner) for owner in owners for xs, ys, _ in self._rings[owner]
        )
        distance, owner = min(distances)
        return owner if distance <= NEAR * NEAR else None


def _odd(xs: list[int], ys: list[int], x: int, y: int) -> bool:
    odd = False
    before_x, before_y = xs[-1], ys[-1]
    for here_x, here_y in zip(xs, ys, strict=True):
        if (here_y > y) != (before_y > y) and x < (before_x - here_x) * (y - here_y) / (before_y - here_y) + here_x:
            odd = not odd
        before_x, before_y = here_x, here_y
    return odd
