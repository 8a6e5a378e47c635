"""All analysers over a whole base, as a night asks for them, and one person's profile after a new event.

`python -m bench analysing [--people N] [--events N] [--profile]`: a simulated base (bench/analysers/_people.py), every analyser on, findings kept
in PostgreSQL. The goal is for a million people with forty events each; for fewer it is cut in proportion, although a part of the work is done once
however many there are (`Meters`): few people say what one costs, not whether a million are ready in time. Server and run share the cores.
Beside it, as the physical limit: the same history read and grouped by person once, by hand in DuckDB.
"""

import argparse
import cProfile
import os
import pstats
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

from bench.analysers._people import NOW, filled
from bench.result import Result
from cegla.collect import actions as collect
from cegla.profile import actions as profile
from cegla.profile import analysing, findings
from cegla.profile.catalogue import ANALYSERS
from cegla.profile.rules.analysis import Analyser
from cegla.storage.settings import load_settings
from cegla.storage.workspace import Workspace, open_workspace
from cegla.vocabulary.consent import Basis

PEOPLE, EVENTS_EACH = 1_000_000, 40
REACH_SECONDS, REACH_ONE = 600.0, 1.0
ROUNDS = 15
LAST_BATCH = 1_000
SURNAMES = "array['Nowak', 'Kowalski', 'Wójcik', 'Kamiński', 'Zieliński']"


def main(options: list[str]) -> list[Result]:
    """The two figures, with people and events as given; `--profile` prints where the time goes."""
    parser = argparse.ArgumentParser(prog="python -m bench analysing")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--events", type=int, default=EVENTS_EACH, help="of each person")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args(options)
    people, events = given.people, given.people * given.events
    with tempfile.TemporaryDirectory(prefix="cegla-bench-") as name, open_workspace(load_settings(environment={"CEGLA_DATA_DIR": name})) as ws:
        ws.clock = lambda: NOW
        began = time.perf_counter()
        ws.__dict__["warehouse"] = warehouse = filled(Path(name), people, given.events)
        _know(ws, people)
        print(f"  {people:,} people with {events:,} events made in {time.perf_counter() - began:.0f} s")
        limit = _grouped_by_hand(warehouse)
        meter = cProfile.Profile() if given.profile else None
        meters = Meters(Path(name))
        with _metered() as steps, meters.of_all():
            seconds, parts = _night(ws, meter)
        _print_steps(steps, people)
        if meter is not None:
            pstats.Stats(meter).sort_stats("tottime").print_stats(45)
        one = _one_person(ws)
    goal = REACH_SECONDS * events / (PEOPLE * EVENTS_EACH)
    note = f"{people:,} people, {events:,} events, {len(ANALYSERS)} analysers in {parts} parts; "
    note += f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MB at most; {meters.said(people)}; "
    note += f"the history grouped once by person in DuckDB: {limit:.1f} s"
    return [
        Result("all analysers over everybody", seconds, "s", f"<= {goal:.0f}", seconds <= goal, note),
        Result("one person's profile after a new event, worst", max(one), "s", f"<= {REACH_ONE}", max(one) <= REACH_ONE,
            f"the analysers of an event and the joined profile; median {sorted(one)[len(one) // 2]:.3f} s of {len(one)}"),
    ]  # fmt: skip


@dataclass
class Meters:
    """Seconds of processor: of this process (Python and DuckDB) and of the PostgreSQL server under `folder`; of it what is done once however many
    people there are: learning from `SAMPLE_PEOPLE` of them, and distributions over `COUNTED_PEOPLE`. A rate of few people that spreads these over them
    says nothing of many."""

    folder: Path
    whole: tuple[float, float] = (0.0, 0.0)
    learning: tuple[float, float] = (0.0, 0.0)
    counting: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def of(self, name: str) -> Generator[None]:
        """Add what is spent within to the meter of this name."""
        before = self._read()
        yield
        spent, so_far = (after - then for after, then in zip(self._read(), before, strict=True)), getattr(self, name)
        setattr(self, name, tuple(one + more for one, more in zip(so_far, spent, strict=True)))

    @contextmanager
    def of_all(self) -> Generator[None]:
        """Meter a run as a whole and its parts that are done once."""
        kept = analysing.learn, profile.runs.summarize

        def metered(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
            def done(*given: Any, **named: Any) -> Any:
                with self.of(name):
                    return work(*given, **named)

            return done

        analysing.learn, profile.runs.summarize = metered("learning", kept[0]), metered("counting", kept[1])
        try:
            with self.of("whole"):
                yield
        finally:
            analysing.learn, profile.runs.summarize = kept

    def said(self, people: int) -> str:
        """What a person costs and what is done once, and what that comes to for a million."""
        own, server = (1e6 * (whole - learning - counting) / people for whole, learning, counting in zip(self.whole, self.learning, self.counting, strict=True))
        once = sum(self.learning) * analysing.SAMPLE_PEOPLE / min(people, analysing.SAMPLE_PEOPLE)
        once += sum(self.counting) * profile.runs.COUNTED_PEOPLE / min(people, profile.runs.COUNTED_PEOPLE)
        told = f"processor: {own:,.0f} µs a person of Python and DuckDB, {server:,.0f} µs of PostgreSQL, and {once:,.0f} s once for a large base"
        return f"{told}; a million take {once + (own + server) * PEOPLE / 1e6:,.0f} s of processor"

    def _read(self) -> tuple[float, float]:
        first = next(self.folder.rglob("postmaster.pid")).read_text().splitlines()[0]
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:  # ended meanwhile
                continue
            if stat.parent.name == first or fields[1] == first:
                ticks += sum(map(int, fields[11 : 15 if stat.parent.name == first else 13]))
        return time.process_time(), ticks / os.sysconf("SC_CLK_TCK")


def _know(ws: Workspace, people: int) -> None:
    """Names, addresses and switches: what PostgreSQL alone holds of them."""
    with ws.transaction() as conn:
        collect.add_source(conn, "bench", "server", Basis.CONTRACT, NOW)
        columns, every = "(identity_id, type, value, holder_id, person_id, first_seen_at, source_id)", f"generate_series(1, {people}) n"
        conn.execute(f"insert into resolve.identities {columns} select n, 'user_id', 'c' || n, 0, n, %s, 1 from {every}", [NOW])
        for step, domain in ((1, "'@wp.pl'"), (2, "'@firma' || n %% 5000 || '.pl'")):
            made = f"select {people} * {step} + n, 'email', 'osoba' || n || {domain}, 0, n, %s::timestamptz - n %% 90 * interval '1 day', 1 from {every}"
            conn.execute(f"insert into resolve.identities {columns} {made} where n %% {step} = 0", [NOW])
        declared = "insert into profile.declared (identity_id, key, value, source_id, declared_at, message_id)"
        said = {"first_name": "'Anna'::text", "last_name": f"({SURNAMES})[1 + n %% 5]", "postcode": "'30-059'::text", "city": "'Kraków'::text"}
        for key, value in said.items():
            conn.execute(f"{declared} select n, %s, to_jsonb({value}), 1, %s, 'm' || n from {every}", [key, NOW])
        for row in ANALYSERS:
            if not row.on_by_default:
                switch = "insert into profile.switches (analyser, is_on, purpose, changed_at, changed_by) values (%s, true, 'profiling', %s, 'bench')"
                conn.execute(switch, [row.key, NOW])
    with ws.pool.connection() as conn:
        conn.autocommit = True
        conn.execute("vacuum analyze")


def _night(ws: Workspace, meter: cProfile.Profile | None) -> tuple[float, int]:
    """Every analyser over everybody, part by part; seconds and parts."""
    worker, parts = profile.runs.Worker(), 0
    with ws.transaction() as conn:
        profile.runs.ask(conn, [row.key for row in ANALYSERS], "bench", NOW, everybody=True)
    began = time.perf_counter()
    while True:
        with ws.transaction() as conn, ws.warehouse.snapshot(LAST_BATCH) as past:
            assert past is not None
            if meter is not None:
                meter.enable()
            run = worker.work(conn, past, LAST_BATCH, analysing.When(NOW, ws.settings.zone))
            if meter is not None:
                meter.disable()
        if run is None:
            return time.perf_counter() - began, parts
        parts += 1
        print(f"  {run.done:,} of {run.people:,} people in {time.perf_counter() - began:.1f} s", flush=True)


@contextmanager
def _metered() -> Generator[dict[tuple[str, str], float]]:
    """Seconds of CPU of the thread that does each (step, analyser) of what happens within: of Python, not of DuckDB or PostgreSQL beside it."""
    steps: dict[tuple[str, str], float] = defaultdict(float)
    places = ((analysing, "found_by"), (analysing, "Findings"), (findings, "keep"), (analysing, "learn"))
    kept = {(where, name): getattr(where, name) for where, name in places}

    def metered(step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*given, **named)
            finally:
                analyser = next((one.key for one in given if isinstance(one, Analyser)), "all")
                steps[step, analyser] += time.thread_time() - began

        return timed

    for (where, name), work in kept.items():
        setattr(where, name, metered(name, work))
    try:
        yield steps
    finally:
        for (where, name), work in kept.items():
            setattr(where, name, work)


def _print_steps(steps: dict[tuple[str, str], float], people: int) -> None:
    """Microseconds of CPU a person, by analyser: reading with its texts, the texts alone, keeping."""
    print(f"  learning, once for all: {steps.get(('learn', 'all'), 0.0):.1f} s; µs of CPU a person:   read  texts  kept")
    for row in ANALYSERS:
        found, texts, keeping = (1e6 * steps.get((step, row.key), 0.0) / people for step in ("found_by", "Findings", "keep"))
        print(f"  {row.key:60}{found:8.0f}{texts:8.0f}{keeping:6.0f}")


def _one_person(ws: Workspace) -> list[float]:
    """Seconds from a new event of a person to what the analysers of an event and the joined profile say."""
    seconds: list[float] = []
    for number in range(1, ROUNDS + 1):
        later = NOW + timedelta(minutes=number)
        began = time.perf_counter()
        with ws.transaction() as conn, ws.warehouse.snapshot(LAST_BATCH) as past:
            assert past is not None
            profile.runs.analyse_touched(conn, past, [number * 7], analysing.When(later.astimezone(UTC), ws.settings.zone))
        seconds.append(time.perf_counter() - began)
    return seconds[2:]  # the first ones write the questions down


def _grouped_by_hand(warehouse: Any) -> float:
    """One pass over the columns that analysers look at most, grouped by person: what any way of doing it must pay."""
    began = time.perf_counter()
    with warehouse._cursor() as cursor:
        cursor.sql(
            "select identity_id, count(*), count(distinct session_id), min(local_at), max(occurred_at), max(page_path), max(properties), max(powiat), "
            "count(distinct local_at::date) from events group by identity_id"
        ).to_arrow_table()
    return time.perf_counter() - began
