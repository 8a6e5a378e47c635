"""What enrichment answers, and how fast, beside the libraries it leans on: robots, referrers, places, proxies against known answers."""

import argparse
import random
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any

from bench.enrich import made_events
from bench.referrers import POLISH, VECTORS
from bench.result import Result
from cegla.profile.rules.enrichment import Batch, enriched_tables
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.origins import read_referrer
from cegla.profile.rules.sessions import Sessions
from cegla.reference.library import Library

KINDS = {"email": "mail", "paid": "ads"}  #: what the vectors call otherwise
ISP_ADDRESSES = (
    "83.0.12.0", "79.184.0.0", "178.36.0.0", "46.112.0.0", "5.172.236.0", "31.0.0.0", "37.225.0.0", "188.146.0.0", "94.254.128.0", "109.243.0.0", "89.64.0.0",
    "62.21.0.0", "77.252.0.0", "87.205.0.0", "95.160.0.0", "83.238.0.0", "213.241.0.0", "80.50.0.0", "80.238.64.0", "81.210.64.0", "212.106.128.0",
    "149.156.0.0",
    "150.254.0.0", "158.75.0.0", "193.0.96.0", "153.19.0.0", "156.17.0.0", "212.77.98.0", "213.180.141.0", "217.74.64.0",
)  # fmt: skip


def main(argv: list[str] | None = None) -> list[Result]:
    """Measure everything; a minute on a quiet machine."""
    parser = argparse.ArgumentParser(prog="bench enrichment")
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args(argv)
    library = Library()
    return [*_speed(library, options.events), *_robots(library), *of_vectors(library), *_places(library), *_proxies(library)]


def _speed(library: Library, count: int) -> list[Result]:
    from zoneinfo import ZoneInfo

    from ua_parser import parse

    events = made_events(count)
    draw = random.Random(2)
    addresses = [f"{draw.choice((83, 79, 178, 149, 5, 31))}.{draw.randrange(256)}.{draw.randrange(256)}.0" for _ in range(3_000)]
    for event in events:
        event.context["ip"] = draw.choice(addresses)
    identities = [draw.randrange(4_000) for _ in events]
    memory, batch = Memory(library), Batch(1, 1, ZoneInfo("Europe/Warsaw"))
    enriched_tables(events, identities, batch, Sessions({}), memory)
    library.settle()
    memory.settle()
    best = max(_rate(lambda: enriched_tables(events, identities, batch, Sessions({}), memory), count) for _ in range(7))
    agents = sorted({event.context["userAgent"] for event in events})
    raw = max(_rate(lambda: [parse(agent) for agent in agents], len(agents)) for _ in range(5))
    numbers = [str(ip_address(draw.randrange(2**32))) for _ in range(20_000)]
    fresh = Library()
    fresh.network("83.0.12.0")
    addressed = _rate(lambda: [fresh.network(number) for number in numbers], len(numbers))
    urls = [url for url, *_ in VECTORS] * 20
    referred = max(_rate(lambda: [read_referrer(url, None, library) for url in urls], len(urls)) for _ in range(3))
    return [
        Result("events enriched, warm caches, one core", best, "events/s", "≥ 50,000", best >= 50_000, f"ua-parser alone, its own cache warm: {raw:,.0f}/s"),
        Result("addresses never seen before", addressed, "/s", "report", True, "place, operator, kind, data centre, proxy"),
        Result("referrers never seen before", referred, "/s", "≥ 100,000", referred >= 100_000, "kind, name and search term, parsed anew each time"),
    ]


def _rate(work: Callable[[], object], count: int) -> float:
    started = time.process_time()
    work()
    return count / (time.process_time() - started)


def _robots(library: Library) -> list[Result]:
    import crawleruseragents
    from crawlerdetect import CrawlerDetect

    instances = sorted({agent for row in crawleruseragents.CRAWLER_USER_AGENTS_DATA for agent in row["instances"]})
    peer = CrawlerDetect()
    found = _share(instances, library.names_itself_bot)
    theirs = _share(instances[::10], lambda agent: bool(peer.is_crawler(agent)))
    return [Result("robots of crawler-user-agents recognized", found * 100, "%", "≥ 99.5", found >= 0.995,
        f"of {len(instances):,}; crawlerdetect {theirs:.1%}")]


def _share(texts: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / len(texts)


def of_vectors(library: Library) -> list[Result]:
    """The referrers with known answers, of all the world and of Poland."""
    found = sum(_fits(library, *vector) for vector in VECTORS)
    polish = sum(_fits(library, *vector) for vector in POLISH)
    return [
        Result("referrers of referer-parser's vectors", found, f"of {len(VECTORS)}", "all", found == len(VECTORS), "kind, name and search term"),
        Result("Polish referrers", polish, f"of {len(POLISH)}", "all", polish == len(POLISH), "kind and name"),
    ]


def _fits(library: Library, url: str, kind: str, name: str, term: str | None = None) -> bool:
    found = read_referrer(url, None, library)
    return (found.kind, found.name) == (KINDS.get(kind, kind), name) and (term is None or found.term == term.strip())


def _places(library: Library) -> list[Result]:
    poland = library.poland
    draw = random.Random(4)
    points = [(49.2 + draw.random() * 5.4, 14.3 + draw.random() * 9.6) for _ in range(20_000)]
    poland.powiat_at(52.0, 19.0)
    rate = max(_rate(lambda: [poland.powiat_at(*point) for point in points], len(points)) for _ in range(3))
    return [Result("points put into powiats", rate, "/s", "≥ 30,000", rate >= 30_000, "20,000 points over Poland and around it, warm")]


def _proxies(library: Library) -> list[Result]:
    flagged = _flagged(library, ISP_ADDRESSES)
    return [Result("prefixes of Polish providers taken for a data centre or proxy", len(flagged), f"of {len(ISP_ADDRESSES)}", "0", not flagged,
        ", ".join(flagged) or "none")]


def _flagged(library: Library, addresses: Iterable[str]) -> list[str]:
    answers: dict[str, Any] = {address: library.network(address) for address in addresses}
    return [address for address, found in answers.items() if found.is_datacentre or found.is_proxy]
