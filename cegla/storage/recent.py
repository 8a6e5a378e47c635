"""Answers about everybody that take long and that a page shows at each visit: kept in memory for some minutes, with the moment they are of."""

import threading
from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from typing import Any, TypeVar

Answer = TypeVar("Answer")
KEPT_FOR = timedelta(minutes=15)
MOST_KEPT = 100


class Recent:
    """Some answers by what was asked. Who asks while an answer is worked out waits for it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[datetime, Any]] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._forgotten = 0  # how often everything was forgotten

    def of(self, asked: Hashable, now: datetime, make: Callable[[], Answer]) -> Answer:
        """What is kept about this and is not older than `KEPT_FOR`; else `make` works it out. `asked` names everything that the answer rests on but the
        history, whose events come all the time."""
        with self._lock:
            making = self._making.setdefault(asked, threading.Lock())
        with making:
            with self._lock:
                kept, forgotten = self._kept.get(asked), self._forgotten
            if kept is not None and timedelta() <= now - kept[0] < KEPT_FOR:
                return kept[1]
            made = make()
            with self._lock:
                if forgotten == self._forgotten:  # nobody was erased meanwhile
                    self._keep(asked, now, made)
            return made

    def forget(self) -> None:
        """Let go of everything: somebody was erased, who may be in any of it."""
        with self._lock:
            self._kept.clear()
            self._forgotten += 1

    def _keep(self, asked: Hashable, now: datetime, made: Any) -> None:
        self._kept = {one: kept for one, kept in self._kept.items() if timedelta() <= now - kept[0] < KEPT_FOR}
        if len(self._kept) < MOST_KEPT:
            self._kept[asked] = now, made
        self._making = {one: lock for one, lock in self._making.items() if one in self._kept or lock.locked()}
