from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.vocabulary.money import from_micros, to_micros


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        (2.55, 2_550_000),
        ("0.001", 1_000),
        (Decimal("-11062.06"), -11_062_060_000),
        (3, 3_000_000),
        (True, None),
        (None, None),
        (float("nan"), None),
        ("1e400", None),
        ("abc", None),
        (1e300, None),
    ],
)
def test_an_amount_becomes_exact_micros_or_nothing(amount: object, micros: int | None) -> None:
    assert to_micros(amount) == micros


@given(st.integers(-(10**12), 10**12))
def test_cents_survive_the_way_through_a_float(cents: int) -> None:
    assert to_micros(cents / 100) == cents * 10_000


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_micros_and_back_is_the_same_amount(amount: Decimal) -> None:
    micros = to_micros(amount)
    assert micros is not None
    assert from_micros(micros) == amount
