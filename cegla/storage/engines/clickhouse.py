"""ClickHouse as a warehouse: a server by its address, or the same engine within this process (chDB, for tests and small installations).

Rows of a table lie in the order of their events' names and times, which is how questions ask for them.
"""

import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.sql.datatypes import ClickHouseType

from cegla.storage.engines.remote import ALL_TABLES, Ranges
from cegla.vocabulary.errors.installation import EngineAway, EngineUnknown

ORDER = {"events": "(name, occurred_at)", "order_lines": "(name, occurred_at)", "moves": "batch", "identity_map": "mapped_identity"}
#: so that a question means what it means elsewhere: what has no match is null, sums of nothing are null, moments are UTC
SETTINGS: dict[str, Any] = {
    "join_use_nulls": 1, "aggregate_functions_null_for_empty": 0, "session_timezone": "UTC", "cast_keep_nullable": 1, "data_type_default_nullable": 0,
    "allow_experimental_nullable_tuple_type": 1, "mutations_sync": 2, "prefer_column_name_to_alias": 1,
    "check_query_single_value_result": 1,
}  # fmt: skip
KEPT = "allow_nullable_key = 1, old_parts_lifetime = 60"  #: of tables; parts that rows were removed from stay a minute, for questions that read them
SINGLE_AT_ONCE, WIDE_AT_ONCE = 10_000, 300  #: a statement has a longest length; with many ranges its reading takes longer than the rest
MOMENT = "Nullable(DateTime64(6, 'UTC'))"


class Client(Protocol):
    """How statements reach the engine."""

    def ask(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        ...

    def tell(self, sql: str) -> None:
        """Carry out a statement that gives no rows."""
        ...

    def insert(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table."""
        ...

    def close(self) -> None:
        """Let go of the engine."""
        ...


class Within:
    """The engine in this process, over a folder of its own. Asked by one thread at a time; one process has one such engine."""

    def __init__(self, folder: Path) -> None:
        from chdb import session  # an extra; half a gigabyte  # pyright: ignore[reportMissingImports]  -- an optional part

        folder.mkdir(parents=True, exist_ok=True)
        self._session = session.Session(str(folder))
        self._turn = threading.Lock()
        self._set = ", ".join(f"{name} = '{value}'" for name, value in SETTINGS.items())

    def ask(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        with self._turn:
            found: Any = self._session.query(f"{sql} SETTINGS {self._set}", "ArrowStream").bytes()
        return pa.ipc.open_stream(found).read_all() if found else pa.table({})

    def tell(self, sql: str) -> None:
        """Carry out a statement that gives no rows."""
        with self._turn:
            self._session.query(sql)

    def insert(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table."""
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            pq.write_table(rows, file.name)
            self.tell(f"insert into {name} ({', '.join(rows.column_names)}) select * from file('{file.name}', Parquet)")

    def close(self) -> None:
        """Let go of the engine."""
        self._session.close()


class Server:
    """A server by its address: clickhouse://user:password@host:8123/database, clickhouses:// over TLS."""

    def __init__(self, address: str) -> None:
        import clickhouse_connect  # an extra  # pyright: ignore[reportMissingImports]  -- an optional part

        parts = urlsplit(address)
        secure = parts.scheme == "clickhouses"
        with _answering():
            self._client: Any = clickhouse_connect.get_client(
                host=parts.hostname or "127.0.0.1", port=parts.port or (8443 if secure else 8123), secure=secure,
                username=unquote(parts.username or "default"), password=unquote(parts.password or ""),
                database=parts.path.strip("/") or "default", autogenerate_session_id=False, settings=SETTINGS,
            )  # fmt: skip

    def ask(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        with _answering():
            return self._client.query_arrow(sql, use_strings=True)

    def tell(self, sql: str) -> None:
        """Carry out a statement that gives no rows."""
        with _answering():
            self._client.command(sql)

    def insert(self, name: str, rows: pa.Table) -> None:
        """Add rows to a table."""
        sink = pa.BufferOutputStream()
        pq.write_table(rows, sink)
        with _answering():
            self._client.raw_insert(name, rows.column_names, insert_block=sink.getvalue().to_pybytes(), fmt="Parquet")

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


@contextmanager
def _answering() -> Generator[None]:
    """Says of a server that is away, or that refuses, what it said."""
    from clickhouse_connect.driver.exceptions import ClickHouseError  # pyright: ignore[reportMissingImports]  -- an optional part

    try:
        yield
    except (ClickHouseError, OSError) as error:
        raise EngineAway(seen=" ".join(str(error).split())[:200], engine="ClickHouse") from None


class ClickHouse:
    """The driver of ClickHouse (see `remote.Driver`)."""

    engine = "clickhouse"

    def __init__(self, client: Client) -> None:
        self._client = client
        left = client.ask("select name from system.tables where database = currentDatabase() and match(name, '^(people|kept)_[0-9a-f]{8}_[0-9]+$')")
        for name in left["name"].to_pylist() if left.num_rows else ():  # of a process that was killed
            self.drop(name)
        for name, schema in ALL_TABLES.items():
            columns = _columns(ibis.Schema.from_pyarrow(schema))
            client.tell(f"create table if not exists {name} ({columns}) engine = MergeTree order by {ORDER[name]} settings {KEPT}")
            for column in ibis.Schema.from_pyarrow(schema).items():  # a table of an older version lacks the newer ones
                client.tell(f"alter table {name} add column if not exists {_columns(dict([column]))}")

    def query(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        return self._client.ask(sql)

    def source(self, name: str) -> str:
        """What gives the rows of a table: its name in the engine."""
        return name

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        return int(self._client.ask(f"select max(batch) as newest from {name}")["newest"][0].as_py() or 0)

    def append(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches."""
        self._client.insert(name, rows)

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Remove rows by the numbers in a column, and wait until that is done; returns how many. The parts they lay in are gone a minute later."""
        removed = 0
        for where in _conditions(column, ranges):
            if found := self._client.ask(f"select count(*) as number from {name} where {where}")["number"][0].as_py():
                self._client.tell(f"alter table {name} delete where {where} settings mutations_sync = 2")
                removed += found
        return removed

    def change(self, name: str, key: str, rows: pa.Table) -> None:
        """Put these rows in the place of those with the same numbers in the column `key`: the old ones go first."""
        self.remove(name, key, [(number, number) for number in rows[key].to_pylist()])
        self._client.insert(name, rows)

    def damage(self, name: str) -> str:
        """What ClickHouse finds wrong with the parts of a table, which have checksums; empty: nothing."""
        found = self._client.ask(f"check table {name}")
        return "" if all(int(one) for one in found.column(0).to_pylist()) else f"check table {name}"

    def keep(self, name: str, rows: pa.Table | str, schema: ibis.Schema) -> None:
        """Make a passing table of rows, or of what a statement gives."""
        self._client.tell(f"create table {name} ({_columns(schema)}) engine = Memory")
        if isinstance(rows, str):
            kinds: Any = schema
            wanted = ", ".join(f"`{column}`" for column in kinds)
            held = ", ".join(f"{key} = '{value}'" for key, value in SETTINGS.items())
            self._client.tell(f"insert into {name} ({wanted}) {rows} SETTINGS {held}")
        elif rows.num_rows:
            self._client.insert(name, rows)

    def drop(self, name: str) -> None:
        """Forget a passing table."""
        self._client.tell(f"drop table if exists {name}")

    def tidy(self) -> None:
        """Merging parts is ClickHouse's own work."""

    def close(self) -> None:
        """Let go of the engine."""
        self._client.close()


def connect(address: str) -> ClickHouse:
    """The driver for an address: clickhouse://, clickhouses:// or chdb:///folder. Raises EngineUnknown when the last names no folder, or lacks the third
    slash: its first folder would be a host, and the engine would lie wherever the command was called."""
    if not address.startswith("chdb://"):
        return ClickHouse(Server(address))
    parts = urlsplit(address)
    if parts.netloc or not (folder := unquote(parts.path)):
        raise EngineUnknown(seen=address, examples="chdb:///folder")
    return ClickHouse(Within(Path(folder)))


def _columns(schema: Any) -> str:
    return ", ".join(f"`{name}` {MOMENT if kind.is_timestamp() else ClickHouseType.to_string(kind)}" for name, kind in schema.items())


def _conditions(column: str, ranges: Ranges) -> Iterator[str]:
    """Which rows these ranges mean, in conditions that a statement can hold."""
    for some in _batched([one for one in ranges if one[0] == one[1]], SINGLE_AT_ONCE):
        yield f"{column} in ({', '.join(str(first) for first, _ in some)})"
    for some in _batched([one for one in ranges if one[0] != one[1]], WIDE_AT_ONCE):
        yield " or ".join(f"{column} between {first} and {last}" for first, last in some)


def _batched(ranges: Ranges, size: int) -> Iterator[Sequence[tuple[int, int]]]:
    rest = iter(ranges)
    while some := list(islice(rest, size)):
        yield some
