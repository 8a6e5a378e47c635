"""The estimate: exact where the history is read whole, honest about its bounds where not."""

from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cegla.segment.estimating import FACTOR, PRIME, bounds

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOBODY = pa.array([], pa.int64())


def test_a_whole_history_gives_the_count_itself() -> None:
    found = bounds(17, 1.0, NOBODY, AT)
    assert (found.members, found.low, found.high) == (17, 17, 17)


@given(st.integers(0, 100_000), st.floats(0.01, 0.99))
def test_the_bounds_hold_the_estimate_and_never_fewer_than_were_seen(found: int, share: float) -> None:
    guessed = bounds(found, share, NOBODY, AT)
    assert found <= guessed.low <= max(guessed.members, found) <= guessed.high


def test_nobody_in_the_part_does_not_mean_nobody_at_all() -> None:
    assert bounds(0, 0.1, NOBODY, AT).high > 0


def test_the_part_is_as_large_as_said_also_of_every_second_number() -> None:
    for step in (1, 2, 10):
        inside = sum((person % PRIME) * FACTOR % PRIME < round(0.05 * PRIME) for person in range(1, 200_000 * step, step))
        assert abs(inside - 10_000) < 400
