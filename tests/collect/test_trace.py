"""The header of W3C Trace Context is read as the recommendation says, and stays with a request from the door to the history."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from cegla import trail
from cegla.collect import actions as collect
from cegla.collect import store
from cegla.collect.rules.trace import trace_id, traceparent
from cegla.flow import Intake
from cegla.repair import actions as repair
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from tests.collect.opened import EVENT, basic, talk

ID, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{ID}-{SPAN}-01"


@pytest.mark.parametrize(
    ("header", "read"),
    [
        (PARENT, PARENT),
        (f" {PARENT}\t", PARENT),
        (f"cc-{ID}-{SPAN}-01-what-the-future-will-be-like", PARENT),
        (f"cc-{ID}-{SPAN}-01", PARENT),
        (f"{PARENT}-more", None),
        (f"cc-{ID}-{SPAN}-01.more", None),
        (f"ff-{ID}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{ID}-{'0' * 16}-01", None),
        (PARENT.upper(), None),
        (PARENT[:-1], None),
        ("", None),
        (None, None),
        (17, None),
        (f"cc-{ID}-{SPAN}-01-" + "x" * 1_000, None),
    ],
)
def test_the_header_is_read_as_the_recommendation_says(header: object, read: str | None) -> None:
    assert traceparent(header) == read


@pytest.fixture
def shop(workspace: Workspace) -> collect.Source:
    with workspace.transaction() as conn:
        return collect.add_source(conn, "shop", "server", Basis.CONTRACT, workspace.clock())[0]


def traces(workspace: Workspace) -> list[str | None]:
    found = workspace.warehouse.run(trail.profile.past.table("events").order_by("event_id").select("trace_id"))
    return found["trace_id"].to_pylist()


def test_a_trace_goes_from_the_header_to_the_history_and_leads_to_the_event(workspace: Workspace, tmp_path: Path, shop: collect.Source) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        for number, header in enumerate((None, PARENT, "nonsense")):
            headers = basic(shop.key + ":") | ({"traceparent": header} if header else {})
            assert (await client.post("/v1/track", json={**EVENT, "messageId": f"m-{number}"}, headers=headers)).status_code == 200

    talk(workspace.dsn, tmp_path, conversation)
    assert [place.number for place in trail.find_trace(workspace, ID).places] == [2], "also while it waits"
    Intake(workspace).drain()
    assert traces(workspace) == [None, ID, None]
    found = trail.find_trace(workspace, ID)
    assert [row.event_id for row in found.history] == [2]
    followed = trail.follow(workspace, found.places[0])
    assert (followed.fate, followed.message_id, followed.trace_id) == (trail.Fate.APPLIED, "m-1", ID)
    assert trail.find_trace(workspace, "f" * 32) == trail.Found((), True)


def test_a_batch_of_several_traces_says_each_in_its_context(workspace: Workspace, shop: collect.Source) -> None:
    other = PARENT.replace(ID, "a" * 32)
    rows: list[dict[str, Any]] = [{**EVENT, "type": "track", "messageId": str(number)} for number in range(3)]
    rows[1]["context"] = {"traceparent": other}
    rows[2]["context"] = {"traceparent": "nonsense"}
    incoming = store.Incoming(shop.id, workspace.clock(), 3, True, None, json.dumps({"batch": rows}).encode(), trace=PARENT)
    with workspace.transaction() as conn:
        store.append(conn, shop.id, [incoming])
    Intake(workspace).drain()
    assert traces(workspace) == [ID, trace_id(other), ID]
    assert [place.index for place in trail.find_trace(workspace, ID).places] == [0, 2]
    assert [row.event_id for row in trail.find_trace(workspace, trace_id(other)).history] == [2]


def test_an_event_whose_request_names_no_trace_is_found_beside_one_whose_does(workspace: Workspace, shop: collect.Source) -> None:
    named = {**EVENT, "type": "track", "messageId": "2", "context": {"traceparent": PARENT}}
    bodies = (json.dumps({**EVENT, "type": "track", "messageId": "1"}).encode(), PARENT), (json.dumps(named).encode(), None)
    with workspace.transaction() as conn:
        store.append(conn, shop.id, [store.Incoming(shop.id, workspace.clock(), 1, True, None, body, trace=trace) for body, trace in bodies])
    Intake(workspace).drain()
    found = trail.find_trace(workspace, ID)
    assert [row.event_id for row in found.history] == [1, 2]
    assert ([place.number for place in found.places], [row.event_id for row in found.outlasting]) == ([1], [2])


def test_what_comes_back_from_quarantine_stays_in_its_trace(workspace: Workspace, shop: collect.Source) -> None:
    with workspace.transaction() as conn:
        nameless = json.dumps({"type": "track", "userId": "u1", "messageId": "m"}).encode()
        store.append(conn, shop.id, [store.Incoming(shop.id, workspace.clock(), 1, True, None, nameless, trace=PARENT)])
    Intake(workspace).drain()
    (place,) = trail.find_trace(workspace, ID).places
    aside = trail.follow(workspace, place)
    assert (aside.fate, aside.trace_id) == (trail.Fate.QUARANTINED, ID)
    with workspace.transaction() as conn:
        fix = {"steps": [{"set": {"path": "event", "value": "Mended"}}]}
        repair.start(conn, repair.Decision("replay", repair.Filter(source_id=shop.id), fix, ""), "anna", workspace.clock())
    Intake(workspace).drain()
    assert traces(workspace) == [ID]


def test_what_waits_in_quarantine_is_found_by_its_trace_when_its_request_is_gone(workspace: Workspace, shop: collect.Source) -> None:
    own = PARENT.replace(ID, "b" * 32)
    rows = [{"type": "track", "userId": "u1", "messageId": name, "context": context} for name, context in (("m", {}), ("n", {"traceparent": own}))]
    with workspace.transaction() as conn:
        body = json.dumps({"batch": rows}).encode()
        store.append(conn, shop.id, [store.Incoming(shop.id, workspace.clock(), 2, True, None, body, trace=PARENT)])
    Intake(workspace).drain()
    with workspace.transaction() as conn:
        conn.execute("delete from collect.inbox")
    for index, (trace, message) in enumerate(((ID, "m"), ("b" * 32, "n"))):
        found = trail.find_trace(workspace, trace)
        assert found.places == (trail.Place(1, 1, index),)
        gone = trail.follow(workspace, found.places[0])
        assert (gone.fate, gone.message_id, gone.trace_id) == (trail.Fate.QUARANTINED, message, trace)


def test_a_trace_that_is_cut_off_says_so(workspace: Workspace, shop: collect.Source) -> None:
    def send(count: int, first: int) -> trail.Found:
        rows = [{**EVENT, "type": "track", "messageId": str(first + number)} for number in range(count)]
        with workspace.transaction() as conn:
            store.append(conn, shop.id, [store.Incoming(shop.id, workspace.clock(), count, True, None, json.dumps({"batch": rows}).encode(), trace=PARENT)])
        Intake(workspace).drain()
        return trail.find_trace(workspace, ID)

    whole = send(trail.MOST_OF_TRACE, 0)
    assert (whole.complete, len(whole.history)) == (True, trail.MOST_OF_TRACE)
    cut = send(1, trail.MOST_OF_TRACE)
    assert (cut.complete, len(cut.history)) == (False, trail.MOST_OF_TRACE)
