"""Whether one group did better than another: from sums over people to a verdict that holds however often somebody looks. Pure.

    arms ──► were they split as planned? (SRM) ──► less of what people did before (CUPED) ──► difference with an interval ──► a verdict

The verdict rests on the absolute difference. Its interval is an asymptotic confidence sequence (Waudby-Smith et al. 2021, eq. 9): it holds
at every look at once, so looking each hour proves nothing false more often than `ALPHA`. The lift in percent has a delta-method interval beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, inf, lgamma, log, sqrt
from typing import Literal

ALPHA = 0.05
SRM_ALPHA = 0.001  #: below this the groups are not what was planned, and nothing is said about them
TUNING = 5_000  #: of people the interval is tightest at
FEWEST = 30  #: people of a group; with fewer nothing is said

Verdict = Literal["split_wrong", "too_few", "no_effect", "better", "worse"]


@dataclass(frozen=True)
class Sums:
    """What an outcome `y` and the same before the experiment `x` come to over `n` people, those with nothing included."""

    n: int
    y: float
    yy: float
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    @property
    def mean(self) -> float:
        """The mean of the outcome."""
        return self.y / self.n if self.n else 0.0

    @property
    def variance(self) -> float:
        """The variance of the outcome in the sample."""
        return _cross(self.yy, self.y, self.y, self.n)

    def less(self, theta: float, middle: float) -> "Sums":
        """The outcome less `theta` times what `x` is above the `middle` of everybody: the same mean difference with less noise."""
        y = self.y - theta * (self.x - self.n * middle)
        centered = _cross(self.yy, self.y, self.y, self.n) + theta * theta * _cross(self.xx, self.x, self.x, self.n)
        variance = max(0.0, centered - 2 * theta * _cross(self.xy, self.x, self.y, self.n))
        return Sums(self.n, y, variance * (self.n - 1) + y * y / self.n if self.n else 0.0)


@dataclass(frozen=True)
class Difference:
    """How much `arm` is above `base`, a person: with the interval that holds at every look, and the lift where the base is not nothing."""

    arm: str
    base: str
    value: float
    low: float
    high: float
    p: float  #: always valid
    lift: float | None
    lift_low: float | None
    lift_high: float | None

    @property
    def verdict(self) -> Verdict:
        """What may be said of this pair alone."""
        return "better" if self.low > 0 else "worse" if self.high < 0 else "no_effect"


@dataclass(frozen=True)
class Result:
    """What may be said of an experiment. `winner` is the one arm that is above every other; empty while there is none."""

    verdict: Verdict
    split_p: float
    differences: tuple[Difference, ...]
    winner: str = ""


def judge(arms: Mapping[str, Sums], shares: Mapping[str, float], alpha: float = ALPHA) -> Result:
    """Every pair of arms compared, the first named as base, with `alpha` shared among the pairs; nothing is said of a split that went wrong."""
    split_p = split([arms[key].n for key in arms], [shares[key] for key in arms])
    pairs = list(combinations(arms, 2))
    if not pairs or min(one.n for one in arms.values()) < FEWEST:
        return Result("too_few", split_p, ())
    if split_p < SRM_ALPHA:
        return Result("split_wrong", split_p, ())
    if not any(one.yy for one in arms.values()):  # nobody did anything yet: an interval from nothing to nothing would be sure of what nobody saw
        return Result("no_effect", split_p, ())
    adjusted = adjust(arms)
    found = tuple(compare((arm, adjusted[arm]), (base, adjusted[base]), alpha / len(pairs)) for base, arm in pairs)
    above = {(one.arm, one.base) if one.verdict == "better" else (one.base, one.arm) for one in found if one.verdict != "no_effect"}
    winner = next((key for key in arms if all((key, other) in above for other in arms if other != key)), "")
    verdict: Verdict = "better" if winner and winner != next(iter(arms)) else "worse" if winner else "no_effect"
    return Result(verdict, split_p, found, winner)


def adjust(arms: Mapping[str, Sums]) -> dict[str, Sums]:
    """CUPED: each arm less what its people did before, by one theta over all arms pooled; without any history before it stays as it is."""
    n, y, x = (sum(getattr(one, name) for one in arms.values()) for name in ("n", "y", "x"))
    spread = _cross(sum(one.xx for one in arms.values()), x, x, int(n))
    if spread <= 0:
        return dict(arms)
    theta = _cross(sum(one.xy for one in arms.values()), x, y, int(n)) / spread
    return {key: one.less(theta, x / n) for key, one in arms.items()}


def compare(arm: tuple[str, Sums], base: tuple[str, Sums], alpha: float = ALPHA) -> Difference:
    """One arm beside another.

    The smaller varies at least as much as the larger: of a few people held out perhaps nobody bought yet, which proves no certainty.
    """
    (key, one), (other_key, other) = arm, base
    value = one.mean - other.mean
    spread = max(one.variance, other.variance if one.n < other.n else 0.0)
    other_spread = max(other.variance, one.variance if other.n < one.n else 0.0)
    variance = spread / one.n + other_spread / other.n
    n = one.n + other.n
    half = always_valid(variance, n, alpha)
    lift = lift_half = None
    if other.mean > 0:
        lift = value / other.mean
        lift_half = always_valid(spread / one.n / other.mean**2 + one.mean**2 * other_spread / other.n / other.mean**4, n, alpha)
    low, high = (None, None) if lift is None or lift_half is None else (lift - lift_half, lift + lift_half)
    return Difference(key, other_key, value, value - half, value + half, always_valid_p(value, variance, n, alpha), lift, low, high)


def always_valid(variance: float, n: int, alpha: float = ALPHA, tuning: float = TUNING) -> float:
    """Half the width of the confidence sequence for a difference of this variance, estimated from `n` people together."""
    if variance <= 0 or n <= 0:
        return 0.0
    rho = _rho(alpha, tuning)
    grown = n * rho * rho + 1
    return sqrt(n * variance) * sqrt(2 * grown * log(sqrt(grown) / alpha) / (n * rho) ** 2)


def always_valid_p(value: float, variance: float, n: int, alpha: float = ALPHA) -> float:
    """The p value that belongs to the sequence: below `alpha` exactly when its interval leaves out nothing."""
    if variance <= 0 or n <= 0:
        return 1.0 if value == 0 else 0.0
    rho = _rho(alpha, TUNING)
    grown = n * rho * rho + 1
    return min(1.0, sqrt(grown) * exp(-((value * n * rho) ** 2) / (2 * grown * n * variance)))


def welch(arm: Sums, base: Sums) -> float:
    """The p value of Welch's test, for one look that was planned: the second opinion in tests and the record."""
    parts = arm.variance / arm.n, base.variance / base.n
    if sum(parts) <= 0:
        return 1.0 if arm.mean == base.mean else 0.0
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (arm.n - 1) + parts[1] ** 2 / (base.n - 1))
    t = (arm.mean - base.mean) / sqrt(sum(parts))
    return _beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def split(found: Sequence[int], shares: Sequence[float]) -> float:
    """How likely a split this far from the planned shares is by chance (chi-square): the sample-ratio mismatch."""
    whole, planned = sum(found), sum(shares)
    if len(found) < 2 or not whole:
        return 1.0
    distance = sum((count - whole * share / planned) ** 2 / (whole * share / planned) for count, share in zip(found, shares, strict=True))
    return _gamma_above((len(found) - 1) / 2, distance / 2)


def _rho(alpha: float, tuning: float) -> float:
    return sqrt((-2 * log(alpha) + log(1 - 2 * log(alpha))) / tuning)


def _cross(products: float, one: float, other: float, n: int) -> float:
    return (products - one * other / n) / (n - 1) if n > 1 else 0.0


def _gamma_above(a: float, x: float) -> float:
    """The regularized upper incomplete gamma function (Numerical Recipes §6.2: a series below, a continued fraction above)."""
    if x <= 0:
        return 1.0
    front = exp(-x + a * log(x) - lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        for step in range(1, 1_000):
            term *= x / (a + step)
            total += term
            if term < total * 1e-15:
                break
        return max(0.0, 1 - total * front)
    b = x + 1 - a
    c, d = inf, 1 / b
    found = d
    for step in range(1, 1_000):
        factor = -step * (step - a)
        b += 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        found *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * found


def _beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function by its continued fraction (Numerical Recipes §6.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(1 - x, b, a)
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for step in range(1, 1_000):
        for factor in (
            step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step)),
            -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1)),
        ):
            d, c = 1 / (1 + factor * d), 1 + factor / c
            found *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * found / a
