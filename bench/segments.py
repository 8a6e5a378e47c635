"""How fast a segment is counted over a large history, beside the same question written by hand in DuckDB SQL."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from bench.result import Result
from cegla.profile import actions as profile
from cegla.segment.operators import parsed
from cegla.segment.rules import compile as compiler
from cegla.segment.rules import rfm
from cegla.segment.rules.history import Ground
from cegla.storage.warehouse import DUCKDB_TYPES, EVENTS, Warehouse, history

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).replace(tzinfo=None)
REACH_SECONDS, REACH_RATIO = 0.5, 1.5
ROUNDS = 7

RULE = {
    "all": [
        {"op": "did", "event": "Order Completed", "at_least": 3, "days": 90},
        {"op": "total_over", "event": "Order Completed", "more_than": 500, "days": 90},
    ]
}
BY_HAND = """
select coalesce(m.mapped_person, e.identity_id) as person_id
from events e left join derived.main.identity_map m on e.identity_id = m.mapped_identity
where e.name = 'Order Completed' and e.occurred_at > $from and e.occurred_at <= $now and not e.is_bot
group by 1 having count(*) >= 3 and sum(e.value_micros) > 500000000
"""
#: a year of traffic: one event in sixteen is an order, a tenth of the identities belong to another person
MADE = """
insert into events (batch, event_id, source_id, identity_id, kind, name, occurred_at, received_at, local_at, session_id, order_id, value_micros, currency,
    page_path, device_type, country, language, is_bot, properties)
select 1, i, 1, who, case when kind < 10 then 'page' else 'track' end,
    case when kind < 10 then 'Page Viewed' when kind < 14 then 'Product Viewed' when kind = 14 then 'Product Added' else 'Order Completed' end,
    moment, moment, moment + interval 1 hour, i >> 3, case when kind = 15 then 'o' || i end,
    case when kind = 15 then (20 + hash(i, 3) % 400) * 1000000 end, case when kind = 15 then 'PLN' end,
    '/p/' || hash(i, 4) % 500, ['phone', 'desktop', 'tablet'][1 + (hash(who) % 3)::int], ['PL', 'PL', 'DE'][1 + (hash(who, 1) % 3)::int], 'pl', false,
    '{"color":"' || ['red', 'green', 'blue'][1 + (hash(i, 5) % 3)::int] || '","price":' || hash(i, 4) % 500 || '}'
from (
    select i, 1 + floor($people * pow((hash(i) % 1000003) / 1000003.0, 2))::bigint as who, hash(i, 1) % 16 as kind,
        $now::timestamp - to_microseconds(((1.0 - i::double / $events) * 31536000000000)::bigint) as moment
    from range($first, $last) rows (i)
)
"""
#: questions a marketer asks, timed for the record
OTHERS: dict[str, Any] = {
    "ordered once in a year": {"op": "did", "event": "Order Completed"},
    "viewed red products 3 times in 30 days": {
        "op": "did",
        "event": "Product Viewed",
        "at_least": 3,
        "days": 30,
        "where": [{"property": "color", "is": "red"}],
    },
    "no order in 60 days": {"op": "did_not", "event": "Order Completed", "days": 60},
    "spent over 2,000": {"op": "trait_over", "trait": "monetary", "value": 2000},
    "from Poland, on a phone": {"all": [{"op": "trait_is", "trait": "country", "value": "PL"}, {"op": "trait_is", "trait": "device", "value": "phone"}]},
    "RFM champions": {"op": "rfm_group", "groups": ["champions"]},
    "life cycle: won back": {"op": "life_cycle", "groups": ["won_back"]},
}


def fill(folder: Path, events: int, people: int) -> Warehouse:
    """A warehouse with that many events."""
    path = folder / "bench.duckdb"
    with duckdb.connect(str(path)) as maker:
        maker.execute(f"create table events ({', '.join(f'{column.name} {DUCKDB_TYPES[column.type]}' for column in EVENTS)})")
        for first in range(0, events, 1_000_000):
            maker.execute(MADE, {"people": people, "now": NOW, "events": events, "first": first, "last": min(first + 1_000_000, events)})
    warehouse = Warehouse(path)
    warehouse.set_people([(identity, identity - 1) for identity in range(10, people, 10)])
    return warehouse


def timed(*questions: Callable[[], Any], rounds: int = ROUNDS) -> list[tuple[float, Any]]:
    """For each question its median seconds after a warm round, and the answer. Rounds alternate, so that a busy machine slows all alike."""
    answers = [question() for question in questions]
    seconds: list[list[float]] = [[] for _ in questions]
    for _ in range(rounds):
        for spent, question in zip(seconds, questions, strict=True):
            started = time.perf_counter()
            question()
            spent.append(time.perf_counter() - started)
    return [(statistics.median(spent), answer) for spent, answer in zip(seconds, answers, strict=True)]


def by_hand(warehouse: Warehouse) -> pa.Table:
    """The bench's question in SQL, on the same connection settings."""
    with warehouse._cursor() as cursor:  # pyright: ignore[reportPrivateUsage]
        return cursor.sql(BY_HAND, params={"from": NOW - timedelta(days=90), "now": NOW}).to_arrow_table()


def main(argv: list[str] | None = None) -> list[Result]:
    """Fill a warehouse, ask the question both ways, print the medians and the other questions' times; return the two figures."""
    options = argparse.ArgumentParser(prog="bench segments")
    options.add_argument("--events", type=int, default=10_000_000)
    options.add_argument("--people", type=int, default=500_000)
    chosen = options.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as folder:
        started = time.perf_counter()
        warehouse = fill(Path(folder), chosen.events, chosen.people)
        filled = time.perf_counter() - started
        tables = compiler.History(history(), history("order_lines"), lambda: profile.person_traits(NOW.replace(tzinfo=UTC)))
        scale = rfm.scale(warehouse.run(rfm.bounds(history(), NOW)).to_pylist()[0], NOW)
        ground = Ground(NOW, scale)

        def ask(rule: object) -> pa.Table:
            return warehouse.run(compiler.members(parsed(rule), tables, ground))

        (ours, found), (hand, wanted) = timed(lambda: ask(RULE), lambda: by_hand(warehouse))
        same = sorted(found["person_id"].to_pylist()) == sorted(wanted["person_id"].to_pylist())
        print(f"segments: {chosen.events:,} events of {chosen.people:,} people (filled in {filled:.0f} s), {datetime.now(UTC):%Y-%m-%d}")
        print(f"  bought ≥ 3 times in 90 days and total > 500: {found.num_rows:,} people, {'equal' if same else 'NOT EQUAL'} to the hand-written query")
        print(f"  {ours:.3f} s (reach ≤ {REACH_SECONDS} s), by hand {hand:.3f} s, ratio {ours / hand:.2f} (reach ≤ {REACH_RATIO})")
        print(f"  medians of {ROUNDS} rounds; ours includes turning the rule into SQL")
        print(f"    {'RFM scale over everybody':<42}{timed(lambda: warehouse.run(rfm.bounds(history(), NOW)), rounds=1)[0][0]:7.3f} s")
        for name, rule in OTHERS.items():
            [(seconds, answer)] = timed(lambda rule=rule: ask(rule), rounds=1)
            print(f"    {name:<42}{seconds:7.3f} s  {answer.num_rows:>9,} people")
        warehouse.close()
    note = f"bought ≥ 3 times in 90 days and total > 500, over {chosen.events:,} events; answers {'equal' if same else 'NOT EQUAL'}"
    return [
        Result("segment over the whole history", ours, "s", f"<= {REACH_SECONDS}", same and ours <= REACH_SECONDS, note),
        Result("segment, ratio to SQL written by hand", ours / hand, "×", f"<= {REACH_RATIO}", same and ours <= hand * REACH_RATIO, f"by hand {hand:.3f} s"),
    ]


if __name__ == "__main__":
    main()
