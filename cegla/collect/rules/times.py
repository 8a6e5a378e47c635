"""When an event happened: the client's stamp, corrected only when the client's clock is plainly wrong.

The classic formula `received - (sent - stamp)` counts slow networks as wrong clocks, and so shifts and reorders events.
Here it is used only when the sending clock is more than a minute off. Times are UTC.
"""

from datetime import UTC, datetime, timedelta

TOLERATED_SKEW = timedelta(seconds=60)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_MILLISECONDS = 100_000_000_000  # 1973 in milliseconds, the year 5138 in seconds

Stamp = str | int | float


def read_stamp(stamp: Stamp) -> datetime:
    """A time as SDKs send it: ISO 8601 text (UTC when it names no zone), or seconds or milliseconds since 1970. Raises ValueError."""
    try:
        if isinstance(stamp, str):
            moment = datetime.fromisoformat(stamp)
            if moment.tzinfo is UTC:
                return moment
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return EARLIEST + (timedelta(milliseconds=stamp) if abs(stamp) >= _LEAST_MILLISECONDS else timedelta(seconds=stamp))
    except OverflowError as error:
        raise ValueError(str(error)) from None


def happened(original: datetime | None, sent: datetime | None, received: datetime) -> datetime:
    """The time to count with: never later than `received`. Raises ValueError when it lies before 1970."""
    if original is None:
        return received
    try:
        moment = original if sent is None or abs(sent - received) <= TOLERATED_SKEW else original + (received - sent)
    except OverflowError as error:
        raise ValueError(str(error)) from None
    if moment < EARLIEST:
        raise ValueError("before 1970")
    return min(moment, received)
