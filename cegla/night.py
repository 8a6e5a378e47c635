"""What is due once a day: everybody's traits and segments, rules half applied, likely duplicates, and what is past its time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from cegla import forgetting
from cegla.account import actions as account
from cegla.analyse.actions import portraits
from cegla.collect import actions as collect
from cegla.flow import as_of, settled, when_of
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.plan import actions as plan
from cegla.profile import actions as profile
from cegla.regrouping import settle_rules
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage import batches, nights, snapshots
from cegla.storage.workspace import Workspace
from cegla.sync import actions as sync
from cegla.weather import actions as weather

LOG = structlog.get_logger("flow")
REWRITINGS = 3  #: tries in one night: whoever is erased meanwhile, or reads for long, leaves the old file in its place
NIGHT_BEGINS = 3  #: o'clock, in the shop's time zone


def recompute_traits(ws: Workspace, now: datetime) -> None:
    """Traits of everybody: time alone changes some."""
    with settled(ws) as (conn, past):
        profile.refresh(conn, past, None, now)
        segment.computed.refresh(conn, past, None, now, profile.places.objecting(conn))


def recompute_accounts(ws: Workspace, now: datetime) -> None:
    """What the people of every account come to, and which conditions of segments it meets."""
    with settled(ws) as (conn, past):
        segment.seen_otherwise(conn, account.refresh(conn, past, None, batches.last_refreshed(conn), now), now)


def portray(ws: Workspace, now: datetime) -> None:
    """What portraits say of everybody, which segments may speak of; nothing of who was erased, joined to somebody or objected while they were made."""
    found = portraits.of_everybody(ws, now)
    with settled(ws) as (conn, past):
        segment.portraits.keep(conn, segment.portraits.still(past, found, profile.places.objecting(conn)), now)


def recompute_segments(ws: Workspace, now: datetime) -> None:
    """Memberships of everybody: a window that ran out moves people too. Batches that come in meanwhile are followed between two parts."""
    with settled(ws) as (conn, past):
        parts = segment.everybody.begin(conn, past, as_of(ws, conn, now))
    for part in parts:
        with settled(ws) as (conn, past):
            segment.refresh(conn, past, part.tolist(), as_of(ws, conn, max(now, ws.clock())))  # as batches were that came in between
    with ws.transaction() as conn:
        segment.everybody.end(conn, now)


def follow_time(ws: Workspace, now: datetime) -> int:
    """Memberships that time alone changes: of whom something is due by now, nobody else is looked at. Returns how many changes there were.

    Accounts are looked at too: some conditions on them are about days gone by.
    """
    changed, more = 0, True
    while more:
        with settled(ws) as (conn, past):
            at = as_of(ws, conn, now)
            segment.look_again(conn, segment.seen_otherwise(conn, None, now), now)
            changes, more = segment.refresh_due(conn, past, at)
            changed += sum(len(one.entered) + len(one.left) for one in changes)
    return changed


def forget_old(ws: Workspace, now: datetime) -> None:
    """Requests and quarantine past their time go."""
    with ws.transaction() as conn:
        for forget in (collect.forget_old, plan.forget_old, repair.forget_old, segment.reading.forget_old):
            forget(conn, now)
        batches.forget_receipts(conn, now - timedelta(days=collect.KEEP_REQUESTS_DAYS + 1))
        collect.forget_files(conn, now - timedelta(days=ws.settings.imports.keep_files_days))


def forget_by_age(ws: Workspace, now: datetime) -> None:
    """What the history holds longer than its class may be kept is announced, and some days later removed."""
    if removed := forgetting.each_night(ws, now):
        LOG.info("history was removed by its age", rows=removed)


def snapshot_history(ws: Workspace, now: datetime) -> None:
    """What came in since last night goes into the files that a damaged warehouse is rebuilt from; small files are joined."""
    with ws.transaction() as conn:
        upto = batches.last_committed(conn).number
    snapshots.mend(ws.snapshots)
    snapshots.take(ws.warehouse, ws.snapshots, upto)
    ws.snapshots.tidy()
    ws.warehouse.tidy()


def wipe_erased(ws: Workspace, now: datetime) -> None:
    """Where people were erased, the warehouse's file is written anew: its old bytes still held them."""
    tries = REWRITINGS
    while ws.warehouse.holds_erased and tries:
        tries -= 1
        LOG.info("the warehouse is written anew without what was erased", size=ws.warehouse.rewrite())


def read_history(ws: Workspace, now: datetime) -> None:
    """The whole history is read once, so that damage is found before somebody asks. Raises WarehouseDamaged, and the next start mends it."""
    ws.warehouse.check_disk()
    ws.warehouse.verify()


def seal_ledger(ws: Workspace, now: datetime) -> None:
    """What people decided today is sealed, so that nobody can cut it off unseen."""
    with ws.transaction() as conn:
        govern.ledger.seal(conn, now)


def finish_rules(ws: Workspace, now: datetime) -> None:
    """A change of identity rules that was interrupted is finished."""
    with ws.transaction() as conn:
        settled = resolve.ruling.is_settled(conn)
    if not settled:
        LOG.info("identity rules are settled", moved=settle_rules(ws))


def look_for_duplicates(ws: Workspace, now: datetime) -> None:
    """People who are likely one, for somebody to decide."""
    with ws.transaction() as conn:
        match.propose(conn, now)


def ask_weather(ws: Workspace, now: datetime) -> None:
    """The weather of every powiat that people come from, from the month of their first event to tomorrow, is asked of the provider, if there is one."""
    if ws.settings.weather.provider:
        with settled(ws) as (_, past):
            begun = profile.past.days_of_places(past, now - weather.LOOK_BACK)
        weather.fetch(ws.transaction, ws.settings.weather, weather.wanted(begun, now), now)
    with ws.transaction() as conn:
        weather.forget_old(conn, now)


def ask_analysers(ws: Workspace, now: datetime) -> None:
    """The night's rounds of the analysers are asked for; the worker does them part by part, between everything else."""
    with ws.transaction() as conn:
        profile.runs.ask_nightly(conn, now)


def analyse(ws: Workspace, worker: profile.runs.Worker) -> profile.runs.Run | None:
    """The next part of what analysers were asked to do, as one transaction; None when there is nothing to do."""
    with ws.transaction() as conn:
        profile.runs.ask_due(conn, ws.clock())
        if profile.runs.next_run(conn) is None:
            return None
    with settled(ws) as (conn, past):
        when = when_of(ws, conn)
        run = worker.work(conn, past, batches.last_committed(conn).number, when)
        if run is not None and (asked := segment.reading.analysers_asked(conn, [one.partition("@")[0] for one in run.analysers])):
            segment.look_again(conn, profile.findings.changed_at(conn, asked, when.now), when.now)
        return run


def compare_receivers(ws: Workspace, now: datetime) -> None:
    """Whoever keeps segments is told of consents given and withdrawn, too."""
    with ws.transaction() as conn:
        sync.compare_all(conn, now)


AT_NIGHT: list[Callable[[Workspace, datetime], None]] = [
    finish_rules,
    recompute_traits,
    recompute_accounts,
    portray,
    recompute_segments,
    compare_receivers,
    look_for_duplicates,
    ask_weather,
    ask_analysers,
    seal_ledger,
    forget_old,
    forget_by_age,
    snapshot_history,
    wipe_erased,
    read_history,
]


def work(ws: Workspace, now: datetime) -> str | None:
    """Do the next step that is due for this night, and say which; None when there is none.

    Raises what the step raises. It was noted as begun before, so the next call goes on with the others, and tries this one again later.
    """
    day = (now.astimezone(ws.settings.zone) - timedelta(hours=NIGHT_BEGINS)).date()
    steps = {step.__name__: step for step in AT_NIGHT}
    with ws.transaction() as conn:
        name = nights.begin_next(conn, list(steps), day, now)
    if name is None:
        return None
    steps[name](ws, now)
    with ws.transaction() as conn:
        nights.done(conn, name, ws.clock())
    return name
