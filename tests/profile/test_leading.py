"""What leads with each of many people: by columns the same as one person at a time."""

from collections import defaultdict

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cegla.profile.rules.leading import coded, leading, numbered

NAMES = ["wrzos", "bez", "mak"]
ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.sampled_from([0.25, 0.5, 1.0, 2.0])), max_size=30)


@given(ROWS)
def test_what_weighs_most_leads_and_of_equals_the_first_by_name(rows: list[tuple[int, int, float]]) -> None:
    weights: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for person, place, weight in rows:
        weights[person][NAMES[place]] += weight
    best = [min(weights[person], key=lambda name: (-weights[person][name], name), default=None) for person in range(5)]
    owners, places, weighed = (np.array([row[part] for row in rows], kind) for part, kind in enumerate((np.int64, np.int64, np.float64)))
    found = leading(owners, places, weighed, 5, NAMES)
    assert found.of(NAMES) == best
    assert found.total.tolist() == [sum(weights[person].values()) for person in range(5)]
    assert found.weight.tolist() == [max(weights[person].values(), default=0.0) for person in range(5)]


def test_what_is_not_told_has_no_place_among_the_names() -> None:
    places, names = coded(pa.array(["mak", None, "bez", "mak"], pa.string()))
    assert [names[place] if place >= 0 else None for place in places.tolist()] == ["mak", None, "bez", "mak"]


class Counted(str):
    """A name that counts how often it is compared."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Counted.comparisons += 1
        return str.__eq__(self, other)


def test_names_are_numbered_in_their_order_and_looked_up_each_at_once() -> None:
    """A browser may send any model it likes, a new one with each event: looking each up among all others would take hours."""
    names = [None, *(Counted(f"model {number:04}") for number in reversed(range(2_000))), None, Counted("model 0007")]
    among, places = numbered(names)
    assert [among[place] if place >= 0 else None for place in places.tolist()] == names
    assert among == sorted(among)
    assert Counted.comparisons < 20 * len(names)
