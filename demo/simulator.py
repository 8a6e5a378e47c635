"""The simulated e-shop: everybody's visits, bots, repeats and broken events as one stream in order of time, and the truth.

    people ─► visits ─┐
    bots ─────────────┼─► sorted by time ─► repeats and broken events put in ─► history file, or live traffic
                      └─► truth, which is never sent

The same seed, start and number of days give the same bytes.
"""

import gzip
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from demo.catalogue import PRODUCTS, SHOP_URL
from demo.population import people
from demo.truth import Truth
from demo.visits import Sent, Visitor

REPEATED_SHARE = 0.012
BROKEN_SHARE = 0.002
CRAWLERS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)
SCANNER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/139.0.0.0 Safari/537.36"

#: Events no system can use: (why, what is sent). None of them is ever applied, whatever the consent.
BROKEN: tuple[tuple[str, Any], ...] = (
    ("no name", {"type": "track", "anonymousId": "broken-1", "properties": {"price": 10}}),
    ("nobody", {"type": "track", "event": "Product Viewed", "properties": {}}),
    ("unknown call", {"type": "buy", "event": "Kup", "anonymousId": "broken-2"}),
    ("not an object", ["type", "track"]),
    ("a time nobody can read", {"type": "track", "event": "Product Viewed", "anonymousId": "broken-3", "timestamp": "wczoraj po obiedzie"}),
    ("properties that are a text", {"type": "track", "event": "Product Viewed", "anonymousId": "broken-4", "properties": "kubek"}),
    ("too large", {"type": "track", "event": "Product Viewed", "anonymousId": "broken-5", "properties": {"note": "x" * 40_000}}),
)


@dataclass(frozen=True)
class Simulation:
    """A finished run: the stream in order of sending, and the truth about it."""

    seed: int
    start: datetime
    end: datetime
    stream: list[Sent]
    truth: Truth

    def between(self, start: datetime, end: datetime) -> list[Sent]:
        """The part of the stream that is sent in [start, end)."""
        return [sent for sent in self.stream if start <= sent.at < end]


def simulate(seed: int, start: datetime, days: int, population: int = 500) -> Simulation:
    """Run the shop for `days` days from `start` (aware, UTC) with `population` people."""
    truth, end = Truth(), start + timedelta(days=days)
    stream = [sent for person in people(seed, population) for sent in Visitor(person, seed, start, end, truth).play()]
    stream += _bots(seed, start, days, truth)
    stream = [sent for sent in stream if sent.at < end]
    stream.sort(key=_order)
    for sent in stream:
        _count(sent, truth)
    return Simulation(seed, start, end, _spoiled(stream, Random(f"{seed}/spoil"), truth), truth)


def write_history(stream: list[Sent], path: Path) -> None:
    """The stream as gzipped JSON lines {"place", "event"}; the same stream makes the same bytes."""
    with path.open("wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        for sent in stream:
            packed.write(msgspec.json.encode({"place": sent.place, "event": sent.event}) + b"\n")


def _count(sent: Sent, truth: Truth) -> None:
    """An event of the site counts only with consent to analytics; the shop's server needs none for its orders."""
    if sent.place == "site" and not sent.event["context"].get("consent", {}).get("categoryPreferences", {}).get("analytics"):
        truth.without_consent += 1
        return
    truth.events += 1
    truth.from_bots += sent.user_agent == SCANNER


def _order(sent: Sent) -> tuple[datetime, str]:
    return sent.at, sent.event["messageId"]


def _bots(seed: int, start: datetime, days: int, truth: Truth) -> list[Sent]:
    """Crawlers, each page under a new anonymous id and without any consent; and a scanner that clicks everything at an even pace."""
    rng, stream = Random(f"{seed}/bots"), list[Sent]()
    for day in range(days):
        for number in range(rng.randint(2, 8)):
            at = start + timedelta(days=day, seconds=rng.randint(0, 86_000))
            agent = rng.choice(CRAWLERS)
            stream.append(_bot_page(f"bot-{seed}-{day}-{number}", at, f"{SHOP_URL}{rng.choice(PRODUCTS).path}", agent, {}))
        if day % 5 == 2:
            at = start + timedelta(days=day, seconds=rng.randint(0, 80_000))
            for number, product in enumerate(PRODUCTS):
                event = _bot_page(f"scan-{seed}-{day}", at + timedelta(seconds=number), f"{SHOP_URL}{product.path}", SCANNER, {"analytics": True})
                event.event["messageId"] += f"-{number}"
                stream.append(event)
    return stream


def _bot_page(name: str, at: datetime, url: str, agent: str, consents: dict[str, bool]) -> Sent:
    page = {"url": url, "path": url.removeprefix(SHOP_URL), "title": "", "referrer": ""}
    context: dict[str, Any] = {"userAgent": agent, "page": page}
    if consents:
        context["consent"] = {"categoryPreferences": consents}
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Sent(
        at, "site", {"type": "page", "messageId": name, "anonymousId": name, "properties": page, "timestamp": stamp, "context": context}, agent
    )


def _spoiled(stream: list[Sent], rng: Random, truth: Truth) -> list[Sent]:
    """What real networks and pages add: some events twice, some that nobody can use."""
    spoiled: list[Sent] = []
    for number, sent in enumerate(stream):
        spoiled.append(sent)
        if rng.uniform(0, 1) < REPEATED_SHARE:
            spoiled.append(Sent(sent.at, sent.place, sent.event, sent.user_agent))
            truth.duplicates += 1
        if rng.uniform(0, 1) < BROKEN_SHARE:
            _, event = BROKEN[number % len(BROKEN)]
            spoiled.append(Sent(sent.at, "site", event, sent.user_agent))
            truth.broken += 1
    return spoiled
