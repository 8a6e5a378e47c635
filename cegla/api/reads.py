"""Questions that come at the same time are answered with one look: what comes while threads look waits, and goes together.

Two look in turn: while one waits for PostgreSQL, the other works out what it got.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
AT_ONCE = 64
LOOKS = 2


class Reads(Generic[Q, A]):
    """Groups what is asked from event loops; `look` answers many questions in their order, in threads of its own.

    What `look` raises, everybody gets who shared that look.
    """

    def __init__(self, look: Callable[[Sequence[Q]], list[A]]) -> None:
        self._look = look
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._lock = threading.Lock()
        self._looking = 0
        self._threads = ThreadPoolExecutor(LOOKS, "profiles")

    async def ask(self, question: Q) -> A:
        """The answer to one question."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append((question, answer))
            idle = self._looking < LOOKS
            self._looking += idle
        if idle:
            self._next()
        return await answer

    def _next(self) -> None:
        """Look for those who wait; called by who counted the look in `_looking`."""
        with self._lock:
            some, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._looking -= not some
        if some:
            self._threads.submit(self._look, [question for question, _ in some]).add_done_callback(partial(self._looked, [future for _, future in some]))

    def _looked(self, waiting: Sequence["asyncio.Future[A]"], done: "Future[list[A]]") -> None:
        self._next()
        failure = done.exception()
        for loop in {future.get_loop() for future in waiting}:
            if loop.is_closed():
                continue
            if failure is not None:
                loop.call_soon_threadsafe(_fail, [future for future in waiting if future.get_loop() is loop], failure)
            else:
                pairs = [pair for pair in zip(waiting, done.result(), strict=True) if pair[0].get_loop() is loop]
                loop.call_soon_threadsafe(_settle, pairs)


def _settle(answered: Sequence[tuple["asyncio.Future[A]", A]]) -> None:
    for future, answer in answered:
        if not future.done():
            future.set_result(answer)


def _fail(waiting: Sequence["asyncio.Future[A]"], failure: BaseException) -> None:
    for future in waiting:
        if not future.done():
            future.set_exception(failure)
