"""One device, one clock: whatever the network does, its events keep their order, and none lies in the future."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cegla.collect.rules.clocks import LONGEST_TRANSIT, TOLERATED, Clock

SECOND = 1_000_000
NOW = 1_795_000_000 * SECOND

# (when it happened, how long it lay in the queue, how long each failed try took, how long the last one took), in milliseconds
Journey = tuple[int, int, list[int], int]
journeys = st.lists(
    st.tuples(
        st.integers(0, 7_200_000),
        st.integers(0, 600_000) | st.just(0),
        st.lists(st.integers(0, 120_000), max_size=2),
        st.integers(0, 400) | st.integers(0, LONGEST_TRANSIT // 1_000 - 1),
    ),
    min_size=2,
    max_size=12,
)
offsets = st.integers(-90_000, 90_000) | st.integers(-63_072_000_000, 63_072_000_000)  # milliseconds: about a minute, or up to two years


def arrivals(device_ahead_ms: int, taken: list[Journey]) -> list[tuple[int, int, int]]:
    """(stamp, sent, received) in the order of arrival. A retry writes `sent` anew; the server's clock is right."""
    found: list[tuple[int, int, int]] = []
    for happened, queued, failed, transit in taken:
        sent = happened + queued + sum(failed)
        found.append(tuple(NOW + 1_000 * at for at in (happened + device_ahead_ms, sent + device_ahead_ms, sent + transit)))  # type: ignore[arg-type]
    return sorted(found, key=lambda one: one[2])


def in_order(placed: list[tuple[int, int]]) -> bool:
    """Whether moments ascend with stamps; equal stamps may share a moment."""
    placed = sorted(placed)
    return all(earlier[1] <= later[1] for earlier, later in pairwise(placed))


@given(offsets, journeys)
def test_events_of_one_device_never_change_places(device_ahead_ms: int, taken: list[Journey]) -> None:
    clock = Clock()
    placed = [(stamp, clock.moment(stamp, sent, received)) for stamp, sent, received in arrivals(device_ahead_ms, taken)]
    assert in_order(placed)


@given(offsets, journeys)
def test_no_event_lies_after_it_was_received(device_ahead_ms: int, taken: list[Journey]) -> None:
    clock = Clock()
    assert all(clock.moment(stamp, sent, received) <= received for stamp, sent, received in arrivals(device_ahead_ms, taken))


@given(st.integers(-63_072_000_000, 63_072_000_000).filter(lambda ms: abs(ms) * 1_000 > 2 * TOLERATED), st.lists(st.integers(0, 3_600_000), min_size=2, max_size=9))
def test_a_wrong_clock_on_a_quick_network_is_put_right(device_ahead_ms: int, happened: list[int]) -> None:
    clock = Clock()
    for at, (stamp, sent, received) in zip(sorted(happened), arrivals(device_ahead_ms, [(at, 500, [], 100) for at in sorted(happened)]), strict=True):
        assert abs(clock.moment(stamp, sent, received) - (NOW + 1_000 * at)) <= 1 * SECOND


def test_correcting_each_request_alone_would_change_places() -> None:
    """The control: a stalled batch of a right clock, and the queue that waited behind it."""
    stalled, behind = (NOW, NOW + SECOND, NOW + 101 * SECOND), (NOW + 50 * SECOND, NOW + 102 * SECOND, NOW + 102 * SECOND)
    alone = [(stamp, stamp + (received - sent if abs(received - sent) > TOLERATED else 0)) for stamp, sent, received in (stalled, behind)]
    assert not in_order(alone)
    clock = Clock()
    assert in_order([(stamp, clock.moment(stamp, sent, received)) for stamp, sent, received in (stalled, behind)])


def test_a_clock_that_was_right_stays_right_while_a_batch_is_stalled() -> None:
    clock = Clock.after(NOW)
    assert clock.moment(NOW - 5 * SECOND, NOW, NOW + 300 * SECOND) == NOW - 5 * SECOND
    assert clock.moment(NOW + 5 * SECOND, NOW + 6 * SECOND, NOW + 306 * SECOND) == NOW + 5 * SECOND


def test_a_clock_that_somebody_set_is_followed() -> None:
    clock = Clock.after(NOW)
    late = NOW - 3_600 * SECOND
    assert abs(clock.moment(late, late + SECOND, NOW + SECOND) - NOW) <= SECOND


def test_what_is_remembered_stays_small() -> None:
    clock = Clock()
    for number in range(1_000):
        clock.moment(NOW + number * SECOND, NOW + number * SECOND, NOW + number * SECOND - 200 * SECOND - number * 977)
    assert len(clock.runs) <= 32


def test_when_the_servers_clock_jumps_back_nothing_lies_in_the_future() -> None:
    clock, hour = Clock(), 3_600 * SECOND
    for number in range(10):
        received = NOW + number * SECOND - (hour if number >= 5 else 0)
        assert clock.moment(NOW + number * SECOND - hour, NOW + number * SECOND - hour, received) <= received
