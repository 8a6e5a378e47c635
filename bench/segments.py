"""Segments over a large history: twenty typical ones beside the same questions written by hand in DuckDB SQL, the estimate while a rule is edited,
RFM over everybody, 200 live segments after a batch, and the night's refresh of 1,000.

`python -m bench segments [--events N] [--people N] [--segments N] [--only WORD] [--part questions|live|night] [--history FILE]`. With `--history` the
events are made once and kept in that file; the run works on a copy beside it. The warehouse has the product's own settings; the live segments are
kept in a PostgreSQL of the bench's own. A night's segments are the twenty with other amounts, each over a stable fiftieth of all people.

What a rule asks is put once a minute and kept for the rest of it. So each round is a minute of its own, in which a question is asked twice, and both
are figures: the first time in a minute, when the rule is compiled, and again within it.
"""

import argparse
import copy
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from bench.result import Result
from bench.segment_questions import EVENTS as MADE_EVENTS
from bench.segment_questions import LINES, QUESTIONS, Asked
from cegla import night
from cegla.segment import actions as segment
from cegla.segment.evaluating import renew_scale
from cegla.segment.rules import rfm
from cegla.segment.rules.history import Scale
from cegla.segment.store import newest_scale
from cegla.storage.history_file import DUCKDB_TYPES
from cegla.storage.settings import load_settings
from cegla.storage.warehouse import TABLES, Warehouse, history
from cegla.storage.workspace import Workspace, open_workspace

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NAIVE = NOW.replace(tzinfo=None)
REACH_MEDIAN, REACH_WORST, REACH_RATIO = 0.4, 3.0, 1.3
REACH_BATCH, REACH_ESTIMATE, REACH_RFM, REACH_NIGHT = 0.5, 0.3, 1.0, 900.0
ROUNDS, BATCHES = 3, 7
TOUCHED, LIVE = 500, 200
LAST_BATCH = 1


def main(options: list[str] | None = None) -> list[Result]:
    """All figures, over as many events, people and segments as given."""
    parser = argparse.ArgumentParser(prog="python -m bench segments")
    parser.add_argument("--events", type=int, default=20_000_000)
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--segments", type=int, default=1_000, help="of the night's refresh")
    parser.add_argument("--only", default="", help="questions whose name has this word")
    parser.add_argument("--part", choices=("questions", "live", "night"), default="", help="only this part")
    parser.add_argument("--history", type=Path, help="the file that the events are kept in between runs; made when it is missing")
    given = parser.parse_args(options)
    kept: Path | None = given.history
    if kept is not None and not kept.exists():
        fill(kept, given.events, given.people)
    beside = kept.parent if kept is not None else None
    with tempfile.TemporaryDirectory(prefix="cegla-bench-", dir=beside) as name, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": name})) as ws:
        ws.clock = lambda: NOW
        began = time.perf_counter()
        _history(Path(name) / "warehouse" / "cegla.duckdb", kept, given.events, given.people)
        ws.warehouse.set_people([(identity, identity - 1) for identity in range(10, given.people, 10)])
        print(f"segments: {given.events:,} events of {given.people:,} people, filled in {time.perf_counter() - began:.0f} s")
        return _measured(ws, given, f"{given.events:,} events of {given.people:,} people")


def _measured(ws: Workspace, given: argparse.Namespace, note: str) -> list[Result]:
    results: list[Result] = []
    if given.part in ("", "questions"):
        seconds = [_timed(lambda: ws.warehouse.run(rfm.bounds(history(), NAIVE))) for _ in range(ROUNDS)]
        results.append(_figure("RFM over everybody", statistics.median(seconds), REACH_RFM, note))
        results += _asked(ws, [one for one in QUESTIONS if given.only in one.name], note)
    if not given.only and given.part in ("", "live"):
        results += _live(ws, given.people, note)
    if not given.only and given.part in ("", "night"):
        results.append(_night(ws, given.segments, note))
    return results


def _history(path: Path, kept: Path | None, events: int, people: int) -> None:
    """The history to work on: made now, or a copy of the one that is kept."""
    if kept is None:
        fill(path, events, people)
    else:
        path.parent.mkdir(parents=True)
        shutil.copyfile(kept, path)


def fill(path: Path, events: int, people: int) -> None:
    """A warehouse file with that many events and the lines of its orders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path)) as maker:
        for name, schema in TABLES.items():
            maker.execute(f"create table {name} ({', '.join(f'{column.name} {DUCKDB_TYPES[column.type]}' for column in schema)})")
        for first in range(0, events, 1_000_000):
            last = min(first + 1_000_000, events)
            maker.execute(MADE_EVENTS, {"people": people, "now": NAIVE, "events": events, "first": first, "last": last})
            maker.execute(LINES, {"first": first, "last": last})


@dataclass(frozen=True)
class Spent:
    """Seconds that one question took in one round: the first time in its minute, again within it, and by hand."""

    first: float
    again: float
    by_hand: float


TIMES: dict[str, Callable[[Spent], float]] = {"the first time in a minute": lambda one: one.first, "again within the minute": lambda one: one.again}


def _asked(ws: Workspace, questions: Sequence[Asked], note: str) -> list[Result]:
    """Each question our way and by hand, in alternating rounds: for the first time in a minute and again, the median of all, the slowest, the worst ratio."""
    with ws.transaction() as conn:
        renew_scale(conn, ws.warehouse, NOW)
        scale = newest_scale(conn)
    assert scale is not None
    file = ws.warehouse
    assert isinstance(file, Warehouse)  # SQL by hand asks it directly
    rounds: dict[str, list[Spent]] = {}
    wrong: list[str] = []
    for one in questions:
        if segment.members_of(ws, one.rule, NOW).to_pylist() != sorted(_by_hand(file, one, scale, NOW)["person_id"].to_pylist()):
            wrong.append(one.name)
        rounds[one.name] = [_round(ws, file, one, scale, NOW + timedelta(minutes=number)) for number in range(1, ROUNDS + 1)]
        times = ", ".join(f"{name} {_seconds(rounds[one.name], of):7.3f} s {_ratio(rounds[one.name], of):5.2f} × by hand" for name, of in TIMES.items())
        print(f"    {one.name:<62}{times}{'  NOT EQUAL' if one.name in wrong else ''}", flush=True)
    said = f"{note}; " + (f"answers NOT EQUAL: {', '.join(wrong)}" if wrong else "answers equal")
    results: list[Result] = []
    for name, of in TIMES.items():
        ours, ratios = {one: _seconds(spent, of) for one, spent in rounds.items()}, {one: _ratio(spent, of) for one, spent in rounds.items()}
        slowest, farthest = max(ours, key=ours.__getitem__), max(ratios, key=ratios.__getitem__)
        results += [
            _figure(f"{len(ours)} typical segments in full, {name}: median", statistics.median(ours.values()), REACH_MEDIAN, said, right=not wrong),
            _figure(f"{name}: the slowest of them", ours[slowest], REACH_WORST, slowest, right=not wrong),
            _figure(f"{name}: the farthest from SQL by hand", ratios[farthest], REACH_RATIO, farthest, unit="×", right=not wrong),
        ]
    return results


def _round(ws: Workspace, file: Warehouse, one: Asked, scale: Scale, now: datetime) -> Spent:
    first, again = (_timed(lambda: segment.members_of(ws, one.rule, now)) for _ in TIMES)
    return Spent(first, again, _timed(lambda: _by_hand(file, one, scale, now)))


def _seconds(spent: Sequence[Spent], of: Callable[[Spent], float]) -> float:
    return statistics.median(of(one) for one in spent)


def _ratio(spent: Sequence[Spent], of: Callable[[Spent], float]) -> float:
    return statistics.median(of(one) / one.by_hand for one in spent)


def _by_hand(warehouse: Warehouse, one: Asked, scale: Scale, now: datetime) -> Any:
    naive = now.replace(tzinfo=None)
    bounds = {"often": scale.frequency[2], "recently": naive - timedelta(days=1 - scale.recency[2]), "dear": scale.monetary[2]}
    with warehouse._cursor() as cursor:  # pyright: ignore[reportPrivateUsage]
        return cursor.sql(one.sql, params={name: value for name, value in {"now": naive, **bounds}.items() if f"${name}" in one.sql}).to_arrow_table()


def _live(ws: Workspace, people: int, note: str) -> list[Result]:
    """The estimate of a rule that was just changed; and 200 segments after batches that touch 500 people each. Members begin empty: what is to be
    stored is then the most there can be."""
    estimates = [
        _timed(lambda days=days: segment.estimate(ws, {"all": [QUESTIONS[0].rule, {"op": "did_not", "event": "Product Viewed", "days": days}]}, NOW))
        for days in range(20, 20 + BATCHES)
    ]
    _define(ws, LIVE)
    spent: list[float] = []
    for number in range(BATCHES):
        touched = list(range(1 + number, people, max(1, people // TOUCHED)))[:TOUCHED]
        spent.append(_timed(lambda touched=touched: _follow(ws, touched)))
    said = (
        f"{note}; {LIVE} segments in PostgreSQL, the median of {BATCHES} batches of a minute, {TOUCHED} people each; the first {spent[0]:.2f} s"
    )
    worst = f"{note}; a rule never asked before, of two conditions, one of them about everybody; worst {max(estimates):.2f} s"
    return [
        _figure("live estimate of a changed rule", statistics.median(estimates), REACH_ESTIMATE, worst),
        _figure("live segments after a batch", statistics.median(spent), REACH_BATCH, said),
    ]


def _follow(ws: Workspace, people: Sequence[int]) -> None:
    with ws.transaction() as conn, ws.warehouse.snapshot(LAST_BATCH) as past:
        assert past is not None
        segment.refresh(conn, past, people, segment.AsOf(NOW))


def _night(ws: Workspace, segments: int, note: str) -> Result:
    """Everybody looked at for so many segments, a day later."""
    with ws.transaction() as conn:
        there = len(segment.segments(conn))
    _define(ws, segments - there)
    night.recompute_segments(ws, NOW)
    seconds = _timed(lambda: night.recompute_segments(ws, NOW + timedelta(days=1)))
    return _figure("the night's refresh of all segments", seconds, REACH_NIGHT, f"{note}; {segments:,} segments, one day after the last refresh")


def _define(ws: Workspace, many: int) -> None:
    """Segments like the twenty, each with other amounts and over another fiftieth of all people."""
    with ws.transaction() as conn:
        first = len(segment.segments(conn))
        for number in range(first, first + many):
            rule = copy.deepcopy(QUESTIONS[number % len(QUESTIONS)].rule)
            for leaf in rule.get("all", [rule]):
                for name in ("days", "more_than", "value"):
                    if isinstance(leaf.get(name), int):
                        leaf[name] += number // len(QUESTIONS)
            part = {"op": "random_part", "salt": f"s{number}", "from_percent": 0, "to_percent": 2}
            segment.save(conn, f"S{number}", {"all": [rule, part]}, NOW, f"bench.{number}")


def _timed(question: Callable[[], Any]) -> float:
    started = time.perf_counter()
    question()
    return time.perf_counter() - started


def _figure(name: str, value: float, goal: float, note: str, unit: str = "s", *, right: bool = True) -> Result:
    return Result(name, value, unit, f"<= {goal:g}", right and value <= goal, note)


if __name__ == "__main__":
    main()
