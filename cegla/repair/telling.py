"""What is told of a quarantined event: what it was, what happened to it, and what was noted of it in both languages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cegla.plan import actions as plan
from cegla.repair import store
from cegla.repair.rules import details
from cegla.repair.rules.returning import Obstacle
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Reason
from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class Quarantined:
    """An event that could not be used. `payload` is None when it was withheld for lack of a consent, or erased."""

    id: int
    source_id: int
    reason: Reason
    detail: str
    payload: bytes | None
    message_id: str | None
    event: str | None
    received_at: datetime
    set_aside_at: datetime
    replayed_at: datetime | None
    discarded_at: datetime | None
    erased_at: datetime | None
    run_id: int | None
    events: int  #: more than one when a whole request was set aside
    trusted: bool  #: came with a secret key or from this installation
    ip: str | None  #: truncated
    writer: int  #: with number and index its place in the inbox
    number: int
    index: int
    times: int  #: how often it came while it waited
    last_at: datetime | None  #: when it came last, if more than once
    trace: str | None  #: the W3C traceparent it came with

    @property
    def state(self) -> str:
        """open, replayed, discarded."""
        return "replayed" if self.replayed_at else "discarded" if self.discarded_at else "open"

    @property
    def obstacle(self) -> Obstacle | None:
        """Why it cannot be replayed, if it cannot."""
        if self.payload is not None:
            return None
        return Obstacle.ERASED if self.erased_at else Obstacle.WITHHELD


@dataclass(frozen=True)
class Run:
    """One decision on many events. `done` and `left_out` (by why) add up to `events` when nothing else took some meanwhile."""

    id: int
    what: str  #: replay, discard
    filter: dict[str, Any]
    fix: dict[str, Any] | None
    why: str
    started_by: str
    started_at: datetime
    events: int
    done: int
    left_out: dict[str, int]
    ended_at: datetime | None
    stopped_by: str | None


@dataclass(frozen=True)
class History:
    """What happened to one event: every time it was set aside, and the run that moved it."""

    times: tuple[tuple[int, Reason, datetime, datetime | None], ...]  #: id, reason, set aside at, replayed at
    run: Run | None


def history_of(conn: Connection, row: Quarantined) -> History:
    """What happened to one event."""
    times = store.SQL.same_event(conn, source_id=row.source_id, message_id=row.message_id) if row.message_id else []
    run = [Run(*found) for found in store.SQL.runs(conn, id=row.run_id, limit=1)] if row.run_id else []
    return History(tuple((one[0], Reason(one[1]), one[2], one[3]) for one in times), run[0] if run else None)


def in_trace(conn: Connection, trace_id: str, limit: int) -> list[tuple[int, int, int]]:
    """Where the events of a W3C trace came in (writer, number, index) that were set aside and not replayed, newest first."""
    return [tuple(row) for row in store.SQL.in_trace(conn, trace_id=trace_id, most=limit)]


def say_detail(detail: str, *, values: bool) -> Text:
    """What was noted of an event; without `values` what it quotes of the event is hidden."""
    return details.said(detail, {str(kind): label for kind, label in plan.VIOLATIONS.items()}, values=values)
