"""Every screen by plain HTTP, in both languages: it answers, says its numbers, and asks nothing of another machine."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from cegla.analyse import portraits
from cegla.catalog import actions as catalog
from cegla.console.language import Tongue, english
from cegla.console.routes import ROUTES
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.text import Text

PAGES = (
    "/", "/events", "/events/volumes", "/events/quarantine", "/events/quarantine/1", "/clicks", "/clicks?days=7&viewport=phone", "/events/one?source=1&event=Product%20Viewed", "/sources/1/plan", "/people", "/people/1", "/people/p1", "/people/1/timeline", "/people/1/consent", "/people/1/consent?purpose=profiling&channel=none&at=2026-11-01T10:00", "/people/1/erase", "/duplicates", "/duplicates?state=refused", "/analysers", "/segments", "/segments/new",
    "/segments/1", "/segments/1/edit", "/segments/1/why?person=p1", "/portraits", "/portraits?kind=brand", "/portraits/groups", "/portraits/people?was=newcomer&is_now=new", "/portraits/people?kind=category&value=x", "/syncs", "/letters", "/letters/1", "/letters/1/check?segment=1", "/letters/1/versions", "/letters/images", "/feeds", "/campaigns", "/campaigns/new", "/campaigns/rules", "/campaigns/calendar", "/campaigns/calendar?week=-4", "/campaigns/new/sms", "/campaigns/new/push", "/campaigns/gateways", "/campaigns/deliverability", "/sources", "/imports", "/sources/1", "/sources/webhooks/new", "/sources/3/webhook", "/settings", "/settings/data", "/settings/history", "/purposes", "/purposes/new", "/purposes?version=0", "/traits", "/traits/new", "/mailbox", "/ui", "/identity", "/identity?reason=unique", "/people/1/links", "/accounts", "/events/find", "/events/e1", "/events/q1", "/people/1/timeline?kind=track&name=Product%20Viewed&source=1&since=2020-01-01&until=2100-01-01",
)  # fmt: skip
ELSEWHERE = re.compile(r"(?:src|(?<!<a )href|action|srcset|poster)=\"(?:https?:)?//", re.IGNORECASE)  # a link to follow asks nobody by itself
INLINE = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)


@pytest.fixture
def strict_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message without translation is an error, also when it comes from a variable."""
    monkeypatch.setattr(Tongue, "_translated", lambda self, message: english()[message] if self.language == "en" else message)


@pytest.mark.usefixtures("strict_words")
@pytest.mark.parametrize("language", ["pl", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_every_screen_answers_in_both_languages(path: str, language: str, visitors: Callable[..., Any]) -> None:
    answer = visitors("administrator", language).get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}"' in answer.text
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize("path", PAGES)
def test_no_screen_holds_inline_code_or_asks_another_machine(path: str, admin: Any) -> None:
    answer = admin.get(path)
    assert not ELSEWHERE.search(answer.text)
    assert not INLINE.search(answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert "unsafe" not in answer.headers["content-security-policy"]


def test_a_nul_in_an_address_breaks_no_page(shop: Workspace, admin: Any) -> None:
    """PostgreSQL takes it in no text."""
    with shop.transaction() as conn:
        number = catalog.add(conn, "nul", "", 24)
    assert admin.get(f"/feeds/{number}?word=kubek%00").status_code == 200
    with shop.transaction() as conn:
        catalog.remove(conn, number)


@pytest.mark.parametrize("page", ["/people/1/timeline?before=1.0-{}", "/people/1/links?after=1.0-{}", "/people/1/timeline?since=0001-01-01&until=9999-12-31", "/people/1/timeline?source={}"])
@pytest.mark.parametrize("number", ["9" * 30, "²"], ids=["large", "none"])
def test_what_no_column_holds_breaks_no_page(page: str, number: str, admin: Any) -> None:
    assert admin.get(page.format(number)).status_code == 200
    assert "Osob" in admin.post("/people", "/people", q="a", after=number).text


@pytest.mark.parametrize("path", ["/", "/events", "/segments/new", "/sources", "/sources/1"])
def test_a_part_asked_for_by_htmx_is_a_part_of_the_same_page(path: str, admin: Any) -> None:
    part = admin.get(path, **{"hx-request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["vary"]


def test_every_page_of_the_table_is_tested_or_needs_something_made_first() -> None:
    named = [re.sub(r"/[peq]?\d+", "/{id}", path.partition("?")[0]) for path in PAGES]
    tested = {re.sub(r"/new/(sms|push)$", "/new/{channel}", path) for path in named}
    made_first = {
        "/feeds/{id}", "/letters/images/{name}", "/letters/{id}/body", "/letters/{id}/person/{person}", "/images/{name}", "/syncs/{id}", "/sign-in", "/traits/{key}/edit", "/analysers/{trait}", "/accounts/{id}", "/links/{id}/undo", "/imports/{id}", "/imports/{id}/refused", "/duplicates/{id}", "/campaigns/{id}", "/campaigns/{id}/edit", "/campaigns/{id}/words", "/campaigns/new/{channel}", "/campaigns/{id}/preview/{person}", "/campaigns/{id}/audience", "/campaigns/{id}/send",
        "/campaigns/{id}/report", "/campaigns/{id}/map/{variant}", "/campaigns/{id}/basis", "/messages/{id}", "/r/{token}", "/u/{token}", "/p/{token}", "/c/{token}", "/purposes/{key}", "/mailbox/{name}/body",
    }  # fmt: skip
    assert {route.path for route in ROUTES if route.method == "GET"} == tested | made_first


def test_today_says_how_many_people_there_are(admin: Any, shop: Workspace) -> None:
    assert '<span class="figure">60</span>' in admin.get("/").text


def test_people_are_paged_by_key_without_overlap(admin: Any) -> None:
    first = admin.get("/people").text
    following = re.search(r'href="(/people\?after=\d+)"', first)
    assert following
    ids = [set(re.findall(r'href="/people/(\d+)"', text)) for text in (first, admin.get(following.group(1)).text)]
    assert len(ids[0]) == 50
    assert len(ids[1]) == 10
    assert not ids[0] & ids[1]


def test_a_segment_says_its_sentence_its_reach_and_its_members(admin: Any, shop: Workspace) -> None:
    with shop.transaction() as conn:
        found = next(row for row in segment.segments(conn) if row.key == "rfm.champions")
    text = admin.get(f"/segments/{found.id}").text
    assert "Osoby, które są w grupie RFM: mistrzowie." in text
    assert f"{found.members} osób" in text
    assert "Osiągalni" in text


def test_a_segment_that_cannot_be_read_has_a_page_that_says_why_and_leads_to_its_form(admin: Any, shop: Workspace) -> None:
    with shop.transaction() as conn:
        broken = segment.save(conn, "Złamany", {"op": "everyone"}, shop.clock())
        segment.refresh(conn, shop.warehouse, [1, 2], segment.AsOf(shop.clock()), only=[broken.id])
        kept = segment.membership(conn, broken.id, 0, 10)
        conn.execute("update segment.segments set rule = %s where id = %s", ['{"op": "in_segment", "segment": "own.gone"}', broken.id])
    try:
        page = admin.get(f"/segments/{broken.id}")
        assert (page.status_code, "nie ma takiego segmentu" in page.text, f"/segments/{broken.id}/edit" in page.text) == (200, True, True)
        assert kept and all(f">p{row.person_id}<" in page.text for row in kept), "whom it keeps"
        assert admin.get(f"/segments/{broken.id}/why?person=nobody").status_code == 404
    finally:
        with shop.transaction() as conn:
            conn.execute("delete from segment.segments where id = %s", [broken.id])


def test_portraits_are_worked_out_once_for_many_visits(admin: Any, shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.recent.forget()
    first = [admin.get(path).text for path in ("/portraits", "/portraits/groups")]
    for name in ("movements", "affinities", "baskets", "groups"):
        monkeypatch.setattr(portraits, name, lambda *asked: pytest.fail("asked anew"))
    assert [admin.get(path).status_code for path in ("/portraits", "/portraits/groups")] == [200, 200]
    assert "Stan na" in first[0]
    with shop.transaction() as conn:
        govern.note(conn, "anna", "person.erase", "p99", {}, shop.clock())  # as another process writes it down
    made: list[str] = []
    monkeypatch.setattr(portraits, "groups", lambda ws, now: made.append("groups") or portraits.Groups((), (), 0.0, 0.0, Text("", ""), now))
    assert admin.get("/portraits/groups").status_code == 200 and made == ["groups"], "an answer of before the erasure may be about who is gone"
    monkeypatch.undo()
    shop.recent.forget()
    assert admin.get("/portraits/groups").status_code == 200


def test_a_person_says_how_each_thing_is_known(admin: Any) -> None:
    text = admin.get("/people/1").text
    assert "pewność 100" in text
    assert "earliest@1" in text
    assert "cel: Analiza zachowania na stronie" in text


def test_what_comes_in_is_shown_inert(admin: Any) -> None:
    pages = [admin.get(path).text for path in ("/people/1", "/events", "/events/quarantine")]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[0]
    assert not [page for page in pages if "<script>alert" in page]


def test_mail_is_shown_where_it_can_do_nothing(admin: Any) -> None:
    body = admin.get("/mailbox/0001/body")
    assert "sandbox" in body.headers["content-security-policy"]
    assert "default-src 'none'" in body.headers["content-security-policy"]
    assert 'sandbox=""' in admin.get("/mailbox").text


def test_what_does_not_exist_is_a_page_with_a_code(admin: Any) -> None:
    for path in ("/nothing", "/people/999999", "/people/abc", "/segments/999", "/mailbox/no/body", "/r/forged", "/u/forged"):
        answer = admin.get(path)
        assert answer.status_code == 404, path
        assert "CEGLA-E0400" in answer.text, path
