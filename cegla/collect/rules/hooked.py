"""A webhook's request becomes events: read the body, look at each item, apply each rule, say why.

Pure and total: whatever a provider sends ends as events, as left out on purpose, or as a problem that names its rule and field.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import lru_cache
from hashlib import blake2b
from typing import Any, cast
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec

from cegla.collect.rules.frame import Framed
from cegla.collect.rules.webhooks import MOST_ITEMS, Condition, Lines, Rule, Taken, WebhookMapping

LONGEST_ID = 100
_PLACE = re.compile(r"\{([^{}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)(?:\[([^=\]]+)=([^\]]*)\])?(?:\.|\Z)")
_PART_NAME = re.compile(r';\s*name=(?:"([^"]*)"|([^\s";]+))', re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")  # not str.splitlines, which also ends lines at characters that stand within them
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_YES, _NO = frozenset({"true", "1", "yes", "on", "tak", "y", "t"}), frozenset({"false", "0", "no", "off", "nie", "n", "f", ""})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unmapped(Exception):
    """Something the mapping could not use; `where` is the field, the message says why."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(why)
        self.where = where


@dataclass(frozen=True)
class Looked:
    """What one rule said of one item. `missed` is the condition that did not hold; `problem` what went wrong in making the event."""

    rule: str
    missed: str = ""
    problem: str = ""
    skipped: bool = False
    event: dict[str, Any] | None = None


@dataclass(frozen=True)
class Item:
    """One item of a request and what became of it. `alone` is the body with this item only, so that it can be tried again."""

    index: int
    looked: tuple[Looked, ...]
    problem: str = ""
    alone: Any = None

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events it made."""
        return [one.event for one in self.looked if one.event is not None]

    @property
    def problems(self) -> list[str]:
        """Everything wrong with it, each with its rule."""
        return [f"{one.rule}: {one.problem}" for one in self.looked if one.problem] + ([self.problem] if self.problem else [])

    @property
    def ignored(self) -> bool:
        """Left out on purpose."""
        return not self.events and not self.problems


@dataclass(frozen=True)
class Mapped:
    """What a request became. `problem` is set when the body could not be read at all."""

    items: list[Item] = field(default_factory=list[Item])
    problem: str = ""


@dataclass(frozen=True)
class _Scope:
    item: Any
    body: Any
    framed: Framed
    zone: str


def map_request(mapping: WebhookMapping, framed: Framed) -> Mapped:
    """The events of a request. Where a rule has no id of its own, the item's content is the id: the same content again is a repeat."""
    try:
        body = _unpacked(_body(mapping, framed), mapping.unpack)
        found = _items(mapping, body)
    except Unmapped as error:
        return Mapped(problem=f"{error.where}: {error}")
    items: list[Item] = []
    for index, (item, alone) in enumerate(found[:MOST_ITEMS]):
        scope = _Scope(item, body, framed, mapping.zone)
        looked = tuple(_look(rule, scope) for rule in mapping.rules)
        unfit = all(one.missed for one in looked) and mapping.otherwise == "quarantine"
        items.append(Item(index, looked, "no rule fits this item" if unfit else "", alone))
    return Mapped(items, f"more than {MOST_ITEMS} items" if len(found) > MOST_ITEMS else "")


# the body ----------------------------------------------------------------------------------------------------------------


def _body(mapping: WebhookMapping, framed: Framed) -> Any:
    kind = framed.headers.get("content-type", "")
    content, how = kind.lower(), mapping.body
    if kind == "application/json" and how in ("form", "csv", "lines", "jsonl"):
        return _json(framed.body)  # one item of such a body, as quarantine keeps it
    if how == "auto":
        how = "form" if "form" in content else "json"
    if how == "json":
        return _json(framed.body)
    if how == "jsonl":
        return [_json(line) for line in framed.body.splitlines() if line.strip()]
    if how == "form":
        return _form(framed.body, kind)
    return _rows(mapping, framed.body)


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unmapped("body", f"it is not JSON ({str(error)[:80]})") from None


def _unpacked(body: Any, path: str) -> Any:
    """The body with a text that is JSON itself read in its place; anything else stays as it is."""
    text = _walk(body, path) if path else None
    if not isinstance(text, str) or not isinstance(body, dict):
        return body
    try:
        return {**cast("dict[str, Any]", body), path: _json(text.encode())}
    except Unmapped:
        return body  # SNS itself writes plain words there when a subscription is to be confirmed


def _form(body: bytes, kind: str) -> dict[str, Any]:
    """A posted form as nested objects: data[email]=… is {"data": {"email": …}}, and a name given twice is a list."""
    if kind.lower().startswith("multipart/"):
        try:
            message = message_from_bytes(b"Content-Type: " + kind.encode("latin-1", "replace") + b"\r\n\r\n" + body)
        except RecursionError:
            raise Unmapped("body", "the parts of the form are nested too deeply") from None
        parts: list[Any] = list(cast("list[Any]", message.get_payload())) if message.is_multipart() else []
        named = [(_part_name(part), part) for part in parts if not part.get_filename()]
        pairs = [(name, (part.get_payload(decode=True) or b"").decode("utf-8", "replace")) for name, part in named if name]
    else:
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=2_000)
        except (UnicodeDecodeError, ValueError) as error:
            raise Unmapped("body", f"the form cannot be read ({type(error).__name__})") from None
    fields: dict[str, Any] = {}
    for name, value in pairs:
        _put(fields, name, value)
    return fields


def _part_name(part: Any) -> str:
    """The name of a field as browsers write it: its bytes stand there as they are, which no header of a letter may hold."""
    raw = next((value for header, value in part.raw_items() if header.lower() == "content-disposition"), "")
    found = _PART_NAME.search(str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return (found[1] or found[2] or "").replace("%22", '"') if found else ""


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    path = [name.partition("[")[0], *_BRACKETS.findall(name)] if name.endswith("]") and not name.startswith("[") else [name]
    place: dict[str, Any] = fields
    for step in [one for one in path[:-1] if one][:8]:
        inner = place.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        place = cast("dict[str, Any]", inner)
    last = path[-1] or str(len(place))
    before = place.get(last)
    place[last] = value if before is None else [*(cast("list[Any]", before) if isinstance(before, list) else [before]), value]


def _rows(mapping: WebhookMapping, body: bytes) -> list[dict[str, Any]]:
    """Lines of text as objects: CSV with its quotes, or plain lines split at the separator, the last column taking what is left."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unmapped("body", "the text is not valid UTF-8") from None
    if mapping.body == "lines":
        split = [line.split(mapping.separator, len(mapping.columns) - 1) for line in text.replace("\r", "\n").split("\n") if line.strip()]
        return [dict(zip(mapping.columns, row, strict=False)) for row in split]
    try:
        rows = [row for row in csv.reader(_LINE.findall(text), delimiter=mapping.separator, strict=True) if row]
    except csv.Error as error:
        raise Unmapped("body", f"the CSV cannot be read ({error})") from None
    columns: Sequence[str] = mapping.columns or (rows.pop(0) if rows else ())
    return [dict(zip(columns, row, strict=False)) for row in rows]


def _items(mapping: WebhookMapping, body: Any) -> list[tuple[Any, Any]]:
    """Each item with the body as it would be with this item alone."""
    if not mapping.each:
        return [(item, [item]) for item in cast("list[Any]", body)] if isinstance(body, list) else [(body, body)]
    found = _walk(body, mapping.each)
    if found is None:
        raise Unmapped("each", f"there is no list at {mapping.each}")
    if isinstance(found, dict):  # PHP writes lists as objects
        found = list(cast("dict[str, Any]", found).values())
    if not isinstance(found, list):
        raise Unmapped("each", f"{mapping.each} is no list")
    return [(item, _only(body, mapping.each.split("."), item)) for item in cast("list[Any]", found)]


def _only(body: Any, path: list[str], item: Any) -> Any:
    if not path:
        return [item]
    if isinstance(body, dict):
        fields = cast("dict[str, Any]", body)
        return {**fields, path[0]: _only(fields.get(path[0]), path[1:], item)}
    return body


# one rule ----------------------------------------------------------------------------------------------------------------


def _look(rule: Rule, scope: _Scope) -> Looked:
    for path, wanted in rule.when.items():
        seen = _find(path, scope)
        if not _holds(wanted, seen):
            return Looked(rule.name, missed=f"{path} is {_shown(seen)}")
    if rule.skip:
        return Looked(rule.name, skipped=True)
    try:
        return Looked(rule.name, event=_event(rule, scope))
    except Unmapped as error:
        return Looked(rule.name, problem=f"{error.where}: {error}")


def _shown(seen: Any) -> str:
    """A value in a sentence about conditions: short, and only its kind when it is no plain word."""
    if seen is None:
        return "absent"
    text = str(seen)
    return f"'{text}'" if isinstance(seen, (str, int, float, bool)) and len(text) <= 40 and "@" not in text else type(seen).__name__


def _holds(wanted: Any, seen: Any) -> bool:
    if isinstance(wanted, Condition):
        return _condition_holds(wanted, seen)
    choices: tuple[Any, ...] = cast("tuple[Any, ...]", wanted) if isinstance(wanted, tuple) else (wanted,)
    return any(_same(choice, seen) for choice in choices)


def _condition_holds(wanted: Condition, seen: Any) -> bool:
    if "exists" in wanted.model_fields_set:
        return (seen not in (None, "", [], {})) is wanted.exists
    if "not_" in wanted.model_fields_set:
        return not _holds(wanted.not_, seen)
    if wanted.starts_with is not None:
        return isinstance(seen, str) and seen.startswith(wanted.starts_with)
    try:
        number = float(seen)
    except (TypeError, ValueError, OverflowError):
        return False
    return number > wanted.above if wanted.above is not None else wanted.below is not None and number < wanted.below


def _same(wanted: Any, seen: Any) -> bool:
    """Equal, also when the provider writes numbers and booleans as text."""
    if wanted is None or seen is None:
        return wanted is seen
    if isinstance(wanted, bool) or isinstance(seen, bool):
        return str(wanted).lower() == str(seen).lower()
    return wanted == seen or str(wanted) == str(seen)


def _event(rule: Rule, scope: _Scope) -> dict[str, Any]:
    event: dict[str, Any] = {"type": rule.type, "messageId": _message_id(rule, scope)}
    if rule.type == "track":
        name = _value(rule.event, scope, "event")
        if name in (None, ""):
            raise Unmapped("event", "there is no name for this value")
        event["event"] = str(name)
    for key, told in (("userId", rule.user_id), ("anonymousId", rule.anonymous_id), ("groupId", rule.group_id)):
        event[key] = _text_or_nothing(_value(told, scope, key))
    moment = _value(rule.time, scope, "time")
    event["timestamp"] = moment.isoformat() if isinstance(moment, datetime) else moment
    context = _fields(rule.context, scope, "context")
    traits = _fields(rule.traits, scope, "traits")
    if traits and rule.type != "identify" and rule.type != "group":
        context["traits"] = traits
    external = [{"type": kind, "id": str(found)} for kind, found in _fields(rule.external_ids, scope, "external_ids").items()]
    if external:
        context["externalIds"] = external
    if consent := _consent(rule, scope):
        context["consent"] = {"categoryPreferences": consent}
    event |= {"traits": traits if rule.type in ("identify", "group") else None, "properties": _fields(rule.properties, scope, "properties"), "context": context}
    return {key: found for key, found in event.items() if found not in (None, {}, "")}


def _consent(rule: Rule, scope: _Scope) -> dict[str, bool]:
    found = _fields(rule.consent, scope, "consent")
    try:
        return {category: _boolean(value) for category, value in found.items()}
    except ValueError:
        raise Unmapped("consent", "an answer is neither yes nor no") from None


def _message_id(rule: Rule, scope: _Scope) -> str:
    own = _text_or_nothing(_value(rule.id, scope, "id"))
    text = f"{rule.name}:{own or blake2b(msgspec.json.encode(scope.item), digest_size=16).hexdigest()}"
    return text if len(text) <= LONGEST_ID else f"{rule.name}:{blake2b(text.encode(), digest_size=24).hexdigest()}"


def _fields(told: Mapping[str, Any], scope: _Scope, where: str) -> dict[str, Any]:
    found = {key: _value(value, scope, f"{where}.{key}") for key, value in told.items()}
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in found.items() if value not in (None, "")}


def _text_or_nothing(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    return str(value).strip() or None


# one value ---------------------------------------------------------------------------------------------------------------


def _value(told: Any, scope: _Scope, where: str) -> Any:
    if isinstance(told, Taken):
        return _taken(told, scope, where)
    if isinstance(told, Lines):
        return _lines(told, scope, where)
    return _template(told, scope) if isinstance(told, str) and "{" in told else told


def _template(text: str, scope: _Scope) -> Any:
    alone = _PLACE.fullmatch(text)
    if alone:
        return _find(alone.group(1), scope)
    values = [_find(path, scope) for path in _PLACE.findall(text)]
    if any(value in (None, "") for value in values):
        return None
    found = iter(values)
    return _PLACE.sub(lambda _: str(next(found)), text)


def _taken(told: Taken, scope: _Scope, where: str) -> Any:
    paths = (told.source,) if isinstance(told.source, str) else told.source
    found = next((value for path in paths if not _is_empty(value := _path_or_template(path, scope), told)), None)
    if found is not None and told.table is not None:
        found = told.table.get(str(found).lower() if isinstance(found, bool) else str(found), told.default)
    if found is None:
        found = told.default
    if found is None:
        if told.required:
            raise Unmapped(where, f"there is no value at {' or '.join(paths)}")
        return None
    try:
        return _cast(told.cast, told, found, scope)
    except (ValueError, TypeError, OverflowError, ArithmeticError):
        raise Unmapped(where, f"{' or '.join(paths)} cannot be read as {told.cast}") from None


def _is_empty(value: Any, told: Taken) -> bool:
    return value in (None, "") or any(_same(nothing, value) for nothing in told.empty)


def _path_or_template(path: str, scope: _Scope) -> Any:
    return _template(path, scope) if "{" in path else _find(path, scope)


def _lines(told: Lines, scope: _Scope, where: str) -> list[dict[str, Any]]:
    found = _find(told.each, scope)
    if isinstance(found, dict):
        found = list(cast("dict[str, Any]", found).values())
    if not isinstance(found, list):
        return []
    rows = cast("list[Any]", found)[:MOST_ITEMS]
    return [_fields(told.fields, _Scope(row, scope.body, scope.framed, scope.zone), f"{where}.{place}") for place, row in enumerate(rows)]


def _cast(kind: str | None, told: Taken, value: Any, scope: _Scope) -> Any:
    """The value as the kind asked for. Raises ValueError."""
    if kind is None:
        return value
    if kind in ("text", "lower"):
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return text.strip().lower() if kind == "lower" else text.strip()
    if kind == "boolean":
        return _boolean(value)
    if kind == "time":
        return _time(str(value).strip(), told.format, ZoneInfo(told.zone or scope.zone))
    number = _number(value)
    if kind in ("unix", "unix_ms"):
        return _EPOCH + timedelta(seconds=number if kind == "unix" else number / 1_000)
    if kind == "integer":
        return int(number)
    return round(number / 10**told.digits, told.digits) if kind == "minor" else number


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _YES | _NO:
        raise ValueError(word)
    return word in _YES


def _number(value: Any) -> float | int:
    if isinstance(value, (int, float)):
        number = value
    else:
        text = _dotted(re.sub(r"[\s\u00a0\u202f]", "", str(value)))
        number = float(text)
        number = int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number
    if not -1e15 < number < 1e15:
        raise ValueError("out of range")
    return number


def _dotted(text: str) -> str:
    """A number with a dot for its decimal mark. Where both marks stand, the last is the decimal one: 1.234,56 and 1,234.56 are the same."""
    if "," not in text:
        return text
    last = text.rpartition(",")[2]
    if text.count(",") == 1 and "." not in last:
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", "")


def _time(text: str, form: str, zone: ZoneInfo) -> datetime:
    moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - its zone follows
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)


# paths -------------------------------------------------------------------------------------------------------------------


def _find(path: str, scope: _Scope) -> Any:
    if path.startswith("$headers."):
        return scope.framed.headers.get(path[9:].lower())
    if path.startswith("$query."):
        return scope.framed.query.get(path[7:])
    if path == "$body":
        return scope.body
    return _walk(scope.body, path[6:]) if path.startswith("$body.") else _walk(scope.item, path)


@lru_cache(maxsize=4_096)
def _steps(path: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(cast("list[tuple[str, str, str]]", _STEP.findall(path)))


def _walk(value: Any, path: str) -> Any:
    """The value at a path; None when there is none."""
    if path in ("", "."):
        return value
    for name, key, wanted in _steps(path):
        value = _inside(value, name)
        if key:
            rows = cast("list[Any]", value) if isinstance(value, list) else []
            value = next((row for row in rows if isinstance(row, dict) and _same(wanted, cast("dict[str, Any]", row).get(key))), None)
        if value is None:
            return None
    return value


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(name)
    if isinstance(value, list):
        rows = cast("list[Any]", value)
        return rows[int(name)] if name.lstrip("-").isdigit() and -len(rows) <= int(name) < len(rows) else None
    return None
