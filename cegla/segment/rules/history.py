"""What a rule may look at: the rows of the history as of a moment, and how to count them per person.

A measure is an aggregate over the rows that satisfy a condition. Conditions are kept apart from the aggregates, so that
`compile` can read only the rows somebody asks about.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple, cast

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from cegla.vocabulary.text import Text

Column = Any  #: a value of Ibis: its published types do not know that values compare and add
ORDER = "Order Completed"
AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
MOMENT: Any = ibis.dtype("timestamp")
REFUNDS = ("Order Refunded", "Order Cancelled")


@dataclass(frozen=True)
class Scale:
    """Where the RFM scores begin: the four smallest values that score 2, 3, 4 and 5.

    Recency counts in days before `at`, as a negative number (so that more is better); revenue in micros.
    """

    at: datetime
    people: int
    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    monetary: tuple[int, ...]


@dataclass(frozen=True)
class Ground:
    """What a rule stands on besides the history: the moment (naive UTC) and the RFM scale of that time."""

    now: datetime
    scale: Scale | None = None
    zone: tzinfo = UTC  #: the shop's
    tenths: tuple[tuple[str, tuple[float, ...]], ...] = ()  #: by trait the nine smallest values of the tenths 2 to 10 (see rules/tenths.py)

    @property
    def today(self) -> date:
        """The calendar day in the shop's time zone."""
        return self.now.replace(tzinfo=UTC).astimezone(self.zone).date()

    def midnight(self, days: int) -> Column:
        """The moment at which the day begins that comes so many days after today."""
        return self.begin(self.today + timedelta(days=days))

    def begin(self, day: date) -> Column:
        """The moment at which a calendar day of the shop begins."""
        begins = datetime.combine(day, time(), self.zone).astimezone(UTC)
        return ibis.literal(begins.replace(tzinfo=None), type="timestamp")

    def after(self, days: int) -> "Ground":
        """The same ground at noon of the calendar day that comes so many days after today; a day may have 23 or 25 hours."""
        noon = datetime.combine(self.today + timedelta(days=days), time(12), self.zone)
        return replace(self, now=noon.astimezone(UTC).replace(tzinfo=None))

    def ago(self, days: float) -> Column:
        """The moment this many days of 24 hours before now."""
        return ibis.literal(self.now - timedelta(days=days), type="timestamp")


@dataclass(frozen=True)
class Passing(Ground):
    """The ground of a question that is made ready for any moment of one day: moments before now have a name each, and a value when it is asked."""

    moments: dict[float, Column] = field(default_factory=dict[float, Column], compare=False)  #: by days before now

    def ago(self, days: float) -> Column:
        """The moment this many days of 24 hours before whenever it is asked."""
        return self.moments.setdefault(days, ibis.param(MOMENT))

    def after(self, days: int) -> Ground:
        """The same ground so many days later: a day that is known, of which nobody asks for moments before it."""
        return Ground(self.now, self.scale, self.zone, self.tenths).after(days)


class Measure(NamedTuple):
    """An aggregate, and the rows it is about; None: all rows."""

    value: Column
    where: Column | None


Reduction = Callable[[Column | None], Column]
NO_WINDOW: Mapping[str, Any] = {}


class Rows:
    """The history up to now. `given`: what holds for every row of the table (see `conjuncts`), so that conditions need not repeat it."""

    def __init__(self, table: ir.Table, ground: Ground, *, given: frozenset[Any] = frozenset(), mixed: bool = False) -> None:
        self.table: Any = table
        self.ground = ground
        self.windows: list[tuple[Column, int]] = []  #: what measures looked at only so many days back: the condition and the days
        self.of_events = False  #: whether a measure was about events, and not about order lines
        self._given = given
        self._mixed = mixed

    def __getitem__(self, column: str) -> Any:
        return self.table[column]

    def measure(self, reduction: Reduction, where: Column | None = None) -> Measure:
        """An aggregate over the events that satisfy `where`."""
        self.of_events = True
        return self._measure(reduction, _both(where, ~self.table["is_line"]) if self._mixed else where)

    def measure_lines(self, reduction: Reduction, where: Column) -> Measure:
        """An aggregate over the order lines that satisfy `where`."""
        return self._measure(reduction, where & self.table["is_line"])

    def _measure(self, reduction: Reduction, where: Column | None) -> Measure:
        return Measure(reduction(where if where is None else self.less(where)), where)

    def less(self, where: Column) -> Column | None:
        """A condition without what holds for every row anyway; None when nothing is left."""
        if not self._given:
            return where
        left = [one.to_expr() for one in conjuncts(where) if one not in self._given]
        return ibis.and_(*left) if left else None

    def count(self, where: Column | None = None) -> Measure:
        """How many events."""
        return self.measure(lambda only: self.table.count(where=only), where)

    def total(self, column: Any, where: Column | None = None) -> Measure:
        """The sum of a column over events; nothing sums to nothing (null)."""
        return self.measure(lambda only: column.sum(where=only), where)

    def distinct(self, column: Any, where: Column | None = None) -> Measure:
        """How many different values."""
        return self.measure(lambda only: column.nunique(where=only), where)

    def first(self, where: Column | None = None) -> Measure:
        """When it happened first."""
        return self.measure(lambda only: self.table["occurred_at"].min(where=only), where)

    def last(self, where: Column | None = None) -> Measure:
        """When it happened last."""
        return self.measure(lambda only: self.table["occurred_at"].max(where=only), where)

    def named(self, event: str, values: Mapping[str, Any] = NO_WINDOW) -> Column:
        """Events of this name that lie in the window of `values` (days, since, until) and pass its filters (where)."""
        condition: Column = self.table["name"] == event
        for one in values.get("where") or ():
            condition &= passes(self.table, one)
        return self.windowed(condition, values)

    def windowed(self, condition: Column, values: Mapping[str, Any]) -> Column:
        """Those rows of a condition that lie in a window: the last `days` of 24 hours, and the calendar days `since` … `until`."""
        if values.get("days") is not None:
            condition = self.recent(values["days"], condition)
        if values.get("since") is not None:
            condition &= self.table["occurred_at"] >= self.ground.begin(date.fromisoformat(values["since"]))
        if values.get("until") is not None:
            condition &= self.table["occurred_at"] < self.ground.begin(date.fromisoformat(values["until"]) + timedelta(days=1))
        return condition

    def recent(self, days: int, condition: Column) -> Column:
        """Those rows of a condition that lie in the last so many days."""
        inside = condition & (self.table["occurred_at"] > self.ground.ago(days))
        self.windows.append((inside, days))
        return inside


def later(moment: Column, days: int) -> Column:
    """Just after the moment that lies so many days of 24 hours later: then `moment < ago(days)` holds and `moment > ago(days)` does not."""
    return moment + ibis.interval(days=days) + ibis.interval(microseconds=1)


def conjuncts(where: Column | None) -> list[Any]:
    """The operations of which each must hold for a condition to hold."""
    if where is None:
        return []
    found: list[Any] = []
    waiting = [where.op()]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ops.And):
            waiting += [one.right, one.left]
        elif isinstance(one, ops.Coalesce) and len(one.arg) == 2 and isinstance(one.arg[1], ops.Literal) and one.arg[1].value is False:
            waiting.append(one.arg[0])  # what is not known does not hold either
        elif not (isinstance(one, ops.Literal) and one.value is True):
            found.append(one)
    return found


def _both(first: Column | None, second: Column) -> Column:
    return second if first is None else first & second


# properties of events ----------------------------------------------------------------------------------------------------


@ibis.udf.scalar.builtin(name="json_extract_string")
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value at an RFC 6901 pointer; null when there is none. Every engine has it under some name."""


def property_text(rows: Any, key: str) -> Column:
    """An event's own property as text: "red", "2.5", "true". The key is a name, never a path."""
    return _text_at(rows["properties"], "/" + key.replace("~", "~0").replace("/", "~1"))


def property_number(rows: Any, key: str) -> Column:
    """An event's own property as a number; null when it is none."""
    return number(property_text(rows, key))


def number(text: Column) -> Column:
    """Text as a finite number, or null."""
    value = text.try_cast("float64")
    return ibis.ifelse(value.between(-1e300, 1e300), value, ibis.null("float64"))


#: columns of the history that a filter may name, with their labels
FIELDS: dict[str, Text] = {
    "value": Text("wartość", "value"),
    "currency": Text("waluta", "currency"),
    "order_id": Text("numer zamówienia", "order number"),
    "page_path": Text("adres strony", "page address"),
    "page_title": Text("tytuł strony", "page title"),
    "referrer_kind": Text("rodzaj źródła wejścia", "kind of referrer"),
    "referrer_host": Text("strona odsyłająca", "referring site"),
    "campaign_source": Text("źródło kampanii", "campaign source"),
    "campaign_medium": Text("medium kampanii", "campaign medium"),
    "campaign_name": Text("nazwa kampanii", "campaign name"),
    "device_type": Text("rodzaj urządzenia", "kind of device"),
    "os": Text("system", "operating system"),
    "browser": Text("przeglądarka", "browser"),
    "country": Text("kraj", "country"),
    "language": Text("język", "language"),
}


@dataclass(frozen=True)
class Comparison:
    """One way to compare a known value with a typed one; nothing known compares to false."""

    key: str
    label: Text  #: with {value}
    takes: str  #: "value", "values", "text", "number" or "flag"
    holds: Callable[[Any, Any], Column]


def same(known: Column, wanted: Any) -> Column:
    """Text equals text exactly; a number equals what reads as that number; yes and no are true and false."""
    if isinstance(wanted, bool):
        return known == str(wanted).lower()
    return known == wanted if isinstance(wanted, str) else number(known) == float(wanted)


def _contains(known: Column, wanted: str) -> Column:
    return known.lower().contains(_lower(wanted))


def _starts_with(known: Column, wanted: str) -> Column:
    return known.lower().startswith(_lower(wanted))


def _lower(text: str) -> Column:
    """Lowered by the engine, so that both sides follow the same rules."""
    literal: Any = ibis.literal(text)
    return literal.lower()


COMPARISONS: dict[str, Comparison] = {
    row.key: row
    for row in (
        Comparison("is", Text("to {value}", "is {value}"), "value", same),
        Comparison("is_not", Text("to coś innego niż {value}", "is something other than {value}"), "value", lambda known, wanted: ~same(known, wanted)),
        Comparison("in", Text("to {value}", "is {value}"), "values", lambda known, wanted: ibis.or_(*(same(known, one) for one in wanted))),
        Comparison("contains", Text("zawiera {value}", "contains {value}"), "text", _contains),
        Comparison("starts_with", Text("zaczyna się od {value}", "starts with {value}"), "text", _starts_with),
        Comparison("over", Text("to więcej niż {value}", "is more than {value}"), "number", lambda known, wanted: number(known) > float(wanted)),
        Comparison("under", Text("to mniej niż {value}", "is less than {value}"), "number", lambda known, wanted: number(known) < float(wanted)),
        Comparison("known", Text("jest znane: {value}", "is known: {value}"), "flag", lambda known, wanted: known.notnull() if wanted else known.isnull()),
    )
}


def passes(rows: Any, filter_: Mapping[str, Any]) -> Column:
    """Whether an event passes one filter, {"property": "color", "is": "red"} or {"field": "country", "in": ["PL"]}."""
    key, wanted = next((key, value) for key, value in filter_.items() if key in COMPARISONS)
    if "property" in filter_:
        known = property_text(rows, filter_["property"])
    elif filter_["field"] == "value":
        known, wanted = (rows["value_micros"] / 1_000_000).cast("string"), _amount(wanted)
    else:
        known = rows[filter_["field"]]
    return COMPARISONS[key].holds(known, wanted).fill_null(False)


def _amount(wanted: Any) -> Any:
    """An amount that was written as text, alone or in a list, as the number: how engines write numbers ("100", "100.0") decides nothing."""
    if isinstance(wanted, (list, tuple)):
        return [_amount(one) for one in cast("list[Any]", wanted)]
    return float(wanted) if isinstance(wanted, str) and AMOUNT.fullmatch(wanted) else wanted
