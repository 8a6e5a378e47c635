"""Snapshots of the history: its rows as Parquet files beside the warehouse, a night behind at most.

Requests are kept for some weeks only, so after damage they alone would not bring back older history. Each night writes the batches that are not in the
files yet; nothing is written twice. Whoever is erased is removed from the files at once, and so is what an import brought that is taken back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import structlog

from cegla.storage.files import Files, batches_of
from cegla.storage.rewriting import LAST_BATCH, Checked, checked
from cegla.storage.warehouse import TABLES, table

LOG = structlog.get_logger("storage")
ROWS_AT_ONCE = 500_000


@dataclass(frozen=True)
class Side:
    """One table: what the warehouse has, how many rows of it are newer than the files, and what the files have.

    `equal`: of the batches in the files both have the same rows. `damaged` files cannot be read; `holes` are batches that damage took from the files.
    """

    table: str
    held: Checked
    newer: int
    copied: Checked
    equal: bool
    files: int
    damaged: tuple[str, ...]
    holes: tuple[tuple[int, int], ...]


class Asked(Protocol):
    """What questions are asked of, on whatever engine."""

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression."""
        ...


class History(Asked, Protocol):
    """A warehouse, on whatever engine."""

    def append_all(self, name: str, pieces: Iterable[pa.Table]) -> int:
        """Add all these rows or none; returns how many."""
        ...


class Checkable(Asked, Protocol):
    """A warehouse whose rows can be summed up, on whatever engine."""

    def checked(self, name: str, first: int = 0, last: int = LAST_BATCH) -> Checked:
        """What a table comes to, of these batches."""
        ...


def take(warehouse: Asked, files: Files, upto: int) -> int:
    """Write what the files lack of the batches up to a number, holes that damage left included; returns how many rows that were. Raises DiskFull."""
    written = 0
    for name in TABLES:
        for after, before in (*((first - 1, last) for first, last in files.holes(name)), (files.last(name), upto)):
            parts = list(parts_of(warehouse, name, after, before))
            for number, (first, last) in enumerate(parts):
                rows: Any = table(name)
                with files.changing:  # whoever is erased meanwhile is removed from the warehouse first and from the files then, which waits for this
                    found = warehouse.run(rows.filter(rows.batch.between(first, last)))
                    if before != upto and number in (0, len(parts) - 1):  # a hole is covered from its first batch to its last
                        first, last = (after + 1 if number == 0 else first), (before if number == len(parts) - 1 else last)
                    files.append(name, found, first, last)
                written += found.num_rows
    files.forget_mended()
    return written


def give_back(warehouse: History, files: Files, upto: int) -> int:
    """Append what the warehouse lacks of the files' batches up to a number; returns how many rows that were. Interrupted, it goes on where it stopped.

    A damaged file is set aside, and its batches are left to the requests: `Files.holes` says which.
    """
    given = 0
    for name in TABLES:
        have = _newest(warehouse, name)
        for file in files.listed(name):
            if batches_of(file)[1] <= have:
                continue
            if _set_aside_damaged(files, file, name):
                continue
            lacking = (pc.field("batch") > have) & (pc.field("batch") <= upto)
            given += warehouse.append_all(name, (rows.filter(lacking) for rows in files.pieces(file, name)))
    return given


def mend(files: Files) -> int:
    """Read every file and set those aside that are damaged; returns how many. The next `take` writes their batches again from the warehouse."""
    return sum(_set_aside_damaged(files, file, name) for name in TABLES for file in files.listed(name))


def compared(warehouse: Checkable, files: Files) -> list[Side]:
    """Every row of the warehouse and of the files read and summed, table by table. Raises WarehouseDamaged."""
    found: list[Side] = []
    with duckdb.connect() as hand:
        for name, schema in TABLES.items():
            listed, copied, bad = files.listed(name), Checked(0, 0, 0), list[str]()
            for file in listed:
                try:
                    for rows in files.pieces(file, name):
                        hand.register("part", rows)
                        copied = copied.joined(checked(hand, "part", schema))
                except (OSError, pa.ArrowException) as error:
                    bad.append(f"{name}/{file.name}: {str(error).splitlines()[0][:200]}")
            upto = files.last(name)
            old, new = warehouse.checked(name, 0, upto), warehouse.checked(name, upto + 1)
            holes = [hole for hole in files.holes(name) if next(parts_of(warehouse, name, hole[0] - 1, hole[1]), None)]
            found.append(Side(name, old.joined(new), new.rows, copied, old[:2] == copied[:2], len(listed), tuple(bad), tuple(holes)))
    return found


def _set_aside_damaged(files: Files, file: Path, name: str) -> bool:
    said = files.damaged(file, name)
    if said:
        LOG.error("a file of the snapshot is damaged and set aside", file=str(file), seen=said)
        files.set_aside(file)
    return bool(said)


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
