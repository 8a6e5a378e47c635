"""Events without a script: a picture's address holds the call, and becomes the JSON body that an SDK would have sent."""

import base64
import binascii
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

MOST_FIELDS = 300
DEEPEST = 8


def body_of(query: bytes) -> bytes | None:
    """The JSON body of a pixel's query, or None when it cannot be read.

    Two forms are in use: `data`, the whole call as JSON in Base64 (with or without padding, also the URL alphabet), and one
    parameter per field, where dots lead inwards: `event=Open&context.page.url=...`. Values of the second form are texts.
    """
    try:
        pairs = parse_qsl(query.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        return None
    fields = dict(pairs)
    fields.pop("writeKey", None)
    if "data" in fields:
        return _unwrapped(fields["data"])
    body: dict[str, Any] = {}
    for name, value in fields.items():
        _put(body, name.split(".", DEEPEST), value)
    return msgspec.json.encode({"channel": "web", **body})


def _unwrapped(text: str) -> bytes | None:
    text = text.replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")  # "+" not escaped in an address reads as a space
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _put(fields: dict[str, Any], path: list[str], value: str) -> None:
    """Put a value where its path leads; a text that stands in the way stays."""
    for name in path[:-1]:
        inner = fields.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        fields = cast("dict[str, Any]", inner)
    fields.setdefault(path[-1], value)
