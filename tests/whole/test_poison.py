"""Events that break parsers, through a real collector process and the real intake: none crashes, none sticks, none costs its neighbours."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

import httpx
import pytest

from bench.installation import free_port, wait_for_writers
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.repair import actions as repair
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.events import Reason

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300)]

NESTED, DIGITS = 2_000, b"9" * 5_000
REFUSED, APPLIED = None, "applied"


def event(more: bytes, name: bytes = b"Poison") -> bytes:
    return b'{"type":"track","event":"' + name + b'","anonymousId":"browser",' + more + b"}"


def properties(value: bytes) -> bytes:
    return event(b'"properties":' + value)


#: What is sent, and what becomes of it: applied, aside with a reason; its whole request is refused with 400 only when it is no JSON at all.
POISON: dict[str, tuple[bytes, Reason | str | None]] = {
    "2,000 lists deep": (properties(b'{"a":' + b"[" * NESTED + b"]" * NESTED + b"}"), Reason.TOO_DEEP),
    "2,000 objects deep": (event(b'"context":' + b'{"a":' * NESTED + b"1" + b"}" * NESTED), Reason.TOO_DEEP),
    "deep and half a pair": (properties(b'{"s":"\\ud800","a":' + b"[" * NESTED + b"]" * NESTED + b"}"), Reason.TOO_DEEP),
    "NaN": (properties(b'{"a":NaN}'), Reason.UNREADABLE_TEXT),
    "minus Infinity": (properties(b'{"a":-Infinity}'), Reason.UNREADABLE_TEXT),
    "1e400": (properties(b'{"a":1e400}'), Reason.FIELD_OF_WRONG_TYPE),
    "1e400 as an id": (event(b'"userId":1e400'), Reason.FIELD_OF_WRONG_TYPE),
    "1e308 everywhere": (event(b'"userId":1e308,"properties":{"revenue":1e308,"products":[{"price":1e308,"quantity":1e308},7,null]}'), APPLIED),
    "5,000 digits": (properties(b'{"a":' + DIGITS + b"}"), Reason.FIELD_OF_WRONG_TYPE),
    "5,000 digits as messageId": (event(b'"messageId":' + DIGITS), Reason.FIELD_OF_WRONG_TYPE),
    "40 digits": (properties(b'{"revenue":' + b"9" * 40 + b"}"), APPLIED),
    "half a surrogate pair": (properties(b'{"a":"\\ud800"}'), Reason.UNREADABLE_TEXT),
    "half a pair as a key": (properties(b'{"\\udfff":1}'), Reason.UNREADABLE_TEXT),
    "half a pair in UTF-8": (properties(b'{"a":"\xed\xa0\x80"}'), Reason.UNREADABLE_TEXT),
    "invalid UTF-8": (properties(b'{"a":"\xff\xfe"}'), Reason.UNREADABLE_TEXT),
    "escaped NUL": (properties(b'{"a":"x\\u0000y"}'), Reason.UNREADABLE_TEXT),
    "NUL in a key": (properties(b'{"x\\u0000":1}'), Reason.UNREADABLE_TEXT),
    "raw NUL": (properties(b'{"a":"x\x00y"}'), REFUSED),
    "byte order mark": (b"\xef\xbb\xbf" + properties(b'{"a":1}'), REFUSED),
    "duplicate keys": (event(b'"event":"Poison","properties":{"a":1,"a":2}'), APPLIED),
    "__proto__": (event(b'"__proto__":{"type":"identify"},"properties":{"__proto__":{"x":1},"constructor":{"prototype":1}}'), APPLIED),
    "empty keys": (event(b'"":1,"properties":{"":{"":""}}'), APPLIED),
    "10,000 keys": (properties(b"{" + b",".join(b'"k%d":1' % number for number in range(10_000)) + b"}"), Reason.EVENT_TOO_LARGE),
    "1,000 short keys": (properties(b"{" + b",".join(b'"%d":1' % number for number in range(1_000)) + b"}"), Reason.TOO_MANY_FIELDS),
    "a text of 400 kB": (properties(b'{"a":"' + b"x" * 400_000 + b'"}'), Reason.EVENT_TOO_LARGE),
    "the year 99999": (event(b'"timestamp":"99999-01-01T00:00:00Z"'), Reason.UNREADABLE_TIME),
    "the year 0": (event(b'"timestamp":"0000-01-01T00:00:00Z"'), Reason.UNREADABLE_TIME),
    "the last second of 9999": (event(b'"timestamp":"9999-12-31T23:59:59.999999Z"'), APPLIED),
    "a stamp beyond numbers": (event(b'"timestamp":-1e300'), Reason.UNREADABLE_TIME),
    "minus zero": (event(b'"timestamp":"2026-01-01T00:00:00Z","properties":{"revenue":-0.0,"total":-0}'), APPLIED),
    "no object": (b"[[],7]", Reason.NOT_AN_OBJECT),
    "nothing": (b"null", Reason.NOT_AN_OBJECT),
}


@pytest.fixture
def port(workspace: Workspace) -> Generator[int]:
    """A collector process of this workspace."""
    port = free_port()
    environment = {**os.environ, "CEGLA_DSN": workspace.dsn, "CEGLA_DATA_DIR": str(workspace.settings.data_dir), "CEGLA_COLLECTOR_PORT": str(port)}
    with subprocess.Popen([sys.executable, "-m", "cegla.worker.collector"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as collector:
        wait_for_writers(workspace.dsn, 1)
        yield port
        assert collector.poll() is None, "the collector ended"
        collector.terminate()


def neighbour(name: str, side: str) -> bytes:
    return json.dumps({"type": "track", "event": "Good", "messageId": f"{side} of {name}", "anonymousId": "browser", "properties": {"of": name}}).encode()


def sent(port: int, key: str) -> dict[str, int]:
    """Each poison between two good events, in one request; answers by name."""
    answers: dict[str, int] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, auth=(key, "")) as client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.05)
        for name, (poison, _) in POISON.items():
            body = b'{"batch":[' + b",".join([neighbour(name, "left"), poison, neighbour(name, "right")]) + b"]}"
            answers[name] = client.post("/v1/batch", content=body).status_code
    return answers


def names_in_history(ws: Workspace) -> list[tuple[str, Any]]:
    rows = ws.warehouse.run(table("events").select("name", "properties")).to_pylist()
    return [(row["name"], json.loads(row["properties"] or "{}").get("of")) for row in rows]


def test_poison_crashes_nothing_and_is_applied_or_aside_with_its_reason_and_its_neighbours_are_applied(workspace: Workspace, port: int) -> None:
    with workspace.transaction() as conn:
        source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, workspace.clock())
    answers = sent(port, source.key)
    assert answers == {name: 400 if fate is REFUSED else 200 for name, (_, fate) in POISON.items()}
    Intake(workspace).drain()
    accepted = [name for name, (_, fate) in POISON.items() if fate is not REFUSED]
    history = names_in_history(workspace)
    assert sorted(of for name, of in history if name == "Good") == sorted([*accepted, *accepted])
    assert sum(name == "Poison" for name, _ in history) == sum(fate == APPLIED for _, fate in POISON.values())
    with workspace.transaction() as conn:
        aside = {bytes(row.payload or b""): row.reason for row in repair.listed(conn, limit=100)}
        standing = next(one for one in collect.standing(conn) if one.source_id == source.id)
    reasons = [fate for _, fate in POISON.values() if isinstance(fate, Reason)]
    assert sorted(aside.values()) == sorted(reasons)
    assert (standing.accepted, standing.quarantined, standing.waiting) == (3 * len(accepted), len(reasons), 0)
    assert standing.adds_up
