"""What is too old goes: by class of history, after notice, with a line in the audit log.

    due     ──►  how many rows of each class are older than its setting          changes nothing
    forget  ──►  gone from the warehouse, its snapshot, and by the night from the bytes of the file
    night   ──►  announces what is due, and forgets what was announced long enough ago
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree

import structlog

from cegla.govern import actions as govern
from cegla.storage import retention
from cegla.storage.retention import CLASSES, Kept
from cegla.storage.workspace import Workspace
from cegla.vocabulary.text import Text

LOG = structlog.get_logger("flow")
NIGHT = "retention"  #: who did it, in the audit log


@dataclass(frozen=True)
class Due:
    """One class: kept for `days` (0: for good), so what is before `before` (UTC) goes: `rows`, the oldest from `oldest`.

    By itself it goes from `begins_at` on; None: it was not announced yet.
    """

    key: str
    label: Text
    days: int
    before: datetime | None
    rows: int
    oldest: datetime | None
    begins_at: datetime | None
    removed_at: datetime | None
    removed: int


def due(ws: Workspace, now: datetime) -> list[Due]:
    """What is older than its setting, class by class."""
    with ws.transaction() as conn:
        known = govern.retention.standing(conn)
    found: list[Due] = []
    for kept in CLASSES:
        days, said = days_of(ws, kept), known.get(kept.key)
        before = retention.cutoff(now, days) if days else None
        rows, oldest = retention.count(ws.warehouse, kept, before) if before else (0, None)
        begins = govern.retention.begins_at(said, days, ws.settings.retention.notice_days) if days else None
        found.append(Due(kept.key, kept.label, days, before, rows, oldest, begins, said and said.removed_at, said.removed if said else 0))
    return found


def forget(ws: Workspace, now: datetime, actor: str, keys: Collection[str] = ()) -> dict[str, int]:
    """Remove what is due now, of these classes or of all; returns rows by class. Raises DiskFull; then it can be repeated.

    The bytes go when the warehouse's file is written anew, which the next night does.
    """
    removed: dict[str, int] = {}
    for kept in CLASSES:
        days = days_of(ws, kept)
        if not days or (keys and kept.key not in keys):
            continue
        before = retention.cutoff(now, days)
        removed[kept.key] = retention.remove(ws.warehouse, ws.snapshots, kept, before)
        if removed[kept.key]:
            with ws.transaction() as conn:
                govern.retention.mark_removed(conn, kept.key, days, removed[kept.key], now)
                govern.note(conn, actor, "history.forget", kept.key, {"rows": removed[kept.key], "before": before.isoformat()}, now)
    return removed


def each_night(ws: Workspace, now: datetime) -> dict[str, int]:
    """Announce what is due for the first time, remove what was announced long enough ago, and drop damaged files that lay aside long enough."""
    ripe: list[str] = []
    for one in due(ws, now):
        if one.rows and one.begins_at is None:
            with ws.transaction() as conn:
                govern.retention.announce(conn, one.key, one.days, one.rows, now)
                govern.note(conn, NIGHT, "history.will_forget", one.key, {"rows": one.rows, "days": one.days}, now)
            LOG.warning("history will be removed by its age", of=one.key, rows=one.rows, after_days=ws.settings.retention.notice_days)
        elif one.rows and one.begins_at is not None and one.begins_at <= now:
            ripe.append(one.key)
    _drop_set_aside(ws, now)
    return forget(ws, now, NIGHT, ripe) if ripe else {}


def set_aside(ws: Workspace) -> list[Path]:
    """Damaged files that were moved aside, whole: folders beside the warehouse, files beside its snapshot."""
    found = [*(ws.warehouse_file.parent / "set-aside").glob("*"), *(ws.settings.data_dir / "snapshots" / "set-aside").glob("*/*")]
    return sorted(found)


def days_of(ws: Workspace, kept: Kept) -> int:
    """For how long a class is kept; 0: for good."""
    return int(getattr(ws.settings.retention, f"{kept.key}_days"))


def _drop_set_aside(ws: Workspace, now: datetime) -> None:
    oldest = now - timedelta(days=ws.settings.retention.set_aside_days)
    old = [place for place in set_aside(ws) if place.stat().st_mtime < oldest.timestamp()]
    for place in old:
        if place.is_dir():
            rmtree(place)
        else:
            place.unlink()
    if old:
        with ws.transaction() as conn:
            govern.note(conn, NIGHT, "history.drop_set_aside", "", {"files": len(old)}, now)
