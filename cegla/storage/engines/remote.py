"""A warehouse on another engine: the same questions and the same promises as the DuckDB file, over a driver of a few verbs.

    events, order_lines, moves      rows with the number of their batch, appended and, to erase, removed
    identity_map                    a log: each change is a batch of its own, the newest line of an identity holds

A moment of the history is a number of batches and a number of changes of the map: rows are never changed, so what is asked with those two
numbers in hand stays as it was, whatever is appended meanwhile. A driver needs no transactions for that.
"""

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, Protocol

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from cegla.storage.engines.dialects import sql_of
from cegla.storage.failpoint import passing
from cegla.storage.files import Ranges
from cegla.storage.warehouse import TABLES, history, table

IDENTITY_MAP = pa.schema([("batch", pa.int64()), ("mapped_identity", pa.int64()), ("mapped_person", pa.int64())])  #: `batch` is the number of the change
ALL_TABLES = {**TABLES, "identity_map": IDENTITY_MAP}
LAST = (1 << 63) - 1


class Driver(Protocol):
    """What an engine must be able to do. Tables are named; their columns are those of `ALL_TABLES`."""

    engine: str

    def query(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        ...

    def source(self, name: str, last: int | None) -> str:
        """The statement that gives the rows of a table, of the batches up to a number when it is given."""
        ...

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        ...

    def append(self, name: str, rows: pa.Table, batch: int) -> None:
        """Add rows of one batch."""
        ...

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Take away the rows whose number in a column lies in one of the ranges, and return how many those were."""
        ...

    def keep(self, name: str, rows: pa.Table | str, schema: ibis.Schema) -> None:
        """Make a passing table of rows, or of what a statement gives."""
        ...

    def drop(self, name: str) -> None:
        """Forget a passing table."""
        ...

    def tidy(self) -> None:
        """What is worth doing once a night: join what lies in small pieces."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Moment:
    """The history of the batches and changes up to two numbers; None: of all there are."""

    def __init__(self, driver: Driver, names: Iterable[int], batch: int | None = None, change: int | None = None) -> None:
        self._driver, self._names = driver, names
        self._upto = {**dict.fromkeys(TABLES, batch), "identity_map": change}

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

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as Arrow columns."""
        return as_asked(self._driver.query(self._sql(expression)), expression.schema())

    def people_since(self, batch: int) -> list[int]:
        """Everybody with events in later batches than this one."""
        events: Any = history()
        return self.run(events.filter(events.batch > batch).select("person_id").distinct())["person_id"].to_pylist()

    def people_moved_since(self, batch: int) -> list[int]:
        """Everybody who won or lost identities in later batches than this one, as far as they are people still."""
        moves: Any = table("moves")
        moves = moves.filter(moves.batch > batch)
        named = ibis.union(*(moves.select(identity_id=moves[name]) for name in ("from_person", "to_person", "identity_id")))
        owners: Any = ibis.table({"mapped_identity": "int64", "mapped_person": "int64"}, name="identity_map")
        owned: Any = named.left_join(owners, named["identity_id"] == owners.mapped_identity)
        return self.run(owned.select(person_id=owned.mapped_person.fill_null(owned.identity_id)).distinct())["person_id"].to_pylist()

    @contextmanager
    def _kept(self, rows: pa.Table | ir.Table, kind: str) -> Generator[ir.Table]:
        name = f"{kind}_{next(iter(self._names))}"
        given = isinstance(rows, pa.Table)
        schema = ibis.Schema.from_pyarrow(rows.schema) if given else rows.schema()
        self._driver.keep(name, rows if given else self._sql(rows), schema)
        try:
            yield ibis.table(schema, name=name)
        finally:
            self._driver.drop(name)

    def _sql(self, expression: ir.Table) -> str:
        return sql_of(expression, self._driver.engine, {name: self._driver.source(name, upto) for name, upto in self._upto.items()})


class Remote(Moment):
    """A warehouse on another engine. Safe to use from several threads; one process at a time appends."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, count(1))
        self._writing = threading.Lock()
        self._newest = 0
        self._change = self._driver.last("identity_map")

    def close(self) -> None:
        """Let go of the engine."""
        self._driver.close()

    @contextmanager
    def snapshot(self, batch: int) -> Generator[Moment | None]:
        """The history and the map of people as this committed batch left them; None while another batch is on its way."""
        yield Moment(self._driver, self._names, batch, self._change) if self._newest <= batch else None

    def expect(self, batch: int) -> None:
        """Say that this batch is on its way: until PostgreSQL has committed it, there is no snapshot to be had."""
        self._newest = batch

    def append(self, tables: Mapping[str, pa.Table]) -> None:
        """Add the rows of intake batches. What a crash leaves half done is rows of a batch that nobody committed (see `take_back_after`)."""
        passing("intake: before the append")
        with self._writing:
            for name, rows in tables.items():
                for batch in sorted(set(rows["batch"].to_pylist())):
                    self._driver.append(name, rows.filter(pc.field("batch") == batch).select(TABLES[name].names), batch)
                passing("intake: within the append")
        passing("intake: after the append")

    def last_batch(self) -> int:
        """The newest batch with rows here; 0 when there is none."""
        return max(self._driver.last(name) for name in TABLES)

    def verify(self) -> None:
        """Read every row once: the engine compares its own checksums."""
        for name in TABLES:
            self._driver.query(f"select count(*), max(batch) from ({self._driver.source(name, None)}) as t")

    def take_back_after(self, batch: int) -> int:
        """Remove rows of batches that PostgreSQL never committed; returns how many. Run before intake starts."""
        with self._writing:
            removed = sum(self._driver.remove(name, "batch", [(batch + 1, LAST)]) for name in TABLES)
        self._newest = batch
        return removed

    def rows_of(self, identity_ids: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
        """Every row of these identities, by table, for the person's own export."""
        found: dict[str, list[dict[str, Any]]] = {}
        for name in TABLES:
            rows: Any = table(name)
            found[name] = self.run(rows.filter(rows.identity_id.isin(list(identity_ids)))).to_pylist()
        return found

    def erase(self, identity_ids: Sequence[int]) -> int:
        """Remove every row of these identities; returns how many."""
        ranges = [(one, one) for one in identity_ids]
        with self._writing:
            removed = sum(self._driver.remove(name, "identity_id", ranges) for name in TABLES)
            self._driver.remove("identity_map", "mapped_identity", ranges)
        return removed

    def identities_between(self, ranges: Ranges) -> tuple[list[int], list[int]]:
        """Identities with events whose ids lie in these ranges (first, last), and those of them that have other events too."""
        events: Any = table("events")
        within: Any = ibis.or_(*(events.event_id.between(first, last) for first, last in ranges))
        counted = events.group_by("identity_id").agg(inside=events.count(where=within), outside=events.count(where=~within))
        found = self.run(counted.filter(counted.inside > 0)).to_pylist()
        return [row["identity_id"] for row in found], [row["identity_id"] for row in found if row["outside"]]

    def erase_between(self, ranges: Ranges) -> int:
        """Remove every row of the events with these ids; returns how many events went."""
        with self._writing:
            removed = {name: self._driver.remove(name, "event_id", ranges) for name in ("events", "order_lines")}
        return removed["events"]

    def set_people(self, changes: Iterable[tuple[int, int]]) -> None:
        """Say whose identities are whose: (identity_id, person_id) pairs."""
        pairs = list(changes)
        if not pairs:
            return
        number = self._change + 1
        columns = [[number] * len(pairs), [identity for identity, _ in pairs], [person for _, person in pairs]]
        with self._writing:
            self._driver.append("identity_map", pa.table(columns, schema=IDENTITY_MAP), number)
            self._change = number

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Load the whole map anew, as PostgreSQL has it."""
        with self._writing:
            self._driver.remove("identity_map", "batch", [(0, LAST)])
        self.set_people(pairs)

    def tidy(self) -> None:
        """The night's work: what lies in small pieces is joined."""
        with self._writing:
            self._driver.tidy()


def as_asked(found: pa.Table, schema: ibis.Schema) -> pa.Table:
    """The rows with the columns and types that the expression promises: engines have whole numbers and moments of their own sizes."""
    wanted = schema.to_pyarrow()
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
        return pa.chunked_array([pa.array(column.to_pylist(), wanted)], wanted)
    return column.cast(wanted)
