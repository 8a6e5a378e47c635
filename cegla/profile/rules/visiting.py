"""Visits by what they were for, and weeks that are not like the ones before.

Four strategies of visits after Moe (2003): directed buying (few products of one kind, looked at again), search (many products of few kinds, by
search), browsing (many kinds, few products again) and building knowledge (pages of information, hardly a product).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

KINDS = ("directed", "search", "browse", "knowledge")
LEAST_STEPS = 2  #: pages and products of a visit, for it to have a strategy
#: Weights of (constant, breadth, repetition, search share, information share, product share) for each strategy. Set by hand from Moe's account:
#: breadth is kinds per product, repetition products looked at again, the shares are of all steps.
_WEIGHTS = np.array([
    [-0.2, -2.2, 2.8, -1.4, -2.5, 1.6],
    [-0.9, -0.6, -0.4, 5.2, -2.0, 0.6],
    [-0.8, 3.4, -2.0, -2.4, -1.6, 1.2],
    [-1.2, -0.6, -1.2, -1.5, 4.6, -2.6],
])  # fmt: skip
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
    steps = np.maximum(visit.steps, 1.0)
    products, looks = np.maximum(visit.products, 1.0), np.maximum(visit.looks, 1.0)
    breadth = np.where(visit.looks > 0, visit.kinds / products, 0.0) * np.minimum(visit.kinds / 3.0, 1.0)
    repetition = np.where(visit.looks > 0, 1.0 - visit.products / looks, 0.0)
    bought = np.minimum(visit.buying, 2.0) * 0.25
    table = np.column_stack([
        np.ones_like(steps), breadth, np.minimum(repetition + bought, 1.0), visit.searches / steps, visit.information / steps, visit.looks / steps,
    ])  # fmt: skip
    return np.where(visit.steps >= LEAST_STEPS, np.argmax(table @ _WEIGHTS.T, axis=1), -1)


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
