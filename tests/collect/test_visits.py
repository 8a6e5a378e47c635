"""Visits without anybody: numbers by day and page, once each, and never a person."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.events import Reason

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)


def visit(number: int, path: str = "/", **more: Any) -> dict[str, Any]:
    return {"type": "page", "messageId": f"m{number}", "context": {"aggregate": True, "page": {"path": path}, "viewport": "phone"}, **more}


def send(ws: Workspace, *events: dict[str, Any]) -> collect.Source:
    ws.clock = lambda: NOON
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "shop", "website", Basis.CONSENT, NOON)
        collect.write_down(conn, source.id, [json.dumps({"batch": events}).encode()], NOON)
    return source


def test_they_are_counted_once_and_make_no_person(workspace: Workspace) -> None:
    events = [visit(1), visit(1), visit(2), visit(3, "/kontakt"), visit(4, type="track", event="Product Viewed")]
    source = send(workspace, *events)
    assert Intake(workspace).drain() == 4
    send(workspace, *events)
    assert Intake(workspace).drain() == 0
    with workspace.transaction() as conn:
        counted = {(row.name, row.path): row.times for row in collect.visits(conn, source.id, date(2026, 10, 5))}
        assert counted == {("Page Viewed", "/"): 2, ("Page Viewed", "/kontakt"): 1, ("Product Viewed", "/"): 1}
        assert resolve.links.count_people(conn) == 0
        (standing,) = collect.standing(conn)
    assert standing.adds_up
    assert (standing.applied, standing.repeated) == (4, 6)


def test_whoever_is_named_is_no_number_and_nobody_without_the_mark_stays_quarantined(workspace: Workspace) -> None:
    agreed = {"aggregate": True, "consent": {"categoryPreferences": {"analytics": True}}}
    source = send(workspace, visit(1, anonymousId="a1", context=agreed), visit(2, context={}), visit(3, type="identify"))
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        assert collect.visits(conn, source.id, date(2026, 1, 1)) == []
        assert [row.reason for row in repair.listed(conn)] == [Reason.MISSING_IDENTITY] * 2
        assert resolve.links.count_people(conn) == 1


def test_days_are_the_shops_and_invented_paths_become_one(workspace: Workspace) -> None:
    late = (NOON - timedelta(hours=11, minutes=30)).isoformat()  # half past midnight in Warsaw
    source = send(workspace, visit(0, "/first", timestamp=late), *(visit(number, f"/{number}") for number in range(1, 1_500)))
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        rows = collect.visits(conn, source.id, date(2026, 10, 5), 5_000)
        assert len(rows) == 1_001
        assert (rows[0].path, rows[0].times) == ("…", 500)
        assert sum(row.times for row in rows) == 1_500
