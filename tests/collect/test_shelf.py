"""The script for websites is served from memory, cached long, and never sent twice to who has it."""

import gzip
import tomllib
from hashlib import sha256
from pathlib import Path

import httpx

from cegla.collect.shelf import CARRIED, CARRIED_NAMES, FILES, SNIPPET, carried
from tests.collect.opened import talk

SCRIPT = FILES["/c.js"]


def test_the_script_is_served_packed_with_a_long_cache_also_to_other_origins(dsn: str, tmp_path: Path) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        answer = await client.get("/c.js", headers={"Origin": "https://shop.test"})
        assert answer.status_code == 200
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
        assert "max-age=86400" in answer.headers["cache-control"]
        assert answer.headers["access-control-allow-origin"] == "https://shop.test"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.content == SCRIPT.body
        plain = await client.get("/c.js", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.headers["etag"] != answer.headers["etag"]
        assert plain.content == answer.content

    talk(dsn, tmp_path, conversation)


def test_who_has_the_script_gets_304_and_a_versioned_address_is_good_for_a_year(dsn: str, tmp_path: Path) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        etag = (await client.get("/c.js")).headers["etag"]
        for known in (etag, f'"old", W/{etag}', "*"):
            answer = await client.get("/c.js", headers={"If-None-Match": known})
            assert (answer.status_code, answer.content) == (304, b"")
        assert (await client.get("/c.js", headers={"If-None-Match": '"old"'})).status_code == 200
        assert "immutable" in (await client.get(f"/c.js?v={SCRIPT.version}")).headers["cache-control"]
        assert "immutable" not in (await client.get("/c.js?v=other")).headers["cache-control"]
        assert (await client.post("/c.js")).status_code == 404

    talk(dsn, tmp_path, conversation)


def test_the_packed_body_is_the_file() -> None:
    assert gzip.decompress(SCRIPT.packed) == SCRIPT.body


def carried_rows() -> list[dict[str, str]]:
    return tomllib.loads((CARRIED / "VENDOR.toml").read_text(encoding="utf-8"))["file"]


def test_what_we_carry_is_what_its_makers_built() -> None:
    rows = carried_rows()
    assert {row["path"] for row in rows} == CARRIED_NAMES
    assert {file.name for file in CARRIED.iterdir()} == {*CARRIED_NAMES, "VENDOR.toml", *(row["licence_file"] for row in rows)}
    assert all(sha256((CARRIED / row["path"]).read_bytes()).hexdigest() == row["sha256"] for row in rows)


def test_a_file_is_found_by_the_names_we_carry_alone() -> None:
    assert SNIPPET in CARRIED_NAMES
    assert all(carried(name) is not None for name in CARRIED_NAMES)
    assert [carried(name) for name in ("VENDOR.toml", "../c.js", "x.js")] == [None] * 3
