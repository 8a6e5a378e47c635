"""A DuckDB file as what a history is moved to: from another engine back, or to another disk."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import ibis.expr.types as ir
import pyarrow as pa

from cegla.storage.warehouse import Warehouse, table


class OneFile:
    """A file that is filled (see `moving.Target`). Nobody else has it open."""

    def __init__(self, path: Path) -> None:
        self._warehouse = Warehouse(path)
        self.aside = self

    def people(self, person_ids: Iterable[int]) -> AbstractContextManager[ir.Table]:
        """A table with the one column `person_id`, to join a question with; gone after the block."""
        return self._warehouse.people(person_ids)

    def keep(self, rows: pa.Table | ir.Table) -> AbstractContextManager[ir.Table]:
        """These rows, or the answer to this expression, as a table that many questions can be asked of; gone after the block."""
        return self._warehouse.keep(rows)

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as Arrow columns."""
        return self._warehouse.run(expression)

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        rows = table(name)
        return self._warehouse.run(rows.aggregate(newest=rows["batch"].max()))["newest"][0].as_py() or 0

    def write(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches to a table, all or none."""
        self._warehouse.append({name: rows})

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """The file knows no map of people: whoever opens it loads that from PostgreSQL."""

    def tidy(self) -> None:
        """Nothing lies in small pieces."""

    def close(self) -> None:
        """Flush and let go of the file."""
        self._warehouse.close()
