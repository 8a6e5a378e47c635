"""The fix language: a few declared steps that change an event. No code, no loops, nothing that can run away.

    steps:
      - move: {from: properties.Total, to: properties.total}
      - cast: {path: properties.total, to: number, decimal: ","}
      - values: {path: "products[].category", map: {buty: Shoes}}

A path names fields from the top of the event, with dots between them; `[]` means every element of a list, and a name with a
dot in it is written in double quotes. Steps run in order. A field that is not there is passed over, except by `set`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from cegla.vocabulary.text import Text

MOST_STEPS = 50
_PART = re.compile(r'(?:"([^"]+)"|([^."\[\]]+))(\[\])?(?:\.|$)')
_FIXED = (("messageId",), ("writeKey",), ("batch",), ("context", "consent"), ("context", "gpc"))  # ids keep doubles out, consent is the person's
_ABSENT = object()

#: What our own checks say; the others are pydantic's.
SAID: dict[str, Text] = {
    "path": Text("to nie jest ścieżka, jak properties.total albo products[].price", "it is no path, such as properties.total or products[].price"),
    "untouchable": Text("messageId, writeKey i zgody nie zmienia się naprawą", "a fix does not change messageId, writeKey or consents"),
    "step": Text(
        "krok ma dokładnie jedno z: rename_event, move, set, cast, drop, values", "a step has exactly one of: rename_event, move, set, cast, drop, values"
    ),
    "lists": Text("ścieżka docelowa nie może mieć [], którego nie ma w źródłowej", "the target cannot have a [] that the origin does not have"),
    "zone": Text("nie ma takiej strefy czasowej", "there is no such time zone"),
}


class Unfixable(Exception):
    """A step met a value it cannot change; says the step and the path, not the value."""


Path = tuple[str, ...]  #: names; "[]" stands for every element of a list


def parse_path(text: str) -> Path:
    """The parts of a path. Raises ValueError."""
    parts: list[str] = []
    place = 0
    while place < len(text):
        found = _PART.match(text, place)
        if found is None:
            raise ValueError("path")
        parts.append(found[1] or found[2])
        if found[3]:
            parts.append("[]")
        place = found.end()
    if not parts or text.endswith("."):
        raise ValueError("path")
    if any(tuple(parts[: len(one)]) == one for one in _FIXED) or parts == ["context"]:
        raise ValueError("untouchable")
    return tuple(parts)


def _checked(text: str) -> str:
    parse_path(text)
    return text


class Form(BaseModel):
    """A frozen part of a fix; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class MoveForm(Form):
    """Move a value to another place; what stood there is replaced."""

    origin: str = Field(alias="from", max_length=300, description="the path it is at")
    to: str = Field(max_length=300, description="the path it shall be at; within one element when both have []")

    _paths = field_validator("origin", "to")(_checked)

    @model_validator(mode="after")
    def _same_lists(self) -> "MoveForm":
        origin, to = parse_path(self.origin), parse_path(self.to)
        shared = len(to) - 1 - to[::-1].index("[]") + 1 if "[]" in to else 0
        if to[:shared] != origin[:shared] or ("[]" in origin[shared:]):
            raise ValueError("lists")
        return self


class SetForm(Form):
    """Put a constant in."""

    path: str = Field(max_length=300, description="where")
    value: bool | int | float | str | None = Field(description="the constant")
    only_missing: bool = Field(False, description="leave a value that is there already")

    _paths = field_validator("path")(_checked)


class CastForm(Form):
    """Read a value as another type. A value that cannot be read so leaves the whole event as it is."""

    path: str = Field(max_length=300, description="which value")
    to: Literal["string", "integer", "number", "boolean", "date", "time"] = Field(description="string, integer, number, boolean, date or time")
    decimal: str = Field(".", min_length=1, max_length=1, description="number, integer: the decimal mark")
    thousands: str = Field("", max_length=1, description="number, integer: the mark between thousands; blanks are always passed over")
    true_words: tuple[str, ...] = Field(("true", "yes", "tak", "1", "t", "y"), description="boolean: case does not matter")
    false_words: tuple[str, ...] = Field(("false", "no", "nie", "0", "f", "n"), description="boolean: case does not matter")
    format: str = Field("iso", max_length=60, description="date, time: iso, epoch_seconds, epoch_milliseconds, or as in strptime: %d.%m.%Y %H:%M")
    zone: str = Field("UTC", description="time: the zone of a wall clock that names none")

    _paths = field_validator("path")(_checked)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("zone") from None
        return value


class ValuesForm(Form):
    """Exchange values."""

    path: str = Field(max_length=300, description="which value")
    map: dict[str, bool | int | float | str | None] = Field(min_length=1, max_length=1_000, description="value as text: what it becomes")
    otherwise: Literal["keep", "drop", "refuse"] = Field("keep", description="a value that `map` does not list: keep it, drop it, or leave the event as it is")

    _paths = field_validator("path")(_checked)


class StepForm(Form):
    """One step: exactly one of these."""

    rename_event: str | None = Field(None, min_length=1, max_length=500, description="the event's name becomes this (track calls)")
    move: MoveForm | None = Field(None, description="rename or move a field")
    set: SetForm | None = Field(None, description="put a constant in")
    cast: CastForm | None = Field(None, description="read a value as another type")
    drop: str | None = Field(None, max_length=300, description="take a field out")
    values: ValuesForm | None = Field(None, description="exchange values")

    @field_validator("drop")
    @classmethod
    def _path(cls, value: str | None) -> str | None:
        return None if value is None else _checked(value)

    @model_validator(mode="after")
    def _one(self) -> "StepForm":
        if len(self.model_fields_set) != 1:
            raise ValueError("step")
        return self


class Fix(Form):
    """What to change in an event before it is replayed."""

    steps: tuple[StepForm, ...] = Field(min_length=1, max_length=MOST_STEPS, description="the changes, in order")

    def applied(self, event: dict[str, Any]) -> dict[str, Any]:
        """A changed copy of an event. Raises Unfixable; then nothing is changed."""
        changed = _copy(event)
        for number, step in enumerate(self.steps, 1):
            try:
                _apply(step, changed)
            except Unfixable as error:
                raise Unfixable(f"step {number}: {error}") from None
        return changed


def _apply(step: StepForm, event: dict[str, Any]) -> None:
    if step.rename_event is not None:
        event["event"] = step.rename_event
    elif step.move is not None:
        _move(event, parse_path(step.move.origin), parse_path(step.move.to))
    elif step.set is not None:
        _set(event, parse_path(step.set.path), step.set.value, step.set.only_missing)
    elif step.cast is not None:
        _change(event, parse_path(step.cast.path), _caster(step.cast))
    elif step.values is not None:
        _change(event, parse_path(step.values.path), _exchanger(step.values))
    elif step.drop is not None:
        _change(event, parse_path(step.drop), lambda _: _ABSENT)


def _holders(node: Any, path: Path, make: bool = False) -> Iterator[dict[str, Any] | list[Any]]:
    """The objects or lists that hold the last part of a path."""
    if len(path) == 1:
        if isinstance(node, list if path[0] == "[]" else dict):
            yield cast("dict[str, Any] | list[Any]", node)
        return
    if path[0] == "[]":
        for one in cast("list[Any]", node) if isinstance(node, list) else ():
            yield from _holders(one, path[1:], make)
    elif isinstance(node, dict):
        fields = cast("dict[str, Any]", node)
        if make and path[1] != "[]" and fields.get(path[0]) is None:
            fields[path[0]] = {}
        if path[0] in fields:
            yield from _holders(fields[path[0]], path[1:], make)


def _change(event: dict[str, Any], path: Path, change: Callable[[Any], Any]) -> None:
    for holder in list(_holders(event, path)):
        if isinstance(holder, list):
            holder[:] = [value for value in map(change, holder) if value is not _ABSENT]
        elif path[-1] in holder:
            value = change(holder[path[-1]])
            if value is _ABSENT:
                del holder[path[-1]]
            else:
                holder[path[-1]] = value


def _set(event: dict[str, Any], path: Path, value: Any, only_missing: bool) -> None:
    for holder in list(_holders(event, path, make=True)):
        if isinstance(holder, dict) and not (only_missing and holder.get(path[-1]) is not None):
            holder[path[-1]] = value


def _move(event: dict[str, Any], origin: Path, to: Path) -> None:
    """Within each element of the lists both paths go through, take the value out and put it in."""
    shared = len(to) - to[::-1].index("[]") if "[]" in to else 0
    roots: list[Any] = [event]
    for part in origin[:shared]:
        roots = [one for root in roots for one in (root if part == "[]" and isinstance(root, list) else [root.get(part)] if isinstance(root, dict) else [])]
    for root in roots:
        for holder in list(_holders(root, origin[shared:])):
            if isinstance(holder, dict) and origin[-1] in holder:
                _set(root, to[shared:], holder.pop(origin[-1]), False)


def _exchanger(form: ValuesForm) -> Callable[[Any], Any]:
    def exchanged(value: Any) -> Any:
        key = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        if key in form.map:
            return form.map[key]
        if form.otherwise == "refuse":
            raise Unfixable(f"{form.path} holds a value that is not listed")
        return _ABSENT if form.otherwise == "drop" else value

    return exchanged


def _caster(form: CastForm) -> Callable[[Any], Any]:
    def cast_value(value: Any) -> Any:
        if value is None:
            return None
        try:
            return _CASTS[form.to](value, form)
        except (ValueError, OverflowError, OSError):
            raise Unfixable(f"{form.path} cannot be read as {form.to}") from None

    return cast_value


def _text(value: Any, _: CastForm) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any, form: CastForm) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    if not isinstance(value, str):
        return value
    bare = re.sub(r"[\s\u00a0\u202f]", "", value)
    if form.thousands:
        bare = bare.replace(form.thousands, "")
    plain = bare.replace(form.decimal, ".") if form.decimal != "." else bare
    if not re.fullmatch(r"[+-]?(\d{1,40})?(\.\d{0,40})?", plain) or not re.search(r"\d", plain):
        raise ValueError
    return float(plain) if "." in plain else int(plain)


def _integer(value: Any, form: CastForm) -> int:
    number = _number(value, form)
    if number != int(number):
        raise ValueError
    return int(number)


def _boolean(value: Any, form: CastForm) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in form.true_words:
        return True
    if word in form.false_words:
        return False
    raise ValueError


def _moment(value: Any, form: CastForm) -> datetime:
    if form.format in ("epoch_seconds", "epoch_milliseconds"):
        return datetime.fromtimestamp(float(value) / (1 if form.format == "epoch_seconds" else 1_000), ZoneInfo("UTC"))
    text = str(value).strip()
    moment = datetime.fromisoformat(text) if form.format == "iso" else datetime.strptime(text, form.format)  # noqa: DTZ007 -- the zone comes next
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(form.zone))


def _date(value: Any, form: CastForm) -> str:
    return date.isoformat(_moment(value, form).date())


def _time(value: Any, form: CastForm) -> str:
    return _moment(value, form).astimezone(ZoneInfo("UTC")).isoformat().replace("+00:00", "Z")


_CASTS: dict[str, Callable[[Any, CastForm], Any]] = {
    "string": _text, "integer": _integer, "number": _number, "boolean": _boolean, "date": _date, "time": _time,
}  # fmt: skip


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in cast("dict[str, Any]", value).items()}
    return [_copy(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value
