"""Where visits come from."""

import pytest

from cegla.profile.rules.countries import country_code
from cegla.profile.rules.origins import NO_CAMPAIGN, NO_PAGE, Campaign, campaign_of, read_page, read_referrer
from cegla.reference.library import Library

WORLD = Library()


@pytest.mark.parametrize(("url", "kind", "host"), [
    ("https://www.google.pl/", "search", "google.pl"), ("https://www.google.co.uk/search?q=x", "search", "google.co.uk"), ("https://duckduckgo.com/", "search", "duckduckgo.com"),
    ("https://l.facebook.com/l.php", "social", "l.facebook.com"), ("https://t.co/abc", "social", "t.co"), ("https://www.wykop.pl/link/1", "social", "wykop.pl"),
    ("https://chatgpt.com/", "assistant", "chatgpt.com"), ("https://www.perplexity.ai/search", "assistant", "perplexity.ai"), ("https://gemini.google.com/app", "assistant", "gemini.google.com"),
    ("https://mail.google.com/mail/u/0", "mail", "mail.google.com"), ("https://poczta.wp.pl/", "mail", "poczta.wp.pl"), ("https://blog.example.org/", "other", "blog.example.org"),
    ("android-app://com.google.android.gm/", "mail", "com.google.android.gm"), ("https://www.onet.pl/", "other", "onet.pl"), ("https://search.brave.com/", "search", "search.brave.com"), ("", "direct", None),
    ("https://shop.example/", "internal", "shop.example"), ("https://m.shop.example/", "internal", "m.shop.example"),
])  # fmt: skip
def test_a_referrer_has_a_kind(url: str, kind: str, host: str | None) -> None:
    assert read_referrer(url, "shop.example", WORLD)[:2] == (kind, host)


@pytest.mark.parametrize("url", ["http://[::1", "://", "https://", "not a url at all"])
def test_a_broken_referrer_breaks_nothing(url: str) -> None:
    assert read_referrer(url, None, WORLD).kind in ("direct", "other")


def test_a_page_gives_its_path_and_campaign_and_drops_the_rest() -> None:
    page = read_page("https://www.Shop.example/kubki/b%C5%82%C4%99kitny?utm_source=News&utm_medium=email&utm_campaign=jesie%C5%84&token=secret#top")
    assert page == ("shop.example", "/kubki/błękitny", Campaign("News", "email", "jesień"))


def test_a_click_id_names_its_advertiser() -> None:
    assert read_page("https://shop.example/?gclid=abc").campaign == Campaign("google", "cpc", None, click_id="gclid")
    assert read_page("https://shop.example/?fbclid=abc&utm_source=x").campaign.source == "x"


def test_what_does_not_parse_is_no_page() -> None:
    assert read_page("http://[broken") == NO_PAGE


def test_the_sdks_campaign_stands_before_the_pages() -> None:
    page = read_page("https://shop.example/?utm_source=page")
    assert campaign_of({"campaign": {"source": "sdk", "name": "spring"}}, page) == Campaign("sdk", None, "spring")
    assert campaign_of({"campaign": {}}, page).source == "page"
    assert campaign_of({"campaign": "x"}, NO_PAGE) is NO_CAMPAIGN


@pytest.mark.parametrize(("text", "code"), [
    ("PL", "PL"), ("pl", "PL"), ("Poland", "PL"), ("Polska", "PL"), ("POL", "PL"), ("United Kingdom", "GB"), ("EIRE", "IE"), ("USA", "US"), ("RSA", "ZA"), ("Czech Republic", "CZ"),
    ("Unspecified", None), ("European Community", None), ("Channel Islands", None), ("", None), ("EU", None), ("UK", "GB"),
])  # fmt: skip
def test_a_country_is_known_by_code_or_name(text: str, code: str | None) -> None:
    assert country_code(text) == code
