"""Keys are counted over a whole file as one dictionary would count them, however the file comes in parts."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.collect.rules.occurrences import Occurrences

KEYS = st.sampled_from([0, 1, (1 << 58) - 1, 1 << 58, (1 << 63) + 5, (1 << 64) - 2, (1 << 64) - 1]) | st.integers(0, (1 << 64) - 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(KEYS, max_size=30), max_size=6))
def test_each_key_is_told_how_many_equal_ones_came_before_it(parts: list[list[int]]) -> None:
    occurrences, seen = Occurrences(), Counter[int]()
    for part in parts:
        expected: list[int] = []
        for key in part:
            expected.append(seen[key])
            seen[key] += 1
        assert occurrences.count(np.array(part, np.uint64)).tolist() == expected
