"""A share is trusted as far as its evidence goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.profile.rules.confidence import share_lower_bound


@pytest.mark.parametrize(("hits", "tries", "bound"), [(0, 0, 0.0), (1, 1, 0.2065), (3, 3, 0.4385), (9, 10, 0.5958), (90, 100, 0.8256), (0, 10, 0.0)])
def test_the_bound_is_wilsons(hits: int, tries: int, bound: float) -> None:
    assert share_lower_bound(hits, tries) == pytest.approx(bound, abs=1e-4)


@given(hits=st.integers(0, 1_000), more=st.integers(0, 1_000))
def test_the_bound_lies_between_nothing_and_the_share(hits: int, more: int) -> None:
    assert 0 <= share_lower_bound(hits, hits + more) <= (hits / (hits + more) if hits + more else 0)


@given(hits=st.integers(1, 100), more=st.integers(0, 100), times=st.integers(2, 20))
def test_the_same_share_of_more_evidence_is_trusted_more(hits: int, more: int, times: int) -> None:
    assert share_lower_bound(hits * times, (hits + more) * times) >= share_lower_bound(hits, hits + more)
