"""The app's loops: intake, what follows from it, campaigns, and what time alone changes. Each is a thread that ends when it is told to."""

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import structlog

from cegla import night
from cegla.activate import actions as activate
from cegla.analyse.actions import choose_winners
from cegla.catalog import actions as catalog
from cegla.collect import actions as collect
from cegla.defining import recount_due
from cegla.flow import Intake, refresh
from cegla.night import analyse, follow_time
from cegla.profile import actions as profile
from cegla.reference.crawling import Bounds, NotFetched
from cegla.reference.site import keep_site, read_site, site_state
from cegla.repair import actions as repair
from cegla.segment import actions as segment
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Workspace
from cegla.sync import actions as sync
from cegla.undoing import undo_import
from cegla.vocabulary.errors import CeglaError, Transient
from cegla.vocabulary.errors.installation import WarehouseDamaged, WarehouseHalted
from cegla.worker.spans import Spans

LOG = structlog.get_logger("worker")
IDLE_SECONDS = 0.1
MEMBERSHIP_SECONDS = 60.0
BALANCE_SECONDS = 60.0
DISK_SECONDS = 3_600.0  # how often the warehouse's file is read as it lies on the disk
MAILBOX_SECONDS = 60.0
CATALOG_SECONDS = 60.0
CALENDAR_SECONDS = 1.0
REFRESH_REST = 2.0  # rounds of traits and segments follow each other so that they take a third of the time of one thread,
LONGEST_REFRESH_REST_SECONDS = 1.0  # and nobody waits longer than this for the next,
REFRESH_REST_WHEN_BEHIND = 5.0  # unless requests wait for intake: then a sixth of the time, whatever a round costs,
LONGEST_WITHOUT_FINDINGS_SECONDS = 60.0  # and what analysers find is left out of rounds for so long
ROUNDS_SECONDS = 2.0
SYNC_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 5.0
SITE_SECONDS, SITE_AGAIN_SECONDS = 3_600.0, 6 * 3_600.0  # how often it is asked whether the site is due, and after a crawl that read nothing


def refresh_rest_seconds(took: float, behind: bool) -> float:
    """How long traits and segments rest after a round that took so many seconds, so that whatever it costs, intake goes on."""
    return REFRESH_REST_WHEN_BEHIND * took if behind else min(REFRESH_REST * took, LONGEST_REFRESH_REST_SECONDS)


def is_hurried(behind: bool, seconds: float) -> bool:
    """Whether a round leaves analysers out, whose last round ended so many seconds ago."""
    return behind and seconds < LONGEST_WITHOUT_FINDINGS_SECONDS


class Loops:
    """The threads of one app process over one workspace."""

    def __init__(self, ws: Workspace, on_damage: Callable[[], None] = lambda: None) -> None:
        self.ws = ws
        self.on_damage = on_damage  #: called when the warehouse turns out to be damaged, or to have halted: only a new start mends it
        self.intake = Intake(ws)
        self.outlet = activate.Outlet(ws)
        self._listener: activate.Listener | None = None
        self.rounds = profile.runs.Worker()
        self.spans = Spans(ws.settings.tracing.otlp_address) if ws.settings.tracing.otlp_address else None
        self._ending = threading.Event()
        self._applied = threading.Event()  # a batch is in the history, and traits may not know
        self._applied.set()
        self._refreshed_at, self._refresh_took = 0.0, 0.0
        self._found_at = self._disk_checked_at = time.perf_counter()
        self._threads = [
            threading.Thread(target=self._repeat, args=(name, work), name=name, daemon=True)
            for name, work in (
                ("intake", self._take_in),
                ("profiles", self._refresh),
                ("campaigns", self._deliver),
                ("calendar", self._follow_calendar),
                ("repairs", self._repair),
                ("imports", self._import),
                ("time", self._follow_time),
                *([("returns", self._look_into_mailbox)] if ws.settings.returns.imap_host else []),
                ("analysers", self._analyse),
                *([("site", self._read_site)] if ws.settings.site.start else []),
                ("balance", self._check_balance),
                ("sync", self._sync),
                ("catalogs", self._fetch_catalogs),
                *([("spans", self.spans.send)] if self.spans is not None else []),
            )
        ]

    def start(self) -> None:
        """Recover from what a crash left, offer the ready-made segments, and begin."""
        with self.ws.transaction() as conn:
            segment.install_ready_made(conn, self.ws.clock())
        self.intake.recover()
        self._listener = activate.Listener(self.ws) if self.ws.settings.returns.port else None
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each loop finish what it holds, and wait for it."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=20)
        if self._listener is not None:
            self._listener.close()
        self.outlet.close()

    def _repeat(self, name: str, work: Callable[[], float]) -> None:
        """Call `work` until the end, each time after the pause in seconds that it asked for; failures back off."""
        pause = 0.0
        while not self._ending.is_set():
            try:
                pause = work()
            except WarehouseHalted as error:
                LOG.warning("the disk was full and has room again; the app starts anew, to open the warehouse again", loop=name, where=error.where)
                self.on_damage()
                return
            except (Transient, psycopg.OperationalError) as error:
                LOG.warning("waiting for a store to come back", loop=name, error=type(error).__name__)
                pause = min(max(pause * 2, 0.2), LONGEST_PAUSE_SECONDS)
            except WarehouseDamaged as error:
                LOG.critical("the warehouse is damaged; the next start writes it again", where=error.where, seen=error.seen)
                self.on_damage()
                return
            except (CeglaError, Exception) as error:
                LOG.exception("a loop failed and goes on", loop=name, error=type(error).__name__)
                pause = min(max(pause * 2, 0.5), LONGEST_PAUSE_SECONDS)
            self._ending.wait(pause)

    def _take_in(self) -> float:
        if (taken_in := self.intake.apply()) is None:
            return IDLE_SECONDS
        if self.spans is not None:
            self.spans.note(taken_in.traced, self.ws.clock())
        passing("intake: after the commit")
        self._applied.set()
        return 0.0

    def _refresh(self) -> float:
        """Traits and segments of whom the last batches touched; at once when there is little to do, in fewer and larger rounds when much."""
        if time.perf_counter() < self._refreshed_at + refresh_rest_seconds(self._refresh_took, self.intake.behind):
            return IDLE_SECONDS / 2
        if not self._applied.wait(IDLE_SECONDS):
            return 0.0
        self._applied.clear()
        began = time.perf_counter()
        hurried = is_hurried(self.intake.behind, began - self._found_at)
        if hurried:
            self._applied.set()  # something is put off, so there will be something to do
        try:
            refresh(self.ws, hurried=hurried)
        except BaseException:
            self._applied.set()
            raise
        passing("refresh: after the commit")
        self._refreshed_at = time.perf_counter()
        if not hurried:
            self._found_at = self._refreshed_at
        self._refresh_took = self._refreshed_at - began
        return 0.0

    def _repair(self) -> float:
        with self.ws.transaction() as conn:
            return 0.0 if repair.work(conn, self.ws.clock()) else 1.0

    def _deliver(self) -> float:
        return 0.0 if activate.deliver(self.ws, self.ws.clock(), self.outlet).more else 0.5

    def _follow_calendar(self) -> float:
        """Campaigns whose time has come begin; tests that are over choose their variant."""
        begun, chosen = activate.start_due(self.ws), choose_winners(self.ws, self.ws.clock())
        return 0.0 if begun or chosen else CALENDAR_SECONDS

    def _look_into_mailbox(self) -> float:
        return 1.0 if activate.look_into_mailbox(self.ws) else MAILBOX_SECONDS

    def _import(self) -> float:
        """The next file that waits, was left behind or is to be taken back."""
        with self.ws.transaction() as conn:
            found = collect.next_import(conn)
        if found is None:
            return 1.0
        import_id, state = found
        if state != "undoing":
            collect.perform(self.ws, import_id)
            return 0.0
        return 0.0 if undo_import(self.ws, import_id) else 0.5

    def _analyse(self) -> float:
        """A part of the analysers' rounds, then as long a rest, so that what follows from events goes first."""
        began = time.perf_counter()
        run = analyse(self.ws, self.rounds)
        if run is None:
            return ROUNDS_SECONDS
        if run.finished_at is not None:
            LOG.info("analysers are done", run=run.id, analysers=list(run.analysers), people=run.done)
        return time.perf_counter() - began

    def _read_site(self) -> float:
        """The own site, when what is known of it is old: page by page at its pace, in a thread of its own. A site that cannot be read is tried again later."""
        site, folder = self.ws.settings.site, self.ws.settings.data_dir / "site"
        known = site_state(folder).fetched_at
        if known and datetime.fromisoformat(known) > self.ws.clock() - timedelta(days=site.every_days):
            return SITE_SECONDS
        try:
            found = read_site(site.start, Bounds(site.hosts, site.pages_per_second, site.most_pages), self._ending.wait, self._ending.is_set)
        except NotFetched as refused:
            LOG.warning("the site may not be read", start=site.start, reason=refused.reason)
            return SITE_AGAIN_SECONDS
        if found.pages and found.ended:
            keep_site(folder, found.pages, self.ws.clock())
        LOG.info("the site was read", pages=len(found.pages), left_out=dict(found.left))
        return SITE_SECONDS if found.pages else SITE_AGAIN_SECONDS

    def _sync(self) -> float:
        """Others who keep segments are told what changed."""
        return 0.0 if sync.work(self.ws, self.ws.clock()) else SYNC_SECONDS

    def _fetch_catalogs(self) -> float:
        """Fetch the catalogs that have grown too old."""
        with self.ws.transaction() as conn:
            waiting = catalog.due(conn, self.ws.clock())
        for number in waiting:
            catalog.renew(self.ws, number, self.ws.clock())
        return CATALOG_SECONDS

    def _check_balance(self) -> float:
        """Whether everything accepted is accounted for: at the start, and then each minute. Raises WarehouseDamaged when anybody met damage meanwhile."""
        self.ws.warehouse.refuse_damaged()
        if time.perf_counter() > self._disk_checked_at + DISK_SECONDS:
            self.ws.warehouse.check_disk()
            self._disk_checked_at = time.perf_counter()
        with self.ws.transaction() as conn:
            found = collect.check_balance(conn, self.ws.settings.data_dir, self.ws.clock())
        if not found.holds:
            LOG.error("events do not add up", since=str(found.wrong_since), findings=list(found.findings[:20]))
        return BALANCE_SECONDS

    def _follow_time(self) -> float:
        now = self.ws.clock()
        began = time.perf_counter()
        if step := night.work(self.ws, now):
            LOG.info("a step of the night is done", step=step, seconds=round(time.perf_counter() - began, 3))
            return 0.0
        recount_due(self.ws, now)
        follow_time(self.ws, now)
        return MEMBERSHIP_SECONDS
