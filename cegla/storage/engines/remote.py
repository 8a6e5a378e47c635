"""A warehouse on another engine: the same questions as of the DuckDB file, over a driver of a few verbs.

events, order_lines, moves      rows with the number of their batch, appended
identity_map                    whose identities are whose, each change with a number; of an identity the row with the highest number holds

What is kept aside for a question has a name of its own, so that two processes do not meet.
"""

import secrets
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple, Protocol

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cegla.storage.engines.dialects import sql_of
from cegla.storage.warehouse import TABLES

IDENTITY_MAP = pa.schema([("batch", pa.int64()), ("mapped_identity", pa.int64()), ("mapped_person", pa.int64())])
ALL_TABLES = {**TABLES, "identity_map": IDENTITY_MAP}
EVERY = (1 << 63) - 1  #: the last number there can be
Ranges = Sequence[tuple[int, int]]  #: whole numbers from the first to the last, both included


class Driver(Protocol):
    """What an engine must be able to do. Tables are named; their columns are those of `ALL_TABLES`."""

    engine: str

    def query(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        ...

    def source(self, name: str) -> str:
        """What gives the rows of a table: its name in the engine."""
        ...

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        ...

    def append(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches."""
        ...

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Remove rows by the numbers in a column, from the disk as well; returns how many."""
        ...

    def change(self, name: str, key: str, rows: pa.Table) -> None:
        """Put these rows in the place of those with the same numbers in the column `key`."""
        ...

    def damage(self, name: str) -> str:
        """What is wrong with how a table lies on the disk; empty: nothing."""
        ...

    def keep(self, name: str, rows: pa.Table | str, schema: ibis.Schema) -> None:
        """Make a passing table of rows, or of what a statement gives."""
        ...

    def drop(self, name: str) -> None:
        """Forget a passing table."""
        ...

    def tidy(self) -> None:
        """Join what lies in small pieces."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Until(NamedTuple):
    """A moment of the past: the newest batch, and the newest change of whose identities are whose."""

    batch: int
    people: int


class Remote:
    """A warehouse on another engine. One process at a time writes."""

    def __init__(self, driver: Driver) -> None:
        self._driver, self._numbers = driver, count(1)
        self._own = secrets.token_hex(4)
        self.aside = self  # every question here stands alone

    def close(self) -> None:
        """Let go of the engine."""
        self._driver.close()

    # reading ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def people(self, person_ids: Iterable[int]) -> Generator[ir.Table]:
        """A table with the one column `person_id`, to join a question with; gone after the block."""
        with self._kept(pa.table({"person_id": pa.array(list(person_ids), pa.int64())}), "people") as kept:
            yield kept

    @contextmanager
    def keep(self, rows: pa.Table | ir.Table) -> Generator[ir.Table]:
        """These rows, or the answer to this expression, as a table that many questions can be asked of; gone after the block."""
        with self._kept(rows, "kept") as kept:
            yield kept

    def run(self, expression: ir.Table, until: Until | None = None) -> pa.Table:
        """The rows of an expression as Arrow columns, as they are or as they were then."""
        return as_asked(self._driver.query(self._sql(expression, until)), expression.schema())

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        return self._driver.last(name)

    @contextmanager
    def _kept(self, rows: pa.Table | ir.Table, kind: str, until: "Until | None" = None) -> Generator[ir.Table]:
        name = f"{kind}_{self._own}_{next(self._numbers)}"
        given = isinstance(rows, pa.Table)
        schema = ibis.Schema.from_pyarrow(rows.schema) if given else rows.schema()
        self._driver.keep(name, rows if given else self._sql(rows, until), schema)
        try:
            yield ibis.table(schema, name=name)
        finally:
            self._driver.drop(name)

    def _sql(self, expression: ir.Table, until: "Until | None" = None) -> str:
        """In the engine's words. `until`: as it was then."""
        before = f" where batch <= {until.batch}" if until else ""
        sources = {name: f"select * from {self._driver.source(name)}{before}" for name in TABLES}
        before = f" where batch <= {until.people}" if until else ""
        held = f"from {self._driver.source('identity_map')}{before} group by mapped_identity"
        sources["identity_map"] = f"select mapped_identity, arg_max(mapped_person, batch) as mapped_person {held}"
        return sql_of(expression, self._driver.engine, sources)

    # writing ---------------------------------------------------------------------------------------------------------

    def write(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches to a table."""
        self._driver.append(name, rows, first, last)

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Write the whole map anew: (identity, person) for every identity that is not its own person."""
        number = self._map(pairs)
        self._driver.remove("identity_map", "batch", [(0, number - 1)])

    def _map(self, pairs: Iterable[tuple[int, int]]) -> int:
        """Write down whose these identities are from now on; returns the number of this change."""
        return self._write_map(pairs, self.last("identity_map") + 1)

    def _write_map(self, pairs: Iterable[tuple[int, int]], number: int) -> int:
        if known := list(pairs):
            columns = [[number] * len(known), [identity for identity, _ in known], [person for _, person in known]]
            self._driver.append("identity_map", pa.table(columns, schema=IDENTITY_MAP), number, number)
        return number

    def tidy(self) -> None:
        """Join what lies in small pieces."""
        self._driver.tidy()


def as_asked(found: pa.Table, schema: ibis.Schema) -> pa.Table:
    """The rows with the columns and types that the expression promises: engines have whole numbers and moments of their own sizes."""
    wanted = schema.to_pyarrow()
    if set(wanted.names) <= set(found.column_names):  # a table that was asked for as if it had fewer columns
        found = found.select(wanted.names)
    columns = [_cast(found.column(number), field.type) for number, field in enumerate(wanted)]
    return pa.Table.from_arrays(columns, names=wanted.names)


def _cast(column: Any, wanted: Any) -> Any:
    if column.type == wanted:
        return column
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    if pa.types.is_timestamp(wanted) and pa.types.is_integer(column.type):  # ClickHouse hands whole seconds on as a number
        column = column.cast(pa.int64()).cast(pa.timestamp("s"))
    if pa.types.is_nested(wanted):
        return pa.chunked_array([pa.array([_by_place(value, wanted) for value in column.to_pylist()], wanted)], wanted)
    return column.cast(wanted)


def _by_place(value: Any, wanted: Any) -> Any:
    """A value within rows and lists: an engine keeps the order of fields, not always their names."""
    if value is None or not pa.types.is_nested(wanted):
        return value
    if pa.types.is_list(wanted):
        return [_by_place(one, wanted.value_type) for one in value]
    return {field.name: _by_place(one, field.type) for field, one in zip(wanted, value.values(), strict=True)}
