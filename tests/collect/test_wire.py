"""The tracking contract as an SDK meets it: paths, keys, encodings, answers, and silence about nothing."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from cegla.collect import actions as collect
from cegla.collect import committer
from cegla.collect.rules.door import PATHS, Does
from cegla.collect.shelf import CARRIED_NAMES
from cegla.http.protocol import Request
from cegla.storage.settings import CollectorSettings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from tests.collect.opened import EVENT, basic, opened, ready, talk

TAKING = [row for row in PATHS if row.does is Does.TAKE]


@pytest.fixture
def shop(workspace: Workspace) -> tuple[collect.Source, str]:
    with workspace.transaction() as conn:
        return collect.add_source(conn, "shop", "website", Basis.CONTRACT, workspace.clock())


def taken(workspace: Workspace) -> list[Any]:
    with workspace.transaction() as conn:
        return list(collect.take(conn, 1_000).requests)


@pytest.mark.parametrize("shape", ["{}", "{}/", "/{}", "{}//"])
def test_every_path_of_the_contract_accepts_and_none_redirects(shape: str, workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        for row in TAKING:
            address = str(client.base_url).rstrip("/") + shape.format(row.path)
            answer = await client.post(address, json=EVENT, headers=basic(shop[0].key + ":"))
            assert (row.path, answer.status_code, answer.json()) == (row.path, 200, {"success": True})

    talk(workspace.dsn, tmp_path, conversation)
    assert [request.kind for request in taken(workspace)] == [row.call for row in TAKING]


def test_a_key_is_found_in_every_place(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    key = shop[0].key

    async def conversation(client: httpx.AsyncClient) -> None:
        for headers, query, more in (
            (basic(key + ":"), "", {}),
            (basic(key), "", {}),
            ({}, "", {"writeKey": key}),
            ({}, f"?writeKey={key}", {}),
            ({"Authorization": "Bearer token"}, "", {"writeKey": key}),
        ):
            assert (await client.post(f"/v1/t{query}", json={**EVENT, **more}, headers=headers)).status_code == 200

    talk(workspace.dsn, tmp_path, conversation)
    assert [request.trusted for request in taken(workspace)] == [False] * 5


def test_the_secret_key_marks_a_request_trusted(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/b", json={"batch": [EVENT, EVENT]}, headers=basic(shop[1] + ":"))).status_code == 200

    talk(workspace.dsn, tmp_path, conversation)
    assert [(request.trusted, request.events) for request in taken(workspace)] == [(True, 2)]


def test_what_is_stored_is_what_was_sent(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    body = ' {"batch" : [{"żółć": 1}], "writeKey":"' + shop[0].key + '"}'

    async def conversation(client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip", "Sec-GPC": "1", "User-Agent": "Test/1", "X-Forwarded-For": "10.0.0.1, 198.51.100.7"}
        assert (await client.post("/v1/batch", content=gzip.compress(body.encode()), headers=headers)).status_code == 200
        del headers["Content-Encoding"]  # some SDKs do not say that it is gzip
        assert (await client.post("/v1/batch", content=gzip.compress(body.encode()), headers=headers)).status_code == 200
        members = gzip.compress(body.encode()[:9]) + gzip.compress(body.encode()[9:])
        assert (await client.post("/v1/batch", content=members, headers=headers)).status_code == 200
        assert (await client.post("/v1/batch", content=gzip.compress(b"") * 100 + members, headers=headers)).status_code == 400

    talk(workspace.dsn, tmp_path, conversation)
    stored = taken(workspace)
    assert [request.body.decode() for request in stored] == [body, body, body]
    assert (stored[0].ip, stored[0].user_agent, stored[0].gpc) == ("198.51.100.0", "Test/1", True)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":NaN}', b"[" * 5_000, b'{"a":1}}', b"writeKey=1&a=2", b"\x1f\x8bnogzip"])
def test_what_is_no_json_gets_400_in_the_words_of_the_contract(body: bytes, workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/track", content=body, headers=basic(shop[0].key))
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_request"

    talk(workspace.dsn, tmp_path, conversation)
    assert taken(workspace) == []


@pytest.mark.parametrize("body", [b"5", b"[]", b"null", b'{"batch":7}', b'{"batch":[]}', b'{"a":"\\ud800"}', b'{"a":"\xff"}', b'{"a":1e999}', b"\xef\xbb\xbf{}"])
def test_whatever_is_json_is_kept_for_intake_to_judge(body: bytes, workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/track", content=body, headers=basic(shop[0].key))).status_code == 200

    talk(workspace.dsn, tmp_path, conversation)
    assert [request.body for request in taken(workspace)] == [body]


@pytest.mark.parametrize("packed", [False, True])
def test_too_large_is_413_also_when_it_only_unpacks_to_that(packed: bool, workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    body = json.dumps({**EVENT, "properties": {"text": "x" * 20_000}}).encode()

    async def conversation(client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/t", content=gzip.compress(body) if packed else body, headers=basic(shop[0].key))
        assert answer.status_code == 413

    talk(workspace.dsn, tmp_path, conversation)


def test_a_key_is_called_unknown_only_by_a_list_read_after_the_question(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/t", json=EVENT, headers=basic("wk_wrong"))).status_code == 401
        with workspace.transaction() as conn:
            fresh, _ = collect.add_source(conn, "fresh", "website", Basis.CONTRACT, workspace.clock())
        assert (await client.post("/v1/t", json=EVENT, headers=basic(fresh.key))).status_code == 200
        assert (await client.post("/v1/t", json=EVENT)).status_code == 401

    talk(workspace.dsn, tmp_path, conversation)


def test_a_disabled_source_and_a_foreign_origin_are_refused(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    with workspace.transaction() as conn:
        other, _ = collect.add_source(conn, "other", "website", Basis.CONTRACT, workspace.clock())
        conn.execute("update collect.sources set enabled = false where id = %s", [other.id])
        conn.execute("update collect.sources set origins = '{https://shop.test}' where id = %s", [shop[0].id])

    async def conversation(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/t", json=EVENT, headers=basic(other.key))).status_code == 404
        assert (await client.post("/v1/t", json=EVENT, headers={**basic(shop[0].key), "Origin": "https://evil.test"})).status_code == 403
        answer = await client.post("/v1/t", json=EVENT, headers={**basic(shop[0].key), "Origin": "https://shop.test"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://shop.test"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "Retry-After" in answer.headers["access-control-expose-headers"]

    talk(workspace.dsn, tmp_path, conversation)


def test_a_preflight_allows_what_sdks_send(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        wanted = "authorization,content-type,x-retry-count"
        headers = {"Origin": "https://shop.test", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted}
        answer = await client.options("/v1/t", headers=headers)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-headers"] == wanted
        assert int(answer.headers["access-control-max-age"]) >= 86_400

    talk(workspace.dsn, tmp_path, conversation)


@pytest.mark.parametrize(("trusted", "kept", "protocol"), [([], "192.0.2.0", "http"), (["192.0.2.0/24", "203.0.113.9"], "198.51.100.0", "https")])
def test_a_proxy_of_another_host_is_believed_once_the_settings_name_it(
    trusted: list[str], kept: str, protocol: str, workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cegla.http.proxies.LOOPBACK", frozenset())
    monkeypatch.setattr("cegla.http.protocol.Request.__init__", _from("192.0.2.7"))

    async def conversation(client: httpx.AsyncClient) -> None:
        headers = basic(shop[0].key) | {"X-Forwarded-For": "10.0.0.1, 198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https"}
        assert (await client.post("/v1/track", json=EVENT, headers=headers)).status_code == 200
        settings = await client.get(f"/v1/projects/{shop[0].key}/settings", headers=headers)
        assert settings.json()["integrations"]["Segment.io"]["protocol"] == protocol

    talk(workspace.dsn, tmp_path, conversation, CollectorSettings.model_validate({"trusted_proxies": trusted, "group_milliseconds": 0}))
    assert [request.ip for request in taken(workspace)] == [kept]


def _from(peer: str) -> Any:
    """A request as if it came from this address."""
    began = Request.__init__

    def begin(request: Request, connection: Any) -> None:
        began(request, connection)
        request.peer = peer

    return begin


def test_the_settings_document_names_this_host_and_nothing_else(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        asked = {"Host": "cegla.test", "X-Forwarded-Proto": "https"}
        answer = await client.get(f"/v1/projects/{shop[0].key}/settings", headers=asked)
        assert answer.headers["cache-control"] == "private, max-age=300", "no shared cache keeps an address that a client made up"
        document = answer.json()
        assert list(document["integrations"]) == ["Segment.io"]
        assert document["integrations"]["Segment.io"] == {"apiKey": shop[0].key, "apiHost": "cegla.test/v1", "protocol": "https"}
        assert document["metrics"] == {"sampleRate": 0}
        assert "plan" not in document, "analytics.js 2 would fetch more code from this host before it sends anything"
        assert (await client.get("/v1/projects/wk_wrong/settings")).status_code == 404
        assert (await client.get(f"/v1/projects/{shop[1]}/settings")).status_code == 404

    talk(workspace.dsn, tmp_path, conversation)


def test_other_paths_and_methods_are_refused_without_a_redirect(workspace: Workspace, tmp_path: Path) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        assert (await client.post("/v1/m", content=b"{}")).status_code == 200
        assert (await client.get("/v1/track")).status_code == 405
        assert (await client.post("/v2/track")).status_code == 404
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        assert "cegla_collector_commit_seconds_count" in (await client.get("/metrics")).text

    talk(workspace.dsn, tmp_path, conversation)


def test_without_postgresql_it_listens_and_asks_to_try_again(tmp_path: Path) -> None:
    async def go() -> None:
        async with opened("host=/nowhere user=postgres dbname=cegla connect_timeout=1", tmp_path) as (door, client):
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/readyz")).status_code == 503
            answer = await client.post("/v1/t", json=EVENT, headers=basic("wk_any"))
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert (await client.get("/v1/projects/wk_any/settings")).status_code == 503
            assert door.answered[503] == 3

    asyncio.run(go())


def test_after_a_lost_connection_numbers_go_on_without_a_hole(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def go() -> None:
        async with opened(workspace.dsn, tmp_path) as (door, client):
            await ready(door)
            assert (await client.post("/v1/t", json=EVENT, headers=basic(shop[0].key))).status_code == 200
            with psycopg.connect(workspace.dsn, autocommit=True) as conn:
                conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
            statuses = [(await client.post("/v1/t", json=EVENT, headers=basic(shop[0].key))).status_code]
            await ready(door)
            statuses.append((await client.post("/v1/t", json=EVENT, headers=basic(shop[0].key))).status_code)
            assert statuses == [503, 200]

    asyncio.run(go())
    with psycopg.connect(workspace.dsn) as conn:
        assert [request.number for request in collect.take(conn, 100).requests] == [1, 2]
        assert conn.execute("select count(*) from collect.damage").fetchone() == (0,)


def test_while_a_commit_hangs_it_is_not_ready_and_the_request_is_kept_waiting(
    workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committer, "SLOW_COMMIT_SECONDS", 0.0)

    async def go() -> None:
        async with opened(workspace.dsn, tmp_path) as (door, client):
            await ready(door)
            assert (await client.get("/readyz")).status_code == 200
            with psycopg.connect(workspace.dsn) as conn:
                conn.execute("lock table collect.inbox in access exclusive mode")
                waiting = asyncio.create_task(client.post("/v1/t", json=EVENT, headers=basic(shop[0].key)))
                while (answer := await client.get("/readyz")).status_code == 200:
                    await asyncio.sleep(0.01)
                assert answer.json()["store"] is False
                assert not waiting.done()
            assert (await waiting).status_code == 200
            assert (await client.get("/readyz")).status_code == 200

    asyncio.run(go())


def test_when_too_many_wait_the_next_is_told_to_come_back(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def go() -> None:
        tight = CollectorSettings.model_validate({"most_waiting_requests": 3, "group_milliseconds": 100})
        async with opened(workspace.dsn, tmp_path, limits=tight) as (door, client):
            await ready(door)
            answers = await asyncio.gather(*(client.post("/v1/t", json=EVENT, headers=basic(shop[0].key)) for _ in range(10)))
            statuses = [answer.status_code for answer in answers]
            assert set(statuses) == {200, 429}
            assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)

    asyncio.run(go())


def test_bodies_of_unknown_keys_that_wait_for_the_list_are_bounded_together(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def go() -> None:
        limits = CollectorSettings.model_validate({"most_waiting_bytes": 20_000, "largest_request_bytes": 10_000, "group_milliseconds": 0})
        async with opened(workspace.dsn, tmp_path, limits=limits) as (door, client):
            await ready(door)
            held = asyncio.Event()
            door.keyring.find_surely = lambda _key: _held(held)  # type: ignore[method-assign]
            body = gzip.compress(json.dumps({**EVENT, "x": "y" * 8_000}).encode())
            asked = [asyncio.create_task(client.post("/v1/t", content=body, headers={**basic("wk_nobody"), "content-encoding": "gzip"})) for _ in range(4)]
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert {task.result().status_code for task in done} == {429}
            held.set()
            answers = sorted([(await task).status_code for task in asked])
            assert answers == [401, 401, 429, 429]
            assert (await client.post("/v1/t", content=body, headers={**basic("wk_nobody"), "content-encoding": "gzip"})).status_code == 401

    asyncio.run(go())


async def _held(until: asyncio.Event) -> None:
    await until.wait()


def test_a_page_with_segments_snippet_gets_its_script_and_the_parts_it_names(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        script = await client.get(f"/analytics.js/v1/{shop[0].key}/analytics.min.js")
        assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert "AnalyticsNext" in script.text
        for name in CARRIED_NAMES:
            assert (await client.get(f"/analytics-next/bundles/{name}")).status_code == 200
        assert (await client.get("/analytics-next/bundles/VENDOR.toml")).status_code == 404

    talk(workspace.dsn, tmp_path, conversation)
