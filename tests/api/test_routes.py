"""The API over a real workspace: who may do what, what is shown, and what a refusal looks like."""

import json
from collections import defaultdict
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from cegla.api import system
from cegla.api.app import build_api
from cegla.api.inside import Inside
from cegla.api.routes import ROUTES, Route
from cegla.app import HOLDERS
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.installation import WarehouseDamaged

OWNER = "owner-token"
PASSWORD = "trzy-rowery-i-kot"
RULE = {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}


@pytest.fixture
def api(workspace: Workspace) -> Generator[httpx.Client]:
    app = Starlette(routes=[Mount("/api/v1", build_api(workspace, HOLDERS, OWNER))])
    with httpx.Client(transport=Inside(app), base_url="http://cegla.local/api/v1/") as client:
        yield client


@pytest.fixture
def owner(api: httpx.Client) -> httpx.Client:
    api.headers["authorization"] = f"Bearer {OWNER}"
    return api


@pytest.fixture
def anna(workspace: Workspace) -> str:
    """A person with one order, taken in."""
    event = {
        "type": "track", "event": "Order Completed", "messageId": "m1", "userId": "anna-1", "timestamp": workspace.clock().isoformat(),
        "properties": {"order_id": "o1", "total": 12.5}, "context": {"traits": {"email": "anna@example.pl"}},
    }  # fmt: skip
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, workspace.clock())
        collect.write_down(conn, source.id, [json.dumps(event).encode()], workspace.clock())
    assert Intake(workspace).drain() == 1
    return "anna@example.pl"


def session(workspace: Workspace, role: str) -> dict[str, str]:
    """The cookie of a user with this role."""
    with workspace.transaction() as conn:
        govern.set_password(conn, role, PASSWORD, workspace.clock(), role=role)
        return {"cegla_session": govern.sign_in(conn, role, PASSWORD, workspace.clock())}


def address(route: Route) -> str:
    return route.path.lstrip("/").format_map(defaultdict(lambda: 1, person="p1"))


def person(owner: httpx.Client, identifier: str) -> str:
    found = owner.post("people/look-up", json={"value": identifier})
    assert found.status_code == 200, found.text
    return found.json()["person"]


@pytest.mark.parametrize("role", govern.ROLES)
def test_a_role_reaches_what_it_may_and_nothing_else(api: httpx.Client, workspace: Workspace, role: str) -> None:
    api.cookies.update(session(workspace, role))
    for route in ROUTES:
        status = api.request(route.method, address(route), headers={"origin": "http://cegla.local"}, json={}).status_code
        allowed = not route.permission or route.permission in govern.ROLES[role].permissions
        assert (status not in (401, 403)) == allowed, f"{role} got {status} for {route.method} {route.path}"


def test_nobody_is_let_in_without_a_key(api: httpx.Client) -> None:
    for route in ROUTES:
        status = api.request(route.method, address(route), json={}).status_code
        assert status in (200, 404, 422) if not route.permission else status == 401, route.path  # 422: it has a body of its own; 404: its address is a secret


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic b3duZXI=", "Bearer", "bearer \u00ff".encode("latin-1")])
def test_a_wrong_key_gets_a_challenge_and_an_explanation(api: httpx.Client, header: Any) -> None:
    answer = api.get("status", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == "CEGLA-E0502"


def test_a_secret_key_reads_and_does_nothing_else(api: httpx.Client, owner: httpx.Client, anna: str) -> None:
    secret = owner.post("sources", json={"name": "Server", "kind": "server", "basis": "contract"}).json()["secret"]
    label = person(owner, anna)
    api.headers["authorization"] = f"Bearer {secret}"
    assert api.get(f"people/{label}").status_code == 200
    assert api.get(f"people/{label}?reveal=true").status_code == 403
    assert api.post("segments", json={"name": "x", "rule": RULE}).status_code == 403
    assert api.post(f"people/{label}/export").status_code == 403


def test_a_page_of_another_site_cannot_write_with_my_session(api: httpx.Client, workspace: Workspace) -> None:
    api.cookies.update(session(workspace, "administrator"))
    body = {"name": "x", "rule": RULE}
    for headers in ({"origin": "http://evil.test"}, {"sec-fetch-site": "cross-site"}, {}):
        assert api.post("segments", json=body, headers=headers).json()["code"] == "CEGLA-E0503"
    assert api.post("segments", json=body, headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_identifiers_are_masked_until_they_are_revealed_and_the_audit_log_knows(owner: httpx.Client, workspace: Workspace, anna: str) -> None:
    label = person(owner, anna)
    masked, clear = owner.get(f"people/{label}").json(), owner.get(f"people/{label}?reveal=true").json()
    assert "anna@example.pl" not in json.dumps(masked["identifiers"])
    assert "anna@example.pl" in json.dumps(clear["identifiers"])
    with workspace.transaction() as conn:
        assert govern.audit(conn)[0].action == "person.reveal"


def test_every_trait_says_how_it_is_known(owner: httpx.Client, anna: str) -> None:
    for known in owner.get(f"people/{person(owner, anna)}").json()["traits"]:
        assert known["why"]["pl"]
        assert known["why"]["en"]
        assert 0 <= known["trait"]["confidence"] <= 1
        assert known["trait"]["purpose"]


def test_people_are_found_without_their_data_in_the_address(owner: httpx.Client, anna: str) -> None:
    found = owner.post("people/search", json={"text": "ANNA"}).json()["people"]
    assert [one["person"] for one in found] == [person(owner, anna)]
    assert owner.get("people").json()["people"] == found


def test_the_timeline_goes_on_where_the_page_ended(owner: httpx.Client, anna: str) -> None:
    label = person(owner, anna)
    first = owner.get(f"people/{label}/timeline?limit=1").json()
    assert first["events"][0]["name"] == "Order Completed"
    assert owner.get(f"people/{label}/timeline?limit=1&before={first['next_before']}").json()["events"] == []
    refused = owner.get(f"people/{label}/timeline?before=yesterday")
    assert (refused.status_code, "a place in a timeline looks like" in refused.json()["title"]) == (422, True)


def test_a_reason_of_refused_links_that_there_is_not_is_told(owner: httpx.Client) -> None:
    assert owner.get("identity/warnings?reason=limit").json()["links"] == []
    refused = owner.get("identity/warnings?reason=limits")
    assert (refused.status_code, refused.json()["seen"], "public_key" in refused.json()["title"]) == (422, "limits", True)


def test_erasing_counts_first_and_then_leaves_nothing(owner: httpx.Client, workspace: Workspace, anna: str) -> None:
    label = person(owner, anna)
    counted = owner.post(f"people/{label}/erase", json={}).json()
    assert counted["dry_run"]
    assert sum(counted["rows"].values()) > 0
    assert owner.post(f"people/{label}/erase", json={"dry_run": False}).json()["addresses_suppressed"] == 1
    assert owner.get(f"people/{label}").status_code == 404
    assert owner.post("people/look-up", json={"value": anna}).status_code == 404


def test_an_export_holds_what_every_holder_gives(owner: httpx.Client, anna: str) -> None:
    held = owner.post(f"people/{person(owner, anna)}/export").json()["held"]
    assert set(held) >= {holder.name for holder in HOLDERS}
    assert "anna@example.pl" in json.dumps(held)


def test_an_account_is_listed_shown_and_has_people(owner: httpx.Client, workspace: Workspace, anna: str) -> None:
    with workspace.transaction() as conn:
        source = collect.sources(conn)[0].id
        told = {"type": "group", "userId": "u9", "groupId": "acme", "traits": {"name": "ACME"}, "messageId": "g1", "context": {"membership": {"role": "buyer"}}}
        collect.write_down(conn, source, [json.dumps(told).encode()], workspace.clock())
    Intake(workspace).drain()
    [row] = owner.post("accounts/search", json={"text": "Acme"}).json()["accounts"]
    assert owner.get("accounts").json()["accounts"] == [row]
    shown = owner.get(f"accounts/{row['account']}").json()
    assert (shown["name"], shown["people"], shown["traits"][0]["message_id"]) == ("ACME", 1, "g1")
    [member] = owner.get(f"accounts/{row['account']}/people").json()["people"]
    assert (member["role"], owner.get(f"people/{member['person']}").json()["accounts"][0]["key"]) == ("buyer", "acme")
    assert owner.get("accounts/x").status_code == owner.get("accounts/a99").status_code == 404


def test_a_segment_is_saved_counted_worded_and_explained(owner: httpx.Client, anna: str) -> None:
    saved = owner.post("segments", json={"name": "Buyers", "rule": RULE})
    assert saved.status_code == 200, saved.text
    number, label = saved.json()["id"], person(owner, anna)
    assert saved.json()["sentence"]["pl"] != saved.json()["sentence"]["en"]
    assert owner.get(f"segments/{number}").json()["count"]["members"] == 1
    assert owner.post("segments/count", json={"rule": {"not": RULE}}).json()["members"] == 0
    assert [one["person"] for one in owner.get(f"segments/{number}/members").json()["members"]] == [label]
    assert owner.get(f"segments/{number}/explain/{label}").json()["explanation"]["holds"]


def test_a_segment_is_handed_over_only_with_a_yes_to_the_purpose(owner: httpx.Client, anna: str) -> None:
    number = owner.post("segments", json={"name": "Buyers", "rule": RULE}).json()["id"]
    assert owner.post("segments/estimate", json={"rule": RULE}).json()["members"] == 1
    assert owner.get(f"segments/{number}/list?form=google").status_code == 404, "the register has no such purpose yet"
    without = owner.get(f"segments/{number}/list?form=csv&purpose=marketing")
    assert (without.status_code, without.text) == (200, "person,email,phone\r\n"), "no decision is no consent"
    assert owner.get(f"segments/{number}/list?form=none").status_code == 422
    given = owner.get(f"segments/{number}/list?form=sheets&purpose=service")
    assert anna in given.text and given.headers["content-disposition"].endswith('-sheets.csv"')
    assert owner.get(f"segments/{number}/list?form=parquet&purpose=service").content[:4] == b"PAR1"


def test_a_wrong_rule_is_refused_with_a_pointer(owner: httpx.Client) -> None:
    answer = owner.post("segments/count", json={"rule": {"op": "no_such_operator"}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "CEGLA-E0320"
    assert answer.json()["exit_code"] == 3


def test_a_secret_is_shown_once(owner: httpx.Client) -> None:
    first, second = (owner.post("sources", json={"name": "Shop"}).json() for _ in range(2))
    assert first["secret"].startswith("sk_")
    assert second["secret"] is None
    assert "secret_hash" not in first
    assert first["id"] == second["id"]


def test_a_test_event_reaches_the_history_and_the_sums_agree(owner: httpx.Client, workspace: Workspace) -> None:
    source = owner.post("sources", json={"name": "Shop", "kind": "server", "basis": "contract"}).json()["id"]
    owner.post(f"sources/{source}/test-event")
    assert owner.get("status").json()["events"]["waiting"] == 1
    Intake(workspace).drain()
    status = owner.get("status").json()
    assert (status["events"]["applied"], status["events"]["waiting"], status["adds_up"], status["people"]) == (1, 0, True, 1)


def test_every_event_of_a_trace_is_listed_though_only_some_requests_name_it(owner: httpx.Client, workspace: Workspace) -> None:
    parent = f"00-{'4b' * 16}-00f067aa0ba902b7-01"
    body = b'{"type": "track", "event": "Traced", "userId": "7", "messageId": "%d", "context": {"traceparent": "%b"}}'
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, workspace.clock())
        collect.write_down(conn, source.id, [body % (number, parent.encode()) for number in (1, 2)], workspace.clock())
        conn.execute("update collect.inbox set trace = %s where number = 1", [parent])
    Intake(workspace).drain()
    found = owner.post("events/find", json={"trace_id": "4b" * 16}).json()
    assert [one["place"][:1] for one in found["events"]] == ["1", "e"] and found["history"] == ["e1", "e2"]


def test_events_set_aside_are_listed_by_reason_and_replayed(owner: httpx.Client, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "Shop", "server", Basis.CONTRACT, workspace.clock())
        collect.write_down(conn, source.id, [b'{"type": "track", "userId": "%b", "messageId": "%b"}' % (who, who) for who in (b"7", b"u")], workspace.clock())
    Intake(workspace).drain()
    listed = owner.get("quarantine?reason=missing_event_name").json()["events"]
    assert [one["reason"] for one in listed] == ["missing_event_name"] * 2
    wrong = {"steps": [{"cast": {"path": "userId", "to": "number"}}]}
    (seen,) = owner.post("quarantine/preview", json={"filter": {"ids": [listed[0]["id"]]}, "fix": wrong}).json()["events"]
    assert seen["detail_said"] == {"pl": "krok 1: userId nie da się odczytać jako number", "en": "step 1: userId cannot be read as number"}
    (again,) = owner.post("quarantine/preview", json={"filter": {"ids": [listed[0]["id"]]}}).json()["events"]
    assert again["outcome_said"] == {"pl": "brak nazwy zdarzenia", "en": "the event's name is missing"}
    assert owner.get(f"quarantine/events/{listed[0]['id']}").json()["history"][0]["label"] == again["outcome_said"]
    half = owner.post("quarantine/replay", json={"filter": {"ids": [one["id"] for one in listed]}, "fix": wrong}).json()
    assert (half["done"], half["left_out"], half["left_out_said"]["not_fixed"]["en"]) == (1, {"not_fixed": 1}, "the fix does not fit this event")
    assert owner.post("quarantine/replay", json={"filter": {"ids": [listed[0]["id"]]}}).json()["done"] == 1
    assert owner.get("quarantine?reason=nonsense").status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "where"),
    [
        ("POST", "segments", {"name": "x"}, 422, "/rule"),
        ("POST", "people/search", {"text": "a", "colour": "red"}, 422, "/colour"),
        ("GET", "people?limit=0", None, 422, "/query/limit"),
        ("GET", "people/x9", None, 404, "person"),
        ("GET", "people/p999", None, 404, "person"),
        ("GET", "segments/99", None, 404, "segment"),
        ("GET", "nowhere", None, 404, "path"),
        ("DELETE", "people", None, 405, "/api/v1/people"),
    ],
)
def test_a_refusal_says_where_and_what_to_do(owner: httpx.Client, method: str, path: str, body: Any, status: int, where: str) -> None:
    answer = owner.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["where"] == where
    assert answer.json()["todo"]


def test_a_refusal_speaks_polish_to_those_who_do(owner: httpx.Client) -> None:
    assert owner.get("people/p999", headers={"accept-language": "pl-PL,pl;q=0.9"}).json()["title"] == "Nie znaleziono: p999"


def test_the_doctor_says_what_to_do_about_what_is_wrong(owner: httpx.Client) -> None:
    found = owner.get("doctor").json()
    assert {one["check"] for one in found["checks"]} == {
        "database", "migrations", "clock", "conservation", "batches", "chain", "lag", "history", "audit", "night", "disk", "keys", "mail", "deliverability",
    }  # fmt: skip
    assert all(one["todo"] for one in found["checks"] if not one["ok"])
    assert next(one for one in found["checks"] if one["check"] == "mail")["ok"] is False


def test_an_installation_without_a_mail_server_is_well(owner: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "durability", lambda conn: system.DURABLE)  # the server of the tests runs without fsync
    monkeypatch.setattr(system, "LEAST_FREE_SHARE", 0.0)
    found = owner.get("doctor").json()
    assert {one["check"] for one in found["checks"] if not one["ok"]} == {"mail"}
    assert found["ok"]


def test_what_a_trace_would_say_stays_inside(api: httpx.Client, owner: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "standing", lambda conn: 1 / 0)
    answer = owner.get("status")
    assert answer.status_code == 500
    assert answer.json()["code"] == "CEGLA-E0100"
    assert "Traceback" not in answer.text


def test_every_permission_of_the_table_exists_and_no_route_is_listed_twice() -> None:
    assert {route.permission for route in ROUTES} - {""} <= set(govern.PERMISSIONS)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert len({route.key for route in ROUTES}) == len(ROUTES)


def test_half_a_surrogate_pair_is_refused_and_not_failed_on(owner: httpx.Client) -> None:
    for path, body in (("people/look-up", b'{"value": "\\ud800"}'), ("people/search", b'{"text": "\\ud800"}')):
        answer = owner.post(path, content=body, headers={"content-type": "application/json"})
        assert answer.status_code in (404, 422), (path, answer.text)


def test_the_doctor_reads_the_whole_warehouse(owner: httpx.Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def look() -> dict[str, object]:
        return next(check for check in owner.get("doctor").json()["checks"] if check["check"] == "history")

    assert look()["ok"] is True

    def damaged() -> None:
        raise WarehouseDamaged(where="cegla.duckdb", seen="Corrupt database file")

    monkeypatch.setattr(workspace.warehouse, "verify", damaged)
    assert (look()["ok"], look()["seen"]) == (False, "Corrupt database file")


@pytest.mark.parametrize(("reason", "said"), [("   ", "pusty"), ("a\0b", "NUL")])
def test_a_reason_that_says_nothing_or_cannot_be_kept_is_refused_in_words(owner: httpx.Client, anna: str, reason: str, said: str) -> None:
    body = {"identifier": {"type": "email", "value": anna}, "since": "2026-01-02", "reason": reason}
    answer = owner.post("identity/release", json=body, headers={"accept-language": "pl"})
    assert (answer.status_code, answer.json()["where"]) == (422, "/reason")
    assert said in answer.text
