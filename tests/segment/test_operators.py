"""Every operator's own example: it matches the person inside and leaves the one outside."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cegla.profile import actions as profile
from cegla.segment.operators import OPERATORS, parsed
from cegla.segment.rules import rfm
from cegla.segment.rules.compile import History, members
from cegla.segment.rules.history import Ground
from cegla.segment.rules.language import Operator, leaves, question
from cegla.storage.warehouse import Warehouse, history
from tests.segment.worlds import NOW, fill

INSIDE, OUTSIDE = 11, 22
MOMENT = NOW.replace(tzinfo=None)


@contextmanager
def tables(warehouse: Warehouse, operator: Operator) -> Generator[History]:
    """The history, with the person inside as the one of whom it is true what the example asks about accounts."""
    asking = [question(leaf.values) for leaf in leaves(parsed(operator.example)) if leaf.operator.group == "accounts"]
    with warehouse.people([INSIDE]) as found:
        yield History(history(), history("order_lines"), lambda: profile.person_traits(NOW), None, dict.fromkeys(asking, found))


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_the_example_matches_who_it_should(operator: Operator, tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, {INSIDE: operator.inside, OUTSIDE: operator.outside})
    scale = rfm.scale(warehouse.run(rfm.bounds(history(), MOMENT)).to_pylist()[0], MOMENT)
    with tables(warehouse, operator) as past:
        assert warehouse.run(members(parsed(operator.example), past, Ground(MOMENT, scale)))["person_id"].to_pylist() == [INSIDE]
    warehouse.close()


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_what_cannot_hold_for_nobody_in_particular_says_so(operator: Operator, tmp_path: Path) -> None:
    """`empty` may be True in doubt, but False must be certain: then a person with another history does not match."""
    rule = parsed(operator.example)
    warehouse = Warehouse(tmp_path / "w.duckdb")
    fill(warehouse, {INSIDE: operator.inside})
    with tables(warehouse, operator) as past:
        from_everybody = members(parsed({"any": [operator.example, {"not": {"op": "everyone"}}]}), past, Ground(MOMENT, rfm.NO_SCALE))
        narrow = members(rule, past, Ground(MOMENT, rfm.NO_SCALE))
        assert warehouse.run(narrow)["person_id"].to_pylist() == warehouse.run(from_everybody)["person_id"].to_pylist()
    warehouse.close()


def test_there_are_at_least_twenty() -> None:
    assert len(OPERATORS) >= 20
