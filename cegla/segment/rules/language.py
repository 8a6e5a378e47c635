"""The language of segments: a tree of rules whose leaves are operators, and what an operator must say about itself.

As JSON: {"all": [...]}, {"any": [...]}, {"not": ...}, and leaves such as
{"op": "did", "event": "Order Completed", "at_least": 3, "days": 90}. An operator is a row (`Operator`); the parser, the
form, the sentence, the documentation and the tests are derived from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from cegla.segment.rules.history import FIELDS, Column, Ground, Measure, Rows
from cegla.vocabulary.text import Text

Values = Mapping[str, Any]  #: a leaf's parameters by name, checked; "row" is the row of a trait it names, "inner" the rule of a segment it names
Seen = Mapping[str, Column]  #: a leaf's measures by name, one value a person


class Kind(StrEnum):
    """What a parameter holds; the checks are in `parse`, the form fields in the console."""

    EVENT = "event"  #: an event's name
    TIMES = "times"  #: a whole number of times
    DAYS = "days"  #: a length of time in days of 24 hours, back from now
    SPAN = "span"  #: a length of time with its unit: "45m", "3h", "2d"
    DATE = "date"  #: a calendar day, "2026-11-23", in the shop's time zone
    OFFSET = "offset"  #: days from today, negative: before it
    PERCENT = "percent"  #: 0 to 100
    MONEY = "money"  #: an amount in the shop's currency
    NUMBER = "number"
    HOUR = "hour"  #: 0..23
    WEEKDAYS = "weekdays"  #: a list of 1 (Monday) .. 7
    TEXT = "text"
    PROPERTY = "property"  #: the name of a property of an event
    FILTERS = "filters"  #: conditions on an event: [{"property": "color", "is": "red"}]
    TRAIT = "trait"  #: a trait's key
    VALUE = "value"  #: what the trait is compared with: text, number or yes/no, as the trait has it
    VALUES = "values"  #: a list of such values
    CHOICE = "choice"  #: one of `choices`
    CHOICES = "choices"  #: some of `choices`
    SEGMENT = "segment"  #: another segment, by number or key
    PLACES = "places"  #: a list of cities, voivodeships, powiats or countries
    POINT = "point"  #: a city, a postcode, or "50.06, 19.94"


@dataclass(frozen=True)
class Choice:
    """One word of a closed list."""

    key: str
    label: Text


@dataclass(frozen=True)
class Parameter:
    """One value an operator takes."""

    name: str
    kind: Kind
    label: Text
    required: bool = True
    default: Any = None
    choices: tuple[Choice, ...] = ()
    traits: tuple[str, ...] = ()  #: for TRAIT: the kinds of trait that fit ("money", "moment", ...); empty: all
    fields: Mapping[str, Text] = field(default_factory=lambda: FIELDS)  #: for FILTERS: what "field" may name


@dataclass(frozen=True)
class Past:
    """One event of an example history: how long before now, and what it carried."""

    name: str
    days_ago: float
    value: float | None = None
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    columns: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lines: tuple[tuple[str, str], ...] = ()  #: (product, category) of each order line


@dataclass(frozen=True)
class Question:
    """Something that no history knows and another store is asked: `kind` says which, `about` is the question as a JSON text."""

    kind: str
    about: str


def asking(kind: str, *about: Any) -> Question:
    """A question, the same for the same."""
    return Question(kind, msgspec.json.encode(about, order="sorted").decode())


def no_question(values: Values) -> Question | None:
    """Most operators ask the history alone."""
    return None


def no_moments(values: Values, seen: Seen, ground: Ground) -> Sequence[Column]:
    """Nothing but the windows of its measures ages."""
    return ()


@dataclass(frozen=True)
class Operator:
    """One row of the language.

    `measures` says what has to be counted about a person, `holds` decides from the counts. `empty` says whether it can
    hold for somebody in whose history nothing is of interest; when in doubt it says True. `inside` and `outside` are the
    histories of somebody whom `example` matches and of somebody whom it does not.

    `apart` makes a table of `person_id` and one column a measure, where that takes a pass of its own over the history. `asks` is what
    another store is asked; its answer's columns are measures too, and `told` are the answers about the two people of the example.
    `moments` are the moments at which time alone changes the answer, apart from events leaving the windows of its measures; past ones do no harm.
    """

    key: str
    group: str  #: "events", "products", "sequences", "traits", "places", "consents", "accounts" or "groups": where the form lists it
    label: Text
    sentence: Text  #: a clause about "people", with {parameter} placeholders
    parameters: tuple[Parameter, ...]
    measures: Callable[[Values, Rows], dict[str, Measure]]
    holds: Callable[[Values, Seen, Ground], Column]
    empty: Callable[[Values], bool]
    shows: "str | Callable[[Values, Seen, Ground], Any] | None"  #: the measure that explains the answer, or how it is computed
    example: Mapping[str, Any]
    inside: tuple[Past, ...]
    outside: tuple[Past, ...]
    apart: "Callable[[Values, Any, Ground], Any] | None" = None
    asks: Callable[[Values], Question | None] = no_question
    told: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] = (None, None)
    moments: Callable[[Values, Seen, Ground], Sequence[Column]] = no_moments


@dataclass(frozen=True)
class Leaf:
    """One operator with its values."""

    operator: Operator
    values: Values

    @property
    def question(self) -> Question | None:
        """What another store is asked for it: by the operator, or by the trait it compares."""
        row = self.values.get("row")
        return self.operator.asks(self.values) or (row.asks if row is not None else None)

    @property
    def inner(self) -> "Rule | None":
        """The rule of the segment it speaks of."""
        return self.values.get("inner")

    def to_json(self) -> dict[str, Any]:
        """The leaf as it is stored; what was left to its default stays out."""
        given = {row.name: self.values[row.name] for row in self.operator.parameters if self.values[row.name] != row.default}
        return {"op": self.operator.key, **given}


@dataclass(frozen=True)
class All:
    """Everything below must hold."""

    rules: tuple["Rule", ...]

    def to_json(self) -> dict[str, Any]:
        """The group as it is stored."""
        return {"all": [rule.to_json() for rule in self.rules]}


@dataclass(frozen=True)
class Some:
    """At least one below must hold."""

    rules: tuple["Rule", ...]

    def to_json(self) -> dict[str, Any]:
        """The group as it is stored."""
        return {"any": [rule.to_json() for rule in self.rules]}


@dataclass(frozen=True)
class Not:
    """What is below must not hold."""

    rule: "Rule"

    def to_json(self) -> dict[str, Any]:
        """The negation as it is stored."""
        return {"not": self.rule.to_json()}


Rule = All | Some | Not | Leaf


def leaves(rule: Rule) -> list[Leaf]:
    """All leaves, from left to right; a leaf about another segment gives that segment's."""
    match rule:
        case Leaf():
            return [rule] if rule.inner is None else leaves(rule.inner)
        case Not(inner):
            return leaves(inner)
        case All(inner) | Some(inner):
            return [leaf for one in inner for leaf in leaves(one)]
