"""Words of interest: the words a person meets more often than the base does, by log-odds with a prior of the base (Monroe et al. 2008)."""

from collections.abc import Iterator, Mapping, Sequence
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
    words = sorted({word for page in words_of_page for word in page if word in usual})
    place_of = {word: place for place, word in enumerate(words)}
    met, often = _met((rows, codes, times), [[place_of[word] for word in page if word in place_of] for page in words_of_page], len(words))
    known = often >= LEAST_TIMES
    (person, word), often = np.divmod(met[known], max(len(words), 1)), often[known]
    shares = np.array([usual[one] / readers for one in words])
    lead = _leads(often, np.bincount(rows, times, people)[person], shares[word])
    order = np.lexsort((word, -lead, person))
    order = order[lead[order] > 0]
    for one, found in _by_person(person[order]):
        chosen = order[found][:MOST_WORDS]
        values[one] = [words[place] for place in word[chosen].tolist()]
        best[one], counted[one] = values[one][0], int(often[chosen].max())
    return values, counted, best


def _met(flat: tuple[Any, Any, Any], places_of_page: Sequence[Sequence[int]], words: int) -> tuple[Any, Any]:
    """Which words each person met (person * `words` + place of the word, ascending), and how often."""
    rows, codes, times = flat
    lengths = np.array([len(places) for places in places_of_page], np.int64)
    begins, every = np.cumsum(lengths) - lengths, np.array([place for places in places_of_page for place in places], np.int64)
    many = lengths[codes] if len(codes) else np.zeros(0, np.int64)
    within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    keys = np.repeat(rows, many) * words + every[np.repeat(begins[codes] if len(codes) else many, many) + within]
    met, places = np.unique(keys, return_inverse=True)
    return met, np.bincount(places, np.repeat(times, many), len(met))


def _by_person(people: Any) -> Iterator[tuple[int, slice]]:
    """Each of these people, who stand together, with the places where."""
    begins = np.flatnonzero(np.diff(people, prepend=-1))
    ends = np.append(begins, len(people))[1:]
    for one, begin, end in zip(people[begins].tolist(), begins.tolist(), ends.tolist(), strict=True):
        yield one, slice(begin, end)


def _leads(often: Any, whole: Any, shares: Any) -> Any:
    """How many standard deviations the log-odds of each word lie above the base's; 0 or less: not more often than usual."""
    shares = np.clip(shares, 1e-4, 0.999)
    expected = PRIOR * shares
    odds = np.log((often + expected) / np.maximum(whole + PRIOR - often - expected, 0.5)) - np.log(shares / (1 - shares))
    return np.round(odds / np.sqrt(1.0 / (often + expected)), 6)
