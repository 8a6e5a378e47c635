"""What a request holds: its events as raw JSON, and what the batch says for all of them.

The door and intake both read requests here, so they always count the same events. Reading is tolerant: whatever is JSON
is accepted, and what is wrong inside becomes one bad event for intake to set aside with a reason.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, cast

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


def read(body: bytes) -> Envelope:
    """The envelope of a request body. Raises NotJson when the body is not JSON, or nested beyond about a thousand levels."""
    try:
        parts = _read_body(body)
    except msgspec.ValidationError:
        return _read_one_bad_event(body)
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except msgspec.DecodeError:
        return _read_with_broken_text(body)
    key = _text(parts.write_key) if parts.write_key is not _NOTHING else ""
    if parts.batch is None:
        return Envelope([body], key)
    return Envelope(cast("list[RawEvent]", parts.batch), key, _raw(parts.context), _raw(parts.integrations), _raw(parts.sent_at))


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


def _read_with_broken_text(body: bytes) -> Envelope:
    """JSON.stringify writes half a surrogate pair as an escape; that is JSON, but no text. Only that event shall suffer."""
    if not _SURROGATE.search(body):
        raise NotJson("malformed")
    try:
        value = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NotJson("malformed") from None
    if not isinstance(value, dict):
        return Envelope([body], "")
    fields = cast("dict[str, Any]", value)
    key = fields.get("writeKey")
    key = key if isinstance(key, str) and key.isascii() else ""
    batch = fields.get("batch")
    if not isinstance(batch, list):
        return Envelope([body], key)
    events = [json.dumps(event).encode() for event in cast("list[Any]", batch)]
    context, integrations, sent_at = (json.dumps(fields[name]).encode() if name in fields else b"" for name in ("context", "integrations", "sentAt"))
    return Envelope(events, key, context, integrations, sent_at)


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
