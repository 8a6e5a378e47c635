"""Calculations: the ways to make a computed trait out of events, one row each, and a definition as people write it.

    count, sum, average, first, last, most_frequent, unique_list, ratio    over events of one name, in a window, that pass filters

Events, windows and filters are those of the segments' language (history.py), so a trait and a rule count alike. The parser,
the form, the sentence and the documentation are derived from the rows; `computing` makes the expression.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from cegla.segment.rules.history import FIELDS
from cegla.segment.rules.parse import MOST_DAYS, conditions, refuse, text, whole
from cegla.vocabulary.text import Text

LONGEST_LABEL = 200
MOST_VALUES = 50  #: of a unique list: the newest ones
KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
Wants = Literal["nothing", "anything", "amount", "text"]


@dataclass(frozen=True)
class Calculation:
    """One way to calculate. `wants` is what it looks at in an event; `kind` that of its value, None when it is what it looks at.

    `zero`: without events it is 0, not unknown. `sentence` speaks of {event}, {where}, {days}, {subject} and {per}; `bare` when there is no subject.
    """

    key: str
    label: Text
    wants: Wants
    kind: str | None
    sentence: Text
    example: Mapping[str, Any]
    zero: bool = False
    bare: Text | None = None  #: the sentence without a subject, which may then be left out


CALCULATIONS: dict[str, Calculation] = {
    row.key: row
    for row in (
        Calculation("count", Text("liczba zdarzeń", "number of events"), "nothing", "count",
            Text("Liczba zdarzeń {event}{where}{days}", "Number of {event} events{where}{days}"),
            {"compute": "count", "event": "Order Completed", "days": 90}, zero=True),
        Calculation("sum", Text("suma", "sum"), "amount", None,
            Text("Suma: {subject}, ze zdarzeń {event}{where}{days}", "Sum of {subject} over {event} events{where}{days}"),
            {"compute": "sum", "event": "Order Completed", "field": "value", "days": 365}, zero=True),
        Calculation("average", Text("średnia", "average"), "amount", None,
            Text("Średnia: {subject}, ze zdarzeń {event}{where}{days}", "Average of {subject} over {event} events{where}{days}"),
            {"compute": "average", "event": "Video Watched", "property": "minutes"}),
        Calculation("first", Text("pierwsza wartość albo pierwszy raz", "first value, or first time"), "anything", None,
            Text("Pierwsza wartość: {subject}, ze zdarzeń {event}{where}{days}", "First {subject} of {event} events{where}{days}"),
            {"compute": "first", "event": "Order Completed", "field": "campaign_source"},
            bare=Text("Kiedy pierwszy raz: {event}{where}{days}", "When first: {event}{where}{days}")),
        Calculation("last", Text("ostatnia wartość albo ostatni raz", "last value, or last time"), "anything", None,
            Text("Ostatnia wartość: {subject}, ze zdarzeń {event}{where}{days}", "Last {subject} of {event} events{where}{days}"),
            {"compute": "last", "event": "Support Contacted"},
            bare=Text("Kiedy ostatni raz: {event}{where}{days}", "When last: {event}{where}{days}")),
        Calculation("most_frequent", Text("najczęstsza wartość", "most frequent value"), "text", "text",
            Text("Najczęstsza wartość: {subject}, ze zdarzeń {event}{where}{days}", "Most frequent {subject} of {event} events{where}{days}"),
            {"compute": "most_frequent", "event": "Product Viewed", "property": "brand", "days": 180}),
        Calculation("unique_list", Text("różne wartości", "different values"), "text", "list",
            Text("Różne wartości, od najnowszej: {subject}, ze zdarzeń {event}{where}{days}",
                "Different values of {subject}, newest first, of {event} events{where}{days}"),
            {"compute": "unique_list", "event": "Product Added", "property": "color"}),
        Calculation("ratio", Text("stosunek liczb zdarzeń", "ratio of two counts"), "nothing", "number",
            Text("Liczba zdarzeń {event}{where} podzielona przez liczbę zdarzeń {per}{days}",
                "Number of {event} events{where} divided by the number of {per} events{days}"),
            {"compute": "ratio", "event": "Order Refunded", "per": {"event": "Order Completed"}, "days": 365}),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Events:
    """Events of one name that pass all filters."""

    event: str
    where: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        return {"event": self.event} | ({"where": [dict(one) for one in self.where]} if self.where else {})


@dataclass(frozen=True)
class Counted:
    """What one trait counts. `subject` is ("property", name) or ("field", name); `per` the events that a ratio divides by.

    `days` is the window, back from now; `retention_days` how long a value is kept after the newest event it rests on.
    """

    calculation: Calculation
    events: Events
    subject: tuple[str, str] | None = None
    days: int | None = None
    per: Events | None = None
    retention_days: int | None = None

    @property
    def kind(self) -> str:
        """What the value may be compared with: count, money, number, moment, text or list."""
        if self.calculation.kind is not None:
            return self.calculation.kind
        if self.subject == ("field", "value"):
            return "money"
        if self.calculation.wants == "amount":
            return "number"
        return "moment" if self.subject is None else "text"

    def to_json(self) -> dict[str, Any]:
        """As it is written, without what was left out."""
        said: dict[str, Any] = {"compute": self.calculation.key, **self.events.to_json()}
        if self.subject is not None:
            said[self.subject[0]] = self.subject[1]
        if self.per is not None:
            said["per"] = self.per.to_json()
        rest = {"days": self.days, "retention_days": self.retention_days}
        return said | {name: value for name, value in rest.items() if value is not None}


@dataclass(frozen=True)
class Written:
    """A definition as somebody wrote it."""

    key: str
    label: Text
    purpose: str
    on_site: bool
    counted: Counted

    def to_json(self) -> dict[str, Any]:
        """As it is written in a file, under its key."""
        said: dict[str, Any] = {"label": {"pl": self.label.pl, "en": self.label.en}, **self.counted.to_json(), "purpose": self.purpose}
        return said | ({"on_site": True} if self.on_site else {})


COUNTING_FIELDS = frozenset(("compute", "event", "where", "property", "field", "days", "per", "retention_days"))
ALL_FIELDS = COUNTING_FIELDS | {"label", "purpose", "on_site"}


def read_written(key: object, body: object, purposes: Collection[str], pointer: str) -> Written:
    """A definition out of its key and its fields. Raises RuleInvalid with a JSON pointer in `where`."""
    if not isinstance(key, str) or KEY.fullmatch(key) is None:
        refuse(pointer, key, "nazwa cechy to małe litery a–z, cyfry i _, zaczyna się literą, najwyżej 60 znaków",
            "the name of a trait has small letters a to z, digits and _, begins with a letter, at most 60 characters")  # fmt: skip
    fields = _object(body, pointer)
    for name in fields:
        if name not in ALL_FIELDS:
            refuse(pointer, name, "nie ma takiego pola", "there is no such field")
    purpose = fields.get("purpose", "analytics")
    if purpose not in purposes:
        refuse(f"{pointer}/purpose", purpose, f"nie ma takiego celu; są: {', '.join(purposes)}", f"there is no such purpose; there are: {', '.join(purposes)}")
    on_site = fields.get("on_site", False)
    if not isinstance(on_site, bool):
        refuse(f"{pointer}/on_site", on_site, "tu powinno być true albo false", "true or false belongs here")
    counting = {name: value for name, value in fields.items() if name in COUNTING_FIELDS}
    return Written(key, _label(fields.get("label"), key, f"{pointer}/label"), cast(str, purpose), on_site, read_counted(counting, pointer))


def read_counted(fields: Mapping[str, Any], pointer: str = "") -> Counted:
    """What a trait counts, out of the fields about it. Raises RuleInvalid."""
    key = fields.get("compute")
    calculation = CALCULATIONS.get(key) if isinstance(key, str) else None
    if calculation is None:
        refuse(f"{pointer}/compute", key, f"tu powinno być jedno z: {', '.join(CALCULATIONS)}", f"one of these belongs here: {', '.join(CALCULATIONS)}")
    per = fields.get("per")
    if (per is not None) != (calculation.key == "ratio"):
        refuse(f"{pointer}/per", per, "„per” (przez co dzielić) ma stosunek, i tylko on", "a ratio, and nothing else, has “per”: what to divide by")
    return Counted(
        calculation,
        _events(fields, pointer),
        _subject(calculation, fields, pointer),
        _days(fields, "days", pointer),
        None if per is None else _events(_only(_object(per, f"{pointer}/per"), ("event", "where"), f"{pointer}/per"), f"{pointer}/per"),
        _days(fields, "retention_days", pointer),
    )


def _subject(calculation: Calculation, fields: Mapping[str, Any], pointer: str) -> tuple[str, str] | None:
    given = [name for name in ("property", "field") if fields.get(name) is not None]
    if len(given) > 1 or (given and calculation.wants == "nothing"):
        refuse(f"{pointer}/{given[-1]}", fields[given[-1]], "za dużo: to pole tu nie pasuje", "one too many: this field does not belong here")
    if not given:
        if calculation.wants in ("amount", "text"):
            refuse(pointer, "", "podaj „property” albo „field”: z czego liczyć", "give “property” or “field”: what to calculate from")
        return None
    what = text(fields[given[0]], f"{pointer}/{given[0]}")
    if given[0] == "field":
        fitting = [name for name in FIELDS if calculation.wants == "anything" or (name == "value") == (calculation.wants == "amount")]
        if what not in fitting:
            refuse(f"{pointer}/field", what, f"to pole tu nie pasuje; pasują: {', '.join(fitting)}", f"this field does not fit; these do: {', '.join(fitting)}")
    return given[0], what


def _events(fields: Mapping[str, Any], pointer: str) -> Events:
    if fields.get("event") is None:
        refuse(f"{pointer}/event", "", "podaj nazwę zdarzenia", "give the name of an event")
    where = fields.get("where")
    return Events(text(fields["event"], f"{pointer}/event"), () if where is None else conditions(where, f"{pointer}/where", FIELDS))


def _days(fields: Mapping[str, Any], name: str, pointer: str) -> int | None:
    return None if fields.get(name) is None else whole(fields[name], f"{pointer}/{name}", 1, MOST_DAYS)


def _label(raw: object, key: str, pointer: str) -> Text:
    if raw is None:
        return Text(key, key)
    if isinstance(raw, str):
        raw = {"pl": raw, "en": raw}
    both = _only(_object(raw, pointer), ("pl", "en"), pointer)
    pl, en = both.get("pl", both.get("en")), both.get("en", both.get("pl"))
    for said in (pl, en):
        if not isinstance(said, str) or not said.strip() or len(said) > LONGEST_LABEL or not said.isprintable():
            most = LONGEST_LABEL
            refuse(pointer, raw, f"nazwa w obu językach: pl i en, 1 do {most} znaków", f"a label in both languages: pl and en, 1 to {most} characters")
    return Text(cast(str, pl).strip(), cast(str, en).strip())


def _object(raw: object, pointer: str) -> dict[str, Any]:
    if not isinstance(raw, dict) or not raw:
        refuse(pointer, raw, "tu powinny być pola: nazwa i wartość", "fields belong here: a name and a value each")
    fields = cast("dict[object, Any]", raw)
    if any(not isinstance(name, str) for name in fields):
        refuse(pointer, list(fields), "nazwy pól są tekstem", "names of fields are text")
    return cast("dict[str, Any]", fields)


def _only(fields: dict[str, Any], known: Collection[str], pointer: str) -> dict[str, Any]:
    for name in fields:
        if name not in known:
            refuse(pointer, name, "nie ma takiego pola", "there is no such field")
    return fields
