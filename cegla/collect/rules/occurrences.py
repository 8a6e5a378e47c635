"""How often a key came before, over a file of any length: twelve bytes for each different key."""

from typing import Any

import numpy as np

_SHELF_BITS = 6


class Occurrences:
    """Counts keys given as 64-bit hashes, part after part of a file. They stand on shelves by their first bits, so that one more
    part copies a shelf at a time and never the whole."""

    def __init__(self) -> None:
        self._shelves = [_Shelf() for _ in range(1 << _SHELF_BITS)]

    def count(self, hashes: Any) -> Any:
        """For each key (numpy uint64) how many equal ones came before it, in this part or an earlier one."""
        different, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        ends = np.searchsorted(different >> np.uint64(64 - _SHELF_BITS), np.arange(len(self._shelves), dtype=np.uint64), side="right")
        earlier = np.empty(len(different), np.int64)
        start = 0
        for shelf, end in zip(self._shelves, ends.tolist(), strict=True):
            earlier[start:end] = shelf.add(different[start:end], counts[start:end])
            start = end
        if len(different) == len(hashes) and not earlier.any():
            return earlier
        return earlier[inverse] + _rank_among_equals(inverse, counts)


class _Shelf:
    """Different hashes in ascending order, and how often each came."""

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.uint64)
        self._counts = np.empty(0, np.uint32)

    def add(self, hashes: Any, counts: Any) -> Any:
        """Put ascending hashes where they belong; how often each of them came before."""
        places = np.searchsorted(self._hashes, hashes)
        known = np.zeros(len(hashes), bool)
        inside = places < len(self._hashes)
        known[inside] = self._hashes[places[inside]] == hashes[inside]
        earlier = np.zeros(len(hashes), np.int64)
        earlier[known] = self._counts[places[known]]
        self._counts[places[known]] += counts[known].astype(np.uint32)
        self._hashes = np.insert(self._hashes, places[~known], hashes[~known])
        self._counts = np.insert(self._counts, places[~known], counts[~known].astype(np.uint32))
        return earlier


def _rank_among_equals(groups: Any, sizes: Any) -> Any:
    """For each row how many rows of its group stand above it."""
    order = np.argsort(groups, kind="stable")
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - starts
    return ranks
