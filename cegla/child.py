"""A process of ours beside this one, and how the two talk: `Child` is this end, `Caller` the other.

Some work wants a process of its own: one that may be killed when a template asks for too much, or a core of its own, since Python uses one. A module of ours
is started, and messages go both ways, each with its length before it; what their bytes mean is the business of the two ends.

Nothing that the child does may hurt its caller: a message that is late, too long or cut off ends the child, and the caller hears which it was. All goes
through one socket, the child's standard input, so what it or a library prints is never taken for an answer; a pipe could not be waited for while it is full.
"""

import os
import resource
import select
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from struct import Struct

import psutil

ROOT = Path(__file__).parents[1]
BUFFER_BYTES = 1 << 20  #: asked for; the system may allow less
PLAIN = {"LANG": "C.UTF-8"}  #: the environment of one that must know nothing of this machine
_LENGTH = Struct(">Q")
_SOCKET = 0  #: of the child


class Lost(Exception):
    """The child is of no use any more, and was ended. What was asked of it and not answered has no answer."""


class NotStarted(Lost):
    """The machine has no room for a process now."""


class Ended(Lost):
    """It ended, or was ended, before it had said everything."""


class Hung(Lost):
    """It took nothing, or gave nothing, for as long as it was allowed to."""


class Overlong(Lost):
    """It began a message longer than any it should have."""


class Child:
    """One process, started at once. Not for two threads at once, but for `close`, which may come at any time: whoever waits gets `Ended`."""

    def __init__(self, module: str, largest_bytes: int, environment: Mapping[str, str] = PLAIN, *, heard: bool = False) -> None:
        """Run a module that has a `Caller`, which may send messages so long. `heard`: what it prints goes to our standard error, else nowhere.

        Raises NotStarted.
        """
        self._largest_bytes = largest_bytes
        printed = 2 if heard else subprocess.DEVNULL
        modules = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
        try:
            self._socket, theirs = socket.socketpair()
        except OSError:
            raise NotStarted from None
        with theirs:
            for end in (self._socket, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-m", module],
                    stdin=theirs.fileno(), stdout=printed, stderr=printed, cwd="/", env={**environment, "PYTHONPATH": modules},
                )  # fmt: skip
            except OSError:
                self._socket.close()
                raise NotStarted from None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    @property
    def has_spoken(self) -> bool:
        """Whether `receive` would find something at once, be it the end."""
        try:
            self._socket.settimeout(0)
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def speaks(self, seconds: float, at_most: float) -> bool:
        """Wait until it says something; False once it has worked for so many seconds without a word, or `at_most` went by.

        A machine busy with other things lets nobody work, and that is not held against it: what counts is its processor's time, seen ten times in `seconds`.
        """
        until, step, worked = time.monotonic() + at_most, seconds / 10, -1.0
        while True:
            try:
                self._socket.settimeout(step)
                self._socket.recv(1, socket.MSG_PEEK)
                return True
            except TimeoutError:
                now = self._worked_seconds()
            except OSError:
                return True  # its end, which `receive` tells
            worked = now if worked < 0 else worked
            if now - worked >= seconds - step or time.monotonic() >= until:
                return False

    def _worked_seconds(self) -> float:
        try:
            times = psutil.Process(self.process.pid).cpu_times()
        except psutil.Error:
            return 0.0  # it has ended, which the next word from it says
        return times.user + times.system

    def send(self, message: bytes, seconds: float) -> None:
        """Say something. Raises Lost. Who sends again without having received what is long must not count on being read."""
        with self._or_lost():
            self._socket.settimeout(seconds)
            self._socket.sendall(framed(message))

    def receive(self, seconds: float) -> bytearray:
        """The next message, whole within so many seconds. Raises Lost."""
        until = time.monotonic() + seconds
        with self._or_lost():
            (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, until))
            if length > self._largest_bytes:
                raise Overlong
            return self._exactly(length, until)

    def close(self) -> None:
        """End it, whatever it does. A second time does nothing."""
        self.process.kill()
        self.process.wait()
        self._socket.close()

    def _exactly(self, size: int, until: float) -> bytearray:
        found = bytearray(size)
        room = memoryview(found)
        while room:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            count = self._socket.recv_into(room)
            if not count:
                raise Ended
            room = room[count:]
        return found

    @contextmanager
    def _or_lost(self) -> Generator[None]:
        try:
            yield
        except (Lost, OSError) as error:
            self.close()
            if isinstance(error, Lost):
                raise
            raise (Hung if isinstance(error, TimeoutError) else Ended) from None


class Caller:
    """Who started this process. Its end is the end of the conversation: there is nobody else to answer to."""

    def __init__(self) -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what is asked may be keys and people's names, and those must not lie in a file
        self._answers = open(_SOCKET, "wb", closefd=False)  # noqa: SIM115 - as long as the process

    def asks(self, idle_seconds: float | None = None) -> bytearray | None:
        """The next message; None when the caller is gone, or has asked nothing for so long."""
        if not select.select([_SOCKET], [], [], idle_seconds)[0]:
            return None
        try:
            (length,) = _LENGTH.unpack(_exactly(_LENGTH.size))
            return _exactly(length)
        except (EOFError, ConnectionError):
            return None

    def answer(self, message: bytes, *, at_once: bool = True) -> None:
        """Say something, or keep it for the next time. Raises BrokenPipeError when the caller is gone."""
        self._answers.write(framed(message))
        if at_once:
            self._answers.flush()

    def tell(self, part: bytes | memoryview = b"") -> None:
        """Send what was kept, and a part of a framed message."""
        self._answers.write(part)
        self._answers.flush()


def framed(message: bytes) -> bytes:
    """A message with its length before it."""
    return _LENGTH.pack(len(message)) + message


def _exactly(size: int) -> bytearray:
    found = bytearray(size)
    room = memoryview(found)
    while room:
        count = os.readv(_SOCKET, [room])
        if not count:
            raise EOFError
        room = room[count:]
    return found
