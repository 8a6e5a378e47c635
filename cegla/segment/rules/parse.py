"""From JSON to a typed tree: every value is checked against its parameter's kind, and a refusal says where and what was seen."""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple, NoReturn, cast

from cegla.segment.rules.history import COMPARISONS
from cegla.segment.rules.language import All, Kind, Leaf, Not, Operator, Parameter, Rule, Some, leaves
from cegla.segment.rules.traits import TraitRow
from cegla.vocabulary.errors.people import RuleInvalid
from cegla.vocabulary.money import to_micros
from cegla.vocabulary.text import Text

DEEPEST, MOST_RULES, LONGEST_TEXT, LONGEST_LIST = 12, 100, 500, 500
MOST_TIMES, MOST_DAYS, LARGEST_NUMBER = 1_000_000, 36_500, 1e15
MOST_LEAVES = 400  #: with those of the segments that a rule speaks of
LONGEST_SPAN_DAYS, FARTHEST_DAYS = 366, 3_660
SPAN = re.compile(r"[1-9][0-9]{0,4}[mhd]")


class Words(NamedTuple):
    """What rules may speak of, each None when there is no such thing: the row of a trait by its key, the name and rule of a segment by number or
    key (a segment that rests on itself is refused with RuleInvalid), whether a word is a place, whether it is a point."""

    trait: Callable[[str], TraitRow | None]
    segment: Callable[[int | str, str], tuple[str, Rule] | None]
    place: Callable[[str], Any]
    point: Callable[[str], Any]


def parse(tree: object, operators: Mapping[str, Operator], words: Words) -> Rule:
    """The typed tree of a rule given as JSON. Raises RuleInvalid with a JSON pointer in `where`."""
    rule = _Parser(operators, words).rule(tree, "", 1)
    if (many := len(leaves(rule))) > MOST_LEAVES:
        refuse("", many, f"z regułami innych segmentów to za dużo warunków, najwyżej {MOST_LEAVES}",
            f"with the rules of other segments these are too many conditions, at most {MOST_LEAVES}")  # fmt: skip
    return rule


def refuse(pointer: str, seen: object, pl: str, en: str) -> NoReturn:
    """Raise RuleInvalid with what is wrong, in both languages. A value is shown as ASCII, so that it can be printed anywhere."""
    try:
        shown = ascii(seen)
    except (ValueError, RecursionError):  # a whole number of thousands of digits, or thousands of lists in each other
        shown = "…"
    raise RuleInvalid(where=pointer or "/", seen=shown, detail=Text(pl, en))


class _Parser:
    """One pass over one tree."""

    def __init__(self, operators: Mapping[str, Operator], words: Words) -> None:
        self.operators = operators
        self.words = words
        self.rules = 0

    def rule(self, node: object, pointer: str, depth: int) -> Rule:
        """A group, a negation or a leaf."""
        self.rules += 1
        if self.rules > MOST_RULES:
            refuse(pointer, self.rules, f"za dużo reguł, najwyżej {MOST_RULES}", f"too many rules, at most {MOST_RULES}")
        if depth > DEEPEST:
            refuse(pointer, depth, f"za głęboko zagnieżdżone, najwyżej {DEEPEST} poziomów", f"nested too deeply, at most {DEEPEST} levels")
        if not isinstance(node, dict):
            refuse(
                pointer,
                node,
                "tu powinna być reguła: obiekt z „op”, „all”, „any” albo „not”",
                "a rule belongs here: an object with “op”, “all”, “any” or “not”",
            )
        fields = cast(dict[object, object], node)
        if "op" in fields:
            return self._leaf(fields, pointer)
        if len(fields) != 1 or next(iter(fields)) not in ("all", "any", "not"):
            refuse(pointer, list(fields), "reguła ma mieć dokładnie jedno z: op, all, any, not", "a rule has exactly one of: op, all, any, not")
        key, inner = next(iter(fields.items()))
        if key == "not":
            return Not(self.rule(inner, f"{pointer}/not", depth + 1))
        if not isinstance(inner, list) or not inner:
            refuse(f"{pointer}/{key}", inner, "tu powinna być niepusta lista reguł", "a list of at least one rule belongs here")
        rules = tuple(self.rule(one, f"{pointer}/{key}/{number}", depth + 1) for number, one in enumerate(cast(list[object], inner)))
        return All(rules) if key == "all" else Some(rules)

    def _leaf(self, fields: dict[object, object], pointer: str) -> Leaf:
        key = fields["op"]
        operator = self.operators.get(key) if isinstance(key, str) else None
        if operator is None:
            refuse(f"{pointer}/op", key, "nie ma takiego operatora", "there is no such operator")
        known = {"op", *(row.name for row in operator.parameters)}
        for name in fields:
            if name not in known:
                refuse(pointer, name, f"operator {key} nie ma tego parametru", f"the operator {key} has no such parameter")
        values: dict[str, Any] = {}
        for row in operator.parameters:
            if fields.get(row.name) is None:
                if row.required:
                    refuse(f"{pointer}/{row.name}", "", f"operator {key} wymaga parametru {row.name}", f"the operator {key} needs {row.name}")
                values[row.name] = row.default
            else:
                values[row.name] = self._value(row, fields[row.name], values, f"{pointer}/{row.name}")
            if row.kind == Kind.TRAIT:
                values["row"] = self.words.trait(values[row.name])
            if row.kind == Kind.SEGMENT:
                values["segment_name"], values["inner"] = self._segment(values[row.name], f"{pointer}/{row.name}")
        if values.get("confidence") is not None and (found := values.get("row")) is not None and not found.is_guess:
            refuse(
                f"{pointer}/confidence", values["confidence"], "ta cecha nie jest szacowana, nie ma pewności", "this trait is no estimate and has no confidence"
            )
        return Leaf(operator, values)

    def _value(self, row: Parameter, raw: object, before: Mapping[str, Any], pointer: str) -> Any:
        match row.kind:
            case Kind.EVENT | Kind.TEXT | Kind.PROPERTY:
                return text(raw, pointer)
            case Kind.TIMES:
                return whole(raw, pointer, 1, MOST_TIMES)
            case Kind.DAYS:
                return whole(raw, pointer, 1, MOST_DAYS)
            case Kind.HOUR:
                return whole(raw, pointer, 0, 23)
            case Kind.SPAN | Kind.DATE | Kind.OFFSET | Kind.PERCENT:
                return _moment(row.kind, raw, pointer)
            case Kind.PLACES:
                return [self._located(self.words.place, one, f"{pointer}/{place}") for place, one in enumerate(items(raw, pointer))]
            case Kind.POINT:
                return self._located(self.words.point, raw, pointer)
            case Kind.SEGMENT:
                return whole(raw, pointer, 1, 2**62) if isinstance(raw, int) else text(raw, pointer)
            case Kind.MONEY:
                return money(raw, pointer)
            case Kind.NUMBER:
                return number(raw, pointer)
            case Kind.WEEKDAYS:
                return [whole(one, f"{pointer}/{place}", 1, 7) for place, one in enumerate(items(raw, pointer))]
            case Kind.FILTERS:
                return conditions(raw, pointer, row.fields)
            case Kind.TRAIT:
                return self._trait(row, raw, pointer)
            case Kind.VALUE:
                return self._comparable(raw, before, pointer)
            case Kind.VALUES:
                return [self._comparable(one, before, f"{pointer}/{place}") for place, one in enumerate(items(raw, pointer))]
            case Kind.CHOICE:
                return _choice(row, raw, pointer)
            case Kind.CHOICES:
                return [_choice(row, one, f"{pointer}/{place}") for place, one in enumerate(items(raw, pointer))]

    def _trait(self, row: Parameter, raw: object, pointer: str) -> str:
        key = text(raw, pointer)
        found = self.words.trait(key)
        if found is None:
            refuse(pointer, raw, "nie ma takiej cechy", "there is no such trait")
        if row.traits and found.kind not in row.traits:
            refuse(pointer, raw, "tej cechy nie można tak porównać", "this trait cannot be compared like this")
        return key

    def _segment(self, reference: int | str, pointer: str) -> tuple[str, Rule]:
        found = self.words.segment(reference, pointer)
        if found is None:
            refuse(pointer, reference, "nie ma takiego segmentu", "there is no such segment")
        return found

    def _located(self, known: Callable[[str], Any], raw: object, pointer: str) -> str:
        word = text(raw, pointer)
        if known(word) is None:
            refuse(pointer, raw, "nie ma takiego miejsca", "there is no such place")
        return word

    def _comparable(self, raw: object, before: Mapping[str, Any], pointer: str) -> Any:
        match before["row"].kind:
            case "money":
                return money(raw, pointer)
            case "count" | "number":
                return number(raw, pointer)
            case "hour":
                return whole(raw, pointer, 0, 23)
            case _:
                return scalar(raw, pointer)


def _moment(kind: Kind, raw: object, pointer: str) -> Any:
    """A length of time, a day, an offset in days, or a share in percent."""
    match kind:
        case Kind.OFFSET:
            return whole(raw, pointer, -FARTHEST_DAYS, FARTHEST_DAYS)
        case Kind.PERCENT:
            share = number(raw, pointer)
            if not 0 <= share <= 100:
                refuse(pointer, raw, "tu powinna być liczba od 0 do 100", "a number from 0 to 100 belongs here")
            return share
        case Kind.DATE:
            try:
                if not isinstance(raw, str) or (day := date.fromisoformat(raw)).isoformat() != raw:  # a week's day is no date that forms show
                    raise ValueError
            except ValueError:
                refuse(pointer, raw, "tu powinna być data, na przykład 2026-11-23", "a date belongs here, such as 2026-11-23")
            if not 1970 <= day.year <= 9990:
                refuse(pointer, raw, "ta data leży zbyt daleko", "this date lies too far away")
            return raw
        case _:
            if not isinstance(raw, str) or SPAN.fullmatch(raw) is None or int(raw[:-1]) / {"m": 1_440, "h": 24, "d": 1}[raw[-1]] > LONGEST_SPAN_DAYS:
                refuse(pointer, raw, "tu powinien być czas: 45m, 3h albo 2d", "a length of time belongs here: 45m, 3h or 2d")
            return raw


def conditions(raw: object, pointer: str, named: Mapping[str, Text]) -> tuple[dict[str, Any], ...]:
    """Filters on an event, as many as are given; `named` are the fields that they may name."""
    return tuple(_filter(one, f"{pointer}/{place}", named) for place, one in enumerate(items(raw, pointer)))


def text(raw: object, pointer: str) -> str:
    """A text that PostgreSQL and the warehouse can both hold: 1 to 500 characters, no NUL, no half of a surrogate pair."""
    if not isinstance(raw, str) or not raw or len(raw) > LONGEST_TEXT:
        refuse(pointer, raw, f"tu powinien być tekst, od 1 do {LONGEST_TEXT} znaków", f"a text belongs here, 1 to {LONGEST_TEXT} characters")
    if "\0" in raw or any("\ud800" <= letter <= "\udfff" for letter in raw):
        refuse(pointer, raw, "tekst zawiera znak, którego żadne zdarzenie nie może mieć", "the text has a character that no event can have")
    return raw


def whole(raw: object, pointer: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
        refuse(
            pointer,
            raw,
            f"tu powinna być liczba całkowita od {least} do {most}",
            f"a whole number from {least} to {most} belongs here",
        )
    return raw


def number(raw: object, pointer: str) -> float | int:
    """A finite number."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not abs(raw) <= LARGEST_NUMBER:  # NaN too
        refuse(pointer, raw, "tu powinna być liczba", "a number belongs here")
    return raw


def money(raw: object, pointer: str) -> float | int:
    """An amount that fits."""
    amount = number(raw, pointer)
    if to_micros(amount) is None or abs(amount) > 1e12:
        refuse(pointer, raw, "tu powinna być kwota", "an amount belongs here")
    return amount


def scalar(raw: object, pointer: str) -> str | float | int | bool:
    """A text, a number, or yes or no."""
    if isinstance(raw, bool):
        return raw
    return text(raw, pointer) if isinstance(raw, str) else number(raw, pointer)


def items(raw: object, pointer: str) -> list[object]:
    """A list with something in it, not too long."""
    if not isinstance(raw, (list, tuple)) or not raw or len(cast(list[object], raw)) > LONGEST_LIST:
        refuse(pointer, raw, f"tu powinna być lista, od 1 do {LONGEST_LIST} pozycji", f"a list belongs here, 1 to {LONGEST_LIST} items")
    return list(cast(list[object], raw))


def _choice(row: Parameter, raw: object, pointer: str) -> str:
    words = [one.key for one in row.choices]
    if raw not in words:
        refuse(pointer, raw, f"tu powinno być jedno z: {', '.join(words)}", f"one of these belongs here: {', '.join(words)}")
    return cast(str, raw)


def _filter(raw: object, pointer: str, named: Mapping[str, Text]) -> dict[str, Any]:
    if not isinstance(raw, dict):
        refuse(pointer, raw, "tu powinien być warunek: {property albo field, porównanie}", "a condition belongs here: {property or field, comparison}")
    fields = cast(dict[object, object], raw)
    subject = [key for key in ("property", "field") if key in fields]
    comparison = [row for key, row in COMPARISONS.items() if key in fields]
    if len(subject) != 1 or len(comparison) != 1 or len(fields) != 2:
        refuse(
            pointer,
            list(fields),
            "warunek ma „property” albo „field” i jedno porównanie",
            f"a condition has “property” or “field” and one of: {', '.join(COMPARISONS)}",
        )
    what = text(fields[subject[0]], f"{pointer}/{subject[0]}")
    if subject[0] == "field" and what not in named:
        refuse(f"{pointer}/field", what, f"nie ma takiego pola; są: {', '.join(named)}", f"there is no such field; there are: {', '.join(named)}")
    row = comparison[0]
    return {subject[0]: what, row.key: _compared(row.takes, fields[row.key], f"{pointer}/{row.key}")}


def _compared(takes: str, raw: object, pointer: str) -> Any:
    match takes:
        case "text":
            return text(raw, pointer)
        case "number":
            return number(raw, pointer)
        case "values":
            return [scalar(one, f"{pointer}/{place}") for place, one in enumerate(items(raw, pointer))]
        case "flag":
            if not isinstance(raw, bool):
                refuse(pointer, raw, "tu powinno być true albo false", "true or false belongs here")
            return raw
        case _:
            return scalar(raw, pointer)
