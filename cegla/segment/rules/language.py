"""The language of segments: a tree of rules whose leaves are operators, and what an operator must say about itself.

As JSON: {"all": [...]}, {"any": [...]}, {"not": ...}, and leaves such as
{"op": "did", "event": "Order Completed", "at_least": 3, "days": 90}. An operator is a row (`Operator`); the parser, the
form, the sentence, the documentation and the tests are derived from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from cegla.segment.rules.history import FIELDS, Column, Ground, Measure, Rows
from cegla.vocabulary.text import Text

Values = Mapping[str, Any]  #: a leaf's parameters by name, checked; where one names a trait, "row" is that trait's row
Seen = Mapping[str, Column]  #: a leaf's measures by name, one value a person


class Kind(StrEnum):
    """What a parameter holds; the checks are in `parse`, the form fields in the console."""

    EVENT = "event"  #: an event's name
    TIMES = "times"  #: a whole number of times
    DAYS = "days"  #: a length of time in days of 24 hours, back from now
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
class Operator:
    """One row of the language.

    `measures` says what has to be counted about a person, `holds` decides from the counts. `empty` says whether it can
    hold for somebody in whose history nothing is of interest; when in doubt it says True. `inside` and `outside` are the
    histories of somebody whom `example` matches and of somebody whom it does not.
    """

    key: str
    group: str  #: "events", "traits", "accounts" or "groups": where the form lists it
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


@dataclass(frozen=True)
class Leaf:
    """One operator with its values."""

    operator: Operator
    values: Values

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
    """All leaves, from left to right."""
    match rule:
        case Leaf():
            return [rule]
        case Not(inner):
            return leaves(inner)
        case All(inner) | Some(inner):
            return [leaf for one in inner for leaf in leaves(one)]


def question(values: Values) -> str:
    """What a leaf asks about accounts, as one text, the same for the same."""
    return msgspec.json.encode([values["where"], values["role"]], order="sorted").decode()
