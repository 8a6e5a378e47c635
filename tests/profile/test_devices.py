"""What a user agent says, and whom it gives away as a robot."""

from typing import Any

import pytest

from cegla.profile.analysers import device
from cegla.profile.rules.devices import UNKNOWN, Device, device_of
from cegla.reference.library import Library
from tests.profile.analysed import found

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
WORLD = Library()


def read_user_agent(agent: str, **hints: Any) -> Device:
    return device_of({"userAgent": agent, "userAgentData": hints} if hints else {"userAgent": agent}, WORLD)


@pytest.mark.parametrize(("agent", "kind", "os", "browser"), [
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36", "desktop", "Windows", "Chrome"),
    (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/140.0.0.0", "desktop", "Windows", "Edge"),
    ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "desktop", "macOS", "Safari"),
    ("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0", "desktop", "Linux", "Firefox"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "phone", "iOS", "Safari"),
    (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36", "phone", "Android", "Chrome"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {CHROME} Safari/537.36", "tablet", "Android", "Chrome"),
    ("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1", "tablet", "iOS", "Safari"),
])  # fmt: skip
def test_browsers_show_their_machine(agent: str, kind: str, os: str, browser: str) -> None:
    found = read_user_agent(agent)
    assert (found.type, found.os, found.browser, found.is_bot) == (kind, os, browser, False)


@pytest.mark.parametrize(("agent", "os"), [
    ("Microsoft Office Word/16.43.1108 (Mac OS/11.0.1; Desktop; pl-PL; NonAppStore)", "macOS"),
    ("Mozilla/5.0 (Macintosh; ARM Mac OS X) AppleWebKit/538.15 (KHTML, like Gecko) Safari/538.15 Version/6.0 Raspbian/9.0 Epiphany/3.8.2", "Linux"),
    ("Mozilla/5.0 (Librem 5, like iPhone; X11; Linux aarch64) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15", "Linux"),
    ("Safari5533.22.3 CFNetwork/438.16 Darwin/9.8.0 (Power%20Macintosh)", "macOS"), (f"Mozilla/5.0 (X11; Fuchsia x86_64) {CHROME} Safari/537.36", "Fuchsia"),
    ("Mozilla/5.0 (X11; U; AIX 5.3; en-US; rv:1.7.12) Gecko/20051025", None),
])  # fmt: skip
def test_plain_words_name_the_system_where_rules_are_silent_or_taken_in(agent: str, os: str | None) -> None:
    found = read_user_agent(agent)
    assert (found.os, found.os_version) == (os, None)


def test_a_platform_as_scripts_name_it_is_understood() -> None:
    assert [read_user_agent("Shop/1", platform=name).os for name in ("Win32", "MacIntel", "Linux x86_64")] == ["Windows", "macOS", "Linux"]


def test_a_television_is_a_television() -> None:
    assert read_user_agent(f"Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) {CHROME}/7.0 TV Safari/537.36").type == "tv"


@pytest.mark.parametrize("agent", [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", f"Mozilla/5.0 (X11; Linux x86_64) {CHROME.replace('Chrome', 'HeadlessChrome')} Safari/537.36",
    "curl/8.5.0", "python-requests/2.32.3", "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "Mozilla/5.0", "Scrapy/2.11 (+https://scrapy.org)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; +https://openai.com/gptbot)", "Mozilla/5.0 (compatible; Pingdom.com_bot_version_1.4)",
])  # fmt: skip
def test_robots_are_flagged(agent: str) -> None:
    found = read_user_agent(agent)
    assert found.is_bot
    assert found.type == "bot"


def test_the_shops_own_server_is_no_robot() -> None:
    assert not read_user_agent("analytics-node-next/latest").is_bot
    assert read_user_agent("analytics-python/2.4.0").type == "server"


@pytest.mark.parametrize(("context", "kind", "os"), [
    ({"os": {"name": "iOS", "version": "18"}, "device": {"model": "iPhone17,1"}}, "phone", "iOS"),
    ({"os": {"name": "iPadOS"}, "device": {"model": "iPad14,1"}}, "tablet", "iOS"),
    ({"device": {"type": "android"}}, "phone", "Android"),
    ({"userAgentData": {"platform": "Windows", "mobile": False}}, "desktop", "Windows"),
    ({"userAgentData": {"platform": "Android", "mobile": True}}, "phone", "Android"),
])  # fmt: skip
def test_without_a_user_agent_the_sdk_is_believed(context: dict[str, Any], kind: str, os: str) -> None:
    assert device_of(context, WORLD)[:2] == (kind, os)


@pytest.mark.parametrize("context", [{}, {"userAgent": None}, {"userAgent": 7}, {"userAgent": " "}, {"os": "iOS"}, {"os": {"name": 3}}, {"device": []}])
def test_what_cannot_be_read_is_unknown(context: dict[str, Any]) -> None:
    assert device_of(context, WORLD) == UNKNOWN


def test_a_browser_driven_by_a_program_is_a_robot() -> None:
    assert device_of({"userAgent": f"Mozilla/5.0 (Windows NT 10.0) {CHROME} Safari/537.36", "webdriver": True}, WORLD).is_bot


@pytest.mark.parametrize(("days", "is_guessed"), [((3, 4), False), ((3, 4, 5, 6), False), ((3, 4, 5, 6, 7), True)])
def test_what_a_device_is_for_is_guessed_from_five_days_however_often_it_was_used_on_them(days: tuple[int, ...], is_guessed: bool) -> None:
    deeds = [(1, day + hours / 24, "Page Viewed", {}) for day in days for hours in (0, 2, 4, 6)]
    assert (found(device.ANALYSER, deeds)[1]["device.work_private_guess"] is not None) == is_guessed


def test_a_program_of_a_mac_is_no_iphone_once_the_full_rules_have_answered() -> None:
    pytest.importorskip("device_detector")
    library, context = Library(), {"userAgent": "NetworkingExtension/8623.2.2 CFNetwork/3860.400.1 Darwin/25.3.0", "locale": "pl-PL"}
    device_of(context, library)
    library.settle()
    later = device_of(context, library)
    assert (later.os, later.os_version) == ("macOS", None)


def test_a_chromebook_is_one_though_its_programs_for_android_take_it_for_a_tablet() -> None:
    chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0"
    board = read_user_agent(f"Mozilla/5.0 (Linux; Android 10; K) {chrome} Safari/537.36", platform="Android", platformVersion="13.0.0", model="octopus")
    named = read_user_agent(f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {chrome} Safari/537.36", platform="Android", platformVersion="13.0.0", model="new")
    assert [(one.os, one.os_version, one.type) for one in (board, named)] == [("ChromeOS", None, "desktop")] * 2
    phone = read_user_agent(f"Mozilla/5.0 (Linux; Android 6.0; Rex) {chrome} Mobile Safari/537.36", platform="Android", model="Rex", mobile=True)
    tablet = read_user_agent(f"Mozilla/5.0 (Linux; Android 10; K) {chrome} Safari/537.36", platform="Android", platformVersion="13.0.0", model="SM-X200")
    assert [(one.os, one.type) for one in (phone, tablet)] == [("Android", "phone"), ("Android", "tablet")]


@pytest.mark.parametrize("name", ["Gentoo", "Kubuntu", "Slackware", "SUSE"])
def test_distributions_of_linux_are_linux(name: str) -> None:
    assert read_user_agent(f"Mozilla/5.0 (X11; U; Linux x86_64; en-US; rv:1.9.2.24) Gecko/20111101 {name}/3.6 Firefox/3.6.24").os == "Linux"
