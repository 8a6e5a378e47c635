"""Quarantine: nothing crashes intake, everything bad is there with its reason, and it comes back once, however it is replayed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from cegla import trail
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.plan import actions as plan
from cegla.repair import actions as repair
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.intake import FieldMissing, NotReplayable
from cegla.vocabulary.events import Reason, SetAside
from cegla.vocabulary.identifiers import Borne, Identifier

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
GOOD = {"type": "track", "event": "A", "userId": "u1", "timestamp": NOON.isoformat()}
POISON: tuple[tuple[Any, Reason], ...] = (
    (5, Reason.NOT_AN_OBJECT), ([], Reason.NOT_AN_OBJECT), ({}, Reason.UNKNOWN_TYPE), (GOOD | {"type": "nope"}, Reason.UNKNOWN_TYPE),
    (GOOD | {"event": ""}, Reason.MISSING_EVENT_NAME), ({"type": "track", "event": "A"}, Reason.MISSING_IDENTITY),
    (GOOD | {"properties": []}, Reason.FIELD_OF_WRONG_TYPE), (GOOD | {"timestamp": "yesterday"}, Reason.UNREADABLE_TIME),
    (GOOD | {"properties": {"x": "a\0b"}}, Reason.UNREADABLE_TEXT), (GOOD | {"type": "group"}, Reason.MISSING_GROUP),
    (GOOD | {"properties": {str(n): n for n in range(400)}}, Reason.TOO_MANY_FIELDS), (GOOD | {"properties": {"x": "y" * 40_000}}, Reason.EVENT_TOO_LARGE),
    (GOOD | {"messageId": "m" * 200}, Reason.FIELD_OF_WRONG_TYPE),
)  # fmt: skip


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOON
    return workspace


def source(ws: Workspace) -> int:
    with ws.transaction() as conn:
        return collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOON)[0].id


def send(ws: Workspace, source_id: int, *events: Any) -> None:
    with ws.transaction() as conn:
        collect.write_down(conn, source_id, [json.dumps({"batch": events}).encode()], NOON)


def decide(ws: Workspace, what: Any = "replay", wanted: repair.Filter | None = None, fix: object = None, why: str = "") -> repair.Run:
    with ws.transaction() as conn:
        return repair.start(conn, repair.Decision(what, wanted or repair.Filter(), fix, why), "anna", NOON)


def waiting(ws: Workspace) -> list[repair.Quarantined]:
    with ws.transaction() as conn:
        return repair.listed(conn, limit=500)


def rows(ws: Workspace) -> int:
    return ws.warehouse.run(table("events")).num_rows


def adds_up(ws: Workspace) -> bool:
    with ws.transaction() as conn:
        return all(one.adds_up for one in collect.standing(conn))


def test_the_poison_list_is_in_quarantine_each_with_its_reason_and_the_good_event_is_not(ws: Workspace) -> None:
    shop = source(ws)
    send(ws, shop, *(event for event, _ in POISON), GOOD)
    Intake(ws).drain()
    assert sorted(row.reason for row in waiting(ws)) == sorted(reason for _, reason in POISON)
    assert rows(ws) == 1
    assert adds_up(ws)


def test_what_a_fix_mends_comes_in_with_its_own_time_and_the_rest_stays(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, *({**GOOD, "messageId": f"m{number}", "event": None, "properties": {"n": "1,5"}} for number in range(5)))
    intake.drain()
    run = decide(ws, fix={"steps": [{"rename_event": "Mended"}, {"cast": {"path": "properties.n", "to": "number", "decimal": ","}}]})
    assert (run.done, run.events, run.ended_at) == (5, 5, NOON)
    intake.drain()
    stored = ws.warehouse.run(table("events"))
    assert set(stored["name"].to_pylist()) == {"Mended"}
    assert stored["occurred_at"][0].as_py().replace(tzinfo=UTC) == NOON
    assert adds_up(ws)


def test_a_preview_tells_of_the_plan_that_would_refuse_an_event_again(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    rules = "mode: block\nevents:\n  - name: A\n    properties: {n: {type: number, required: true}}\n"
    with ws.transaction() as conn:
        plan.apply(conn, shop, rules, "anna", NOON)
    send(ws, shop, {**GOOD, "messageId": "m1", "properties": {"n": "1,5"}}, {**GOOD, "messageId": "m2", "event": "B"})
    intake.drain()
    numbers: dict[str, Any] = {"steps": [{"cast": {"path": "properties.n", "to": "number", "decimal": ","}}]}
    with ws.transaction() as conn:
        as_it_is, mended = (
            [one.outcome for one in repair.preview(conn, repair.Filter(reason=Reason.PLAN_VIOLATION), fix, ws.settings.collector)] for fix in (None, numbers)
        )
        unplanned = [one.outcome for one in repair.preview(conn, repair.Filter(event="B"), None, ws.settings.collector)]
        blocked = [one.blocked for one in plan.inbox(conn, ws.warehouse, shop, NOON)]
    assert (as_it_is, mended, unplanned) == ([Reason.PLAN_VIOLATION], [None], [Reason.UNPLANNED_EVENT])
    assert blocked == [1, 1]


def test_an_event_that_its_sender_tries_again_is_one_row_that_counts_and_comes_in_once(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    bad = {**GOOD, "messageId": "m1", "event": None}
    send(ws, shop, bad, bad)
    intake.drain()
    send(ws, shop, bad)
    send(ws, shop, {**bad, "messageId": "m2"})
    intake.drain()
    assert sorted((row.message_id, row.times) for row in waiting(ws)) == [("m1", 3), ("m2", 1)]
    decide(ws, wanted=repair.Filter(ids=(min(row.id for row in waiting(ws)),)), fix={"steps": [{"rename_event": "Mended"}]})
    intake.drain()
    assert rows(ws) == 1
    assert adds_up(ws)


def test_the_second_arrival_of_a_waiting_event_leads_to_the_first(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    for _ in range(2):
        send(ws, shop, {**GOOD, "messageId": "m1", "event": None})
    intake.drain()
    (kept,) = waiting(ws)
    second = trail.Place(kept.writer, kept.number + 1, 0)
    assert (trail.follow(ws, second).fate, trail.follow(ws, second).repeat_of) == (trail.Fate.REPEATED, trail.Place(kept.writer, kept.number, 0))


STEPS = st.lists(st.tuples(st.sampled_from(("send", "replay", "discard", "erase", "forget")), st.integers(0, 4), st.integers(0, 2)), max_size=8)


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_tallies_say_what_counting_one_by_one_says(ws: Workspace, steps: list[tuple[str, int, int]]) -> None:
    with ws.transaction() as conn:
        conn.execute("delete from repair.quarantine")
        for what, number, hours in steps:
            now = NOON + timedelta(hours=10 * hours)
            aside = SetAside(source_id=1 + number % 2, reason=(Reason.TOO_DEEP, Reason.MISSING_GROUP)[number % 2], detail="", message_id=f"m{number}",
                payload=json.dumps({"event": f"E{number % 3}"}).encode(), received_at=now, writer=number, number=1, index=0)  # fmt: skip
            open_ids = [row.id for row in repair.listed(conn) if row.message_id == f"m{number}"]
            if what == "send":
                repair.set_aside(conn, [aside], now)
            elif what == "erase":
                repair.store.SQL.empty(conn, ids=open_ids)
            elif what == "forget":
                repair.forget_old(conn, now, of_writer=number)
            else:
                mark = repair.store.SQL.mark_replayed if what == "replay" else repair.store.SQL.mark_discarded
                mark(conn, ids=open_ids, now=now, run_id=1)
        for state in ("open", "replayed", "discarded", "all"):
            for wanted in (repair.Filter(state=state), repair.Filter(state=state, event="E1"), repair.Filter(state=state, source_id=2, until=NOON + timedelta(hours=4))):
                one_by_one = repair.store.SQL.counted(conn, zone="Europe/Warsaw", **repair.store.asked(wanted.keys()))
                assert list(repair.figures.overview(conn, wanted, "Europe/Warsaw").counts) == [tuple(row) for row in one_by_one]


def test_an_event_whose_good_copy_was_applied_meanwhile_is_not_doubled(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, {**GOOD, "messageId": "m1", "event": None})
    send(ws, shop, {**GOOD, "messageId": "m1"})
    intake.drain()
    decide(ws, fix={"steps": [{"rename_event": "Mended"}]})
    intake.drain()
    assert rows(ws) == 1


def test_a_run_goes_on_where_it_stopped(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repair, "AT_ONCE", 3)
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, *({**GOOD, "messageId": f"m{number}", "event": None} for number in range(10)))
    intake.drain()
    run = decide(ws, fix={"steps": [{"rename_event": "Mended"}]})
    assert (run.done, run.ended_at) == (3, None)
    more = True
    while more:
        with ws.transaction() as conn:
            more = repair.work(conn, NOON)
    with ws.transaction() as conn:
        (run,) = repair.runs(conn)
    assert (run.done, run.ended_at) == (10, NOON)
    intake.drain()
    assert rows(ws) == 10


def test_an_erased_event_says_why_it_cannot_come_back_and_its_person_is_gone(ws: Workspace) -> None:
    shop = source(ws)
    send(ws, shop, {**GOOD, "event": None, "messageId": "m1"})
    Intake(ws).drain()
    with ws.transaction() as conn:
        (handed_out,) = repair.export_person(conn, [Borne(Identifier("user_id", "u1"))])["quarantine"]
        assert [json.loads(event)["messageId"] for event in handed_out["events"]] == ["m1"]
        assert repair.erase_person(conn, [Borne(Identifier("user_id", "u1"))]) == 1
    (row,) = waiting(ws)
    assert row.obstacle == "erased"
    with pytest.raises(NotReplayable):
        decide(ws, wanted=repair.Filter(ids=(row.id,)))
    assert decide(ws).left_out == {"erased": 1}


def test_discarding_needs_a_reason_and_is_remembered(ws: Workspace) -> None:
    shop = source(ws)
    send(ws, shop, {**GOOD, "event": None})
    Intake(ws).drain()
    (row,) = waiting(ws)
    with pytest.raises(FieldMissing):
        decide(ws, "discard")
    decide(ws, "discard", why="a test")
    assert waiting(ws) == []
    with ws.transaction() as conn:
        (gone,) = repair.listed(conn, repair.Filter(ids=(row.id,), state="discarded"))
        history = repair.telling.history_of(conn, gone)
    assert history.run is not None
    assert (history.run.why, history.run.started_by) == ("a test", "anna")


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["good", "bad", "replay", "fix", "drain"]), max_size=14))
def test_whatever_is_sent_fixed_and_replayed_the_numbers_add_up(workspace: Workspace, acts: list[str]) -> None:
    workspace.clock = lambda: NOON
    shop, intake = source(workspace), Intake(workspace)
    for number, act in enumerate(acts):
        if act in ("good", "bad"):
            send(workspace, shop, {**GOOD, "messageId": f"m{number % 4}", "event": "A" if act == "good" else None})
        elif act == "drain":
            intake.drain()
        else:
            decide(workspace, fix={"steps": [{"rename_event": "Mended"}]} if act == "fix" else None)
        assert adds_up(workspace)
    intake.drain()
    assert adds_up(workspace)
