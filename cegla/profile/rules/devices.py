"""Devices: what a user agent, client hints and a mobile SDK say about the machine and the program, and whether a machine is all there is.

Versions are never invented. Browsers freeze what they say of the system: "Windows NT 10.0" is Windows 10 or 11, "Android 10; K" any
Android, "Mac OS X 10_15_7" any macOS since 2019, "iPhone OS 18_6" any iOS since 26. Only a client hint tells the version then.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from ua_parser import load_lazy_builtins
from ua_parser.regex import Resolver

from cegla.vocabulary.world import World


class Software(NamedTuple):
    """What a user agent says of system and program. `type` is desktop, phone, tablet, tv, server or unknown."""

    type: str
    os: str | None
    os_version: str | None
    browser: str | None
    browser_version: str | None
    in_app: str | None


class Device(NamedTuple):
    """A machine as one event shows it. `type` is desktop, phone, tablet, tv, console, bot, server, ... or unknown; `source` says who told.

    `bot_reason` is None for a person's machine.
    """

    type: str
    os: str | None
    browser: str | None
    is_bot: bool
    os_version: str | None = None
    browser_version: str | None = None
    brand: str | None = None
    model: str | None = None
    source: str | None = None
    in_app: str | None = None
    bot_reason: str | None = None


UNKNOWN = Device("unknown", None, None, False)
NOTHING = Software("unknown", None, None, None, None, None)
GREAT_SYSTEMS = frozenset({"Windows", "macOS", "Linux", "ChromeOS", "Android", "iOS"})
LONGEST_USER_AGENT = 1_000
LONGEST_HINT = 80
Hints = tuple[tuple[str, str], ...]

_OWN_LIBRARY = re.compile(r"^(?:analytics|rudder|rudderstack|segment|cegla)[\w.\-]*[ /]", re.IGNORECASE)
#: What gives a machine's form away, in lower case; the words come first, being found ten times as fast as patterns are.
_TV = ("smart-tv", "smarttv", "hbbtv", "appletv", "apple tv", "googletv", "google tv", "web0s", "webos.tv", "netcast", "roku", "bravia", "crkey", "viera",
    "aquos")  # fmt: skip
_TV_PATTERNS = (("aft", re.compile(r"aft[a-z]{1,3}\b")), ("tizen", re.compile(r"tizen.*tv")))
_TABLET = ("ipad", "tablet", "kindle", "silk/", "playbook", "lenovo tb", "mediapad", "galaxy tab")
_TABLET_PATTERNS = (("nexus ", re.compile(r"nexus (?:7|9|10)\b")), ("sm-", re.compile(r"\bsm-[tx]\d")))
_PHONE = ("iphone", "ipod", "mobile", "windows phone", "blackberry", "bb10", "opera mini", "symbian", "kaios")
_DESKTOP = ("windows nt", "macintosh", "mac os x", "x11", "linux", "cros ")
_FROZEN = re.compile(
    r"Windows NT 1\d\.|Android 10; (?:K|Mobile|Tablet)\b|Mac OS X 10[._]15(?![0-9])|CrOS |Version/(?:2[6-9]|[3-9]\d).* Mobile/|"
    r"OS 18_[67].*(?:CriOS|FxiOS|EdgiOS)/1[4-9]\d"
)
_IN_APP = (
    ("Messenger", r"FBAN/Messenger|MessengerForiOS|FB_IAB/Orca|FB_IAB/MESSENGER"), ("Instagram", r"\bInstagram\b"), ("Threads", r"\bBarcelona\b"),
    ("Facebook", r"FBAN/|FBAV/|FB_IAB|FBIOS"), ("TikTok", r"musical_ly|BytedanceWebview|TikTok|\btrill_"), ("LinkedIn", r"LinkedInApp"),
    ("Snapchat", r"Snapchat"), ("Pinterest", r"\[?Pinterest/"), ("X", r"Twitter(?:Android|for| )|\bTwitter/"), ("WhatsApp", r"WhatsApp/"),
    ("Telegram", r"Telegram"),
    ("Reddit", r"Reddit/"), ("WeChat", r"MicroMessenger"), ("LINE", r"\bLine/"), ("VK", r"VKAndroidApp|VKClient"), ("KakaoTalk", r"KAKAOTALK"),
    ("Discord", r"Discord/"),
    ("Google", r"\bGSA/"), ("Outlook", r"Outlook-(?:iOS|Android)|OutlookMobile"),
)  # fmt: skip
_IN_APPS = [(name, re.compile(pattern)) for name, pattern in _IN_APP]
#: Words without which none of the patterns of _IN_APP is met.
_MAYBE_IN_APP = ("FBAN/", "FBAV/", "FB_IAB", "FBIOS", "MessengerForiOS", "Instagram", "Barcelona", "musical_ly", "BytedanceWebview", "TikTok", "trill_",
    "LinkedInApp", "Snapchat", "Pinterest/", "Twitter", "WhatsApp/", "Telegram", "Reddit/", "MicroMessenger", "Line/", "VKAndroidApp", "VKClient", "KAKAOTALK",
    "Discord/", "GSA/", "Outlook")  # fmt: skip

_DISTRIBUTIONS = ("Ubuntu", "Fedora", "Debian", "Gentoo", "Kubuntu", "Lubuntu", "Xubuntu", "Mandriva", "Slackware", "SUSE", "openSUSE", "Mageia", "PCLinuxOS",
    "Arch Linux", "CentOS", "Red Hat", "Linux Mint", "PureOS", "Raspbian")  # fmt: skip
_OS_NAMES = {"Mac OS X": "macOS", "Mac OS": "macOS", "Chrome OS": "ChromeOS", "iPadOS": "iOS", "ATV OS X": "tvOS"} | dict.fromkeys(_DISTRIBUTIONS, "Linux")
#: Boards of Chromebooks, as ChromiumOS names them: the model that a program for Android tells there, in the hint of the system, too.
_CHROMEBOOKS = frozenset(
    "asuka atlas brask brox brya caroline cave celes chell cherry coral corsola cyan dedede drallion elm eve fatcat fizz geralt grunt guybrush hana hatch"
    " jacuzzi jedi kalista kukui lars link myst nami nautilus nissa nocturne ocelot octopus puff pyro rammus rauru reef reks relm rex samus sand sarien scarlet"
    " sentry setzer skyrim skywalker snappy soraka staryu strongbad terra trogdor ultima umaro veyron volteer wizpig zork".split()
)
_BROWSER_NAMES = {
    "Mobile Safari": "Safari", "Mobile Safari UI/WKWebView": "Safari", "Chrome Mobile": "Chrome", "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "Chromium": "Chrome", "Firefox Mobile": "Firefox", "Firefox iOS": "Firefox", "Edge Mobile": "Edge", "Opera Mobile": "Opera", "Opera Mini": "Opera",
    "Samsung Internet": "Samsung Internet", "IE Mobile": "IE", "DuckDuckGo Mobile": "DuckDuckGo", "Brave Mobile": "Brave",
}  # fmt: skip
_HINTED_BROWSERS = {"google chrome": "Chrome", "microsoft edge": "Edge", "opera": "Opera", "brave": "Brave", "samsung internet": "Samsung Internet",
    "yandex": "Yandex Browser", "vivaldi": "Vivaldi", "opera gx": "Opera", "android webview": "Chrome", "duckduckgo": "DuckDuckGo"}  # fmt: skip
_PLATFORM_OS = {"ios": "iOS", "ipados": "iOS", "android": "Android", "windows": "Windows", "macos": "macOS", "mac os x": "macOS", "linux": "Linux",
    "tvos": "tvOS", "chrome os": "ChromeOS", "chromeos": "ChromeOS", "chromium os": "ChromeOS", "win32": "Windows", "win64": "Windows",
    "macintel": "macOS", "linux x86_64": "Linux"}
_PLATFORM_TYPE = {"iOS": "phone", "Android": "phone", "tvOS": "tv", "Windows": "desktop", "macOS": "desktop", "Linux": "desktop", "ChromeOS": "desktop"}
_BROWSER_LIBRARIES = frozenset({"cegla-onsite", "analytics.js", "@segment/analytics-next", "npm:next", "web"})
_VERSION = re.compile(r"\d+(?:\.\d+){0,2}")


def device_of(context: Mapping[str, Any], world: World) -> Device:
    """The device of an event's context: the user agent, client hints over it, then what a mobile SDK says of itself."""
    agent = context.get("userAgent")
    hints = hints_of(context)
    if isinstance(agent, str) and agent.strip():
        found = _from_agent(agent[:LONGEST_USER_AGENT], hints, world)
    else:
        found = _declared(context, hints, world)
    if context.get("webdriver") is True:
        return found._replace(type="bot", is_bot=True, bot_reason="webdriver")
    if context.get("honeypot") is True:
        return found._replace(type="bot", is_bot=True, bot_reason="honeypot")
    if not found.is_bot and "locale" not in context and _from_browser_library(context) and agent:
        return found._replace(type="bot", is_bot=True, bot_reason="no_language")
    return found


def hints_of(context: Mapping[str, Any]) -> Hints:
    """The client hints of `context.userAgentData` as pairs, the same order for the same hints; empty when there are none."""
    told = context.get("userAgentData")
    if not isinstance(told, dict):
        return ()
    pairs: list[tuple[str, str]] = []
    for name in ("model", "platform", "platformVersion"):
        value = told.get(name)
        if isinstance(value, str) and value.strip():
            pairs.append((name, value.strip()[:LONGEST_HINT]))
    if isinstance(told.get("mobile"), bool):
        pairs.append(("mobile", "?1" if told["mobile"] else "?0"))
    brands = told.get("fullVersionList") or told.get("brands")
    if isinstance(brands, list):
        named = [f'"{one.get("brand")}";v="{one.get("version")}"' for one in brands[:6] if isinstance(one, dict)]
        pairs.append(("brands", ", ".join(named)[:300]))
    return tuple(pairs)


@lru_cache(maxsize=16_384)
def read_user_agent(agent: str) -> Software:
    """System and program behind a user agent."""
    if not agent.strip():
        return NOTHING
    if _OWN_LIBRARY.match(agent):
        return NOTHING._replace(type="server")
    program_of, system_of = _rules()
    program, system = program_of(agent), system_of(agent)
    os = os_version = browser = browser_version = None
    if system and system.family != "Other":
        os = _OS_NAMES.get(system.family, system.family)
        if os != "Linux" and not _FROZEN.search(agent):
            os_version = f"{system.major}.{system.minor}" if system.major and system.minor else system.major or system.minor or None
    if os is None or os == "iOS":
        os, os_version = _plain_system(agent, os, os_version)
    if program and program.family != "Other":
        browser, browser_version = _BROWSER_NAMES.get(program.family, program.family), program.major
    in_app = None
    if _has(agent, _MAYBE_IN_APP):
        in_app = next((name for name, pattern in _IN_APPS if pattern.search(agent)), None)
    return Software(_type_of(agent), os, os_version, browser, browser_version, in_app)


def _plain_system(agent: str, os: str | None, version: str | None) -> tuple[str | None, str | None]:
    """System and version by plain words where the rules are silent or taken in: what says "X11" or "Power Macintosh" too is no iPhone."""
    if os is not None:
        return ("Linux", None) if "X11" in agent else ("macOS", None) if "Darwin/" in agent and "Macintosh" in agent else (os, version)
    if "Raspbian" in agent:
        return "Linux", None
    if "Mac OS" in agent and "like Mac OS" not in agent:
        return "macOS", None
    return "Fuchsia" if "Fuchsia" in agent else None, None


def _from_agent(agent: str, hints: Hints, world: World) -> Device:
    told = read_user_agent(agent)
    if told.type == "server":
        return Device("server", None, None, False)
    is_bot = world.names_itself_bot(agent)
    machine = world.machine(agent, hints)
    os = machine.os if machine.os and (told.os is None or told.os in GREAT_SYSTEMS) else told.os  # what fetches without a browser is iOS to the fast rules
    found = Device(
        "bot" if is_bot else machine.type or told.type, os, told.browser, is_bot, told.os_version if os == told.os else None, told.browser_version,
        machine.brand, machine.model, "user_agent", told.in_app, "user_agent" if is_bot else None,
    )  # fmt: skip
    return _hinted(found, hints, told.type == "phone") if hints else found


@lru_cache(maxsize=16_384)
def _hinted(found: Device, hints: Hints, in_hand: bool) -> Device:
    """Client hints stand over a frozen user agent. `in_hand`: that user agent is a phone's."""
    told = dict(hints)
    os = _hinted_system(told, found.os, in_hand)
    browser, browser_version = _hinted_browser(told.get("brands", ""))
    kind = found.type
    if not found.is_bot and told.get("mobile") == "?1" and kind in ("desktop", "unknown"):
        kind = "phone"
    if os == "ChromeOS" and kind in ("phone", "tablet", "unknown"):
        kind = "desktop"
    return found._replace(
        type=kind, os=os, os_version=_hinted_version(os, told.get("platformVersion", "")) or (found.os_version if os == found.os else None),
        browser=found.browser if found.in_app or browser is None else browser, browser_version=browser_version or found.browser_version,
        source="client_hints" if told.keys() & {"model", "platformVersion"} else found.source,
    )  # fmt: skip


def _hinted_system(told: Mapping[str, str], os: str | None, in_hand: bool) -> str | None:
    """A Chromebook runs programs for Android, which take it for one; a phone may bear a board's name."""
    platform = _PLATFORM_OS.get(told.get("platform", "").lower())
    board = not in_hand and told.get("mobile") != "?1" and told.get("model", "").lower() in _CHROMEBOOKS
    return "ChromeOS" if platform == "Android" and (board or os == "ChromeOS") else platform or os


def _hinted_version(os: str | None, version: str) -> str | None:
    """The system's version by its hint. Windows counts its own way: 1 to 10 is Windows 10, from 13 on it is 11."""
    numbers = version.split(".")
    if not version or not numbers[0].isdigit():
        return None
    if os == "Windows":
        major = int(numbers[0])
        return "11" if major >= 13 else "10" if major >= 1 else None
    if os in ("Linux", "ChromeOS") or numbers[0] == "0":
        return None
    return ".".join(numbers[: 1 if os == "Android" and numbers[1:2] in ([], ["0"]) else 2])


def _hinted_browser(brands: str) -> tuple[str | None, str | None]:
    for name, version in re.findall(r'"([^"]*)";v="(\d+)', brands):
        if found := _HINTED_BROWSERS.get(name.lower()):
            return found, version
    return None, None


def _type_of(agent: str) -> str:
    lower = agent.lower()
    if _has(lower, _TV) or _has_pattern(lower, _TV_PATTERNS):
        return "tv"
    if ("Android" in agent and "Mobile" not in agent) or _has(lower, _TABLET) or _has_pattern(lower, _TABLET_PATTERNS):
        return "tablet"
    if _has(lower, _PHONE):
        return "phone"
    return "desktop" if _has(lower, _DESKTOP) else "unknown"


def _has(agent: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110 (a generator costs more than the search)
        if word in agent:
            return True
    return False


def _has_pattern(agent: str, patterns: tuple[tuple[str, re.Pattern[str]], ...]) -> bool:
    for word, pattern in patterns:  # noqa: SIM110 (a generator costs more than the search)
        if word in agent and pattern.search(agent):
            return True
    return False


@cache
def _rules() -> tuple[Any, Any]:
    """What finds the program and the system in a user agent. The rules for machines are left out: `World.machine` knows better ones."""
    programs, systems, _ = load_lazy_builtins()
    rules = Resolver((programs, systems, []))
    return rules.ua.extract, rules.os.extract


def _from_browser_library(context: Mapping[str, Any]) -> bool:
    library = context.get("library")
    name = library.get("name") if isinstance(library, dict) else None
    return isinstance(name, str) and name in _BROWSER_LIBRARIES


def _declared(context: Mapping[str, Any], hints: Hints, world: World) -> Device:
    """The device as a mobile SDK (`os`, `device`) or client hints alone say it."""
    os = os_version = device_type = None
    told = context.get("os")
    if isinstance(told, dict) and isinstance(told.get("name"), str):
        os = _PLATFORM_OS.get(told["name"].strip().lower())
        version = _VERSION.match(str(told.get("version", "")).strip())
        os_version = version.group() if os and version else None
    hinted = dict(hints)
    os = os or _PLATFORM_OS.get(hinted.get("platform", "").lower())
    if hinted.get("mobile") == "?1":
        device_type = "phone"
    brand = model = None
    machine = context.get("device")
    if isinstance(machine, dict):
        told_type = str(machine.get("type", "")).lower()
        os = os or _PLATFORM_OS.get(told_type)
        brand, model = (_short(machine.get(key)) for key in ("manufacturer", "model"))
        if "ipad" in str(machine.get("model", "")).lower() or told_type == "tablet":
            device_type = "tablet"
    if os is None and device_type is None:
        return UNKNOWN
    if model is None and hinted.get("model"):
        known = world.machine("", hints)
        brand, model = known.brand, known.model
    found = Device(device_type or _PLATFORM_TYPE.get(os or "", "unknown"), os, None, False, os_version, None, brand, model, "sdk")
    return _hinted(found, hints, device_type == "phone") if hints else found


def _short(value: object) -> str | None:
    return " ".join(value.split())[:LONGEST_HINT] or None if isinstance(value, str) else None
