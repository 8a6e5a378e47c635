"""Traits that rules can compare: what is known about a person.

Most are aggregates over the history, counted together with everything else a rule asks for. The few that need more than one
pass (`joined`) come from the expression of the profile slice. A value somebody declared is reached as "declared.<name>", one
that was defined to be computed as "computed.<key>", and one that an analyser found by its own key ("os.family"); what was declared
and found lies in PostgreSQL, which is asked (`asks`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from cegla.segment.rules.history import ORDER, REFUNDS, Ground, Measure, Rows
from cegla.segment.rules.language import Question, asking
from cegla.vocabulary.text import Text

DECLARED, COMPUTED = "declared.", "computed."
Measures = Callable[[Rows], dict[str, Measure]]
Read = Callable[[Mapping[str, Any], Ground], Any]


@dataclass(frozen=True)
class TraitRow:
    """One trait. `kind` says what it may be compared with: count, money, number, moment, hour, text or list.

    `zero`: somebody without events of interest has 0, not unknown. `profile` is the key of the same trait on the person's page.
    """

    key: str
    label: Text
    kind: str
    measures: Measures
    value: Read
    profile: str | None = None
    zero: bool = False
    joined: bool = False
    counted: Any = field(default=None, compare=False)  #: of a computed trait, what it counts (`calculations.Counted`)
    asks: Question | None = None  #: what PostgreSQL is asked for it
    is_guess: bool = False  #: whether it comes with a confidence
    halves_every_seconds: float | None = None  #: a score that falls with time: p / (p + 10) of 100, with p halved so often


def order_count(rows: Rows, where: Any) -> Measure:
    """How many orders: different order numbers, and each event without a number as one."""
    number = rows["order_id"]
    without = lambda only: number.isnull() if only is None else only & number.isnull()  # noqa: E731
    return rows.measure(lambda only: number.nunique(where=only) + rows.table.count(where=without(only)), where)


def revenue(rows: Rows) -> Measure:
    """Orders less what was taken back, in micros."""
    return rows.total(rows["value_micros"], rows["name"].isin([ORDER, *REFUNDS]))


def _orders(rows: Rows) -> dict[str, Measure]:
    return {"orders": order_count(rows, rows["name"] == ORDER)}


def _basket(rows: Rows) -> dict[str, Measure]:
    ordered = rows["name"] == ORDER
    return {"orders": order_count(rows, ordered), "gross": rows.total(rows["value_micros"], ordered)}


def _one(name: str) -> Read:
    return lambda seen, ground: seen[name]


def _joined(key: str, pl: str, en: str, kind: str) -> TraitRow:
    return TraitRow(key, Text(pl, en), kind, lambda rows: {}, _one(key), key, joined=True)


_ROWS = (
    TraitRow("first_seen", Text("pierwsza aktywność", "first activity"), "moment", lambda rows: {"first": rows.first()}, _one("first"), "first_seen"),
    TraitRow(
        "last_seen", Text("ostatnia aktywność", "last activity"), "moment",
        lambda rows: {"last": rows.last(rows["session_id"].notnull())}, _one("last"), "last_seen",
    ),
    TraitRow(
        "visit_count", Text("liczba wizyt", "number of visits"), "count",
        lambda rows: {"visits": rows.distinct(rows["session_id"], rows["session_id"].notnull())}, _one("visits"), "visit_count", zero=True,
    ),
    TraitRow("order_count", Text("liczba zamówień", "number of orders"), "count", _orders, _one("orders"), "order_count", zero=True),
    TraitRow(
        "first_order_at", Text("pierwsze zamówienie", "first order"), "moment",
        lambda rows: {"first": rows.first(rows["name"] == ORDER)}, _one("first"), "first_order_at",
    ),
    TraitRow(
        "last_order_at", Text("ostatnie zamówienie", "last order"), "moment",
        lambda rows: {"last": rows.last(rows["name"] == ORDER)}, _one("last"), "last_order_at",
    ),
    TraitRow(
        "monetary", Text("wydana kwota", "total spent"), "money",
        lambda rows: {"revenue": revenue(rows)}, lambda seen, ground: seen["revenue"].fill_null(0), "monetary_micros", zero=True,
    ),
    TraitRow(
        "average_basket", Text("średni koszyk", "average basket"), "money",
        _basket, lambda seen, ground: seen["gross"].fill_null(0) // seen["orders"].nullif(0), "average_basket_micros",
    ),
    TraitRow(
        "refund_count", Text("liczba zwrotów", "number of refunds"), "count",
        lambda rows: {"refunds": order_count(rows, rows["name"].isin(REFUNDS))}, _one("refunds"), "refund_count", zero=True,
    ),
    _joined("usual_hour", "zwykła pora (godzina)", "usual hour", "hour"),
    _joined("device", "urządzenie", "device", "text"),
    _joined("country", "kraj", "country", "text"),
    _joined("language", "język", "language", "text"),
    _joined("top_referrer", "najczęstsze źródło wizyt", "most frequent referrer", "text"),
    _joined("favourite_categories", "ulubione kategorie", "favourite categories", "list"),
    _joined("favourite_product", "ulubiony produkt", "favourite product", "text"),
    replace(_joined("engagement", "zaangażowanie (0–100)", "engagement (0 to 100)", "number"), halves_every_seconds=21 * 86_400.0),
)  # fmt: skip
TRAITS: dict[str, TraitRow] = {row.key: row for row in _ROWS}


@lru_cache(maxsize=1_024)
def trait(key: str) -> TraitRow | None:
    """The row of a trait that needs no definition; declared ones ("declared.plan") have one each, made from the name."""
    if not key.startswith(DECLARED):
        return TRAITS.get(key)
    name = key.removeprefix(DECLARED)
    label = Text(f"podana wartość „{name}”", f"declared “{name}”")
    return TraitRow(key, label, "text", lambda rows: {}, _one("value"), asks=asking("declared", name)) if name else None


def found(key: str, label: Text, kind: str) -> TraitRow:
    """The row of a trait that an analyser finds; its name stands within a sentence."""
    return TraitRow(key, Text(_lowered(label.pl), _lowered(label.en)), kind, lambda rows: {}, _one("value"), asks=asking("found", key, kind), is_guess=True)


def _lowered(name: str) -> str:
    """"Płeć" as "płeć"; "NIP" and "B2B" stay as they are."""
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def computed(key: str, label: Text, kind: str, zero: bool, counted: Any) -> TraitRow:
    """The row of a computed trait; `counted` is what its definition counts."""
    name = f"{COMPUTED}{key}"
    return TraitRow(name, label, kind, lambda rows: {}, _counted_of(name, zero), key, zero, joined=True, counted=counted)


def _counted_of(name: str, zero: bool) -> Read:
    return lambda seen, ground: seen[name].fill_null(0) if zero else seen[name]
