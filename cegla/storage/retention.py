"""Classes of history by what they say, and how what is too old goes: from the warehouse and from the files of its snapshot.

A class is a row. Whole rows go, or the words that somebody typed are taken out of them. The bytes go with the next rewriting of the warehouse's file.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from cegla.storage.anywhere import AnyWarehouse
from cegla.storage.engines.dialects import TEXT_AT, condition_of
from cegla.storage.files import Files
from cegla.storage.warehouse import TABLES, Readable, table
from cegla.vocabulary.text import Text

_TYPED = ("query", "search", "search_term", "searchterm", "phrase", "q")
_WORDS = " or ".join(f"{TEXT_AT}(properties, '/{name}') is not null" for name in _TYPED)
Blank = tuple[tuple[str, str], ...]  #: columns, and what to put there, in DuckDB's words
Column = Any  #: an Ibis expression: its published types are narrower than what it can do


@ibis.udf.scalar.builtin(name=TEXT_AT)
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value; null when there is none. Every engine has it under some name."""


def _is_order(rows: Column) -> Column:
    return rows.name.startswith("Order ")


def _is_other(rows: Column) -> Column:
    return ~rows.name.startswith("Order ")


def _has_words(rows: Column) -> Column:
    return reduce(or_, [_text_at(rows.properties, f"/{name}").notnull() for name in _TYPED], rows.referrer_term.notnull())


@dataclass(frozen=True)
class Kept:
    """One class. `holds` says which rows of `tables` are of the class, whose age is that of `moment`; `blank` what stays of them.

    The condition is an expression, so the same one counts and removes on every engine, and in the files of a snapshot.
    """

    key: str
    label: Text
    tables: tuple[str, ...]
    holds: Callable[[Column], Column]
    moment: str = "occurred_at"
    blank: Blank = ()

    def gone(self, name: str, before: datetime) -> ir.Table:
        """The rows of a table that are older than a moment (UTC)."""
        rows: Column = table(name)
        return rows.filter(self.holds(rows) & (rows[self.moment] < before.replace(tzinfo=None)))


CLASSES: tuple[Kept, ...] = (
    Kept("behaviour", Text("Zachowania: odsłony, kliknięcia, koszyki, otwarcia", "Behaviour: views, clicks, carts, opens"),
        ("events", "order_lines"), _is_other),
    Kept("orders", Text("Zamówienia i zwroty, z pozycjami", "Orders and refunds, with their lines"), ("events", "order_lines"), _is_order),
    Kept("searches", Text("Wpisane słowa: co kto wyszukiwał", "Typed words: what somebody searched for"), ("events",), _has_words, blank=(
        ("referrer_term", "null"),
        ("properties", f"case when {_WORDS} then json_merge_patch(properties, '{json.dumps(dict.fromkeys(_TYPED))}') else properties end"),
    )),
    Kept("merges", Text("Dziennik połączeń osób", "The log of merges of people"), ("moves",), lambda rows: rows.batch.notnull(), "moved_at"),
)  # fmt: skip


def cutoff(now: datetime, days: int) -> datetime:
    """What is older goes."""
    return now - timedelta(days=days)


def count(warehouse: Readable, kept: Kept, before: datetime) -> tuple[int, datetime | None]:
    """How many rows of a class are older than a moment, and the oldest of them (UTC, without a zone)."""
    found: list[dict[str, Any]] = []
    for name in kept.tables:
        rows: Column = kept.gone(name, before)
        found += warehouse.run(rows.aggregate(number=rows.count(), oldest=rows[kept.moment].min())).to_pylist()
    return sum(one["number"] for one in found), min((one["oldest"] for one in found if one["oldest"]), default=None)


def remove(warehouse: AnyWarehouse, files: Files, kept: Kept, before: datetime) -> int:
    """Take rows of a class that are older than a moment out of the warehouse and its snapshot; returns how many the warehouse had.

    The files go first, since what is due is counted in the warehouse: if they cannot be written, it is due still.
    """
    with files.changing:
        with duckdb.connect() as hand:
            for name in kept.tables:
                files.change(name, TABLES[name].names, lambda rows, name=name: _changed(hand, rows, name, kept, before))
        return sum(warehouse.forget(name, kept.gone(name, before), dict(kept.blank)) for name in kept.tables)


def _changed(hand: duckdb.DuckDBPyConnection, rows: pa.Table, name: str, kept: Kept, before: datetime) -> tuple[pa.Table, int]:
    """A piece of a snapshot's file with what is too old gone, and how many rows that are. A file of an older version lacks columns."""
    hand.register("part", _with_all(rows, name))
    where = condition_of(kept.gone(name, before))
    ((gone,),) = hand.execute(f"select count(*) from part where {where}").fetchall()
    if not gone:
        return rows, 0
    if kept.blank:
        said = ", ".join(f"case when {where} then {value} else {column} end as {column}" for column, value in kept.blank)
        asked = f"select * replace ({said}) from part"
    else:
        asked = f"from part where not coalesce({where}, false)"
    left = hand.sql(asked).to_arrow_table()
    return left.select(rows.column_names).cast(rows.schema), gone


def _with_all(rows: pa.Table, name: str) -> pa.Table:
    lacking: Iterable[pa.Field] = (field for field in TABLES[name] if field.name not in rows.column_names)
    for field in lacking:
        rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows
