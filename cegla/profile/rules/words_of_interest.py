"""Words of interest: the words a person meets more often than the base does, by log-odds with a prior of the base (Monroe et al. 2008)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

PRIOR = 4.0  #: readings of what everybody reads, added to everybody
MOST_WORDS = 6
LEAST_TIMES = 2  #: a word met once is chance


def favourite_words(
    flat: tuple[Any, Any, Any, Any], words_of_page: Sequence[Sequence[str]], usual: Mapping[str, int], people: int
) -> tuple[list[Any], Any, list[str | None]]:
    """Of each person the words that stand out, in how many readings any of them was, and the first.

    `flat` is rows (person), codes (page), weights and times, along each other; `usual` how many readers know a word, under "" all readers.
    """
    rows, codes, _, times = flat
    values: list[Any] = [None] * people
    counted, best = np.zeros(people, np.int64), list[str | None]([None] * people)
    readers = float(usual.get("", 0))
    if not readers:
        return values, counted, best
    met: dict[int, dict[str, float]] = {}
    whole = np.bincount(rows, times, people)
    places: list[int] = codes.tolist()
    for person, code, often in zip(rows.tolist(), places, times.tolist(), strict=True):
        own = met.setdefault(person, {})
        for word in words_of_page[code]:
            own[word] = own.get(word, 0.0) + often
    for person, own in met.items():
        known = [(word, often) for word, often in own.items() if often >= LEAST_TIMES and word in usual]
        ranked = sorted((-_lead(often, whole[person], usual[word] / readers), word) for word, often in known)
        found = [word for lead, word in ranked if lead < 0][:MOST_WORDS]
        if found:
            values[person], best[person] = found, found[0]
            counted[person] = int(max(own[word] for word in found))
    return values, counted, best


def _lead(often: float, whole: float, share: float) -> float:
    """How many standard deviations the log-odds of a word lie above the base's; 0 or less: not more often than usual."""
    share = min(max(share, 1e-4), 0.999)
    expected = PRIOR * share
    odds = np.log((often + expected) / max(whole + PRIOR - often - expected, 0.5)) - np.log(share / (1 - share))
    return round(float(odds / np.sqrt(1.0 / (often + expected))), 6)
