"""Traits that rules can compare: what is known about a person, as aggregates over the history.

Only what the history itself says is here; a value somebody declared is reached as "declared.<name>".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis

from cegla.segment.rules.history import ORDER, REFUND, Ground, Measure, Rows, property_text
from cegla.vocabulary.text import Text

DECLARED = "declared."
DEVICES = ("phone", "desktop", "tablet", "tv", "server", "unknown", "bot")  #: of equally frequent ones the first counts


@dataclass(frozen=True)
class TraitRow:
    """One trait. `kind` says what it may be compared with; `zero`: somebody without events of interest has 0, not unknown."""

    key: str
    label: Text
    kind: str  #: count, money, number, moment, text, hour
    measures: Callable[[Rows], dict[str, Measure]]
    value: Callable[[Any, Ground], Any]
    zero: bool = False


def _latest(column: str) -> Callable[[Rows], dict[str, Measure]]:
    return lambda rows: {column: rows.latest(rows[column])}


def _orders(rows: Rows) -> dict[str, Measure]:
    return {"orders": rows.distinct(order_key(rows), rows["name"] == ORDER)}


def order_key(rows: Rows) -> Any:
    """What makes an order one: its number, or the event itself when it carries none."""
    return rows["order_id"].fill_null(ibis.literal("#") + rows["event_id"].cast("string"))


def _revenue(rows: Rows) -> dict[str, Measure]:
    return {"revenue": rows.total(rows["value_micros"], rows["name"].isin([ORDER, REFUND]))}


def _gross(rows: Rows) -> dict[str, Measure]:
    priced = (rows["name"] == ORDER) & rows["value_micros"].notnull()
    return {"gross": rows.total(rows["value_micros"], priced), "priced": rows.distinct(order_key(rows), priced)}


def _most_frequent(values: tuple[Any, ...], column: Callable[[Rows], Any]) -> Callable[[Rows], dict[str, Measure]]:
    return lambda rows: {f"n{number}": rows.count(column(rows) == value) for number, value in enumerate(values)}


def _first_of_the_largest(values: tuple[Any, ...]) -> Callable[[Any, Ground], Any]:
    def value(seen: Any, _: Ground) -> Any:
        counts = [seen[f"n{number}"] for number in range(len(values))]
        largest = ibis.greatest(*counts)
        return ibis.cases((largest == 0, ibis.null()), *((count == largest, word) for count, word in zip(counts, values, strict=True)))

    return value


def _one(name: str) -> Callable[[Any, Ground], Any]:
    return lambda seen, ground: seen[name]


TRAITS: dict[str, TraitRow] = {
    row.key: row
    for row in (
        TraitRow("first_seen", Text("pierwsza aktywność", "first activity"), "moment", lambda rows: {"first": rows.first()}, _one("first")),
        TraitRow("last_seen", Text("ostatnia aktywność", "last activity"), "moment", lambda rows: {"last": rows.last()}, _one("last")),
        TraitRow("event_count", Text("liczba zdarzeń", "number of events"), "count", lambda rows: {"events": rows.count()}, _one("events"), zero=True),
        TraitRow("session_count", Text("liczba wizyt", "number of visits"), "count", lambda rows: {"sessions": rows.distinct(rows["session_id"])}, _one("sessions"), zero=True),
        TraitRow("order_count", Text("liczba zamówień", "number of orders"), "count", _orders, _one("orders"), zero=True),
        TraitRow("first_order_at", Text("pierwsze zamówienie", "first order"), "moment", lambda rows: {"first": rows.first(rows["name"] == ORDER)}, _one("first")),
        TraitRow("last_order_at", Text("ostatnie zamówienie", "last order"), "moment", lambda rows: {"last": rows.last(rows["name"] == ORDER)}, _one("last")),
        TraitRow("monetary", Text("wydana kwota", "total spent"), "money", _revenue, lambda seen, ground: seen["revenue"].fill_null(0), zero=True),
        TraitRow("average_basket", Text("średni koszyk", "average basket"), "money", _gross, lambda seen, ground: seen["gross"] / seen["priced"].nullif(0)),
        TraitRow("refunds", Text("liczba zwrotów", "number of refunds"), "count", lambda rows: {"refunds": rows.count(rows["name"] == REFUND)}, _one("refunds"), zero=True),
        TraitRow("country", Text("kraj", "country"), "text", _latest("country"), _one("country")),
        TraitRow("language", Text("język", "language"), "text", _latest("language"), _one("language")),
        TraitRow("browser", Text("przeglądarka", "browser"), "text", _latest("browser"), _one("browser")),
        TraitRow("os", Text("system", "operating system"), "text", _latest("os"), _one("os")),
        TraitRow("device", Text("urządzenie", "device"), "text", _most_frequent(DEVICES, lambda rows: rows["device_type"]), _first_of_the_largest(DEVICES)),
        TraitRow("usual_hour", Text("zwykła pora (godzina)", "usual hour"), "hour", _most_frequent(tuple(range(24)), lambda rows: rows["local_at"].hour()), _first_of_the_largest(tuple(range(24)))),
    )
}  # fmt: skip


def trait(key: str) -> TraitRow | None:
    """The row of a trait; declared ones ("declared.plan") have one each, made from the name."""
    if not key.startswith(DECLARED):
        return TRAITS.get(key)
    name = key.removeprefix(DECLARED)
    return TraitRow(key, Text(f"podana wartość „{name}”", f"declared “{name}”"), "text", lambda rows: _declared(rows, name), _one("declared")) if name else None


def _declared(rows: Rows, name: str) -> dict[str, Measure]:
    return {"declared": rows.latest(property_text(rows.table, name), rows["kind"] == "identify")}
