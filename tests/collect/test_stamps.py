"""Times are corrected only for clocks that are plainly wrong, and never lie in the future."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.collect.rules.stamps import happened, read_stamp, truncated

RECEIVED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return RECEIVED - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("original", "sent", "expected"),
    [
        (None, None, RECEIVED),
        (ago(10), None, ago(10)),
        (ago(10), ago(5), ago(10)),  # a slow network is no wrong clock
        (ago(100), ago(59), ago(100)),
        (ago(3_610), ago(3_600), ago(10)),  # an hour behind
        (ago(-3_590), ago(-3_600), ago(10)),  # an hour ahead
        (ago(-30), None, RECEIVED),  # the future is clamped
        (ago(-30), ago(-30), RECEIVED),
        (ago(86_400 * 30), ago(1), ago(86_400 * 30)),  # queued for a month
    ],
)
def test_the_time_to_count_with(original: datetime | None, sent: datetime | None, expected: datetime) -> None:
    assert happened(original, sent, RECEIVED) == expected


@given(st.lists(st.integers(-100_000, 100_000), min_size=2), st.integers(-100_000, 100_000) | st.none())
def test_events_sent_together_keep_their_order(seconds: list[int], sent: int | None) -> None:
    moments = [happened(ago(second), None if sent is None else ago(sent), RECEIVED) for second in sorted(seconds, reverse=True)]
    assert moments == sorted(moments)
    assert max(moments) <= RECEIVED


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2026-11-20T12:00:00.000Z", RECEIVED),
        ("2026-11-20T13:00:00+01:00", RECEIVED),
        ("2026-11-20T12:00:00", RECEIVED),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T11:59:60.000Z", RECEIVED),  # a leap second
        ("2026-11-20T12:59:60+01:00", RECEIVED),
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the hour that comes twice
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (1_795_176_000, RECEIVED),
        (1_795_176_000_000, RECEIVED),
    ],
)
def test_stamps_are_read_as_sdks_send_them(stamp: str | int, expected: datetime) -> None:
    assert read_stamp(stamp) == expected


@pytest.mark.parametrize("stamp", ["", "now", "2026-13-01", "99999-01-01", "2026-11-20T11:60:00Z", "2026-11-20T12:00:61Z", 1e300, "0001-01-01T00:00:00+14:00"])
def test_other_stamps_are_refused(stamp: str | float) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_stamp(stamp)


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.77", "203.0.113.0"), ("::ffff:203.0.113.77", "203.0.113.0"), ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::"), ("unix", None), ("", None)],
)
def test_addresses_are_shortened(address: str, network: str | None) -> None:
    assert truncated(address) == network
