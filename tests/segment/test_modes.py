"""One definition, two modes: whatever the rules, the events, the order of their arrival and the time that passes, the stored members are those that
looking at everybody would give. Nobody is looked at but who has new events and who is due."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cegla.segment import actions as segment
from cegla.segment import some as some_people
from cegla.segment.rules import days
from cegla.segment.rules.history import Ground, Passing
from cegla.storage import dividing
from cegla.storage.workspace import Connection, Workspace
from tests.segment.test_compile import LEAVES, SEGMENTS, ZONE, histories, tree
from tests.segment.worlds import NOW, append, fill, order, page

MINUTE = timedelta(minutes=1)
#: how long after the start it is looked at: just before and after midnights, windows, waiting times
JUMPS = st.lists(st.sampled_from([1, 29, 31, 179, 660, 661, 1440, 2881, 7 * 1440, 29 * 1440, 43_201, 60 * 1440, 91 * 1440]), min_size=2, max_size=2)


def begin(ws: Workspace) -> None:
    """As if nothing had ever been."""
    ws.warehouse.take_back_after(0)
    with ws.transaction() as conn:
        conn.execute("truncate segment.segments, segment.members, segment.changes, segment.due, segment.scales, segment.tenths restart identity cascade")
        for key, rule in SEGMENTS.items():
            segment.save(conn, str(key), rule, NOW, key=str(key)) if isinstance(key, str) else None
        while (saved := segment.save(conn, "filler", {"op": "everyone"}, NOW)).id < 6:
            pass
        assert segment.save(conn, "Inni", SEGMENTS[7], NOW).id == saved.id + 1 == 7


def arrive(ws: Workspace, drawn: list[dict[str, Any]], first: int) -> list[int]:
    """Append a batch; returns whom it is about."""
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(drawn, start=first):
        at = (NOW - timedelta(minutes=one["minutes_ago"])).replace(tzinfo=None)
        place = dict(zip(("country", "voivodeship", "city"), one.get("where") or (None,) * 3, strict=True))
        rows.append({**place, **one, "batch": 1, "event_id": number, "occurred_at": at, "received_at": at, "local_at": at + timedelta(hours=1), "properties": json.dumps(one["properties"])})
    append(ws.warehouse, rows, [{**row, "product": product, "category": category} for row in rows for product, category in row["lines"]])
    return sorted({one["identity_id"] for one in drawn})


@given(st.data())
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate))
def test_members_kept_up_in_increments_are_those_of_everybody(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
    monkeypatch.setattr(dividing, "ROWS_OF_A_PART", 20)
    monkeypatch.setattr(dividing, "FEW_PEOPLE", 0)
    monkeypatch.setattr(some_people, "ROWS_AT_ONCE", 3)
    begin(workspace)
    keys = data.draw(st.lists(st.sampled_from(sorted(LEAVES)), min_size=5, max_size=5, unique=True))
    rules = [*(data.draw(LEAVES[key]) for key in keys), data.draw(tree)]
    drawn = data.draw(st.permutations(data.draw(histories)))
    with workspace.transaction() as conn:
        saved = [segment.save(conn, f"rule {number}", rule, NOW).id for number, rule in enumerate(rules)]
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW, ZONE, workspace.keys))
    now, taken, jumps = NOW, 0, data.draw(JUMPS)
    as_of = segment.AsOf(now, ZONE, workspace.keys)
    for jump in sorted(jumps):
        now, some = NOW + jump * MINUTE, drawn[taken : taken + 1 + len(drawn) // len(jumps)]
        touched = arrive(workspace, some, taken + 1)
        taken += len(some)
        with workspace.transaction() as conn:
            as_of = segment.AsOf(now, ZONE, workspace.keys)
            segment.refresh_due(conn, workspace.warehouse, as_of)
            for part in dividing.parts(workspace.warehouse, touched):
                segment.refresh(conn, workspace.warehouse, part.tolist(), as_of)
            kept = members(conn, saved)
        agree(workspace, saved, rules, kept, now)
    with workspace.transaction() as conn:
        for part in segment.everybody.begin(conn, workspace.warehouse, as_of):
            segment.refresh(conn, workspace.warehouse, part.tolist(), as_of)
        agree(workspace, saved, rules, members(conn, saved), now)


def members(conn: Connection, saved: list[int]) -> dict[int, set[int]]:
    return {one: {member.person_id for member in segment.membership(conn, one, 0, 100)} for one in saved}


def agree(ws: Workspace, saved: list[int], rules: list[Any], kept: dict[int, set[int]], now: datetime) -> None:
    expected = {one: set(segment.members_of(ws, rule, now).to_pylist()) for one, rule in zip(saved, rules, strict=True)}
    assert kept == expected, [rule for one, rule in zip(saved, rules, strict=True) if kept[one] != expected[one]]


def test_a_night_finds_in_parts_what_a_look_at_everybody_finds_and_who_has_no_event_left(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing, "ROWS_OF_A_PART", 2)
    fill(workspace.warehouse, {1: [order(3)], 2: [order(10), order(11), order(12)], 4: [page(1)], 5: [page(1)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", {"op": "did", "event": "Order Completed", "days": 30}, NOW)
        segment.look_again(conn, [9], NOW)
        as_of = segment.AsOf(NOW)
        parts = segment.everybody.begin(conn, workspace.warehouse, as_of)
        assert sorted(one for part in parts for one in part) == [1, 2, 4, 5, 9] and len(parts) > 2
        changes = [change for part in parts for change in segment.refresh(conn, workspace.warehouse, part.tolist(), as_of)]
        assert sorted(person for change in changes for person in change.entered) == [1, 2]
        assert segment.refresh(conn, workspace.warehouse, None, as_of) == []
        workspace.warehouse.erase([1])
        gone = [change for part in segment.everybody.begin(conn, workspace.warehouse, as_of) for change in segment.refresh(conn, workspace.warehouse, part.tolist(), as_of)]
        assert gone == [segment.Change(saved.id, (), (1,), NOW)]
        segment.everybody.end(conn, NOW)
        assert segment.segment(conn, saved.id).refreshed_at == NOW


def test_people_come_in_parts_of_which_none_has_much_more_history_than_one_may_have(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [order(10), order(11), order(12)], 4: [page(1)], 5: [page(1)]})
    assert [part.tolist() for part in dividing.parts(workspace.warehouse, [5, 9, 2, 1])] == [[1, 2, 5, 9]]
    monkeypatch.setattr(dividing, "ROWS_OF_A_PART", 2)
    monkeypatch.setattr(dividing, "FEW_PEOPLE", 3)
    assert [part.tolist() for part in dividing.parts(workspace.warehouse, [5, 9, 2, 1])] == [[1], [2], [5, 9]]
    assert [part.tolist() for part in dividing.parts(workspace.warehouse, [5, 9, 2, 1], most_people=1)] == [[1], [2], [5], [9]]
    assert dividing.parts(workspace.warehouse, []) == []


def test_time_alone_moves_only_who_is_due(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [order(10)], 3: [page(1)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", {"op": "did", "event": "Order Completed", "days": 30}, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(NOW + timedelta(days=20) - MINUTE)) == ([], False)
        at = NOW + timedelta(days=20)
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(at)) == ([segment.Change(saved.id, (), (2,), at)], False)
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(at)) == ([], False), "nobody is due twice"


def test_a_birthday_begins_at_the_shops_midnight(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [page(1)]})
    rule = {"op": "anniversary_in_days", "trait": "declared.birthday", "to_days": 0}
    with workspace.transaction() as conn:
        conn.execute("insert into profile.corrections (identity_id, key, value, corrected_at, corrected_by) values (1, 'birthday', '\"1990-11-24\"', now(), 'x')")
        saved = segment.save(conn, "Jubilaci", rule, NOW)
        assert segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW, ZONE)) == []
        midnight = NOW.replace(hour=23)
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(midnight - MINUTE, ZONE)) == ([], False)
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(midnight, ZONE)) == ([segment.Change(saved.id, (1,), (), midnight)], False)
        later = midnight + timedelta(days=1)
        assert segment.refresh_due(conn, workspace.warehouse, segment.AsOf(later, ZONE)) == ([segment.Change(saved.id, (), (1,), later)], False)


@pytest.mark.parametrize("now", [datetime(2026, 3, 28, 22, 30), datetime(2026, 10, 24, 22, 30), NOW.replace(tzinfo=None)], ids=["before 23 hours", "in 25 hours", "plain"])
@pytest.mark.parametrize("kind", [Ground, Passing])
def test_days_ahead_are_calendar_days_also_where_one_has_23_or_25_hours(kind: type[Ground], now: datetime) -> None:
    ground = kind(now, None, ZONE)
    assert [ground.after(days).today for days in range(9)] == [ground.today + timedelta(days=days) for days in range(9)]


ACROSS = [  # naive UTC: within an hour of midnight on either side of where clocks are put forward and back, and how the clock of Warsaw showed them
    (datetime(2026, 3, 28, 22, 59), 28), (datetime(2026, 3, 28, 23, 1), 29), (datetime(2026, 3, 29, 21, 59), 29), (datetime(2026, 3, 29, 22, 1), 30),
    (datetime(2026, 10, 24, 21, 59), 24), (datetime(2026, 10, 24, 22, 1), 25), (datetime(2026, 10, 25, 22, 59), 25), (datetime(2026, 10, 25, 23, 1), 26),
    (datetime(2026, 7, 10, 22, 30), 11), (datetime(2026, 1, 10, 22, 30), 10), (datetime(2007, 7, 10, 22, 30), 11),
]  # fmt: skip


@pytest.mark.parametrize("now", [datetime(2026, 7, 1, 12), datetime(2026, 11, 23, 12)], ids=["asked in summer", "asked in winter"])
def test_a_moment_has_the_day_that_the_shops_clock_showed_then(workspace: Workspace, now: datetime) -> None:
    with workspace.warehouse.keep(pa.table({"at": pa.array([moment for moment, _ in ACROSS], pa.timestamp("us"))})) as kept:
        table: Any = kept
        shown = workspace.warehouse.run(table.select("at", day=days._on_clock(table["at"], Ground(now, None, ZONE)).day()))  # pyright: ignore[reportPrivateUsage]
    assert list(zip(shown["at"].to_pylist(), shown["day"].to_pylist(), strict=True)) == ACROSS


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"])
def test_every_change_of_a_clock_is_known(zone: str) -> None:
    usual, others = days.clock(ZoneInfo(zone), 2026)
    for hour in range(0, 24 * 365 * 4, 31):
        moment = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        inside = [seconds for seconds, spans in others for begin, end in spans if begin <= moment.replace(tzinfo=None) < end]
        assert (inside or [usual]) == [(moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds()]


@pytest.mark.parametrize("key", ["date_in_days", "anniversary_in_days"])
def test_midnight_decides_about_a_moment_also_across_a_change_of_the_clock(workspace: Workspace, key: str) -> None:
    """Summer time ended between the moments and now: a minute before and after the midnights that the clock showed then, 22:00 UTC."""
    now = datetime(2026, 10, 26, 12, tzinfo=UTC)
    midnight = datetime(2026, 10, 23, 22, tzinfo=UTC)  # the 24th begins
    seen = {1: midnight - MINUTE, 2: midnight + MINUTE, 3: midnight + timedelta(days=1) - MINUTE, 4: midnight + timedelta(days=1) + MINUTE}
    fill(workspace.warehouse, {person: [page((now - at) / timedelta(days=1))] for person, at in seen.items()}, now)
    rule = {"op": key, "trait": "last_seen", "from_days": -2, "to_days": -2}
    assert segment.members_of(workspace, rule, now).to_pylist() == [2, 3]
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Sobota", rule, now)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(now, ZONE))
        kept = members(conn, [saved.id])
        segment.refresh(conn, workspace.warehouse, [1, 2, 3, 4], segment.AsOf(now, ZONE))
        assert members(conn, [saved.id]) == kept
    agree(workspace, [saved.id], [rule], kept, now)


def test_a_listener_hears_each_change_once(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [order(10)]})
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Kupujący", {"op": "did", "event": "Order Completed", "days": 30}, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        first = segment.reading.changes(conn, 0, 10)
        assert [(one.segment_id, one.person_id, one.entered) for one in first] == [(saved.id, 1, True), (saved.id, 2, True)]
        segment.refresh_due(conn, workspace.warehouse, segment.AsOf(NOW + timedelta(days=20)))
        assert [(one.person_id, one.entered) for one in segment.reading.changes(conn, first[-1].id, 10)] == [(2, False)]
        today = segment.reading.sizes(conn, saved.id, NOW + timedelta(days=20), ZONE, 21)
        assert [(one.members, one.entered, one.left) for one in today if one.entered or one.left] == [(2, 2, 0), (1, 0, 1)]
        assert today[0].members == 2


def test_a_segment_that_rests_on_another_follows_when_that_one_changes(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3)], 2: [page(1)]})
    with workspace.transaction() as conn:
        below = segment.save(conn, "Kupujący", {"op": "did", "event": "Order Completed"}, NOW, key="own.below")
        above = segment.save(conn, "Inni", {"not": {"op": "in_segment", "segment": "own.below"}}, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        segment.save(conn, "Kupujący", {"op": "did", "event": "Page Viewed"}, NOW, key="own.below")
        changes = segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW), only=[below.id])
        assert {change.segment_id: (change.entered, change.left) for change in changes} == {below.id: ((2,), (1,)), above.id: ((1,), (2,))}
        assert segment.reading.dependencies(conn) == [segment.reading.Dependency(above.id, below.id)]
        [overlap] = segment.reading.overlaps(conn, [above.id, below.id])
        assert (overlap.both, overlap.first_members, overlap.second_members, overlap.share) == (0, 1, 1, 0.0)
