"""Plans in an installation: versions are kept, one holds, what is not as planned is counted, kept apart or set aside, on every channel."""

import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.plan import actions as plan
from cegla.repair import actions as repair
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.intake import PlanChanged, PlanInvalid, PlanNotPossible
from cegla.vocabulary.events import Reason
from cegla.vocabulary.identifiers import Borne, Identifier

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
STRICT = "mode: block\nevents:\n  - name: Order Completed\n    properties:\n      total: {type: number, required: true}\n"


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOON
    return workspace


def source(ws: Workspace, kind: str = "server", name: str = "shop") -> int:
    with ws.transaction() as conn:
        return collect.add_source(conn, name, kind, Basis.CONTRACT, NOON)[0].id


def send(ws: Workspace, source_id: int, *events: dict[str, Any]) -> None:
    with ws.transaction() as conn:
        collect.write_down(conn, source_id, [json.dumps({"batch": events}).encode()], NOON)


def order(number: int, **properties: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": "u1", "timestamp": NOON.isoformat(), "properties": properties}


def apply(ws: Workspace, source_id: int, text: str | None, **more: Any) -> plan.Applied:
    with ws.transaction() as conn:
        return plan.apply(conn, source_id, text, "anna", NOON, **more)


def stored(ws: Workspace) -> list[str]:
    return ws.warehouse.run(table("events").order_by("event_id"))["properties"].to_pylist()


def adds_up(ws: Workspace) -> bool:
    with ws.transaction() as conn:
        return all(one.adds_up for one in collect.standing(conn))


@pytest.mark.parametrize("kind", ["server", "website", "import"])
def test_a_blocked_event_waits_in_quarantine_and_comes_in_once_after_the_plan_is_changed(ws: Workspace, kind: str) -> None:
    shop, intake = source(ws, kind), Intake(ws)
    apply(ws, shop, STRICT)
    send(ws, shop, order(1, total=5), order(2, total="5"), order(2, total="5"))
    intake.drain()
    assert len(stored(ws)) == 1
    with ws.transaction() as conn:
        aside = repair.listed(conn)
    assert {(row.reason, row.event) for row in aside} == {(Reason.PLAN_VIOLATION, "Order Completed")}
    apply(ws, shop, STRICT.replace("number", "string"))
    with ws.transaction() as conn:
        repair.start(conn, repair.Decision("replay", repair.Filter(reason=Reason.PLAN_VIOLATION)), "anna", NOON)
    intake.drain()
    assert len(stored(ws)) == 2
    assert adds_up(ws)


def test_what_is_omitted_is_kept_apart_and_never_reaches_the_warehouse(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    apply(ws, shop, STRICT.replace("block", "omit"))
    send(ws, shop, order(1, total=5, colour="red-17"))
    intake.drain()
    assert "red-17" not in str(stored(ws))
    with ws.transaction() as conn:
        (kept,) = plan.export_person(conn, [Borne(Identifier("user_id", "u1"))])["values_kept_apart"]
        assert json.loads(kept["body"])["properties"] == {"colour": "red-17"}
        assert plan.erase_person(conn, [Borne(Identifier("user_id", "u1"))]) == 1
        assert plan.export_person(conn, [Borne(Identifier("user_id", "u1"))]) == {"values_kept_apart": []}


def test_our_own_events_follow_no_plan(ws: Workspace) -> None:
    own = source(ws, "internal", "messages")
    with pytest.raises(PlanNotPossible):
        apply(ws, own, STRICT)


def test_every_version_is_kept_and_one_holds(ws: Workspace) -> None:
    shop = source(ws)
    assert apply(ws, shop, STRICT).version == 1
    assert apply(ws, shop, STRICT).written is False
    second = apply(ws, shop, STRICT.replace("number", "string"), expect=1)
    assert (second.version, [one.breaking for one in second.differences]) == (2, [True])
    with pytest.raises(PlanChanged):
        apply(ws, shop, STRICT, expect=1)
    with pytest.raises(PlanInvalid) as refused:
        apply(ws, shop, "events: 5")
    assert "w wierszu 1: " in refused.value.say("pl")
    assert "in line 1: " in refused.value.say("en")
    apply(ws, shop, None)
    with ws.transaction() as conn:
        assert [(one.version, one.active, one.made_by) for one in plan.versions(conn, shop)] == [(2, False, "anna"), (1, False, "anna")]
    assert apply(ws, shop, STRICT).version == 3


def test_the_inbox_shows_what_came_what_did_not_and_what_is_wrong(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    apply(ws, shop, "unplanned_events: block\nevents:\n- name: Order Completed\n  properties: {total: {type: number}}\n- name: Order Refunded\n")
    send(ws, shop, order(1, total=5), order(2, total="anna@example.pl"), order(3) | {"event": "Odd"})
    intake.drain()
    with ws.transaction() as conn:
        rows = {row.name: row for row in plan.inbox(conn, ws.warehouse, shop, NOON)}
        view = plan.observed(conn, ws.warehouse, shop, "Order Completed", NOON)
    assert {name: row.state for name, row in rows.items()} == {"Order Completed": "broken", "Odd": "blocked", "Order Refunded": "zero"}
    assert (rows["Order Completed"].count, rows["Order Completed"].days[-1], rows["Odd"].blocked) == (2, 2, 1)
    assert (view.violations[0].path, view.violations[0].count) == ("total", 1)
    assert "anna@" not in str(view)
    assert {kind for kind, _ in view.properties[0].types} == {"integer", "string"}


def test_one_click_approves_an_event_with_what_was_seen_and_another_refuses_it(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, *(order(number, total=number, status="new") for number in range(30)))
    intake.drain()
    with ws.transaction() as conn:
        plan.amend(conn, ws.warehouse, shop, plan.Change("approve", "Order Completed"), "anna", NOON)
        planned = plan.versions(conn, shop)[0].plan.newest("Order Completed")
        assert planned is not None
        assert {key: (one.type, one.required) for key, one in planned.properties.items()} == {"status": ("string", True), "total": ("integer", True)}
        plan.amend(conn, ws.warehouse, shop, plan.Change("refuse", "Order Completed"), "anna", NOON)
    send(ws, shop, order(99, total=1, status="new"))
    intake.drain()
    with ws.transaction() as conn:
        assert [row.reason for row in repair.listed(conn)] == [Reason.UNPLANNED_EVENT]


def planned(ws: Workspace, source_id: int, what: Any, **more: Any) -> Any:
    with ws.transaction() as conn:
        plan.amend(conn, ws.warehouse, source_id, plan.Change(what, "Order Completed", **more), "anna", NOON)
        return plan.versions(conn, source_id)[0].plan.newest("Order Completed")


@pytest.mark.parametrize("first", ["label", "refuse"])
def test_an_event_that_was_named_or_refused_first_is_planned_with_what_was_seen_of_it(ws: Workspace, first: str) -> None:
    """Planned as an event that holds nothing, it would be broken by every property it has."""
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, *(order(number, total=number) for number in range(3)))
    intake.drain()
    made = planned(ws, shop, first, label=plan.Words(pl="Zakup") if first == "label" else None)
    if first == "refuse":
        assert made.refused
        made = planned(ws, shop, "approve")
    assert (made.refused, list(made.properties)) == (False, ["total"])


def test_two_clicks_at_once_are_both_kept(ws: Workspace) -> None:
    """Each writes the whole plan anew, so the second must have read what the first wrote."""
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, order(1, total=1), order(2, total=1) | {"event": "Cart Viewed"})
    intake.drain()

    def click(event: str) -> None:
        with ws.transaction() as conn:
            plan.amend(conn, ws.warehouse, shop, plan.Change("approve", event), "jan", NOON)

    second = threading.Thread(target=click, args=("Cart Viewed",))
    with ws.transaction() as conn:
        plan.amend(conn, ws.warehouse, shop, plan.Change("approve", "Order Completed"), "anna", NOON)
        second.start()
        second.join(0.3)
    second.join()
    with ws.transaction() as conn:
        assert {event.name for event in plan.versions(conn, shop)[0].plan.events} == {"Order Completed", "Cart Viewed"}


def test_a_proposed_plan_fits_what_was_sent(ws: Workspace) -> None:
    shop = source(ws)
    send(ws, shop, *(order(number, total=number / 2) for number in range(40)))
    Intake(ws).drain()
    with ws.transaction() as conn:
        text = plan.infer(conn, shop, datetime.now(UTC) + timedelta(hours=1), days=10_000)
    report = plan.check(text, [json.dumps(order(1, total=2.5)), json.dumps(order(2))], ws.settings.collector)
    assert report.problems == []
    assert [(one.line, one.where) for one in report.wrong] == [(2, "Order Completed.total")]


def test_a_proposal_rests_on_requests_spread_over_the_time_and_says_so(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SAMPLED_REQUESTS", 10)
    shop = source(ws)
    for number in range(400):
        send(ws, shop, order(number, half="first" if number < 200 else "second"))
    with ws.transaction() as conn:
        text = plan.infer(conn, shop, datetime.now(UTC) + timedelta(hours=1), days=10_000)
    assert text.startswith("# inferred from 10 events")
    with ws.transaction() as conn:
        sample = collect.sample(conn, next(one for one in collect.sources(conn) if one.id == shop), NOON - timedelta(days=10_000), 100)
    halves = Counter(event.properties["half"] for event in sample)
    assert (len(sample), halves["first"], halves["second"]) == (100, 50, 50)


def test_the_first_plan_of_a_source_breaks_nothing(ws: Workspace) -> None:
    done = apply(ws, source(ws), "mode: block\nevents:\n  - name: Order Completed\n    properties:\n      total: {type: number, required: true}\n")
    assert done.differences
    assert not any(one.breaking for one in done.differences)


def test_counts_of_a_day_have_an_end(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cegla.plan.store.MOST_VIOLATIONS_A_DAY", 5)
    shop, intake = source(ws), Intake(ws)
    apply(ws, shop, "mode: warn\n")
    for start in (0, 10, 20):
        send(ws, shop, *(order(number) | {"event": f"E{number}"} for number in range(start, start + 10)))
        intake.drain()
    with ws.transaction() as conn:
        assert conn.execute("select count(*) from plan.violations").fetchone() == (10,)
