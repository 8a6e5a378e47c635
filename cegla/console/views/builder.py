"""The segment form and the rule tree are one thing: rule → form fields → rule, without state anywhere else.

Each node has a path: "0" is the whole, "0.1" its second child. Fields are named by it: kind-0, op-0.1, p-0.1-days,
w-0.1-0-property. What is incomplete stays as typed, so that the language's own check can say what is missing.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cegla.console.digits import whole
from cegla.segment import actions as segment

NUMBERS = ("times", "days", "money", "number", "hour", "offset", "percent")
GROUPS = ("all", "any", "not")
DEEPEST = 12  #: groups within groups that a form may hold
FILTER_ROWS = 1  #: empty filter rows shown beyond the filled ones


@dataclass(frozen=True)
class FormField:
    """One parameter of a leaf as a form field. `kind` chooses the input; `chosen` holds one value, or several for lists."""

    name: str
    label: Any
    kind: str
    chosen: Sequence[str]
    required: bool
    choices: Sequence[tuple[str, Any]] = ()
    filters: Sequence["FilterRow"] = ()

    @property
    def value(self) -> str:
        """The one value."""
        return self.chosen[0] if self.chosen else ""


@dataclass(frozen=True)
class FilterRow:
    """One condition on an event: where it is looked up, under which name, how compared, with what."""

    name: str
    place: str  #: "property" or "field"
    key: str
    comparison: str
    value: str


@dataclass(frozen=True)
class Node:
    """A group (kind all, any, not) with children, or a leaf (kind leaf) with an operator and its fields."""

    path: str
    kind: str
    number: int
    children: Sequence["Node"] = ()
    operator: str = ""
    fields: Sequence[FormField] = field(default=())


def as_group(rule: Any) -> dict[str, Any]:
    """The rule with a group on top, as the form needs it."""
    if isinstance(rule, dict) and any(kind in rule for kind in GROUPS):
        return rule  # pyright: ignore[reportUnknownVariableType]
    return {"all": [rule] if rule else []}


def children(rule: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """A group's kind and what is in it; {"not": {"any": [...]}} reads as "none of"."""
    for kind in ("all", "any"):
        if kind in rule:
            return kind, list(rule[kind])
    inner = rule["not"]
    return "not", list(inner["any"]) if isinstance(inner, dict) and "any" in inner else [inner]


def group(kind: str, rules: list[Any]) -> dict[str, Any]:
    """The group as a rule."""
    return {"not": {"any": rules}} if kind == "not" else {kind: rules}


# rule → form -------------------------------------------------------------------------------------------------------------


def form_of(rule: Mapping[str, Any], path: str = "0", number: int = 1, about: segment.Known = segment.NOTHING) -> Node:
    """The rule as nested nodes with their form fields; `about` says what can be chosen."""
    if "op" not in rule:
        kind, rules = children(rule)
        return Node(path, kind, number, tuple(form_of(one, f"{path}.{place}", place + 1, about) for place, one in enumerate(rules)))
    operator = segment.OPERATORS.get(str(rule["op"]))
    if operator is None:
        return Node(path, "leaf", number, operator=str(rule["op"]))
    return Node(path, "leaf", number, operator=operator.key, fields=tuple(_field(path, parameter, rule, about) for parameter in operator.parameters))


def _field(path: str, parameter: Any, rule: Mapping[str, Any], about: segment.Known) -> FormField:
    kind = str(parameter.kind)
    given: Any = rule.get(parameter.name, parameter.default)
    choices: list[tuple[str, Any]] = [(one.key, one.label) for one in parameter.choices]
    if kind == "trait":
        choices = [(row.key, row.label) for row in about.traits.values() if not parameter.traits or row.kind in parameter.traits]
        if isinstance(given, str) and given and given not in dict(choices):
            choices.append((given, given))
    if kind == "segment":
        choices = [(one.key or str(one.id), one.name) for one in about.segments]
        if given not in (None, "") and str(given) not in dict(choices):
            choices.append((str(given), str(given)))
    if kind == "weekdays":
        choices = [(one.key, one.label) for one in segment.WEEKDAYS]
    if kind == "filters":
        rows = filter_rows(_rows_at(path, parameter), list[Any](given or ()))
        named = [] if parameter.fields is segment.FIELDS else list(parameter.fields.items())
        return FormField(_rows_at(path, parameter), parameter.label, kind, (), parameter.required, named, tuple(rows))
    chosen = [_typed(one) for one in given] if isinstance(given, (list, tuple)) else [] if given is None else [_typed(given)]
    return FormField(f"p-{path}-{parameter.name}", parameter.label, kind, tuple(chosen), parameter.required, tuple(choices))


def _rows_at(path: str, parameter: Any) -> str:
    """How the rows of conditions are named: a leaf may have two lists of them."""
    return f"w-{path}" if parameter.name == "where" else f"w-{path}-{parameter.name}"


def filter_rows(name: str, given: Sequence[Mapping[str, Any]]) -> list[FilterRow]:
    """The conditions on an event as rows of the form, with empty ones to fill in."""
    rows = [_filter_row(name, place, one) for place, one in enumerate(given)]
    return rows + [FilterRow(f"{name}-{len(rows) + extra}", "property", "", "is", "") for extra in range(FILTER_ROWS)]


def _filter_row(name: str, place: int, row: Mapping[str, Any]) -> FilterRow:
    where = "field" if "field" in row else "property"
    comparison = next((key for key in row if key in segment.COMPARISONS), "is")
    value = row.get(comparison, "")
    text = ", ".join(_typed(one) for one in value) if isinstance(value, (list, tuple)) else "" if value is None else _typed(value)
    return FilterRow(f"{name}-{place}", where, str(row.get(where, "")), comparison, text)


def _typed(value: Any) -> str:
    """A value as it is typed; yes and no as events write them, and so they are read as what they were."""
    return str(value).lower() if isinstance(value, bool) else str(value)


# form → rule -------------------------------------------------------------------------------------------------------------


def rule_of(fields: Mapping[str, Sequence[str]], path: str = "0", about: segment.Known = segment.NOTHING) -> dict[str, Any]:
    """The rule that a posted form says; fields are given with all their values."""
    kind = _one(fields, f"kind-{path}")
    if kind == "leaf":
        return _leaf(fields, path, about)
    last = (name.removeprefix(f"kind-{path}.") for name in fields if name.startswith(f"kind-{path}."))
    below = sorted(int(place) for place in last if re.fullmatch("[0-9]{1,4}", place)) if path.count(".") < DEEPEST else []
    return group(kind if kind in GROUPS else "all", [rule_of(fields, f"{path}.{place}", about) for place in below])


def _leaf(fields: Mapping[str, Sequence[str]], path: str, about: segment.Known) -> dict[str, Any]:
    key = _one(fields, f"op-{path}")
    leaf: dict[str, Any] = {"op": key}
    operator = segment.OPERATORS.get(key)
    for parameter in operator.parameters if operator else ():
        value = _value(fields, path, parameter, about)
        if value not in (None, "", [], ()):
            leaf[parameter.name] = value
    return leaf


def _value(fields: Mapping[str, Sequence[str]], path: str, parameter: Any, about: segment.Known) -> Any:
    kind, name = str(parameter.kind), f"p-{path}-{parameter.name}"
    if kind == "filters":
        return filters_of(fields, _rows_at(path, parameter), () if parameter.fields is segment.FIELDS else parameter.fields)
    if kind in NUMBERS:
        return number(_one(fields, name))
    if kind == "weekdays":
        return [day for one in fields.get(name, ()) if (day := whole(one)) is not None]
    if kind == "choices":
        return [one for one in fields.get(name, ()) if one]
    text = _one(fields, name)
    if kind == "places":
        return [one.strip() for one in text.split(",") if one.strip()]
    if kind == "segment":
        return text if (chosen := whole(text)) is None else chosen
    if kind in ("value", "values"):
        row = about.traits.get(_one(fields, f"p-{path}-trait"))
        parts = [one.strip() for one in text.split(",") if one.strip()] if kind == "values" else [text]
        typed = [one if row is None or row.kind == "text" else number(one) for one in parts]
        return typed if kind == "values" else typed[0]
    return text


def filters_of(fields: Mapping[str, Sequence[str]], rows: str, named: Collection[str] = ()) -> list[dict[str, Any]]:
    """The filters that were filled in. `named` are fields that are typed in like properties."""
    found: list[dict[str, Any]] = []
    for place in range(50):
        name = f"{rows}-{place}"
        if f"{name}-key" not in fields:
            break
        key, comparison, value = (_one(fields, f"{name}-{part}") for part in ("key", "compare", "value"))
        if key:
            where = "field" if (key in named if named else _one(fields, f"{name}-place") == "field") else "property"
            found.append({where: key, comparison: _compared(comparison, value, amount=where == "field" and key == "value")})
    return found


def _compared(comparison: str, value: str, *, amount: bool) -> Any:
    """What an event's property or field is compared with; of the field that is an amount, a number."""
    takes = segment.COMPARISONS[comparison].takes if comparison in segment.COMPARISONS else "value"
    if takes == "values":
        parts = [one.strip() for one in value.split(",") if one.strip()]
        return [number(one) for one in parts] if amount else parts
    if takes == "number" or (takes == "value" and amount):
        return number(value)
    if takes == "flag":
        return value.lower() not in ("", "nie", "no", "false", "0")
    return value


def number(text: str) -> Any:
    """A number as typed in either language ("1 234,5"); what is none stays text, so the check can show it."""
    plain = text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        return text
    return int(value) if value.is_integer() and abs(value) < 1e15 else value


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    return values[0].strip() if values else ""


# editing -----------------------------------------------------------------------------------------------------------------


def edited(rule: Mapping[str, Any], act: str) -> dict[str, Any]:
    """The rule after a button: "add:0.1" a condition, "group:0.1" a group, "remove:0.1" the node; anything else changes nothing."""
    verb, _, path = act.partition(":")
    steps = [place for step in path.split(".")[1:] if (place := whole(step)) is not None]
    if verb == "remove" and steps:
        return _changed(rule, steps[:-1], lambda rules: [one for place, one in enumerate(rules) if place != steps[-1]])
    fresh: dict[str, Any] | None = {"op": "did", "event": "", "at_least": 1} if verb == "add" else {"any": []} if verb == "group" else None
    return dict(rule) if fresh is None else _changed(rule, steps, lambda rules: [*rules, fresh])


def _changed(rule: Mapping[str, Any], steps: Sequence[int], change: Any) -> dict[str, Any]:
    if "op" in rule:
        return dict(rule)
    kind, rules = children(rule)
    if not steps:
        return group(kind, change(rules))
    return group(kind, [_changed(one, steps[1:], change) if place == steps[0] else one for place, one in enumerate(rules)])
