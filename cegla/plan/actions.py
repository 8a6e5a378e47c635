"""The door to tracking plans: read, check and apply them, match what arrives, and see what arrives. Times are UTC; `conn` is the caller's transaction.

A plan belongs to a source. Every version is kept; one holds. Events of a source without a plan, and our own messages' events,
pass untouched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from cegla.collect import actions as collect
from cegla.plan import observation, reading, store
from cegla.plan.reading import Problem
from cegla.plan.rules import matching, observing
from cegla.plan.rules.differences import Difference, differences, first_differences
from cegla.plan.rules.form import EMPTY, Plan, PlannedEvent, Words
from cegla.plan.rules.form import MODES as MODES
from cegla.plan.rules.form import PERSONAL as PERSONAL
from cegla.plan.rules.observing import Observed
from cegla.plan.rules.personal import shown
from cegla.plan.rules.schemas import to_schema
from cegla.plan.rules.validator import VIOLATIONS as VIOLATIONS
from cegla.plan.rules.validator import Ready, Violation, compiled, violations
from cegla.storage.identifier_rules import current_rules
from cegla.storage.warehouse import Readable
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.intake import PlanChanged, PlanInvalid, PlanNotPossible
from cegla.vocabulary.events import REASONS, Event, Reason, SetAside
from cegla.vocabulary.identifiers import Borne

KEEP_DAYS = 90
SAMPLED_REQUESTS = 5_000
SAMPLES = 3
CHECKED = datetime(2026, 1, 1, tzinfo=UTC)  # the time of receipt of events that are only checked


class Plans:
    """The plans that hold, compiled once a version. One for each intake; not safe for two threads at once."""

    def __init__(self) -> None:
        self._versions: dict[int, int] = {}
        self._ready: dict[int, Ready] = {}

    def holding(self, conn: Connection) -> Mapping[int, Ready]:
        """By source: the plan that holds now."""
        active: dict[int, int] = dict(store.SQL.active(conn))
        if active != self._versions:
            for source_id, version in active.items():
                if self._versions.get(source_id) != version:
                    self._ready[source_id] = compiled(store.plan_of(conn, source_id, version))
            self._ready = {source_id: self._ready[source_id] for source_id in active}
            self._versions = active
        return self._ready

    def refusals(self, conn: Connection, events: Sequence[Event]) -> list[Reason]:
        """Why these events would be set aside now, for those that would be. Nothing is counted or kept apart."""
        return [reason for _, reason, _ in matching.match(events, self.holding(conn)).refused]


@dataclass(frozen=True)
class Report:
    """A text read as a plan: the plan, or what is wrong with it; and what is wrong with events held against it."""

    plan: Plan | None
    problems: list[Problem]
    events: int = 0
    wrong: list[Problem] = field(default_factory=list)  #: of events: the line, the place, what

    def since(self, old: Plan) -> list[Difference]:
        """How the plan differs from an older one."""
        return differences(old, self.plan or EMPTY)

    def schema(self, event: str) -> dict[str, Any] | None:
        """An event of the plan as JSON Schema."""
        found = self.plan.newest(event) if self.plan else None
        return to_schema(found) if found else None


@dataclass(frozen=True)
class Version:
    """One version of a source's plan."""

    version: int
    text: str
    note: str
    made_by: str
    made_at: datetime
    active: bool

    @property
    def plan(self) -> Plan:
        """As it is read."""
        return _read(self.text)


@dataclass(frozen=True)
class Applied:
    """What applying a plan changed, or would: the version that holds then, and how it differs from the one before."""

    version: int
    differences: list[Difference]
    written: bool


@dataclass(frozen=True)
class Counted:
    """One violation with its numbers. `example` is a masked value, when a recent event has one."""

    path: str
    kind: Violation
    count: int
    blocked: int
    seen: str
    first_at: datetime
    last_at: datetime
    example: str | None = None


State = Literal["planned", "broken", "unknown", "blocked", "zero", "unwatched"]


@dataclass(frozen=True)
class InboxRow:
    """One event of a source. `days` are the counts of the last thirty days, `count` is all of the history; what was blocked is not in it."""

    name: str
    kind: str
    state: State
    label: Words | None
    count: int
    days: tuple[int, ...]
    first_at: datetime | None
    last_at: datetime | None
    broken: int
    blocked: int


@dataclass(frozen=True)
class EventView:
    """Everything seen of one event, nothing personal in clear."""

    row: InboxRow
    planned: PlannedEvent | None
    seen: int  #: events looked at
    properties: list[Observed]
    samples: list[dict[str, Any]]
    violations: list[Counted]
    apart: int  #: events with values kept apart


def match(conn: Connection, plans: Plans, events: Sequence[Event], sources: Mapping[int, collect.Source], now: datetime) -> tuple[list[Event], list[SetAside]]:
    """Hold a batch against the plans of its sources, count what is not as planned, keep apart what is taken out; returns what goes on and what does not."""
    holding = {key: ready for key, ready in plans.holding(conn).items() if key in sources and sources[key].kind != "internal"}
    if not holding:
        return list(events), []
    found = matching.match(events, holding)
    store.count_violations(conn, found.tallies, now)
    store.keep_apart(conn, found.apart, now)
    return found.events, [collect.as_set_aside(event, reason, detail, remembered=False) for event, reason, detail in found.refused]


def thin_again(conn: Connection, events: Sequence[Event]) -> list[Event]:
    """Events read anew from their requests, without what was taken out of them when they were taken in."""
    taken = store.taken_out(conn, events)
    return [matching.without(event, taken[event.source_id, event.message_id]) if (event.source_id, event.message_id) in taken else event for event in events]


def check(text: str, events: Iterable[str] = (), limits: collect.Limits | None = None) -> Report:
    """Read a plan and hold events, one JSON a line, against it. Needs no installation and changes nothing."""
    plan, problems = reading.read(text)
    if plan is None or limits is None:
        return Report(plan, problems)
    ready, wrong, count = compiled(plan), list[Problem](), 0
    for number, line in enumerate(events, 1):
        if line.strip():
            count += 1
            wrong += [replace(one, line=number) for one in _check_one(line.encode(), ready, limits)]
    return Report(plan, problems, count, wrong)


def apply(conn: Connection, source_id: int, text: str | None, by: str, now: datetime, *, expect: int | None = None) -> Applied:
    """Make a text the plan that holds for a source, as a new version; None lets go of the plan. The same plan again changes nothing.

    `expect` is the version the writer has seen (0: none): when another one holds by now, PlanChanged is raised. Raises PlanInvalid, PlanNotPossible.
    """
    _possible(conn, source_id)
    store.SQL.lock_plan(conn, lock_space=store.LOCK_SPACE, source_id=source_id)
    known = versions(conn, source_id)
    active = next((one for one in known if one.active), None)
    if expect is not None and expect != (active.version if active else 0):
        raise PlanChanged(where="version", seen=active.version if active else 0)
    if text is None:
        store.SQL.activate(conn, source_id=source_id, version=None, by=by, now=now)
        return Applied(0, differences(active.plan, EMPTY) if active else [], active is not None)
    plan = _read(text)
    changed = differences(active.plan, plan) if active else first_differences(plan)
    if active and (active.text == text or not changed):
        return Applied(active.version, [], False)
    number = known[0].version + 1 if known else 1
    store.add_version(conn, source_id, number, plan, {"text": text, "note": "", "by": by, "now": now})
    return Applied(number, changed, True)


def amend(conn: Connection, warehouse: Readable, source_id: int, change: "Change", by: str, now: datetime) -> Applied:
    """Approve an event into a source's plan with the properties seen, refuse it, or name it: a new version of the plan."""
    store.SQL.lock_plan(conn, lock_space=store.LOCK_SPACE, source_id=source_id)  # before it is read: two clicks at once are both kept
    active = next((one for one in versions(conn, source_id) if one.active), None)
    plan = active.plan if active else EMPTY
    old = plan.newest(change.event)
    seen = observing.Fields() if change.what == "refuse" else _contents(conn, warehouse, source_id, change.event, now)[0]
    made = old or observing.planned_event(change.event, seen)
    if change.what == "approve" and old is not None and seen.count and not (old.refused and old.fields):
        made = _widened(old, observing.planned_event(change.event, seen))
    done = {"approve": {"refused": False}, "refuse": {"refused": True}, "label": {"label": change.label}}
    made = made.model_copy(update=done[change.what])
    rest = tuple(event for event in plan.events if event is not old)
    return apply(conn, source_id, reading.write(plan.model_copy(update={"events": (*rest, made)})), by, now)


@dataclass(frozen=True)
class Change:
    """One click on an event: approve it, refuse it, or give it a label."""

    what: Literal["approve", "refuse", "label"]
    event: str
    label: Words | None = None


def versions(conn: Connection, source_id: int) -> list[Version]:
    """All versions of a source's plan, newest first."""
    return [Version(*row) for row in store.SQL.versions(conn, source_id=source_id)]


def inbox(conn: Connection, warehouse: Readable, source_id: int, now: datetime) -> list[InboxRow]:
    """Every event of a source that came, was set aside by the plan, or is planned; most frequent first."""
    active = next((one for one in versions(conn, source_id) if one.active), None)
    plan = active.plan if active else None
    volumes, days = observation.volumes(warehouse, source_id), observation.by_day(warehouse, source_id, now.date())
    broken: dict[str, tuple[int, int]] = {}
    for event, _, _, count, blocked, *_ in store.SQL.violations(conn, source_id=source_id, since=now.date() - timedelta(days=observation.DAYS), event=None):
        known = broken.get(event, (0, 0))
        broken[event] = known[0] + count, max(known[1], blocked)
    names = [*volumes, *(name for name in broken if name not in volumes)]
    names += [event.name for event in (plan.events if plan else ()) if event.name not in names]
    rows = [_row(name, plan, volumes.get(name), days.get(name), broken.get(name, (0, 0))) for name in dict.fromkeys(names)]
    return sorted(rows, key=lambda row: (-row.count - row.blocked, row.name))


def observed(conn: Connection, warehouse: Readable, source_id: int, event: str, now: datetime) -> EventView:
    """One event in full: what its properties hold, samples, what is not as planned. Raises NotFound for one that is unknown."""
    row = next((row for row in inbox(conn, warehouse, source_id, now) if row.name == event), None)
    if row is None:
        raise NotFound(where="event", seen=event, thing=event)
    active = next((one for one in versions(conn, source_id) if one.active), None)
    planned = active.plan.newest(event) if active else None
    fields, sample = _contents(conn, warehouse, source_id, event, now)
    since = now.date() - timedelta(days=observation.DAYS)
    examples = _examples(sample, compiled(active.plan) if active else None)
    counted = [
        Counted(path, Violation(kind), count, blocked, seen, first_at, last_at, examples.get((path, kind)))
        for _, path, kind, count, blocked, seen, first_at, last_at in store.SQL.violations(conn, source_id=source_id, since=since, event=event)
    ]
    samples = [shown(one.traits if one.kind in ("identify", "group") else one.properties) for one in sample[:SAMPLES]]
    apart = store.SQL.apart_count(conn, source_id=source_id, event=event)
    return EventView(row, planned, fields.count, observing.rows(fields) if fields.count else [], samples, counted, apart)


def infer(conn: Connection, source_id: int, now: datetime, days: int = observation.DAYS) -> str:
    """A plan that fits what a source sent in these days, as YAML that says in comments on how many events it rests. Nothing is stored."""
    source = _possible(conn, source_id)
    sample = collect.sample(conn, source, now - timedelta(days=days), SAMPLED_REQUESTS)
    plan, comments = observing.inferred(observing.observe(sample), source.name)
    return observing.based_on(sample, SAMPLED_REQUESTS) + reading.write(plan, comments)


def forget_old(conn: Connection, now: datetime) -> int:
    """Delete counts and values kept apart that are older than 90 days; returns how many values went."""
    before = now - timedelta(days=KEEP_DAYS)
    store.SQL.trim_violations(conn, before=before.date())
    return store.SQL.trim_apart(conn, before=before)


def export_person(conn: Connection, identifiers: Sequence[Borne]) -> Mapping[str, Any]:
    """Values that a plan took out of events naming the person by one of these normalized identifiers, in the times when these were theirs."""
    names = ("source_id", "message_id", "event", "received_at", "body")
    return {"values_kept_apart": [dict(zip(names, row, strict=True)) for row in _naming(conn, identifiers)]}


def erase_person(conn: Connection, identifiers: Sequence[Borne]) -> int:
    """Remove the values kept apart of a person; returns of how many events."""
    rows = _naming(conn, identifiers)
    store.SQL.drop_apart(conn, source_ids=[row[0] for row in rows], message_ids=[row[1] for row in rows])
    return len(rows)


# inside ------------------------------------------------------------------------------------------------------------------


def _naming(conn: Connection, identifiers: Sequence[Borne]) -> list[Any]:
    wanted, rules = collect.Wanted(identifiers), current_rules(conn)
    found = store.SQL.apart_naming(conn, needles=[needle for borne in identifiers for needle in collect.needles(borne.identifier, rules)])
    return [row for row in found if collect.names(row[4], wanted, row[3], rules)]


def _possible(conn: Connection, source_id: int) -> collect.Source:
    source = next((one for one in collect.sources(conn) if one.id == source_id), None)
    if source is None:
        raise NotFound(where="source", seen=source_id, thing=f"source {source_id}")
    if source.kind == "internal":
        raise PlanNotPossible(where="source", seen=source.name)
    return source


def _read(text: str) -> Plan:
    plan, problems = reading.read(text)
    if plan is None:
        first = problems[0]
        raise PlanInvalid(where=first.where, line=first.line, detail=first.what, count=len(problems))
    return plan


def _check_one(line: bytes, ready: Ready, limits: collect.Limits) -> Iterable[Problem]:
    tried = collect.try_out(line, limits, CHECKED)
    yield from (Problem(0, one.detail, REASONS[one.reason]) for one in tried.set_aside)
    found = matching.match(tried.events, {0: ready})
    for _, event, path, kind in found.tallies:
        yield Problem(0, f"{event}.{path}" if path else event, VIOLATIONS[kind])


def _contents(conn: Connection, warehouse: Readable, source_id: int, event: str, now: datetime) -> tuple[observing.Fields, list[Event]]:
    """What an event holds: from requests that are still there, else from the history."""
    source = _possible(conn, source_id)
    sample = collect.sample(conn, source, now - timedelta(days=observation.DAYS), SAMPLED_REQUESTS)
    mine = [one for one in sample if one.name == event]
    fields = observing.observe(mine).get(event)
    return (fields, mine) if fields else (observation.past_contents(warehouse, source_id, event), [])


def _widened(old: PlannedEvent, seen: PlannedEvent) -> PlannedEvent:
    """A planned event with the properties it lacks; what is planned stays as it is."""
    place = "traits" if old.type in ("identify", "group") else "properties"
    fresh = {key: one.model_copy(update={"required": False}) for key, one in seen.fields.items() if key not in old.fields}
    return old.model_copy(update={place: {**old.fields, **fresh}})


def _row(name: str, plan: Plan | None, volume: Any, days: list[int] | None, broken: tuple[int, int]) -> InboxRow:
    kind, count, first_at, last_at = volume or ("track", 0, None, None)
    planned = plan.newest(name) if plan else None
    state: State = "unwatched" if plan is None else "unknown" if planned is None else "planned"
    if broken[0] and planned is not None:
        state = "broken"
    if (planned is not None and planned.refused) or (planned is None and broken[1]):
        state = "blocked"
    elif planned is not None and not count and not broken[0]:
        state = "zero"
    label = planned.label if planned else None
    return InboxRow(name, planned.type if planned else kind, state, label, count, tuple(days or [0] * observation.DAYS), first_at, last_at, *broken)


def _examples(sample: Sequence[Event], ready: Ready | None) -> dict[tuple[str, str], str]:
    """For each violation a masked value of a recent event."""
    found: dict[tuple[str, str], str] = {}
    for event in sample[:500] if ready else ():
        planned = ready.newest.get(event.name) if ready else None
        fields = event.traits if event.kind in ("identify", "group") else event.properties
        for one in violations(fields, planned) if planned else ():
            if (one.path, one.kind) not in found and "." not in one.path and "[]" not in one.path:
                found[one.path, one.kind] = msgspec.json.encode(shown(fields.get(one.path), one.path)).decode()[:120]
    return found
