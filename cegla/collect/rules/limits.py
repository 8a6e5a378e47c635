"""What a source may have as its own: limits and web origins. Forms, options, checks and docs are made from these rows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cegla.vocabulary.errors.intake import LimitOutOfRange, NotAnOrigin
from cegla.vocabulary.text import Text

_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?")


@dataclass(frozen=True)
class Limit:
    """One limit; a source without its own has the installation's, the setting `collector.KEY`."""

    key: str
    most: int
    label: Text
    beyond: Text


LIMITS = (
    Limit("largest_event_bytes", 1_000_000, Text("Największe zdarzenie, w bajtach", "Largest event, in bytes"), Text("kwarantanna", "quarantine")),
    Limit("largest_request_bytes", 16_000_000, Text("Największe żądanie, w bajtach", "Largest request, in bytes"), Text("413", "413")),
    Limit("most_events", 100_000, Text("Zdarzeń w jednej paczce", "Events in one batch"), Text("nadmiar w kwarantannie", "the surplus is quarantined")),
    Limit("requests_per_second", 1_000_000, Text("Żądań na sekundę", "Requests a second"), Text("429, klient ponawia", "429, clients send again")),
)


def checked_limit(limit: Limit, value: float | None) -> float | None:
    """The value when it can be used. Raises LimitOutOfRange."""
    if value is not None and not 0 < value <= limit.most:
        raise LimitOutOfRange(where=limit.key, seen=value, limit=limit.label, most=limit.most)
    return value


def checked_origins(origins: Iterable[str]) -> tuple[str, ...]:
    """Web origins as browsers send them: scheme, host and port in lower case, nothing after. Raises NotAnOrigin."""
    found: list[str] = []
    for origin in origins:
        plain = origin.strip().lower().removesuffix("/")
        if not plain:
            continue
        if not _ORIGIN.fullmatch(plain):
            raise NotAnOrigin(where="origins", seen=origin)
        found.append(plain)
    return tuple(dict.fromkeys(found))
