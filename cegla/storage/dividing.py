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
