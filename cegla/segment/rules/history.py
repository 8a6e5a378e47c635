"""What a rule may look at: the rows of the history as of a moment, and how to count them per person.

A measure is an aggregate over the rows that satisfy a condition. Conditions are kept apart from the aggregates, so that
`compile` can read only the rows somebody asks about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from cegla.vocabulary.text import Text

Column = Any  #: a value of Ibis: its published types do not know that values compare and add
ORDER = "Order Completed"
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


TAKEN_BACK = "\ue000"  #: stands for a declared null while the newest word is looked for; a character of private use, which means nothing


@dataclass(frozen=True)
class Ground:
    """What a rule stands on besides the history: the moment (naive UTC) and the RFM scale of that time."""

    now: datetime
    scale: Scale | None = None
    ranks: tuple[int, ...] = ()  #: sources whose word counts more, the most credible first
    corrections: tuple[tuple[str, int, str | None], ...] = ()  #: trait, person, and the value as text, of what people had corrected

    def ago(self, days: float) -> Column:
        """The moment this many days of 24 hours before now."""
        return ibis.literal(self.now - timedelta(days=days), type="timestamp")


class Measure(NamedTuple):
    """An aggregate, and the rows it is about; None: all rows."""

    value: Column
    where: Column | None


Reduction = Callable[[Column | None], Column]


class Rows:
    """The history up to now. `bare`: the table holds exactly the rows asked for, so conditions need no repeating."""

    def __init__(self, table: ir.Table, ground: Ground, *, bare: bool = False, mixed: bool = False) -> None:
        self.table: Any = table
        self.ground = ground
        self._bare = bare
        self._mixed = mixed

    def __getitem__(self, column: str) -> Any:
        return self.table[column]

    def measure(self, reduction: Reduction, where: Column | None = None) -> Measure:
        """An aggregate over the events that satisfy `where`."""
        return self._measure(reduction, _both(where, ~self.table["is_line"]) if self._mixed else where)

    def measure_lines(self, reduction: Reduction, where: Column) -> Measure:
        """An aggregate over the order lines that satisfy `where`."""
        return self._measure(reduction, where & self.table["is_line"])

    def _measure(self, reduction: Reduction, where: Column | None) -> Measure:
        return Measure(reduction(None if self._bare else where), where)

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

    def declared(self, name: str) -> Measure:
        """The word that holds about a declared trait: a correction, else of the most credible source the newest; null when it was taken back."""
        document, person = self.table["properties"], self.table["person_id"]
        pointer = _pointer(name)
        said = (self.table["kind"] == "identify") & _is_there(document, pointer).fill_null(ibis.literal(False))
        word: Any = ibis.coalesce(_text_at(document, pointer), ibis.literal(TAKEN_BACK))
        corrected = {owner: value for key, owner, value in self.ground.corrections if key == name}
        if corrected:
            said |= person.isin(list(corrected))
            words = ((person == owner, ibis.literal(TAKEN_BACK if value is None else value)) for owner, value in corrected.items())
            word = ibis.cases(*words, else_=word)
        latest = self._latest(word, said)
        return Measure(latest.value.nullif(TAKEN_BACK), latest.where)

    def _latest(self, column: Any, where: Column) -> Measure:
        """The newest value of the most credible source; of two at the same moment the one that was taken in later."""
        ranks = self.ground.ranks
        source: Any = self.table["source_id"]
        rank: Any = ibis.cases(*((source == one, len(ranks) - place) for place, one in enumerate(ranks)), else_=0) if ranks else ibis.literal(0)
        when = ibis.struct({"rank": rank, "at": self.table["occurred_at"], "number": self.table["event_id"]})
        return self.measure(lambda only: column.argmax(when, where=only), where)

    def named(self, event: str, days: int | None = None, filters: Sequence[Mapping[str, Any]] = ()) -> Column:
        """Events of this name, within the last `days` days when given, that pass every filter."""
        condition: Column = self.table["name"] == event
        if days is not None:
            condition &= self.table["occurred_at"] > self.ground.ago(days)
        for one in filters:
            condition &= passes(self.table, one)
        return condition


def _both(first: Column | None, second: Column) -> Column:
    return second if first is None else first & second


# properties of events ----------------------------------------------------------------------------------------------------


@ibis.udf.scalar.builtin(name="json_extract_string")
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value at an RFC 6901 pointer; null when there is none. Every engine has it under some name."""


@ibis.udf.scalar.builtin(name="json_exists")
def _is_there(document: str, pointer: str) -> bool:  # pyright: ignore[reportReturnType]
    """Whether a JSON document has anything at an RFC 6901 pointer, if only null."""


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def property_text(rows: Any, key: str) -> Column:
    """An event's own property as text: "red", "2.5", "true". The key is a name, never a path."""
    return _text_at(rows["properties"], _pointer(key))


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
        known = (rows["value_micros"] / 1_000_000).cast("string")
    else:
        known = rows[filter_["field"]]
    return COMPARISONS[key].holds(known, wanted).fill_null(False)
