"""Devices: what a user agent and an event's context say about the machine, and whether a machine is all there is."""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from ua_parser import parse


class Device(NamedTuple):
    """A machine as one event shows it. `type` is desktop, phone, tablet, tv, bot, server or unknown."""

    type: str
    os: str | None
    browser: str | None
    is_bot: bool


UNKNOWN = Device("unknown", None, None, False)
LONGEST_USER_AGENT = 1_000

# Our own words, found in what crawlers, monitors, previews and browser robots call themselves.
_BOT = re.compile(
    r"bot\b|bot[/;:)_\-+0-9]|crawl|spider|slurp|scrap|headless|phantomjs|selenium|puppeteer|playwright|webdriver|lighthouse|pagespeed|gtmetrix|"
    r"pingdom|uptime|monitor|"
    r"preview|externalhit|facebookcatalog|embedly|whatsapp/|skypeuri|vkshare|feedfetcher|feedburner|mediapartners|adsbot|apis-google|"
    r"google-(?:inspection|extended|read|safety)|"
    r"\bcheck(?:er|host)\b|validator|archiv|wayback|dataprovider|netcraft|nutch|heritrix|httrack|siteexplorer|screaming frog|semrush|ahrefs|mj12|"
    r"dotbot|petalbot|bytespider|"
    r"gptbot|chatgpt-user|oai-search|claude-|anthropic|perplexity|ccbot|cohere-ai|imageproxy|barracuda|proofpoint|mimecast|safelinks|"
    r"^(?:curl|wget|httpie|java|ruby|perl|php|go-http-client|okhttp|axios|node-fetch|undici|got|python|libwww|lwp|aiohttp|httpx|guzzle|"
    r"apache-httpclient|postman|insomnia)\b|"
    r"python-requests|python-urllib|\+https?://|^mozilla/5\.0$|^-?$",
    re.IGNORECASE,
)
_NOT_BOT = re.compile(r"cubot|androiddownloadmanager|cfnetwork|hbbtv", re.IGNORECASE)
_OWN_LIBRARY = re.compile(r"^(?:analytics|rudder|rudderstack|segment|cegla)[\w.\-]*[ /]", re.IGNORECASE)
_TV = re.compile(r"smart-?tv|hbbtv|appletv|apple tv|googletv|google tv|web0s|webos\.tv|netcast|roku|bravia|aft[a-z]{1,3}\b|crkey|tizen.*tv|viera|aquos",
    re.IGNORECASE)
_TABLET = re.compile(r"ipad|tablet|kindle|silk/|playbook|nexus (?:7|9|10)\b|\bsm-[tx]\d|lenovo tb|mediapad|galaxy tab", re.IGNORECASE)
_PHONE = re.compile(r"iphone|ipod|mobile|windows phone|blackberry|bb10|opera mini|symbian|kaios", re.IGNORECASE)
_DESKTOP = re.compile(r"windows nt|macintosh|mac os x|x11|linux|cros ", re.IGNORECASE)

_OS_NAMES = {"Mac OS X": "macOS", "Mac OS": "macOS", "Ubuntu": "Linux", "Fedora": "Linux", "Debian": "Linux", "Chrome OS": "ChromeOS", "iPadOS": "iOS",
    "ATV OS X": "tvOS"}
_BROWSER_NAMES = {
    "Mobile Safari": "Safari", "Mobile Safari UI/WKWebView": "Safari", "Chrome Mobile": "Chrome", "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chromium": "Chrome", "Firefox Mobile": "Firefox", "Firefox iOS": "Firefox", "Edge Mobile": "Edge", "Opera Mobile": "Opera", "Opera Mini": "Opera",
    "Samsung Internet": "Samsung Internet", "IE Mobile": "IE", "DuckDuckGo Mobile": "DuckDuckGo", "Brave Mobile": "Brave",
}  # fmt: skip
_PLATFORM_OS = {"ios": "iOS", "ipados": "iOS", "android": "Android", "windows": "Windows", "macos": "macOS", "mac os x": "macOS", "linux": "Linux",
    "tvos": "tvOS", "chrome os": "ChromeOS"}
_PLATFORM_TYPE = {"iOS": "phone", "Android": "phone", "tvOS": "tv", "Windows": "desktop", "macOS": "desktop", "Linux": "desktop", "ChromeOS": "desktop"}


def device_of(context: dict[str, Any]) -> Device:
    """The device of an event's context: user agent first, then what a mobile SDK or client hints say of themselves."""
    agent = context.get("userAgent")
    if isinstance(agent, str) and agent:
        found = read_user_agent(agent)
    else:
        found = _declared(context)
    if context.get("webdriver") is True:
        return found._replace(type="bot", is_bot=True)
    return found


@lru_cache(maxsize=8_192)
def read_user_agent(agent: str) -> Device:
    """The device behind a user agent. Versions are left out: browsers freeze them, so they would be invented."""
    agent = agent[:LONGEST_USER_AGENT]
    if not agent.strip():
        return UNKNOWN
    if _OWN_LIBRARY.match(agent):
        return Device("server", None, None, False)
    is_bot = _BOT.search(agent) is not None and _NOT_BOT.search(agent) is None
    result = parse(agent)
    os = result.os.family if result.os else None
    browser = result.user_agent.family if result.user_agent else None
    os = _OS_NAMES.get(os, os) if os and os != "Other" else None
    browser = _BROWSER_NAMES.get(browser, browser) if browser and browser != "Other" else None
    return Device("bot" if is_bot else _type_of(agent), os, browser, is_bot)


def _type_of(agent: str) -> str:
    if _TV.search(agent):
        return "tv"
    if _TABLET.search(agent) or ("Android" in agent and "Mobile" not in agent):
        return "tablet"
    if _PHONE.search(agent):
        return "phone"
    return "desktop" if _DESKTOP.search(agent) else "unknown"


def _declared(context: dict[str, Any]) -> Device:
    """The device as a mobile SDK (`os`, `device`), client hints (`userAgentData`) or a server library say it."""
    os = device_type = None
    told = context.get("os")
    if isinstance(told, dict) and isinstance(told.get("name"), str):
        os = _PLATFORM_OS.get(told["name"].strip().lower())
    hints = context.get("userAgentData")
    if isinstance(hints, dict):
        if os is None and isinstance(hints.get("platform"), str):
            os = _PLATFORM_OS.get(hints["platform"].strip().lower())
        if hints.get("mobile") is True:
            device_type = "phone"
    machine = context.get("device")
    if isinstance(machine, dict):
        told_type = str(machine.get("type", "")).lower()
        os = os or _PLATFORM_OS.get(told_type)
        if "ipad" in str(machine.get("model", "")).lower() or told_type == "tablet":
            device_type = "tablet"
    if os is None and device_type is None:
        return UNKNOWN
    return Device(device_type or _PLATFORM_TYPE.get(os or "", "unknown"), os, None, False)
