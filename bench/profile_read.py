"""Profiles read over HTTP: the app process as it runs, people found by e-mail or customer number, and beside it a bare endpoint of the same server.

`python -m bench profile_read [--people N] [--seconds S] [--connections N]`. Server, PostgreSQL and the load generator share the machine's cores.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench.installation import free_port
from bench.load import Load, load
from bench.result import Result
from cegla.collect import actions as collect
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.vocabulary.consent import Basis

PEOPLE, SECONDS, CONNECTIONS = 1_000_000, 10.0, 64
REACH_READS, REACH_P99 = 2_000, 50.0
VARIANTS = 20_000

FACTS = {
    "events": 41, "deeds": 38, "visits": 9, "first_seen": "2026-01-03 09:12:00", "last_seen": "2026-11-20 18:40:00", "orders": 3,
    "first_order": "2026-02-01 10:00:00", "last_order": "2026-11-02 20:01:00", "gross_micros": 412_500_000, "refunds": 1, "refunded_micros": -49_900_000,
    "money_currency": "PLN", "currencies": 1, "heat": 118.1, "payments": 4, "hour": 19, "hour_hits": 5, "hour_of": 9, "device": "phone", "device_hits": 7,
    "device_of": 9, "country": "PL", "country_hits": 9, "country_of": 9, "language": "pl", "language_hits": 9, "language_of": 9, "origin": "google",
    "origin_hits": 4, "origin_of": 9, "category": "Kubki", "category_hits": 12, "category_of": 20, "category_evidence": 11, "product": "Kubek",
    "product_hits": 3, "product_of": 5, "categories": ["Kubki", "Talerze"],
}  # fmt: skip
LABEL = {"pl": "Zamówienia w 90 dni", "en": "Orders in 90 days"}
DEFINITION = {"label": LABEL, "compute": "count", "event": "Order Completed", "days": 90, "purpose": "analytics"}
COUNTED = {"orders_90d": {"v": 2, "n": 2, "e": 77, "f": "2026-10-01 10:00:00", "l": "2026-11-02 20:01:00", "h": 2}}


def main(options: list[str]) -> list[Result]:
    """The figures, with people, seconds and connections as given."""
    parser = argparse.ArgumentParser(prog="python -m bench profile_read")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    given = parser.parse_args(options)
    people, seconds, connections = given.people, given.seconds, given.connections
    with _app_running(people) as (port, secret):
        reads = [_request(port, secret, body) for body in _questions(people)]
        _check(port, secret, people)
        bare = load(port, [f"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()], connections, 1.0, seconds / 2)
        found = load(port, reads, connections, 2.0, seconds)
    return _results(found, bare, people, connections)


def _results(found: Load, bare: Load, people: int, connections: int) -> list[Result]:
    how = f"{people:,} people, {connections} connections, traits and segments of one person by e-mail or customer number; {found.answered:,} answers"
    right = found.refused == 0
    beside = f"{how}; a bare endpoint of the same server: {bare.per_second:,.0f}/s, p99 {bare.percentile(0.99):.1f} ms"
    return [
        Result("profile reads", found.per_second, "reads/s", f">= {REACH_READS:,}", right and found.per_second >= REACH_READS, beside),
        Result("profile read, p99", found.percentile(0.99), "ms", f"<= {REACH_P99:.0f}", right and found.percentile(0.99) <= REACH_P99, how),
    ]


def _questions(people: int) -> list[bytes]:
    rng = random.Random(1)
    numbers = [rng.randrange(people) for _ in range(VARIANTS)]
    named = [{"type": "email", "value": f"Osoba{number}@sklep.test"} if number % 2 else {"type": "user_id", "value": f"c{number}"} for number in numbers]
    return [json.dumps({"identifier": one}).encode() for one in named]


def _request(port: int, secret: str, body: bytes) -> bytes:
    head = (
        f"POST /api/v1/profiles/read HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _check(port: int, secret: str, people: int) -> None:
    """A few answers are the right ones, and the second time there is nothing new to send."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers={"authorization": f"Bearer {secret}"}, timeout=30) as client:
        for number in (0, people // 2, people - 1):
            asked = {"identifier": {"type": "user_id", "value": f"c{number}"}}
            answer = client.post("/profiles/read", json=asked)
            assert answer.status_code == 200, answer.text
            found = answer.json()
            assert found["person"] == f"p{2 * number + 1}", found
            assert found["traits"]["order_count"] == 3 and found["traits"]["orders_90d"] == 2 and found["traits"]["first_name"] == "Anna", found
            again = client.post("/profiles/read", json=asked, headers={"if-none-match": answer.headers["etag"]})
            assert again.status_code == 304, again.status_code


@contextmanager
def _app_running(people: int) -> Generator[tuple[int, str]]:
    """The app process over a PostgreSQL with that many people; yields its port and a secret key."""
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name:
        server = EmbeddedPostgres(Path(name) / "postgres")
        server.start()
        app: subprocess.Popen[bytes] | None = None
        try:
            migrate(server.dsn)
            with psycopg.connect(server.dsn) as conn:
                _, secret = collect.add_source(conn, "bench", "server", Basis.CONTRACT, datetime.now(UTC))
                _fill(conn, people)
            with psycopg.connect(server.dsn, autocommit=True) as conn:
                conn.execute("vacuum analyze")
            port = free_port()
            environment = {**os.environ, "CEGLA_DSN": server.dsn, "CEGLA_DATA_DIR": name, "CEGLA_APP_PORT": str(port)}
            app = subprocess.Popen([sys.executable, "-m", "cegla.app", "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _wait_until_up(port)
            _wait_until_idle(server.dsn)
            assert secret is not None
            yield port, secret
        finally:
            if app is not None:
                app.terminate()
                app.wait(30)
            server.stop()


def _wait_until_up(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise TimeoutError("the app did not come up")


def _wait_until_idle(dsn: str) -> None:
    """Until analysers have seen that nothing is due: a new installation's first look loads them all."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        deadline = time.monotonic() + 120
        while conn.execute("select count(*) filter (where finished_at is not null) from profile.runs").fetchone() == (0,):
            if time.monotonic() > deadline:
                raise TimeoutError("analysers did not come to an end")
            time.sleep(0.2)


def _fill(conn: Any, people: int) -> None:
    """People of two identifiers each, with facts, declared and computed traits, in two segments each."""
    with _without_indexes(conn, ("resolve.identities", "profile.profiles", "profile.computed", "profile.declared", "segment.members")):
        _write(conn, people)


@contextmanager
def _without_indexes(conn: Any, tables: tuple[str, ...]) -> Generator[None]:
    """Tables take many rows several times as fast while they have no index; keys and indexes are as before in the end."""
    keys = conn.execute(
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = any(%s::regclass[]) and contype in ('p', 'u')",
        [list(tables)],
    ).fetchall()
    for table, name, _ in keys:
        conn.execute(f"alter table {table} drop constraint {name} cascade")
    asked = "select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index where indrelid = any(%s::regclass[])"
    others = conn.execute(asked, [list(tables)]).fetchall()
    for name, _ in others:
        conn.execute(f"drop index {name}")
    yield
    conn.execute("set maintenance_work_mem = '512MB'")
    for table, name, definition in keys:
        conn.execute(f"alter table {table} add constraint {name} {definition}")
    for _, definition in others:
        conn.execute(definition)


def _write(conn: Any, people: int) -> None:
    every = f"generate_series(0, {people - 1}) as n"
    columns = "(identity_id, type, value, holder_id, person_id, first_seen_at, source_id)"
    conn.execute(f"insert into resolve.identities {columns} select 2 * n + 1, 'user_id', 'c' || n, 0, 2 * n + 1, now(), 1 from {every}")
    conn.execute(f"insert into resolve.identities {columns} select 2 * n + 2, 'email', 'osoba' || n || '@sklep.test', 0, 2 * n + 1, now(), 1 from {every}")
    conn.execute(f"insert into profile.profiles select 2 * n + 1, %s::jsonb, now() from {every}", [json.dumps(FACTS)])
    conn.execute(
        "insert into profile.definitions (key, version, document, kind, zero, said_pl, said_en, made_at, made_by)"
        " values ('orders_90d', 1, %s, 'count', true, 'Liczba', 'Number', now(), 'bench')", [json.dumps(DEFINITION)]
    )  # fmt: skip
    conn.execute(f"insert into profile.computed select 2 * n + 1, %s::jsonb, now(), null from {every}", [json.dumps(COUNTED)])
    for key, value in (("first_name", "Anna"), ("city", "Łódź")):
        declared = "(identity_id, key, value, source_id, declared_at, message_id)"
        conn.execute(f"insert into profile.declared {declared} select 2 * n + 1, %s, to_jsonb(%s::text), 1, now(), 'm' || n from {every}", [key, value])
    columns, rule = "(name, rule, created_at, changed_at)", json.dumps({"op": "everyone"})
    conn.execute(f"insert into segment.segments {columns} select 'S' || n, %s::jsonb, now(), now() from generate_series(1, 2) n", [rule])
    conn.execute(f"insert into segment.members (segment_id, person_id, entered_at) select s.id, 2 * n + 1, now() from {every}, segment.segments s")
