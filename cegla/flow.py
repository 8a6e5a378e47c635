"""The order in which an event, a change and a night's work meet the slices: lists of named, timed steps.

    at the door      check_key → write_down                     in the collectors (collect/wire.py): the answer follows the commit
    in the worker    IN_THE_WORKER, one transaction a batch     `Intake.apply`
    right after      RIGHT_AFTER, for all batches since         `refresh`, beside the worker
    who is who       without events                             `cegla.regrouping`: a link taken back, rules that changed
    at night         AT_NIGHT                                   `cegla.night`

A stage returns what changed; only this file knows who hears of it. One batch is one PostgreSQL transaction: the inbox
position, repeats, identities and consents commit together, or not at all. The warehouse gets its rows just before that commit
and takes them back when the commit did not happen (`recover`); what it lost to damage is written again (`rebuild`). Traits and
memberships follow in a transaction of their own: which batches they hold is written with them, so a crash in between only
delays them (docs/explanation/intake.md).
"""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
import pyarrow as pa
import structlog

from cegla.account import actions as account
from cegla.ahead import Ahead
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.plan import actions as plan
from cegla.profile import actions as profile
from cegla.rebuild import rebuild
from cegla.reference.site import site_pages
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage import batches, dividing
from cegla.storage.batches import Committed, Unrefreshed
from cegla.storage.warehouse import Snapshot
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import Transient
from cegla.vocabulary.events import Event, Reason, SetAside

LOG = structlog.get_logger("flow")
MOST_EVENTS = 50_000


@dataclass
class Known:
    """What intake remembers between batches, so that who comes again costs little; made anew when a batch did not commit."""

    identities: resolve.IdentityCache = field(default_factory=resolve.IdentityCache)
    clocks: collect.Clocks = field(default_factory=collect.Clocks)
    consents: govern.LedgerMemory = field(default_factory=govern.LedgerMemory)
    sessions: profile.SessionMemory = field(default_factory=profile.SessionMemory)
    plans: plan.Plans = field(default_factory=plan.Plans)


@dataclass
class Batch:
    """What one batch of requests becomes on its way; each step fills in its part. Lists run along `events`."""

    ws: Workspace
    conn: Connection
    known: Known
    now: datetime
    before: Committed
    sources: dict[int, collect.Source]
    taken: collect.Taken
    decoded: collect.Decoded | None = None
    events: list[Event] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    counted: list[Event] = field(default_factory=list)
    identity_ids: list[int] = field(default_factory=list)
    people: list[int] = field(default_factory=list)
    moved: list[tuple[int, int]] = field(default_factory=list)
    absorbed: dict[int, int] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    layers: dict[int, collect.Layer] = field(default_factory=dict)  #: writers of imports among them
    repeated: int = 0
    enriched: profile.Enriched | None = None
    moves: pa.Table | None = None  #: lines of the merge log, as the warehouse has them
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """The batch's number: one more than the last committed one."""
        return self.before.number + 1

    def keep(self, kept: list[bool]) -> None:
        """Drop the events marked False, with what runs along them."""
        self.events = [event for event, keep in zip(self.events, kept, strict=True) if keep]
        self.identity_ids = [identity for identity, keep in zip(self.identity_ids, kept, strict=True) if keep]
        self.people = [person for person, keep in zip(self.people, kept, strict=True) if keep]


# in the worker -----------------------------------------------------------------------------------------------------------


def decode(batch: Batch) -> None:
    """Requests become events; one that is broken is set aside with its reason and costs the others nothing."""
    if batch.decoded is None:
        batch.decoded = collect.decode(batch.taken, batch.sources, batch.ws.settings.collector)
    batch.events, batch.set_aside = batch.decoded.events, list(batch.decoded.set_aside)


def match_plan(batch: Batch) -> None:
    """What is not as its source's tracking plan says is counted, marked, thinned out or set aside; without a plan nothing happens."""
    batch.events, refused = plan.match(batch.conn, batch.known.plans, batch.events, batch.sources, batch.now)
    batch.set_aside += refused


def drop_repeats(batch: Batch) -> None:
    """An event with a (source, messageId) seen before is counted and left out."""
    events = collect.drop_repeats(batch.conn, batch.events, batch.now)
    batch.repeated = len(batch.events) - len(events)
    batch.events = events


def set_clocks(batch: Batch) -> None:
    """A device whose clock is wrong is set right, without its events changing places."""
    batch.events = collect.set_right(batch.conn, batch.known.clocks, batch.events, batch.now)


def count_visits(batch: Batch) -> None:
    """Visits without anybody become numbers, and go no further."""
    batch.events, batch.counted = collect.count_visits(batch.conn, batch.events, batch.ws.settings.zone)


def find_person(batch: Batch) -> None:
    """Each event points at an identity; links found on the way join or split people."""
    batch.layers = collect.layers(batch.conn, [event.writer for event in batch.events])
    imports = [batch.layers[event.writer].import_id if event.writer in batch.layers else 0 for event in batch.events] if batch.layers else ()
    found = resolve.find_people(batch.conn, batch.events, batch.known.identities, imports)
    batch.identity_ids, batch.people = found.identity_ids, found.people
    batch.moved, batch.absorbed, batch.changed = found.moved, found.absorbed, found.changed
    if found.unresolved:
        nameless = set(found.unresolved)
        batch.set_aside += [
            collect.as_set_aside(batch.events[index], Reason.MISSING_IDENTITY, "every identifier is blank or blocked") for index in found.unresolved
        ]
        batch.keep([index not in nameless for index in range(len(batch.events))])


def ask_consent(batch: Batch) -> None:
    """Consent decisions go to the ledger; what a person did not agree to is set aside without its content."""
    basis_by_source = {key: source.basis for key, source in batch.sources.items()}
    batch.known.consents.origins = {writer: layer.proof for writer, layer in batch.layers.items()}
    batch.known.consents.own = {key for key, source in batch.sources.items() if source.kind == "internal"}
    batch.known.consents.browsers = {key for key, source in batch.sources.items() if source.kind == "website"}
    asked = govern.ask(batch.conn, batch.events, batch.identity_ids, basis_by_source, batch.now, batch.known.consents)
    batch.set_aside += asked.set_aside
    batch.keep(asked.kept)


def enrich(batch: Batch) -> None:
    """Device, place, network, referrer, campaign, session, order value; personal data stays behind in PostgreSQL, and the address goes."""
    first_event_id = batch.before.last_event_id + 1
    imports = {writer: layer.import_id for writer, layer in batch.layers.items()}
    numbers = profile.Numbers(batch.number, first_event_id, batch.ws.settings.zone, imports)
    batch.enriched = profile.enrich(batch.conn, batch.events, batch.identity_ids, numbers, batch.known.sessions, batch.ws.library.current())
    collect.note_events(batch.conn, batch.number, first_event_id, [imports.get(event.writer, 0) for event in batch.events])
    profile.declared.keep(batch.conn, batch.enriched.declared)
    account.note(batch.conn, batch.number, batch.events, batch.identity_ids, imports)


def append(batch: Batch) -> None:
    """The history grows, and so does the log of merges; the map of whose identity is whose follows."""
    batch.ws.warehouse.expect(batch.number)
    tables = batch.enriched.tables if batch.enriched is not None else {}
    batch.moves = resolve.links.merge_log(batch.conn, batch.number, batch.events, batch.before.last_event_id + 1)
    batch.ws.warehouse.append(tables if batch.moves is None else tables | {"moves": batch.moves})
    batch.ws.warehouse.set_people(batch.moved)


IN_THE_WORKER: list[Callable[[Batch], None]] = [decode, match_plan, drop_repeats, set_clocks, count_visits, find_person, ask_consent, enrich, append]


@dataclass(frozen=True)
class TakenIn:
    """What became of one batch. Counts are events; `seconds` are per step."""

    requests: int
    applied: int
    repeated: int
    set_aside: int
    seconds: dict[str, float]
    traced: tuple[Event, ...] = ()  #: those of the applied events that came with a trace


class Intake:
    """The one intake worker: takes batches from the inbox until nothing waits. Not safe for two threads at once."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.known = Known()
        self.in_doubt = True  # the warehouse may hold rows that PostgreSQL does not know
        self._steps = IN_THE_WORKER
        self._ahead = Ahead(ws)

    @property
    def behind(self) -> bool:
        """Whether more waits than one batch takes."""
        return self._ahead.is_reading

    def recover(self) -> None:
        """Make the warehouse agree with PostgreSQL: take back an uncommitted batch and load the map of people."""
        agree(self.ws)
        self.known = Known()
        self.in_doubt = False

    def take_in(self, most_events: int = MOST_EVENTS) -> TakenIn | None:
        """Take in one batch with everything that follows from it; None when nothing waits. Raises what `apply` and `refresh` raise."""
        taken_in = self.apply(most_events)
        refresh(self.ws)
        return taken_in

    def apply(self, most_events: int = MOST_EVENTS) -> TakenIn | None:
        """Take in one batch and leave traits and segments to `refresh`; None when nothing waits.

        Raises psycopg.OperationalError or Transient when a store is away or full; then nothing happened.
        """
        if self.in_doubt:
            self.recover()
        try:
            self.in_doubt = True
            taken_in = self._transaction(most_events, self._steps)
            self.in_doubt = False
            return taken_in
        except (psycopg.OperationalError, Transient):
            raise  # a store is away or full: the same batch is tried again later
        except Exception:
            LOG.exception("a batch failed", most_events=most_events)
        return self._narrow_down(most_events)

    def _narrow_down(self, most_events: int) -> TakenIn | None:
        """A batch that fails for an unknown reason is cut to an eighth, again and again, until one request is left, and that one is set aside."""
        self.recover()
        if most_events > 1:
            return self.apply(max(1, most_events // 8))
        return self._transaction(1, [_set_request_aside])

    def _transaction(self, most_events: int, steps: list[Callable[[Batch], None]]) -> TakenIn | None:
        with self.ws.transaction() as conn:
            batches.only_intake_worker(conn)
            taken, decoded = self._ahead.take(conn, most_events)
            if not taken.requests:
                return None
            self._ahead.begin(taken, most_events)
            sources = {source.id: source for source in collect.sources(conn)}
            batch = Batch(self.ws, conn, self.known, self.ws.clock(), batches.last_committed(conn), sources, taken, decoded)
            for step in steps:
                started = time.perf_counter()
                step(batch)
                batch.seconds[step.__name__] = time.perf_counter() - started
            started = time.perf_counter()
            _settle(batch)
        batch.seconds["commit"] = time.perf_counter() - started
        traced = tuple(event for event in batch.events if event.trace is not None)
        return TakenIn(len(taken.requests), len(batch.events) + len(batch.counted), batch.repeated, len(batch.set_aside), batch.seconds, traced)

    def drain(self, progress: Callable[[TakenIn], None] | None = None) -> int:
        """Take in everything that waits; returns how many events were applied."""
        applied = 0
        while (taken_in := self.apply()) is not None:
            applied += taken_in.applied
            if progress is not None:
                progress(taken_in)
        refresh(self.ws)
        return applied


def agree(ws: Workspace) -> None:
    """Make the warehouse agree with PostgreSQL: take back what was not committed, write again what it lacks, load the map of people."""
    with ws.transaction() as conn:
        batches.only_intake_worker(conn)
        last = batches.last_committed(conn).number
        if (ahead := ws.warehouse.last_batch() - last) > 1:
            LOG.error("PostgreSQL went back: the history knows batches that it does not", batches=ahead)
        taken_back = ws.warehouse.take_back_after(last)
        ws.snapshots.take_back_after(last)
        rebuild(ws, conn)
        ws.warehouse.reset_people(resolve.reach.identity_map(conn))
    if taken_back:
        LOG.warning("rows of an uncommitted batch were taken back", rows=taken_back)


def _settle(batch: Batch) -> None:
    """The last words of the transaction: what was set aside, the inbox position, the batch's number."""
    repair.set_aside(batch.conn, batch.set_aside, batch.now)
    applied = [*batch.events, *batch.counted]
    collect.advance(batch.conn, batch.taken, applied=applied, repeated=batch.repeated, set_aside=batch.set_aside, decoded=batch.decoded)
    last_event_id = batch.before.last_event_id + len(batch.events)
    batches.note_moved(batch.conn, batch.number, batch.changed, batch.absorbed)
    batches.commit_batch(batch.conn, Committed(batch.number, last_event_id), batch.events, batch.identity_ids, batch.moves, batch.now)


def _set_request_aside(batch: Batch) -> None:
    """The step for a request that no other step could stand."""
    batch.set_aside = batch.taken.given_up(batch.conn)


# right after -------------------------------------------------------------------------------------------------------------


@dataclass
class Refresh:
    """Bringing traits and segments up to the last committed batch: what is new since, and everybody concerned, once each."""

    conn: Connection
    past: Snapshot
    when: profile.runs.When
    as_of: segment.AsOf
    new: Unrefreshed
    hurried: bool = False  #: more waits, so what can be put off is put off
    people: list[int] = field(default_factory=list)
    absorbed: dict[int, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def find_touched(refresh: Refresh) -> None:
    """Whose history the batches changed: who has events in them, who won or lost identities, who is no person any more."""
    owners = resolve.reach.owners(refresh.conn, [*refresh.new.changed, *refresh.new.absorbed])
    refresh.absorbed = {person: owners[person] for person in refresh.new.absorbed if owners.get(person, person) != person}
    refresh.people = sorted({*refresh.past.people_since(refresh.new.after), *owners.values()})


def refresh_traits(refresh: Refresh) -> None:
    """Traits of the people touched, from their whole history."""
    profile.forget_people(refresh.conn, list(refresh.absorbed))
    match.forget_people(refresh.conn, refresh.absorbed)
    match.reopen_parted(refresh.conn, refresh.new.changed)
    profile.refresh(refresh.conn, refresh.past, refresh.people, refresh.when.now, refresh.when.blocked)
    segment.computed.refresh(refresh.conn, refresh.past, refresh.people, refresh.when.now, refresh.when.objecting)


def refresh_findings(refresh: Refresh) -> None:
    """What the analysers that run right after an event find of the people touched; who objected to profiling is not profiled any more.

    In a hurry it waits, and the next round without one looks at everybody touched since.
    """
    if not refresh.hurried and refresh.new.found < refresh.new.after:
        since = refresh.new.found
        refresh.people = sorted({*refresh.people, *refresh.past.people_since(since), *refresh.past.people_moved_since(since)})
    profile.runs.analyse_touched(refresh.conn, refresh.past, refresh.people, refresh.when, hurried=refresh.hurried)


def refresh_accounts(refresh: Refresh) -> None:
    """What the people of accounts come to; who belongs to one that a segment's rule sees otherwise now is looked at too."""
    changed = account.refresh(refresh.conn, refresh.past, refresh.people, refresh.new.upto, refresh.when.now)
    refresh.people = sorted({*refresh.people, *segment.seen_otherwise(refresh.conn, changed, refresh.when.now)})


def refresh_segments(refresh: Refresh) -> None:
    """Who of the people touched entered or left which segment; who objected to profiling is in none."""
    segment.forget_people(refresh.conn, refresh.absorbed, refresh.when.now)
    for part in dividing.parts(refresh.past, refresh.people):
        segment.refresh(refresh.conn, refresh.past, part.tolist(), refresh.as_of)


def as_of(ws: Workspace, conn: Connection, now: datetime) -> segment.AsOf:
    """A moment as segments need it: the shop's time zone, the keys of the suppression list, who objected to profiling."""
    return segment.AsOf(now, ws.settings.zone, ws.keys, frozenset(profile.places.objecting(conn)))


def when_of(ws: Workspace, conn: Connection) -> profile.runs.When:
    """This moment as analysers need it: the shop's time zone and own words, and who objected to profiling."""
    site = site_pages(ws.settings.data_dir / "site")
    return profile.runs.When(ws.clock(), ws.settings.zone, ws.settings.own_blocked, frozenset(profile.places.objecting(conn)), site=site)


RIGHT_AFTER: list[Callable[[Refresh], None]] = [find_touched, refresh_traits, refresh_findings, refresh_accounts, refresh_segments]


def refresh(ws: Workspace, *, hurried: bool = False) -> Refresh | None:
    """Bring traits and segments up to the last committed batch; None when there is nothing to do.

    Runs beside intake, and takes all batches at once that came since the last time. When `hurried`, what analysers find is left to a
    later round that is not. Raises what `Intake.apply` raises.
    """
    with settled(ws) as (conn, past):
        new = batches.unrefreshed(conn)
        if new.after >= new.upto and (hurried or new.found >= new.upto):
            return None
        when = when_of(ws, conn)
        refreshed = Refresh(conn, past, when, segment.AsOf(when.now, ws.settings.zone, ws.keys, when.objecting), new, hurried)
        for step in RIGHT_AFTER:
            started = time.perf_counter()
            step(refreshed)
            refreshed.seconds[step.__name__] = time.perf_counter() - started
        batches.mark_refreshed(conn, new.upto, new.found if hurried else new.upto, refreshed.when.now)
    return refreshed


@contextmanager
def settled(ws: Workspace) -> Generator[tuple[Connection, Snapshot]]:
    """A transaction that alone rewrites traits and memberships, and the history exactly as the last committed batch left it."""
    while True:
        with ws.transaction() as conn:
            batches.only_refresher(conn)
            with ws.warehouse.snapshot(batches.last_committed(conn).number) as past:
                if past is not None:
                    yield conn, past
                    return
        time.sleep(0.005)  # a batch is between its rows and its commit
