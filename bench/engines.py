"""The twenty typical segments on every engine: DuckDB, ClickHouse's engine (chDB) and a standalone Spark cluster of two workers. Are the answers equal,
and how long do they take?

`python -m bench engines [--events N] [--people N] [--rounds N] [--only WORD]`. The same rows are in each engine; the rules are compiled and asked as the
product does it. An engine whose packages are not installed (`make test-engines` installs them) is left out, and that is said.
"""

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.result import Result
from bench.segment_questions import QUESTIONS, Asked
from bench.segments import NOW, fill
from cegla.segment import actions as segment
from cegla.segment.evaluating import renew_scale
from cegla.storage.engines.connecting import connect
from cegla.storage.engines.moving import Target
from cegla.storage.settings import load_settings
from cegla.storage.warehouse import TABLES, Readable, table
from cegla.storage.workspace import Workspace, open_workspace
from tests.contracts.engines.cluster import cluster, missing

ROWS_AT_ONCE = 500_000
Answers = dict[str, "pa.Array[Any]"]


def main(options: list[str] | None = None) -> list[Result]:
    """One figure an engine: the median of the questions, reached when every answer is DuckDB's."""
    parser = argparse.ArgumentParser(prog="python -m bench engines")
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="questions whose name has this word")
    given = parser.parse_args(options)
    questions = [one for one in QUESTIONS if given.only in one.name]
    note = f"{given.events:,} events of {given.people:,} people, {len(questions)} segments"
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": name})) as ws:
        ws.clock = lambda: NOW
        fill(Path(name) / "warehouse" / "cegla.duckdb", given.events, given.people)
        owners = [(identity, identity - 1) for identity in range(10, given.people, 10)]
        ws.warehouse.set_people(owners)
        with ws.transaction() as conn:
            renew_scale(conn, ws.warehouse, NOW)
        wanted, spent = _asked(ws, ws.warehouse, questions, given.rounds)
        seconds, results = {"DuckDB": spent}, [_figure("DuckDB", spent, [], note)]
        for label, opened in ENGINES.items():
            with opened(Path(name)) as engine:
                if engine is None:
                    continue
                began = time.perf_counter()
                _copy(ws.warehouse, engine, owners)
                print(f"    {label}: filled in {time.perf_counter() - began:.0f} s", flush=True)
                found, seconds[label] = _asked(ws, engine, questions, given.rounds)
            wrong = [one.name for one in questions if not found[one.name].equals(wanted[one.name])]
            results.append(_figure(label, seconds[label], wrong, note))
        _print(seconds, {one: len(ids) for one, ids in wanted.items()})
    return results


@contextmanager
def _clickhouse(folder: Path) -> Generator[Target | None]:
    if find_spec("chdb") is None:
        print("    ClickHouse: left out, no chdb here")
        yield None
        return
    with closing(connect(f"chdb://{folder}/clickhouse")) as engine:
        yield engine


@contextmanager
def _spark(folder: Path) -> Generator[Target | None]:
    if lacking := missing():
        print(f"    Spark: left out, {lacking}")
        yield None
        return
    (folder / "cluster").mkdir()
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of pyspark, about versions of packages that are not used here
        address = stack.enter_context(cluster(folder / "cluster", memory="3g"))
        options = "spark.executor.memory=2g&spark.driver.memory=2g&spark.sql.shuffle.partitions=4"
        yield stack.enter_context(closing(connect(f"spark://{address}?files={folder}/files&{options}")))


ENGINES: dict[str, Callable[[Path], Any]] = {"ClickHouse (chDB)": _clickhouse, "Spark (two workers)": _spark}


def _copy(source: Readable, target: Target, owners: list[tuple[int, int]]) -> None:
    number = 0
    for name in TABLES:
        for rows in _pieces(source, name):
            number += 1
            target.write(name, rows, number, number)
    target.reset_people(owners)


def _pieces(source: Readable, name: str) -> Iterator[pa.Table]:
    key = "move_id" if name == "moves" else "event_id"
    rows: Any = table(name)
    last = source.run(rows.aggregate(last=rows[key].max()))["last"][0].as_py() or -1
    for first in range(0, last + 1, ROWS_AT_ONCE):
        found = source.run(rows.filter((rows[key] >= first) & (rows[key] < first + ROWS_AT_ONCE)))
        if found.num_rows:
            yield found


def _asked(ws: Workspace, engine: Any, questions: list[Asked], rounds: int) -> tuple[Answers, dict[str, float]]:
    """Each question's answer, and the median of its rounds in seconds; the first round, which warms up, is not counted when there are several."""
    own = ws.__dict__["warehouse"]
    ws.__dict__["warehouse"] = engine  # the product asks whatever is in its place
    answers: Answers = {}
    seconds: dict[str, float] = {}
    try:
        for one in questions:
            spent: list[float] = []
            for _ in range(rounds):
                began = time.perf_counter()
                answers[one.name] = segment.members_of(ws, one.rule, NOW)
                spent.append(time.perf_counter() - began)
            seconds[one.name] = statistics.median(spent[1:] or spent)
    finally:
        ws.__dict__["warehouse"] = own
    return answers, seconds


def _print(seconds: dict[str, dict[str, float]], members: dict[str, int]) -> None:
    print(f"    {'seconds':<58}{'members':>9}" + "".join(f"{label:>21}" for label in seconds))
    for name, number in members.items():
        print(f"    {name:<58}{number:>9,}" + "".join(f"{spent[name]:>21.3f}" for spent in seconds.values()))


def _figure(label: str, seconds: dict[str, float], wrong: list[str], note: str) -> Result:
    worst = max(seconds, key=seconds.__getitem__)
    said = f"NOT EQUAL to DuckDB: {', '.join(wrong)}" if wrong else "answers equal"
    said = f"{note}; {said}; slowest {seconds[worst]:.2f} s: {worst}"
    return Result(f"typical segments on {label}, median", statistics.median(seconds.values()), "s", "equal", not wrong, said)


if __name__ == "__main__":
    main()
