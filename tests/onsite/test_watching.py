"""What the script sees by itself: pages and what they say, reading, clicks, searches, links, files, forms; and what it must not see."""

import json
from collections.abc import Callable
from typing import Any

import pytest

GRANTED = 'data-consent="granted"'


def names(visit: Any) -> list[str]:
    return [event.get("event", event["type"]) for event in visit.inbox.events()]


def test_a_page_tells_what_it_is_about(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.go("/skarpety?utm_source=list&email=jan@example.pl&token=abc#section")
    (view,) = someone.inbox.wait_for("page")
    facts, page = view["properties"], view["context"]["page"]
    assert (facts["title"], facts["path"], facts["language"]) == ("Skarpety wełniane", "/skarpety", "pl")
    assert facts["canonical"] == someone.home + "/skarpety?utm_source=x"
    assert facts["description"] == "Ciepłe skarpety. Pytania: [e-mail]"
    assert facts["topics"] == ["skarpety", "wełna", "zima"]
    assert (facts["kind"], facts["subject"], facts["subject_category"], facts["breadcrumbs"]) == ("Product", "Skarpety", "Odzież > Skarpety", ["Odzież", "Skarpety"])
    assert page["url"] == facts["url"] == someone.home + "/skarpety?utm_source=list"
    assert view["context"]["timezone"]
    assert view["context"]["webdriver"] is True


def test_device_hints_are_asked_for_only_after_consent(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.page.add_init_script(
        "window.asked = 0; Object.defineProperty(navigator, 'userAgentData', {value: {platform: 'Android', mobile: true,"
        " getHighEntropyValues: async () => (window.asked++, {platform: 'Android', mobile: true, model: 'SM-A546B', platformVersion: '14.0.0', extra: 1})}})"
    )
    someone.go()
    assert someone.page.evaluate("() => window.asked") == 0
    someone.agree()
    hints = someone.inbox.wait_for("page")[0]["context"]["userAgentData"]
    assert hints == {"platform": "Android", "mobile": True, "model": "SM-A546B", "platformVersion": "14.0.0"}


def test_a_page_that_changes_without_loading_is_left_and_viewed(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.go("/skarpety")
    someone.page.wait_for_timeout(1_200)
    someone.run("window.scrollTo(0, 1200)")
    someone.run("history.replaceState({}, '', '/skarpety'); history.pushState({}, '', '/czapki'); document.title = 'Czapki'")
    someone.inbox.wait_for("page", 2)
    someone.page.go_back()
    views = someone.inbox.wait_for("page", 3)
    assert [view["properties"]["path"] for view in views] == ["/skarpety", "/czapki", "/skarpety"]
    assert [view["properties"]["title"] for view in views[1:2]] == ["Czapki"]
    assert [view["context"]["page"]["referrer"] for view in views[1:]] == [someone.home + "/skarpety", someone.home + "/czapki"]
    (left,) = someone.inbox.wait_for("Page Left")[:1]
    assert left["context"]["page"]["path"] == "/skarpety"
    assert 1 <= left["properties"]["seconds"] <= 600
    assert 50 <= left["properties"]["scroll_depth"] <= 100


def test_a_click_tells_where_it_was_and_whether_it_was_answered(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.go()
    someone.page.mouse.click(150, 175)
    someone.page.mouse.click(250, 350)
    answered, dead = sorted((event["properties"] for event in someone.inbox.wait_for("Element Clicked", 2)), key=lambda facts: facts["page_y"])
    assert (answered["element"], answered["tag"], answered["x"], answered["y"], answered["page_y"]) == ("#buy", "button", 0.25, 0.75, 175)
    assert answered["viewport"] == "desktop"
    assert "dead" not in answered
    assert (dead["element"], dead["dead"]) == ("#broken", True)
    someone.page.focus("#buy")
    for _ in range(3):
        someone.page.keyboard.press("Enter")
    by_keyboard = [event["properties"] for event in someone.inbox.wait_for("Element Clicked", 5)][-3:]
    assert [(facts["element"], facts["x"], facts["y"], facts.get("rage")) for facts in by_keyboard] == [("#buy", 0.5, 0.5, None)] * 3
    assert abs(dead["page_x"] - 250 / someone.page.evaluate("() => document.documentElement.scrollWidth")) < 0.002


def test_three_quick_clicks_on_one_spot_are_rage_and_selecting_or_typing_is_not(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.page.add_init_script("const begun = Date.now(); Date.now = () => begun")  # quick, however busy the machine is
    someone.go()
    for x, y in ((300, 350), (302, 351), (298, 349), (300, 350)):
        someone.page.mouse.click(x, y)
    for _ in range(4):
        someone.page.mouse.click(*_middle(someone, "#mail"))
    rage = [event["properties"].get("rage", False) for event in someone.inbox.wait_for("Element Clicked", 8)]
    assert rage == [False, False, True, False, False, False, False, False]


def test_what_is_typed_or_masked_is_never_sent(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.go()
    someone.page.fill("#mail", "tajne@example.pl")
    someone.page.click("#mail")
    someone.run("document.getElementById('account').addEventListener('click', (event) => event.preventDefault())")
    someone.page.click("#account")
    someone.page.click("form button")
    someone.inbox.wait_for("Form Submitted")
    clicks = someone.inbox.wait_for("Element Clicked", 3)
    assert "#private" in [click["properties"]["element"] for click in clicks]
    sent = json.dumps(someone.inbox.requests(), ensure_ascii=False)
    assert not [secret for secret in ("tajne", "anna", "Anna", "kowalska", "Zapisz") if secret in sent]
    assert [event["properties"] for event in someone.inbox.wait_for("Form Submitted")] == [{"form": "newsletter"}]


def test_links_away_and_files_are_reported_without_their_queries(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.page.route("https://other.test/**", lambda route: route.abort())
    someone.go()
    someone.run("for (const id of ['out', 'file', 'next']) document.getElementById(id).addEventListener('click', (event) => event.preventDefault())")
    for link in ("#out", "#file", "#next"):
        someone.page.click(link)
    assert someone.inbox.wait_for("Outbound Link Clicked")[0]["properties"] == {"address": "https://other.test/a", "host": "other.test"}
    assert someone.inbox.wait_for("File Downloaded")[0]["properties"] == {"address": someone.home + "/cennik.pdf", "file": "cennik.pdf", "extension": "pdf"}
    assert names(someone).count("Outbound Link Clicked") == names(someone).count("File Downloaded") == 1


@pytest.mark.parametrize(
    ("options", "address", "found"),
    [
        ("", "/szukaj?q=czapka%20zimowa", {"query": "czapka zimowa", "parameter": "q"}),
        ("", "/szukaj?fraza=anna@example.pl%20601%20234%20567", {"query": "[e-mail] [phone]", "parameter": "fraza"}),
        ('data-search="czego"', "/szukaj?q=nie&czego=5901234123457", {"query": "5901234123457", "parameter": "czego"}),
    ],
)
def test_a_search_on_the_site_is_told_without_personal_data(options: str, address: str, found: dict[str, str], visit: Callable[..., Any]) -> None:
    someone = visit(f"{GRANTED} {options}")
    someone.go(address)
    assert someone.inbox.wait_for("Site Searched")[0]["properties"] == found


def test_only_what_is_wanted_is_watched(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED + ' data-auto="page"')
    someone.go("/szukaj?q=czapka")
    someone.page.click("#buy")
    someone.page.wait_for_timeout(300)
    someone.go("/next")
    someone.inbox.wait_for("page", 2)
    assert set(names(someone)) == {"page"}


def test_selectors_still_lead_to_their_element_after_the_page_was_drawn_anew(visit: Callable[..., Any]) -> None:
    """A hundred mutations: elements around the target are added, removed and moved; the selector that was reported must find it again."""
    someone = visit(GRANTED)
    someone.go()
    someone.run(
        "document.body.innerHTML = '<main>' + [...Array(20).keys()].map((n) =>"
        " `<section><h2>S${n}</h2><ul><li><a href=\"/p/${n}\">A</a></li><li><button name=\"add-${n}\">B</button></li></ul></section>`).join('') + '</main>'"
    )
    for number in range(0, 20, 4):
        someone.page.click(f'[name="add-{number}"]')
    paths = [event["properties"]["element"] for event in someone.inbox.wait_for("Element Clicked", 5)]
    held = someone.page.evaluate(
        """(paths) => { const targets = paths.map((path) => document.querySelector(path)); let good = 0;
        for (let n = 0; n < 20; n++) {
          const main = document.querySelector('main'), sections = [...main.children];
          main.insertBefore(sections[(n * 7) % sections.length], sections[(n * 3) % sections.length]);
          main.prepend(document.createElement('section'));
          paths.forEach((path, place) => { const found = document.querySelectorAll(path); good += found.length === 1 && found[0] === targets[place]; });
        } return good; }""",
        paths,
    )
    assert held >= 95


def _middle(visit: Any, selector: str) -> tuple[float, float]:
    box = visit.page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
