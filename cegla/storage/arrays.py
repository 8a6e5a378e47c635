"""Many values for a statement: as PostgreSQL writes an array, in one go. The driver writes each element by itself, ten times as slowly."""

from collections.abc import Iterable


def numbers(values: Iterable[int]) -> str:
    """An array of whole numbers as a parameter: for `any(:ids)` beside a column of numbers, or cast to an array."""
    return "{" + ",".join(map(str, values)) + "}"


def blobs(values: Iterable[bytes]) -> str:
    """An array of bytes as a parameter, to be cast to bytea[]."""
    return "{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}"
