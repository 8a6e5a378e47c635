"""Companies at size: what the people of every account come to with the accounts below it, at night and after a batch.

`python -m bench accounts [--people N] [--accounts N] [--events N]`. Each person belongs to one account, and every account but nine stands below
another one, ten to a level, so the trees are some levels deep and each person counts once in each of them.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.result import Result
from bench.segments import fill
from cegla.account import actions as account
from cegla.storage.settings import load_settings
from cegla.storage.workspace import Workspace, open_workspace

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOUCHED = 500
REACH_NIGHT, REACH_BATCH = 60.0, 2.0


def main(options: list[str] | None = None) -> list[Result]:
    """Seconds for the figures of all accounts and of those a batch touched, and whether the trees add up."""
    parser = argparse.ArgumentParser(prog="python -m bench accounts")
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--accounts", type=int, default=5_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    given = parser.parse_args(options)
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": name})) as ws:
        ws.clock = lambda: NOW
        fill(Path(name) / "warehouse" / "cegla.duckdb", given.events, given.people)
        _gather(ws, given.people, given.accounts)
        night = _refreshed(ws, None)
        right = _adds_up(ws, given.people, given.accounts)
        batch = _refreshed(ws, range(1, TOUCHED + 1))
    note = f"{given.accounts:,} accounts of {given.people:,} people, {given.events:,} events"
    return [
        Result("figures of all accounts", night, "s", f"<= {REACH_NIGHT:.0f}", right and night <= REACH_NIGHT, note),
        Result(f"figures after a batch of {TOUCHED} people", batch, "s", f"<= {REACH_BATCH:.0f}", batch <= REACH_BATCH, note),
        Result("every person counts once in each tree", float(right), "1 = right", "1", right, "people of each account beside a count by hand"),
    ]


def _gather(ws: Workspace, people: int, accounts: int) -> None:
    """Person n belongs to the account 1 + n % accounts; account n stands below account n // 10."""
    with ws.transaction() as conn:
        columns = "(identity_id, type, value, holder_id, person_id, first_seen_at, source_id)"
        conn.execute(f"insert into resolve.identities {columns} select n, 'user_id', 'c' || n, 0, n, now(), 1 from generate_series(1, {people}) n")
        conn.execute(f"insert into account.accounts (key, folded) select 'a' || n, 'a' || n from generate_series(1, {accounts}) n")
        told = "(account_id, identity_id, day, joins, at, last_at, source_id, message_id)"
        conn.execute(
            f"insert into account.statements {told} select a.account_id, n, %s, true, %s, %s, 1, 'm' || n"
            f" from generate_series(1, {people}) n join account.accounts a on a.key = 'a' || (1 + n %% {accounts})", [NOW.date(), NOW, NOW],
        )  # fmt: skip
        conn.execute(
            "insert into account.traits (account_id, key, value, declared_at, source_id, message_id)"
            f" select a.account_id, 'parent_id', to_jsonb('a' || n / 10), %s, 1, 'p' || n"
            f" from generate_series(10, {accounts}) n join account.accounts a on a.key = 'a' || n", [NOW],
        )  # fmt: skip


def _refreshed(ws: Workspace, people: Any) -> float:
    started = time.perf_counter()
    with ws.transaction() as conn:
        account.refresh(conn, ws.warehouse, None if people is None else list(people), 0, NOW)
    return time.perf_counter() - started


def _adds_up(ws: Workspace, people: int, accounts: int) -> bool:
    whole = [0] * (accounts + 1)
    for person in range(1, people + 1):
        at = 1 + person % accounts
        while at:
            whole[at] += 1
            at //= 10
    with ws.transaction() as conn:
        kept = conn.execute("select substr(a.key, 2)::int, f.people from account.figures f join account.accounts a using (account_id)").fetchall()
    return len(kept) == accounts and all(whole[number] == counted for number, counted in kept)
