"""Many people in parts, so that whoever works on their history holds no more of it in memory than a bounded number of events."""

from collections.abc import Sequence
from typing import Any

import ibis.expr.types as ir
import numpy as np

from cegla.storage.warehouse import Readable, history

ROWS_OF_A_PART = 500_000
FEW_PEOPLE = 500  #: are one part without being counted


def parts(warehouse: Readable, people: Sequence[int], most_people: int = ROWS_OF_A_PART) -> list[Any]:
    """These people in parts, int64, ascending: of so many people at most, with as much history as memory should hold (one person may have more)."""
    if len(people) <= min(FEW_PEOPLE, most_people):
        return [np.sort(np.asarray(people, np.int64))] if len(people) else []
    with warehouse.people(people) as asked:
        return divided(warehouse, history(people=asked, columns=()), people, most_people)


def fitting(warehouse: Readable, people: Sequence[int], most_rows: int) -> list[int]:
    """Of people the first ones, in their order, whose history together is no longer than so many events; who alone has a hundredth of that is passed over.
    Ascending; all of them, if that fits."""
    with warehouse.people(people) as asked:
        rows: Any = history(people=asked, columns=())
        counted = warehouse.run(rows.group_by("person_id").aggregate(events=rows.count()))
    events = dict(zip(counted["person_id"].to_pylist(), counted["events"].to_pylist(), strict=True))
    if sum(events.values()) <= most_rows:
        return sorted(people)
    usual = [person for person in people if events.get(person, 0) <= most_rows // 100]
    together = np.cumsum([events.get(person, 0) for person in usual])
    return sorted(usual[: int(np.searchsorted(together, most_rows, side="right"))])


def divided(warehouse: Readable, events: ir.Table, people: Any, most_people: int = ROWS_OF_A_PART) -> list[Any]:
    """The same of whoever has one of these events, and of these people, who may have none."""
    rows: Any = events
    counted = warehouse.run(rows.group_by("person_id").aggregate(events=rows.count()))
    everybody = np.union1d(counted["person_id"].to_numpy(), np.asarray(people, np.int64))
    weights = np.full(len(everybody), -(-ROWS_OF_A_PART // most_people), np.int64)  # so many people fill a part, too
    places = np.searchsorted(everybody, counted["person_id"].to_numpy())
    weights[places] = np.maximum(weights[places], counted["events"].to_numpy())
    numbers = (np.cumsum(weights) - 1) // ROWS_OF_A_PART
    return [part for part in np.split(everybody, np.flatnonzero(np.diff(numbers)) + 1) if len(part)]
