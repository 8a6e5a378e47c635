from collections.abc import Iterator
from pathlib import Path

import pytest

from cegla.storage.dividing import fitting
from cegla.storage.warehouse import Warehouse
from tests.storage.test_warehouse import rows


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    opened = Warehouse(tmp_path / "w.duckdb")
    opened.append(rows(1, [7] * 30 + [8] * 3 + [9] * 2 + [10] * 3))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("most", "found"),
    [(38, [7, 8, 9, 10, 11]), (37, [11]), (300, [7, 8, 9, 10, 11])],
)
def test_all_people_fit_as_long_as_their_history_does(warehouse: Warehouse, most: int, found: list[int]) -> None:
    assert fitting(warehouse, [10, 7, 11, 9, 8], most) == found


def test_the_first_people_whose_history_fits_are_taken_without_those_who_alone_have_a_hundredth(warehouse: Warehouse) -> None:
    warehouse.append(rows(2, [20] * 250 + [21] * 51))
    assert fitting(warehouse, [10, 20, 11, 9, 21, 8], 300) == [8, 9, 10, 11]
