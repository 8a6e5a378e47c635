"""Ranges of addresses: which range a number lies in, and how much of a network is covered."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np


def merged(rows: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Ranges (first, last, value) in order, without overlaps: neighbours of one value become one, and the earlier keeps what two claim."""
    current: tuple[int, int, int] | None = None
    for first, last, value in rows:
        if current is not None:
            first = max(first, current[1] + 1)
            if first > last:
                continue
            if first == current[1] + 1 and value == current[2]:
                current = (current[0], last, value)
                continue
            yield current
        current = (first, last, value)
    if current is not None:
        yield current


class Ranges:
    """Ranges that do not overlap, by number; of IPv6 the first 48 bits are the number."""

    def __init__(self, columns: Mapping[str, "np.ndarray[Any, Any]"], name: str) -> None:
        lengths = columns[f"{name}_length"].astype(np.uint64)
        steps = columns[f"{name}_gap"].astype(np.uint64) + lengths + np.uint64(1)
        self.last: np.ndarray[Any, Any] = np.cumsum(steps, dtype=np.uint64) - np.uint64(1)
        self.first: np.ndarray[Any, Any] = self.last - lengths
        self.value: np.ndarray[Any, Any] = columns[f"{name}_value"]

    def at(self, number: int) -> int | None:
        """The value of the range that holds the number; None when none does."""
        place = int(np.searchsorted(self.last, np.uint64(number)))
        return int(self.value[place]) if place < len(self.last) and self.first[place] <= number else None

    def covered(self, first: int, last: int) -> float:
        """How much of first..last lies in a range, 0 to 1."""
        place = int(np.searchsorted(self.last, np.uint64(first)))
        found = 0
        while place < len(self.last) and self.first[place] <= last:
            found += min(last, int(self.last[place])) - max(first, int(self.first[place])) + 1
            place += 1
        return found / (last - first + 1)
