"""The console in a real browser: accessible in both themes and languages, on desk and phone, by keyboard, without other machines."""

import shutil
from collections.abc import Generator
from typing import Any

import pytest

from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from tests.console.conftest import PASSWORD, console_served
from tests.console.test_screens import PAGES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
LOOKS = (("light", "pl", 1280), ("dark", "en", 390))  #: each theme, each language, desk and phone
PARTS = 3  #: a look at all pages in one test took longer than a test may
HOSTILE_MAIL = "Blocked script execution"  #: the letter in the seeded mailbox holds a script, and the frame must stop it
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path (Debian: apt install chromium)")]


@pytest.fixture(scope="module")
def address(shop: Workspace) -> Generator[str]:
    """The console on a free port."""
    with console_served(shop) as served:
        yield served


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


class Seat:
    """A person at a browser, signed in; `heard` are errors and requests to other machines."""

    def __init__(self, browser: Any, address: str, look: tuple[str, str, int]) -> None:
        theme, language, width = look
        self.address = address
        self.heard: list[str] = []
        self.context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        self.context.add_cookies([{"name": "cegla_language", "value": language, "url": address}])
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.heard.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("request", lambda request: self.heard.append(request.url) if not request.url.startswith((address, "data:", "about:")) else None)

    def sign_in(self) -> None:
        """By keyboard alone."""
        self.page.goto(self.address + "/sign-in")
        self.page.focus("#f-name")
        self.page.keyboard.type("test-administrator")
        self.page.keyboard.press("Tab")
        self.page.keyboard.type(PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(self.address + "/")

    def broken_rules(self) -> list[str]:
        """What axe finds on the page as it stands."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, options=RULES).response["violations"]
        return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


@pytest.fixture
def seat(browser: Any, address: str) -> Generator[Seat]:
    """At a desk, in Polish, by day."""
    taken = Seat(browser, address, LOOKS[0])
    taken.sign_in()
    yield taken
    taken.context.close()


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
def test_every_screen_is_accessible_fits_and_stays_at_home(look: tuple[str, str, int], part: int, browser: Any, address: str) -> None:
    seat = Seat(browser, address, look)
    wrong: list[str] = []
    seat.page.goto(address + "/sign-in")
    wrong += [f"/sign-in {rule}" for rule in seat.broken_rules()]
    seat.sign_in()
    for path in PAGES[part::PARTS]:
        seat.page.goto(address + path)
        wrong += [f"{path} {rule}" for rule in seat.broken_rules()]
        if seat.page.evaluate(WIDER) > 0:
            wrong.append(f"{path} scrolls sideways")
    seat.context.close()
    assert not wrong
    heard = {heard.partition(" in ")[0] for heard in seat.heard}
    assert heard == ({HOSTILE_MAIL} if "/mailbox" in PAGES[part::PARTS] else set())


def test_keys_open_screens_and_find_people(seat: Seat) -> None:
    seat.page.evaluate("() => { window.setTimeout = () => 0 }")  # the letter has a second and a half, which a busy machine may not keep
    seat.page.keyboard.press("g")
    seat.page.keyboard.press("p")
    seat.page.wait_for_url("**/people")
    seat.page.keyboard.press("/")
    seat.page.keyboard.type("osoba1@example.pl")
    seat.page.keyboard.press("Enter")
    seat.page.wait_for_url("**/people/*")
    seat.page.keyboard.press("?")
    assert seat.page.locator("#keys-help").is_visible()
    seat.page.keyboard.press("Escape")
    assert not seat.page.locator("#keys-help").is_visible()
    assert not seat.heard


def test_the_segment_form_answers_while_it_is_filled_in_and_is_saved(seat: Seat, shop: Workspace) -> None:
    seat.page.goto(seat.address + "/segments/new")
    before = seat.page.locator(".figure").inner_text()
    seat.page.fill('[name="p-0.0-at_least"]', "4")
    seat.page.keyboard.press("Tab")
    seat.page.wait_for_function("before => document.querySelector('.figure')?.innerText !== before", arg=before)
    seat.page.click('button[value="add:0"]')
    seat.page.wait_for_selector('[name="op-0.1"]')
    seat.page.select_option('[name="op-0.1"]', "trait_known")
    seat.page.wait_for_selector('[name="p-0.1-trait"]')
    assert seat.page.url.endswith("/segments/new")
    seat.page.select_option('[name="p-0.1-trait"]', "first_seen")
    seat.page.fill("#f-name", "Z przeglądarki")
    seat.page.click('button[value="save"]')
    seat.page.wait_for_url("**/segments/*done=saved")
    assert seat.page.locator("h1").inner_text() == "Z przeglądarki"
    with shop.transaction() as conn:
        [saved] = [one for one in segment.segments(conn) if one.name == "Z przeglądarki"]
    assert saved.rule["all"][0]["at_least"] == 4
    assert saved.rule["all"][1] == {"op": "trait_known", "trait": "first_seen"}
    assert not seat.heard


def test_the_segment_form_works_without_scripts(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "/sign-in")
    page.fill("#f-name", "test-administrator")
    page.fill("#f-password", PASSWORD)
    page.press("#f-password", "Enter")
    page.goto(address + "/segments/new")
    page.click('button[value="add:0"]')
    assert page.locator('[name="op-0.1"]').count() == 1
    page.fill("#f-name", "Bez skryptów")
    page.click('button[value="remove:0.1"]')
    page.click('button[value="save"]')
    page.wait_for_url("**/segments/*done=saved")
    context.close()


def test_a_secret_is_copied_by_a_button(seat: Seat) -> None:
    seat.context.grant_permissions(["clipboard-read", "clipboard-write"])
    seat.page.goto(seat.address + "/sources/1")
    seat.page.click('[data-copy="write-key"]')
    key = seat.page.locator("#write-key").inner_text()
    for _ in range(600):  # the browser writes it in its own time
        if seat.page.evaluate("navigator.clipboard.readText()") == key:
            break
        seat.page.wait_for_timeout(100)
    assert seat.page.evaluate("navigator.clipboard.readText()") == key


def test_focus_is_never_hidden_under_the_top_bar(seat: Seat) -> None:
    seat.page.goto(seat.address + "/people")
    for _ in range(40):
        seat.page.keyboard.press("Tab")
    for _ in range(20):
        seat.page.keyboard.press("Shift+Tab")
        hidden = seat.page.evaluate(
            "() => { const e = document.activeElement, r = e.getBoundingClientRect(), t = document.querySelector('.top');"
            " return !t.contains(e) && !e.closest('.side') && r.bottom <= t.getBoundingClientRect().bottom && r.height > 0 && r.top >= 0; }"
        )
        assert not hidden
