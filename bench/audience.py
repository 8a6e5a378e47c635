"""How long the decision on an audience of a million takes: address, consent, objection to profiling, suppression, caps, offers, quiet hours, holdout.

Everybody has an account and an address; one in six never agreed, one in a hundred is suppressed, one in ten got a message today, one in a
thousand objected. The decision is read back against what was put in, so a fast wrong answer is a miss. Beside it, the same people are asked one
by one, as the obvious way does, on a sample.
"""

import argparse
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.result import Result
from cegla.activate import actions as activate
from cegla.activate.audience import decided
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.consent import Channel

REACH_SECONDS, SAMPLE = 60.0, 300
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LETTER = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ unsubscribe_url }}</mj-text></mj-column></mj-section></mj-body></mjml>"
PEOPLE = """
insert into resolve.identities (identity_id, type, value, person_id, first_seen_at, source_id)
select 2 * i - 1, 'user_id', 'u' || i, 2 * i - 1, %(then)s, 1 from generate_series(1, %(people)s::bigint) i
union all
select 2 * i, 'email', 'osoba' || i || '@poczta' || i %% 40 || '.example', 2 * i - 1, %(then)s, 1 from generate_series(1, %(people)s::bigint) i
"""
DECISIONS = """
insert into govern.decisions (identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof)
select 2 * i - 1, 'marketing', 'email', 'given', %(then)s, %(then)s, 1, 'event', '{}'::jsonb from generate_series(1, %(people)s::bigint) i where i %% 6 <> 0
union all
select 2 * i - 1, 'profiling', 'none', 'refused', %(then)s, %(then)s, 1, 'event', '{}'::jsonb from generate_series(1, %(people)s::bigint) i where i %% 1000 = 1
"""
SENT = """
insert into activate.messages (campaign_id, person_id, identity_id, address, state, version, decided_at, due_at, handed_at, done_at)
select %(campaign)s, 2 * i - 1, 2 * i, 'a' || i, 'sent', 1, %(today)s, %(today)s, %(today)s, %(today)s
from generate_series(1, %(people)s::bigint) i where i %% 10 = 3
"""


def fill(ws: Workspace, people: int) -> tuple[activate.Campaign, dict[str, int]]:
    """People, decisions, messages of today; the campaign, and the counts that the decision must come to."""
    suppressed = [i for i in range(1, people + 1) if i % 100 == 2]
    with ws.transaction() as conn:
        buyers = segment.save(conn, "bench", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, NOW)
        words = {"segment_id": buyers.id, "subject": "s", "mjml": LETTER, "holdout_percent": 0}
        before, campaign = (activate.save_campaign(conn, {**words, "name": name, "offer": "o"}, NOW) for name in ("before", "now"))
        given = {"people": people, "then": NOW - timedelta(days=30), "today": NOW - timedelta(hours=2), "campaign": before.id}
        activate.set_limits(conn, "email", activate.Limits(1), NOW)
        for statement in (PEOPLE, DECISIONS, SENT):
            conn.execute(statement.encode(), given)
        for i in suppressed:
            govern.suppress(conn, ws.keys, f"osoba{i}@poczta{i % 40}.example", Channel.EMAIL, "manual", NOW - timedelta(days=1))
    with ws.pool.connection() as conn:
        conn.autocommit = True
        conn.execute("vacuum analyze resolve.identities, govern.decisions, activate.messages, govern.suppressed")
    return campaign, _truth(people)


def _truth(people: int) -> dict[str, int]:
    counts: dict[str, int] = {}
    for i in range(1, people + 1):
        reason = "suppressed" if i % 100 == 2 else "no_consent" if i % 6 == 0 else "withdrawn" if i % 1000 == 1 else "offer_repeated" if i % 10 == 3 else ""
        counts[reason] = counts.get(reason, 0) + 1
    return counts


def _settings(folder: str) -> Settings:
    return Settings.model_validate({"data_dir": Path(folder) / "data"})


def main(arguments: list[str]) -> list[Result]:
    """Fill a database of its own, decide, and compare."""
    parser = argparse.ArgumentParser(prog="python -m bench audience")
    parser.add_argument("--people", type=int, default=1_000_000)
    people = parser.parse_args(arguments).people
    with tempfile.TemporaryDirectory(prefix="cegla-audience-") as folder, open_workspace(_settings(folder)) as ws:
        campaign, truth = fill(ws, people)
        everybody = list(range(1, 2 * people, 2))
        began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        found = decided(ws, campaign, everybody, NOW)
        seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        for person in everybody[:: max(1, people // SAMPLE)][:SAMPLE]:
            decided(ws, campaign, [person], NOW)
        alone = (time.perf_counter() - began) / SAMPLE
    right = found.reachable == truth.pop("") and found.reasons == truth
    own = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    goal = REACH_SECONDS * people / 1_000_000
    note = f"{own:.0f} s of it in Python; reachable {found.reachable:,}, {found.reasons}; counts {'as put in' if right else 'WRONG'}"
    peer = f"{alone * people:,.0f} s for all when asked one at a time"
    return [
        Result(f"audience of {people:,} decided", seconds, "s", f"≤ {goal:.0f}", seconds <= goal and right, note),
        Result("as many times faster than one by one", alone * people / seconds, "×", "≥ 10", alone * people / seconds >= 10, peer),
    ]
