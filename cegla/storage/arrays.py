"""Many values for a statement: as PostgreSQL writes an array, in one go. The driver writes each element by itself, ten times as slowly."""

from collections.abc import Iterable
from datetime import datetime


def numbers(values: Iterable[int | None]) -> str:
    """An array of whole numbers as a parameter: for `any(:ids)` beside a column of numbers, or cast to an array."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """An array of texts as a parameter, to be cast to text[]; a text that holds a zero byte is refused by the database, as ever."""
    return "{" + ",".join(["NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]) + "}"


def moments(values: Iterable[datetime | None]) -> str:
    """An array of moments as a parameter, to be cast to timestamptz[]."""
    return "{" + ",".join(["NULL" if value is None else f'"{value.isoformat()}"' for value in values]) + "}"


def blobs(values: Iterable[bytes]) -> str:
    """An array of bytes as a parameter, to be cast to bytea[]."""
    return "{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}"
