"""One warehouse for all histories of a run."""

from collections.abc import Generator
from pathlib import Path

import pytest

from cegla.storage.warehouse import Warehouse
from tests.contracts.analysers.worlds import HELD


@pytest.fixture(autouse=True, scope="session")
def one_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Open while the tests run, empty between them."""
    warehouse = Warehouse(Path(tmp_path_factory.mktemp("analysers")) / "w.duckdb", threads=1)
    HELD.append(warehouse)
    yield
    HELD.remove(warehouse)
    warehouse.close()
