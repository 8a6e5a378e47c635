"""The river as a whole, in one process: what goes in at the inbox comes out as people, traits and segments, once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cegla import flow
from cegla.collect import actions as collect
from cegla.flow import Batch, Intake
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.warehouse import history, table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.events import Reason
from cegla.vocabulary.identifiers import Identifier

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
AGREED = {"consent": {"categoryPreferences": {"analytics": True}}}


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOON
    return workspace


def source(ws: Workspace, basis: Basis = Basis.CONTRACT, name: str = "shop") -> int:
    with ws.transaction() as conn:
        return collect.add_source(conn, name, "server", basis, NOON)[0].id


def send(ws: Workspace, source_id: int, *events: dict[str, Any]) -> None:
    with ws.transaction() as conn:
        collect.write_down(conn, source_id, [json.dumps({"batch": list(events)}).encode()], NOON)


def order(number: int, user: str, total: float, days_ago: int = 1) -> dict[str, Any]:
    at = NOON - timedelta(days=days_ago, minutes=number)
    return {"type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": user, "timestamp": at.isoformat(), "properties": {"order_id": f"o{number}", "total": total}}


def rows(ws: Workspace) -> int:
    return ws.warehouse.run(table("events").aggregate(n=table("events").count()))["n"][0].as_py()


def person(ws: Workspace, kind: str, value: str) -> int:
    with ws.transaction() as conn:
        found = resolve.look_up(conn, [Identifier(kind, value)])[0]
    assert found is not None
    return found


def test_orders_become_a_person_with_traits_in_a_segment(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    with ws.transaction() as conn:
        saved = segment.save(conn, "Regulars", {"op": "did", "event": "Order Completed", "at_least": 2, "days": 90}, NOON)
    send(ws, shop, order(1, "u1", 100.0), order(2, "u1", 50.5), order(3, "u2", 7.0))
    assert intake.drain() == 3
    anna = person(ws, "user_id", "u1")
    with ws.transaction() as conn:
        known = profile.profiles_of(conn, [anna])[anna]
        members = [member.person_id for member in segment.membership(conn, saved.id, 0, 10)]
    assert known["order_count"] == 2
    assert known["monetary_micros"] == 150_500_000
    assert members == [anna]


def test_a_request_sent_twice_counts_once(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    for _ in range(3):
        send(ws, shop, order(1, "u1", 100.0))
    intake.drain()
    send(ws, shop, order(1, "u1", 100.0), order(2, "u1", 1.0))
    intake.drain()
    assert rows(ws) == 2
    with ws.transaction() as conn:
        standing = next(standing for standing in collect.standing(conn) if standing.source_id == shop)
    assert (standing.accepted, standing.applied, standing.repeated, standing.quarantined, standing.waiting) == (5, 2, 3, 0, 0)


@pytest.mark.parametrize("step", [step.__name__ for step in flow.IN_THE_WORKER] + ["_settle"])
def test_a_crash_after_any_step_changes_nothing_and_the_replay_is_exact(ws: Workspace, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, order(1, "u1", 100.0))
    intake.drain()
    send(ws, shop, order(2, "u1", 50.0), order(3, "u2", 50.0))
    honest = getattr(flow, step)

    def crashing(batch: Batch) -> None:
        honest(batch)
        raise KeyboardInterrupt(step)

    crashing.__name__ = step
    with monkeypatch.context() as patch:
        if step == "_settle":
            patch.setattr(flow, "_settle", crashing)
        else:
            patch.setattr(intake, "_steps", [crashing if s.__name__ == step else s for s in flow.IN_THE_WORKER])
        with pytest.raises(KeyboardInterrupt):
            intake.take_in()
    Intake(ws).drain()
    assert rows(ws) == 3
    counted = ws.warehouse.run(history().group_by("person_id").agg(total=history().value_micros.sum()).order_by("person_id"))
    assert [int(total) for total in counted["total"].to_pylist()] == [150_000_000, 50_000_000]


def order_counts(ws: Workspace) -> dict[str, int]:
    people = {user: person(ws, "user_id", user) for user in ("u1", "u2")}
    with ws.transaction() as conn:
        known = profile.profiles_of(conn, list(people.values()))
    return {user: known[number].get("order_count", 0) for user, number in people.items()}


@pytest.mark.parametrize("step", [step.__name__ for step in flow.RIGHT_AFTER])
def test_a_crash_between_a_batch_and_what_follows_from_it_only_delays_traits_and_segments(ws: Workspace, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, intake = source(ws), Intake(ws)
    with ws.transaction() as conn:
        saved = segment.save(conn, "Buyers", {"op": "did", "event": "Order Completed", "at_least": 2, "days": 90}, NOON)
    send(ws, shop, order(1, "u1", 100.0), order(2, "u2", 1.0))
    intake.drain()
    send(ws, shop, order(3, "u1", 50.0))
    intake.apply()
    send(ws, shop, order(4, "u2", 50.0))
    intake.apply()
    assert order_counts(ws) == {"u1": 1, "u2": 1}

    def crashing(refresh: flow.Refresh) -> None:
        getattr(flow, step)(refresh)
        raise KeyboardInterrupt(step)

    with monkeypatch.context() as patch:
        patch.setattr(flow, "RIGHT_AFTER", [crashing if s.__name__ == step else s for s in flow.RIGHT_AFTER])
        with pytest.raises(KeyboardInterrupt):
            flow.refresh(ws)
    assert order_counts(ws) == {"u1": 1, "u2": 1}
    Intake(ws).drain()
    assert order_counts(ws) == {"u1": 2, "u2": 2}
    with ws.transaction() as conn:
        assert {member.person_id for member in segment.membership(conn, saved.id, 0, 10)} == {person(ws, "user_id", user) for user in ("u1", "u2")}
    assert flow.refresh(ws) is None


def test_in_a_hurry_traits_follow_and_what_analysers_find_is_made_up_for_later(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, order(1, "u1", 100.0), order(2, "u2", 1.0))
    intake.apply()
    flow.refresh(ws, hurried=True)
    one, other = person(ws, "user_id", "u1"), person(ws, "user_id", "u2")
    assert order_counts(ws) == {"u1": 1, "u2": 1}
    assert found_of(ws, one, other) == {one: False, other: False}
    assert flow.refresh(ws, hurried=True) is None
    send(ws, shop, order(3, "u2", 5.0))
    intake.apply()
    flow.refresh(ws)
    assert found_of(ws, one, other) == {one: True, other: True}
    assert flow.refresh(ws) is None


def found_of(ws: Workspace, *people: int) -> dict[int, bool]:
    """Whether analysers know anything of people."""
    with ws.transaction() as conn:
        return {one: bool(profile.export_person(conn, [one])["findings"]) for one in people}


def test_people_who_became_one_before_anybody_looked_leave_one_profile(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    with ws.transaction() as conn:
        saved = segment.save(conn, "Buyers", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, NOON)
    send(ws, shop, order(1, "u1", 100.0), order(2, "u2", 1.0))
    intake.drain()
    before = {person(ws, "user_id", "u1"), person(ws, "user_id", "u2")}
    send(ws, shop, {"type": "alias", "userId": "u1", "previousId": "u2", "messageId": "a1"})
    intake.apply()
    send(ws, shop, order(3, "u2", 5.0))
    intake.apply()
    flow.refresh(ws)
    (one,) = {person(ws, "user_id", "u1"), person(ws, "user_id", "u2")}
    with ws.transaction() as conn:
        known = profile.profiles_of(conn, list(before))
        assert [member.person_id for member in segment.membership(conn, saved.id, 0, 10)] == [one]
    assert known == {one: known[one]} | {key: {} for key in before - {one}}
    assert known[one]["order_count"] == 3


def test_traits_are_never_computed_from_a_batch_that_is_not_committed(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, order(1, "u1", 100.0), order(2, "u2", 1.0))
    intake.drain()
    send(ws, shop, order(3, "u1", 50.0))
    seen: list[object] = []

    def look(batch: Batch) -> None:
        flow.append(batch)
        with ws.warehouse.snapshot(batch.before.number) as past:
            seen.append(past)

    monkeypatch.setattr(intake, "_steps", [look if step is flow.append else step for step in flow.IN_THE_WORKER])
    with ws.warehouse.snapshot(1) as past:
        assert past is not None
        intake.apply()
        assert past.people_since(1) == []
        assert past.run(table("events").aggregate(n=table("events").count()))["n"].to_pylist() == [2]
    assert seen == [None]
    with ws.warehouse.snapshot(2) as now:
        assert now is not None
        assert now.people_since(1) == [person(ws, "user_id", "u1")]


def test_a_request_that_no_step_can_stand_is_set_aside_and_the_rest_goes_on(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, order(1, "u1", 1.0))
    send(ws, shop, order(2, "cursed", 1.0))
    send(ws, shop, order(3, "u3", 1.0))

    def fails(batch: Batch) -> None:
        flow.enrich(batch)
        if any(event.user_id == "cursed" for event in batch.events):
            raise ValueError("nobody thought of this")

    monkeypatch.setattr(intake, "_steps", [fails if step is flow.enrich else step for step in flow.IN_THE_WORKER])
    intake.drain()
    assert rows(ws) == 2
    with ws.transaction() as conn:
        kept = repair.listed(conn)
    assert [row.reason for row in kept] == [Reason.INTAKE_FAILED]
    assert b"cursed" in (kept[0].payload or b"")


def test_without_consent_nothing_of_a_visit_is_kept_but_the_refusal(ws: Workspace) -> None:
    site, intake = source(ws, Basis.CONSENT, "site"), Intake(ws)

    def page(minute: int, context: dict[str, Any]) -> dict[str, Any]:
        at = (NOON - timedelta(minutes=9 - minute)).isoformat()
        return {"type": "page", "anonymousId": "browser-1", "messageId": str(minute), "timestamp": at, "properties": {"path": "/secret"}, "context": context}

    send(ws, site, page(1, {}), page(2, {"consent": {"categoryPreferences": {"analytics": False}}}))
    send(ws, site, page(3, AGREED))
    intake.drain()
    assert rows(ws) == 1
    with ws.transaction() as conn:
        assert {(row.reason, row.payload) for row in repair.listed(conn)} == {(Reason.NO_CONSENT, None)}


def test_an_anonymous_visit_follows_the_person_who_signs_in(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    send(ws, shop, {"type": "page", "anonymousId": "b1", "messageId": "1"})
    intake.drain()
    before = person(ws, "anonymous_id", "b1")
    send(ws, shop, {"type": "identify", "anonymousId": "b1", "userId": "u1", "messageId": "2", "traits": {"email": "Anna@Example.pl"}})
    intake.drain()
    assert person(ws, "user_id", "u1") == person(ws, "email", "anna@example.pl") == person(ws, "anonymous_id", "b1") == before
    assert ws.warehouse.run(history().group_by("person_id").agg(n=history().count()))["n"].to_pylist() == [2]


def test_personal_data_never_reaches_the_warehouse(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    canary = "canary.person@example.pl"
    send(
        ws, shop,
        {"type": "identify", "userId": "u1", "messageId": "1", "traits": {"email": canary, "firstName": "Kanarek", "phone": "+48600100200", "city": "Łódź"}},
        {"type": "page", "userId": "u1", "messageId": "2", "context": {"page": {"url": f"https://s.test/?email={canary}", "path": "/x", "title": f"Hej {canary}"}}},
        {"type": "track", "event": "Form Sent", "userId": "u1", "messageId": "3", "properties": {"note": f"write to {canary}", "email": canary, "tel": "600100200"}},
    )  # fmt: skip
    intake.drain()
    stored = json.dumps(ws.warehouse.run(table("events")).to_pylist(), default=str)
    assert "Form Sent" in stored
    assert not any(secret in stored for secret in (canary, "Kanarek", "600100200"))


def test_who_objects_to_profiling_leaves_every_segment(ws: Workspace) -> None:
    shop, intake = source(ws), Intake(ws)
    with ws.transaction() as conn:
        saved = segment.save(conn, "Buyers", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, NOON)
    send(ws, shop, order(1, "u1", 100.0), order(2, "u2", 50.0))
    intake.drain()
    objection = {"consent": {"categoryPreferences": {"profiling": False}}}
    send(ws, shop, {"type": "page", "userId": "u1", "messageId": "p1", "context": objection})
    intake.drain()
    with ws.transaction() as conn:
        assert [member.person_id for member in segment.membership(conn, saved.id, 0, 10)] == [person(ws, "user_id", "u2")]
