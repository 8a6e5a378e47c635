"""A rule as a sentence: "Osoby, które złożyły zamówienie co najmniej 3 razy w ciągu ostatnich 90 dni"."""

from collections.abc import Mapping
from datetime import UTC, date, tzinfo
from typing import Any

from cegla.segment.rules import words
from cegla.segment.rules.history import COMPARISONS
from cegla.segment.rules.language import All, Kind, Leaf, Not, Parameter, Rule, Some
from cegla.segment.rules.traits import TraitRow
from cegla.vocabulary.text import Language, Text

AND, OR = Text("oraz", "and"), Text("lub", "or")
OWN_PRONOUN = ("których ", "o których ", "do których ", "whose ", "whom ")


class Speaker:
    """Says rules in one language, amounts in one currency."""

    def __init__(self, language: Language, currency: str, zone: tzinfo = UTC) -> None:
        self.language: Language = language
        self.currency = currency
        self.zone = zone

    def sentence(self, rule: Rule) -> str:
        """The whole rule about everybody it matches."""
        if isinstance(rule, Not):
            return Text("Wszystkie osoby oprócz tych, {clause}.", "Everybody except those {clause}.").say(
                self.language, clause=self.clause(rule.rule, top=True)
            )
        return Text("Osoby, {clause}.", "People {clause}.").say(self.language, clause=self.clause(rule, top=True))

    def clause(self, rule: Rule, *, top: bool = False) -> str:
        """A part of the rule as a relative clause: "które …", "whose …"; groups below the top in brackets."""
        match rule:
            case Leaf():
                return self._leaf(rule)
            case Not(inner):
                return Text("które nie należą do tych, {clause}", "who are not among those {clause}").say(self.language, clause=self.clause(inner))
            case All(inner):
                return self._joined(inner, AND, top=top)
            case Some(inner):
                return self._joined(inner, OR, top=top)

    def _joined(self, rules: tuple[Rule, ...], word: Text, *, top: bool) -> str:
        if len(rules) == 1:
            return self.clause(rules[0], top=top)
        joined = f" {word.say(self.language)} ".join(self.clause(one) for one in rules)
        return joined if top else f"({joined})"

    def _leaf(self, leaf: Leaf) -> str:
        """The operator's sentence with {parameter} and {parameter:form} filled."""
        template = leaf.operator.sentence.say(self.language)
        said = {row.name: _Said(self, row, leaf) for row in leaf.operator.parameters}
        clause = template.format_map(said)
        if (least := leaf.values.get("confidence")) is not None:
            clause += Text(" (pewność co najmniej {least}%)", " (confidence at least {least}%)").say(self.language, least=words.decimal(least, self.language))
        return clause if template.startswith(OWN_PRONOUN) else Text("które {clause}", "who {clause}").say(self.language, clause=clause)

    def value(self, value: Any, kind: str = "text") -> str:
        """A value somebody typed, or one that was seen, in the way of its kind."""
        if value is None:
            return Text("nieznane", "unknown").say(self.language)
        if isinstance(value, bool):
            return Text("tak" if value else "nie", "yes" if value else "no").say(self.language)
        if isinstance(value, str):
            return words.quoted(value, self.language)
        return words.money(value, self.language, self.currency) if kind == "money" else words.decimal(value, self.language)

    def filters(self, filters: tuple[dict[str, Any], ...], fields: Mapping[str, Text]) -> str:
        """The conditions on an event or an account in brackets; nothing when there are none."""
        if not filters:
            return ""
        return Text(" (gdzie {said})", " (where {said})").say(self.language, said=self.conditions(filters, fields))

    def conditions(self, filters: tuple[dict[str, Any], ...], fields: Mapping[str, Text]) -> str:
        """The conditions one after the other."""
        return f" {Text('i', 'and').say(self.language)} ".join(self._filter(one, fields) for one in filters)

    def _filter(self, filter_: dict[str, Any], fields: Mapping[str, Text]) -> str:
        subject = words.quoted(filter_["property"], self.language) if "property" in filter_ else fields[filter_["field"]].say(self.language)
        key, wanted = next((key, value) for key, value in filter_.items() if key in COMPARISONS)
        said = ", ".join(self.value(one) for one in wanted) if isinstance(wanted, list) else self.value(wanted)  # pyright: ignore[reportUnknownVariableType]
        return f"{subject} {COMPARISONS[key].label.say(self.language, value=said)}"


class _Said:
    """One parameter inside a template: `{days}`, or `{days:ago}` in another form."""

    def __init__(self, speaker: Speaker, row: Parameter, leaf: Leaf) -> None:
        self.speaker = speaker
        self.row = row
        self.values = leaf.values
        self.value = leaf.values[row.name]
        self.trait: TraitRow | None = leaf.values.get("row")

    def __format__(self, form: str) -> str:
        language, value = self.speaker.language, self.value
        match self.row.kind:
            case Kind.EVENT if form != "without":
                said = words.event(value)
                return {"": said.did, "not": said.did_not, "of": said.of}[form].say(language)
            case Kind.TIMES:
                return _times(value, form, language)
            case Kind.DAYS:
                return _days(value, form, language)
            case Kind.SPAN | Kind.DATE | Kind.OFFSET | Kind.PERCENT:
                return _moment(self.row, value, form, language)
            case Kind.SEGMENT:
                return words.quoted(self.values["segment_name"], language)
            case Kind.PLACES:
                return words.listed(list(value), language, OR)
            case Kind.POINT:
                return str(value)
            case Kind.EVENT if form == "without":
                return (
                    ""
                    if value is None
                    else Text(" bez zdarzenia {event} pomiędzy", " without {event} between").say(language, event=words.quoted(value, language))
                )
            case Kind.MONEY:
                return words.money(value, language, self.speaker.currency)
            case Kind.FILTERS:
                return self.speaker.conditions(value, self.row.fields) if form == "bare" else self.speaker.filters(value, self.row.fields)
            case Kind.TRAIT:
                return self.trait.label.say(language) if self.trait else value
            case Kind.VALUE | Kind.VALUES:
                kind = self.trait.kind if self.trait else "text"
                values = value if self.row.kind == Kind.VALUES else [value]
                return words.listed([self.speaker.value(one, kind) for one in values], language, OR)
            case Kind.CHOICE | Kind.CHOICES | Kind.WEEKDAYS:
                labels = {one.key: one.label.say(language).partition(":" if form == "short" else "\n")[0] for one in self.row.choices}
                chosen = [value] if self.row.kind == Kind.CHOICE else value
                return words.listed([labels[str(one)] for one in chosen], language, OR)
            case Kind.TEXT if form == "role":
                return "" if value is None else Text(" w roli {role}", " in the role {role}").say(language, role=self.speaker.value(value))
            case _:
                return self.speaker.value(value)


def _times(value: int, form: str, language: Language) -> str:
    match form:
        case "days":
            return words.DAYS.counted(value, language)
        case "different":
            return words.DIFFERENT.counted(value, language)
        case "number":
            return words.decimal(value, language)
        case _:
            return Text("raz", "once").say(language) if value == 1 else words.TIMES.counted(value, language)


def _moment(row: Parameter, value: Any, form: str, language: Language) -> str:
    """A length of time, a day with its preposition, days from today, a share."""
    match row.kind:
        case Kind.SPAN:
            nouns = words.SPANS_OF if form == "of" else words.SPANS
            return nouns[value[-1]].counted(int(value[:-1]), language)
        case Kind.DATE:
            if value is None:
                return ""
            day_said = words.calendar_day(date.fromisoformat(value), language)
            return (
                Text(" od {day}", " from {day}").say(language, day=day_said)
                if row.name == "since"
                else Text(" do {day}", " until {day}").say(language, day=day_said)
            )
        case Kind.OFFSET:
            return words.offset_days(value, language, to=row.name.startswith("to"))
        case _:
            return f"{words.decimal(value, language)}%"


def _days(value: int | None, form: str, language: Language) -> str:
    if value is None:
        return ""
    return words.days_ago(value, language) if form == "ago" else f" {words.in_last_days(value, language)}"
