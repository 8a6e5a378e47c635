"""Runs of analysers over everybody, or over the people there is news of: asked for, done in parts, and summed up.

    asked (by the clock, a command, a switch) ──► the oldest one, PEOPLE_AT_A_TIME a transaction ──► finished ──► summaries

A run names its analysers with their versions ("os@1"), so that a method that changed counts as one that never ran.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from cegla.govern import actions as govern
from cegla.profile import analysing, findings
from cegla.profile.analysing import PEOPLE_AT_A_TIME, When
from cegla.profile.catalogue import ANALYSERS, BY_KEY, TRAITS
from cegla.profile.findings import LAST_NUMBER, Failing, Learnt, Switch
from cegla.profile.rules.analysis import AnalysedTrait, Analyser
from cegla.profile.rules.computed import OPEN_TO_OBJECTION
from cegla.profile.store import SQL, as_stored
from cegla.storage.dividing import parts
from cegla.storage.warehouse import Readable, Snapshot
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import AnalyserPurposeMissing
from cegla.vocabulary.text import Text
from cegla.weather import actions as weather

EVERY_MINUTE, EVERY_HOUR = timedelta(minutes=1), timedelta(hours=1)
SHARE_OF_TIME = 60  #: a round that took a second is repeated after a minute, so that a young shop sees what is known of its people at once
KEEP_RUNS = timedelta(days=30)
MOST_VALUES, STEPS = 50, 20
COUNTED_PEOPLE = 20_000  #: of so many distributions are counted: a share is within 0.7 points then, and a million would take longer than its analysers
_NUMBER = r"-?\d{1,15}(?:\.\d{1,15})?(?:e[-+]?\d{1,2})?"
_BOUNDS = re.compile(rf"({_NUMBER})\.\.({_NUMBER})")
BY_THE_CLOCK = "clock"


@dataclass(frozen=True)
class Run:
    """One run and how far it is. `analysers` are named with their version; times are UTC, `seconds` those it worked."""

    id: int
    analysers: tuple[str, ...]
    everybody: bool
    after_batch: int
    upto_batch: int | None
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    people: int
    done: int
    last_person: int
    seconds: float
    failed: str | None  #: the analysers that failed in it
    due_upto: int = 0  #: the newest failure it knew of when it began


@dataclass(frozen=True)
class LastRun:
    """What an analyser did last: up to which batch it knows everything, when it was asked, when it ended, and whether it waits or works now."""

    upto_batch: int | None
    asked_at: datetime
    finished_at: datetime | None
    is_waiting: bool
    people: int | None
    seconds: float | None


@dataclass(frozen=True)
class Summary:
    """What a trait looks like over all people: how many were looked at and known, in each tenth of confidence, and its values or steps.

    `values` are (value, people), the most frequent first; `steps` (low, high, people) of numbers. Of a large base people are estimated from a `sample`
    of so many; None: everybody was counted.
    """

    people: int
    known: int
    confidence: tuple[int, ...]
    values: tuple[tuple[str, int], ...]
    steps: tuple[tuple[float, float, int], ...]
    computed_at: datetime
    sample: int | None = None

    @property
    def mean_confidence(self) -> float:
        """Of those known, by the middle of each tenth."""
        return sum((tenth + 0.5) / 10 * people for tenth, people in enumerate(self.confidence)) / self.known if self.known else 0.0


def analyse_touched(conn: Connection, past: Readable, people: Sequence[int], when: When, *, hurried: bool = False) -> int:
    """Right after a batch: what the analysers that run on events find of the people touched; what must not be known of them any more goes.

    In a hurry nothing is found, but what must go goes all the same: of children all of it, of who objected what serves profiling or marketing.
    """
    if not people:
        return 0
    on = analysing.running(conn)
    if children := sorted(analysing.minors(conn, when.now).intersection(people)):
        SQL.drop_findings(conn, ids=children)
    profiling = [row.key for row, purpose in on if purpose in OPEN_TO_OBJECTION]
    if profiling and (objecting := sorted(when.objecting.intersection(people))):
        SQL.drop_findings_of(conn, people=objecting, analysers=profiling)
    chosen = [] if hurried else [(row, purpose) for row, purpose in on if row.schedule == "on_event"]
    return analysing.analyse(conn, past, people, chosen, when).people if chosen else 0


def look_again(conn: Connection, people: Sequence[int]) -> None:
    """Have the next runs look at people whose findings were dropped although they live on."""
    SQL.wait_for_run(conn, people=list(people))


@dataclass(frozen=True)
class Standing:
    """An analyser as it stands: its row, whether it is on and why, its last run, what it learnt, and what its traits look like."""

    analyser: Analyser
    switch: Switch
    last: LastRun | None
    learnt: Learnt
    summaries: dict[str, Summary]
    failing: Failing | None = None

    @property
    def people(self) -> int:
        """Of how many people there was any evidence when it ran last."""
        return max((one.people for one in self.summaries.values()), default=0)

    @property
    def known(self) -> int:
        """Of how many people the best known of its traits is known."""
        return max((one.known for one in self.summaries.values()), default=0)


def ask(conn: Connection, keys: Sequence[str], actor: str, now: datetime, *, everybody: bool) -> list[Run]:
    """Ask for runs of analysers that are on; those that never ran look at everybody. Returns the runs, none when nothing is on."""
    on = [row for row, _ in analysing.running(conn) if row.key in keys]
    last = last_runs(conn)
    fresh = [row for row in on if (found := last.get(row.key)) is None or found.upto_batch is None]
    whole = [row for row in on if everybody or row in fresh]
    touched = [row for row in on if row not in whole]
    numbers = [_ask(conn, whole, 0, actor, now)] if whole else []
    if touched:
        numbers.append(_ask(conn, touched, min(last[row.key].upto_batch or 0 for row in touched), actor, now))
    return [run_of(conn, number) for number in numbers]


def ask_due(conn: Connection, now: datetime) -> int:
    """Ask for what the clock asks for: the rounds of the hour, and everybody for analysers that are new or saw nobody yet, and whom an
    analyser failed on once more; returns how many runs were asked."""
    last = last_runs(conn)
    on = [row for row, _ in analysing.running(conn)]
    due = {row.key for row in on if row.key not in last or _is_due(row, last[row.key], now)}
    again = {key: one for key, one in findings.failing(conn).items() if one.is_due and one.retry_at <= now and not (key in last and last[key].is_waiting)}
    everybody = sorted(key for key, one in again.items() if one.is_everybody_due)
    some = sorted({*due, *again}.difference(everybody))
    asked = ask(conn, everybody, BY_THE_CLOCK, now, everybody=True) if everybody else []
    asked += ask(conn, some, BY_THE_CLOCK, now, everybody=False) if some else []
    return len(asked)


def _is_due(row: Analyser, last: LastRun, now: datetime) -> bool:
    """Whether it is time again. Short rounds come sooner: each takes a sixtieth of the time at most, none is later than an hour."""
    if last.is_waiting or (row.schedule != "hourly" and last.people):
        return False
    pause = timedelta(seconds=(last.seconds or 0.0) * SHARE_OF_TIME) if last.people else EVERY_MINUTE
    return now - last.asked_at >= min(max(pause, EVERY_MINUTE), EVERY_HOUR)


def ask_nightly(conn: Connection, now: datetime) -> int:
    """Ask for the night's rounds: everybody where time alone or something learnt changes traits, else the people there is news of."""
    on = [row for row, _ in analysing.running(conn)]
    whole = [row.key for row in on if row.ages or row.fit is not None]
    touched = [row.key for row in on if row.key not in whole and row.schedule == "nightly"]
    asked = ask(conn, whole, BY_THE_CLOCK, now, everybody=True) if whole else []
    asked += ask(conn, touched, BY_THE_CLOCK, now, everybody=False) if touched else []
    SQL.forget_runs(conn, before=now - KEEP_RUNS)
    return len(asked)


def next_run(conn: Connection) -> Run | None:
    """The oldest run that is not finished."""
    return next((_run(row) for row in SQL.next_run(conn)), None)


def run_of(conn: Connection, number: int) -> Run:
    """One run. Raises NotFound."""
    for row in SQL.find_runs(conn, run=number, limit=1):
        return _run(row)
    raise NotFound(where="run", seen=number, thing=Text(f"przebieg {number}", f"run {number}"))


def newest(conn: Connection, limit: int = 20) -> list[Run]:
    """The newest runs first."""
    return [_run(row) for row in SQL.find_runs(conn, run=None, limit=limit)]


def last_runs(conn: Connection) -> dict[str, LastRun]:
    """What each analyser did last, in its present version; those that were never asked to are left out."""
    found = {name: LastRun(*rest) for name, *rest in SQL.last_runs(conn)}
    return {row.key: found[row.method_version] for row in ANALYSERS if row.method_version in found}


class Worker:
    """Does runs part by part. It remembers whom the run at work is about, so that everybody is looked up once."""

    def __init__(self) -> None:
        self._number = 0
        self._people: list[int] = []
        self._weather = weather.Memory()

    def work(self, conn: Connection, past: Snapshot, batch: int, when: When) -> Run | None:
        """The next part of the oldest run, in the caller's transaction, which alone rewrites traits; None when there is no run.

        `batch` is the last committed one, `past` the history as it left it. A run that starts first has its analysers learn.
        """
        run = next_run(conn)
        if run is None:
            return None
        began = time.perf_counter()
        when = replace(when, weather=lambda: self._weather.hours(conn, when.now))
        chosen = [(row, purpose) for row, purpose in analysing.running(conn) if row.method_version in run.analysers]
        if run.started_at is None:
            run = replace(run, started_at=when.now, upto_batch=batch, due_upto=SQL.newest_due(conn))
            if run.everybody:
                analysing.learn(conn, past, chosen, when)
        if self._number != run.id:
            self._number, self._people = run.id, self._whom(conn, past, run)
        rest = [person for person in self._people if person > run.last_person]
        some = next((part.tolist() for part in parts(past, rest[:PEOPLE_AT_A_TIME], PEOPLE_AT_A_TIME)), [])
        is_last = len(some) == len(rest)
        upto = LAST_NUMBER if is_last else some[-1]
        if chosen:
            looked = analysing.analyse(conn, past, some, chosen, when, between=(run.last_person, upto) if run.everybody else None)
            run = replace(run, failed=", ".join(sorted({*looked.failed, *(run.failed or "").split(", ")} - {""})) or None)
        run = replace(run, people=len(self._people), done=run.done + len(some), last_person=upto, finished_at=when.now if is_last else None)
        if is_last:
            done = [row.key for row, _ in chosen]
            SQL.drop_due_of_run(conn, analysers=done, upto=run.due_upto)
            SQL.note_recovery(conn, analysers=done)
            for row in [row for row, _ in analysing.running(conn) if row.schedule == "on_event" or row.method_version in run.analysers]:
                summarize(conn, row, when.now)
            if run.everybody and len(chosen) == len(analysing.running(conn)):
                SQL.empty_waiting(conn)
            self._number, self._people = 0, []
        SQL.note_run(conn, run=run.id, upto=run.upto_batch, due_upto=run.due_upto, failed=run.failed, started_at=run.started_at,
            finished_at=run.finished_at, people=run.people, done=run.done, last_person=run.last_person, seconds=time.perf_counter() - began)  # fmt: skip
        return run

    def _whom(self, conn: Connection, past: Snapshot, run: Run) -> list[int]:
        if run.everybody:
            return analysing.everybody(past)
        waiting = [person for (person,) in SQL.find_waiting(conn)]
        ranges = list(SQL.find_due(conn, analysers=[name.partition("@")[0] for name in run.analysers], upto=run.due_upto))
        due = within(analysing.everybody(past), ranges) if ranges else []
        return sorted({*past.people_since(run.after_batch), *past.people_moved_since(run.after_batch), *waiting, *due})


def within(people: Sequence[int], ranges: Sequence[tuple[int, int]]) -> list[int]:
    """Those of these people who lie in any of the ranges (after, upto]: more ranges began before them than ended."""
    afters, uptos = (np.sort(np.asarray(bounds, np.int64)) for bounds in zip(*ranges, strict=True))
    numbers = np.asarray(people, np.int64)
    return numbers[np.searchsorted(afters, numbers) > np.searchsorted(uptos, numbers)].tolist()


def summarize(conn: Connection, analyser: Analyser, now: datetime) -> None:
    """Count what an analyser found over all people, for the console; of a large base over a sample, whose counts are scaled."""
    people = SQL.count_findings(conn, analyser=analyser.key)
    SQL.make_sampled_traits(conn)
    SQL.empty_sampled_traits(conn)
    counted = SQL.sample_findings(conn, analyser=analyser.key, share=COUNTED_PEOPLE / people if people else 1.0)
    times = people / counted if counted else 1.0
    for trait in analyser.traits:
        tenths = dict(SQL.count_confidence(conn, trait=trait.key))
        known = [round(tenths.get(tenth, 0) * times) for tenth in range(10)]
        summary = {"people": round(sum(tenths.values()) * times), "known": sum(known), "confidence": known, "sample": counted if counted < people else None}
        summary["values"] = [[value, round(many * times)] for value, many in _values(conn, trait)]
        summary["steps"] = [[low, high, round(many * times)] for low, high, many in _steps(conn, trait)]
        SQL.keep_summary(conn, analyser=analyser.key, trait=trait.key, summary=as_stored(summary), now=now)


def summaries(conn: Connection) -> dict[str, Summary]:
    """What each trait looked like over all people when its analyser last ran, by the trait's key."""
    return {
        trait: Summary(
            found["people"], found["known"], tuple(found["confidence"]), tuple((value, people) for value, people in found["values"]),
            tuple((low, high, people) for low, high, people in found["steps"]), at, found.get("sample"),
        )
        for trait, found, at in SQL.find_summaries(conn)
    }  # fmt: skip


def people_with(conn: Connection, key: str, value: str, after: int = 0, limit: int = 50) -> list[tuple[int, float]]:
    """(person, confidence) of people of whom a trait has a value, ascending, only those after a person.

    Of lists the value is a part, of records the name of one,
    of shares the first name, of moments a month (2026-11), of numbers two of them: "10..20", both included. Raises NotFound.
    """
    analyser, row = trait_of(key)
    where = {"analyser": analyser.key, "trait": row.key, "after": after, "limit": limit}
    if bounds := _BOUNDS.fullmatch(value):
        return list(SQL.people_between(conn, low=float(bounds[1]), high=float(bounds[2]), **where))
    return list(SQL.people_with(conn, value=value, month=row.value_type == "moment", part=row.named_by, **where))


def usual_week(conn: Connection) -> list[float] | None:
    """How activity lies over the 168 hours of the week in the whole base, as `rhythm` learnt it; None before its first night."""
    return findings.learnt(conn, ["rhythm"])["rhythm"].given.get("usual")


def overview(conn: Connection) -> list[Standing]:
    """How every analyser stands, in the order of the table."""
    stand, last, seen = findings.switches(conn), last_runs(conn), summaries(conn)
    known, failing = findings.learnt(conn, [row.key for row in ANALYSERS]), findings.failing(conn)
    return [
        Standing(
            row, stand[row.key], last.get(row.key), known[row.key], {trait.key: seen[trait.key] for trait in row.traits if trait.key in seen},
            failing.get(row.key),
        )
        for row in ANALYSERS
    ]  # fmt: skip


def row_of(key: str) -> Analyser:
    """The row of an analyser. Raises NotFound."""
    if key not in BY_KEY:
        raise NotFound(where="analyser", seen=key, thing=Text(f"analizator {key}", f"analyser {key}"))
    return BY_KEY[key]


def trait_of(key: str) -> tuple[Analyser, AnalysedTrait]:
    """A trait and its analyser. Raises NotFound."""
    if key not in TRAITS:
        raise NotFound(where="trait", seen=key, thing=Text(f"cecha {key}", f"trait {key}"))
    return TRAITS[key]


def switch(conn: Connection, key: str, is_on: bool, purpose: str, actor: str, now: datetime) -> None:
    """Turn an analyser on for a purpose, which asks for a run over everybody, or off, which removes everything it found and learnt.

    What joins its traits is found anew. An empty purpose is that of its row; sensitive inferences want theirs said. The audit log remembers. Raises NotFound,
    AnalyserPurposeMissing.
    """
    row = row_of(key)
    purposes = govern.register.purposes(conn)
    if is_on and ((not purpose and not row.on_by_default) or (purpose and purpose not in purposes)):
        raise AnalyserPurposeMissing(where="purpose", seen=purpose, analyser=key, purposes=", ".join(purposes))
    SQL.keep_switch(conn, analyser=key, is_on=is_on, purpose=purpose or row.purpose, actor=actor, now=now)
    govern.note(conn, actor, "analyser.on" if is_on else "analyser.off", key, {"purpose": purpose or row.purpose, "legal_class": row.legal_class}, now)
    if is_on:
        ask(conn, [key], actor, now, everybody=True)
        return
    for forget in (SQL.drop_analyser, SQL.drop_parameters, SQL.drop_summaries, SQL.drop_due_of_analyser):
        forget(conn, analyser=key)
    gone = {trait.key for trait in row.traits}
    if joining := [other.key for other in ANALYSERS if gone.intersection(other.joins)]:
        ask(conn, joining, actor, now, everybody=True)


def _ask(conn: Connection, rows: Sequence[Analyser], after: int, actor: str, now: datetime) -> int:
    number = SQL.ask_run(conn, analysers=[row.method_version for row in rows], everybody=not after, after=after, actor=actor, now=now)
    return number[0] if isinstance(number, tuple) else number


def _values(conn: Connection, trait: AnalysedTrait) -> list[Any]:
    """The most frequent values among the sampled findings, where there are such."""
    words = SQL.count_words
    ways: dict[str, Any] = {"word": words, "flag": words, "hour": words, "list": SQL.count_elements, "shares": SQL.count_keys, "moment": SQL.count_moments}
    if trait.named_by:
        return list(SQL.count_records(conn, trait=trait.key, part=trait.named_by, most=MOST_VALUES))
    return list(ways[trait.value_type](conn, trait=trait.key, most=MOST_VALUES)) if trait.value_type in ways else []


def _steps(conn: Connection, trait: AnalysedTrait) -> list[Any]:
    return list(SQL.count_numbers(conn, trait=trait.key, steps=STEPS)) if trait.value_type in ("number", "score", "share") else []


def _run(row: Sequence[Any]) -> Run:
    number, analysers, *rest = row
    return Run(number, tuple(analysers), *rest)
