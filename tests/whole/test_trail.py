"""An event is found by its id and followed from the request to what came of it, whatever became of it."""

import json
from typing import Any

import pytest

from cegla import trail
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.trail import Fate
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import NotFound

ORDER = {
    "type": "track", "event": "Order Completed", "messageId": "order-1", "userId": "u1",
    "properties": {"order_id": "Z1", "total": 100, "currency": "PLN", "email": "jan@example.pl", "products": [{"product_id": "1", "price": 100, "quantity": 1}]},
}  # fmt: skip


def sent(ws: Workspace, *events: dict[str, Any]) -> int:
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, ws.clock())
        collect.write_down(conn, source.id, [json.dumps({"batch": list(events)}).encode()], ws.clock())
    return source.id


def only(ws: Workspace, message_id: str) -> trail.Trail:
    found = trail.find(ws, message_id)
    assert found.complete
    assert len(found.places) == 1
    return trail.follow(ws, found.places[0])


def test_an_event_that_waits_is_found_and_said_to_wait(workspace: Workspace) -> None:
    sent(workspace, {"type": "page", "messageId": "before"}, ORDER)
    found = only(workspace, "order-1")
    assert (found.fate, found.events_in_request, found.outcome) == (Fate.WAITING, 2, None)
    assert found.written_at is not None


def test_an_applied_event_leads_to_its_person_traits_and_segments(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        segment.install_ready_made(conn, workspace.clock())
    sent(workspace, ORDER)
    Intake(workspace).drain()
    found = only(workspace, "order-1")
    assert found.fate is Fate.APPLIED
    assert found.outcome is not None
    assert found.outcome.batch == 1
    assert {label.en for label in found.outcome.traits} >= {"Orders", "Money spent"}
    assert found.outcome.refreshed_at is not None
    assert found.outcome.entered
    assert trail.of_history(workspace, found.outcome.event.event_id) == found


def test_an_event_changes_only_the_traits_it_is_counted_in(workspace: Workspace) -> None:
    sent(workspace, ORDER, {"type": "track", "event": "Other", "messageId": "other", "userId": "u1"})
    Intake(workspace).drain()
    outcome = only(workspace, "other").outcome
    assert outcome is not None
    assert "Orders" not in {label.en for label in outcome.traits}


def test_a_repeat_names_the_event_it_repeats(workspace: Workspace) -> None:
    sent(workspace, ORDER)
    Intake(workspace).drain()
    sent(workspace, ORDER)
    Intake(workspace).drain()
    second, first = trail.find(workspace, "order-1").places
    assert trail.follow(workspace, first).fate is Fate.APPLIED
    again = trail.follow(workspace, second)
    assert (again.fate, again.repeat_of) == (Fate.REPEATED, first)


def test_a_quarantined_event_says_why_and_is_found_by_its_number_there(workspace: Workspace) -> None:
    sent(workspace, {"type": "track", "messageId": "nameless", "userId": "u1"})
    Intake(workspace).drain()
    found = only(workspace, "nameless")
    assert found.fate is Fate.QUARANTINED
    assert found.quarantined is not None
    assert trail.of_quarantine(workspace, found.quarantined.id) == found


def test_what_is_only_counted_is_said_to_be(workspace: Workspace) -> None:
    sent(workspace, {"type": "page", "messageId": "visit", "context": {"aggregate": True, "page": {"path": "/"}}})
    Intake(workspace).drain()
    assert only(workspace, "visit").fate is Fate.COUNTED


def test_an_event_without_an_id_is_found_by_the_one_it_was_given(workspace: Workspace) -> None:
    sent(workspace, {"type": "track", "event": "X", "userId": "u"})
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        writer = conn.execute("select writer from collect.inbox").fetchone()
    assert writer is not None
    assert only(workspace, f"cegla-{writer[0]}-1-0").name == "X"


def test_an_older_event_is_told_of_by_the_history_alone(workspace: Workspace) -> None:
    sent(workspace, ORDER)
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        conn.execute("delete from collect.inbox")
        conn.execute("update storage.batches set receipt = null")
    found = trail.of_history(workspace, 1)
    assert (found.fate, found.name, found.payload) == (Fate.APPLIED, "Order Completed", None)


def test_messages_of_a_campaign_for_the_segment_entered_are_what_it_led_to(workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        segment.install_ready_made(conn, workspace.clock())
    sent(workspace, ORDER)
    Intake(workspace).drain()
    outcome = only(workspace, "order-1").outcome
    assert outcome is not None
    entered, person = outcome.entered[0][0], outcome.event.person_id
    with workspace.transaction() as conn:
        conn.execute(
            "insert into activate.campaigns (name, segment_id, purpose, channel, sender, version, holdout_percent, cap, state, created_at, changed_at) "
            "values ('Thanks', %s, %s, 'email', 's', 1, 0, 1, 'sending', now(), now())", [entered, "marketing_email"],
        )  # fmt: skip
        conn.execute("insert into activate.contents values (1, 1, '', '', '', '', '{}', now())")
        conn.execute(
            "insert into activate.messages (campaign_id, person_id, identity_id, state, reason, version, decided_at, due_at) "
            "values (1, %s, %s, 'skipped', 'no_consent', 1, now(), now())", [person, person],
        )  # fmt: skip
    again = only(workspace, "order-1").outcome
    assert again is not None
    assert [one.campaign for one in again.messages] == ["Thanks"]


def test_what_came_is_shown_without_personal_values(workspace: Workspace) -> None:
    shown = trail.hidden(json.dumps(ORDER | {"traits": {"jan@example.pl": 1, "phone": "601234567"}}).encode())
    assert "jan@" not in json.dumps(shown)
    assert "601234567" not in json.dumps(shown)
    assert shown["event"] == "Order Completed"
    assert shown["properties"]["total"] == 100


@pytest.mark.parametrize("name", ["1-1-0", "e9", "q9", "nonsense", "9-9", "e" + "9" * 30])
def test_what_is_not_there_is_not_found(workspace: Workspace, name: str) -> None:
    with pytest.raises(NotFound):
        trail.named(workspace, name)


def test_a_search_reads_the_newest_requests_first_and_says_when_it_did_not_read_all(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cegla.collect.finding.STRETCH", 2)
    with workspace.transaction() as conn:
        shop, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, workspace.clock())
        bodies = [json.dumps({"type": "track", "event": "X", "userId": "u", "messageId": f"m-{number}"}).encode() for number in range(9)]
        collect.write_down(conn, shop.id, bodies, workspace.clock())
    assert trail.find(workspace, "m-1").complete
    assert len(trail.find(workspace, "m-1").places) == 1
    monkeypatch.setattr("cegla.collect.finding.time.monotonic", iter(range(0, 1_000, 6)).__next__)
    hasty = trail.find(workspace, "m-8")
    assert (len(hasty.places), hasty.complete) == (1, False)
