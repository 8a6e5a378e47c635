"""Spark as a warehouse: a folder of Parquet files that all of the cluster's workers see, and a session that reads them.

    <files>/events/000000000001-000000000001.parquet      one file a batch and table; the name says which batches it holds
    <files>/events/000000000002-000000000950.parquet      at night small files become larger ones

Files are written beside and renamed, so each is there whole or not at all. Which files a question reads is decided before it is asked: a file that
is joined or rewritten meanwhile stays until the next night.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends.sql.datatypes import PySparkType

from cegla.storage.engines.remote import ALL_TABLES, Ranges
from cegla.vocabulary.errors.installation import EngineAway, EngineMissing

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.sql.ansi.enabled": "false",  # what cannot be read as a number is null, and whole numbers wrap, as elsewhere
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
JOINED_ROWS = 2_000_000  #: at most in one file that the night makes
KEPT_SECONDS = 3_600  #: a file that is not needed any more stays for questions that still read it


class Spark:
    """The driver of Spark (see `remote.Driver`)."""

    engine = "spark"

    def __init__(self, session: Any, files: Path) -> None:
        self._session, self._files = session, files
        self._moving = Lock()
        self._views: dict[tuple[str, ...], str] = {}
        self._frames: dict[str, Any] = {}
        for name in ALL_TABLES:
            (files / name).mkdir(parents=True, exist_ok=True)

    def query(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        return self._session.sql(sql).toArrow()

    def source(self, name: str, last: int | None) -> str:
        """The statement that gives the rows of a table, of the batches up to a number when it is given."""
        view = self._view(name)
        within = "" if last is None else f" where batch <= {last}"
        if name != "identity_map":
            return f"select * from {view}{within}"
        newest = f"select mapped_identity, max_by(mapped_person, batch) as newest_person from {view}{within} group by mapped_identity"
        return f"select mapped_identity, newest_person as mapped_person from ({newest}) as m where newest_person <> mapped_identity"

    def append(self, name: str, rows: pa.Table, batch: int) -> None:
        """Add rows of one batch: a file of its own."""
        _write(rows, self._files / name / _named(batch, batch, 0))

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Take away rows by the numbers in a column; returns how many those were. The files that held them are written anew, and removed at once."""
        removed = 0
        with self._moving:
            for file in self._listed(name):
                rows = pq.read_table(file)
                gone = _within(rows[column], ranges)
                if not (count := pc.sum(gone).as_py() or 0):
                    continue
                removed += count
                kept = rows.filter(pc.invert(gone))
                if kept.num_rows:
                    first, last, turn = _read_name(file)
                    _write(kept, file.with_name(_named(first, last, turn + 1)))
                file.unlink()
            self._views.clear()
        return removed

    def keep(self, name: str, rows: pa.Table | str, schema: ibis.Schema) -> None:
        """Make a passing table of rows, or of what a statement gives."""
        frame = self._session.sql(rows) if isinstance(rows, str) else self._frame(rows, schema)
        frame.cache()
        frame.createOrReplaceTempView(name)
        self._frames[name] = frame

    def drop(self, name: str) -> None:
        """Forget a passing table."""
        self._frames.pop(name).unpersist()
        self._session.catalog.dropTempView(name)

    def tidy(self) -> None:
        """Join neighbouring small files, and remove those that were joined long enough ago."""
        with self._moving:
            for name in ALL_TABLES:
                for some in _joinable(self._listed(name)):
                    first, last = _read_name(some[0])[0], _read_name(some[-1])[1]
                    _write(pa.concat_tables([pq.read_table(file) for file in some]), some[0].with_name(_named(first, last, 0)))
                    for file in some:
                        file.rename(file.with_suffix(".joined"))
                for old in (self._files / name).glob("*.joined"):
                    if old.stat().st_mtime < time.time() - KEPT_SECONDS:
                        old.unlink()
            self._views.clear()

    def close(self) -> None:
        """Let go of the session."""
        self._session.stop()

    def _frame(self, rows: pa.Table, schema: ibis.Schema) -> Any:
        kinds = ", ".join(f"`{name}` {PySparkType.to_string(kind)}" for name, kind in schema.items())
        if not rows.num_rows:
            return self._session.createDataFrame([], kinds)
        made = self._session.createDataFrame(rows)
        return made.selectExpr(*(f"cast(`{name}` as {PySparkType.to_string(kind)}) as `{name}`" for name, kind in schema.items()))

    def _listed(self, name: str) -> list[Path]:
        return sorted((self._files / name).glob("*.parquet"))

    def _view(self, name: str) -> str:
        """A view of the files that are there now."""
        files = [str(file) for file in self._listed(name)]
        key = (name, *files)
        if key not in self._views:
            kinds = ", ".join(f"`{column}` {PySparkType.to_string(kind)}" for column, kind in ibis.Schema.from_pyarrow(ALL_TABLES[name]).items())
            frame = self._session.read.schema(kinds).parquet(*files) if files else self._session.createDataFrame([], kinds)
            view = f"{name}_{len(self._views)}_{time.monotonic_ns()}"
            frame.createOrReplaceTempView(view)
            self._views = {known: one for known, one in self._views.items() if known[0] != name} | {key: view}
        return self._views[key]


def connect(address: str) -> Spark:
    """The driver for an address: spark://host:7077?files=/folder that the app and all workers see."""
    try:
        from pyspark.sql import SparkSession  # an extra; half a gigabyte
    except ImportError as error:
        raise EngineMissing(where="warehouse.url", engine="Apache Spark", detail=str(error)) from None
    parts = urlsplit(address)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    files = Path(asked.pop("files"))
    builder: Any = SparkSession.builder.appName("cegla").master(f"spark://{parts.netloc}" if parts.netloc else "local[2]")
    for name, value in {**SETTINGS, **asked}.items():
        builder = builder.config(name, value)
    try:
        return Spark(builder.getOrCreate(), files)
    except Exception as error:  # what Java says comes as errors of several packages
        raise EngineAway(where="warehouse.url", seen=" ".join(str(error).split())[:200], engine="Apache Spark") from None


def _named(first: int, last: int, turn: int) -> str:
    """The name of a file with these batches, rewritten so many times."""
    return f"{first:019}-{last:019}-{turn}.parquet"


def _read_name(file: Path) -> tuple[int, int, int]:
    first, last, turn = file.stem.split("-")
    return int(first), int(last), int(turn)


def _write(rows: pa.Table, file: Path) -> None:
    """Whole or not at all."""
    fresh = file.with_suffix(".new")
    pq.write_table(rows, fresh, compression="zstd")
    with fresh.open("rb") as written:
        os.fsync(written.fileno())
    fresh.rename(file)


def _within(column: Any, ranges: Ranges) -> Any:
    single = pa.array([first for first, last in ranges if first == last], pa.int64())
    found = pc.is_in(column, value_set=single)
    for first, last in ranges:
        if first != last:
            found = pc.or_(found, pc.and_(pc.greater_equal(column, first), pc.less_equal(column, last)))
    return pc.fill_null(found, False)


def _joinable(files: list[Path]) -> Iterator[list[Path]]:
    """Runs of two and more neighbours that fit into one file."""
    run: list[Path] = []
    rows = 0
    for file in files:
        size = pq.read_metadata(file).num_rows
        if rows + size > JOINED_ROWS:
            if len(run) > 1:
                yield run
            run, rows = [], 0
        run, rows = [*run, file], rows + size
    if len(run) > 1:
        yield run
