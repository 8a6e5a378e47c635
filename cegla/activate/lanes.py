"""The lanes mail leaves by, one a destination: which may be written to now and how much, what their replies asked for, what went and came back.

A lane has its own token bucket, kept in memory, so that a slow provider holds nobody else up; a warm-up plan of the sender's domain is a second limit, by day.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import NamedTuple

from cegla.activate.rules import pace
from cegla.activate.rules.destinations import SLOW_PER_MINUTE, Day, WarmUp, Wish, ceiling, usual_speed
from cegla.activate.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.messages import MessageState


class Limits(NamedTuple):
    """What is kept of a destination."""

    messages_per_minute: int | None
    slow_until: datetime | None
    suspended_until: datetime | None


@dataclass
class Lane:
    """How many may still go to one destination in this round, and at which speed its bucket fills."""

    left: int
    speed: int
    used: int = 0


class Lanes:
    """The lanes of one round; `open` before a sender's messages, `close` after."""

    def __init__(self, conn: Connection, now: datetime, buckets: dict[str, pace.Bucket]) -> None:
        self.conn, self.now, self.buckets = conn, now, buckets
        self.domain = ""
        self.limits = {key: Limits(*rest) for key, *rest in SQL.destinations(conn)}
        self.lanes: dict[str, Lane] = {}
        self.plan: WarmUp | None = None
        self.sent, self.bounced, self.deferred = Counter[str](), Counter[str](), Counter[str]()

    def open(self, sender: str) -> None:
        """Begin with the messages of a sender."""
        self.domain = parseaddr(sender)[1].rpartition("@")[2].lower()
        row = SQL.warm_up(self.conn, domain=self.domain)
        self.plan = WarmUp(*row) if row else None
        self.lanes = {}
        for key in {*self.limits, *(key for key, bucket in self.buckets.items() if bucket.tokens < 1)}:  # those may be closed
            self._lane(key)
        if self.plan is not None:
            for (key,) in SQL.destinations_today(self.conn, domain=self.domain, day=self.now.date()):
                self._lane(key)

    @property
    def closed(self) -> list[str]:
        """Destinations that may get nothing now."""
        return [key for key, lane in self.lanes.items() if lane.left <= 0]

    def admit(self, key: str) -> bool:
        """Whether one more may go there in this round; it counts when the answer is yes."""
        lane = self._lane(key)
        if lane.left <= 0:
            return False
        lane.left -= 1
        lane.used += 1
        return True

    def heed(self, key: str, wish: Wish, said: str) -> None:
        """A provider asked for less."""
        SQL.slow_destination(self.conn, key=key, until=wish.until, stop=wish.stop, said=said, now=self.now)
        old = self.limits.get(key, Limits(None, None, None))
        self.limits[key] = old._replace(suspended_until=wish.until) if wish.stop else old._replace(slow_until=wish.until)
        self._lane(key).left = 0

    def count(self, ended: Sequence[tuple[str, MessageState]], deferred: Sequence[str]) -> None:
        """Add to the figures of the day; they are written once a round, since a row for each destination of each group cost as much as a message."""
        self.sent.update(key for key, state in ended if state in (MessageState.SENT, MessageState.AMBIGUOUS, MessageState.BOUNCED))
        self.bounced.update(key for key, state in ended if state is MessageState.BOUNCED)
        self.deferred.update(deferred)

    def write_down(self) -> None:
        """Keep the figures; the caller commits. After a crash a day lacks those of one round."""
        keys = sorted({*self.sent, *self.deferred})
        if keys:
            SQL.count_day(
                self.conn, day=self.now.date(), domain=self.domain, destinations=keys, sent=[self.sent[key] for key in keys],
                bounced=[self.bounced[key] for key in keys], deferred=[self.deferred[key] for key in keys],
            )  # fmt: skip
        for counts in (self.sent, self.bounced, self.deferred):
            counts.clear()

    def close(self) -> None:
        """Pay for what went."""
        for key, lane in self.lanes.items():
            if lane.used:
                bucket = pace.refilled(self.buckets.get(key), lane.speed, self.now)
                self.buckets[key] = pace.Bucket(bucket.tokens - lane.used, bucket.at)
        self.lanes = {}

    def _lane(self, key: str) -> Lane:
        if key not in self.lanes:
            limits = self.limits.get(key, Limits(None, None, None))
            slow = limits.slow_until is not None and limits.slow_until > self.now
            speed = SLOW_PER_MINUTE if slow else limits.messages_per_minute or usual_speed(key)
            left = int(pace.refilled(self.buckets.get(key), speed, self.now).tokens)
            if limits.suspended_until is not None and limits.suspended_until > self.now:
                left = 0
            if self.plan is not None:
                left = min(left, self._left_today(key, self.plan))
            self.lanes[key] = Lane(left, speed)
        return self.lanes[key]

    def _left_today(self, key: str, plan: WarmUp) -> int:
        days = [Day(*row) for row in SQL.days(self.conn, domain=self.domain, destination=key, since=plan.started_on)]
        today = self.now.date()
        gone = next((one.sent for one in days if one.day == today), 0)
        return ceiling(plan, days, today) - gone
