"""The app's loops: intake, campaigns, and what time alone changes. Each is a thread that ends when it is told to."""

import threading
from collections.abc import Callable
from datetime import timedelta

import psycopg
import structlog

from cegla.activate import actions as activate
from cegla.flow import Intake, night, recompute_segments
from cegla.repair import actions as repair
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import CeglaError, Transient

LOG = structlog.get_logger("worker")
IDLE_SECONDS = 0.1
MEMBERSHIP_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 5.0


class Loops:
    """The threads of one app process over one workspace."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.intake = Intake(ws)
        self.outlet = activate.Outlet(ws)
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(name, work, idle), name=name, daemon=True)
            for name, work, idle in (
                ("intake", self._take_in, IDLE_SECONDS),
                ("campaigns", self._deliver, 0.5),
                ("repairs", self._repair, 1.0),
                ("time", self._follow_time, MEMBERSHIP_SECONDS),
            )
        ]
        self._night_done = ws.clock().astimezone(ws.settings.zone).date()

    def start(self) -> None:
        """Recover from what a crash left, offer the ready-made segments, and begin."""
        with self.ws.transaction() as conn:
            segment.install_ready_made(conn, self.ws.clock())
        self.intake.recover()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each loop finish what it holds, and wait for it."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=20)
        self.outlet.close()

    def _repeat(self, name: str, work: Callable[[], bool], idle_seconds: float) -> None:
        """Call `work` until the end: at once again while it says there is more, else after a pause; failures back off."""
        pause = idle_seconds
        while not self._ending.is_set():
            try:
                more = work()
                pause = 0.0 if more else idle_seconds
            except (Transient, psycopg.OperationalError) as error:
                LOG.warning("waiting for a store to come back", loop=name, error=type(error).__name__)
                pause = min(max(pause * 2, 0.2), LONGEST_PAUSE_SECONDS)
            except (CeglaError, Exception) as error:
                LOG.exception("a loop failed and goes on", loop=name, error=type(error).__name__)
                pause = min(max(pause * 2, 0.5), LONGEST_PAUSE_SECONDS)
            self._ending.wait(pause)

    def _take_in(self) -> bool:
        return self.intake.take_in() is not None

    def _deliver(self) -> bool:
        return activate.deliver(self.ws, self.ws.clock(), self.outlet).more

    def _repair(self) -> bool:
        with self.ws.transaction() as conn:
            return repair.work(conn, self.ws.clock())

    def _follow_time(self) -> bool:
        now = self.ws.clock()
        today = (now.astimezone(self.ws.settings.zone) - timedelta(hours=3)).date()
        if today > self._night_done:
            LOG.info("night work done", seconds=night(self.ws, now))
            self._night_done = today
        else:
            recompute_segments(self.ws, now)
        return False
