"""What leads with each of many people: of everything that was seen of a person, that with most weight. Whole columns at once, nobody on their own."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Leading(NamedTuple):
    """Along the people: what leads (a place in the list of what there is; -1: nothing was seen), what it weighs, and what everything weighs together."""

    place: Any
    weight: Any
    total: Any

    def of(self, names: Sequence[Any]) -> list[Any]:
        """What leads by its name; None where nothing was seen."""
        return [names[place] if place >= 0 else None for place in self.place.tolist()]


def leading(owners: Any, places: Any, weights: Any, people: int, names: Sequence[Any]) -> Leading:
    """Rows (place of the person, place in `names`, weight), several about the same too; of equal weights the first by name leads."""
    kinds = max(len(names), 1)
    pairs, which = np.unique(owners * kinds + places, return_inverse=True)
    sums = np.bincount(which, weights, len(pairs))
    owner, place = pairs // kinds, pairs % kinds
    ranks = np.empty(kinds, np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    order = np.lexsort((ranks[place], -sums, owner))
    first = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    best, heaviest = np.full(people, -1, np.int64), np.zeros(people)
    best[owner[first]], heaviest[owner[first]] = place[first], sums[first]
    return Leading(best, heaviest, np.bincount(owner, sums, people))


def coded(column: Any) -> tuple[Any, list[Any]]:
    """A column of Arrow as places in the list of its different values, in order of their first row; -1 for null."""
    found = column.dictionary_encode()
    return found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), found.dictionary.to_pylist()


def numbered(names: Sequence[Any]) -> tuple[list[Any], Any]:
    """The different names in their order, and of each name its place among them; -1 for None. However many there are: a stranger may send any."""
    among = sorted({name for name in names if name is not None})
    places = {name: place for place, name in enumerate(among)} | {None: -1}
    return among, np.array([places[name] for name in names], np.int64)
