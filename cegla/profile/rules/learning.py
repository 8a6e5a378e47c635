"""What analysers learn with: logistic regression, percentiles, calibration, and boosted trees, in columns of numbers and nothing else.

Everything here gives JSON (`dict`s and lists) and reads it back, so that what was learnt can be kept and shown. Nothing is drawn at
random: the same rows give the same model.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Column = Any  # a numpy array of one dimension
Matrix = Any  # a numpy array of two: rows of people, columns of features
_ROUNDS = 60
_HUNDRED = 101


def logistic(values: Matrix, outcomes: Column, ridge: float = 1.0) -> dict[str, Any]:
    """Logistic regression by Newton's method (iteratively reweighted least squares), with a ridge on the standardized weights."""
    values, outcomes = np.asarray(values, np.float64), np.asarray(outcomes, np.float64)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    design = np.column_stack([np.ones(len(values)), (values - mean) / spread])
    penalty = np.diag([1e-6, *[ridge] * values.shape[1]])
    weights = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        chance = sigmoid(design @ weights)
        gradient = design.T @ (outcomes - chance) - penalty @ weights
        step = np.linalg.solve((design * (chance * (1 - chance))[:, None]).T @ design + penalty, gradient)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    raw = weights[1:] / spread
    return {"intercept": float(weights[0] - raw @ mean), "weights": [float(one) for one in raw]}


def log_odds(model: Mapping[str, Any], values: Matrix) -> Column:
    """What `logistic` learnt says of rows, before it is a chance."""
    return float(model["intercept"]) + np.asarray(values, np.float64) @ np.asarray(model["weights"], np.float64)


def sigmoid(odds: Column) -> Column:
    """Log-odds as a chance of 0 to 1."""
    return 1.0 / (1.0 + np.exp(-np.clip(odds, -40.0, 40.0)))


def percentiles(values: Column) -> list[float]:
    """The 0th to 100th percentile of a column."""
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    return np.quantile(known, np.linspace(0, 1, _HUNDRED)).tolist() if len(known) else []


def rank(cuts: Sequence[float], values: Column) -> Column:
    """The share of the base, in percent, that is no greater than each value: equal values, equal rank (see `percentiles`)."""
    return np.clip(np.searchsorted(np.asarray(cuts), np.asarray(values, np.float64), side="right") - 1, 0, 100).astype(np.float64)


def isotonic(scores: Column, outcomes: Column, most: int = 100) -> dict[str, Any]:
    """Chances that never fall as the score grows (pool adjacent violators), as steps to go between in straight lines."""
    order = np.argsort(scores, kind="stable")
    blocks: list[list[float]] = []  # [sum of outcomes, rows, sum of scores]
    for part in np.array_split(order, min(len(order), 4 * most)):
        blocks.append([float(np.sum(np.asarray(outcomes, np.float64)[part])), float(len(part)), float(np.sum(np.asarray(scores, np.float64)[part]))])
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last = blocks.pop()
            blocks[-1] = [one + other for one, other in zip(blocks[-1], last, strict=True)]
    return {"scores": [total / rows for _, rows, total in blocks], "chances": [(hits + 0.5) / (rows + 1.0) for hits, rows, _ in blocks]}


def calibrated(steps: Mapping[str, Any], scores: Column) -> Column:
    """Chances of scores, as `isotonic` learnt them."""
    return np.interp(np.asarray(scores, np.float64), steps["scores"], steps["chances"])


# boosted trees -----------------------------------------------------------------------------------------------------------


def boosted(values: Matrix, outcomes: Column, *, trees: int = 120, depth: int = 4, rate: float = 0.08, least: float = 20.0) -> dict[str, Any]:
    """Gradient boosting of small trees on log-loss, with features cut into at most 48 bins (Friedman 2001; second-order gains).

    `least` is the weight (sum of second derivatives times four, about the rows) that a leaf needs. Missing values (NaN) go low.
    """
    values, outcomes = np.nan_to_num(np.asarray(values, np.float64), nan=-1e300), np.asarray(outcomes, np.float64)
    cuts = [np.unique(np.quantile(column, np.linspace(0.02, 0.98, 47), method="lower")) for column in values.T]
    bins = np.column_stack([np.searchsorted(cut, column, side="left") for cut, column in zip(cuts, values.T, strict=True)])
    base = float(np.clip(outcomes.mean(), 1e-6, 1 - 1e-6))
    start = float(np.log(base / (1 - base)))
    odds, grown = np.full(len(outcomes), start), list[Any]()
    for _ in range(trees):
        chance = sigmoid(odds)
        tree, leaf = _tree(bins, outcomes - chance, chance * (1 - chance), (depth, least / 4.0, max(len(cut) for cut in cuts) + 1))
        odds += rate * np.asarray(tree["leaves"])[leaf]
        tree["cuts"] = [float(cuts[feature][place]) if feature >= 0 else 0.0 for feature, place in zip(tree["features"], tree.pop("places"), strict=True)]
        grown.append(tree)
    return {"start": start, "rate": rate, "depth": depth, "trees": grown}


def boosted_odds(model: Mapping[str, Any], values: Matrix) -> Column:
    """The log-odds that boosted trees give rows."""
    values = np.nan_to_num(np.asarray(values, np.float64), nan=-1e300)
    odds, rows = np.full(len(values), float(model["start"])), np.arange(len(values))
    for tree in model["trees"]:
        features, cuts = np.asarray(tree["features"]), np.asarray(tree["cuts"])
        node = np.zeros(len(values), np.int64)
        for _ in range(model["depth"]):
            feature = features[node]
            right = (feature >= 0) & (values[rows, np.maximum(feature, 0)] > cuts[node])
            node = 2 * node + 1 + right
        odds += model["rate"] * np.asarray(tree["leaves"])[node - len(features)]
    return odds


def _tree(bins: Matrix, gradient: Column, curvature: Column, shape: tuple[int, float, int]) -> tuple[dict[str, Any], Column]:
    """One tree, level by level, as arrays in the order of a heap, and the leaf of each row. A node that gains nothing sends all to the left."""
    depth, least, width = shape
    node, features, places = np.zeros(len(bins), np.int64), list[int](), list[int]()
    for level in range(depth):
        count = 2**level
        best = [(0.0, -1, 0)] * count
        for feature in range(bins.shape[1]):
            slots = node * width + bins[:, feature]
            slopes = np.cumsum(np.bincount(slots, gradient, count * width).reshape(count, width), axis=1)
            weights = np.cumsum(np.bincount(slots, curvature, count * width).reshape(count, width), axis=1)
            whole, heavy = slopes[:, -1:], weights[:, -1:]
            gain = slopes**2 / (weights + 1.0) + (whole - slopes) ** 2 / (heavy - weights + 1.0) - whole**2 / (heavy + 1.0)
            gain = np.where((weights >= least) & (heavy - weights >= least), gain, 0.0)
            for one, place in enumerate(np.argmax(gain, axis=1).tolist()):
                if gain[one, place] > best[one][0] + 1e-9:
                    best[one] = (float(gain[one, place]), feature, place)
        chosen, cut = np.array([feature for _, feature, _ in best]), np.array([place for _, _, place in best])
        features += chosen.tolist()
        places += cut.tolist()
        mine = chosen[node]
        node = 2 * node + ((mine >= 0) & (bins[np.arange(len(bins)), np.maximum(mine, 0)] > cut[node]))
    slopes, weights = np.bincount(node, gradient, 2**depth), np.bincount(node, curvature, 2**depth)
    return {"features": features, "places": places, "leaves": (slopes / (weights + 1.0)).tolist()}, node
