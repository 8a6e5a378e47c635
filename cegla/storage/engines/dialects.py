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
import ibis.expr.operations as ops
import sqlglot
import sqlglot.expressions
from ibis.backends.sql.compilers import ClickHouseCompiler, DuckDBCompiler, PySparkCompiler
from ibis.backends.sql.datatypes import ClickHouseType

sg: Any = sqlglot  # its published types are narrower than what it can do
sge: Any = sqlglot.expressions
TEXT_AT = "json_extract_string"  #: the function by which rules ask for the text of a JSON value at "/key"

LAST_MOMENT = datetime.fromisoformat("2299-12-31")  #: naive, as all moments of the history


def _key_of(pointer: object) -> str:
    """The key that a pointer of one step names (RFC 6901)."""
    return str(pointer).removeprefix("/").replace("~1", "/").replace("~0", "~")


def _keys_of(pointers: Any) -> list[str]:
    """The keys of a list of pointers, which is one literal or a list of them."""
    values = pointers.value if hasattr(pointers, "value") else [one.value for one in pointers.exprs]
    return [_key_of(one) for one in values]


def _named(kind: Any) -> str:
    """A type in ClickHouse's words; unlike Ibis' own, its rows may be missing."""
    if kind.is_struct():
        return f"Nullable(Tuple({', '.join(f'`{name}` {_named(one)}' for name, one in kind.items())}))"
    return f"Array({_named(kind.value_type)})" if kind.is_array() else ClickHouseType.to_string(kind)


def _ascending(op: Any, order_by: Any) -> list[Any]:
    """The keys of an order by which rows that hold them first sort upwards: a number descends as its negative. Empty: no order, or one that this cannot say."""
    if not all(key.ascending or key.dtype.is_numeric() for key in op.order_by):
        return []
    return [key.this if sort.ascending else sge.Neg(this=key.this) for key, sort in zip(order_by, op.order_by, strict=True)]


def _where_there(arg: Any, where: Any) -> Any:
    """The condition of a collected list: what is null is left out, too."""
    there: Any = arg.is_(sge.Null()).not_()
    return there if where is None else sg.and_(where, there)


class DuckDB(DuckDBCompiler):
    """DuckDB's SQL, where it has words of its own that are answered faster than what Ibis writes."""

    __slots__ = ()

    def visit_DayOfWeekIndex(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """Monday is 0."""
        return self.f.isodow(arg) - 1

    def visit_InValues(self, op: Any, *, value: Any, options: Any) -> Any:  # noqa: N802
        """A choice of several values becomes part of reading a table only when it is no plain list."""
        first, *others = options
        if not isinstance(op.value, ops.Field) or len(others) < 2:
            return super().visit_InValues(op, value=value, options=options)
        return sg.or_(value.eq(first), value.isin(*others))


class ClickHouse(ClickHouseCompiler):
    """ClickHouse's SQL."""

    __slots__ = ()
    SIMPLE_OPS = {
        **{op: name for op, name in ClickHouseCompiler.SIMPLE_OPS.items() if op is not ops.ArrayContains},
        **{op: f"{op.__name__.lower()}OrNull" for op in (ops.Sum, ops.Min, ops.Max)},  # of nothing
    }  # fmt: skip
    UNSUPPORTED_OPS = tuple(op for op in ClickHouseCompiler.UNSUPPORTED_OPS if op is not ops.CumeDist)

    def visit_CumeDist(self, op: Any) -> Any:  # noqa: N802 - named by Ibis
        """See the window below."""
        return self.f.count(sge.Star())

    def visit_WindowFunction(self, op: Any, *, func: Any, group_by: Any, order_by: Any, **frame: Any) -> Any:  # noqa: N802
        """The share of rows that come no later: they are counted, and all are."""
        if not isinstance(op.func, ops.CumeDist):
            return super().visit_WindowFunction(op, func=func, group_by=group_by, order_by=order_by, **frame)
        order = sge.Order(expressions=order_by)
        spec = sge.WindowSpec(kind="RANGE", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW", over="OVER")
        reached = sge.Window(this=func, partition_by=group_by, order=order, spec=spec)
        return reached / sge.Window(this=func.copy(), partition_by=group_by)

    def visit_ScalarUDF(self, op: Any, **arguments: Any) -> Any:  # noqa: N802 - named by Ibis
        """The text of a JSON value, or of several: ClickHouse has the raw value and the bare text of strings apart."""
        if op.__func_name__ != TEXT_AT:
            return super().visit_ScalarUDF(op, **arguments)
        document = self.f.ifNull(arguments["document"], "{}")
        if "pointers" in arguments:
            return self.f.array(*(self._text_at(document, key) for key in _keys_of(op.pointers)))
        return self._text_at(document, _key_of(op.pointer.value))

    def _text_at(self, document: Any, name: str) -> Any:
        key = sge.convert(name)
        kind = self.f.JSONType(document, key)
        raw: Any = self.f.JSONExtractRaw(document, key)
        bare: Any = self.f.toNullable(self.if_(kind.eq("String"), self.f.JSONExtractString(document, key), raw))
        return self.if_(sg.or_(self.f.JSONHas(document, key).eq(0), kind.eq("Null")), sge.Null(), bare)

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A row as JSON names its fields; moments have microseconds; what is no number behind the comma is none before it either."""
        kind = op.arg.dtype
        if to.is_json() and kind.is_struct():
            return self.f.toJSONString(self.f.anon.CAST(arg, _named(kind)))
        if to.is_timestamp() and not kind.is_numeric():
            return self.f.toDateTime64(arg, 6, "UTC")
        if to.is_integer() and kind.is_floating():
            return self.f.accurateCastOrNull(self.f.roundBankers(arg), type(to).__name__)
        return super().visit_Cast(op, arg=arg, to=to)

    def visit_FloorDivide(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802
        """What is divided by nothing is nothing."""
        return self.f.accurateCastOrNull(self.f.floor(sge.paren(left) / sge.paren(right)), type(op.dtype).__name__)

    def visit_ArrayCollect(self, op: Any, *, arg: Any, order_by: Any, **rest: Any) -> Any:  # noqa: N802
        """In an order: the keys come along, first, and rows are compared as tuples. A number descends as its negative."""
        if not (keys := _ascending(op, order_by)):
            return super().visit_ArrayCollect(op, arg=arg, order_by=order_by, **rest)
        where, row = _where_there(arg, rest["where"]), sg.to_identifier("row")
        last = sge.Lambda(this=self.f.tupleElement(row, len(keys) + 1), expressions=[row])
        gathered: Any = self.agg
        return self.f.arrayMap(last, self.f.arraySort(gathered.groupArray(self.f.tuple(*keys, arg), where=where)))

    def visit_ArrayContains(self, op: Any, *, arg: Any, other: Any) -> Any:  # noqa: N802
        """A list out of a choice has the type of both branches, which ClickHouse does not look into."""
        return self.f.has(self.cast(self.f.ifNull(arg, self.f.array()), op.arg.dtype), other)

    def visit_Translate(self, op: Any, *, arg: Any, from_str: Any, to_str: Any) -> Any:  # noqa: N802
        """Letters are not bytes."""
        return self.f.anon.translateUTF8(arg, from_str, to_str)

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
        """The text of a JSON value, or of several: as a map of texts, so that a key is a name and never a path."""
        if op.__func_name__ != TEXT_AT:
            return super().visit_ScalarUDF(op, **arguments)
        texts = self.f.from_json(arguments["document"], "map<string,string>")
        if "pointers" in arguments:
            return self.f.array(*(self.f.try_element_at(texts, sge.convert(key)) for key in _keys_of(op.pointers)))
        return self.f.try_element_at(texts, sge.convert(_key_of(op.pointer.value)))

    def visit_ArrayCollect(self, op: Any, *, arg: Any, order_by: Any, **rest: Any) -> Any:  # noqa: N802
        """In an order: the keys come along, first, and rows are compared as structs. A number descends as its negative."""
        if not (keys := _ascending(op, order_by)):
            return super().visit_ArrayCollect(op, arg=arg, order_by=order_by, **rest)
        named = [part for number, key in enumerate(keys) for part in (sge.convert(f"key{number}"), key)]
        where, row = _where_there(arg, rest["where"]), sg.to_identifier("row")
        value = sge.Lambda(this=sge.Dot(this=row, expression=sg.to_identifier("value")), expressions=[row])
        gathered: Any = self.agg
        rows = gathered.collect_list(self.f.anon.named_struct(*named, sge.convert("value"), arg), where=where)
        return self.f.anon.transform(self.f.anon.array_sort(rows), value)

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802
        """A row as JSON keeps what is null and writes moments as the others do."""
        if not to.is_json() or not op.arg.dtype.is_struct():
            return super().visit_Cast(op, arg=arg, to=to)
        options: Any = self.f.anon.map("ignoreNullFields", "false", "timestampFormat", "yyyy-MM-dd HH:mm:ss.SSSSSS")
        return self.f.to_json(arg, options)

    def visit_CountStar(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802
        """How many of no rows is zero, not nothing."""
        return super().visit_CountStar(op, arg=arg, where=where) if where is None else self.f.count_if(where)

    def visit_Least(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """The least of one is that one."""
        return arg[0] if len(arg) == 1 else super().visit_Least(op, arg=arg)

    def visit_Greatest(self, op: Any, *, arg: Any) -> Any:  # noqa: N802
        """So is the greatest."""
        return arg[0] if len(arg) == 1 else super().visit_Greatest(op, arg=arg)

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


COMPILERS: dict[str, Any] = {"duckdb": DuckDB(), "clickhouse": ClickHouse(), "spark": Spark()}


def _made(operation: Any, engine: str) -> Any:
    made: Any = COMPILERS[engine].to_sqlglot(operation.to_expr())
    return made[-1] if isinstance(made, list) else made


@lru_cache(maxsize=512)
def written(operation: Any, engine: str) -> Any:
    """The statement of an expression as a tree; kept, since writing it takes longer than many an answer."""
    return _made(operation, engine)


def plain_sql(operation: Any) -> str:
    """The SQL of an expression for DuckDB, whose tables lie under their own names."""
    return _made(operation, "duckdb").sql(dialect="duckdb")


def sql_of(expression: ibis.Table, engine: str, sources: Mapping[str, str]) -> str:
    """The SQL of an expression. `sources` says for each table of the history the statement, in DuckDB's words, that gives its rows."""
    operation: Any = expression.op()
    dialect = COMPILERS[engine].dialect

    def from_source(node: Any) -> Any:
        if not isinstance(node, sge.Table):
            return node
        if (source := sources.get(node.name)) is None:
            return sg.table(node.name, quoted=True).as_(node.alias, quoted=True) if node.alias else sg.table(node.name, quoted=True)
        return sg.parse_one(source, dialect="duckdb").subquery(alias=node.alias or node.name)

    return written(operation, engine).copy().transform(from_source).sql(dialect=dialect)


def condition_of(chosen: ibis.Table) -> str:
    """The condition of a filtered table in DuckDB's words, for a statement of our own about that table alone."""
    operation: Any = chosen.op()
    found = written(operation, "duckdb").find(sge.Where).this.copy()
    for column in found.find_all(sge.Column):
        column.set("table", None)
    return found.sql(dialect="duckdb")
