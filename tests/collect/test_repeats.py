"""An event is taken once: for thirty days at least, by source and messageId, in the transaction that applies it."""

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.collect.store import GENERATION_DAYS
from cegla.flow import Intake
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.events import Event

DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
BEGIN = datetime(1970, 1, 1, tzinfo=UTC) + 700 * GENERATION_DAYS * DAY  #: the first moment of a generation


def event(source_id: int = 1, message_id: str = "m") -> Event:
    return Event(source_id=source_id, message_id=message_id, kind="track", name="Seen", occurred_at=BEGIN, received_at=BEGIN, anonymous_id="a")


def is_new(conn: Connection, now: datetime, *events: Event) -> list[str]:
    return [one.message_id for one in collect.drop_repeats(conn, events or [event()], now)]


@pytest.mark.parametrize("seen", [BEGIN, BEGIN + TICK, BEGIN + 15 * DAY, BEGIN + GENERATION_DAYS * DAY - TICK])
@pytest.mark.parametrize("later", [timedelta(0), DAY, 30 * DAY - TICK, 30 * DAY, 31 * DAY])
def test_a_repeat_is_known_for_thirty_days_wherever_a_generation_ends(conn: Connection, seen: datetime, later: timedelta) -> None:
    assert is_new(conn, seen) == ["m"]
    assert is_new(conn, seen + later) == []


def test_it_is_forgotten_with_the_end_of_the_next_generation(conn: Connection) -> None:
    assert is_new(conn, BEGIN) == ["m"]
    end = BEGIN + 2 * GENERATION_DAYS * DAY
    with conn.transaction(force_rollback=True):
        assert is_new(conn, end - TICK) == []
    assert is_new(conn, end) == ["m"]


def test_a_repeat_that_was_dropped_is_remembered_anew(conn: Connection) -> None:
    for day in range(0, 300, 29):
        assert is_new(conn, BEGIN + day * DAY) == ([] if day else ["m"])


def test_a_clock_that_jumps_back_over_the_edge_of_a_generation_forgets_nothing(conn: Connection) -> None:
    assert is_new(conn, BEGIN) == ["m"]
    assert is_new(conn, BEGIN + TICK) == []
    assert is_new(conn, BEGIN - timedelta(hours=1)) == []


def test_equal_ids_of_two_sources_are_two_events_and_of_one_batch_one(conn: Connection) -> None:
    assert is_new(conn, BEGIN, event(1), event(2), event(1), event(2, "n"), event(2, "n")) == ["m", "m", "n"]
    assert is_new(conn, BEGIN, event(1), event(2), event(3)) == ["m"]


def test_ids_that_only_look_alike_are_different(conn: Connection) -> None:
    ids = ["1", "01", "1 ", "\u00e9", "e\u0301", "M", "m"]
    assert is_new(conn, BEGIN, *(event(1, one) for one in ids), event(11, "1")) == [*ids, "1"]


def test_what_did_not_commit_was_not_seen(workspace: Workspace) -> None:
    with pytest.raises(ZeroDivisionError), workspace.transaction() as conn:
        assert is_new(conn, BEGIN) == ["m"]
        raise ZeroDivisionError
    with workspace.transaction() as conn:
        assert is_new(conn, BEGIN) == ["m"]


def test_two_intakes_at_once_apply_an_event_once(workspace: Workspace) -> None:
    def body(number: int) -> bytes:
        return json.dumps({"batch": [{"type": "track", "event": "Seen", "anonymousId": "a", "messageId": f"m{number % 40}"}]}).encode()

    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "shop", "server", Basis.CONTRACT, workspace.clock())
        collect.write_down(conn, source.id, [body(number) for number in range(120)], workspace.clock())
    def drain() -> None:
        intake = Intake(workspace)
        while intake.take_in(7) is not None:
            pass

    threads = [threading.Thread(target=drain) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        standing: Any = collect.standing(conn)[0]
    assert (standing.applied, standing.repeated, standing.waiting) == (40, 80, 0)
    assert standing.adds_up
