"""Spark as a warehouse: a folder of Parquet files (see `files`) that all of the cluster's workers see, and a session that reads them.

Which files a question reads is decided when it is asked.
"""

import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ibis
import pyarrow as pa
import pyarrow.compute
from ibis.backends.sql.datatypes import PySparkType

from cegla.storage.engines.remote import ALL_TABLES, Ranges
from cegla.storage.files import Files
from cegla.vocabulary.errors.installation import EngineAway, EngineUnknown

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.sql.ansi.enabled": "false",  # what cannot be read as a number is null, and whole numbers wrap, as elsewhere
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.constraintPropagation.enabled": "false",  # grows exponentially with columns that rest on columns: computed traits took minutes to plan, now 3 s
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


pc: Any = pyarrow.compute  # its functions are made when it is loaded


class Spark:
    """The driver of Spark (see `remote.Driver`)."""

    engine = "spark"

    def __init__(self, session: Any, folder: Path) -> None:
        self._session, self._files = session, Files(folder, ALL_TABLES)
        self._views: dict[tuple[str, ...], str] = {}
        self._frames: dict[str, Any] = {}

    def query(self, sql: str) -> pa.Table:
        """The rows of a statement."""
        return self._session.sql(sql).toArrow()

    def source(self, name: str) -> str:
        """What gives the rows of a table: a view of the files that are there now."""
        files = [str(file) for file in self._files.listed(name)]
        key = (name, *files)
        if key not in self._views:
            kinds = ", ".join(f"`{column}` {PySparkType.to_string(kind)}" for column, kind in ibis.Schema.from_pyarrow(ALL_TABLES[name]).items())
            frame = self._session.read.schema(kinds).parquet(*files) if files else self._session.createDataFrame([], kinds)
            view = f"{name}_{len(self._views)}_{time.monotonic_ns()}"
            frame.createOrReplaceTempView(view)
            self._views = {known: one for known, one in self._views.items() if known[0] != name} | {key: view}
        return self._views[key]

    def last(self, name: str) -> int:
        """The newest batch with rows in a table; 0 when there is none."""
        return self._files.last(name)

    def append(self, name: str, rows: pa.Table, first: int, last: int) -> None:
        """Add the rows of these batches: a file of its own."""
        self._files.append(name, rows, first, last)

    def remove(self, name: str, column: str, ranges: Ranges) -> int:
        """Remove rows by the numbers in a column; files that held them are written anew. Returns how many."""
        return self._files.remove(name, column, ranges)

    def change(self, name: str, key: str, rows: pa.Table) -> None:
        """Put these rows in the place of those with the same numbers in the column `key`."""
        self._files.change(name, [key], lambda piece: _exchanged(piece, key, rows))

    def damage(self, name: str) -> str:
        """What is wrong with the files of a table, whose pages have checksums; empty: nothing."""
        return next((said for file in self._files.listed(name) if (said := self._files.damaged(file, name))), "")

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
        """Join small files."""
        self._files.tidy()

    def close(self) -> None:
        """Let go of the session."""
        self._session.stop()

    def _frame(self, rows: pa.Table, schema: ibis.Schema) -> Any:
        kinds = ", ".join(f"`{name}` {PySparkType.to_string(kind)}" for name, kind in schema.items())
        if not rows.num_rows:
            return self._session.createDataFrame([], kinds)
        made = self._session.createDataFrame(rows)
        return made.selectExpr(*(f"cast(`{name}` as {PySparkType.to_string(kind)}) as `{name}`" for name, kind in schema.items()))


def _exchanged(piece: pa.Table, key: str, rows: pa.Table) -> tuple[pa.Table, int]:
    """A piece of a file with other rows where these are meant, and how many those are. The piece may have the key alone."""
    meant = pc.is_in(piece[key], value_set=rows[key])
    number = pc.sum(meant).as_py() or 0
    if piece.num_columns == 1 or not number:
        return piece, number
    others = rows.filter(pc.is_in(rows[key], value_set=piece[key])).select(piece.column_names).cast(piece.schema)
    return pa.concat_tables([piece.filter(pc.invert(meant)), others]), number


def connect(address: str) -> Spark:
    """The driver for an address: spark://host:7077?files=/folder that the app and all workers see."""
    from py4j.protocol import Py4JError  # pyright: ignore[reportMissingImports]  -- an optional part
    from pyspark.errors import PySparkException  # pyright: ignore[reportMissingImports]  -- an optional part
    from pyspark.sql import SparkSession  # an extra; half a gigabyte  # pyright: ignore[reportMissingImports]  -- an optional part

    parts = urlsplit(address)
    asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if not (files := asked.pop("files", "")):
        raise EngineUnknown(seen=parts.netloc, examples="spark://host:7077?files=/folder")
    builder: Any = SparkSession.builder.appName("cegla").master(f"spark://{parts.netloc}" if parts.netloc else "local[2]")
    for name, value in {**SETTINGS, **asked}.items():
        builder = builder.config(name, value)
    try:
        return Spark(builder.getOrCreate(), Path(files))
    except (PySparkException, Py4JError, OSError, RuntimeError) as error:
        raise EngineAway(seen=" ".join(str(error).split())[:200], engine="Apache Spark") from None
