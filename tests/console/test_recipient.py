"""Recipients' pages in a real browser without JavaScript: accessible, on a desk and a phone, and as easy to say no as yes."""

from typing import Any

import pytest

from cegla.activate import actions as activate
from cegla.activate.letters import signed
from cegla.activate.rules import tokens
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Channel
from tests.console.test_browser import LOOKS, RULES, WIDER, address, browser, pytestmark  # noqa: F401

SWITCH = "input[name=on][value='marketing.email']"


@pytest.fixture(scope="module")
def token(shop: Workspace) -> str:
    """The link of a message that was decided."""
    with shop.transaction() as conn:
        everybody = segment.save(conn, "Wszyscy", {"op": "did", "event": "Product Viewed", "at_least": 1, "days": 365}, shop.clock(), key="recipients")
        words = {"name": "Jesień", "segment_id": everybody.id, "subject": "Cześć", "mjml": "<mjml><mj-body><mj-section/></mj-body></mjml>", "holdout_percent": 0}
        campaign = activate.save_campaign(conn, words, shop.clock())
        notice = govern.Notice(
            purpose="marketing", version="3", language="pl", text="Zgadzam się na otrzymywanie wiadomości e-mail o nowościach.", channels=(Channel.EMAIL,)
        )
        if govern.register.current(conn).newest_notice("marketing", "pl") is None:
            govern.register.add_notice(conn, notice, "anna", shop.clock())
    activate.launch(shop, campaign.id)
    with shop.transaction() as conn:
        row = next(one for one in activate.messages_of(conn, campaign_id=campaign.id, limit=100) if one.address and one.reason is None)
    return signed(shop.keys, tokens.PREFERENCES, row.id)


@pytest.mark.parametrize("look", LOOKS, ids=["desk", "phone"])
def test_the_preference_page_is_accessible_and_fits_without_scripts(browser: Any, address: str, token: str, look: tuple[str, str, int]) -> None:  # noqa: F811
    from axe_playwright_python.sync_playwright import Axe

    theme, language, width = look
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, locale=language)
    page = context.new_page()
    page.goto(f"{address}/p/{token}")
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate(WIDER) == 0
    found = Axe().run(page, options=RULES).response["violations"]
    assert [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]] == []
    context.close()


def test_no_takes_as_many_clicks_as_yes_needs_no_script_and_tells_no_other_page_the_address(browser: Any, address: str, token: str) -> None:  # noqa: F811
    context = browser.new_context(java_script_enabled=False, locale="pl")
    page = context.new_page()
    referers: list[str] = []
    page.on("request", lambda request: referers.append(request.headers.get("referer", "")))
    answer = page.goto(f"{address}/p/{token}")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert page.locator(SWITCH).is_checked()
    for wanted in (False, True):
        page.locator(SWITCH).click()
        page.get_by_role("button", name="Zapisz", exact=True).click()
        assert page.locator(SWITCH).is_checked() is wanted
    assert not [one for one in referers if token in one]
    context.close()


def test_a_forged_link_is_a_page_that_says_nothing_of_anybody(browser: Any, address: str, token: str) -> None:  # noqa: F811
    page = browser.new_page()
    answer = page.goto(f"{address}/p/{token[:-3]}AAA")
    assert answer.status == 404 and "@" not in page.locator("main").inner_text()
    page.close()
