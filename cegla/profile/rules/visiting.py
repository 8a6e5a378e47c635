"""Visits by what they were for, and weeks that are not like the ones before.

Four strategies of visits after Moe (2003): directed buying (few products of one kind, looked at again), search (many products of few kinds, by
search), browsing (many kinds, few products again) and building knowledge (pages of information, hardly a product).
"""

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


def departures(weekly: Any) -> Any:
    """By how many standard deviations, summed up, the last weeks lie above (positive) or below (negative) the ones before; 0 within the usual.

    One row a person and as many weeks of each, the oldest first; the first three quarters say what is usual. A two-sided cumulative sum with slack.
    """
    values = np.sqrt(np.asarray(weekly, np.float64))  # counts: the square root makes their spread even
    people, weeks = values.shape
    if weeks < LEAST_WEEKS:
        return np.zeros(people)
    usual = max(LEAST_WEEKS - 2, weeks * 3 // 4)
    mean, spread = _mean_and_spread(values[:, :usual])
    above, below = np.zeros(people), np.zeros(people)
    for week in range(usual, weeks):
        lead = (values[:, week] - mean) / np.maximum(spread, 0.5)
        above, below = np.maximum(0.0, above + lead - SLACK), np.maximum(0.0, below - lead - SLACK)
    worst = np.where(above >= below, above, -below)
    return np.where(np.abs(worst) >= LIMIT, np.round(worst, 3), 0.0)


def _mean_and_spread(values: Any) -> tuple[Any, Any]:
    """Of each row. Weeks are added one by one, so that a row comes to the same whoever else is asked about."""
    weeks = values.shape[1]
    mean = sum(values[:, week] for week in range(weeks)) / weeks
    return mean, np.sqrt(sum((values[:, week] - mean) ** 2 for week in range(weeks)) / weeks)
