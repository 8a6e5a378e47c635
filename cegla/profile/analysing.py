"""Running analysers: one scan of the history for all of them, columns in, findings kept.

    people ─► guards (minors, objections) ─► history of theirs, kept once ─► facts of each analyser ─► read ─► findings
                                                            analysers that join others' traits come last, after every run ◄──┘

Each analyser stands alone: its questions are asked beside the snapshot's transaction and its findings kept in a savepoint. One that fails leaves what
it found before, and the people it failed on are due: a later run looks at them (`runs`).
"""

from collections import deque
from collections.abc import Callable, Collection, Generator, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb
from typing import Any, cast

import ibis.expr.types as ir
import numpy as np
import psycopg
import pyarrow as pa
import structlog

from cegla.profile import findings
from cegla.profile.catalogue import ANALYSERS
from cegla.profile.rules import guards
from cegla.profile.rules.analysis import Analyser, Facts, Found, Params, Schedule
from cegla.profile.rules.computed import OPEN_TO_OBJECTION
from cegla.profile.rules.finding import Findings
from cegla.profile.rules.guards import Seen
from cegla.profile.store import SQL
from cegla.resolve import actions as resolve
from cegla.storage.arrays import numbers
from cegla.storage.cycles import no_search_for_cycles
from cegla.storage.dividing import fitting, parts
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.installation import DiskFull, WarehouseDamaged
from cegla.weather import actions as weather

LOG = structlog.get_logger("profile")
PEOPLE_AT_A_TIME = 20_000  #: whose history is kept in memory at once, unless it is long: then fewer (see `parts`)
SAMPLE_PEOPLE = 50_000  #: of whom analysers learn, as far as they
SAMPLE_ROWS = 1_000_000  #: did no more than this together; then of fewer
ADULT_YEARS = 16  #: nothing is inferred of people known to be younger
SITE = "site.pages"  #: the input that is of no person
QUESTIONS_AHEAD, READINGS_AHEAD = 4, 5  #: analysers whose facts, or findings, may wait in memory
FEW_PEOPLE = 2_000  #: up to here shared devices are looked up by person
EVERY_NUMBER = (0, 2**62)  #: a range (after, upto] with every person in it
OF_THE_STORE = (DiskFull, WarehouseDamaged, psycopg.OperationalError)  #: failures that are nobody's analyser's
Told = dict[str, dict[int, Any]]
Answer = Future[pa.Table]
Task = tuple[Analyser, Sequence[int], tuple[Params, datetime, "Devices", Told]]  #: of whom an analyser reads, and with what


@dataclass(frozen=True)
class When:
    """The moment of a run, the shop's time zone, the controller's own words for what may not be known, who objected to profiling, and the pages of
    the own site by path, as its crawler found them."""

    now: datetime
    zone: tzinfo
    blocked: tuple[str, ...] = ()
    objecting: frozenset[int] = field(default_factory=frozenset[int])
    weather: Callable[[], pa.Table] = weather.unknown  #: asked when an analyser wants it
    site: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)


@dataclass(frozen=True)
class LeftOut:
    """Of whom nothing may be found: nothing at all, or nothing that serves profiling or marketing."""

    minors: frozenset[int] = frozenset()
    objecting: frozenset[int] = frozenset()

    def of(self, purpose: str) -> frozenset[int]:
        """Whom an analyser with this purpose does not look at."""
        return self.minors | self.objecting if purpose in OPEN_TO_OBJECTION else self.minors


@dataclass(frozen=True)
class Devices:
    """Devices that several people share: (identity, sharers), and the people."""

    identities: tuple[tuple[int, int], ...] = ()
    people: frozenset[int] = field(default_factory=frozenset[int])


@dataclass(frozen=True)
class Looked:
    """What a look at people came to: how many they were, and the analysers that failed."""

    people: int
    failed: tuple[str, ...] = ()


def running(conn: Connection, schedule: Schedule | None = None) -> list[tuple[Analyser, str]]:
    """The analysers that are on, of a schedule or of all, each with the purpose it runs for."""
    stand = findings.switches(conn)
    return [(row, stand[row.key].purpose) for row in ANALYSERS if stand[row.key].is_on and schedule in (None, row.schedule)]


def analyse(
    conn: Connection, past: Readable, people: Sequence[int], chosen: Sequence[tuple[Analyser, str]], when: When, between: tuple[int, int] | None = None
) -> Looked:
    """Find anew what these analysers know of some people, and keep it.

    Whoever shares a device with one of them is looked at too, for what is known of both changes. With `between`, the people are
    everybody there is in a range of numbers (after, upto], and what was found of others in it is forgotten. Analysers that join what
    others found come after them, whether they are among the chosen or not. An analyser that fails leaves the others alone.
    """
    chosen = with_joining(conn, chosen)
    rows = [row for row, _ in chosen]
    devices = devices_of(conn, people)
    wanted = list(people) if between else sorted({*people, *devices.people})
    left_out = LeftOut(minors(conn, when.now), when.objecting)
    known = findings.learnt(conn, [row.key for row in rows])
    joined = {key for row in rows for key in row.joins}
    failed: set[str] = set()
    for some in [wanted] if between else [part.tolist() for part in parts(past, wanted, PEOPLE_AT_A_TIME)]:
        told = told_by(conn, some, rows) | {SITE: cast("dict[Any, Any]", when.site)}
        asked = between or some

        def task(row: Analyser, purpose: str, some: Sequence[int] = some, told: Told = told) -> Task:
            if missing := [key for key in row.joins if f"trait.{key}" not in told]:
                told |= {f"trait.{key}": found for key, found in findings.known_of(conn, some, missing).items()}
            out = left_out.of(purpose)
            return row, [person for person in some if person not in out], (known[row.key].given, when.now, devices, told)

        with seen_of(past, some, rows, when, devices) as seen, no_search_for_cycles(), read_ahead(past.aside, seen, chosen, task, joined) as readings:
            for row, purpose, reading in readings:
                with alone(conn, row, asked, when.now) as failures:
                    found = reading.result()
                    findings.keep(conn, row, found.texts, asked, (known[row.key].version, purpose, when.now))
                failed.update(failures)
    return Looked(len(wanted), tuple(sorted(failed)))


@contextmanager
def alone(conn: Connection, analyser: Analyser, asked: Sequence[int] | tuple[int, int], now: datetime) -> Generator[list[str]]:
    """What is done here by one analyser fails alone: its part of the transaction is taken back, and the people asked about stay due to it.

    Gives a list that holds the analyser's key when it failed. The log names the kind of error and the line it came from; its own words may name a person.
    Raises what is the store's failure and not the analyser's.
    """
    failed: list[str] = []
    try:
        with conn.transaction():
            yield failed
    except OF_THE_STORE:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the other analysers go on
        failed.append(analyser.key)
        ours = [f"{Path(frame.filename).stem}:{frame.lineno}" for frame in extract_tb(error.__traceback__) if "cegla" in Path(frame.filename).parts]
        why = (type(error).__name__, ours[-1] if ours else "")
        LOG.error("an analyser failed; what it found before stays, and it is tried again", analyser=analyser.key, error=why[0], line=why[1])
        findings.note_failure(conn, analyser.key, why, asked, now)


def with_joining(conn: Connection, chosen: Sequence[tuple[Analyser, str]]) -> list[tuple[Analyser, str]]:
    """These analysers and, behind them, those that are on and join what others found."""
    rows = {row.key for row, _ in chosen}
    return [*chosen, *((row, purpose) for row, purpose in running(conn) if row.joins and row.key not in rows)]


def found_by(
    past: Readable, seen: Seen, analyser: Analyser, people: Sequence[int], context: tuple[Params, datetime, Devices, Told], answer: Answer | None = None
) -> Findings:
    """What one analyser finds of people whose history is kept; nothing is stored. `answer` is there when its question was asked already."""
    params, now, devices, told = context
    table = answer.result() if answer else _answer(past, seen, analyser.facts)
    some = _with_facts(analyser, people, table, told)
    facts = Facts(some, table, _told_columns(analyser, some, told))
    shared = np.isin(facts.people, list(devices.people))
    nothing = {trait.key: Found([], [], []) for trait in analyser.traits}
    return Findings(analyser, facts, analyser.read(facts, params, now) if some else nothing, shared)


def _with_facts(analyser: Analyser, people: Sequence[int], table: pa.Table, told: Told) -> list[int]:
    """Those of the people, ascending, of whom there is any fact: of the others nothing is found, so an analyser of calls costs a shop without calls nothing."""
    known = set(table["person_id"].to_pylist()).union(*(told[name] for name in analyser.inputs if name in told and name != SITE))
    return sorted(known.intersection(people))


def facts_of(past: Readable, seen: Seen, ask: Callable[[Seen], Any], people: Sequence[int], told: Mapping[str, Any] | None = None) -> Facts:
    """The facts that a question gives about people whose history is kept."""
    return Facts(sorted(people), _answer(past, seen, ask), told)


def _answer(past: Readable, seen: Seen, ask: Callable[[Seen], Any]) -> pa.Table:
    return past.run(_question(ask, *(cast(Hashable, table.op()) for table in (seen.events, seen.lines, seen.weather))))


@contextmanager
def read_ahead(
    past: Readable, seen: Seen, chosen: Sequence[tuple[Analyser, str]], task: Callable[[Analyser, str], Task], joined: Collection[str] = ()
) -> Generator[Iterator[tuple[Analyser, str, Future[Findings]]]]:
    """What each analyser finds, in their order: while one is kept, others read beside, and DuckDB works on the questions of those after them. Each of
    the three is some analysers ahead of the next, so that none waits while another has a long one.

    One that joins what others found begins when all before it have read, though not all are kept; `task` is asked then.
    """
    with ThreadPoolExecutor(1, "questions") as questions, ThreadPoolExecutor(1, "analysers") as analysers:
        answers: deque[Answer] = deque()

        def read(row: Analyser, people: Sequence[int], context: tuple[Params, datetime, Devices, Told], answer: Answer) -> Findings:
            found = found_by(past, seen, row, people, context, answer)
            context[-1].update({f"trait.{trait.key}": found.known(trait.key) for trait in row.traits if trait.key in joined})
            return found

        def readings() -> Iterator[tuple[Analyser, str, Future[Findings]]]:
            coming: deque[tuple[Analyser, str, Future[Findings]]] = deque()
            asked = 0
            for place, (row, purpose) in enumerate(chosen):
                ahead = chosen[asked : place + 1 + QUESTIONS_AHEAD]
                answers.extend(questions.submit(_answer, past, seen, after.facts) for after, _ in ahead)
                asked += len(ahead)
                while len(coming) > READINGS_AHEAD or (row.joins and coming and not coming[-1][2].done()):
                    yield coming.popleft()
                coming.append((row, purpose, analysers.submit(read, *task(row, purpose), answers.popleft())))
            yield from coming

        yield readings()


@contextmanager
def seen_of(past: Readable, people: Sequence[int], analysers: Sequence[Analyser], when: When, devices: Devices) -> Generator[Seen]:
    """The history of some people as these analysers may see it, read once and kept while the block lasts."""
    inputs = tuple(sorted({name for row in analysers for name in row.inputs}))
    with ExitStack() as stack:
        asked = stack.enter_context(past.people(people))
        moment = stack.enter_context(past.keep(guards.moment_row(when.now, when.zone)))
        sharing = stack.enter_context(past.keep(guards.sharing_rows(devices.identities)))
        tables = tuple(cast(Hashable, table.op()) for table in (asked, moment, sharing))
        events = stack.enter_context(past.aside.keep(_read(past, _events(tables, inputs), when.blocked)))
        lines = stack.enter_context(past.aside.keep(_read_lines(past, asked, events, inputs, when.blocked)))
        skies = when.weather() if any(name.startswith("weather.") for name in inputs) else weather.unknown()
        yield Seen(events, lines, stack.enter_context(past.aside.keep(skies)))


def _read(past: Readable, events: ir.Table, blocked: tuple[str, ...]) -> pa.Table:
    read = past.run(events)
    with past.aside.keep(guards.telling_texts(read)) as texts:
        return guards.veiled(read, past.aside.run(guards.blocked_of(texts, blocked)))


def _read_lines(past: Readable, asked: ir.Table, events: ir.Table, inputs: tuple[str, ...], blocked: tuple[str, ...]) -> pa.Table:
    """The order lines of the kept `events`. They meet aside: what a snapshot itself keeps takes memory until it ends, and there may be many parts of people."""
    lines = history("order_lines", asked, guards.columns_of_lines(inputs))
    if not any(name.startswith("line.") for name in inputs):
        return guards.seen_lines(lines, events, inputs).schema().to_pyarrow().empty_table()
    with past.aside.keep(past.run(lines)) as kept:
        told = past.aside.run(_lines(cast(Hashable, kept.op()), cast(Hashable, events.op()), inputs))
    if "category" not in told.column_names:
        return told
    with past.aside.keep(guards.telling_names(told)) as texts:
        return guards.veiled_lines(told, past.aside.run(guards.blocked_of(texts, blocked)))


def learn(conn: Connection, past: Readable, chosen: Sequence[tuple[Analyser, str]], when: When) -> dict[str, int]:
    """Have analysers learn from a sample of the own base, whose history is read once for all of them; returns the version of what each knows now.
    One that cannot goes on with what it knew, and everybody is due to it."""
    learning = [(row, purpose, row.fit) for row, purpose in chosen if row.fit is not None]
    if not learning:
        return {}
    out = LeftOut(minors(conn, when.now), when.objecting)
    sample = fitting(past, sampled([person for person in everybody(past) if person not in out.minors]), SAMPLE_ROWS)
    versions: dict[str, int] = {}
    with seen_of(past, sample, [row for row, _, _ in learning], when, Devices()) as seen:
        for row, purpose, fit in learning:
            people = [person for person in sample if person not in out.of(purpose)]
            with alone(conn, row, EVERY_NUMBER, when.now):
                known = fit.learn(facts_of(past.aside, seen, fit.learn_from, people, {SITE: when.site}), when.now)
                versions[row.key] = findings.keep_learnt(conn, row.key, known, len(people), when.now)
    return versions


def sampled(people: Sequence[int], most: int = SAMPLE_PEOPLE) -> list[int]:
    """The same people every time, whoever else there is: those whose mixed number is smallest, in the order of that."""
    numbers = np.asarray(people, np.uint64)
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15)
    return numbers[np.argsort(mixed ^ (mixed >> np.uint64(32)))[:most]].tolist()


def everybody(past: Readable, after: int = 0, upto: int | None = None) -> list[int]:
    """Everybody in the history but robots, by number, of a range of numbers (after, upto]."""
    events: Any = history()
    found = events.filter(~events.is_bot.fill_null(False)).select("person_id").distinct()
    people = np.sort(past.run(found)["person_id"].to_numpy())
    return people[(people > after) & (people <= (upto if upto is not None else people.max(initial=0)))].tolist()


def devices_of(conn: Connection, people: Sequence[int] | None) -> Devices:
    """The devices that several people share, of everybody or of some people and whoever shares with them."""
    asked = people if people is not None and len(people) <= FEW_PEOPLE else None
    rows = resolve.links.shared_devices(conn, asked)
    if people is not None and asked is None:
        mine = set(people)
        touched = {identity for identity, person, _ in rows if person in mine}
        rows = [row for row in rows if row[0] in touched]
    return Devices(tuple(sorted((identity, sharers) for identity, _, sharers in rows)), frozenset(person for _, person, _ in rows))


def minors(conn: Connection, now: datetime) -> frozenset[int]:
    """People known to be under 16, by a declared birthday, year of birth or age, however it is written."""
    born_after = (now - timedelta(days=round(ADULT_YEARS * 365.25))).strftime("%Y-%m-%d")
    identities = [identity for (identity,) in SQL.find_minors(conn, born_after=born_after, ages=[str(age) for age in range(ADULT_YEARS)])]
    return frozenset(resolve.reach.owners(conn, identities).values())


def told_by(conn: Connection, people: Sequence[int], analysers: Sequence[Analyser]) -> Told:
    """What PostgreSQL alone holds on these people, for analysers that ask: input → person → the declared value that holds, all identifiers of
    a kind, or with their numbers and the time they were first seen (identity id, value, UTC)."""
    asked = {name for row in analysers for name in row.inputs if name.startswith(("declared.", "identifier.", "identity."))}
    if not asked or not people:
        return {}
    columns: dict[str, dict[int, Any]] = {name: {} for name in asked}
    owner: dict[int, int] = {}
    for person, identity, kind, value, first_seen_at, is_released in resolve.reach.holdings(conn, people):
        owner[identity] = person
        if is_released:
            continue  # an address that is somebody else's today says nothing of this person, and nobody is to write to it
        if (name := f"identifier.{kind}") in asked:
            columns[name].setdefault(person, []).append(value)
        if (name := f"identity.{kind}") in asked:
            columns[name].setdefault(person, []).append((identity, value, first_seen_at))
    keys = [name.removeprefix("declared.") for name in asked if name.startswith("declared.")]
    for identity, key, value in SQL.find_declared_of_keys(conn, ids=numbers(owner), keys=keys) if keys else ():
        columns[f"declared.{key}"][owner[identity]] = value
    return columns


def _told_columns(analyser: Analyser, people: Sequence[int], told: Told) -> dict[str, Any]:
    columns = {name: [told[name].get(person) for person in people] for name in analyser.inputs if name in told and name != SITE}
    return columns | ({SITE: told[SITE]} if SITE in analyser.inputs and SITE in told else {})


@lru_cache(maxsize=256)
def _question(ask: Callable[[Seen], Any], events: Any, lines: Any, skies: Any) -> ir.Table:
    """Writing an expression takes longer than many an answer, so it is written once for each kept table."""
    return ask(Seen(events.to_expr(), lines.to_expr(), skies.to_expr())).order_by("person_id")


@lru_cache(maxsize=64)
def _events(tables: tuple[Any, ...], inputs: tuple[str, ...]) -> ir.Table:
    asked, moment, sharing = (table.to_expr() for table in tables)
    return guards.seen_events(history("events", asked), moment, sharing, inputs)


@lru_cache(maxsize=64)
def _lines(lines: Any, events: Any, inputs: tuple[str, ...]) -> ir.Table:
    return guards.seen_lines(lines.to_expr(), events.to_expr(), inputs)
