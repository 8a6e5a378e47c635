"""The clock of a device: one rule from its stamps to the time to count with, so that its events never change places.

A stamp is corrected only for a clock that is plainly wrong (`stamps.happened`). Whether it is cannot be told from one
request: a batch that stood in a tunnel for two minutes looks like a clock that is two minutes late. Corrected one by one,
events of one device would change their order. So for a device that once looked wrong it is remembered how its stamps were
moved: runs of stamps that were moved alike. A new stamp inside a run moves with it; one between runs is moved by the best
estimate, but never past its neighbours. Transit only ever adds, so the best estimate is the smallest `received - sent`.

All moments and spans are microseconds.
"""

from bisect import bisect_left
from typing import NamedTuple

TOLERATED = 60 * 1_000_000
LONGEST_TRANSIT = 15 * 60 * 1_000_000  #: no request is longer on its way; a larger difference is a clock that was changed
MOST_RUNS = 32
_EARLIEST = -(1 << 62)


class Run(NamedTuple):
    """Stamps from `first` to `last` are moved by `shift`."""

    first: int
    last: int
    shift: int


class Clock:
    """What is known of the clock of a device that was wrong once. Runs ascend in their stamps and in the moved stamps."""

    __slots__ = ("changed", "runs", "shift")

    def __init__(self, shift: int | None = None, runs: list[Run] | None = None) -> None:
        self.shift = shift
        self.runs = runs or []
        self.changed = False

    @classmethod
    def after(cls, newest_stamp: int | None) -> "Clock":
        """A clock that was right until now: stamps up to the newest one stand as they are."""
        return cls() if newest_stamp is None else cls(0, [Run(_EARLIEST, newest_stamp, 0)])

    def moment(self, stamp: int, sent: int | None, received: int) -> int:
        """When an event of this stamp happened: never later than it was received, never before an event with an earlier stamp."""
        self.changed = True
        self._learn(stamp, sent, received)
        place = bisect_left(self.runs, stamp, key=lambda run: run.last)
        if place < len(self.runs) and self.runs[place].first <= stamp:
            return min(stamp + self.runs[place].shift, received)
        wanted = (stamp if sent is None else min(stamp, sent)) + (self.shift or 0)
        if place:
            wanted = max(wanted, self.runs[place - 1].last + self.runs[place - 1].shift)
        if place < len(self.runs):
            wanted = min(wanted, self.runs[place].first + self.runs[place].shift)
        found = min(wanted, received)
        self._remember(place, stamp, found - stamp)
        return found

    def _learn(self, stamp: int, sent: int | None, received: int) -> None:
        """Better the estimate by one request."""
        if sent is None:
            return
        difference, known = received - sent, self.shift
        if known is None:
            self.shift = difference if abs(difference) > TOLERATED or stamp > received else 0
        elif difference > known + LONGEST_TRANSIT + TOLERATED:  # `known` may be wrong by what is tolerated
            self.shift, self.runs = (difference if abs(difference) > TOLERATED else 0), []
        elif known > 0:
            self.shift = min(known, difference)
            if abs(self.shift) <= TOLERATED:
                self.shift = 0  # so it was only the way that was long
        elif difference < known and (known < 0 or difference < -TOLERATED or stamp > received):
            self.shift = difference  # sent after it was received: the clock is ahead, that is sure

    def _remember(self, place: int, stamp: int, shift: int) -> None:
        runs = self.runs
        if place and runs[place - 1].shift == shift:
            runs[place - 1] = runs[place - 1]._replace(last=stamp)
        elif place < len(runs) and runs[place].shift == shift:
            runs[place] = runs[place]._replace(first=stamp)
        else:
            runs.insert(place, Run(stamp, stamp, shift))
            if len(runs) > MOST_RUNS:
                del runs[0]
