"""A quarantine with a million events in it: how long its pages take, and how fast all of it is replayed.

The events differ in source, reason, name and day; a few are of a name that hardly ever comes, so that a filter has to find them.
Beside it, in the same run, one sequential read of the whole table: what a page costs that has to look at everything.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.result import Result
from cegla.collect import actions as collect
from cegla.repair import actions as repair
from cegla.storage.migrations import migrate
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import load_settings
from cegla.storage.workspace import Connection, open_workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.events import Reason

PAGE_SECONDS = 0.1
COUNT_SECONDS = 0.3
REPLAYED_A_SECOND = 10_000
ZONE = "Europe/Warsaw"
FILL = """
insert into repair.quarantine (source_id, reason, detail, payload, message_id, event, received_at, set_aside_at, writer, number, index, kind)
select (array[%(shop)s, %(app)s])[1 + n %% 2], (array['missing_event_name', 'field_of_wrong_type', 'plan_violation'])[1 + n %% 3], 'properties.total',
    convert_to(format('{"type": "track", "event": "E%%s", "userId": "u%%s", "timestamp": "2026-11-25T10:00:00Z", "properties": {"total": "12,5%%s"}}',
        n %% 40, n, repeat('0', 200)), 'UTF8'),
    'm' || n, case when n %% 100000 = 7 then 'Rare' else 'E' || n %% 40 end, %(now)s - n * interval '1 second', %(now)s - n * interval '1 second',
    1, n, 0, 'track'
from generate_series(%(rows)s, 1, -1) n
"""


def main(argv: list[str] | None = None) -> list[Result]:
    """`python -m bench quarantine [--rows 1000000]`."""
    options = argparse.ArgumentParser(prog="bench quarantine", description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    rows = options.parse_args(argv).rows
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name:
        server = EmbeddedPostgres(Path(name) / "postgres")
        server.start()
        try:
            migrate(server.dsn)
            return _measure(Path(name), server.dsn, rows)
        finally:
            server.stop()


def _measure(directory: Path, dsn: str, rows: int) -> list[Result]:
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    (directory / "app").mkdir()
    settings = load_settings(environment={"CEGLA_DATA_DIR": str(directory / "app"), "CEGLA_DSN": dsn})
    with open_workspace(settings) as ws:
        with ws.transaction() as conn:
            shop, app = (collect.add_source(conn, name, "server", Basis.CONTRACT, now)[0].id for name in ("shop", "app"))
            conn.execute(FILL, {"shop": shop, "app": app, "now": now, "rows": rows})
        with ws.transaction() as conn:
            pages = _pages(conn, rows, shop, now)
            counts = _counts(conn, now)
            whole = _slowest(conn, lambda conn: conn.execute("select sum(length(payload)) from repair.quarantine").fetchone())
        began = time.perf_counter()
        with ws.transaction() as conn:
            run = repair.start(conn, repair.Decision("replay", repair.Filter()), "bench", now)
        first = time.perf_counter() - began
        slowest_batch, more = 0.0, True
        while more:
            batch = time.perf_counter()
            with ws.transaction() as conn:
                more = repair.work(conn, now)
            slowest_batch = max(slowest_batch, time.perf_counter() - batch)
        seconds = time.perf_counter() - began
        with ws.transaction() as conn:
            done = repair.runs(conn, run_id=run.id)[0].done
    page, count = max(pages, key=lambda one: pages[one]), max(counts, key=lambda one: counts[one])
    speed = done / seconds
    note = f"of {len(pages)} pages; slowest: {page}; reading the whole table: {whole * 1000:,.0f} ms"
    return [
        Result(f"a page of {rows:,} quarantined events", pages[page] * 1000, "ms", f"≤ {PAGE_SECONDS * 1000:.0f}", pages[page] <= PAGE_SECONDS, note),
        Result("  counts by reason and day", counts[count] * 1000, "ms", f"≤ {COUNT_SECONDS * 1000:.0f}", counts[count] <= COUNT_SECONDS, f"slowest: {count}"),
        Result("  answer to 'replay all'", first * 1000, "ms", "≤ 1,000", first <= 1, f"the slowest batch after it: {slowest_batch * 1000:,.0f} ms"),
        Result("  replayed", speed, "events/s", f"≥ {REPLAYED_A_SECOND:,}", speed >= REPLAYED_A_SECOND and done == rows, f"{done:,} of {rows:,}"),
    ]  # fmt: skip


def _pages(conn: Connection, rows: int, shop: int, now: datetime) -> dict[str, float]:
    filters: dict[str, tuple[repair.Filter, int | None]] = {
        "the newest": (repair.Filter(), None), "far down": (repair.Filter(), rows // 10), "of a source": (repair.Filter(source_id=shop), rows // 2),
        "of a source that has none": (repair.Filter(source_id=shop + 99), None), "of a reason": (repair.Filter(reason=Reason.MISSING_EVENT_NAME), None),
        "of a reason that has none": (repair.Filter(reason=Reason.MISSING_GROUP), None), "of a rare name": (repair.Filter(event="Rare"), None),
        "of a name that is not there": (repair.Filter(event="Nowhere"), None), "replayed": (repair.Filter(state="replayed"), None),
        "of a day": (repair.Filter(since=now - timedelta(days=9), until=now - timedelta(days=8)), None), "one": (repair.Filter(ids=(rows // 2,)), None),
        "discarded": (repair.Filter(state="discarded"), None), "of any state": (repair.Filter(state="all"), None),
    }  # fmt: skip
    return {name: _slowest(conn, lambda conn, f=wanted, b=before: repair.listed(conn, f, before=b)) for name, (wanted, before) in filters.items()}


def _counts(conn: Connection, now: datetime) -> dict[str, float]:
    filters = {
        "of all": repair.Filter(), "of a reason": repair.Filter(reason=Reason.MISSING_EVENT_NAME), "of a name": repair.Filter(event="E7"),
        "of a rare name": repair.Filter(event="Rare"), "of a week": repair.Filter(since=now - timedelta(days=7)),
    }  # fmt: skip
    return {name: _slowest(conn, lambda conn, f=wanted: repair.figures.overview(conn, f, ZONE)) for name, wanted in filters.items()}


def _slowest(conn: Connection, look: Callable[[Connection], Any]) -> float:
    """The slowest of three; the first one warms up."""
    times: list[float] = []
    for _ in range(4):
        began = time.perf_counter()
        look(conn)
        times.append(time.perf_counter() - began)
    return max(times[1:])
