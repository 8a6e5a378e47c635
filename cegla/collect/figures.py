"""What the collectors count, summed over all of them in PostgreSQL, where one exporter reads it and nothing ends with a process."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from cegla.collect.store import SQL

Key = tuple[str, str]  #: name, and the value of its one label or ""


@dataclass(frozen=True)
class Figure:
    """One sum of all collectors since the beginning. `label` is a status, or the upper bound of a bucket in seconds."""

    name: str  #: answers, commit_errors, commit_seconds_bucket, commit_seconds_sum, commit_seconds_count
    label: str
    value: float


class FigureBook:
    """Adds what one collector counted since the last time; some seconds' worth is lost with the process."""

    def __init__(self, read: Callable[[], Mapping[Key, float]]) -> None:
        self._read = read
        self._told: dict[Key, float] = {}

    async def write(self, conn: psycopg.AsyncConnection) -> None:
        """Add what is new. Raises psycopg.Error, and then it is added the next time."""
        now = dict(self._read())
        new = {key: value - self._told.get(key, 0.0) for key, value in now.items() if value != self._told.get(key, 0.0)}
        if new:
            values = [float(value) for value in new.values()]  # a list of whole and broken numbers is no array
            await conn.execute(SQL.add_figures.sql, {"names": [name for name, _ in new], "labels": [label for _, label in new], "values": values})
            self._told = now


def figures(conn: psycopg.Connection) -> list[Figure]:
    """What all collectors counted."""
    return [Figure(*row) for row in SQL.figures(conn)]
