"""A start with much waiting: how soon is the first event acknowledged, is /readyz honest meanwhile, how fast is the rest taken in?"""

import argparse
import json
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from bench.crashes import free_port, whole_installation
from bench.result import Result
from cegla.collect import actions as collect
from cegla.storage.settings import Settings
from cegla.storage.workspace import open_workspace
from cegla.vocabulary.consent import Basis

AT_ONCE = 10_000


def fill(directory: Path, requests: int) -> str:
    """So many accepted requests of one event each, not taken in; returns the source's key."""
    now = datetime.now(UTC)
    with open_workspace(Settings.model_validate({"data_dir": directory})) as ws:
        with ws.transaction() as conn:
            source, _ = collect.add_source(conn, "restart", "website", Basis.CONTRACT, now)
        for start in range(0, requests, AT_ONCE):
            bodies = [_body(number) for number in range(start, min(start + AT_ONCE, requests))]
            with ws.transaction() as conn:
                collect.write_down(conn, source.id, bodies, now)
    return source.key


def _body(number: int) -> bytes:
    page = {"url": f"https://shop.example/product/{number % 500}"}
    return json.dumps({"type": "page", "messageId": f"wait-{number}", "anonymousId": f"browser-{number % 50_000}", "properties": page}).encode()


def main(argv: list[str]) -> list[Result]:
    """`python -m bench restart [--requests 1000000]`."""
    parser = argparse.ArgumentParser(prog="bench restart", description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    requests = parser.parse_args(argv).requests
    with tempfile.TemporaryDirectory(prefix="cegla-restart-") as name:
        key = fill(Path(name), requests)
        port, seen = free_port(), dict[str, float]()
        began = time.monotonic()
        knocking = threading.Thread(target=_knock, args=(port, key, began, seen), daemon=True)
        knocking.start()
        with whole_installation(Path(name), port=port) as running:
            knocking.join(120)
            up = time.monotonic() - began
            with psycopg.connect(running.dsn, autocommit=True) as conn:
                first = sum(row.waiting for row in collect.standing(conn))
                from_then = time.monotonic()
                while waiting := sum(row.waiting for row in collect.standing(conn)):
                    time.sleep(0.5)
                seconds = time.monotonic() - from_then
                whole = all(row.adds_up for row in collect.standing(conn))
    rate = (first - waiting) / max(seconds, 0.001)
    note = f"of the whole installation, PostgreSQL included, {requests:,} requests waiting; ready at {seen.get('ready', -1):.2f} s, all parts at {up:.1f} s"
    honest = seen.get("ready", -1.0) >= 0 and not seen.get("ready and refused")
    return [
        Result("restart: first acknowledgement after the start", seen.get("first", 999.0), "s", "<= 1", seen.get("first", 999.0) <= 1, note),
        Result("restart: /readyz says so only when it accepts", float(honest), "yes = 1", "1", honest, "asked before each event, from the first moment on"),
        Result("restart: drained", rate, "events/s", ">= 20,000", rate >= 20_000 and whole, f"{first:,} waiting when all parts were up; adds up: {whole}"),
    ]


def _knock(port: int, key: str, began: float, seen: dict[str, float]) -> None:
    """Ask /readyz and send one event, again and again, until it is ready and acknowledged."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client:
        while not seen.keys() >= {"first", "ready"} and time.monotonic() - began < 100:
            try:
                ready = client.get("/readyz").status_code == 200
                if ready:
                    seen.setdefault("ready", time.monotonic() - began)
                event = {"type": "track", "event": "Knock", "messageId": "knock", "anonymousId": "k", "writeKey": key}
                answered = client.post("/v1/t", json=event).status_code == 200
                if answered:
                    seen.setdefault("first", time.monotonic() - began)
                elif ready:
                    seen["ready and refused"] = 1.0
            except httpx.TransportError:
                time.sleep(0.02)
