"""How fast events are enriched, and how fast the people of a batch are known anew over a large history."""

import argparse
import random
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from cegla.profile import actions as profile
from cegla.profile.rules.enrichment import Batch, enriched_tables
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sessions import Sessions
from cegla.reference.library import Library
from cegla.storage.settings import Settings
from cegla.storage.warehouse import Warehouse
from cegla.storage.workspace import open_workspace
from cegla.vocabulary.events import Event

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
REACH_EVENTS, REACH_SECONDS = 60_000, 0.7
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Mobile Safari/537.36",
)
#: a year of traffic: one event in sixteen is an order of two lines, a tenth of the identities belong to another person
HISTORY = """
insert into events (batch, event_id, source_id, identity_id, kind, name, occurred_at, received_at, local_at, session_id, order_id, value_micros, currency,
    referrer_kind, referrer_host, device_type, country, language, is_bot)
select 1, i, 1, 1 + hash(i) % $people, case when hash(i, 1) % 16 < 10 then 'page' else 'track' end,
    case when hash(i, 1) % 16 < 10 then 'Page Viewed' when hash(i, 1) % 16 < 15 then 'Product Viewed' else 'Order Completed' end,
    moment, moment, moment + interval 1 hour, hash(i, 6) % 4 + 10 * (1 + hash(i) % $people), case when hash(i, 1) % 16 = 15 then 'o' || i end,
    case when hash(i, 1) % 16 = 15 then (20 + hash(i, 3) % 400) * 1000000 end, case when hash(i, 1) % 16 = 15 then 'PLN' end,
    ['search', 'direct', 'internal'][1 + (hash(i, 4) % 3)::int], ['google.com', null, 'shop.pl'][1 + (hash(i, 4) % 3)::int],
    ['phone', 'desktop'][1 + (hash(i, 5) % 2)::int], 'PL', 'pl', false
from (select i, $now::timestamp - to_microseconds(((1.0 - i::double / $events) * 31536000000000)::bigint) as moment from range($events) rows (i));
"""
LINES = """
insert into order_lines (batch, event_id, identity_id, name, occurred_at, product_id, product, category, quantity, price_micros, value_micros)
select 1, event_id, identity_id, name, occurred_at, 'p' || hash(event_id, n) % 500, 'Produkt ' || hash(event_id, n) % 500,
    'Kategoria ' || hash(event_id, n) % 20, 1, 10000000, case when name = 'Order Completed' then 10000000 end
from events, range(2) numbers (n) where name = 'Order Completed' or (name = 'Product Viewed' and n = 0)
"""


def main(argv: list[str] | None = None) -> None:
    """Enrich a mix of traffic, then compute the facts of touched people over a large history; print what was measured."""
    parser = argparse.ArgumentParser(prog="bench enrich")
    parser.add_argument("--events", type=int, default=5_000_000, help="size of the history")
    parser.add_argument("--people", type=int, default=400_000)
    parser.add_argument("--touched", type=int, default=10_000, help="people whose facts are computed anew")
    options = parser.parse_args(argv)
    print(f"enrichment, warm caches: {_enrichment():,.0f} events/s on one core (reach ≥ {REACH_EVENTS:,})")
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder:
        first, others = _refreshing(Path(folder), options)
    print(f"facts of {options.touched:,} people over {options.events:,} events: {others:.3f} s (reach ≤ {REACH_SECONDS}); the first time {first:.3f} s")


def _enrichment(count: int = 20_000) -> float:
    """Events a second with warm caches: the best of nine rounds over a mix of pages, looks at products and orders."""
    events = made_events(count)
    draw = random.Random(2)
    identities = [draw.randrange(4_000) for _ in events]
    batch = Batch(1, 1, ZoneInfo("Europe/Warsaw"))
    seconds: list[float] = []
    memory = Memory(Library())
    for _ in range(9):
        started = time.perf_counter()
        enriched_tables(events, identities, batch, Sessions({}), memory)
        seconds.append(time.perf_counter() - started)
    return count / min(seconds)


def made_events(count: int) -> list[Event]:
    """A web shop's traffic, the same at each run: 60 % pages, 30 % looks at products, 10 % orders with three lines."""
    draw = random.Random(1)
    agents = [agent.format(version) for agent in AGENTS for version in range(100, 150)]
    events: list[Event] = []
    for number in range(count):
        product = {"product_id": f"p{draw.randrange(500)}", "name": "Kubek błękitny", "category": "Kubki", "price": 24.99}
        page = {"url": f"https://sklep.example/p/{draw.randrange(500)}?utm_source=newsletter", "referrer": "https://www.google.com/", "title": "Kubki – sklep"}
        kind, name, properties = draw.choices((
            ("page", "Page Viewed", {**page, "category": "Kubki"}), ("track", "Product Viewed", product),
            ("track", "Order Completed", {"order_id": f"A{number}", "total": 74.97, "currency": "PLN", "products": [{**product, "quantity": 1}] * 3}),
        ), (6, 3, 1))[0]  # fmt: skip
        context = {"userAgent": draw.choice(agents), "locale": "pl-PL", "page": page}
        at = NOW + timedelta(milliseconds=100 * number)
        events.append(Event(source_id=1, message_id=str(number), kind=kind, name=name, occurred_at=at, received_at=at, properties=properties, context=context))
    return events


def _refreshing(folder: Path, options: argparse.Namespace) -> tuple[float, float]:
    """Seconds to compute and keep the facts of the touched people: the first time, and the middle of seven more rounds with other people."""
    settings = Settings.model_validate({"data_dir": folder / "data"})
    path = folder / "data" / "warehouse" / "cegla.duckdb"
    Warehouse(path).close()
    with duckdb.connect(str(path)) as history:
        history.execute(HISTORY, {"events": options.events, "people": options.people, "now": NOW.replace(tzinfo=None)})
        history.execute(LINES)
    draw = random.Random(3)
    seconds: list[float] = []
    with open_workspace(settings) as ws:
        ws.warehouse.set_people((identity, identity - 1) for identity in range(10, options.people, 10))
        for _ in range(8):
            people = draw.sample(range(1, options.people), options.touched)
            started = time.perf_counter()
            with ws.transaction() as conn:
                profile.refresh(conn, ws.warehouse, people, NOW)
            seconds.append(time.perf_counter() - started)
    return seconds[0], statistics.median(seconds[1:])


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
