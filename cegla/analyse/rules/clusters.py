"""Groups of alike customers: k-means, with the number of groups chosen by stability and by how much of the future they explain.

    features as of a day 90 days ago ─► standardized ─► for k = 2..8: two halves grouped apart, do they agree about everybody?   (stability)
                                                                     how much of what people spent in the 90 days since does the group explain?

Stability is the mean adjusted Rand index (Hubert and Arabie 1985) of pairs of groupings made from random halves; what groups explain is η², the share
of the variance of log spending between them, less what as many random groups would explain (Kelley's ε²). Of the numbers that are stable the one that
explains most is taken; when adding groups explains hardly more, the smaller one is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cegla.vocabulary.text import Text

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
FEWEST_GROUPS, MOST_GROUPS = 2, 8
PAIRS, ROUNDS, STARTS = 4, 60, 4
FEWEST_PEOPLE = 50
MOST_TRIED = 8_000  #: so many people decide on the number of groups
STABLE, NOTICEABLE = 0.75, 0.01
STANDS_OUT = 0.35  #: in standard deviations


@dataclass(frozen=True)
class Feature:
    """One thing customers differ in: how much of it is said of a group that has little, and much."""

    key: str
    little: Text
    much: Text
    logarithmic: bool = True


FEATURES = (
    Feature("recency_days", Text("kupują niedawno", "bought recently"), Text("dawno nie kupowali", "have not bought for long")),
    Feature("orders", Text("kupują rzadko", "buy rarely"), Text("kupują często", "buy often")),
    Feature("average_micros", Text("mają małe koszyki", "have small baskets"), Text("mają duże koszyki", "have large baskets")),
    Feature("tenure_days", Text("są z nami od niedawna", "have been here a short time"), Text("są z nami od dawna", "have been here a long time")),
    Feature("categories", Text("trzymają się kilku rodzajów rzeczy", "keep to a few kinds of things"), Text("kupują różne rzeczy", "buy all kinds of things")),
    Feature("refund_share", Text("prawie niczego nie zwracają", "return next to nothing"), Text("często zwracają", "return a lot"), logarithmic=False),
)


@dataclass(frozen=True)
class Tried:
    """One number of groups: how stable, and how much of the future it explains, both up to 1."""

    groups: int
    stability: float
    explains: float


@dataclass(frozen=True)
class Group:
    """One group: its people (places in the input), its share, the medians of its features, what it spends after, and what stands out."""

    people: tuple[int, ...]
    share: float
    medians: dict[str, float]
    later: float
    words: Text


@dataclass(frozen=True)
class Grouping:
    """The groups, the largest spenders to come first, and all the numbers that were tried."""

    groups: tuple[Group, ...]
    tried: tuple[Tried, ...]
    stability: float
    explains: float


def grouped(values: Floats, later: Floats, seed: int) -> Grouping:
    """Group people by `values` (a row a person, a column a feature of `FEATURES`); `later` is what each came to afterwards, never negative.

    The same seed gives the same groups. Nobody is no group; fewer than 50 people, or people who do not differ, are one group.
    """
    if not len(values):
        return Grouping((), (), 1.0, 0.0)
    points, chance = standardized(values), np.random.default_rng(seed)
    if len(points) < FEWEST_PEOPLE or len(np.unique(points, axis=0)) < MOST_GROUPS:
        return Grouping((_group(np.arange(len(points)), points, values, later),), (), 1.0, 0.0)
    chosen = chance.choice(len(points), min(len(points), MOST_TRIED), replace=False)
    tried = tuple(
        Tried(k, stability(points[chosen], k, chance), explained(assigned(points[chosen], centres(points[chosen], k, chance)), np.log1p(later[chosen])))
        for k in range(FEWEST_GROUPS, MOST_GROUPS + 1)
    )
    best = pick(tried)
    middles = centres(points[chosen], best.groups, chance)
    labels = assigned(points, middles)
    groups = [_group(np.flatnonzero(labels == number), points, values, later) for number in range(best.groups)]
    return Grouping(tuple(sorted((one for one in groups if one.people), key=lambda one: -one.later)), tried, best.stability, best.explains)


def pick(tried: Sequence[Tried]) -> Tried:
    """The number of groups to take: of the stable ones (or, when there are none, of the most stable) the smallest that explains nearly the most."""
    stable = [one for one in tried if one.stability >= STABLE] or [max(tried, key=lambda one: one.stability)]
    most = max(one.explains for one in stable)
    return next(one for one in sorted(stable, key=lambda one: one.groups) if one.explains >= most - NOTICEABLE)


def standardized(values: Floats) -> Floats:
    """Features on one scale: logarithms where amounts span magnitudes, then mean 0 and deviation 1, cut at 4; what does not vary is 0."""
    scaled = values.astype(np.float64, copy=True)
    for place, feature in enumerate(FEATURES):
        if feature.logarithmic:
            scaled[:, place] = np.log1p(np.maximum(scaled[:, place], 0))
    deviation = scaled.std(axis=0)
    return np.clip((scaled - scaled.mean(axis=0)) / np.where(deviation > 0, deviation, 1), -4, 4)


def centres(points: Floats, k: int, chance: Any) -> Floats:
    """The middles of k groups: the best of some starts of Lloyd's algorithm, each begun by k-means++ (Arthur and Vassilvitskii 2007)."""
    runs = [_lloyd(points, _begun(points, k, chance)) for _ in range(STARTS)]
    return min(runs, key=lambda middles: float(_distances(points, middles).min(axis=1).sum()))


def assigned(points: Floats, middles: Floats) -> Labels:
    """The nearest middle of each."""
    return _distances(points, middles).argmin(axis=1).astype(np.int64)


def stability(points: Floats, k: int, chance: Any) -> float:
    """How much groupings from random halves agree about everybody: the mean adjusted Rand index, 1 for always, about 0 for by chance."""
    found: list[float] = []
    for _ in range(PAIRS):
        order = chance.permutation(len(points))
        half = len(points) // 2
        first, second = (assigned(points, centres(points[part], k, chance)) for part in (order[:half], order[half:]))
        found.append(agreement(first, second))
    return float(np.mean(found))


def agreement(first: Labels, second: Labels) -> float:
    """The adjusted Rand index of two groupings of the same people."""
    table = np.zeros((int(first.max()) + 1, int(second.max()) + 1))
    np.add.at(table, (first, second), 1)
    pairs = lambda counts: float((counts * (counts - 1) / 2).sum())  # noqa: E731
    both, rows, columns, whole = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0)), len(first) * (len(first) - 1) / 2
    expected = rows * columns / whole
    most = (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)


def explained(labels: Labels, outcome: Floats) -> float:
    """The share of an outcome's variance that lies between groups, less what chance gives; never below 0."""
    whole = float(((outcome - outcome.mean()) ** 2).sum())
    groups = [outcome[labels == number] for number in np.unique(labels)]
    if whole == 0 or len(outcome) <= len(groups):
        return 0.0
    within = sum(float(((one - one.mean()) ** 2).sum()) for one in groups)
    return max(0.0, 1 - (within / (len(outcome) - len(groups))) / (whole / (len(outcome) - 1)))


def _group(people: Labels, points: Floats, values: Floats, later: Floats) -> Group:
    medians = {feature.key: float(np.median(values[people, place])) if len(people) else 0.0 for place, feature in enumerate(FEATURES)}
    middle = points[people].mean(axis=0) if len(people) else np.zeros(len(FEATURES))
    return Group(tuple(people.tolist()), len(people) / len(points), medians, float(later[people].mean()) if len(people) else 0.0, _described(middle))


def _described(middle: Floats) -> Text:
    """The three features in which the group lies farthest from everybody, in words."""
    far = [place for place in np.argsort(-np.abs(middle)) if abs(middle[place]) >= STANDS_OUT][:3]
    said = [FEATURES[place].much if middle[place] > 0 else FEATURES[place].little for place in far]
    return Text(_joined([one.pl for one in said], " i ") or "są przeciętni", _joined([one.en for one in said], " and ") or "are average")


def _joined(words: Sequence[str], last: str) -> str:
    return last.join(filter(None, [", ".join(words[:-1]), words[-1] if words else ""]))


def _begun(points: Floats, k: int, chance: Any) -> Floats:
    middles = points[chance.integers(len(points))][None, :]
    while len(middles) < k:
        nearest = _distances(points, middles).min(axis=1)
        whole = nearest.sum()
        place = chance.integers(len(points)) if whole <= 0 else chance.choice(len(points), p=nearest / whole)
        middles = np.vstack([middles, points[place]])
    return middles


def _lloyd(points: Floats, middles: Floats) -> Floats:
    for _ in range(ROUNDS):
        labels = assigned(points, middles)
        sizes = np.bincount(labels, minlength=len(middles)).astype(np.float64)
        sums = np.stack([np.bincount(labels, weights=points[:, place], minlength=len(middles)) for place in range(points.shape[1])], axis=1)
        moved = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1)[:, None], middles)
        if np.allclose(moved, middles, atol=1e-6):
            return moved
        middles = moved
    return middles


def _distances(points: Floats, middles: Floats) -> Floats:
    """Squared, each point to each middle."""
    return np.maximum((points**2).sum(axis=1)[:, None] - 2 * points @ middles.T + (middles**2).sum(axis=1)[None, :], 0)
