"""How a webhook's request lies in the inbox: one line of JSON with what came beside the body, then the body as received."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

WEBHOOK = "webhook"  #: the kind of such a request, in the inbox and in quarantine
LONGEST_VALUE = 500
MOST_VALUES = 40
_SECRET_WORDS = ("signature", "hmac", "sha1", "secret", "token", "key", "authorization", "cookie", "password")
_NOT_KEPT = ("x-forwarded", "x-real-ip", "x-client-ip")
_KEPT = ("x-", "webhook-", "ce-", "content-type", "user-agent")


@dataclass(frozen=True)
class Framed:
    """A webhook's request. Header names are lower case; secrets were left out when it was written down."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


def to_keep(headers: Mapping[str, str], query: str) -> tuple[dict[str, str], dict[str, str]]:
    """The headers and the query as they may be written down: what names the event, never what proves the sender."""
    kept = {
        name: value[:LONGEST_VALUE]
        for name, value in headers.items()
        if name.startswith(_KEPT) and not name.startswith(_NOT_KEPT) and not any(word in name for word in _SECRET_WORDS)
    }
    asked = {name[:100]: value[:LONGEST_VALUE] for name, value in parse_query(query).items() if not any(word in name.lower() for word in _SECRET_WORDS)}
    return dict(list(kept.items())[:MOST_VALUES]), dict(list(asked.items())[:MOST_VALUES])


def parse_query(query: str) -> dict[str, str]:
    """A query string as names and values; of several equal names the last."""
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=200))
    except ValueError:
        return {}


def write(framed: Framed) -> bytes:
    """As it lies in the inbox."""
    return msgspec.json.encode({"headers": dict(framed.headers), "query": dict(framed.query)}) + b"\n" + framed.body


def read(stored: bytes) -> Framed:
    """The request as it came. Raises ValueError when the bytes are no framed request."""
    head, newline, body = stored.partition(b"\n")
    if not newline:
        raise ValueError("no frame")
    try:
        values = msgspec.json.decode(head, type=dict[str, dict[str, str]])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ValueError("no frame") from None
    return Framed(body, values.get("headers", {}), values.get("query", {}))


def with_body(framed: Framed, value: Any) -> bytes:
    """The same request with another JSON body, as it lies in the inbox or in quarantine."""
    headers = {**framed.headers, "content-type": "application/json"}
    return write(Framed(msgspec.json.encode(cast("object", value)), headers, framed.query))
