"""Who still comes? BG/NBD: a person comes at a rate of their own and may leave for good after each visit (Fader, Hardie and Lee 2005).

`repeats` are visits after the first, `recency` the time of the last one after the first, `age` the time since the first, all in days.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Column = Any
#: The published estimates for CDNOW's customers (r, alpha in weeks, a, b), in days: what is assumed before the own base was looked at.
CDNOW: Mapping[str, float] = {"r": 0.243, "alpha": 4.414 * 7, "a": 0.793, "b": 2.426}
LEAST_PEOPLE = 100
MOST_PEOPLE = 4_000


def alive(model: Mapping[str, float], repeats: Column, recency: Column, age: Column) -> Column:
    """The chance that visits go on, given the past. Who came once may have left then already (MBG/NBD, Batislam et al. 2007)."""
    repeats = np.maximum(repeats, 0.0)
    odds = model["a"] / (model["b"] + np.maximum(repeats, 1.0) - 1.0)
    odds = odds * np.exp(np.minimum((model["r"] + repeats) * np.log((model["alpha"] + age) / (model["alpha"] + recency)), 700.0))
    once = model["a"] / model["b"] * ((model["alpha"] + age) / model["alpha"]) ** model["r"]
    return 1.0 / (1.0 + np.where(repeats > 0, odds, once))


def fitted(repeats: Column, recency: Column, age: Column) -> dict[str, float]:
    """The parameters that make the past of these people likeliest (Nelder and Mead 1965 on the logarithms); `CDNOW`'s for fewer than 100."""
    if len(repeats) < LEAST_PEOPLE:
        return dict(CDNOW)
    step = max(1, len(repeats) // MOST_PEOPLE)
    some = tuple(np.asarray(column, np.float64)[::step] for column in (repeats, recency, age))
    best = _least(lambda point: -_likelihood(np.exp(np.clip(point, -8.0, 8.0)), some), np.log([0.5, 20.0, 0.8, 2.5]))
    r, alpha, a, b = np.exp(np.clip(best, -8.0, 8.0)).tolist()
    return {"r": round(r, 5), "alpha": round(alpha, 5), "a": round(a, 5), "b": round(b, 5)}


def _likelihood(point: Column, people: Sequence[Column]) -> float:
    (r, alpha, a, b), (x, recency, age) = point, people
    head = _lgamma(r + x) - _lgamma(np.array([r]))[0] + r * np.log(alpha)
    bits = _lgamma(np.array([a + b]))[0] - _lgamma(np.array([b]))[0] + _lgamma(b + x) - _lgamma(a + b + x)
    stays = -(r + x) * np.log(alpha + age)
    leaves = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1.0) - 1.0) - (r + x) * np.log(alpha + recency), -np.inf)
    return float(np.mean(head + bits + np.logaddexp(stays, leaves)) - 0.001 * np.sum(np.log(point) ** 2))


def _lgamma(values: Column) -> Column:
    """The logarithm of the gamma function of positive numbers: Stirling's series after shifting by eight."""
    values = np.asarray(values, np.float64)
    shift = sum(np.log(values + step) for step in range(8))
    big = values + 8.0
    return (big - 0.5) * np.log(big) - big + 0.9189385332046727 + 1 / (12 * big) - 1 / (360 * big**3) + 1 / (1260 * big**5) - shift


def _least(cost: Callable[[Column], float], start: Column, rounds: int = 220) -> Column:
    """The point where a cost is least, by a simplex that mirrors, stretches and shrinks."""
    points = [np.asarray(start, np.float64), *[start + np.where(np.arange(len(start)) == axis, 0.5, 0.0) for axis in range(len(start))]]
    ranked = sorted(((cost(point), number, point) for number, point in enumerate(points)), key=lambda one: one[:2])
    for number in range(len(points), rounds + len(points)):
        centre = np.mean([point for _, _, point in ranked[:-1]], axis=0)
        worst = ranked[-1]
        mirrored = centre + (centre - worst[2])
        found = cost(mirrored)
        if found < ranked[0][0]:
            stretched = centre + 2 * (centre - worst[2])
            best = (cost(stretched), number, stretched)
            ranked[-1] = best if best[0] < found else (found, number, mirrored)
        elif found < ranked[-2][0]:
            ranked[-1] = (found, number, mirrored)
        else:
            inner = centre + 0.5 * (worst[2] - centre)
            found = cost(inner)
            if found < worst[0]:
                ranked[-1] = (found, number, inner)
            else:
                top = ranked[0][2]
                ranked = [ranked[0], *[(cost(top + 0.5 * (point - top)), place, top + 0.5 * (point - top)) for _, place, point in ranked[1:]]]
        ranked.sort(key=lambda one: one[:2])
    return ranked[0][2]
