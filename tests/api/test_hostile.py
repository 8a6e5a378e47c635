"""Whatever a caller sends, the API answers with a refusal it can explain, never with a failure of its own."""

import re
from collections.abc import Generator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from cegla.api import message_shapes, shapes
from cegla.api.app import build_api
from cegla.api.inside import Inside
from cegla.api.routes import ROUTES, Route
from cegla.app import HOLDERS
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from tests.resolve.known import identify

OWNER = "owner-token"
FIELDS = sorted({name for one in (vars(shapes) | vars(message_shapes)).values() if isinstance(one, type) and issubclass(one, shapes.Shape) for name in one.model_fields})
NASTY = ["'; drop table collect.inbox; --", "{{7*7}}", "\x00", "\u202e", "ż" * 300, "../../etc/passwd", "%s%n", "<script>", "1e400", "-1", "9" * 30]
PLACE = re.compile(r"\{\w+\}")
texts = st.sampled_from(NASTY) | st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)
leaves = st.fixed_dictionaries(
    {"op": st.sampled_from(["did", "trait_is", "total_over"]) | texts},
    optional={"event": values, "at_least": values, "days": values, "trait": values, "value": values, "more_than": values},
)
rules = st.recursive(leaves, lambda inner: st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}) | st.fixed_dictionaries({"not": inner}), max_leaves=4)
bodies = (
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=4)
    | st.fixed_dictionaries({"name": texts, "rule": rules | values})
    | st.fixed_dictionaries({"rule": rules})
)


@pytest.fixture
def owner(workspace: Workspace) -> Generator[httpx.Client]:
    app = Starlette(routes=[Mount("/api/v1", build_api(workspace, HOLDERS, OWNER))])
    with httpx.Client(transport=Inside(app), base_url="http://cegla.local/api/v1/", headers={"authorization": f"Bearer {OWNER}"}) as client:
        yield client


def sendable(value: Any) -> bool:
    """JSON knows no infinities."""
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, dict):
        return all(map(sendable, value.values()))
    return all(map(sendable, value)) if isinstance(value, list) else True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    route=st.sampled_from([route for route in ROUTES if route.key != "campaigns.save"]),
    words=st.lists(texts | st.just("1"), min_size=2, max_size=2),
    body=bodies.filter(sendable),
    query=st.dictionaries(st.sampled_from(["after", "before", "limit", "reason", "reveal"]), texts, max_size=2),
)
def test_nothing_that_is_sent_makes_the_api_fail(owner: httpx.Client, route: Route, words: list[str], body: Any, query: dict[str, str]) -> None:
    given_words = iter(words)
    path = PLACE.sub(lambda _: quote(next(given_words).replace("\n", " "), safe="").strip(".") or "x", route.path.lstrip("/"))
    answer = owner.request(route.method, path, params=query, json=body)
    assert answer.status_code < 500 or answer.json()["code"] == "CEGLA-E0610", f"{route.method} {path} {query} {body}: {answer.text}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", f"{route.method} {path} {query} {body}: {answer.text}"
        assert answer.json()["todo"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1,2", b"\xff\xfe", b'"text"', b"null", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(owner: httpx.Client, content: bytes) -> None:
    answer = owner.post("people/search", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["code"] in ("CEGLA-E0300", "CEGLA-E0341")


@pytest.mark.parametrize("path", [f"{kind}/{'9' * 30}" for kind in ("messages", "segments", "campaigns")])
def test_a_number_that_no_column_holds_is_refused(owner: httpx.Client, path: str) -> None:
    assert owner.get(path).status_code in (404, 422)


@pytest.mark.parametrize("before", [f"2026-01-31T12:00:00Z_{'9' * 30}", "9999-12-31T23:59:59-14:00_5", "0001-01-01T00:00:00+14:00_5"], ids=["number", "late", "early"])
def test_a_place_in_a_timeline_that_there_cannot_be_is_refused(owner: httpx.Client, workspace: Workspace, before: str) -> None:
    with workspace.transaction() as conn:
        resolve.find_people(conn, [identify(0, "u1", "b1")])
    assert owner.get("people/p1/timeline", params={"before": before}).status_code == 422
    asked = {"identifier": {"type": "user_id", "value": "u1"}, "include": ["timeline"], "before": before}
    assert owner.post("profiles/read", json=asked).json()["code"] == "CEGLA-E0300"
