"""How customers move between RFM groups from one moment to another: each moment with the scale of its own time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cegla.segment.rules import rfm
from cegla.segment.rules.history import Scale
from cegla.storage.warehouse import Readable, history
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.text import Text

GROUPS = rfm.GROUPS
NEWCOMER = "newcomer"  #: where those come from who bought for the first time in between
DEFINITION = Text(
    "Grupy RFM na koniec obu dni, każda według skali z tego dnia (cume_dist, pięć ocen). Wiersz: skąd, kolumna: dokąd; „nowi kupujący” złożyli pierwsze "
    "zamówienie pomiędzy. Liczone w osobach, bez tych, którzy nie chcą profilowania, i bez robotów.",
    "RFM groups at the end of both days, each by the scale of that day (cume_dist, five scores). Row: from, column: to; “new buyers” ordered for the first "
    "time in between. Counted in people, without those who objected to profiling and without bots.",
)


@dataclass(frozen=True)
class Movement:
    """How many customers were in one group (`newcomer`: in none) and are in another."""

    was: str
    is_now: str
    people: int


@dataclass(frozen=True)
class Movements:
    """All movements between two moments, and how many customers there are at the second."""

    first: datetime
    second: datetime
    rows: tuple[Movement, ...]
    customers: int
    definition: Text = DEFINITION


def between(warehouse: Readable, first: datetime, second: datetime, excluded: Collection[int] = ()) -> Movements:
    """Movements from one moment to a later one (aware), without the people `excluded`. Raises InvalidInput when they are not in that order."""
    counted: dict[tuple[str, str], int] = {}
    for _, was, is_now in _rows(warehouse, first, second, excluded):
        counted[was, is_now] = counted.get((was, is_now), 0) + 1
    rows = tuple(Movement(was, is_now, people) for (was, is_now), people in sorted(counted.items()))
    return Movements(first, second, rows, sum(row.people for row in rows))


def people_of(warehouse: Readable, moments: tuple[datetime, datetime], was: str, is_now: str, excluded: Collection[int] = ()) -> list[int]:
    """The people behind one movement, ascending."""
    return sorted(person for person, before, after in _rows(warehouse, *moments, excluded) if (before, after) == (was, is_now))


def _rows(warehouse: Readable, first: datetime, second: datetime, excluded: Collection[int]) -> list[tuple[int, str, str]]:
    if first >= second:
        detail = Text("pierwszy dzień ma być przed drugim", "the first day has to come before the second")
        raise InvalidInput(where="/from", seen=first.isoformat(), detail=detail)
    past: Any = history(columns=("event_id", "occurred_at", "name", "order_id", "value_micros", "is_bot"))
    human = past.filter(~past["is_bot"].fill_null(False))
    found = warehouse.run(rfm.movements(human, _scale(warehouse, human, first), _scale(warehouse, human, second)))
    left_out = set(excluded)
    columns = (found[name].to_pylist() for name in ("person_id", "was", "is_now"))
    return [(person, was or NEWCOMER, is_now) for person, was, is_now in zip(*columns, strict=True) if person not in left_out]


def _scale(warehouse: Readable, past: Any, moment: datetime) -> Scale:
    at = moment.astimezone(UTC).replace(tzinfo=None)
    return rfm.scale(warehouse.run(rfm.bounds(past, at)).to_pylist()[0], at)
