"""The profile API: by any identifier in the body, in one shape, only for who may, the same while nothing changes; and its browser-safe sister."""

import base64
import json
import socket
import threading
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from cegla.api.app import build_api
from cegla.api.front import FrontedServer
from cegla.api.inside import Inside
from cegla.api.profiles import Profiles, Question
from cegla.api.shapes import IdentifierBody, ReadProfile
from cegla.app import HOLDERS
from cegla.collect import actions as collect
from cegla.defining import define_traits
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.http import protocol
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis, Channel, Decision, State
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.access import WrongKey
from tests.resolve.known import event

OWNER = "owner-token"
BROWSER = "4be0643f-1d98-573b-97cd-ca98a65347dd"
NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=UTC)
TRAITS = """
traits:
  orders: {compute: count, event: Order Completed}
  shown: {compute: count, event: Order Completed, on_site: true}
"""
ORIGIN = "https://sklep.example"


@pytest.fixture
def shop(workspace: Workspace) -> dict[str, Any]:
    """Anna: a browser, a customer number and an e-mail address, an order and declared traits from two sources."""
    workspace.clock = lambda: NOW
    at = (NOW - timedelta(days=1)).isoformat()
    base = {"userId": "anna-1", "timestamp": at, "context": {"traits": {"email": "Anna@Example.pl"}}}
    events = [
        {**base, "type": "track", "event": "Order Completed", "messageId": "m1", "anonymousId": BROWSER, "properties": {"order_id": "o1", "total": 12.5}},
        {**base, "type": "identify", "messageId": "m2", "traits": {"city": "Łódź", "plan": "gold"}},
    ]
    later = {**base, "type": "identify", "messageId": "m3", "timestamp": NOW.isoformat(), "traits": {"city": "Kraków", "plan": None}}
    with workspace.transaction() as conn:
        crm, secret = collect.add_source(conn, "CRM", "server", Basis.CONTRACT, NOW)
        site, _ = collect.add_source(conn, "Sklep", "website", Basis.CONTRACT, NOW)
        collect.write_down(conn, crm.id, [json.dumps(one).encode() for one in events], NOW)
        collect.write_down(conn, site.id, [json.dumps(later).encode()], NOW)
    intake = Intake(workspace)
    intake.recover()
    assert intake.drain() == 3
    define_traits(workspace, segment.computed.read(TRAITS), "anna")
    return {"secret": secret, "crm": crm, "site": site}


@contextmanager
def fronted(app: Starlette, built: FastAPI) -> Generator[str]:
    """A real server on a port of its own; yields its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = FrontedServer(uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5), built)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(params=["behind", "front"])
def api(request: pytest.FixtureRequest, workspace: Workspace) -> Generator[httpx.Client]:
    """The API as the ASGI server behind answers it, and as the front does, over a socket."""
    built = build_api(workspace, HOLDERS, OWNER)
    app = Starlette(routes=[Mount("/api/v1", built)])
    if request.param == "behind":
        with httpx.Client(transport=Inside(app), base_url="http://cegla.local/api/v1/") as client:
            yield client
    else:
        with fronted(app, built) as address, httpx.Client(base_url=f"{address}/api/v1/", timeout=60) as client:
            yield client


@pytest.fixture
def asker(api: httpx.Client, shop: dict[str, Any]) -> httpx.Client:
    api.headers["authorization"] = f"Bearer {shop['secret']}"
    return api


def tell(ws: Workspace, shop: dict[str, Any], *calls: dict[str, Any]) -> None:
    """The CRM says something more, and intake takes it in."""
    bodies = [json.dumps({"timestamp": NOW.isoformat(), "messageId": str(uuid.uuid4()), **one}).encode() for one in calls]
    with ws.transaction() as conn:
        collect.write_down(conn, shop["crm"].id, bodies, NOW)
    assert Intake(ws).drain() == len(calls)


def read(client: httpx.Client, kind: str = "user_id", value: str = "anna-1", **rest: Any) -> httpx.Response:
    return client.post("profiles/read", json={"identifier": {"type": kind, "value": value}, **rest})


@pytest.mark.parametrize(("kind", "value"), [("user_id", "anna-1"), ("email", " anna@EXAMPLE.pl"), ("anonymous_id", BROWSER), ("person", "p1")])
def test_any_identifier_finds_the_person(asker: httpx.Client, kind: str, value: str) -> None:
    found = read(asker, kind, value)
    assert found.status_code == 200, found.text
    assert found.json()["traits"]["orders"] == 1
    assert found.json()["traits"]["order_count"] == 1


@pytest.mark.parametrize(("kind", "value"), [("user_id", "nobody"), ("email", "not an address"), ("nonsense", "x"), ("person", "p999"), ("person", "x")])
def test_who_is_not_there_is_not_found_and_not_shown(asker: httpx.Client, kind: str, value: str) -> None:
    found = read(asker, kind, value)
    assert (found.status_code, found.json()["code"]) == (404, "CEGLA-E0400")
    assert "not an address" not in found.text


def test_every_part_can_be_asked_for(asker: httpx.Client) -> None:
    parts = ["traits", "segments", "scores", "consents", "identifiers", "timeline"]
    found = read(asker, include=parts, limit=1).json()
    assert set(found) == {"person", *parts}
    assert {one["type"] for one in found["identifiers"]} == {"user_id", "email", "anonymous_id"}
    assert "anna@example.pl" not in json.dumps(found)  # masked, as everything a secret key sees
    assert len(found["timeline"]["events"]) == 1
    rest = read(asker, include=["timeline"], before=found["timeline"]["next_before"]).json()["timeline"]
    assert len(rest["events"]) == 2
    assert 0 < found["scores"]["engagement"] <= 100
    assert set(read(asker, traits=["orders"]).json()["traits"]) == {"orders"}


def test_every_trait_says_where_it_is_from(asker: httpx.Client, shop: dict[str, Any]) -> None:
    traits = read(asker, verbose=True).json()["traits"]
    city = traits["city"]
    assert (city["value"], city["source"], city["source_id"], city["message_id"], city["basis"]) == ("Kraków", "Sklep", shop["site"].id, "m3", "contract")
    assert (traits["orders"]["source"], traits["orders"]["method"], traits["orders"]["evidence"]) == ("definition", "definition:orders@1", 1)
    assert traits["orders"]["event_id"] == 1
    assert (traits["order_count"]["source"], traits["order_count"]["confidence"]) == ("built_in", 1.0)


def test_a_ranking_of_sources_holds_over_time_and_a_correction_over_all(asker: httpx.Client, shop: dict[str, Any]) -> None:
    declared = {"traits": ["city", "plan"]}
    assert read(asker, **declared).json()["traits"] == {"city": "Kraków"}  # null took the plan back
    owner = {"authorization": f"Bearer {OWNER}"}
    assert asker.post("traits/ranking", json={"sources": [shop["crm"].id]}, headers=owner).status_code == 200
    assert read(asker, **declared).json()["traits"] == {"city": "Łódź", "plan": "gold"}
    assert asker.post("people/p1/correct", json={"trait": "city", "value": ""}, headers=owner).status_code == 200
    assert read(asker, **declared).json()["traits"] == {"city": "", "plan": "gold"}
    assert read(asker, verbose=True, **declared).json()["traits"]["city"]["source"] == "correction"
    assert asker.post("people/p1/correct", json={"trait": "city", "take_back": True}, headers=owner).status_code == 200
    assert asker.post("traits/ranking", json={"sources": []}, headers=owner).status_code == 200
    assert read(asker, **declared).json()["traits"] == {"city": "Kraków"}


def members(workspace: Workspace, rule: dict[str, Any]) -> list[int]:
    """Who the rule holds for, by the one question and by the stored membership."""
    with workspace.transaction() as conn:
        saved = segment.save(conn, "S", rule, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        stored = [one.person_id for one in segment.membership(conn, saved.id, 0, 9)]
    assert segment.count(workspace, rule, NOW).members == len(stored)
    return stored


def test_segments_see_what_was_corrected_ranked_and_taken_back(asker: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    gold, krakow, lodz = ({"op": "trait_is", "trait": f"declared.{key}", "value": value} for key, value in (("plan", "gold"), ("city", "Kraków"), ("city", "Łódź")))
    owner = {"authorization": f"Bearer {OWNER}"}
    assert members(workspace, gold) == []  # null took it back
    assert (members(workspace, krakow), members(workspace, lodz)) == ([1], [])
    asker.post("traits/ranking", json={"sources": [shop["crm"].id]}, headers=owner).raise_for_status()
    assert (members(workspace, gold), members(workspace, krakow), members(workspace, lodz)) == ([1], [], [1])
    for value, found in (("silver", []), ("gold", [1]), (None, [])):
        asker.post("people/p1/correct", json={"trait": "plan", "value": value}, headers=owner).raise_for_status()
        assert members(workspace, gold) == found
    asker.post("people/p1/correct", json={"trait": "plan", "take_back": True}, headers=owner).raise_for_status()
    assert members(workspace, gold) == [1]


def test_a_correction_moves_the_person_in_and_out_of_segments_at_once(asker: httpx.Client, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        saved = segment.save(conn, "Opole", {"op": "trait_is", "trait": "declared.city", "value": "Opole"}, NOW)
    owner = {"authorization": f"Bearer {OWNER}"}
    for body, found in (({"value": "Opole"}, [1]), ({"take_back": True}, [])):
        asker.post("people/p1/correct", json={"trait": "city", **body}, headers=owner).raise_for_status()
        with workspace.transaction() as conn:
            assert [one.person_id for one in segment.membership(conn, saved.id, 0, 9)] == found


def test_a_ranking_is_a_part_of_the_yaml(asker: httpx.Client, shop: dict[str, Any]) -> None:
    owner = {"authorization": f"Bearer {OWNER}"}
    asker.post("traits", json={"text": "ranking: [Sklep, CRM]"}, headers=owner).raise_for_status()
    text = asker.get("traits", headers=owner).json()["text"]
    assert text.startswith("ranking:\n- Sklep\n- CRM\n")
    assert asker.post("traits", json={"text": text}, headers=owner).json() == {"changed": [], "ranking": ["Sklep", "CRM"], "dry_run": False}
    for wrong, status in (("ranking: [Nikt]", 404), ("ranking: Sklep", 422), ("ranking: [Sklep, Sklep]", 422), ("other: 1", 422)):
        assert asker.post("traits", json={"text": wrong}, headers=owner).status_code == status


def test_a_decision_per_purpose_and_channel_and_a_no_of_any_name_first(asker: httpx.Client, workspace: Workspace) -> None:
    """Changed minds are history; a name that said no binds the person, though another said yes since."""
    said = [(1, State.REFUSED, 3), (1, State.GIVEN, 2), (2, State.WITHDRAWN, 2), (1, State.GIVEN, -9)]  # the last one is dated ahead
    with workspace.transaction() as conn:
        rows = [Decision(name, "marketing", Channel.EMAIL, state, NOW - timedelta(hours=ago), 1, "event", {}) for name, state, ago in said]
        govern.record(conn, [*rows, Decision(1, "marketing", Channel.SMS, State.GIVEN, NOW - timedelta(hours=1), 1, "event", {})], NOW)
    found = read(asker, include=["consents"]).json()["consents"]
    assert [(one["channel"], one["state"]) for one in found] == [("email", "withdrawn"), ("sms", "given")]


@pytest.mark.parametrize(("kind", "value"), [("user_id", "a\0b"), ("a\0b", "x"), ("email", "a\0@x.pl"), ("person", "p1\0"), ("person", "9" * 400), ("phone", "\u0660" * 90)])
def test_who_asks_for_what_no_store_can_hold_spoils_nobody_elses_question(workspace: Workspace, shop: dict[str, Any], kind: str, value: str) -> None:
    """Questions that come together are looked up together, those of strangers too."""
    profiles = Profiles(workspace)
    for token in (shop["secret"], "nonsense"):
        asked = [("anna-1", "user_id", shop["secret"]), (value, kind, token)]
        good, bad = profiles._look([Question(key, (one,), ReadProfile(identifier=one)) for text, sort, key in asked if (one := IdentifierBody(type=sort, value=text))])
        assert isinstance(good[0], dict) and good[0]["person"] == "p1"
        assert isinstance(bad[0], NotFound if token == shop["secret"] else WrongKey)


def test_a_type_that_only_senders_know_finds_the_person_too(asker: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    tell(workspace, shop, {"type": "track", "event": "x", "userId": "anna-1", "context": {"externalIds": [{"type": "Allegro", "id": "AL-7"}]}})
    assert read(asker, "allegro", "AL-7").json()["person"] == read(asker, " Allegro", " AL-7 ").json()["person"] == "p1"


def test_who_is_joined_to_another_while_being_looked_for_is_found_where_they_are_now(
    asker: httpx.Client, shop: dict[str, Any], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(workspace, shop, {"type": "identify", "userId": "bea-2", "traits": {"city": "Hel"}})
    look = resolve.links.identities_by_person

    def late(conn: Connection, people: Sequence[int]) -> dict[int, list[int]]:
        monkeypatch.setattr(resolve.links, "identities_by_person", look)
        tell(workspace, shop, {"type": "alias", "userId": "anna-1", "previousId": "bea-2"})
        return look(conn, people)

    monkeypatch.setattr(resolve.links, "identities_by_person", late)
    found = read(asker, "user_id", "bea-2").json()
    assert (found["person"], found["traits"]["orders"]) == ("p1", 1)


def test_who_is_joined_to_another_while_being_shown_is_shown_where_they_are_now(
    asker: httpx.Client, shop: dict[str, Any], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(workspace, shop, {"type": "identify", "userId": "bea-2", "traits": {"city": "Hel"}})
    look = resolve.identifiers_of

    def late(conn: Connection, people: Sequence[int]) -> Any:
        monkeypatch.setattr(resolve, "identifiers_of", look)
        tell(workspace, shop, {"type": "alias", "userId": "anna-1", "previousId": "bea-2"})
        return look(conn, people)

    person = read(asker, "user_id", "bea-2").json()["person"]
    monkeypatch.setattr(resolve, "identifiers_of", late)
    found = asker.get(f"people/{person}")
    assert (person != "p1", found.status_code, found.json()["person"]) == (True, 200, "p1")


def test_nothing_new_is_not_sent_again(asker: httpx.Client, workspace: Workspace) -> None:
    tag = read(asker).headers["etag"]
    same = asker.post("profiles/read", json={"identifier": {"type": "user_id", "value": "anna-1"}}, headers={"if-none-match": f'"x", {tag}'})
    assert (same.status_code, same.content) == (304, b"")
    any_version = asker.post("profiles/read", json={"identifier": {"type": "user_id", "value": "anna-1"}}, headers={"if-none-match": "*"})
    assert (any_version.status_code, any_version.headers["etag"], any_version.content) == (304, tag, b"")
    nobody = asker.post("profiles/read", json={"identifier": {"type": "user_id", "value": "nobody"}}, headers={"if-none-match": "*"})
    assert nobody.status_code == 404
    assert read(asker, include=["traits"]).headers["etag"] != tag


def test_many_are_read_at_once_and_who_is_missing_is_told_in_place(asker: httpx.Client) -> None:
    wanted = [{"type": "user_id", "value": "anna-1"}, {"type": "user_id", "value": "nobody"}, {"type": "email", "value": "anna@example.pl"}]
    found = asker.post("profiles/read-many", json={"identifiers": wanted}).json()["profiles"]
    assert (found[0]["person"], found[1]["error"]["code"], found[2]["person"]) == ("p1", "CEGLA-E0400", "p1")


def test_only_a_secret_key_or_a_user_reads(api: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    assert read(api).status_code == 401
    for key in (shop["site"].key, "nonsense"):
        api.headers["authorization"] = f"Bearer {key}"
        assert read(api).status_code == 401
        assert api.post("profiles/read-many", json={"identifiers": [{"type": "user_id", "value": "x"}]}).status_code == 401
    api.headers["authorization"] = f"Bearer {shop['secret']}"
    assert read(api).status_code == 200


@pytest.mark.parametrize("body", [{}, {"identifier": {"type": "email"}}, {"identifier": {"type": "a", "value": "b"}, "include": ["all"]}, {"identifier": 1, "x": 2}])
def test_a_wrong_question_says_where(asker: httpx.Client, body: Any) -> None:
    answer = asker.post("profiles/read", json=body)
    assert answer.status_code == 422
    assert answer.json()["where"].startswith("/")


def test_links_come_page_by_page(asker: httpx.Client) -> None:
    whole = asker.get("people/p1/links").json()
    assert len(whole["links"]) == 2
    assert (whole["next_after"], whole["next_moves_after"]) == (None, None)
    page, seen, moves = asker.get("people/p1/links", params={"limit": 1}).json(), [], []
    while True:
        seen += page["links"]
        moves += page["merges"]
        if page["next_after"] is None and page["next_moves_after"] is None:
            break
        page = asker.get("people/p1/links", params={"limit": 1, "after": page["next_after"] or 2**40, "moves_after": page["next_moves_after"] or 2**40}).json()
    assert seen == whole["links"]
    assert moves == whole["merges"]


def test_a_former_number_finds_who_holds_it_however_many_are_called_like_it(asker: httpx.Client, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        last = max(resolve.find_people(conn, [event(0, "newest")]).identity_ids)
        label = f"p{last + 103}"
        resolve.find_people(conn, [event(1, f"{label}-{number}") for number in range(101)])
        resolve.find_people(conn, [event(2, "joined", "hers")])
        found = resolve.find_people(conn, [event(3, None, "hers")]).people
    assert found == [last + 102]
    assert asker.get(f"people/{label}").json() == asker.get(f"people/p{last + 102}").json()


# what a page may see ------------------------------------------------------------------------------------------------------


def agree(ws: Workspace, state: State = State.GIVEN) -> None:
    with ws.transaction() as conn:
        govern.record(conn, [Decision(1, "marketing", Channel.SITE, state, NOW - timedelta(hours=1), 1, "event", {})], NOW)


def visit(api: httpx.Client, key: str, browser: str = BROWSER, origin: str | None = ORIGIN) -> httpx.Response:
    headers = {"content-type": "text/plain"} | ({"origin": origin} if origin else {})
    return api.post("visitor", content=json.dumps({"write_key": key, "anonymous_id": browser}), headers=headers)


@pytest.fixture
def page(api: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> httpx.Client:
    with workspace.transaction() as conn:
        conn.execute("update collect.sources set origins = %s where id = %s", [[ORIGIN], shop["site"].id])
        for name in ("Kupujący", "Ukryty"):
            segment.save(conn, name, {"op": "did", "event": "Order Completed", "at_least": 1}, NOW)
        segment.refresh(conn, workspace.warehouse, None, segment.AsOf(NOW))
        segment.marks.mark(conn, 1, visible=True)
    return api


def test_a_page_sees_what_is_marked_of_its_own_visitor_who_agreed(page: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    agree(workspace)
    found = visit(page, shop["site"].key)
    assert found.json() == {"traits": {"shown": 1}, "segments": [{"id": 1, "name": "Kupujący"}]}
    assert found.headers["access-control-allow-origin"] == ORIGIN


def test_without_consent_or_with_another_browser_there_is_nothing(page: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    nothing = {"traits": {}, "segments": []}
    assert visit(page, shop["site"].key).json() == nothing
    agree(workspace)
    for browser in ("anna-1", "anna@example.pl", "0" * 36, "short"):
        assert visit(page, shop["site"].key, browser).json() == nothing
    agree(workspace, State.WITHDRAWN)
    assert visit(page, shop["site"].key).json() == nothing


def test_a_browser_that_changed_hands_is_nobodys(page: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    agree(workspace)
    other = {"type": "identify", "userId": "bea-2", "anonymousId": BROWSER, "messageId": "m9", "timestamp": NOW.isoformat()}
    with workspace.transaction() as conn:
        collect.write_down(conn, shop["crm"].id, [json.dumps(other).encode()], NOW)
    assert Intake(workspace).drain() == 1
    assert visit(page, shop["site"].key).json() == {"traits": {}, "segments": []}


def test_a_page_of_another_origin_or_with_another_key_is_refused(page: httpx.Client, shop: dict[str, Any]) -> None:
    for key, origin in ((shop["site"].key, "https://evil.example"), (shop["site"].key, None), (shop["crm"].key, ORIGIN), (shop["secret"], ORIGIN), ("x", ORIGIN)):
        answer = visit(page, key, origin=origin)
        assert (answer.status_code, answer.json()["code"]) == (403, "CEGLA-E0505")
        assert "access-control-allow-origin" not in answer.headers


def test_who_asks_too_often_waits(page: httpx.Client, shop: dict[str, Any]) -> None:
    answers = [visit(page, shop["site"].key) for _ in range(31)]
    assert [one.status_code for one in answers] == [200] * 30 + [429]
    assert answers[-1].json()["code"] == "CEGLA-E0675"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


# the front ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def address(workspace: Workspace, shop: dict[str, Any]) -> Generator[tuple[str, int]]:
    built = build_api(workspace, HOLDERS, OWNER)
    with fronted(Starlette(routes=[Mount("/api/v1", built)]), built) as url:
        yield "127.0.0.1", int(url.rpartition(":")[2])


def hot(secret: str, value: str = "anna-1", path: str = "/api/v1/profiles/read") -> bytes:
    body = json.dumps({"identifier": {"type": "user_id", "value": value}, "traits": ["orders"]})
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


COLD = b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"


def answered(conn: socket.socket) -> tuple[int, bytes]:
    """The next answer on a connection, and nothing of the one after it: its status and body."""
    head = body = b""
    while not head.endswith(b"\r\n\r\n"):
        head += (more := conn.recv(1))
        assert more, head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    while len(body) < length:
        body += (more := conn.recv(length - len(body)))
        assert more, body
    return int(head.split(b" ")[1]), body


def test_one_connection_serves_hot_and_other_routes_in_turn(address: tuple[str, int], shop: dict[str, Any]) -> None:
    with socket.create_connection(address, 60) as conn:
        for request, seen in ((hot(shop["secret"]), b'"orders":1'), (hot(shop["secret"], "nobody"), b"CEGLA-E0400"), (COLD, b"alive"), (hot(shop["secret"]), b'"orders":1')):
            conn.sendall(request)
            assert seen in answered(conn)[1]


def test_a_request_that_comes_in_pieces_is_one_request(address: tuple[str, int], shop: dict[str, Any]) -> None:
    request = hot(shop["secret"])
    for cut in (3, 40, len(request) - 5):  # within the method, within the path, within the body
        with socket.create_connection(address, 60) as conn:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            conn.sendall(request[:cut])
            time.sleep(0.05)
            conn.sendall(request[cut:])
            assert answered(conn)[0] == 200


def test_another_route_sent_before_the_answer_is_refused_and_not_mixed_up(address: tuple[str, int], shop: dict[str, Any]) -> None:
    with socket.create_connection(address, 60) as conn:
        conn.sendall(hot(shop["secret"]) + COLD)
        assert answered(conn)[0] == 200
        assert answered(conn)[0] == 421
        assert conn.recv(1) == b""


@pytest.mark.parametrize("path", ["/api/v1/profiles/readx", "/api/v1/profiles/read/", "/api/v1/profiles"])
def test_only_the_very_path_is_hot(address: tuple[str, int], shop: dict[str, Any], path: str) -> None:
    with socket.create_connection(address, 60) as conn:
        conn.sendall(hot(shop["secret"], path=path))
        assert answered(conn)[0] in (404, 307)


@pytest.mark.parametrize("word", ["", "POST /api/v1/pro"])
def test_who_connects_and_says_nothing_is_let_go_and_does_not_hold_up_the_end(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setattr(protocol, "RECEIVING_SECONDS", 0.5)
    built = build_api(workspace, HOLDERS, OWNER)
    with fronted(Starlette(routes=[Mount("/api/v1", built)]), built) as url:
        place = "127.0.0.1", int(url.rpartition(":")[2])
        if not word:
            with socket.create_connection(place, 60) as silent:
                assert silent.recv(1) == b""
        monkeypatch.setattr(protocol, "RECEIVING_SECONDS", 600)
        waiting = socket.create_connection(place, 60)
        waiting.sendall(word.encode())
        with socket.create_connection(place, 60) as later:  # who is answered came after, so the one that waits is taken in by now
            later.sendall(COLD)
            assert b"alive" in answered(later)[1]
    assert waiting.recv(1) == b"", "ended with the server, which did not wait for it"
    waiting.close()


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET", "PUT"])
def test_another_method_on_a_hot_route_is_told_so_and_the_connection_goes_on(address: tuple[str, int], shop: dict[str, Any], method: str) -> None:
    with socket.create_connection(address, 60) as conn:
        conn.sendall(hot(shop["secret"]))
        assert answered(conn)[0] == 200
        conn.sendall(f"{method} /api/v1/profiles/read HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        whole = b"".join(iter(lambda: conn.recv(65_536), b""))
        assert whole.startswith(b"HTTP/1.1 405 ") and method.encode() in whole + b"HEAD"
        assert b"\r\nallow: POST\r\n" in whole.lower().replace(b"post", b"POST")


def test_hot_requests_sent_without_waiting_are_answered_in_their_order(address: tuple[str, int], shop: dict[str, Any]) -> None:
    with socket.create_connection(address, 60) as conn:
        conn.sendall(b"".join(hot(shop["secret"], "anna-1" if number % 2 else "nobody") for number in range(100)))
        assert [answered(conn)[0] for _ in range(100)] == [404, 200] * 50


def test_a_body_that_waits_for_a_word_gets_it(address: tuple[str, int], shop: dict[str, Any]) -> None:
    head, _, body = hot(shop["secret"]).partition(b"\r\n\r\n")
    with socket.create_connection(address, 60) as conn:
        conn.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert conn.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        conn.sendall(body)
        assert answered(conn)[0] == 200


def test_a_body_beyond_the_limit_is_refused_in_front(address: tuple[str, int], shop: dict[str, Any]) -> None:
    with socket.create_connection(address, 60) as conn:
        conn.sendall(hot(shop["secret"], "x" * 600_000))
        assert answered(conn)[0] == 413


def test_postgresql_that_came_back_is_no_error(asker: httpx.Client, workspace: Workspace) -> None:
    assert read(asker).status_code == 200
    with workspace.transaction() as conn:
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
    assert read(asker).status_code == 200


# what a browser and a gateway may say -------------------------------------------------------------------------------------


def test_a_browser_subscribes_to_push_only_after_consent_and_a_gateway_is_heard_at_its_secret_address(page: httpx.Client, shop: dict[str, Any], workspace: Workspace) -> None:
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    keys = {"p256dh": base64.urlsafe_b64encode(point).rstrip(b"=").decode(), "auth": "A" * 22}
    asked = {"write_key": shop["site"].key, "anonymous_id": BROWSER, "endpoint": "https://push.example/1", "keys": keys}

    def subscribe(origin: str = ORIGIN, **more: Any) -> httpx.Response:
        return page.post("visitor/push", content=json.dumps(asked | more), headers={"content-type": "text/plain", "origin": origin})

    assert subscribe().json()["kept"] is False and len(subscribe().json()["key"]) == 87
    with workspace.transaction() as conn:
        govern.record(conn, [Decision(1, "marketing", Channel.PUSH, State.GIVEN, NOW - timedelta(hours=1), 1, "event", {})], NOW)
    assert subscribe().json()["kept"] is True
    assert subscribe(origin="https://evil.example").status_code == 403
    assert [subscribe(endpoint=wrong).status_code for wrong in ("http://push.example/1", "https://[")] == [422, 422]
    assert subscribe(endpoint="https://push.example/1", gone=True).json()["kept"] is False

    page.headers["authorization"] = f"Bearer {OWNER}"
    gateway = {"channel": "sms", "provider": "smsapi", "sender": "Sklep", "key": "sk-very-secret", "part_micros": 90_000}
    saved = page.post("gateways", json=gateway).json()
    path = "receipts/" + saved["receipts_url"].rpartition("/")[2]
    assert "sk-very-secret" not in page.get("gateways").text
    silent = {"authorization": ""}
    assert page.get(path, params={"MsgId": "1", "status": "404", "idx": "x"}, headers=silent).text == "OK"
    assert page.post(path, content=b"\xff" * 2_000_000, headers=silent).text == "OK"
    assert page.get("receipts/" + "A" * 32, headers=silent).status_code == 404
    measured = page.post("sms/measure", json={"text": "Zażółć"}).json()
    assert (measured["encoding"], measured["parts"], measured["price_micros"], measured["plain_text"]) == ("ucs-2", 1, 90_000, "Zazolc")
    assert page.get("deliverability").json()["looked_at"] is None
