"""The night's work: each step fails alone, is tried again, and none is done twice for a night, whatever restarts come between."""

from datetime import UTC, date, datetime, timedelta

import pytest

from cegla import night
from cegla.storage import nights
from cegla.storage.workspace import Connection, Workspace

NIGHT = date(2026, 11, 26)
AT_THREE = datetime(2026, 11, 27, 3, tzinfo=UTC)
STEPS = ("traits", "segments", "snapshot")


def begun(conn: Connection, now: datetime, day: date = NIGHT) -> str | None:
    return nights.begin_next(conn, STEPS, day, now)


def test_a_new_installation_has_nothing_to_do_before_its_first_night(conn: Connection) -> None:
    assert begun(conn, AT_THREE) is None
    assert begun(conn, AT_THREE, NIGHT + timedelta(days=1)) == "traits"


def test_each_step_is_begun_once_and_what_failed_waits_behind_the_others(conn: Connection) -> None:
    assert begun(conn, AT_THREE, NIGHT - timedelta(days=1)) is None
    assert [begun(conn, AT_THREE) for _ in range(4)] == ["traits", "segments", "snapshot", None]
    for name in ("traits", "snapshot"):
        nights.done(conn, name, AT_THREE)
    soon, later, much_later = (AT_THREE + timedelta(minutes=minutes) for minutes in (9, 10, 29))
    assert [begun(conn, soon), begun(conn, later), begun(conn, much_later)] == [None, "segments", None]
    assert begun(conn, later + timedelta(minutes=20)) == "segments", "it waits twice as long after each time"


def test_what_was_not_done_in_its_night_is_done_in_the_next(conn: Connection) -> None:
    begun(conn, AT_THREE, NIGHT - timedelta(days=1))
    assert begun(conn, AT_THREE) == "traits"
    assert [begun(conn, AT_THREE + timedelta(days=1), NIGHT + timedelta(days=1)) for _ in range(4)] == [*STEPS, None]
    assert {step.attempts for step in nights.steps(conn)} == {1}
    later = AT_THREE + timedelta(days=2)
    assert nights.begin_next(conn, ["segments"], NIGHT + timedelta(days=2), later) == "segments"
    assert [step.name for step in nights.steps(conn)] == ["segments"], "nobody waits for a step that is none any more"


def test_a_clock_that_was_two_years_ahead_stops_no_later_night(conn: Connection) -> None:
    begun(conn, AT_THREE, NIGHT - timedelta(days=1))
    years = timedelta(days=730)
    assert [begun(conn, AT_THREE + years, NIGHT + years) for _ in range(3)] == list(STEPS)
    nights.done(conn, "traits", AT_THREE + years)
    assert [begun(conn, AT_THREE) for _ in range(4)] == [*STEPS, None]
    assert begun(conn, AT_THREE, NIGHT - timedelta(days=1)) is None, "an hour back over the border of two nights repeats nothing"


def test_a_step_that_fails_keeps_no_other_from_its_turn(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def failing(_ws: Workspace, _now: datetime) -> None:
        raise OSError("no room")

    def working(_ws: Workspace, _now: datetime) -> None:
        done.append("worked")

    monkeypatch.setattr(night, "AT_NIGHT", [failing, working])
    assert night.work(workspace, AT_THREE) is None
    tomorrow = AT_THREE + timedelta(days=1)
    with pytest.raises(OSError, match="no room"):
        night.work(workspace, tomorrow)
    assert [night.work(workspace, tomorrow) for _ in range(2)] == ["working", None]
    assert done == ["worked"]
    with workspace.transaction() as conn:
        assert {step.name: step.done_at is not None for step in nights.steps(conn)} == {"failing": False, "working": True}
