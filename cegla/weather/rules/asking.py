"""What to ask a provider: each place and day once, in few requests, near places and days together.

    powiats and days of events ──► cells of a grid ──without what is known and settled──► requests: up to so many cells, one stretch of days
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from cegla.weather.rules.sky import Cell, Day

ARCHIVED_AFTER = timedelta(days=6)  #: by then archives hold a day, and it does not change
ASKED_AGAIN_AFTER = timedelta(days=7)  #: what the provider did not know
LONGEST_STRETCH = 31  #: days in one request


class Ask(NamedTuple):
    """One request: these cells, from the first to the last day. `archived`: all its days are old enough for the archive."""

    cells: tuple[Cell, ...]
    first: date
    last: date
    archived: bool

    def without(self, found: Iterable[Day]) -> set[tuple[Cell, date]]:
        """What was asked for and is not among what was found."""
        days = [date.fromordinal(day) for day in range(self.first.toordinal(), self.last.toordinal() + 1)]
        return {(cell, day) for cell in self.cells for day in days} - {(one.cell, one.day) for one in found}


class Asked(NamedTuple):
    """What asking came to so far, by place and day: what is known, and whether it is settled; and when something was asked for in vain the last time."""

    known: Mapping[tuple[Cell, date], bool] = {}
    unknown: Mapping[tuple[Cell, date], date] = {}

    def lacks(self, cell: Cell, day: date, today: date) -> bool:
        """Whether to ask for a day: it is not known, or was a forecast and the archive has it by now, or may still change; of what the provider did
        not know only once the archive should have it, and again after `ASKED_AGAIN_AFTER`."""
        archived, settled, in_vain = today - day >= ARCHIVED_AFTER, self.known.get((cell, day)), self.unknown.get((cell, day))
        if settled or (settled is False and not archived and day < today):
            return False
        if in_vain is None or day >= today or today - in_vain >= ASKED_AGAIN_AFTER:
            return True
        return archived and in_vain - day < ARCHIVED_AFTER


def cell_of(latitude: float, longitude: float) -> Cell:
    """The point of the grid that stands for a place: a tenth of a degree, 7 to 11 km."""
    return round(latitude * 10), round(longitude * 10)


def asks(wanted: Iterable[tuple[Cell, date]], asked: Asked, today: date, most_cells: int) -> list[Ask]:
    """The requests for what is wanted and lacks."""
    missing: dict[tuple[bool, int, int], dict[Cell, list[date]]] = defaultdict(lambda: defaultdict(list))
    for cell, day in sorted(set(wanted)):
        archived = today - day >= ARCHIVED_AFTER
        if asked.lacks(cell, day, today):
            missing[archived, day.year, day.month][cell].append(day)
    found: list[Ask] = []
    for (archived, _, _), by_cell in sorted(missing.items(), reverse=True):  # the newest first: it is worth most
        cells = sorted(by_cell)
        for start in range(0, len(cells), most_cells):
            some = tuple(cells[start : start + most_cells])
            days = [day for cell in some for day in by_cell[cell]]
            found.append(Ask(some, min(days), max(days), archived))
    return found


def cells_of(powiats: Iterable[str], centre: Callable[[str], tuple[float, float] | None]) -> dict[str, Cell]:
    """Powiat → cell, of those that are on the map."""
    return {code: cell_of(*place) for code in sorted(set(powiats)) if (place := centre(code)) is not None}
