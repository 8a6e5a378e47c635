"""Subscriber device: the full rules on Matomo's fixtures, how fast a warm cache answers, what a miss costs, and robots seen in people's devices.

The fixtures (LGPL-3.0, local only) ship with the rules: they say how faithful the reading is, not how right the rules are. A sample is asked, as a
look-up of the full rules takes fifteen milliseconds. Six cases bear client hints here; the whole set is not among the local data. So the fixtures of
Chrome on Android are also asked the way Chrome sends them today: a frozen user agent, with the model in a client hint; the anchor is the frozen user agent
alone.
"""

import gzip
import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import yaml

from bench.analysers._scores import DATA
from bench.result import Result
from cegla.reference.library import Library
from cegla.reference.machines import _TYPES, detected, general  # pyright: ignore[reportPrivateUsage]
from cegla.vocabulary.world import Machine

SAMPLE, FROZEN_SAMPLE = 600, 250
ANDROID_CHROME = re.compile(r"^Mozilla/5\.0 \(Linux; Android ([\d.]+); ([^;()]{3,40}?)(?: Build/[^)]*)?\) AppleWebKit/[\d.]+ \(KHTML, like Gecko\) Chrome/")
FOLDER = DATA / "analysers" / "device-detector" / "integration"
NAMES = {"model": "model", "platform": "platform", "platformversion": "platformVersion", "mobile": "mobile", "fullversionlist": "brands"}
PROGRAMS = ("podcasting", "feed_reader")  #: fixtures of programs that fetch by themselves: people's, but no visits


def run() -> list[Result]:
    """Type, brand and model on the sample, the cases with hints, speed, and false robots."""
    cases = list(_cases())
    random = np.random.default_rng(7)
    sample = [cases[place] for place in random.choice(len(cases), SAMPLE, replace=False)]
    hinted = [case for case in cases if case.get("headers")]
    detected(cases[0]["user_agent"])
    first, took = list[float](), list[float]()
    right = {"type": 0, "brand": 0, "model": 0}
    for case in sample:
        began = time.process_time()
        found = _found(case)
        first.append((time.process_time() - began) * 1_000)
        for name, good in _compared(case, found).items():
            right[name] += good
    asked = {id(case) for case in sample}
    others = [case for case in cases if id(case) not in asked]
    for place in random.choice(len(others), SAMPLE, replace=False):
        began = time.process_time()
        _found(others[place])
        took.append((time.process_time() - began) * 1_000)
    told = {name: sum(_compared(case, _found(case))[name] for case in hinted) for name in right}
    agents = [case["user_agent"] for case in cases]
    library = Library()
    people = [case["user_agent"] for case in cases if case["file"] not in PROGRAMS]
    robots = sum(map(library.names_itself_bot, people)) / len(people)
    goals = {"type": 0.985, "brand": 0.995, "model": 0.995}
    about = f"{SAMPLE:,} of {len(cases):,} fixtures"
    return [
        *[Result(f"device: {name} right", 100 * right[name] / SAMPLE, "%", f">= {100 * goal:.1f}", right[name] / SAMPLE >= goal, about)
            for name, goal in goals.items()],
        Result("device: with client hints, all three right", min(told.values()), f"of {len(hinted)}", "98 % of each", min(told.values()) >= 0.98 * len(hinted),
            ", ".join(f"{name} {count}" for name, count in told.items()) + "; too few to tell 98 %"),
        Result("device: a miss, 99th percentile", float(np.percentile(took, 99)), "ms CPU", "< 30", float(np.percentile(took, 99)) < 30.0,
            f"{SAMPLE} others than the first {SAMPLE}, whose was {np.percentile(first, 99):.0f} ms, since a brand's rules are compiled when first met; "
            f"middle {np.median(took):.1f} ms; off the way of events, in a thread of its own"),
        *_frozen(cases),
        _warm(library, agents[:2_000]),
        _shared_key(cases),
        Result("robots: seen in people's devices", 100 * robots, "%", "<= 0.3", robots <= 0.003, f"{len(people):,} fixtures, no podcast or feed programs"),
    ]  # fmt: skip


def _frozen(cases: list[dict[str, Any]]) -> list[Result]:
    """What today's Chrome would have sent on the machines of the fixtures: model and form by hints, nothing in the user agent."""
    told = [(case, found) for case in cases if case["device"].get("model") and (found := ANDROID_CHROME.match(case["user_agent"]))]
    chosen = [told[place] for place in np.random.default_rng(8).choice(len(told), FROZEN_SAMPLE, replace=False)]
    right, alone = {"type": 0, "brand": 0, "model": 0}, 0
    for case, match in chosen:
        is_phone = "Mobile" in case["user_agent"]
        frozen = f"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0{' Mobile' if is_phone else ''} Safari/537.36"
        hints = (("model", match[2]), ("platform", "Android"), ("platformVersion", match[1]), ("mobile", "?1" if is_phone else "?0"))
        for name, good in _compared(case, detected(frozen, hints)).items():
            right[name] += good
        alone += all(_compared(case, detected(frozen)).values())
    note = f"{FROZEN_SAMPLE} of {len(told):,} fixtures of Chrome on Android; all three by the frozen user agent alone: {alone / FROZEN_SAMPLE:.1%}"
    return [Result(f"device: {name} by client hints over a frozen user agent", 100 * count / FROZEN_SAMPLE, "%", ">= 97", count >= 0.97 * FROZEN_SAMPLE, note)
        for name, count in right.items()]  # fmt: skip


def _cases() -> Iterator[dict[str, Any]]:
    if not FOLDER.exists():
        raise SystemExit(f"{FOLDER} is missing; CEGLA_BENCH_DATA names the folder of the shared data sets")
    for file in sorted(FOLDER.glob("*.yml.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as text:
            found = yaml.load(text, Loader=yaml.CSafeLoader)
            yield from (case | {"file": file.name.partition(".")[0]} for case in found if isinstance(case.get("device"), dict))


def _found(case: Mapping[str, Any]) -> Machine:
    hints: dict[str, str] = {}
    for name, value in (case.get("headers") or {}).items():
        ours = NAMES.get(name.lower().removeprefix("sec-ch-ua-").replace("-", ""))
        if ours == "brands" and isinstance(value, list):
            hints[ours] = ", ".join(f'"{one["brand"]}";v="{one["version"]}"' for one in value)
        elif ours and isinstance(value, str):
            hints[ours] = {"0": "?0", "1": "?1"}.get(value, value) if ours == "mobile" else value.strip('"')
    return detected(case["user_agent"], tuple(hints.items()))


def _compared(case: Mapping[str, Any], found: Machine) -> dict[str, bool]:
    """Against the fixture: its type as we name it; empty is unknown."""
    device = case["device"]
    kind = _TYPES.get(device.get("type") or "", None)
    return {
        "type": kind is None or found.type == kind, "brand": not device.get("brand") or found.brand == device["brand"],
        "model": not device.get("model") or found.model == str(device["model"]),
    }  # fmt: skip


def _warm(library: Library, agents: list[str]) -> Result:
    """Events a second when every machine was seen before."""
    for agent in agents:
        library._machines._known[general(agent), ()] = Machine("phone", "Known", "Known")  # pyright: ignore[reportPrivateUsage]
    began = time.process_time()
    for _ in range(20):
        for agent in agents:
            library.machine(agent)
    rate = 20 * len(agents) / (time.process_time() - began)
    return Result("device: answers of a warm cache", rate, "/s", ">= 20,000", rate >= 20_000, f"{len(agents):,} user agents in turn")


def _shared_key(cases: list[dict[str, Any]]) -> Result:
    """How many fixtures without hints share the cache's key, the user agent without minor versions, with another device."""
    devices: dict[str, set[tuple[str, str]]] = defaultdict(set)
    plain = [case for case in cases if not case.get("headers")]
    for case in plain:
        devices[general(case["user_agent"])].add((str(case["device"].get("brand")), str(case["device"].get("model"))))
    alone = sum(len(devices[general(case["user_agent"])]) == 1 for case in plain) / len(plain)
    return Result("device: keys of the cache that mean one device", 100 * alone, "%", ">= 99.8", alone >= 0.998, f"{len(plain):,} fixtures")
