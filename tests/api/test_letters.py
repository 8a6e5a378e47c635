"""Letters by the API: written as data, checked with the place of a mistake, looked at, published, given; images go when nothing shows them."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from cegla.activate import actions as activate
from cegla.api.app import build_api
from cegla.api.inside import Inside
from cegla.app import HOLDERS
from cegla.compose import actions as compose
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from tests.compose.test_rules import png

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DOCUMENT = {"subject": "Jesień", "blocks": [{"kind": "text", "fields": {"text": "Cześć, {{ person.first_name | default: 'Ty' }}!"}}, {"kind": "footer"}]}


@pytest.fixture
def api(workspace: Workspace) -> httpx.Client:
    app = Starlette(routes=[Mount("/api/v1", build_api(workspace, HOLDERS, "owner"))])
    return httpx.Client(transport=Inside(app), base_url="http://cegla.local/api/v1/", headers={"authorization": "Bearer owner"})


def saved(api: httpx.Client, **wish: Any) -> httpx.Response:
    return api.post("letters", json={"name": "Jesień", "document": DOCUMENT} | wish)


def test_a_letter_is_written_read_changed_published_and_given(api: httpx.Client, workspace: Workspace) -> None:
    assert saved(api, dry_run=True).json()["document"]["blocks"][0]["id"] == "b1"
    assert api.get("letters").json() == {"letters": []}
    first = saved(api).json()
    shown = api.get(f"letters/{first['id']}").json()
    assert shown["document"] == first["document"] and shown["versions"] == [] and shown["changed_by"]
    seen = api.post(f"letters/{first['id']}/preview", json={}).json()
    assert "Cześć, Ty!" in seen["html"] and "Cześć, Ty!" in seen["text"] and seen["allowed"] is None
    assert {one["kind"] for one in seen["findings"]} <= {"good", "info", "warn", "bad"}
    changed = saved(api, id=first["id"], revision=first["revision"], document=shown["document"] | {"subject": "Zima"}).json()
    assert (changed["subject"], changed["revision"]) == ("Zima", first["revision"] + 1)
    stale = saved(api, id=first["id"], revision=first["revision"])
    assert stale.status_code == 409 and api.get(f"letters/{first['id']}").json()["subject"] == "Zima"
    assert api.post(f"letters/{first['id']}/publish").json()["version"] == 1
    with workspace.transaction() as conn:
        people = segment.save(conn, "wszyscy", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, NOW)
        mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>x {{ unsubscribe_url }}</mj-text></mj-column></mj-section></mj-body></mjml>"
        campaign = activate.save_campaign(conn, {"name": "k", "segment_id": people.id, "subject": "s", "mjml": mjml}, NOW)
    assert api.post(f"letters/{first['id']}/give", json={"campaign_id": campaign.id}).status_code == 200
    assert api.get(f"campaigns/{campaign.id}").json()["subject"] == "Zima"


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"blocks": [{"kind": "video"}]}, "/document/blocks/0/kind"), ({"blocks": [{"kind": "text", "fields": {"tekst": "x"}}]}, "/document/blocks/0/fields/tekst"),
        ({"blocks": [{"kind": "text", "shown": {"moon": "full"}}]}, "/document/blocks/0/shown/moon"), ({"blokcs": []}, "/document"), ({"blocks": "x"}, "/document"),
        ({"blocks": [{"kind": "text", "id": "b1"}, {"kind": "text", "id": "b1"}]}, "/document/blocks/1/id"), ({"subject": "a\0b"}, "/document"),
        ({"blocks": [{"kind": "spacer"}] * 121}, "/document/blocks"), ({"blocks": [{"kind": "text", "fields": {"text": "x" * 20_001}}]}, "/document/blocks/0/fields/text"),
    ],
    ids=("kind", "field", "condition", "name", "list", "twice", "nul", "many", "long"),
)  # fmt: skip
def test_a_mistake_in_a_letter_is_told_with_its_place(api: httpx.Client, document: dict[str, Any], where: str) -> None:
    refused = saved(api, document=document)
    assert refused.status_code == 422 and refused.json()["where"] == where
    assert api.get("letters").json() == {"letters": []}


def test_an_image_goes_only_when_no_letter_and_no_campaign_shows_it(api: httpx.Client, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        shown, free = (compose.images.host(conn, png(width=width), "baner.png", NOW).name for width in (3, 4))
    picture = {"kind": "image", "fields": {"image": f"https://cegla.example/images/{shown}", "alt": "Baner"}}
    letter = saved(api, document={"subject": "s", "blocks": [picture]}).json()["id"]
    rows = {one["name"]: [user["name"] for user in one["shown_by"]] for one in api.get("images").json()["images"]}
    assert rows == {shown: ["Jesień"], free: []}
    assert api.post("images/remove", json={"name": shown}).status_code == 422
    assert api.post("images/remove", json={"name": free, "dry_run": True}).json() == {"image": free, "removed": False}
    assert api.post("images/remove", json={"name": free}).json() == {"image": free, "removed": True}
    api.post(f"letters/{letter}/publish")
    saved(api, id=letter)
    assert api.post("images/remove", json={"name": shown}).status_code == 422, "a version shows it still"
    assert api.post("images/remove", json={"name": "0" * 32 + ".png"}).status_code == 404
