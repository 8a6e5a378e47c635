"""The reader: a process of its own that reads and decodes requests, while the app, whose Python runs on one core, applies those before them.

Run as `python -m cegla.collect.reading`; `Reader` is its only caller. What comes in is how to reach PostgreSQL and the limits of decoding, once,
and then, each time, where to read on; out go a word that it is there, and `rules/parcel.py`. It decides nothing and keeps no place, ends
with its caller, and by itself when nobody asks for a while. Requests of webhooks it leaves to the app, which has their mappings.
"""

import fcntl
import marshal
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Any

import psycopg

from cegla.collect import log, taking
from cegla.collect.rules import parcel
from cegla.collect.rules.decode import Decoded, Limits
from cegla.collect.sources import sources
from cegla.collect.store import End
from cegla.storage.failpoint import passing
from cegla.storage.workspace import SESSION_OPTIONS

MODULE = "cegla.collect.reading"
ROOT = Path(__file__).parents[2]
IDLE_SECONDS = 60.0
AGAIN_SECONDS = 10.0  #: how long after one that died
ANSWER_SECONDS = 120.0  #: one that takes longer is as good as dead, and intake must not wait for it
PIPE_BYTES = 1 << 20
NOT_MINE = b""
_LENGTH = Struct(">Q")


@dataclass(frozen=True)
class _Limits:
    largest_event_bytes: int
    most_events: int


class Reader:
    """The caller's side. Not for two threads at once. Whoever gets None reads for himself: the reader is not there yet, or not any more."""

    def __init__(self, dsn: str, limits: Limits) -> None:
        self._told = (dsn, limits.largest_event_bytes, limits.most_events)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_there = False
        self._not_before = 0.0

    def read(self, after: Mapping[int, End], most_events: int) -> tuple[taking.Taken, Decoded] | None:
        """The requests that come when those of each writer up to these are taken in, and what they hold."""
        try:
            process = self._running()
            if process is None or process.stdin is None or process.stdout is None:
                return None
            _send(process.stdin.fileno(), marshal.dumps((most_events, [(writer, *end) for writer, end in after.items()])))
            answer = _receive(process.stdout.fileno(), time.monotonic() + ANSWER_SECONDS)
        except (OSError, EOFError, ValueError):  # ValueError: another thread has closed the pipes
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
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process. Also while another thread waits for its answer, which gets none then."""
        process, self._process, self._is_there = self._process, None, False
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _running(self) -> subprocess.Popen[bytes] | None:
        """The process if it is there; started if it is not, and then it is there one of the next times."""
        if self._process is not None and self._process.poll() == 0:  # nobody had asked for a while
            self.close()
        if self._process is None and time.monotonic() >= self._not_before:
            self._start()
        if self._process is None or self._process.stdout is None:
            return None
        if not self._is_there and select.select([self._process.stdout], [], [], 0)[0]:
            _receive(self._process.stdout.fileno())
            self._is_there = True
        return self._process if self._is_there else None

    def _start(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, bufsize=0)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # a user may have only so much of it, and less will do
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        _send(self._process.stdin.fileno(), marshal.dumps(self._told))  # not an argument: every user of the machine may read those


def _send(pipe: int, words: bytes) -> None:
    _write(pipe, _LENGTH.pack(len(words)) + words)


def _write(pipe: int, content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _receive(pipe: int, until: float | None = None) -> bytearray:
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size, until))
    return _exactly(pipe, length, until)


def _exactly(pipe: int, length: int, until: float | None) -> bytearray:
    """So many bytes. Raises EOFError when the other side is gone before, TimeoutError when they are not there by then (of time.monotonic)."""
    found = bytearray(length)
    room = memoryview(found)
    while room:
        if until is not None and not select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            raise TimeoutError
        count = os.readv(pipe, [room])
        if not count:
            raise EOFError
        room = room[count:]
    return found


# the process -------------------------------------------------------------------------------------------------------------


def _answer(conn: psycopg.Connection, question: tuple[int, list[tuple[int, int, bytes]]], limits: Limits) -> bytes:
    most_events, ends = question
    taken = taking.take(conn, most_events, {writer: End(number, link) for writer, number, link in ends})
    if taken.mappings:
        return NOT_MINE
    return parcel.packed(taken.requests, taking.decode(taken, {source.id: source for source in sources(conn)}, limits))


def main() -> None:
    """Answer until nobody asks any more. What fails ends the process, and the caller reads for itself."""
    questions, answers = sys.stdin.fileno(), sys.stdout.fileno()
    sys.stdout = sys.stderr  # what is logged is no answer
    told: Any = marshal.loads(_receive(questions))
    dsn, *limits = told
    with psycopg.connect(dsn, options=SESSION_OPTIONS) as conn:
        _send(answers, b"there")
        while select.select([questions], [], [], IDLE_SECONDS)[0]:
            question = marshal.loads(_receive(questions))
            with conn.transaction():
                answer = _answer(conn, question, _Limits(*limits))
            passing("read: before the answer")
            half = len(answer) // 2
            _write(answers, _LENGTH.pack(len(answer)) + answer[:half])
            passing("read: within the answer")
            _write(answers, memoryview(answer)[half:])


if __name__ == "__main__":
    try:
        main()
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)  # the app is gone, or going
    except Exception as error:  # noqa: BLE001 - whatever it is: its words may quote an event, and what is said here lies in the app's log
        log.error("the reader failed, and the app reads for itself", error=type(error).__name__, place=log.place_of(error))
        sys.exit(1)
