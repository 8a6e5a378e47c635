"""What a process writes to its log: one JSON object a line, UTC, without personal data.

The message of an unexpected exception may quote a value from an event, and local variables hold whole events. So a failure
is logged as its type and the places in the code it came through, never as text or variables (ASVS 16.2.5).
"""

import sys
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog


def write_logs_as_json() -> None:
    """Set up this process's log. Call once, before the first line."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    structlog.configure(
        processors=[structlog.processors.add_log_level, stamp, failure_as_places, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing())),
        cache_logger_on_first_use=False,
    )


class _Unfailing:
    """Standard output that loses a line rather than fail: when the disk of the log is full, nobody who has something to say may end of it."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stdout.flush()


def failure_as_places(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the exception being handled by `failure` (its type) and `places` (file:line function, outermost first)."""
    if line.pop("exc_info", None):
        line.update(_described())
    return line


def _described() -> dict[str, Any]:
    kind, _, trace = sys.exc_info()
    places = [f"{frame.filename.rpartition('cegla/')[2]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
    return {"failure": kind.__name__ if kind else "", "places": places[-12:]}
