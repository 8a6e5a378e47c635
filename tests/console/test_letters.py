"""Letters without scripts: made, changed by buttons, published, checked, seen as a person, compared; images for anybody and code for nobody."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from cegla.compose import actions as compose
from cegla.console.language import Tongue, english
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from tests.compose.test_rules import png
from tests.console.conftest import HOME

FIELD = re.compile(r'<(?:input|textarea|select)[^>]*\bname="([^"]+)"')


@pytest.fixture
def letter(shop: Workspace) -> compose.Letter:
    with shop.transaction() as conn:
        return compose.begin(conn, "letter", "Jesień", compose.Author("test", "pl", shop.clock()))


def form(letter: compose.Letter, **changes: str) -> dict[str, str]:
    """The letter's form as the page holds it."""
    held = {"name": letter.name, "subject": letter.document.subject, "order": ",".join(block.id for block in letter.document.blocks)}
    held |= {"revision": str(letter.revision), "editor": "page", "tag-source": "newsletter"}
    for block in letter.document.blocks:
        held |= {f"kind-{block.id}": block.kind} | {f"f-{block.id}-{key}": value for key, value in block.fields.items()}
    return held | changes


def draft(shop: Workspace, number: int) -> compose.Letter:
    with shop.transaction() as conn:
        return compose.reading.letter(conn, number)


def test_a_letter_is_made_changed_published_and_compared(admin: Any, shop: Workspace) -> None:
    made = admin.post("/letters", "/letters", kind="letter", name="Zima", start="")
    path = made.headers["location"]
    letter = draft(shop, int(path.rpartition("/")[2]))
    page = admin.get(path).text
    assert set(FIELD.findall(page)) >= {"subject", "preheader", "f-b1-text", "s-b1-segment", "revision", "order"}
    for wish in ("add:divider", "copy:b1", "down:b1"):
        letter = draft(shop, letter.id)
        assert admin.post(path, path, do=wish, **form(letter)).status_code == 303
    letter = draft(shop, letter.id)
    assert [block.kind for block in letter.document.blocks] == ["heading", "heading", "text", "button", "divider", "footer"]
    assert admin.post(path, path, do="publish", **form(letter)).headers["location"] == f"{path}?done=published"
    admin.post(path, path, do="drop:b1", **form(draft(shop, letter.id)))
    versions = admin.get(f"{path}/versions?a=1&b=0").text
    assert 'class="removed"' in versions
    turned = form(draft(shop, letter.id), **{"s-b2-device": "phone", "s-b2-not": "yes"})
    admin.post(f"{path}/versions", f"{path}/versions", version="1")
    assert len(draft(shop, letter.id).document.blocks) == 6
    assert admin.post(path, path, **turned).status_code == 409  # an open page from before
    assert admin.post(path, path, do="mine", **turned).status_code == 303
    assert 'name="s-b2-not" value="yes" checked' in admin.get(path).text


def test_somebody_elses_change_is_not_written_over(admin: Any, shop: Workspace, letter: compose.Letter) -> None:
    path = f"/letters/{letter.id}"
    admin.post(path, path, **form(letter, subject="pierwszy", editor="one"))
    admin.post(path, path, **form(draft(shop, letter.id), subject="drugi", editor="one"))
    refused = admin.post(path, path, **form(letter, subject="trzeci", editor="two"))
    assert (refused.status_code, "CEGLA-E0394" in refused.text, 'value="trzeci"' in refused.text) == (409, True, True)
    assert admin.post(path, path, do="mine", **form(letter, subject="trzeci", editor="two")).status_code == 303
    assert draft(shop, letter.id).document.subject == "trzeci"


@pytest.mark.parametrize("language", ["pl", "en"])
def test_every_page_of_a_letter_answers_in_both_languages(language: str, visitors: Callable[..., Any], letter: compose.Letter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tongue, "_translated", lambda self, message: english()[message] if self.language == "en" else message)
    visitor = visitors("administrator", language)
    for path in ("", "/check?segment=1", "/versions"):
        answer = visitor.get(f"/letters/{letter.id}{path}")
        assert (answer.status_code, answer.text.count("<h1")) == (200, 1)


def test_a_view_as_a_person_is_noted_and_says_whether_they_may_be_written_to(admin: Any, shop: Workspace, letter: compose.Letter) -> None:
    path = f"/letters/{letter.id}/check"
    seen = admin.post(path, path, person="p1")
    assert f"/letters/{letter.id}/person/p1" in seen.text
    body = admin.get(f"/letters/{letter.id}/person/p1")
    assert "default-src 'none'" in body.headers["content-security-policy"]
    with shop.transaction() as conn:
        assert sum(row.action == "letter.preview" for row in govern.audit(conn, 50)) >= 2


def test_a_hostile_template_harms_its_own_preview_alone(admin: Any, shop: Workspace) -> None:
    bomb = '{{ (1..100000000) | join: "," | size }}'
    with shop.transaction() as conn:
        document = compose.Document(subject="x", blocks=(compose.Block("b1", "text", {"text": bomb}),))
        letter = compose.begin(conn, "letter", "bomba", compose.Author("test", "pl", shop.clock()), document)
    page = admin.get(f"/letters/{letter.id}")
    assert (page.status_code, "CEGLA-E0330" in page.text) == (200, True)
    assert admin.get("/letters").status_code == 200


def test_an_image_is_there_for_anybody_and_nothing_else_is_taken(admin: Any, stranger: Any, shop: Workspace) -> None:
    def upload(raw: bytes) -> Any:
        headers = {"origin": HOME, "sec-fetch-site": "same-origin"}
        return admin.client.post("/letters/images", data={"csrf": admin.token("/letters/images")}, files={"image": ("a.png", raw)}, headers=headers)

    assert upload(png()).status_code == 303
    refused = upload(b"<svg onload='alert(1)'/>")
    assert (refused.status_code, "CEGLA-E0395" in refused.text) == (422, True)
    with shop.transaction() as conn:
        name = compose.images.hosted(conn)[0].name
    shown = stranger.get(f"/images/{name}")
    assert (shown.headers["content-type"], "sandbox" in shown.headers["content-security-policy"]) == ("image/png", True)
    assert stranger.get("/images/none.png").status_code == 404
