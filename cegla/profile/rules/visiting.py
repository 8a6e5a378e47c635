"""Visits by what they were for, and weeks that are not like the ones before.

Four strategies of visits after Moe (2003): directed buying (few products of one kind, looked at again), search (many products of few kinds, by
search), browsing (many kinds, few products again) and building knowledge (pages of information, hardly a product).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

KINDS = ("directed", "search", "browse", "knowledge")
LEAST_STEPS = 2  #: pages and products of a visit, for it to have a strategy
#: From which share of the steps a visit builds knowledge, or searches; how much is looked at again, or how few kinds there are, when it is directed.
KNOWLEDGE, SEARCHING, AGAIN, FEW_KINDS = 0.42, 0.2, 0.34, 0.6
SLACK, LIMIT = 0.5, 4.0  #: of the cumulative sum, in standard deviations (Page 1954)
LEAST_WEEKS = 6


class Visit(NamedTuple):
    """Columns over visits: steps in all, searches, information pages, products looked at, different ones, different kinds, and deeds of buying."""

    steps: Any
    searches: Any
    information: Any
    looks: Any
    products: Any
    kinds: Any
    buying: Any


def strategies(visit: Visit) -> Any:
    """The place in `KINDS` of each visit; -1 where there was too little of it."""
    steps, looks, products = (np.maximum(column, 1.0) for column in (visit.steps, visit.looks, visit.products))
    again = 1.0 - visit.products / looks
    few = visit.kinds / products <= FEW_KINDS
    directed = (again >= AGAIN) | (visit.buying >= 2) | ((visit.buying > 0) & few)
    place = np.select(
        [visit.information / steps >= KNOWLEDGE, visit.searches / steps >= SEARCHING, (visit.looks > 0) & directed,
            (visit.looks > 0) & few & (visit.searches > 0)],
        [KINDS.index("knowledge"), KINDS.index("search"), KINDS.index("directed"), KINDS.index("search")], KINDS.index("browse"),
    )  # fmt: skip
    return np.where(visit.steps >= LEAST_STEPS, place, -1)


def departure(weekly: Sequence[float]) -> float:
    """By how many standard deviations, summed up, the last weeks lie above (positive) or below (negative) the ones before; 0 within the usual.

    `weekly` is oldest first; the first three quarters say what is usual. A two-sided cumulative sum with slack.
    """
    values = np.sqrt(np.asarray(weekly, np.float64))  # counts: the square root makes their spread even
    if len(values) < LEAST_WEEKS:
        return 0.0
    usual = values[: max(LEAST_WEEKS - 2, len(values) * 3 // 4)]
    spread = max(float(usual.std()), 0.5)
    above = below = 0.0
    for value in values[len(usual) :]:
        lead = (value - float(usual.mean())) / spread
        above, below = max(0.0, above + lead - SLACK), max(0.0, below - lead - SLACK)
    worst = above if above >= below else -below
    return round(worst, 3) if abs(worst) >= LIMIT else 0.0
