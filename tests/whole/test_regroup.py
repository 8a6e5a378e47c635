"""Who is who changes outside intake: a link undone, rules applied. What follows is as if it had never been otherwise."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cegla import regrouping
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.warehouse import history, table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.identifiers import Identifier

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
LINK = {"type": "alias", "userId": "u1", "previousId": "u2", "messageId": "link"}


@pytest.fixture
def ws(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOON
    return workspace


def order(number: int, user: str, days_ago: int = 1) -> dict[str, Any]:
    at = NOON - timedelta(days=days_ago, minutes=number)
    properties = {"order_id": f"o{number}", "total": 10 * number}
    return {"type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": user, "timestamp": at.isoformat(), "properties": properties}


def consent(user: str, marketing: bool) -> dict[str, Any]:
    context = {"consent": {"categoryPreferences": {"marketing_email": marketing}}}
    return {"type": "identify", "userId": user, "messageId": f"c-{user}", "traits": {"email": f"{user}@x.pl"}, "context": context}


def take_in(ws: Workspace, *events: dict[str, Any]) -> None:
    with ws.transaction() as conn:
        source = collect.add_source(conn, "shop", "server", Basis.CONTRACT, NOON)[0].id
        collect.write_down(conn, source, [json.dumps({"batch": [{"timestamp": NOON.isoformat(), **event} for event in events]}).encode()], NOON)
    Intake(ws).drain()


def people(ws: Workspace) -> dict[str, int]:
    with ws.transaction() as conn:
        found = resolve.look_up(conn, [Identifier("user_id", user) for user in ("u1", "u2")])
    return {user: person for user, person in zip(("u1", "u2"), found, strict=True) if person}


def known(ws: Workspace) -> dict[str, Any]:
    """What every part says of both users: traits, segments, the gate's verdict, orders in the history."""
    said: dict[str, Any] = {}
    counted = ws.warehouse.run(history().group_by("person_id").agg(orders=history().order_id.nunique())).to_pylist()
    for user, person in people(ws).items():
        with ws.transaction() as conn:
            ids = [one.identity_id for one in resolve.identifiers_of(conn, [person])[person]]
            subject = govern.Subject(person, ids, f"{user}@x.pl")
            verdict = govern.allowed(conn, ws.keys, [subject], "marketing", Channel.EMAIL, NOON)[0]
            traits = profile.profiles_of(conn, {person: ids})[person]
            for activity in [key for key in traits if key.startswith("engage")]:
                del traits[activity]  # the call that linked them happened and stays in the history, so it counts as activity
            segments = sorted(row.name for row in segment.segments_of(conn, [person])[person])
        said[user] = (traits, segments, verdict.allowed, verdict.reason, next(row["orders"] for row in counted if row["person_id"] == person))
    return said


def regulars(ws: Workspace) -> None:
    with ws.transaction() as conn:
        segment.save(conn, "Regulars", {"op": "did", "event": "Order Completed", "at_least": 3, "days": 90}, NOON)


def undo(ws: Workspace) -> None:
    with ws.transaction() as conn:
        edges = resolve.links.edges_of(conn, people(ws)["u1"])
        edge = next(edge for edge in edges if edge.rule == "alias" and edge.strong.type == edge.weak.type == "user_id")
    regrouping.take_link_back(ws, edge.edge_id, "ola")


def test_undoing_a_link_leaves_what_would_be_without_it_also_when_it_is_seen_again(ws: Workspace) -> None:
    regulars(ws)
    take_in(ws, order(1, "u1"), order(2, "u1"), order(3, "u2"), order(4, "u2"), consent("u1", True), consent("u2", False))
    apart = known(ws)
    assert (apart["u1"][1], apart["u1"][2], apart["u2"][2]) == ([], True, False)
    take_in(ws, LINK)
    together = known(ws)
    assert together["u1"] == together["u2"]
    assert (together["u1"][1], together["u1"][2], together["u1"][4]) == (["Regulars"], False, 4), "four orders, and the more restrictive of two decisions"
    undo(ws)
    assert known(ws) == apart
    take_in(ws, LINK | {"messageId": "link again"}, order(5, "u2"))
    assert people(ws)["u1"] != people(ws)["u2"]
    assert known(ws)["u1"] == apart["u1"]
    assert known(ws)["u2"][1] == ["Regulars"]


def test_the_warehouse_knows_every_move_once_with_its_event_and_no_name(ws: Workspace) -> None:
    take_in(ws, order(1, "u1"), order(2, "u2"))
    take_in(ws, LINK)
    undo(ws)
    take_in(ws, order(3, "u1"))
    moves = ws.warehouse.run(table("moves").order_by("move_id")).to_pylist()
    with ws.transaction() as conn:
        logged = conn.execute("select move_id, identity_id, from_person, to_person, cause, rule from resolve.moves order by move_id").fetchall()
    assert [tuple(row[name] for name in ("move_id", "identity_id", "from_person", "to_person", "cause", "rule")) for row in moves] == logged
    assert [row["cause"] for row in moves] == ["link", "retraction"]
    assert moves[0]["event_id"] is not None
    assert not any(isinstance(value, str) and value not in ("link", "retraction", "alias") for row in moves for value in row.values())


@pytest.mark.parametrize("step", [step.__name__ for step in regrouping.AFTER_REGROUPING] + ["commit_batch"])
def test_a_crash_while_a_link_is_undone_leaves_it_as_it_was(ws: Workspace, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(ws, order(1, "u1"), order(2, "u2"), LINK)
    before, moves = known(ws), ws.warehouse.run(table("moves")).num_rows
    owner: Any = regrouping.batches if step == "commit_batch" else regrouping
    honest = getattr(owner, step)

    def crashing(*given: Any) -> None:
        honest(*given)
        raise KeyboardInterrupt(step)

    crashing.__name__ = step
    with monkeypatch.context() as patch:
        if step == "commit_batch":
            patch.setattr(owner, step, crashing)
        else:
            patch.setattr(regrouping, "AFTER_REGROUPING", [crashing if one.__name__ == step else one for one in regrouping.AFTER_REGROUPING])
        with pytest.raises(KeyboardInterrupt):
            undo(ws)
    assert (known(ws), ws.warehouse.run(table("moves")).num_rows) == (before, moves)
    undo(ws)
    assert people(ws)["u1"] != people(ws)["u2"]


def test_applied_rules_move_the_history_with_the_people(ws: Workspace) -> None:
    take_in(ws, LINK, order(1, "u1"), *({"type": "identify", "userId": "u1", "messageId": f"e{n}", "traits": {"email": f"e{n}@x.pl"}} for n in range(4)))
    take_in(ws, *({"type": "track", "event": "Seen", "messageId": f"s{n}", "properties": {"email": f"e{n}@x.pl"}, "anonymousId": f"b{n}"} for n in range(4)))
    owners = history().person_id.nunique().name("people")
    assert ws.warehouse.run(history().aggregate(owners))["people"][0].as_py() == 1
    assert regrouping.apply_rules(ws, {"types": {"email": {"limit": 1}}}, "ola") > 0
    assert ws.warehouse.run(history().aggregate(owners))["people"][0].as_py() == 4
    assert regrouping.apply_rules(ws, {}, "ola") > 0
    assert ws.warehouse.run(history().aggregate(owners))["people"][0].as_py() == 1
    with ws.transaction() as conn:
        assert [row.action for row in govern.audit(conn, 2)] == ["identity.rules"] * 2
