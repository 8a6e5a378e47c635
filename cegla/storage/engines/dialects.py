"""From an expression to the SQL of an engine: Ibis writes it, and what Ibis writes differently for one engine than for DuckDB is put right here.

DuckDB is what the product's expressions are tried on, so its ways are the meaning: nothing sums to nothing, what is null compares to nothing,
the text of a JSON value is bare, whole numbers divide towards the floor. Each method below is one such difference, for one engine.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import sqlglot
import sqlglot.expressions
from ibis.backends.sql.compilers import ClickHouseCompiler, DuckDBCompiler, PySparkCompiler

sg: Any = sqlglot  # its published types are narrower than what it can do
sge: Any = sqlglot.expressions
TEXT_AT = "json_extract_string"  #: the function by which rules ask for the text of a JSON value at "/key"

LAST_MOMENT = datetime.fromisoformat("2299-12-31")  #: naive, as all moments of the history


def _key_of(pointer: Any) -> str:
    """The key that a pointer of one step names (RFC 6901)."""
    return str(pointer.value).removeprefix("/").replace("~1", "/").replace("~0", "~")


class ClickHouse(ClickHouseCompiler):
    """ClickHouse's SQL."""

    __slots__ = ()

    def visit_ScalarUDF(self, op: Any, **arguments: Any) -> Any:  # noqa: N802 - named by Ibis
        """The text of a JSON value: ClickHouse has the raw value and the bare text of strings apart."""
        if op.__func_name__ != TEXT_AT:
            return super().visit_ScalarUDF(op, **arguments)
        document, key = self.f.ifNull(arguments["document"], "{}"), sge.convert(_key_of(op.pointer))
        kind = self.f.JSONType(document, key)
        raw: Any = self.f.JSONExtractRaw(document, key)
        bare: Any = self.f.toNullable(self.if_(kind.eq("String"), self.f.JSONExtractString(document, key), raw))
        return self.if_(sg.or_(self.f.JSONHas(document, key).eq(0), kind.eq("Null")), sge.Null(), bare)

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A row as JSON is a text from the start; moments have microseconds."""
        if to.is_json() and op.arg.dtype.is_struct():
            return self.f.toJSONString(arg)
        if to.is_timestamp() and not op.arg.dtype.is_numeric():
            return self.f.toDateTime64(arg, 6, "UTC")
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802
        """Moments have microseconds, and end in 2299: what lies behind that is as far away."""
        if dtype.is_timestamp():
            moment = value.replace(tzinfo=None)
            return self.f.toDateTime64(f"{min(moment, LAST_MOMENT):%Y-%m-%d %H:%M:%S.%f}", 6, "UTC")
        if dtype.is_interval() and dtype.unit.short == "us":
            return self.f.toIntervalMicrosecond(value)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_IntervalFromInteger(self, op: Any, *, arg: Any, unit: Any) -> Any:  # noqa: N802
        """ClickHouse adds microseconds, too."""
        return self.f.toIntervalMicrosecond(arg) if unit.short == "us" else super().visit_IntervalFromInteger(op, arg=arg, unit=unit)


class Spark(PySparkCompiler):
    """Spark's SQL."""

    __slots__ = ()

    def visit_ScalarUDF(self, op: Any, **arguments: Any) -> Any:  # noqa: N802
        """The text of a JSON value: as a map of texts, so that a key is a name and never a path."""
        if op.__func_name__ != TEXT_AT:
            return super().visit_ScalarUDF(op, **arguments)
        return self.f.try_element_at(self.f.from_json(arguments["document"], "map<string,string>"), sge.convert(_key_of(op.pointer)))

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A row as JSON keeps what is null and writes moments as the others do."""
        if not to.is_json() or not op.arg.dtype.is_struct():
            return super().visit_Cast(op, arg=arg, to=to)
        options: Any = self.f["map"]("ignoreNullFields", "false", "timestampFormat", "yyyy-MM-dd HH:mm:ss.SSSSSS")
        return self.f.to_json(arg, options)

    def visit_ExtractMicrosecond(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """The microseconds within the second."""
        micros: Any = self.f.unix_micros(arg)
        return self.cast(micros % 1_000_000, op.dtype)

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:  # noqa: N802
        """Ibis asks an option of its Spark backend, which is not loaded here; a number is a number."""
        return self.cast(str(value), dt.float64) if dtype.is_floating() else super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_Field(self, op: Any, *, rel: Any, name: str) -> Any:  # noqa: N802
        """The same of columns."""
        return sg.column(self._gen_valid_name(name), table=rel.alias_or_name, quoted=self.quoted, copy=False)


COMPILERS: dict[str, Any] = {"duckdb": DuckDBCompiler(), "clickhouse": ClickHouse(), "spark": Spark()}


@lru_cache(maxsize=512)
def written(operation: Any, engine: str) -> Any:
    """The statement of an expression as a tree; kept, since writing it takes longer than many an answer."""
    made: Any = COMPILERS[engine].to_sqlglot(operation.to_expr())
    return made[-1] if isinstance(made, list) else made


def sql_of(expression: ibis.Table, engine: str, sources: Mapping[str, str]) -> str:
    """The SQL of an expression. `sources` says for each table of the history the statement that gives its rows."""
    operation: Any = expression.op()
    dialect = COMPILERS[engine].dialect

    def from_source(node: Any) -> Any:
        if not isinstance(node, sge.Table):
            return node
        if (source := sources.get(node.name)) is None:
            return sg.table(node.name, quoted=True).as_(node.alias, quoted=True) if node.alias else sg.table(node.name, quoted=True)
        return sg.parse_one(source, dialect=dialect).subquery(alias=node.alias or node.name)

    return written(operation, engine).copy().transform(from_source).sql(dialect=dialect)
