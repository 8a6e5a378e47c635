"""What many events say in the same words: their contexts and their properties, each read once.

The events of one page view carry the same context, and whoever looks at the same product says the same of it. So what is read is
remembered by its JSON text, and equal texts give one object, by which the steps after this one know them again: nobody may change it.
Only what is short is remembered, and of that the latest, since what repeats comes close together and the rest would only cost.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from cegla.collect.rules.stamps import truncated

LARGEST_REMEMBERED_BYTES = 2_000

_read_object = msgspec.json.Decoder(dict[str, Any]).decode
_read_fields = msgspec.json.Decoder(dict[str, Any] | None).decode


class Shown(NamedTuple):
    """What a request shows of the person for all of its events: the batch's own context as JSON, and what the door saw."""

    context: bytes
    gpc: bool
    ip: str | None
    user_agent: str | None


def read_context(raw: bytes, shown: Shown) -> dict[str, Any]:
    """The context of an event (its JSON; empty: it has none) over what its request shows. Raises what msgspec raises."""
    if len(raw) + len(shown.context) <= LARGEST_REMEMBERED_BYTES:
        return _context(raw, shown)
    return _context.__wrapped__(raw, shown)


def read_properties(raw: bytes, name: str | None, category: str | None) -> dict[str, Any]:
    """The properties of an event (their JSON), with a page's own name and category where they say none. Raises what msgspec raises."""
    if len(raw) <= LARGEST_REMEMBERED_BYTES:
        return _properties(raw, name, category)
    return _properties.__wrapped__(raw, name, category)


def shared_context(shown: Shown) -> dict[str, Any]:
    """What holds for all events of a request, unless they say otherwise."""
    context = object_or_nothing(shown.context)
    if shown.gpc:
        context["gpc"] = True
    if shown.ip:
        context.setdefault("ip", shown.ip)
    if shown.user_agent:
        context.setdefault("userAgent", shown.user_agent)
    return context


def object_or_nothing(raw: msgspec.Raw | bytes) -> dict[str, Any]:
    """A JSON object; empty for anything else, and for one that PostgreSQL could not hold."""
    if not raw:
        return {}
    try:
        return {} if b"\\u0000" in bytes(raw) else _read_object(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


@lru_cache(maxsize=2_048)
def _context(raw: bytes, shown: Shown) -> dict[str, Any]:
    own = _read_fields(raw) if raw else None
    context = {**shared_context(shown), **(own or {})}
    if "ip" in context:
        ip = context["ip"]
        context["ip"] = truncated(ip) if isinstance(ip, str) else None
    return context


@lru_cache(maxsize=4_096)
def _properties(raw: bytes, name: str | None, category: str | None) -> dict[str, Any]:
    properties = (_read_fields(raw) if raw else None) or {}
    if name:
        properties.setdefault("name", name)
    if category:
        properties.setdefault("category", category)
    return properties
