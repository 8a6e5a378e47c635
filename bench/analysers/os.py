"""Operating system: families by the fixtures of uap-core and Matomo, versions that must not be invented, and speed.

The fixtures of uap-core ship with the rules that are used, so they say how faithful the reading is. Matomo's `oss.yml` (LGPL-3.0, local only) is of
another maker and full of systems that nobody meets in a shop (AmigaOS, OpenVMS); families are compared as we name them, and the anchor is ua-parser
without what is added here.
"""

import gzip
import time
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from ua_parser import parse

from bench.analysers._scores import DATA
from bench.result import Result
from cegla.profile.rules.devices import _OS_NAMES, device_of, read_user_agent  # pyright: ignore[reportPrivateUsage]
from cegla.reference.library import Library

#: Matomo's families under our names, and systems that we name more closely, by the family that Matomo files them under.
FAMILIES = {"Mac": "macOS", "GNU/Linux": "Linux", "Chrome OS": "ChromeOS", "Windows": "Windows", "Android": "Android", "iOS": "iOS"}
OURS = {"ATV OS X": "iOS", "tvOS": "iOS", "WatchOS": "iOS", "watchOS": "iOS", "Linux Mint": "Linux", "CentOS": "Linux", "Red Hat": "Linux",
    "Fire OS": "Android", "Maemo": "Linux", "Roku": "Linux", "Chromecast Linux": "Linux", "Chromecast Fuchsia": "Linux", "Fuchsia": "Linux",
    "SerenityOS": "Linux"}  # fmt: skip
CHROMES, SAFARIS = range(110, 135), range(26, 31)
#: Platform and version as hints say them, the version that is, and which of the frozen user agents they come with. Windows counts its own way.
HINTED = (("Android", "15.0.0", "15", 0), ("Android", "9.0.0", "9", 0), ("Windows", "10.0.0", "10", 1), ("Windows", "13.0.0", "11", 1),
    ("Windows", "19.0.0", "11", 1), ("macOS", "26.1.0", "26.1", 2), ("macOS", "14.6.1", "14.6", 2))
HEADERS = {"Sec-CH-UA-Platform": "platform", "Sec-CH-UA-Platform-Version": "platformVersion", "Sec-CH-UA-Model": "model"}


def run() -> list[Result]:
    """Both sets, frozen user agents, user agents a second."""
    library = Library()
    return [_uap_core(), *_matomo(library), *_frozen(library), _speed()]


def _uap_core() -> Result:
    cases = _yaml("uap-core/test_os.yaml.gz")["test_cases"]
    wrong = [case for case in cases if (read_user_agent(case["user_agent_string"]).os or "Other") != _OS_NAMES.get(case["family"], case["family"])]
    return Result("os: families of uap-core", 100 * (1 - len(wrong) / len(cases)), "%", "100", not wrong, f"{len(cases)} cases")


def _matomo(library: Library) -> list[Result]:
    cases = [case for case in _yaml("device-detector/parser/oss.yml.gz") if case["os"].get("family") in FAMILIES]
    for case in cases:
        device_of(_context(case), library)
    library.settle()
    right = sum(_family(device_of(_context(case), library).os) == FAMILIES[case["os"]["family"]] for case in cases) / len(cases)
    alone = 0
    for case in cases:
        found = parse(case["user_agent"]).os
        alone += _family(_OS_NAMES.get(found.family, found.family) if found else None) == FAMILIES[case["os"]["family"]]
    note = f"{len(cases)} cases of six families, with client hints where they have some; ua-parser alone {alone / len(cases):.1%}; "
    note += "asked a second time, when the full rules have answered, and these are Matomo's own"
    return [Result("os: families of Matomo's oss.yml", 100 * right, "%", ">= 99", right >= 0.99, note)]


def _family(name: str | None) -> str | None:
    return OURS.get(name, name) if name else None


def _context(case: Mapping[str, Any]) -> dict[str, Any]:
    told = {HEADERS[name]: value.strip('"') for name, value in (case.get("headers") or {}).items() if name in HEADERS and isinstance(value, str)}
    return {"userAgent": case["user_agent"], "locale": "pl-PL"} | ({"userAgentData": told} if told else {})


def _frozen(library: Library) -> list[Result]:
    agents = list(_frozen_agents())
    invented = [agent for agent in agents if device_of({"userAgent": agent, "locale": "pl-PL"}, library).os_version is not None]
    theirs = sum(bool((found := parse(agent).os) and found.major) for agent in agents)
    hints = [({"platform": name, "platformVersion": version}, right, agents[place]) for name, version, right, place in HINTED]
    told = [device_of({"userAgent": agent, "locale": "pl-PL", "userAgentData": hint}, library).os_version == right for hint, right, agent in hints]
    return [
        Result("os: versions invented from frozen user agents", len(invented), f"of {len(agents)}", "0", not invented,
            f"ua-parser alone names one in {theirs}"),
        Result("os: versions by client hints over them", 100 * sum(told) / len(told), "%", "100", all(told),
            f"{len(told)} pairs of user agent and hints"),
    ]  # fmt: skip


def _frozen_agents() -> Iterator[str]:
    """What browsers send that froze their version, as their makers say: Chrome from 110, Firefox, Safari from 26."""
    for version in CHROMES:
        chrome = f"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0"
        yield f"Mozilla/5.0 (Linux; Android 10; K) {chrome} Mobile Safari/537.36"
        yield f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {chrome} Safari/537.36"
        yield f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {chrome} Safari/537.36"
    for version in SAFARIS:
        safari = f"AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}.0"
        yield f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {safari} Safari/605.1.15"
        yield f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {safari} Mobile/15E148 Safari/604.1"
    for version in (128, 140, 145):
        yield f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
        yield f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"


def _speed() -> Result:
    agents = [case["user_agent_string"] for case in _yaml("uap-core/test_ua.yaml.gz")["test_cases"]]
    cold = read_user_agent.__wrapped__
    cold(agents[0])
    began = time.process_time()
    for agent in agents:
        cold(agent)
    rate = len(agents) / (time.process_time() - began)
    return Result("os: user agents never seen before", rate, "/s CPU", ">= 50,000", rate >= 50_000,
        f"{len(agents):,} user agents; system, browser, type, in-app")  # fmt: skip


def _yaml(name: str) -> Any:
    file = DATA / "analysers" / name
    if not file.exists():
        raise SystemExit(f"{file} is missing; CEGLA_BENCH_DATA names the folder of the shared data sets")
    with gzip.open(file, "rt", encoding="utf-8") as text:
        return yaml.load(text, Loader=yaml.CSafeLoader)
