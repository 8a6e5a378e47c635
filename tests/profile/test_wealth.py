"""Wealth: a place among the own people, by what they pay and buy; worked out by hand on a shop with two categories."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from cegla.profile.analysers import wealth
from cegla.profile.rules.analysis import Facts
from cegla.reference.models import launch_of

NOW = datetime(2026, 11, 26, tzinfo=UTC)
WHATS = pa.list_(pa.struct([("what", pa.string()), ("weight", pa.float64())]))
LINES = pa.list_(pa.struct([("what", pa.string()), ("price", pa.int64()), ("weight", pa.int64())]))


def base(*people: list[tuple[str, int, int]], powiat: str | None = None, device: str | None = None) -> Facts:
    """People by their lines: (category, price, how often)."""
    rows = [[{"what": what, "price": price, "weight": times} for what, price, times in one] for one in people]
    many = len(people)
    table: dict[str, Any] = {
        "person_id": list(range(many)), "lines": pa.array(rows, LINES), "orders": [len(one) for one in people], "value": [sum(price * times for _, price, times in one) for one in people],
        "discount": [0.0] * many, "devices": pa.array([[{"what": device, "weight": 1.0}] if device else None] * many, WHATS),
        "powiats": pa.array([[{"what": powiat, "weight": 3.0}] if powiat else None] * many, WHATS),
    }  # fmt: skip
    return Facts(range(many), pa.table(table))


CHEAP, DEAR = [("tea", 10, 6), ("bread", 5, 4)], [("tea", 30, 6), ("wine", 90, 4)]
SHOP = base(*[CHEAP] * 20, *[DEAR] * 20)
LEARNT = wealth.ANALYSER.fit.learn(SHOP, NOW) if wealth.ANALYSER.fit else {}


def found(facts: Facts, key: str) -> list[Any]:
    return list(wealth.read(facts, LEARNT, NOW)[f"wealth.{key}"].values)


def test_prices_are_compared_within_a_category_only() -> None:
    tier, lines = wealth.tiers(base([("tea", 10, 8), ("wine", 90, 2)], [("tea", 30, 10)]), LEARNT)
    assert lines.tolist() == [10, 10]
    # of 21 kept prices of tea the cheap half, 10 or 11, are 10: half of them lie below; wine has one price, so it stands in the middle
    assert tier[0] == pytest.approx((8 * 0.5 * 11 / 21 + 2 * 0.5 + 10 * 0.5) / 20, abs=0.02)
    assert tier[1] == pytest.approx((10 * (11 / 21 + 0.5 * 10 / 21) + 10 * 0.5) / 20, abs=0.02)


def test_a_category_stands_as_high_as_the_prices_its_buyers_pay_for_other_things() -> None:
    standing = LEARNT["standing"]
    assert standing["wine"] > standing["tea"] > standing["bread"]
    assert standing["tea"] == pytest.approx((20 * 0.49 + 20 * 1.0 + 20 * 0.5) / 60, abs=0.02)  # both halves buy it, drawn to the middle by 20 average buyers


def test_who_pays_and_buys_more_stands_higher_and_reads_why() -> None:
    low, high = found(base(CHEAP, DEAR), "index")
    assert low < 50 < high
    low_band, high_band = found(base(CHEAP, DEAR), "band")
    assert low_band < high_band
    assert found(base(DEAR), "drivers")[0][0] == "categories_high"


@pytest.mark.parametrize(("poor", "rich"), [("3012", "0211"), ("1418", "1465")])
def test_a_powiat_alone_moves_the_index_by_five_points_at_most(poor: str, rich: str) -> None:
    indexes = [found(base(CHEAP, DEAR, powiat=code), "index") for code in (poor, rich)]
    assert all(0 < two - one <= 5.0 for one, two in zip(*indexes, strict=True) if two < 100)


def test_nobody_has_an_index_before_the_base_was_looked_at_or_with_few_lines() -> None:
    assert [str(one) for one in wealth.read(SHOP, {}, NOW)["wealth.index"].values[:1]] == ["nan"]
    counted = wealth.read(base([("tea", 30, 4)]), LEARNT, NOW)["wealth.index"].n_evidence
    assert counted[0] == 0


def test_categories_of_few_buyers_are_not_kept() -> None:
    learnt = wealth.ANALYSER.fit.learn(base(*[[("tea", 10, 6), ("rare", 500, 9)]] * 9, *[[("tea", 20, 6)]] * 9), NOW) if wealth.ANALYSER.fit else {}
    assert set(learnt["prices"]) == {"tea"}


def test_the_analyser_is_off_until_somebody_turns_it_on() -> None:
    assert not wealth.ANALYSER.on_by_default


@pytest.mark.parametrize(
    ("brand", "model", "year", "tier"),
    [
        ("Samsung", "Galaxy A54 5G", 2023, "middle"), ("Samsung", "Galaxy S23 Ultra", 2023, "premium"), ("Samsung", "Galaxy S21 FE 5G", 2022, "middle"),
        ("Xiaomi", "Redmi 9A", 2020, "budget"), ("Google", "Pixel 7a", 2023, "middle"), ("Huawei", "P30 lite", 2019, "budget"), ("Apple", "iPhone", None, "premium"),
    ],
)  # fmt: skip
def test_models_know_their_year_and_price_at_launch(brand: str, model: str, year: int | None, tier: str) -> None:
    assert launch_of(brand, model) == (year, tier)


def test_a_model_nobody_wrote_down_has_no_year() -> None:
    assert launch_of("Nobody", "Phone 3000") is None
