"""The collector's log: one JSON object a line, UTC, without personal data, in the words of worker/logs.py.

Not by structlog: that brings rich along, and both together take longer to import than the door itself. Events are refused
until a collector is there, so it imports nothing that it can do without.
"""

import sys
from contextlib import suppress
from datetime import UTC, datetime

import msgspec

Fact = str | int | None


def info(event: str, **facts: Fact) -> None:
    """Something that happened as it should."""
    _write("info", event, facts)


def warning(event: str, **facts: Fact) -> None:
    """Something that will pass."""
    _write("warning", event, facts)


def error(event: str, **facts: Fact) -> None:
    """Something that somebody should look at."""
    _write("error", event, facts)


def _write(level: str, event: str, facts: dict[str, Fact]) -> None:
    line = {**facts, "event": event, "level": level, "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    with suppress(OSError):  # a log on a full disk loses lines: who waits for an answer shall not miss it because of that
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        sys.stdout.flush()
