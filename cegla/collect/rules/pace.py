"""How fast a source may send: the generic cell rate algorithm, whose whole memory of a source is one moment.

`due` is the moment at which a source that had kept exactly to its rate would send its next request. A source may be ahead of it by
a second's worth of requests, so that a page that sends ten at once is not refused.
"""

BURST_SECONDS = 1.0


def admitted(due: float, now: float, per_second: float) -> tuple[float, float]:
    """The new `due`, and how many seconds the request comes too early (0: admitted). Times are seconds of a monotonic clock.

    A `due` further ahead than any admitted request could bring it is from before a restart of the machine, and counts as now.
    """
    start = now if due < now or due > now + BURST_SECONDS + 1.0 / per_second else due
    early = start - now - BURST_SECONDS
    return (start, early) if early > 0 else (start + 1.0 / per_second, 0.0)
