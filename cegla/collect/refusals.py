"""What the door refused, by source and reason, on its way into PostgreSQL, where the source's owner sees it."""

from collections import Counter
from datetime import UTC, datetime

import psycopg

from cegla.collect.store import SQL


class Refusals:
    """Counts kept in memory until the next `write`; some seconds' worth is lost with the process, the events themselves were refused anyway."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str]] = Counter()

    def count(self, source_id: int, why: str) -> None:
        """One more request of a source got an answer other than 200."""
        self._counts[source_id, why] += 1

    async def write(self, conn: psycopg.AsyncConnection) -> None:
        """Add what was counted since the last time. Raises psycopg.Error, and then it is kept for the next time."""
        if not self._counts:
            return
        counts, self._counts = self._counts, Counter()
        try:
            values = {"sources": [source for source, _ in counts], "whys": [why for _, why in counts], "counts": list(counts.values())}
            await conn.execute(SQL.count_refused.sql, {**values, "now": datetime.now(UTC)})
        except BaseException:  # also when it took too long
            self._counts.update(counts)
            raise
