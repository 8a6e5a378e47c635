"""Snapshots of the history: its rows as Parquet files beside the warehouse, a night behind at most.

Requests are kept for some weeks only, so after damage they alone would not bring back older history. Each night writes the batches that are not in the
files yet; nothing is written twice. Whoever is erased is removed from the files at once, and so is what an import brought that is taken back.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from cegla.storage.files import Files, batches_of
from cegla.storage.warehouse import TABLES, table

ROWS_AT_ONCE = 500_000


class Asked(Protocol):
    """What questions are asked of, on whatever engine."""

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression."""
        ...


class History(Asked, Protocol):
    """A warehouse, on whatever engine."""

    def append(self, tables: dict[str, pa.Table]) -> None:
        """Add rows of batches."""
        ...


def take(warehouse: History, files: Files, upto: int) -> int:
    """Write what the files lack of the batches up to a number; returns how many rows that were."""
    written = 0
    for name in TABLES:
        for first, last in parts_of(warehouse, name, files.last(name), upto):
            rows: Any = table(name)
            with files.changing:  # whoever is erased meanwhile is removed from the warehouse first and from the files then, which waits for this
                found = warehouse.run(rows.filter(rows.batch.between(first, last)))
                files.append(name, found, first, last)
            written += found.num_rows
    return written


def give_back(warehouse: History, files: Files, upto: int) -> int:
    """Append what the warehouse lacks of the files' batches up to a number; returns how many rows that were. Interrupted, it goes on where it stopped."""
    given = 0
    for name in TABLES:
        have = _newest(warehouse, name)
        if have >= files.last(name):
            continue
        for file in files.listed(name):
            if batches_of(file)[1] <= have:
                continue
            rows = files.read(file, name)
            rows = rows.filter((pc.field("batch") > have) & (pc.field("batch") <= upto))
            if rows.num_rows:
                warehouse.append({name: rows})
                given += rows.num_rows
    return given


def _newest(warehouse: History, name: str) -> int:
    rows: Any = table(name)
    return warehouse.run(rows.aggregate(newest=rows.batch.max()))["newest"][0].as_py() or 0


def parts_of(warehouse: Asked, name: str, after: int, upto: int) -> Iterator[tuple[int, int]]:
    """Batches with rows, in runs of about as many rows as fit into memory."""
    rows: Any = table(name)
    asked = rows.filter((rows.batch > after) & (rows.batch <= upto))
    counted = warehouse.run(asked.group_by("batch").agg(number=asked.count()).order_by("batch"))
    first, many = None, 0
    last = after
    for batch, number in zip(counted["batch"].to_pylist(), counted["number"].to_pylist(), strict=True):
        if first is not None and many + number > ROWS_AT_ONCE:
            yield first, last
            first, many = None, 0
        first, last, many = batch if first is None else first, batch, many + number
    if first is not None:
        yield first, last
