"""The order of a device's events through intake: across requests, batches, restarts of intake, and beside devices with right clocks."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cegla.collect import actions as collect
from cegla.storage.settings import CollectorSettings
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.events import Event
from tests.collect.test_clocks import in_order, journeys

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = CollectorSettings.model_validate({})


def body(browser: str, number: int, stamp: datetime, sent: datetime) -> bytes:
    event = {"type": "track", "event": "Seen", "anonymousId": browser, "messageId": f"{browser}-{number}", "timestamp": stamp.isoformat()}
    return json.dumps({"batch": [event], "sentAt": sent.isoformat()}).encode()


def take_in(conn: Connection, clocks: collect.Clocks, source: collect.Source, arrived: list[tuple[bytes, datetime]]) -> list[Event]:
    """One batch of intake as far as times are concerned."""
    for text, received in arrived:
        collect.write_down(conn, source.id, [text], received)
    taken = collect.take(conn, 10_000)
    events = collect.decode(taken, {source.id: source}, LIMITS).events
    collect.advance(conn, taken, events, 0, [])
    return collect.set_right(conn, clocks, events, NOW)


def placed(events: list[Event]) -> list[tuple[Any, Any]]:
    return [(event.original_at, event.occurred_at) for event in events]


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(-90_000, 90_000) | st.integers(-63_072_000_000, 63_072_000_000), journeys, st.lists(st.integers(1, 12), max_size=3))
def test_a_device_keeps_its_order_however_its_requests_fall_into_batches(workspace: Workspace, ahead_ms: int, taken: list[Any], ends: list[int]) -> None:
    clocks = collect.Clocks()
    arrivals = []
    for number, (happened, queued, failed, transit) in enumerate(taken):
        sent = happened + queued + sum(failed)
        stamp, shown = (NOW + timedelta(milliseconds=at + ahead_ms) for at in (happened, sent))
        arrivals.append((body(f"b{ahead_ms}", number, stamp, shown), NOW + timedelta(milliseconds=sent + transit)))
    arrivals.sort(key=lambda one: one[1])
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)
        conn.execute("delete from collect.clocks")
        events: list[Event] = []
        for first, last in zip([0, *sorted(ends)], [*sorted(ends), len(arrivals)], strict=True):
            events += take_in(conn, clocks, source, arrivals[first:last]) if arrivals[first:last] else []
    assert len(events) == len(taken)
    assert in_order(placed(events))
    assert all(event.occurred_at <= event.received_at for event in events)


def test_a_wrong_clock_is_known_again_after_intake_restarted(conn: Connection) -> None:
    source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)
    late = timedelta(seconds=100)  # how long the first request was stalled; the device's clock is right
    first = take_in(conn, collect.Clocks(), source, [(body("b", 1, NOW, NOW), NOW + late)])
    again = take_in(conn, collect.Clocks(), source, [(body("b", 2, NOW + timedelta(seconds=50), NOW + late), NOW + late)])
    assert in_order(placed(first + again))
    assert conn.execute("select count(*) from collect.clocks").fetchone() == (1,)
    collect.forget_old(conn, NOW + timedelta(days=32))
    assert conn.execute("select count(*) from collect.clocks").fetchone() == (0,)


def test_right_clocks_cost_no_row_and_keep_their_stamps(conn: Connection) -> None:
    source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)
    arrived = [(body(f"b{number}", 1, NOW - timedelta(seconds=5), NOW - timedelta(seconds=1)), NOW) for number in range(20)]
    events = take_in(conn, collect.Clocks(), source, arrived)
    assert {event.occurred_at for event in events} == {NOW - timedelta(seconds=5)}
    assert conn.execute("select count(*) from collect.clocks").fetchone() == (0,)


@pytest.mark.parametrize("years", [-2, 2])
def test_two_years_off_is_put_right_with_all_four_stamps_kept(conn: Connection, years: int) -> None:
    source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)
    wrong = NOW + timedelta(days=365 * years)
    (event,) = take_in(conn, collect.Clocks(), source, [(body("b", 1, wrong - timedelta(seconds=10), wrong), NOW)])
    assert event.occurred_at == NOW - timedelta(seconds=10)
    assert (event.original_at, event.sent_at, event.received_at) == (wrong - timedelta(seconds=10), wrong, NOW)
