"""The warehouse: the pseudonymous history as columns, read through Ibis expressions; DuckDB by default.

It is a projection that can be rebuilt, never the truth. Its tables are append-only, without keys or indexes. Every row
carries the number of the intake batch that wrote it: after a crash, rows of a batch that PostgreSQL does not know as
committed are taken back, and the batch is replayed. A file that is damaged is moved aside, never repaired and never deleted,
and the history is written again (`cegla.rebuild`). A person is an integer here; which identities belong to a person
today is a map held in memory and derived from PostgreSQL.
"""

import threading
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import lru_cache, partial
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, cast

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cegla.storage.arrow import spare_pandas
from cegla.storage.engines.dialects import condition_of, plain_sql
from cegla.storage.failpoint import passing
from cegla.storage.history_file import ASIDE, HistoryFile
from cegla.storage.rewriting import LAST_BATCH, Checked, checked, copied, erased_marker, sweep

spare_pandas()
EVENTS = pa.schema(
    [
        ("batch", pa.int64()),
        ("event_id", pa.int64()),
        ("source_id", pa.int32()),
        ("identity_id", pa.int64()),
        ("kind", pa.string()),  # identify, track, page, screen, group, alias
        ("name", pa.string()),  # the event's name; pages are "Page Viewed", screens "Screen Viewed"
        ("occurred_at", pa.timestamp("us")),  # UTC
        ("received_at", pa.timestamp("us")),  # UTC
        ("original_at", pa.timestamp("us")),  # the stamp as the sender wrote it; another than occurred_at: its clock was wrong
        ("sent_at", pa.timestamp("us")),  # by the sender's clock
        ("local_at", pa.timestamp("us")),  # wall clock in the shop's time zone
        ("session_id", pa.int64()),
        ("order_id", pa.string()),
        ("value_micros", pa.int64()),  # revenue; negative for refunds
        ("currency", pa.string()),
        ("page_path", pa.string()),
        ("page_title", pa.string()),
        ("referrer_kind", pa.string()),  # direct, search, social, assistant, mail, internal, other
        ("referrer_host", pa.string()),
        ("campaign_source", pa.string()),
        ("campaign_medium", pa.string()),
        ("campaign_name", pa.string()),
        ("device_type", pa.string()),  # desktop, phone, tablet, tv, bot, server, unknown
        ("os", pa.string()),
        ("browser", pa.string()),
        ("country", pa.string()),  # ISO 3166-1 alpha-2
        ("language", pa.string()),
        ("is_bot", pa.bool_()),
        ("properties", pa.string()),  # JSON, without personal data
        ("os_version", pa.string()),  # as far as it is known: null where browsers freeze it ("Windows NT 10.0", "Android 10; K")
        ("browser_version", pa.string()),  # major number
        ("device_brand", pa.string()),
        ("device_model", pa.string()),
        ("device_source", pa.string()),  # what the device is known from: user_agent, client_hints, sdk
        ("in_app", pa.string()),  # the social network or mail program whose built-in browser it is
        ("voivodeship", pa.string()),  # TERYT, 2 digits; Poland only
        ("powiat", pa.string()),  # TERYT, 4 digits; Poland only
        ("city", pa.string()),
        ("timezone", pa.string()),  # IANA name, as the device says or else of the place
        ("place_source", pa.string()),  # what country and place are known from: told (by the sender), ip
        ("asn", pa.int64()),  # number of the network (autonomous system) the event came through
        ("network_kind", pa.string()),  # mobile, fixed, business, hosting, education, public
        ("is_datacentre", pa.bool_()),
        ("is_proxy", pa.bool_()),  # VPN, Tor, private relay
        ("bot_reason", pa.string()),  # why is_bot: user_agent, webdriver, no_language, pace, honeypot, datacentre
        ("machine_reason", pa.string()),  # an open or click of a machine: privacy_proxy, image_proxy, scanner, head, at_once, all_links, trap
        ("referrer_name", pa.string()),  # the search engine, network, assistant or mail service: Google, Facebook, ChatGPT
        ("referrer_term", pa.string()),  # what was searched for, where the engine still tells; without personal data
        ("campaign_term", pa.string()),
        ("campaign_content", pa.string()),
        ("click_id", pa.string()),  # which advertiser's click id the address carried: gclid, fbclid; never its value
        ("data_version", pa.string()),  # of the reference data the answers above rest on
        ("trace_id", pa.string()),  # of the W3C trace that the event came with
    ]
)

ORDER_LINES = pa.schema(
    [
        ("batch", pa.int64()),
        ("event_id", pa.int64()),
        ("identity_id", pa.int64()),
        ("name", pa.string()),  # name of the event that carried the line
        ("occurred_at", pa.timestamp("us")),
        ("product_id", pa.string()),
        ("product", pa.string()),
        ("category", pa.string()),
        ("quantity", pa.float64()),
        ("price_micros", pa.int64()),
        ("value_micros", pa.int64()),
    ]
)

MOVES = pa.schema(
    [
        ("batch", pa.int64()),
        ("move_id", pa.int64()),
        ("moved_at", pa.timestamp("us")),  # UTC, when it was decided
        ("identity_id", pa.int64()),
        ("from_person", pa.int64()),
        ("to_person", pa.int64()),
        ("cause", pa.string()),  # link, late_link, retraction, rules, confirmed, release, release_undone
        ("rule", pa.string()),  # of the link behind it: same, alias, stated, seen
        ("edge_id", pa.int64()),
        ("event_id", pa.int64()),  # the event that showed the link, when it came in the same batch
        ("event_at", pa.timestamp("us")),  # UTC, when that event happened
        ("source_id", pa.int32()),
    ]
)

TABLES = {"events": EVENTS, "order_lines": ORDER_LINES, "moves": MOVES}
OWNERS: Any = ibis.table({"mapped_identity": "int64", "mapped_person": "int64"}, name="identity_map", catalog="derived", database="main")  #: in memory only
SECONDS_FOR_READERS = 20.0  #: how long a new file waits for those who read the old one


def table(name: str, columns: Collection[str] | None = None) -> ir.Table:
    """A table as it lies in the file: "events", "order_lines", or "moves", the log of merges. With `columns`, as if it had no others."""
    schema = TABLES[name]
    kept = schema if columns is None else pa.schema([field for field in schema if field.name in columns])
    return ibis.table(ibis.Schema.from_pyarrow(kept), name=name)


def history(name: str = "events", people: ir.Table | None = None, columns: Collection[str] | None = None) -> ir.Table:
    """A table with `person_id` added: whose row it is today. With `people` (a table with `person_id`), their rows only.

    Given `people`, their few identities are looked up first: the history is read and joined once. Whoever knows which `columns` matter says so.
    """
    matter = None if columns is None else frozenset({"identity_id", *columns})
    if people is None:
        return _of_everybody(name, matter)
    rows: Any = table(name, matter)
    asked: Any = people.select("person_id").distinct()
    given = OWNERS.semi_join(asked, OWNERS.mapped_person == asked.person_id).select(owner_identity="mapped_identity", person_id="mapped_person")
    own = asked.anti_join(OWNERS, asked.person_id == OWNERS.mapped_identity).select(owner_identity="person_id", person_id="person_id")
    mine = given.union(own)
    return rows.inner_join(mine, rows.identity_id == mine.owner_identity).select(*rows.columns, "person_id")


@lru_cache(maxsize=128)
def _of_everybody(name: str, columns: frozenset[str] | None) -> ir.Table:
    """Kept, because building it takes longer than the rest of many a question."""
    rows: Any = table(name, columns)
    joined = rows.left_join(OWNERS, rows.identity_id == OWNERS.mapped_identity)
    return joined.mutate(person_id=joined.mapped_person.fill_null(joined.identity_id)).select(*rows.columns, "person_id")


@lru_cache(maxsize=256)
def _sql(operation: Any) -> str:
    return plain_sql(operation)


def _run(cursor: Any, expression: ir.Table) -> pa.Table:
    operation: Any = expression.op()
    return cursor.sql(_sql(operation)).to_arrow_table()


class Readable(Protocol):
    """What questions are asked of: the warehouse as it is, or a snapshot of it."""

    aside: Any  #: another Readable, where a question that fails costs nothing but its answer; a snapshot's knows only what was kept there

    def people(self, person_ids: Iterable[int]) -> AbstractContextManager[ir.Table]:
        """A table with the one column `person_id`, to join a question with; gone after the block."""
        ...

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as Arrow columns."""
        ...

    def keep(self, rows: pa.Table | ir.Table) -> AbstractContextManager[ir.Table]:
        """These rows, or the answer to this expression, as a table in memory that many questions can be asked of; gone after the block."""
        ...


class Snapshot:
    """The history as one committed batch left it: asked like the warehouse itself, by one thread. It is one transaction, so a question that fails ends it."""

    def __init__(self, cursor: Any, keep: Callable[[pa.Table | ir.Table, str], AbstractContextManager[ir.Table]], aside: "Readable") -> None:
        self._cursor = cursor
        self._keep = keep
        self.aside = aside

    def people(self, person_ids: Iterable[int]) -> AbstractContextManager[ir.Table]:
        """A table with the one column `person_id`, to join a question with; gone after the block."""
        return self._keep(_listed(person_ids), "people")

    def keep(self, rows: pa.Table | ir.Table) -> AbstractContextManager[ir.Table]:
        """These rows, or an expression's, as a table for many questions. What they take is free when the snapshot ends: what is large is kept `aside`."""
        return self._keep(rows, "kept")

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as Arrow columns."""
        return _run(self._cursor, expression)

    def people_since(self, batch: int) -> list[int]:
        """Everybody with events in later batches than this one."""
        asked = """
            select distinct coalesce(m.mapped_person, e.identity_id)
            from (select distinct identity_id from events where batch > ?) e left join derived.main.identity_map m on m.mapped_identity = e.identity_id"""
        return [person for (person,) in self._cursor.execute(asked, [batch]).fetchall()]

    def people_moved_since(self, batch: int) -> list[int]:
        """Everybody who won or lost identities in later batches than this one, as far as they are people still."""
        asked = """
            select distinct coalesce(m.mapped_person, t.person)
            from (select unnest([from_person, to_person, identity_id]) as person from moves where batch > ?) t
            left join derived.main.identity_map m on m.mapped_identity = t.person"""
        return [person for (person,) in self._cursor.execute(asked, [batch]).fetchall()]


def _listed(person_ids: Iterable[int]) -> pa.Table:
    return pa.table({"person_id": pa.array(list(person_ids), pa.int64())})


def _insert(cursor: Any, name: str, rows: pa.Table) -> int:
    if rows.num_rows:
        cursor.register("incoming", rows)
        columns = ", ".join(TABLES[name].names)
        cursor.execute(f"insert into {name} ({columns}) select {columns} from incoming")
        cursor.unregister("incoming")
    return rows.num_rows


def _deleted(cursor: Any, name: str, where: str, values: Sequence[Any] = ()) -> int:
    """Remove rows of a table; returns how many."""
    row = cursor.execute(f"delete from {name} {where}", values).fetchone()
    return row[0] if row else 0


def _ranges(ranges: Sequence[tuple[int, int]]) -> pa.Table:
    return pa.table({"first_id": pa.array([first for first, _ in ranges], pa.int64()), "last_id": pa.array([last for _, last in ranges], pa.int64())})


class Warehouse:
    """One DuckDB file and the map of people. Safe to use from several threads; one process at a time."""

    def __init__(self, path: Path, memory: str = "1GB", threads: int = 2) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.aside = self  # every question here stands alone
        self._file = HistoryFile(path, TABLES, {"memory_limit": memory, "threads": threads, "preserve_insertion_order": False})
        self._cursor = self._file.cursor
        self._writing = threading.Lock()
        self._numbers, self._idle_names = count(1), dict[str, list[str]]()
        self._newest = 0  # the batch whose rows came last, or are on their way
        self._removals = 0  # how often rows were removed

    def close(self) -> None:
        """Flush and let go of the file."""
        self._file.close()

    def refuse_damaged(self) -> None:
        """Raises WarehouseDamaged when somebody met damage while reading: the next start mends it."""
        self._file.refuse_damaged()

    def tidy(self) -> None:
        """Nothing lies in small pieces here."""

    def check_disk(self) -> None:
        """Read the file as it lies on the disk, also what is in memory already. Raises WarehouseDamaged, which the next start hears of."""
        self._file.check_disk(self._writing)

    # reading ---------------------------------------------------------------------------------------------------------

    @contextmanager
    def people(self, person_ids: Iterable[int]) -> Generator[ir.Table]:
        """A table with the one column `person_id`, to join a question with; gone after the block."""
        with self._cursor() as cursor, self._keep(cursor, _listed(person_ids), "people") as table:
            yield table

    @contextmanager
    def keep(self, rows: pa.Table | ir.Table) -> Generator[ir.Table]:
        """These rows, or the answer to this expression, as a table in memory that many questions can be asked of; gone after the block."""
        with self._cursor() as cursor, self._keep(cursor, rows, ASIDE) as table:
            del rows  # they lie in the table now, and need not lie twice
            yield table

    def run(self, expression: ir.Table) -> pa.Table:
        """The rows of an expression as Arrow columns. Its SQL is remembered, since writing it takes longer than many an answer."""
        with self._cursor() as cursor:
            return _run(cursor, expression)

    @contextmanager
    def snapshot(self, batch: int) -> Generator["Snapshot | None"]:
        """The history and the map of people as this committed batch left them, whatever is appended meanwhile.

        None while another batch is on its way into the warehouse; then try again in a moment.
        """
        with self._cursor() as cursor:
            cursor.begin()
            cursor.execute("select 1 from events limit 1").fetchall()  # a transaction sees each database as of its first look
            cursor.execute("select 1 from derived.main.identity_map limit 1").fetchall()
            yield Snapshot(cursor, partial(self._keep, cursor), self) if self._newest <= batch else None

    @contextmanager
    def _keep(self, cursor: Any, rows: pa.Table | ir.Table, kind: str) -> Generator[ir.Table]:
        """Names are used again, so that the same question about other rows is the same expression (see `run`)."""
        catalog = ASIDE if kind == ASIDE else "derived"
        idle = self._idle_names.setdefault(kind, [])
        try:
            name = idle.pop()
        except IndexError:
            name = f"{kind}_{next(self._numbers)}"
        if isinstance(rows, pa.Table):
            cursor.register("incoming", rows)
            cursor.execute(f"create table {catalog}.main.{name} as select * from incoming")
            cursor.unregister("incoming")
            schema = ibis.Schema.from_pyarrow(rows.schema)
        else:
            cursor.execute(f"create table {catalog}.main.{name} as {_sql(cast('Any', rows.op()))}")
            schema = rows.schema()
        del rows
        try:
            yield ibis.table(schema, name=name, catalog=catalog, database="main")
        finally:
            with suppress(duckdb.TransactionException):  # a failed transaction drops the table itself
                cursor.execute(f"drop table {catalog}.main.{name}")
            idle.append(name)

    # writing ---------------------------------------------------------------------------------------------------------

    def expect(self, batch: int) -> None:
        """Say that this batch is on its way: until PostgreSQL has committed it, there is no snapshot to be had."""
        self._newest = batch

    def append(self, tables: dict[str, pa.Table]) -> None:
        """Add the rows of one intake batch, all or none."""
        passing("intake: before the append")
        with self._writing, self._cursor() as cursor:
            cursor.begin()
            for name, rows in tables.items():
                _insert(cursor, name, rows)
            passing("intake: within the append")
            cursor.commit()
        passing("intake: after the append")

    def append_all(self, name: str, pieces: Iterable[pa.Table]) -> int:
        """Add rows of one table, piece by piece, all or none; returns how many."""
        with self._writing, self._cursor() as cursor:
            cursor.begin()
            added = sum(_insert(cursor, name, rows) for rows in pieces)
            cursor.commit()
        return added

    def last_batch(self) -> int:
        """The newest batch with rows here; 0 when there is none."""
        with self._cursor() as cursor:
            newest = [cursor.execute(f"select max(batch) from {name}").fetchone() for name in TABLES]
        return max((found[0] for found in newest if found and found[0]), default=0)

    def take_back_after(self, batch: int) -> int:
        """Remove rows of batches that PostgreSQL never committed; returns how many. Run before intake starts."""
        with self._removing() as cursor:
            removed = sum(_deleted(cursor, name, "where batch > ?", [batch]) for name in TABLES)
        self._newest = batch
        passing("recover: after taking back")
        return removed

    def rows_of(self, identity_ids: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
        """Every row of these identities, by table, for the person's own export."""
        rows: dict[str, Any] = {name: table(name) for name in TABLES}
        return {name: self.run(one.filter(one.identity_id.isin(list(identity_ids)))).to_pylist() for name, one in rows.items()}

    def erase(self, identity_ids: Sequence[int]) -> int:
        """Remove every row of these identities; returns how many. Their bytes stay in the file until it is written anew (`rewrite`)."""
        with self._removing() as cursor:
            erased_marker(self.path).touch()
            removed = sum(_deleted(cursor, name, "where identity_id in (select unnest(?::bigint[]))", [list(identity_ids)]) for name in TABLES)
            cursor.execute("delete from derived.main.identity_map where mapped_identity in (select unnest(?::bigint[]))", [list(identity_ids)])
        return removed

    def identities_between(self, ranges: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
        """Identities with events whose ids lie in these ranges (first, last), and those of them that have other events too."""
        with self._cursor() as cursor:
            cursor.register("ranges", _ranges(ranges))
            within = "select distinct identity_id from events, ranges where event_id between first_id and last_id"
            inside = cursor.execute(within).fetchall()
            outside = "select distinct identity_id from events anti join ranges on event_id between first_id and last_id"
            other = cursor.execute(f"{outside} where identity_id in ({within})").fetchall()
        return [row[0] for row in inside], [row[0] for row in other]

    def erase_between(self, ranges: Sequence[tuple[int, int]]) -> int:
        """Remove every row of the events with these ids; returns how many events went."""
        with self._removing() as cursor:
            erased_marker(self.path).touch()
            cursor.register("ranges", _ranges(ranges))
            cursor.begin()
            events, _ = (_deleted(cursor, name, "using ranges where event_id between first_id and last_id") for name in ("events", "order_lines"))
            cursor.commit()
        return events

    def forget(self, name: str, gone: ir.Table, blank: Mapping[str, str] = MappingProxyType({})) -> int:
        """Remove these rows of a table, or with `blank` (columns, and what to put there in DuckDB's words) what they say; returns how many.

        A blanked row is written anew and the old one removed: after an update DuckDB makes no checkpoint while somebody reads what was before.
        """
        where = condition_of(gone)
        with self._removing() as cursor:
            cursor.begin()
            ((last,),) = cursor.execute(f"select max(rowid) from {name}").fetchall()
            if blank:
                replaced = ", ".join(f"{value} as {column}" for column, value in blank.items())
                cursor.execute(f"insert into {name} select * replace ({replaced}) from {name} where {where}")
            if removed := _deleted(cursor, name, f"where ({where}) and rowid <= ?", [last]):
                erased_marker(self.path).touch()
            cursor.commit()
        return removed

    def set_people(self, changes: Iterable[tuple[int, int]]) -> None:
        """Say whose identities are whose: (identity_id, person_id) pairs. Identities that are their own person need no row."""
        if not (pairs := list(changes)):
            return
        kinds = pa.schema([("identity_id", pa.int64()), ("person_id", pa.int64())])
        rows = pa.table([[pair[0] for pair in pairs], [pair[1] for pair in pairs]], schema=kinds)
        with self._writing, self._cursor() as cursor:
            cursor.register("incoming", rows)
            cursor.begin()
            cursor.execute("delete from derived.main.identity_map where mapped_identity in (select identity_id from incoming)")
            cursor.execute("insert into derived.main.identity_map select identity_id, person_id from incoming where identity_id <> person_id")
            cursor.commit()

    def reset_people(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Load the whole map anew, as PostgreSQL has it."""
        with self._writing, self._cursor() as cursor:
            cursor.execute("delete from derived.main.identity_map")
        self.set_people(pairs)

    @property
    def holds_erased(self) -> bool:
        """Whether bytes of removed rows are still in the file."""
        return erased_marker(self.path).exists()

    @contextmanager
    def _removing(self) -> Generator[Any]:
        """A cursor to remove rows with: a rewriting that goes on meanwhile has them still, and must not end. What was removed is in the file at the end
        of the block, and not only in its log, whose end may be cut off after a power cut (see `opening`)."""
        with self._writing, self._cursor() as cursor:
            self._removals += 1
            yield cursor
            cursor.execute("checkpoint")

    def rewrite(self) -> int | None:
        """Write the file anew from the rows that are in it and put it in the old one's place, so that bytes of removed rows are gone from the disk.

        Returns the new file's size; None when the old one stayed, since rows were removed meanwhile or somebody read for too long. What is appended
        meanwhile comes along: only for that, and the exchange, writers and readers wait. Raises WarehouseDamaged when the copy is not equal,
        DiskFull when there is no room for it; then, too, the old file stays.
        """
        fresh, removals = self.path.with_suffix(".fresh"), self._removals
        sweep(fresh)
        try:
            with self._cursor() as cursor, self._file.new(fresh) as target:
                cursor.begin()  # the history of one moment, however long that takes
                newest = copied(cursor, target, TABLES)
            with self._writing:
                if removals != self._removals:
                    return None
                with self._cursor() as cursor, self._file.new(fresh) as target:
                    copied(cursor, target, TABLES, newest)
                    target.execute("checkpoint")
                if not self._file.exchange(fresh, SECONDS_FOR_READERS):
                    return None
                erased_marker(self.path).unlink(missing_ok=True)
        finally:
            sweep(fresh)
        return self.path.stat().st_size

    def replace(self, fresh: Path, counted: Mapping[str, int]) -> bool:
        """Put a file that was filled elsewhere in this one's place; false when somebody read for too long, or this one has other rows now than were
        `counted` by table. Nobody may append meanwhile: the caller holds intake back."""
        with self._writing:
            if counted != self.counts() or not self._file.exchange(fresh, SECONDS_FOR_READERS):
                return False
            erased_marker(self.path).unlink(missing_ok=True)
        return True

    def checked(self, name: str, first: int = 0, last: int = LAST_BATCH) -> Checked:
        """What a table comes to, of these batches. Reads them all. Raises WarehouseDamaged when something is not as it was written."""
        with self._cursor() as cursor:
            return checked(cursor, name, TABLES[name], first, last)

    def verify(self) -> dict[str, Checked]:
        """Read everything once, and what it comes to by table. Raises WarehouseDamaged."""
        return {name: self.checked(name) for name in TABLES}

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self._cursor() as cursor:
            return {name: cursor.execute(f"select count(*) from {name}").fetchall()[0][0] for name in TABLES}
