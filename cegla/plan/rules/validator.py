"""A plan made ready to run: one compiled check for each event, so that an event as planned costs a look at each property.

Two readings of one plan: `is_clean` is the fast one, for the common event; what it does not pass (also a whole number
written 5.0) is read again by `violations`, which decides and says what is wrong, and where. The tests hold both against
each other and against JSON Schema.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple, cast

from cegla.plan.rules.form import KEPT_APART, Mode, Plan, PlannedEvent, Property, matcher
from cegla.vocabulary.text import Text

MOST_VIOLATIONS = 20  #: told of one event
LEFT_TO_IDENTITY = frozenset({"email", "phone"})  #: identity reads these; the warehouse never gets them whatever the plan says


class Violation(StrEnum):
    """What is not as planned. The list is closed; each has its words in `VIOLATIONS`."""

    UNPLANNED_EVENT = "unplanned_event"
    UNKNOWN_VERSION = "unknown_version"
    UNPLANNED_PROPERTY = "unplanned_property"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    NOT_LISTED = "not_listed"
    NOT_LIKE_PATTERN = "not_like_pattern"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"


VIOLATIONS: dict[Violation, Text] = {
    Violation.UNPLANNED_EVENT: Text("zdarzenia nie ma w planie", "the event is not planned"),
    Violation.UNKNOWN_VERSION: Text("plan nie zna tej wersji zdarzenia", "the plan does not know this version of the event"),
    Violation.UNPLANNED_PROPERTY: Text("właściwości nie ma w planie", "the property is not planned"),
    Violation.MISSING: Text("brak wymaganej właściwości", "a required property is missing"),
    Violation.WRONG_TYPE: Text("zły typ", "wrong type"),
    Violation.NOT_LISTED: Text("wartość spoza listy", "a value that is not listed"),
    Violation.NOT_LIKE_PATTERN: Text("niezgodne ze wzorcem", "not like the pattern"),
    Violation.TOO_SMALL: Text("za mała liczba", "too small a number"),
    Violation.TOO_LARGE: Text("za duża liczba", "too large a number"),
    Violation.TOO_SHORT: Text("za krótkie", "too short"),
    Violation.TOO_LONG: Text("za długie", "too long"),
}


class Found(NamedTuple):
    """One violation: where (a path such as products[].price), what, and the JSON type that stood there."""

    path: str
    kind: Violation
    seen: str


Check = Callable[[Any], bool]


def json_type(value: Any) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"


def is_date(text: str) -> bool:
    """Whether a text is a day, as in 2026-11-25."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-" or not text.isascii():
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_time(text: str) -> bool:
    """Whether a text is a moment as RFC 3339 writes it, with its zone: 2026-11-25T10:00:00Z."""
    if len(text) < 20 or text[10] not in "Tt" or not text.isascii() or text[13] != ":" or text[16] != ":" or not is_date(text[:10]):
        return False
    if not (text[-1] in "Zz" or (text[-6] in "+-" and text[-3] == ":")) or "," in text:
        return False
    bare, zone = (text[:-1], "+00:00") if text[-1] in "Zz" else (text[:-6], text[-6:])
    whole, dot, fraction = bare.partition(".")
    if len(whole) != 19 or (dot and not (fraction.isdigit() and fraction)):
        return False
    try:
        datetime.fromisoformat(whole + zone)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Compiled:
    """One version of one event, ready to check."""

    event: PlannedEvent
    mode: Mode
    unplanned: Mode
    is_clean: Check  #: of the properties (or traits) as a whole
    personal: bool  #: whether some property is kept out of the warehouse
    fields: dict[str, "Node"]
    required: frozenset[str]


@dataclass(frozen=True)
class Node:
    """One property, ready to check. `own` checks the value itself, without what is inside it."""

    one: Property
    personal: bool
    own: Callable[[Any], Violation | None]
    fields: "dict[str, Node] | None"
    required: frozenset[str]
    items: "Node | None"


@dataclass(frozen=True)
class Ready:
    """A whole plan, ready: events by name, each with its versions."""

    plan: Plan
    unplanned_events: Mode
    newest: dict[str, Compiled]
    versions: dict[tuple[str, int], Compiled]


def compiled(plan: Plan) -> Ready:
    """Make a plan ready; once a version."""
    versions = {(event.name, event.version): _compiled(plan, event) for event in plan.events}
    newest: dict[str, Compiled] = {}
    for (name, _), one in sorted(versions.items(), key=lambda row: row[0][1]):
        newest[name] = one
    return Ready(plan, plan.mode_of_unplanned, newest, versions)


def _compiled(plan: Plan, event: PlannedEvent) -> Compiled:
    apart = event.fields is event.properties  # traits go to the profile, which keeps personal data
    fields = {key: _node(one, apart and key not in LEFT_TO_IDENTITY) for key, one in event.fields.items()}
    required = frozenset(key for key, one in event.fields.items() if one.required)
    personal = any(map(_is_personal, fields.values()))
    checks = {key: (_types(one), _rest(one)) for key, one in event.fields.items()}
    return Compiled(event, plan.mode_of(event), plan.unplanned_properties_of(event), _object_check(checks, required), personal, fields, required)


# the fast reading --------------------------------------------------------------------------------------------------------

_NULL = type(None)
_TYPES: dict[str, frozenset[type]] = {
    "string": frozenset({str}), "integer": frozenset({int}), "number": frozenset({int, float}), "boolean": frozenset({bool}),
    "date": frozenset({str}), "time": frozenset({str}), "object": frozenset({dict}), "array": frozenset({list}),
}  # fmt: skip


def _types(one: Property) -> frozenset[type]:
    """Python types that a value may have without a further look; a float that is whole takes the slower way."""
    return _TYPES[one.type]


def _object_check(checks: dict[str, tuple[frozenset[type], Check | None]], required: frozenset[str]) -> Check:
    """Whether an object holds planned properties only, each as planned, and all that are required."""
    lookup = checks.get
    needed = tuple(required)

    def check(value: dict[str, Any]) -> bool:
        for key, one in value.items():
            known = lookup(key)
            if known is None:
                return False
            types, rest = known
            if type(one) in types:
                if rest is not None and not rest(one):
                    return False
            elif one is not None:
                return False
        return all(value.get(key) is not None for key in needed) if needed else True

    return check


def _rest(one: Property) -> Check | None:
    """What is to check beyond the type; None when the type is all."""
    parts: list[Check] = []
    if one.type == "date":
        parts.append(is_date)
    elif one.type == "time":
        parts.append(is_time)
    if one.enumeration is not None:
        parts.append(_listed(one).__contains__)
    if one.pattern is not None:
        parts.append(matcher(one.pattern))
    parts += _bounds(one)
    if one.properties is not None:
        inner = {key: (_types(part), _rest(part)) for key, part in one.properties.items()}
        parts.append(_object_check(inner, frozenset(key for key, part in one.properties.items() if part.required)))
    if one.items is not None:
        parts.append(_items_check(_types(one.items), _rest(one.items)))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else lambda value: all(part(value) for part in parts)


def _items_check(types: frozenset[type], rest: Check | None) -> Check:
    if rest is None:
        return lambda value: all(type(one) in types for one in value)
    return lambda value: all(type(one) in types and rest(one) for one in value)


def _listed(one: Property) -> frozenset[Any]:
    return frozenset(one.enumeration or ())


def _bounds(one: Property) -> Iterator[Check]:
    low, high, short, long = one.min, one.max, one.min_length, one.max_length
    if low is not None:
        yield lambda value: value >= low
    if high is not None:
        yield lambda value: value <= high
    if short is not None:
        yield lambda value: len(value) >= short
    if long is not None:
        yield lambda value: len(value) <= long


# the telling reading -----------------------------------------------------------------------------------------------------


def _node(one: Property, apart: bool) -> Node:
    fields = None if one.properties is None else {key: _node(part, apart) for key, part in one.properties.items()}
    required = frozenset(key for key, part in (one.properties or {}).items() if part.required)
    return Node(one, apart and one.personal in KEPT_APART, _own(one), fields, required, _node(one.items, apart) if one.items else None)


def _is_personal(node: Node) -> bool:
    return node.personal or any(map(_is_personal, (node.fields or {}).values())) or (node.items is not None and _is_personal(node.items))


def _own(one: Property) -> Callable[[Any], Violation | None]:
    matches = matcher(one.pattern) if one.pattern is not None else None
    listed = _listed(one) if one.enumeration is not None else None

    def own(value: Any) -> Violation | None:
        if not has_type(value, one.type):
            return Violation.WRONG_TYPE
        if listed is not None and value not in listed:
            return Violation.NOT_LISTED
        if matches is not None and not matches(value):
            return Violation.NOT_LIKE_PATTERN
        if one.min is not None and value < one.min:
            return Violation.TOO_SMALL
        if one.max is not None and value > one.max:
            return Violation.TOO_LARGE
        if one.min_length is not None and len(value) < one.min_length:
            return Violation.TOO_SHORT
        return Violation.TOO_LONG if one.max_length is not None and len(value) > one.max_length else None

    return own


def has_type(value: Any, kind: str) -> bool:
    """Whether a value is of a planned type. A whole number is an integer, also when it is written 5.0."""
    if kind == "integer":
        return type(value) is int or (type(value) is float and value.is_integer())
    if type(value) not in _TYPES[kind]:
        return False
    return is_date(value) if kind == "date" else is_time(value) if kind == "time" else True


def violations(fields: dict[str, Any], planned: Compiled) -> list[Found]:
    """Everything that is not as planned, at most twenty of it."""
    found: list[Found] = []
    for one in _of_object(fields, planned.fields, planned.required, ""):
        found.append(one)
        if len(found) == MOST_VIOLATIONS:
            break
    return found


def _of_object(value: dict[str, Any], fields: dict[str, Node], required: frozenset[str], prefix: str) -> Iterator[Found]:
    for key in sorted(required):
        if value.get(key) is None:
            yield Found(prefix + key, Violation.MISSING, json_type(value.get(key)))
    for key, one in value.items():
        node = fields.get(key)
        if node is None:
            yield Found(prefix + key, Violation.UNPLANNED_PROPERTY, json_type(one))
        elif one is not None:
            yield from _of_value(one, node, prefix + key)


def _of_value(value: Any, node: Node, path: str) -> Iterator[Found]:
    wrong = node.own(value)
    if wrong is not None:
        yield Found(path, wrong, json_type(value))
        return
    if node.fields is not None:
        yield from _of_object(value, node.fields, node.required, f"{path}.")
    if node.items is not None:
        for one in value:
            yield from _of_value(one, node.items, f"{path}[]")


class Taking(NamedTuple):
    """What to take out of an event."""

    unplanned: bool  #: properties that are not planned
    broken: bool  #: values that are not as planned
    personal: bool  #: values that are personal by the plan


def pruned(value: dict[str, Any], fields: dict[str, Node], taking: Taking) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stays and what is taken out, each at its place; what is taken from a list stands under its element's number."""
    stays: dict[str, Any] = {}
    out: dict[str, Any] = {}
    for key, one in value.items():
        node = fields.get(key)
        if node is None:
            (out if taking.unplanned else stays)[key] = one
        elif one is None:
            stays[key] = one
        else:
            kept, gone = _pruned_value(one, node, taking)
            if kept is not _NOTHING:
                stays[key] = kept
            if gone is not _NOTHING:
                out[key] = gone
    return stays, out


_NOTHING: Any = object()


def _pruned_value(value: Any, node: Node, taking: Taking) -> tuple[Any, Any]:
    if taking.personal and node.personal:
        return _NOTHING, value
    if node.own(value) is not None:
        return (_NOTHING, value) if taking.broken else (value, _NOTHING)
    if node.fields is not None:
        stays, out = pruned(value, node.fields, taking)
        if not stays and out:
            return _NOTHING, value  # nothing is left of it, so it goes as a whole
        return (stays, out) if out else (value, _NOTHING)
    if node.items is not None:
        parts = [_pruned_value(one, node.items, taking) for one in cast("list[Any]", value)]
        gone = {str(index): out for index, (_, out) in enumerate(parts) if out is not _NOTHING}
        return ([kept for kept, _ in parts if kept is not _NOTHING], gone) if gone else (value, _NOTHING)
    return value, _NOTHING
