"""How fast: a token bucket by time, so that the speed is what it says; and how long to wait before trying again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

BURST_SECONDS = 2.0  #: a sender that was busy for so long makes up for it; what waited longer is not sent all at once
RETRY_MINUTES = (1, 5, 15, 60, 180, 360, 720)  # a greylisting server takes the second; after the last the message has failed
SERVER_RETRY_SECONDS = (5, 15, 30, 60, 120, 300)


@dataclass(frozen=True)
class Bucket:
    """Messages that may go now, as of `at`."""

    tokens: float
    at: datetime


def refilled(bucket: Bucket | None, per_minute: int, now: datetime) -> Bucket:
    """The bucket at `now`: it fills at the rate and holds two seconds' worth beside the part of a message that is saved up.

    Without that part a rate of 50 a minute, looked at twice a second, would be 40.
    """
    a_second = per_minute / 60
    if bucket is None:
        return Bucket(max(1.0, a_second), now)
    seconds = max(0.0, (now - bucket.at).total_seconds())
    return Bucket(min(1.0 + a_second * BURST_SECONDS, bucket.tokens + seconds * a_second), now)


def next_try(attempts: int, now: datetime) -> datetime | None:
    """When to try a message again after `attempts` temporary refusals; None: it has failed."""
    return now + timedelta(minutes=RETRY_MINUTES[attempts - 1]) if attempts <= len(RETRY_MINUTES) else None


def next_minute(now: datetime) -> datetime:
    """When to try a message again whose provider asked for one a minute."""
    return now + timedelta(minutes=1)


def server_retry(failures: int, now: datetime) -> datetime:
    """When to try the mail server again after it was away `failures` times in a row."""
    return now + timedelta(seconds=SERVER_RETRY_SECONDS[min(failures, len(SERVER_RETRY_SECONDS)) - 1])
