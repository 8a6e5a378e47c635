"""How fast waiting requests become history, profiles and segments; beside it, the same rows appended to DuckDB alone."""

import argparse
import gc
import importlib
import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa

from bench.result import Result
from cegla.collect import actions as collect
from cegla.flow import Intake, refresh
from cegla.segment import actions as segment
from cegla.storage.settings import load_settings
from cegla.storage.warehouse import EVENTS, Warehouse, table
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.consent import Basis
from cegla.worker.loops import is_hurried, refresh_rest_seconds

USER_AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
]
NAMES = ["page", "page", "page", "page", "Product Viewed", "Product Viewed", "Product Added", "Order Completed"]


def requests(events: int, people: int, per_request: int, seed: int, start: datetime, sent: datetime) -> list[bytes]:
    """Request bodies of a shop's traffic: few people do much, a third are signed in, one event in eight is an order."""
    rng = random.Random(seed)
    bodies: list[bytes] = []
    for first in range(0, events, per_request):
        batch = [_event(rng, first + index, people, start + timedelta(seconds=(first + index) * 0.05)) for index in range(min(per_request, events - first))]
        bodies.append(msgspec.json.encode({"batch": batch, "sentAt": sent.isoformat()}))
    return bodies


def _event(rng: random.Random, number: int, people: int, at: datetime) -> dict[str, object]:
    person = int(people * rng.random() ** 2)
    name = NAMES[rng.randrange(len(NAMES))]
    product = rng.randrange(500)
    event: dict[str, object] = {
        "messageId": f"bench-{number}",
        "anonymousId": f"browser-{person}",
        "timestamp": at.isoformat(),
        "context": {
            "userAgent": USER_AGENTS[person % 4],
            "locale": "pl-PL",
            "page": {
                "path": f"/p/{product}",
                "url": f"https://sklep.test/p/{product}?utm_source=news",
                "referrer": "https://www.google.com/",
                "title": f"Produkt {product}",
            },
            "consent": {"categoryPreferences": {"analytics": True, "marketing_email": person % 2 == 0}},
        },
    }
    if person % 3 == 0:
        event["userId"] = f"u{person}"
    if name == "page":
        return {**event, "type": "page", "name": "Produkt", "properties": {"path": f"/p/{product}"}}
    item = {"product_id": str(product), "name": f"Produkt {product}", "category": f"k{product % 20}", "price": 19.99 + product, "quantity": 1 + product % 3}
    properties = {"order_id": f"o{number}", "total": 49.9 + product, "currency": "PLN", "products": [item, item]} if name == "Order Completed" else item
    return {**event, "type": "track", "event": name, "properties": properties}


def fill(ws: Workspace, events: int, people: int, per_request: int = 100, seed: int = 7) -> float:
    """Put events into the inbox; returns the seconds it took."""
    now = ws.clock()
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, f"bench {seed}", "website", Basis.CONSENT, now)
    bodies = requests(events, people, per_request, seed, now - timedelta(seconds=events * 0.05 + 60), now)
    started = time.perf_counter()
    for first in range(0, len(bodies), 500):
        with ws.transaction() as conn:
            collect.write_down(conn, source.id, bodies[first : first + 500], now)
    return time.perf_counter() - started


@contextmanager
def _profiles_beside(ws: Workspace) -> Generator[list[float]]:
    """Traits and segments follow in a thread of their own, as in the app under a backlog; the seconds of each round.

    What analysers find waits as it does there, and is made up for by the caller's last round.
    """
    rounds: list[float] = []
    ending = threading.Event()

    def follow() -> None:
        found_at = time.perf_counter()
        while not ending.is_set():
            began = time.perf_counter()
            hurried = is_hurried(True, began - found_at)
            found_at = found_at if hurried else began
            if refresh(ws, hurried=hurried) is None:
                ending.wait(0.1)
                continue
            rounds.append(time.perf_counter() - began)
            ending.wait(refresh_rest_seconds(rounds[-1], behind=True))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield rounds
    finally:
        ending.set()
        thread.join()


def append_alone(rows: int, folder: Path) -> float:
    """Rows a second that DuckDB appends from Arrow when nothing else is done: the floor under `append`."""
    columns: dict[str, object] = {name: pa.nulls(20_000, kind) for name, kind in zip(EVENTS.names, EVENTS.types, strict=True)}
    columns["occurred_at"] = pa.array([datetime(2026, 1, 1)] * 20_000, pa.timestamp("us"))
    columns["name"] = pa.array(["Order Completed"] * 20_000)
    columns["properties"] = pa.array([json.dumps({"product_id": str(n), "price": n}) for n in range(20_000)])
    block = pa.table(columns, schema=EVENTS)
    warehouse = Warehouse(folder / "floor.duckdb")
    started = time.perf_counter()
    for _ in range(rows // 20_000):
        warehouse.append({"events": block})
    seconds = time.perf_counter() - started
    warehouse.close()
    return rows / seconds


def main(argv: list[str] | None = None) -> list[Result]:
    """Fill the inbox, drain it, print and return events a second and where the time went."""
    options = argparse.ArgumentParser(prog="bench intake")
    options.add_argument("--events", type=int, default=300_000)
    options.add_argument("--people", type=int, default=30_000)
    options.add_argument("--minutes", type=float, default=0, help="feed without end for so long instead")
    chosen = options.parse_args(argv)
    gc.set_threshold(50_000, 20, 20)  # as the app does
    if chosen.minutes:
        return importlib.import_module("bench.sustained").run(chosen.minutes, chosen.people)
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": folder})) as ws:
        with ws.transaction() as conn:
            segment.install_ready_made(conn, ws.clock())
            segments = len(segment.segments(conn))
        intake, applied = Intake(ws), 0
        fill(ws, 20_000, chosen.people, seed=1)
        intake.drain()  # warm caches
        fill(ws, chosen.events, chosen.people, seed=2)
        steps: Counter[str] = Counter()
        spent = os.times()
        started = time.perf_counter()
        with _profiles_beside(ws) as rounds:
            while (taken_in := intake.apply()) is not None:
                applied += taken_in.applied
                steps.update(taken_in.seconds)
        last_round = time.perf_counter()
        refresh(ws)
        rounds.append(time.perf_counter() - last_round)
        seconds = time.perf_counter() - started
        processor = os.times().user + os.times().system - spent.user - spent.system
        rows = ws.warehouse.run(table("events").aggregate(n=table("events").count())).to_pylist()[0]["n"]
        print(f"intake: {applied:,} events of {chosen.people:,} people in requests of 100, {segments} segments kept current, {datetime.now(UTC):%Y-%m-%d}")
        print(f"  {applied / seconds:,.0f} events/s   (reach ≥ 20,000)   {seconds:.1f} s, warehouse rows {rows:,}")
        for name, spent in steps.most_common():
            print(f"    {name:<18}{spent:7.2f} s  {spent / seconds:5.0%}")
        print(f"    {'profiles, segments':<18}{sum(rounds):7.2f} s  in {len(rounds)} rounds, beside; the last one alone {rounds[-1]:.2f} s")
        print(f"  processor time of the app {processor / applied * 1e6:.0f} µs an event, PostgreSQL's not counted")
        print(f"  for scale: DuckDB appending such rows and nothing else {append_alone(chosen.events, Path(folder)):,.0f} rows/s")
    note = f"{applied:,} events of {chosen.people:,} people, {segments} segments kept current"
    return [Result("intake, request to history, profile, segments", applied / seconds, "events/s", ">= 20,000", applied / seconds >= 20_000, note)]


if __name__ == "__main__":
    main()
