"""What is too old is announced, then removed from warehouse and snapshot, class by class; a dry run counts the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cegla import forgetting
from cegla.api.call import Call, Caller
from cegla.api.shapes import ForgetHistory
from cegla.api.warehouse import forget
from cegla.govern import actions as govern
from cegla.storage import snapshots
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors.installation import DiskFull
from tests.segment.worlds import append

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OLD = {"behaviour": 500, "orders": 3_000}


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOW
    rows: list[dict[str, Any]] = [
        {"batch": 1, "event_id": number, "identity_id": 1, "name": name, "is_bot": False, "properties": said, "referrer_term": term,
            "occurred_at": (NOW - timedelta(days=days)).replace(tzinfo=None)}
        for number, (name, days, said, term) in enumerate(
            [("Page Viewed", 500, "{}", None), ("Page Viewed", 390, "{}", "red wine"), ("Order Completed", 500, "{}", None), ("Order Completed", 3_000, "{}", None),
             ("Products Searched", 100, '{"query": "czerwone wino", "results": 3}', None), ("Products Searched", 80, '{"query": "biale wino"}', None)], 1)
    ]  # fmt: skip
    append(workspace.warehouse, rows)
    snapshots.take(workspace.warehouse, workspace.snapshots, 1)
    return workspace


def left(ws: Workspace) -> list[tuple[int, str, str | None]]:
    """Events in the warehouse, which are those of the snapshot too."""
    held, copied = (
        [(row["event_id"], row["properties"], row["referrer_term"]) for row in found.sort_by("event_id").to_pylist()]
        for found in (ws.warehouse.run(table("events")), *(ws.snapshots.read(file, "events") for file in ws.snapshots.listed("events")))
    )
    assert held == copied
    return held


def noted(ws: Workspace) -> list[tuple[str, str]]:
    with ws.transaction() as conn:
        return [(row.action, row.target) for row in govern.audit(conn)]


def test_the_night_announces_first_and_removes_when_the_notice_has_passed(ws: Workspace) -> None:
    assert forgetting.each_night(ws, NOW) == {}
    assert {one.key: one.rows for one in forgetting.due(ws, NOW)} == {"behaviour": 1, "orders": 1, "searches": 2, "merges": 0}
    assert forgetting.each_night(ws, NOW + timedelta(days=6, hours=23)) == {}
    assert len(left(ws)) == 6
    assert forgetting.each_night(ws, NOW + timedelta(days=7)) == {"behaviour": 2, "orders": 1, "searches": 1}, "a week later one more view is too old"
    assert [number for number, _, _ in left(ws)] == [3, 5, 6]
    assert left(ws)[1:] == [(5, '{"results":3}', None), (6, '{"query": "biale wino"}', None)]
    assert ws.warehouse.holds_erased, "and the same night writes the file anew"
    assert noted(ws)[:3] == [("history.forget", "searches"), ("history.forget", "orders"), ("history.forget", "behaviour")]
    assert ("history.will_forget", "behaviour") in noted(ws)


def test_a_shorter_time_is_announced_anew(ws: Workspace) -> None:
    forgetting.each_night(ws, NOW)
    sooner = ws.settings.retention.model_copy(update={"behaviour_days": 300})
    ws.settings = ws.settings.model_copy(update={"retention": sooner})
    assert "behaviour" not in forgetting.each_night(ws, NOW + timedelta(days=7))
    assert forgetting.each_night(ws, NOW + timedelta(days=14))["behaviour"] == 2


def test_a_class_kept_for_good_stays_and_by_hand_goes_what_is_asked_for(ws: Workspace) -> None:
    ws.settings = ws.settings.model_copy(update={"retention": ws.settings.retention.model_copy(update={"orders_days": 0})})
    call = Call(ws, (), Caller("anna", frozenset()), "en", NOW)
    asked = ForgetHistory(classes=["behaviour", "orders"])
    assert forget(call, asked)["rows"] == {"behaviour": 1}
    assert len(left(ws)) == 6
    assert forget(call, asked.model_copy(update={"dry_run": False}))["rows"] == {"behaviour": 1}
    assert [number for number, _, _ in left(ws)] == [2, 3, 4, 5, 6]
    assert noted(ws)[0] == ("history.forget", "behaviour")


def test_damaged_files_that_lay_aside_long_enough_go(ws: Workspace) -> None:
    folder: Path = ws.settings.data_dir / "warehouse" / "set-aside" / "20261101T000000Z"
    folder.mkdir(parents=True)
    (folder / "cegla.duckdb").write_bytes(b"somebody who is erased since")
    forgetting.each_night(ws, datetime.now(UTC) + timedelta(days=6))
    assert folder.exists()
    forgetting.each_night(ws, datetime.now(UTC) + timedelta(days=8))
    assert not folder.exists()
    assert "history.drop_set_aside" in {action for action, _ in noted(ws)}


def test_what_the_files_had_no_room_for_is_due_still_and_goes_the_next_night(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise DiskFull(where="snapshots")

    forgetting.each_night(ws, NOW)
    with monkeypatch.context() as patched, pytest.raises(DiskFull):
        patched.setattr(ws.snapshots, "change", full)
        forgetting.each_night(ws, NOW + timedelta(days=7))
    assert forgetting.each_night(ws, NOW + timedelta(days=7)) == {"behaviour": 2, "orders": 1, "searches": 1}
    assert [number for number, _, _ in left(ws)] == [3, 5, 6]
