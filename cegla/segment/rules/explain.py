"""Why somebody is in a segment or not: the rule's tree with true or false and the value seen at every leaf."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cegla.segment.rules import words
from cegla.segment.rules.language import All, Kind, Leaf, Not, Rule, Some
from cegla.segment.rules.sentence import Speaker
from cegla.vocabulary.text import Text

SHOWN_AS = {"times": "times", "total": "micros", "first": "moment", "last": "moment", "distinct": "count", "sum": "number", "added": "moment", "value": "text"}
NO_TRAIT = ("trait_tenth",)  #: operators that show something else of a trait than its value

CALENDAR = ("anniversary_in_days", "date_in_days")  #: operators that show a day of the calendar, as midnight of no zone


@dataclass(frozen=True)
class Explanation:
    """One node: `op` is an operator's key, or all, any, not. `seen` is the value found, None where there is none to show."""

    op: str
    sentence: Text
    holds: bool
    seen: Text | None
    value: Any
    children: tuple["Explanation", ...] = ()


def explained(rule: Rule, row: Mapping[str, Any], speakers: tuple[Speaker, Speaker]) -> Explanation:
    """The tree for one person from the person's row of `compile.reasons`. `speakers`: a Polish one and an English one."""
    return _Tree(row, speakers).node(rule)


class _Tree:
    def __init__(self, row: Mapping[str, Any], speakers: tuple[Speaker, Speaker]) -> None:
        self.row = row
        self.speakers = speakers
        self.next = 0

    def node(self, rule: Rule) -> Explanation:
        said = Text(*(speaker.clause(rule) for speaker in self.speakers))
        match rule:
            case Leaf() if rule.inner is not None:
                below = (self.node(rule.inner),)
                return Explanation(rule.operator.key, said, below[0].holds, None, None, below)
            case Leaf():
                number = self.next
                self.next += 1
                value = self.row[f"v{number}"]
                return Explanation(rule.operator.key, said, bool(self.row[f"h{number}"]), self._seen(rule, value), value)
            case Not(inner):
                below = (self.node(inner),)
                return Explanation("not", said, not below[0].holds, None, None, below)
            case All(inner):
                below = tuple(self.node(one) for one in inner)
                return Explanation("all", said, all(one.holds for one in below), None, None, below)
            case Some(inner):
                below = tuple(self.node(one) for one in inner)
                return Explanation("any", said, any(one.holds for one in below), None, None, below)

    def _seen(self, leaf: Leaf, value: Any) -> Text | None:
        shows = leaf.operator.shows
        if shows is None:
            return None
        how = SHOWN_AS[shows] if isinstance(shows, str) else _kind_of(leaf)
        labels = {one.key: one.label for row in leaf.operator.parameters if row.kind == Kind.CHOICES for one in row.choices}
        if value in labels:
            return labels[value]
        return Text(*(_said(value, how, speaker) for speaker in self.speakers))


def _kind_of(leaf: Leaf) -> str:
    row = leaf.values.get("row")
    if leaf.operator.key in CALENDAR:
        return "day"
    if row is None or leaf.operator.key in NO_TRAIT:
        return "number"
    return "micros" if row.kind == "money" else row.kind


def _said(value: Any, how: str, speaker: Speaker) -> str:
    if value is None:
        return Text("brak", "nothing").say(speaker.language)
    match how:
        case "times":
            return words.TIMES.counted(value, speaker.language)
        case "micros":
            return words.money(value / 1_000_000, speaker.language, speaker.currency)
        case "day":
            return words.calendar_day(value.date(), speaker.language)
        case _ if isinstance(value, datetime):
            return day(value, speaker)
        case _:
            return speaker.value(value) if isinstance(value, str) else words.decimal(value, speaker.language)


def day(moment: datetime, speaker: Speaker) -> str:
    """The calendar day of a naive UTC moment in the shop's time zone: 3 listopada 2026, 3 November 2026."""
    return words.calendar_day(moment.replace(tzinfo=UTC).astimezone(speaker.zone).date(), speaker.language)
