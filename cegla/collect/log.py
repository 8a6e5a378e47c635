"""The collector's log: one JSON object a line, UTC, without personal data, in the words of worker/logs.py.

Not by structlog: that brings rich along, and both together take longer to import than the door itself. Events are refused
until a collector is there, so it imports nothing that it can do without.
"""

import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

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


def place_of(error: BaseException) -> str:
    """Where in the code it came from; what it says may quote an event."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno} {last.name}"


def _write(level: str, event: str, facts: dict[str, Fact]) -> None:
    line = {**facts, "event": event, "level": level, "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
    with suppress(OSError):  # a log on a full disk loses lines: who waits for an answer shall not miss it because of that
        sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
        sys.stdout.flush()
