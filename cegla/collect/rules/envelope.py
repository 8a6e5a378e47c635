"""What a request holds: its events as raw JSON, and what the batch says for all of them.

The door and intake both read requests here, so they always count the same events. Reading is tolerant: whatever is JSON
is accepted, a byte order mark before it too, and what is wrong inside becomes one bad event for intake to set aside with a reason.
"""

import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass, replace
from typing import Any, cast

import msgspec

RawEvent = msgspec.Raw | bytes

_NOTHING = msgspec.Raw(b"")


class _Key(msgspec.Struct, rename="camel"):
    write_key: str = ""


class _Body(msgspec.Struct, rename="camel"):
    batch: list[msgspec.Raw] | None = None
    write_key: msgspec.Raw = _NOTHING
    context: msgspec.Raw = _NOTHING
    integrations: msgspec.Raw = _NOTHING
    sent_at: msgspec.Raw = _NOTHING


@dataclass(frozen=True, slots=True)
class Envelope:
    """One request: raw events, and the JSON text of the batch's own fields (empty when absent or for a single event)."""

    events: list[RawEvent]
    write_key: str
    context: RawEvent = b""
    integrations: RawEvent = b""
    sent_at: RawEvent = b""


class NotJson(ValueError):
    """The body is no JSON text."""


_read_body = msgspec.json.Decoder(_Body).decode
_read_key = msgspec.json.Decoder(_Key).decode
_read_anything = msgspec.json.Decoder(msgspec.Raw).decode
_read_text = msgspec.json.Decoder(str).decode
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_NUMBER = re.compile(rb"NaN|Infinity")
#: A text that never ends is taken whole too: trying anew at each quote within it would take hours for one request.
_TEXT_OR_BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]++|[\]}]++', re.DOTALL)
_MOST_DIGITS = 4_300  #: `sys.set_int_max_str_digits`
_EVENT_DEPTH = 3  #: where the events of {"batch": [{...}]} stand
_PIECE_BYTES = 4  #: texts and runs of brackets of a real batch are longer by far; a body of shorter ones was made to keep the door busy
_FEW_PIECES = 1_000
_USABLE_BYTES = 16  #: no event of use is shorter; a batch of shorter ones that has to be written anew was made for the same
_DEEP = 200  #: levels; far more than intake takes, far fewer than the reader stands


def read(body: bytes) -> Envelope:
    """The envelope of a request body. Raises NotJson when the body is not JSON.

    An event that is nested beyond what can be read stays as it came; in a batch so does one with NaN or Infinity, which some SDKs write.
    """
    body = body.removeprefix(BOM_UTF8)
    try:
        return _envelope(body, _read_body(body))
    except msgspec.ValidationError:
        return _read_one_bad_event(body)
    except RecursionError:
        return _read_around_the_deep(body)
    except msgspec.DecodeError:
        return _read_with_broken_text(body)


def _envelope(body: bytes, parts: _Body) -> Envelope:
    key = _text(parts.write_key) if parts.write_key is not _NOTHING else ""
    if parts.batch is None:
        return Envelope([body], key)
    return Envelope(cast("list[RawEvent]", parts.batch), key, _raw(parts.context), _raw(parts.integrations), _raw(parts.sent_at))


def _read_around_the_deep(body: bytes) -> Envelope:
    """Events of a batch that are nested beyond what can be read stay as they came, and the rest is read without them."""
    shallow, deep = bytearray(), dict[bytes, bytes]()
    depth = deepest = start = kept = 0
    most = len(body) // _PIECE_BYTES + _FEW_PIECES
    for pieces, token in enumerate(_TEXT_OR_BRACKETS.finditer(body)):
        if pieces == most:
            raise NotJson("nested too deeply")
        brackets = token[0]
        if brackets[0] in b"{[":
            if depth < _EVENT_DEPTH <= depth + len(brackets):
                start, deepest = token.start() + _EVENT_DEPTH - depth - 1, 0
            depth += len(brackets)
            deepest = max(deepest, depth)
        elif brackets[0] in b"}]":
            if depth - len(brackets) < _EVENT_DEPTH <= depth and deepest > _DEEP:
                end = token.start() + depth - _EVENT_DEPTH + 1
                name = b'"deep event %d"' % len(deep)
                deep[name] = body[start:end]
                shallow += body[kept:start] + name
                kept = end
            depth -= len(brackets)
    if not deep:
        raise NotJson("nested too deeply")
    rest = bytes(shallow + body[kept:])  # shorter by every deep event, so this ends
    found = read(rest)
    events = [body if event == rest else deep.get(bytes(event), event) for event in found.events]
    return replace(found, events=events, context=b"" if b'"deep event ' in bytes(found.context) else found.context)


def _read_one_bad_event(body: bytes) -> Envelope:
    """What is no object, or has a "batch" that is no list; the typed reader stops there, so the rest is still to be read."""
    try:
        _read_anything(body)
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except msgspec.DecodeError:
        return _read_with_broken_text(body)
    return Envelope([body], _key_alone(body))


def _raw(part: msgspec.Raw) -> RawEvent:
    return b"" if part is _NOTHING else part


def _key_alone(body: bytes) -> str:
    try:
        return _read_key(body).write_key
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _text(raw: msgspec.Raw) -> str:
    try:
        return _read_text(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _whole(digits: str) -> float:
    """A whole number; one with more digits than Python reads is infinite, so that only its event is set aside."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _read_with_broken_text(body: bytes) -> Envelope:
    """JSON.stringify writes half a surrogate pair as an escape; that is JSON, but no text. Python's json writes NaN, which is no JSON.

    Only that event of a batch shall suffer.
    """
    if not _SURROGATE.search(body) and not _NO_NUMBER.search(body):
        raise NotJson("malformed")
    no_numbers: list[str] = []
    try:
        value = json.loads(body, parse_int=_whole, parse_constant=lambda name: no_numbers.append(name) or float(name))
    except RecursionError:
        return _read_around_the_deep(body)
    except ValueError:
        raise NotJson("malformed") from None
    fields = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    key = fields.get("writeKey")
    key = key if isinstance(key, str) and key.isascii() else ""
    batch = fields.get("batch")
    if not isinstance(batch, list):
        if no_numbers:
            raise NotJson("malformed")
        return Envelope([body], key)
    if len(cast("list[Any]", batch)) > len(body) // _USABLE_BYTES + _FEW_PIECES:
        raise NotJson("malformed")
    events = [json.dumps(event).encode() for event in cast("list[Any]", batch)]
    context, integrations, sent_at = (json.dumps(fields[name]).encode() if name in fields else b"" for name in ("context", "integrations", "sentAt"))
    return Envelope(events, key, context, integrations, sent_at)
