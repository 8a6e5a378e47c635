"""Machines: brand, model and type behind a user agent and its client hints.

The full rules (device-detector, an optional part) take 15 milliseconds a look-up and seconds to load, so they run in a thread of their own
and answers are remembered by the user agent without its minor versions and the hints. Until an answer is there, and where the
part is not installed, a few rules of ours say what is plain: an iPhone is Apple's, "SM-A546B" is Samsung's.
"""

import queue
import re
import threading
from functools import lru_cache
from typing import Any

from cegla.vocabulary.world import UNKNOWN_MACHINE, Machine

MOST_REMEMBERED = 100_000
MOST_WAITING = 2_000
Hints = tuple[tuple[str, str], ...]

_MINOR = re.compile(r"(\d+)[._]\d[\d._]*")
_ANDROID_MODEL = re.compile(r"Android [\d.]+; (?:[a-z]{2}[-_][a-zA-Z]{2}; )?([^;)]+?)(?: Build/[^;)]*)?(?:; wv)?\)")
_FROZEN_ANDROID = re.compile(r"Android 10; K\)")
_PLAIN_VERSION = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,2}")
_FROZEN = frozenset({"K", "Mobile", "Tablet", "TV", "Android", "Linux", "wv"})
_BRANDS = (
    ("Samsung", r"SM-|GT-|SAMSUNG|Galaxy"), ("Xiaomi", r"Xiaomi|Mi |MI |Redmi|POCO|M2\d{3}|2\d{3,6}[A-Z]"), ("Google", r"Pixel"),
    ("Huawei", r"HUAWEI|[A-Z]{3}-[ALN]\w{2,3}$"), ("Motorola", r"moto|XT\d{4}|motorola"), ("OnePlus", r"OnePlus|ONEPLUS|KB20|LE21|CPH24"),
    ("OPPO", r"OPPO|CPH\d"), ("realme", r"realme|RMX\d"), ("vivo", r"vivo|V2\d{3}"), ("Honor", r"HONOR"), ("Sony", r"Sony|XQ-|BRAVIA"),
    ("Nokia", r"Nokia|TA-1\d{3}"), ("LG", r"LG-|LM-"), ("Lenovo", r"Lenovo|TB[-\d]"), ("Asus", r"ASUS"), ("HTC", r"HTC"), ("ZTE", r"ZTE"),
    ("Amazon", r"KF[A-Z]{3,4}|AFT"), ("TCL", r"TCL|T\d{3}[A-Z]$"), ("Alcatel", r"Alcatel|ALCATEL"), ("Doogee", r"DOOGEE"), ("Nothing", r"A06\d|Nothing"),
)  # fmt: skip
_BRAND_OF = [(brand, re.compile(rf"(?:{pattern})")) for brand, pattern in _BRANDS]
_HEADERS = {"model": "Sec-CH-UA-Model", "platform": "Sec-CH-UA-Platform", "platformVersion": "Sec-CH-UA-Platform-Version",
    "brands": "Sec-CH-UA-Full-Version-List", "mobile": "Sec-CH-UA-Mobile", "formFactors": "Sec-CH-UA-Form-Factors"}  # fmt: skip
_TYPES = {"smartphone": "phone", "feature phone": "phone", "phablet": "phone", "tablet": "tablet", "desktop": "desktop", "tv": "tv", "console": "console",
    "wearable": "wearable", "car browser": "car", "camera": "camera", "smart display": "speaker", "smart speaker": "speaker", "portable media player": "phone",
    "peripheral": None}  # fmt: skip
_SYSTEMS = {"Mac": "macOS", "GNU/Linux": "Linux", "Chrome OS": "ChromeOS", "iOS": "iOS", "Android": "Android", "Windows": "Windows"}  #: under our names


class Machines:
    """Machines by user agent and hints. `full` says whether the full rules are installed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Hints], Machine] = {}
        self._waiting: queue.Queue[tuple[str, str, Hints]] = queue.Queue(MOST_WAITING)
        self._asked: set[tuple[str, Hints]] = set()
        self._thread: threading.Thread | None = None
        self.learned = 0
        self.full = _detector() is not None

    def machine(self, agent: str, hints: Hints = ()) -> Machine:
        """What is known by now; never waits."""
        key = (general(agent), hints)
        found = self._known.get(key)
        if found is not None:
            return found
        plain = plainly(agent, hints)
        if self.full and plain is not APPLE_DESKTOP and tells_more(agent, hints):
            self._ask(key, agent)
        else:
            self._known[key] = plain
        return plain

    def settle(self) -> None:
        """Wait until everything asked so far is known."""
        self._waiting.join()

    def _ask(self, key: tuple[str, Hints], agent: str) -> None:
        if key in self._asked:
            return
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        try:
            self._waiting.put_nowait((key[0], agent, key[1]))
        except queue.Full:
            return  # asked again with its next event
        self._asked.add(key)
        if self._thread is None:
            self._thread = threading.Thread(target=self._learn, name="machines", daemon=True)
            self._thread.start()

    def _learn(self) -> None:
        while True:
            general_agent, agent, hints = self._waiting.get()
            key = (general_agent, hints)
            self._known[key] = detected(agent, hints)
            self._asked.discard(key)
            self.learned += 1
            self._waiting.task_done()


APPLE_DESKTOP = Machine("desktop", "Apple", None)


@lru_cache(maxsize=16_384)
def general(agent: str) -> str:
    """The user agent without minor versions, which change often and mean nothing to brand and model."""
    return _MINOR.sub(r"\1", agent)


def tells_more(agent: str, hints: Hints) -> bool:
    """Whether the full rules could know more than `plainly`: a frozen user agent without a model in its hints tells nothing."""
    if any(name == "model" and value for name, value in hints):
        return True
    if "Windows NT" in agent or "Macintosh" in agent or "X11" in agent or "iPhone" in agent or "iPad" in agent:
        return "SmartTV" in agent or "SMART-TV" in agent or "Xbox" in agent
    found = _ANDROID_MODEL.search(agent)
    return found is None or found.group(1).strip() not in _FROZEN


def plainly(agent: str, hints: Hints = ()) -> Machine:
    """What a few rules see at once."""
    told = dict(hints)
    model = told.get("model", "").strip()
    if not model:
        for sign, type_of_it in (("iPhone", "phone"), ("iPad", "tablet"), ("iPod", "phone")):
            if sign in agent and "Windows" not in agent:
                return Machine(type_of_it, "Apple", sign if sign != "iPod" else "iPod touch")
        if "Macintosh" in agent or told.get("platform") == "macOS":
            return APPLE_DESKTOP
        found = _ANDROID_MODEL.search(agent)
        model = found.group(1).strip() if found else ""
        if model in _FROZEN:
            model = ""
    if not model:
        return UNKNOWN_MACHINE
    brand = next((brand for brand, pattern in _BRAND_OF if pattern.match(model)), None)
    return Machine(None, brand, model.removeprefix(f"{brand} ")[:80])


def detected(agent: str, hints: Hints = ()) -> Machine:
    """What the full rules say; what `plainly` says where they are silent or missing."""
    plain = plainly(agent, hints)
    detector = _detector()
    if detector is None:
        return plain
    try:
        whole, rest = _restored(agent, hints)
        found = detector(whole, headers=_headers(rest) or None).parse()
        kind, brand, model = found.device_type(), found.device_brand(), found.device_model()
        system = (found.all_details.get("os") or {}).get("family") or ""
    except (ValueError, KeyError, AttributeError, TypeError, IndexError):
        return plain  # hostile text may trip any parser
    return Machine(_TYPES.get(kind or "") or plain.type, brand or plain.brand, model or plain.model, _SYSTEMS.get(system))


def _restored(agent: str, hints: Hints) -> tuple[str, Hints]:
    """A frozen user agent with the hinted model and version in their old places, and the hints that are left: the rules are written for whole user agents,
    and read a bare model ("Mi Note 10 Pro") as somebody else's.
    """
    told = dict(hints)
    model, version = told.get("model", ""), _PLAIN_VERSION.match(told.get("platformVersion", ""))
    if not model or not _FROZEN_ANDROID.search(agent) or any(sign in model for sign in "();"):
        return agent, hints
    whole = _FROZEN_ANDROID.sub(lambda _: f"Android {version[0] if version else '10'}; {model})", agent, count=1)
    return whole, tuple((name, value) for name, value in hints if name not in ("model", "platformVersion"))


def _headers(hints: Hints) -> dict[str, str]:
    """Client hints as the headers they come in."""
    quoted = {name: value if name in ("brands", "mobile", "formFactors") else f'"{value}"' for name, value in hints}
    return {_HEADERS[name]: value for name, value in quoted.items() if name in _HEADERS}


@lru_cache(maxsize=1)
def _detector() -> Any:
    try:
        from device_detector import DeviceDetector  # an optional part: rules under the LGPL
    except ImportError:
        return None
    return DeviceDetector
