"""How often a key came before, over a file of any length: twelve bytes for each different key."""

from typing import Any

import numpy as np


class Occurrences:
    """Counts keys given as 64-bit hashes, part after part of a file."""

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.uint64)  # ascending
        self._counts = np.empty(0, np.uint32)

    def count(self, hashes: Any) -> Any:
        """For each key (numpy uint64) how many equal ones came before it, in this part or an earlier one."""
        different, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
        places = np.searchsorted(self._hashes, different)
        known = np.zeros(len(different), bool)
        inside = places < len(self._hashes)
        known[inside] = self._hashes[places[inside]] == different[inside]
        earlier = np.zeros(len(different), np.int64)
        earlier[known] = self._counts[places[known]]
        self._counts[places[known]] += counts[known].astype(np.uint32)
        self._hashes = np.insert(self._hashes, places[~known], different[~known])
        self._counts = np.insert(self._counts, places[~known], counts[~known].astype(np.uint32))
        if len(different) == len(hashes) and not known.any():
            return np.zeros(len(hashes), np.int64)
        return earlier[inverse] + _rank_among_equals(inverse, counts)


def _rank_among_equals(groups: Any, sizes: Any) -> Any:
    """For each row how many rows of its group stand above it."""
    order = np.argsort(groups, kind="stable")
    starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - starts
    return ranks
