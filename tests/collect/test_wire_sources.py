"""What a source may do at the door: its rate, its keys, its pixel, and what was refused to it."""

import asyncio
import base64
import json
from pathlib import Path

import httpx
import psycopg
import pytest

from cegla.collect import actions as collect
from cegla.storage.settings import CollectorSettings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from tests.collect.opened import EVENT, basic, talk

GIF = b"GIF89a"


@pytest.fixture
def shop(workspace: Workspace) -> tuple[collect.Source, str]:
    with workspace.transaction() as conn:
        return collect.add_source(conn, "shop", "website", Basis.CONTRACT, workspace.clock())


def test_a_source_that_is_too_fast_is_told_when_to_come_back_and_its_owner_sees_it(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        page = {**basic(shop[0].key), "Origin": "https://shop.test"}
        told = [await client.post("/v1/t", json=EVENT, headers=page) for _ in range(12)]
        late = [one for one in told if one.status_code == 429]
        assert {one.status_code for one in told} == {200, 429}
        assert len(late) >= 5
        assert all(int(one.headers["retry-after"]) >= 1 and int(one.headers["x-ratelimit-reset"]) > 1_700_000_000 for one in late)
        assert "Retry-After" in late[0].headers["access-control-expose-headers"]
        refused: dict[str, int] = {}
        while sum(refused.values()) < len(late):  # written down within seconds, at times in two parts
            await asyncio.sleep(0.2)
            with workspace.transaction() as conn:
                refused = dict(next(one.refused for one in collect.standing(conn) if one.source_id == shop[0].id))
        assert refused == {"rate_limited": len(late)}

    talk(workspace.dsn, tmp_path, conversation, limits=CollectorSettings.model_validate({"requests_per_second": 0.2, "group_milliseconds": 0}))


def test_a_pixel_is_drawn_once_its_event_is_committed(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    data = base64.urlsafe_b64encode(json.dumps({**EVENT, "writeKey": shop[0].key}).encode()).decode().rstrip("=")

    async def conversation(client: httpx.AsyncClient) -> None:
        for address in (f"/pixel/v1/track?writeKey={shop[0].key}&event=Open&anonymousId=a-1", f"/v1/pixel/track?data={data}"):
            answer = await client.get(address)
            assert (answer.status_code, answer.content[:6], answer.headers["content-type"], answer.headers["cache-control"]) == (200, GIF, "image/gif", "no-store")
            assert (await client.head(address)).status_code == 200
        assert (await client.get("/pixel/v1/track?event=Open")).status_code == 401
        assert (await client.get(f"/v1/pixel/track?writeKey={shop[0].key}&data=!!")).status_code == 400

    talk(workspace.dsn, tmp_path, conversation)
    with workspace.transaction() as conn:
        assert [request.kind for request in collect.take(conn, 10).requests] == ["track", "track"]


def test_a_replaced_key_works_until_it_is_revoked(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        with workspace.transaction() as conn:
            fresh = collect.rotate_key(conn, shop[0].id, workspace.clock())
        for key in (fresh, shop[0].key):
            assert (await client.post("/v1/t", json=EVENT, headers=basic(key))).status_code == 200
        with workspace.transaction() as conn:
            assert collect.revoke_former_keys(conn, shop[0].id, workspace.clock()) == 1
        while (await client.post("/v1/t", json=EVENT, headers=basic(shop[0].key))).status_code == 200:
            pass  # the list is read every two seconds
        assert (await client.post("/v1/t", json=EVENT, headers=basic(shop[0].key))).status_code == 401
        assert (await client.post("/v1/t", json=EVENT, headers=basic(fresh))).status_code == 200

    talk(workspace.dsn, tmp_path, conversation)


def test_rudderstack_is_told_to_send_here_and_a_snippet_of_segment_gets_its_script(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        told = (await client.get(f"/sourceConfig/?p=npm&v=3&writeKey={shop[0].key}", headers={"Host": "cegla.test"})).json()
        assert (told["source"]["writeKey"], told["source"]["destinations"]) == (shop[0].key, [])
        assert told["source"]["dataplanes"]["EU"][0]["url"] == "http://cegla.test"
        assert (await client.get("/sourceConfig/?writeKey=wk_wrong")).status_code == 401
        script = await client.get(f"/analytics.js/v1/{shop[0].key}/analytics.min.js")
        assert (script.status_code, script.headers["content-type"].split(";")[0]) == (200, "text/javascript")

    talk(workspace.dsn, tmp_path, conversation)


def test_a_preflight_of_an_origin_that_no_source_allows_is_not_granted(workspace: Workspace, tmp_path: Path, shop: tuple[collect.Source, str]) -> None:
    with psycopg.connect(workspace.dsn) as conn:
        conn.execute("update collect.sources set origins = '{https://shop.test}'")

    async def conversation(client: httpx.AsyncClient) -> None:
        for origin, granted in (("https://shop.test", "https://shop.test"), ("https://evil.test", None)):
            answer = await client.options("/v1/t", headers={"Origin": origin, "Access-Control-Request-Headers": "authorization,x-retry-count"})
            assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (204, granted)

    talk(workspace.dsn, tmp_path, conversation)
