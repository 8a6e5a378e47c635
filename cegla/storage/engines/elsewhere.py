"""The product's own warehouse on another engine: what the DuckDB file does in one transaction is done here in steps that a new start can finish.

    append          table by table, behind a note in a file; a batch that did not come about whole is removed before anything else comes in
    a snapshot      rows up to a batch, and whose identities are whose up to a change; nothing is held open
    a removal       by numbers, and the engine writes what they lay in anew
    many batches    come in behind such a note, too: `take_back_after` removes what came in, and the history is written again from there

The engine looks after its own files; the snapshots and the kept requests are ours as ever, so what it loses can be written again.
"""

import json
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import ibis.expr.types as ir
import pyarrow as pa

from cegla.storage.engines.remote import EVERY, Driver, Remote, Until
from cegla.storage.failpoint import passing
from cegla.storage.rewriting import LAST_BATCH, Checked, checked
from cegla.storage.settling import settle, settle_file
from cegla.storage.snapshots import parts_of
from cegla.storage.warehouse import OWNERS, TABLES, Snapshot, Warehouse, history, table
from cegla.vocabulary.errors.installation import DiskFull, EngineAway, WarehouseDamaged

KEYS = {"events": "event_id", "order_lines": "event_id", "moves": "move_id"}  #: by which rows of a table are removed
RANGES = pa.schema([("first_id", pa.int64()), ("last_id", pa.int64())])


class Then(Snapshot):
    """The history as one committed batch left it."""

    def __init__(self, run: Callable[[ir.Table], pa.Table], keep: Callable[[Any, str], AbstractContextManager[ir.Table]], aside: "Elsewhere") -> None:
        super().__init__(None, keep, aside)
        self._ask = run

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as Arrow columns."""
        return self._ask(expression)

    def people_since(self, batch: int) -> list[int]:
        """Everybody with events in later batches than this one."""
        rows: Any = history(columns=("batch",))
        return self._ask(rows.filter(rows.batch > batch).select("person_id").distinct())["person_id"].to_pylist()

    def people_moved_since(self, batch: int) -> list[int]:
        """Everybody who won or lost identities in later batches than this one, as far as they are people still."""
        rows: Any = table("moves")
        later = rows.filter(rows.batch > batch)
        them: Any = later.select(identity_id="from_person").union(later.select(identity_id="to_person")).union(later.select("identity_id")).distinct()
        joined = them.left_join(OWNERS, them.identity_id == OWNERS.mapped_identity)
        found = joined.select(person_id=joined.mapped_person.fill_null(joined.identity_id)).distinct()
        return self._ask(found)["person_id"].to_pylist()


class Elsewhere(Remote):
    """The warehouse on another engine. Safe to use from several threads; one process at a time writes."""

    holds_erased = False  #: an engine writes anew what rows were removed from

    def __init__(self, driver: Driver, folder: Path) -> None:
        super().__init__(driver)
        self.aside = self
        self._note = folder / "filling.json"
        self._writing = threading.RLock()
        self._newest = self._given = 0  # the batch on its way, and the one that was appended last
        self._damaged = False  # many rows did not come in whole, and nobody has removed them
        self._people = self.last("identity_map")
        folder.mkdir(parents=True, exist_ok=True)

    def refuse_damaged(self) -> None:
        """Raises WarehouseDamaged when many rows did not come in whole: the next start writes them again."""
        with self._writing:  # who is at it holds this
            if self._damaged:
                raise WarehouseDamaged(where=str(self._note), seen=self._note.read_text())

    # reading ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def snapshot(self, batch: int) -> Generator[Snapshot | None]:
        """The history and the map of people as this committed batch left them; None while another batch is on its way."""
        with self._writing:
            until = Until(batch, self._people) if self._newest <= batch else None
        yield Then(lambda asked: self.run(asked, until), lambda rows, kind: self._kept(rows, kind, until), self) if until else None

    def last_batch(self) -> int:
        """The newest batch with rows here; 0 when there is none."""
        return max(self.last(name) for name in TABLES)

    def rows_of(self, identity_ids: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
        """Every row of these identities, by table, for the person's own export."""
        found: dict[str, list[dict[str, Any]]] = {}
        for name in TABLES:
            rows: Any = table(name)
            found[name] = self.run(rows.filter(rows.identity_id.isin(list(identity_ids)))).to_pylist() if identity_ids else []
        return found

    def identities_between(self, ranges: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Identities with events whose ids lie in these ranges (first, last), and those of them that have other events too."""
        columns = [[first for first, _ in ranges], [last for _, last in ranges]]
        with self.keep(pa.table(columns, schema=RANGES)) as kept:
            rows: Any = table("events", ("event_id", "identity_id"))
            both: Any = rows.cross_join(kept)
            within = both.filter(both.event_id.between(both.first_id, both.last_id)).select("event_id", "identity_id")
            inside = within.select("identity_id").distinct()
            other = rows.semi_join(inside, "identity_id").anti_join(within, "event_id").select("identity_id").distinct()
            return self.run(inside)["identity_id"].to_pylist(), self.run(other)["identity_id"].to_pylist()

    def checked(self, name: str, first: int = 0, last: int = LAST_BATCH) -> Checked:
        """What a table comes to, of these batches, by the same sum as of the DuckDB file. Reads them all."""
        total = Checked(0, 0, 0)
        with duckdb.connect() as hand:
            for part in parts_of(self, name, first - 1, last):
                rows: Any = table(name)
                hand.register("part", self.run(rows.filter(rows.batch.between(*part))))
                total = total.joined(checked(hand, "part", TABLES[name]))
        return total

    def check_disk(self) -> None:
        """Have the engine look at its own checksums. Raises EngineAway with what it found."""
        for name in TABLES:
            if said := self._driver.damage(name):
                raise EngineAway(seen=said, engine=self._driver.engine)

    def verify(self) -> dict[str, Checked]:
        """Read everything once, and what it comes to by table."""
        return {name: self.checked(name) for name in TABLES}

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        rows: dict[str, Any] = {name: table(name) for name in TABLES}
        return {name: self.run(one.aggregate(number=one.count()))["number"][0].as_py() for name, one in rows.items()}

    # writing ---------------------------------------------------------------------------------------------------------

    def expect(self, batch: int) -> None:
        """Say that this batch is on its way: until PostgreSQL has committed it, there is no snapshot to be had. Rows of this number that are here came
        with something that was rolled back, and go."""
        with self._writing:
            self._clear()
            if batch == self._given:
                self._remove_batches(dict.fromkeys(TABLES, (batch, batch)))
            self._newest, self._given = batch, 0

    def append(self, tables: dict[str, pa.Table]) -> None:
        """Add the rows of one intake batch. What of it got in before a failure is removed before anything else is added."""
        passing("intake: before the append")
        filled = {name: rows for name, rows in tables.items() if rows.num_rows}
        number = max((int(rows["batch"][0].as_py()) for rows in filled.values()), default=0)
        if filled:
            with self._writing, self._filling(dict.fromkeys(filled, (number, number))):
                self._given = number
                for name, rows in filled.items():
                    self._driver.append(name, rows.select(TABLES[name].names), number, number)
                    passing("intake: within the append")
        passing("intake: after the append")

    def append_all(self, name: str, pieces: Iterable[pa.Table]) -> int:
        """Add rows of one table, which are of later batches than all that are there; returns how many."""
        found = [rows.select(TABLES[name].names) for rows in pieces if rows.num_rows]
        if not found:
            return 0
        rows = pa.concat_tables(found)
        numbers = rows["batch"].to_pylist()
        with self._writing, self._filling({name: (self.last(name) + 1, EVERY)}):
            self._driver.append(name, rows, min(numbers), max(numbers))
        return rows.num_rows

    def take_back_after(self, batch: int) -> int:
        """Remove rows of batches that PostgreSQL never committed; returns how many. Run before intake starts."""
        with self._writing:
            removed = self._remove_half() + self._remove_batches(dict.fromkeys(TABLES, (batch + 1, EVERY)))
            self._newest, self._given, self._damaged = batch, 0, False
        passing("recover: after taking back")
        return removed

    def erase(self, identity_ids: Sequence[int]) -> int:
        """Remove every row of these identities; returns how many."""
        ranges = [(one, one) for one in identity_ids]
        if not ranges:
            return 0
        with self._writing:
            self._driver.remove("identity_map", "mapped_identity", ranges)
            return sum(self._driver.remove(name, "identity_id", ranges) for name in TABLES)

    def erase_between(self, ranges: Sequence[tuple[int, int]]) -> int:
        """Remove every row of the events with these ids; returns how many events went."""
        if not ranges:
            return 0
        with self._writing:
            self._driver.remove("order_lines", "event_id", ranges)
            return self._driver.remove("events", "event_id", ranges)

    def forget(self, name: str, gone: ir.Table, blank: Mapping[str, str] = MappingProxyType({})) -> int:
        """Remove these rows of a table, or with `blank` (columns, and what to put there in DuckDB's words) what they say; returns how many."""
        key, chosen = KEYS[name], gone
        if not blank:
            numbers = self.run(chosen.select(key).distinct())[key].to_pylist()
            with self._writing:
                return self._driver.remove(name, key, [(one, one) for one in numbers])
        replaced, changed = ", ".join(f"{value} as {column}" for column, value in blank.items()), 0
        of: Any = chosen
        with self._writing, duckdb.connect() as hand:
            for part in parts_of(self, name, -1, LAST_BATCH):
                rows = self.run(of.filter(of.batch.between(*part)))
                if rows.num_rows:
                    said = hand.register("part", rows).sql(f"select * replace ({replaced}) from part").to_arrow_table()
                    with self._filling(dict.fromkeys(TABLES, (part[0], EVERY))):  # all: what is lacking is told by the newest batch of any
                        self._driver.change(name, key, said.cast(TABLES[name]))
                    changed += rows.num_rows
        return changed

    def set_people(self, changes: Iterable[tuple[int, int]]) -> None:
        """Say whose identities are whose from now on: (identity_id, person_id) pairs."""
        if pairs := list(changes):
            with self._writing:
                self._people = self._map(pairs)

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Load the whole map anew, as PostgreSQL has it."""
        with self._writing:
            super().reset_people(pairs)
            self._people = self.last("identity_map")

    def tidy(self) -> None:
        """Join what lies in small pieces."""
        with self._writing:
            super().tidy()

    def rewrite(self) -> int | None:
        """Nothing is due: an engine writes anew what rows were removed from."""

    def replace(self, fresh: Path, counted: Mapping[str, int]) -> bool:
        """Take the rows of a DuckDB file instead of those that are here; false when there are other rows here now than were counted."""
        with self._writing, closing(Warehouse(fresh)) as source:
            if counted != self.counts():
                return False
            with self._filling(dict.fromkeys(TABLES, (0, EVERY))):
                for name in TABLES:
                    self._driver.remove(name, "batch", [(0, EVERY)])
                    for part in parts_of(source, name, -1, LAST_BATCH):
                        rows: Any = table(name)
                        self._driver.append(name, source.run(rows.filter(rows.batch.between(*part))), *part)
        return True

    def _map(self, pairs: Iterable[tuple[int, int]]) -> int:
        """As of any warehouse; a number is not given twice, although whoever had the highest one may have been erased: a snapshot goes by it."""
        return self._write_map(pairs, max(self._people, self.last("identity_map")) + 1)

    def _remove_batches(self, ranges: Mapping[str, tuple[int, int]]) -> int:
        return sum(self._driver.remove(name, "batch", [one]) for name, one in ranges.items())

    def _noted(self) -> dict[str, tuple[int, int]]:
        """Of which tables which batches, from the first to the last, did not come in whole."""
        return {name: (first, last) for name, (first, last) in json.loads(self._note.read_text()).items()} if self._note.exists() else {}

    def _clear(self) -> None:
        """Remove the one batch that did not come in whole. Raises WarehouseDamaged when it was many."""
        if any(first != last for first, last in self._noted().values()):
            self._damaged = True
            self.refuse_damaged()
        self._remove_half()

    def _remove_half(self) -> int:
        """Remove what did not come in whole."""
        if not (noted := self._noted()):
            return 0
        removed = self._remove_batches(noted)
        self._note.unlink()
        return removed

    @contextmanager
    def _filling(self, ranges: Mapping[str, tuple[int, int]]) -> Generator[None]:
        """While these batches come in. Did they not come whole, they are removed: one batch before anything else comes in, since it is given again;
        many by `take_back_after`, since they must be written again. Raises WarehouseDamaged while that is to be done, DiskFull."""
        self._clear()
        fresh = self._note.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(dict(ranges)))
            settle_file(fresh)
            fresh.rename(self._note)
            settle(self._note.parent)
        except OSError as error:
            raise DiskFull(where=str(self._note)) from error
        try:
            yield
        except BaseException:
            self._damaged = any(first != last for first, last in ranges.values())
            raise
        self._note.unlink()
