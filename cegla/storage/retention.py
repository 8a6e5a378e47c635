"""Classes of history by what they say, and how what is too old goes: from the warehouse and from the files of its snapshot.

A class is a row. Whole rows go, or the words that somebody typed are taken out of them. The bytes go with the next rewriting of the warehouse's file.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from cegla.storage.files import Files
from cegla.storage.warehouse import TABLES, Warehouse
from cegla.vocabulary.text import Text

_ORDER = "starts_with(name, 'Order ')"
_TYPED = ("query", "search", "search_term", "searchterm", "phrase", "q")
_WORDS = " or ".join(f"json_exists(properties, '/{name}')" for name in _TYPED)
Blank = tuple[tuple[str, str], ...]  #: columns, and what to put there


@dataclass(frozen=True)
class Kept:
    """One class. `holds` says, as DuckDB reads it, which rows of `tables` are of the class, whose age is that of `moment`; `blank` what stays of them."""

    key: str
    label: Text
    tables: tuple[str, ...]
    holds: str
    moment: str = "occurred_at"
    blank: Blank = ()

    def gone(self, before: datetime) -> str:
        """Which rows are older than a moment (UTC)."""
        return f"({self.holds}) and {self.moment} < timestamp '{before.replace(tzinfo=None).isoformat(' ')}'"


CLASSES: tuple[Kept, ...] = (
    Kept("behaviour", Text("Zachowania: odsłony, kliknięcia, koszyki, otwarcia", "Behaviour: views, clicks, carts, opens"),
        ("events", "order_lines"), f"not {_ORDER}"),
    Kept("orders", Text("Zamówienia i zwroty, z pozycjami", "Orders and refunds, with their lines"), ("events", "order_lines"), _ORDER),
    Kept("searches", Text("Wpisane słowa: co kto wyszukiwał", "Typed words: what somebody searched for"),
        ("events",), f"referrer_term is not null or {_WORDS}", blank=(
            ("referrer_term", "null"),
            ("properties", f"case when {_WORDS} then json_merge_patch(properties, '{json.dumps(dict.fromkeys(_TYPED))}') else properties end"),
        )),
    Kept("merges", Text("Dziennik połączeń osób", "The log of merges of people"), ("moves",), "true", "moved_at"),
)  # fmt: skip


def cutoff(now: datetime, days: int) -> datetime:
    """What is older goes."""
    return now - timedelta(days=days)


def count(warehouse: Warehouse, kept: Kept, before: datetime) -> tuple[int, datetime | None]:
    """How many rows of a class are older than a moment, and the oldest of them (UTC, without a zone)."""
    found = [warehouse.oldest(name, kept.gone(before), kept.moment) for name in kept.tables]
    return sum(number for number, _ in found), min((oldest for _, oldest in found if oldest), default=None)


def remove(warehouse: Warehouse, files: Files, kept: Kept, before: datetime) -> int:
    """Take rows of a class that are older than a moment out of the warehouse and its snapshot; returns how many the warehouse had.

    The files go first, since what is due is counted in the warehouse: if they cannot be written, it is due still.
    """
    with files.changing:
        with duckdb.connect() as hand:
            for name in kept.tables:
                files.change(name, TABLES[name].names, lambda rows, name=name: _changed(hand, rows, name, kept, before))
        return sum(warehouse.forget(name, kept.gone(before), dict(kept.blank)) for name in kept.tables)


def _changed(hand: duckdb.DuckDBPyConnection, rows: pa.Table, name: str, kept: Kept, before: datetime) -> tuple[pa.Table, int]:
    """A piece of a snapshot's file with what is too old gone, and how many rows that are. A file of an older version lacks columns."""
    hand.register("part", _with_all(rows, name))
    ((gone,),) = hand.execute(f"select count(*) from part where {kept.gone(before)}").fetchall()
    if not gone:
        return rows, 0
    if kept.blank:
        said = ", ".join(f"case when {kept.gone(before)} then {value} else {column} end as {column}" for column, value in kept.blank)
        asked = f"select * replace ({said}) from part"
    else:
        asked = f"from part where not coalesce({kept.gone(before)}, false)"
    left = hand.sql(asked).to_arrow_table()
    return left.select(rows.column_names).cast(rows.schema), gone


def _with_all(rows: pa.Table, name: str) -> pa.Table:
    lacking: Iterable[pa.Field] = (field for field in TABLES[name] if field.name not in rows.column_names)
    for field in lacking:
        rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows
