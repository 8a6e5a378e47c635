"""The stamps of an event: when it happened, and from which network.

The client's time is corrected only when the client's clock is plainly wrong.
 The classic formula `received - (sent - stamp)` counts slow networks as wrong clocks, and so shifts and reorders events.
Here it is used only when the sending clock is more than a minute off. Times are UTC.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

TOLERATED_SKEW = timedelta(seconds=60)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_MILLISECONDS = 100_000_000_000  # 1973 in milliseconds, the year 5138 in seconds
_LEAP_SECOND = re.compile(r"(:\d\d):60")

Stamp = str | int | float


def read_stamp(stamp: Stamp) -> datetime:
    """A time as SDKs send it: ISO 8601 text (UTC when it names no zone), or seconds or milliseconds since 1970. Raises ValueError."""
    try:
        if isinstance(stamp, str):
            try:
                moment = datetime.fromisoformat(stamp)
            except ValueError:
                moment = _read_leap_second(stamp)
            if moment.tzinfo is UTC:
                return moment
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return EARLIEST + (timedelta(milliseconds=stamp) if abs(stamp) >= _LEAST_MILLISECONDS else timedelta(seconds=stamp))
    except OverflowError as error:
        raise ValueError(str(error)) from None


def _read_leap_second(stamp: str) -> datetime:
    """A time like 23:59:60, for which Python has no room. Raises ValueError for any other text."""
    before, leaps = _LEAP_SECOND.subn(r"\1:59", stamp)
    if not leaps:
        raise ValueError("no time")
    return datetime.fromisoformat(before) + timedelta(seconds=1)


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
    return moment if moment <= received else received


@lru_cache(maxsize=8_192)
def truncated(text: str) -> str | None:
    """The network an address lies in, as its first address ("203.0.113.0"); None when it is no address.

    Addresses are shortened before they are written anywhere: to /24, or /48 for IPv6.
    """
    try:
        address: IPv4Address | IPv6Address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = 24 if isinstance(address, IPv4Address) else 48
    return str(ip_network(f"{address}/{bits}", strict=False).network_address)
