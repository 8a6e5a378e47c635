"""Experiments: the published cases, and simulations whose truth is known."""

import numpy as np
import pytest

from cegla.analyse.rules.experiment import Sums, adjust, always_valid, always_valid_p, compare, judge, split, welch


def sums(y: object, x: object = ()) -> Sums:
    outcome, before = np.asarray(y, float), np.asarray(x, float)
    before = before if before.size else np.zeros_like(outcome)
    return Sums(outcome.size, *(float(part) for part in (outcome.sum(), outcome @ outcome, before.sum(), before @ before, before @ outcome)))


def test_means_and_proportions_are_as_two_other_programs_say() -> None:
    one, base = Sums(2461, 1922.7, 94698.29), Sums(2507, 1196.87, 37377.9767)
    assert (one.mean - base.mean, welch(one, base)) == pytest.approx((0.303857, 0.037193), abs=2e-6)
    assert compare(("b", one), ("a", base)).lift == pytest.approx(0.636467, abs=1e-6)
    assert welch(Sums(1471, 62, 62), Sums(1529, 87, 87)) == pytest.approx(0.0622, abs=2e-4)  # of the sample here, p(1-p) there


def test_the_sequential_interval_and_its_p_value_are_as_published() -> None:
    one, base = 62 / 1471, 87 / 1529
    variance = one * (1 - one) / 1471 + base * (1 - base) / 1529
    half = always_valid(variance, 3000, tuning=5000)
    assert (base - one, base - one - half, base - one + half) == pytest.approx((0.014752, -0.009454, 0.038958), abs=1e-6)
    assert always_valid_p(base - one, variance, 3000) == pytest.approx(0.569961, abs=1e-3)


def test_cuped_pools_all_arms() -> None:
    arms = {"a": sums(range(1, 9), [1, 1, 2, 3, 3, 4, 5, 6]), "b": sums([2, 4, 4, 6, 7, 8, 9, 11], [1, 2, 2, 3, 4, 4, 5, 6])}
    adjusted = adjust(arms)
    assert adjusted["b"].mean - adjusted["a"].mean == pytest.approx(1.484012, abs=1e-6)
    assert adjust({"a": Sums(3, 1, 1), "b": Sums(3, 2, 2)}) == {"a": Sums(3, 1, 1), "b": Sums(3, 2, 2)}


@pytest.mark.parametrize(("found", "p"), [((502, 498), 0.899), ((500, 600), 0.00257), ((10000, 10300), 0.0352), ((821588, 815482), 1.8e-6)])
def test_a_split_that_went_wrong_is_found(found: tuple[int, int], p: float) -> None:
    assert split(found, (1, 1)) == pytest.approx(p, rel=0.02)


def test_nothing_is_said_of_a_wrong_split_or_of_too_few() -> None:
    better = {"a": Sums(10_000, 100, 100), "b": Sums(9_000, 900, 900)}
    assert judge(better, {"a": 1, "b": 1}).verdict == "split_wrong" and not judge(better, {"a": 1, "b": 1}).differences
    assert judge({"a": Sums(20, 1, 1), "b": Sums(20, 19, 19)}, {"a": 1, "b": 1}).verdict == "too_few"
    assert judge({"a": Sums(9_000, 100, 100), "b": Sums(9_000, 900, 900)}, {"a": 1, "b": 1}).winner == "b"
    assert judge({"a": Sums(9_000, 90, 90), "b": Sums(9_000, 92, 92)}, {"a": 1, "b": 1}).verdict == "no_effect"


def test_where_nobody_did_anything_yet_no_interval_pretends_to_be_sure() -> None:
    found = judge({"a": Sums(500, 0, 0, 40, 90), "b": Sums(500, 0, 0, 50, 80)}, {"a": 1, "b": 1})
    assert (found.verdict, found.differences, found.winner) == ("no_effect", (), "")


def test_looking_often_finds_no_effect_where_there_is_none_more_than_one_time_in_twenty() -> None:
    """Forty looks at each of 400 experiments without an effect; Welch's test, made for one look, is wrong far more often."""
    chance = np.random.default_rng(11)
    wrong = fooled = 0
    for _ in range(400):
        a, b = chance.exponential(1, (2, 8_000)) * (chance.random((2, 8_000)) < 0.2)
        looks = [(sums(a[:n]), sums(b[:n])) for n in range(200, 8_001, 200)]
        wrong += any(compare(("b", second), ("a", first)).verdict != "no_effect" for first, second in looks)
        fooled += any(welch(second, first) < 0.05 for first, second in looks)
    assert wrong / 400 <= 0.05 < 0.15 < fooled / 400


def test_a_small_group_held_out_proves_nothing_by_nobody_of_it_having_bought_yet() -> None:
    chance = np.random.default_rng(3)
    shares, wrong = {"holdout": 5, "campaign": 95}, 0
    for held, bought in zip(chance.binomial(50, 0.03, 400), chance.binomial(950, 0.03, 400), strict=True):
        arms = {"holdout": Sums(50, float(held), float(held)), "campaign": Sums(950, float(bought), float(bought))}
        wrong += judge(arms, shares).verdict != "no_effect"
    assert wrong / 400 <= 0.05


def test_the_interval_covers_the_truth_and_history_before_makes_it_narrower() -> None:
    chance = np.random.default_rng(5)
    covered = narrower = 0
    for _ in range(200):
        before = chance.gamma(1, 10, (2, 3_000))
        after = before * 0.8 + chance.normal(0, 4, (2, 3_000)) + np.array([[0.0], [1.0]])
        arms = {key: sums(after[place], before[place]) for place, key in enumerate("ab")}
        plain, less = compare(("b", arms["b"]), ("a", arms["a"])), judge(arms, {"a": 1, "b": 1}).differences[0]
        covered += less.low <= 1.0 <= less.high
        narrower += less.high - less.low < 0.6 * (plain.high - plain.low)
    assert covered >= 190 and narrower == 200
