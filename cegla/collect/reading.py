"""The reader: a process of its own that reads and decodes requests, while the app, whose Python runs on one core, applies those before them.

Run as `python -m cegla.collect.reading`; `Reader` is its only caller. What comes in is how to reach PostgreSQL and the limits of decoding, once,
and then, each time, where to read on; out go a word that it is there, and `rules/parcel.py`. It decides nothing and keeps no place, ends
with its caller, and by itself when nobody asks for a while. Requests of webhooks it leaves to the app, which has their mappings.
"""

import marshal
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import psycopg

from cegla.child import Caller, Child, Lost, framed
from cegla.collect import log, taking
from cegla.collect.rules import parcel
from cegla.collect.rules.decode import Decoded, Limits
from cegla.collect.sources import sources
from cegla.collect.store import End
from cegla.storage.failpoint import passing
from cegla.storage.workspace import SESSION_OPTIONS

MODULE = "cegla.collect.reading"
IDLE_SECONDS = 60.0
AGAIN_SECONDS = 10.0  #: how long after one that died
ANSWER_SECONDS = 120.0  #: one that takes longer is as good as dead, and intake must not wait for it
LARGEST_PARCEL_BYTES = 1 << 30
NOT_MINE = b""


@dataclass(frozen=True)
class _Limits:
    largest_event_bytes: int
    most_events: int


class Reader:
    """The caller's side. Not for two threads at once. Whoever gets None reads for himself: the reader is not there yet, or not any more."""

    def __init__(self, dsn: str, limits: Limits) -> None:
        self._told = (dsn, limits.largest_event_bytes, limits.most_events)
        self._child: Child | None = None
        self._is_there = False
        self._not_before = 0.0

    def read(self, after: Mapping[int, End], most_events: int) -> tuple[taking.Taken, Decoded] | None:
        """The requests that come when those of each writer up to these are taken in, and what they hold."""
        try:
            child = self._running()
            if child is None:
                return None
            child.send(marshal.dumps((most_events, [(writer, *end) for writer, end in after.items()])), ANSWER_SECONDS)
            answer = child.receive(ANSWER_SECONDS)
        except Lost:
            self.close()
            self._not_before = time.monotonic() + AGAIN_SECONDS
            return None
        if not answer:  # NOT_MINE
            return None
        requests, decoded = parcel.unpacked(answer)
        return taking.Taken(requests, taking.ends_of(requests)), decoded

    @property
    def process_id(self) -> int | None:
        """The process, while there is one."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the process. Also while another thread waits for its answer, which gets none then."""
        child, self._child, self._is_there = self._child, None, False
        if child is not None:
            child.close()

    def _running(self) -> Child | None:
        """The process if it is there; started if it is not, and then it is there one of the next times."""
        if self._child is not None and self._child.process.poll() == 0:  # nobody had asked for a while
            self.close()
        if self._child is None and time.monotonic() >= self._not_before:
            self._child = Child(MODULE, LARGEST_PARCEL_BYTES, os.environ, heard=True)
            self._child.send(marshal.dumps(self._told), ANSWER_SECONDS)  # not an argument: every user of the machine may read those
        child = self._child
        if child is not None and not self._is_there and child.has_spoken:
            child.receive(ANSWER_SECONDS)
            self._is_there = True
        return child if self._is_there else None


# the process -------------------------------------------------------------------------------------------------------------


def _answer(conn: psycopg.Connection, question: tuple[int, list[tuple[int, int, bytes]]], limits: Limits) -> bytes:
    most_events, ends = question
    taken = taking.take(conn, most_events, {writer: End(number, link) for writer, number, link in ends})
    if taken.mappings:
        return NOT_MINE
    return parcel.packed(taken.requests, taking.decode(taken, {source.id: source for source in sources(conn)}, limits))


def main() -> None:
    """Answer until nobody asks any more. What fails ends the process, and the caller reads for itself."""
    caller = Caller()
    told = caller.asks()
    if told is None:
        return
    dsn, *limits = cast("tuple[str, int, int]", marshal.loads(told))
    with psycopg.connect(dsn, options=SESSION_OPTIONS) as conn:
        caller.answer(b"there")
        while (asked := caller.asks(IDLE_SECONDS)) is not None:
            question = marshal.loads(asked)
            with conn.transaction():
                answer = framed(_answer(conn, question, _Limits(*limits)))
            passing("read: before the answer")
            half = len(answer) // 2
            caller.tell(answer[:half])
            passing("read: within the answer")
            caller.tell(memoryview(answer)[half:])


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)  # the app is gone, or going
    except Exception as error:  # noqa: BLE001 - whatever it is: its words may quote an event, and what is said here lies in the app's log
        log.error("the reader failed, and the app reads for itself", error=type(error).__name__, place=log.place_of(error))
        sys.exit(1)
