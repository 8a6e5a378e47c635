"""Reading ahead: while intake applies a batch, the next requests are read and decoded beside it.

    batch 7    take · decode │ apply: mostly waiting for the two stores │ commit
    batch 8                  │ take · decode (this file)                │        │ apply …

Under a backlog a process of its own does it (`collect.Reader`), since two threads of one process share the core that Python runs on;
until that is there, and for a few requests, a thread.

Nothing depends on it. What was read ahead counts only if, inside the transaction of the next batch, it begins exactly where the inbox
position then stands and still lies there; in any other case (a batch failed, an import was taken back) it is dropped and read again.
So the position, and exactly once with it, stays with the batch alone.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from cegla.collect import actions as collect
from cegla.storage.workspace import Connection, Workspace

WORTH_A_PROCESS = 10_000  #: events of a batch


class Found(NamedTuple):
    """Requests for one batch. `decoded` is None where nobody decoded them yet."""

    taken: collect.Taken
    decoded: collect.Decoded | None = None


class Ahead:
    """The one reader beside one intake worker."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._thread = ThreadPoolExecutor(1, "ahead")
        self._reader: collect.Reader | None = None
        self._coming: Future[Found] | None = None

    def take(self, conn: Connection, most_events: int) -> Found:
        """The requests that intake has to take in now, read before if possible."""
        coming, self._coming = self._coming, None
        if coming is not None:
            found = coming.result()  # a failure is the batch's own: trying again, it reads for itself
            if found.taken.requests and collect.is_next(conn, found.taken):
                return found
        return Found(collect.take(conn, most_events))

    @property
    def is_reading(self) -> bool:
        """Whether the last batch was full, so that more is likely to wait."""
        return self._coming is not None

    def begin(self, after: collect.Taken, most_events: int) -> None:
        """Read what comes after these requests, if they were all that one batch takes: else nothing waits behind them."""
        if sum(request.weight for request in after.requests) >= most_events:
            self._coming = self._thread.submit(self._read, after, most_events)

    def _read(self, after: collect.Taken, most_events: int) -> Found:
        found = self._beside().read(after.position, most_events) if most_events >= WORTH_A_PROCESS else None
        if found is not None:
            return Found(*found)
        with self._ws.transaction() as conn:
            taken = collect.take(conn, most_events, after.position)
            sources = {source.id: source for source in collect.sources(conn)}
        return Found(taken, collect.decode(taken, sources, self._ws.settings.collector))

    def _beside(self) -> collect.Reader:
        if self._reader is None:
            self._reader = collect.Reader(self._ws.dsn, self._ws.settings.collector)
            self._ws.at_close(self._reader.close)
        return self._reader
