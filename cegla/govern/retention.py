"""How long classes of history are kept: what was announced, what is due, and what was removed when.

Nothing goes by its age before it was announced: the count of what would go stands for some days first, and anew when the setting changes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cegla.govern.rules.chain import Noted
from cegla.govern.store import SQL, noted
from cegla.storage.workspace import Connection


@dataclass(frozen=True)
class Announced:
    """What is known of one class. `days` is the setting that was announced; `removed` rows went at `removed_at`, the last time."""

    days: int
    at: datetime
    due: int
    removed_at: datetime | None
    removed: int


def standing(conn: Connection) -> dict[str, Announced]:
    """Every class that was announced or removed once, by its key."""
    return {key: Announced(*rest) for key, *rest in SQL.retention_standing(conn)}


def begins_at(found: Announced | None, days: int, notice_days: int) -> datetime | None:
    """From when on a class may be removed by itself; None: it has to be announced first."""
    return found.at + timedelta(days=notice_days) if found is not None and found.days == days else None


def announce(conn: Connection, key: str, days: int, due: int, now: datetime) -> None:
    """Say that so many rows would go."""
    SQL.announce_retention(conn, key=key, days=days, due=due, now=now)


def mark_removed(conn: Connection, key: str, days: int, removed: int, now: datetime) -> None:
    """Say that so many rows went."""
    SQL.mark_removed(conn, key=key, days=days, removed=removed, now=now)


def lines(conn: Connection, most: int) -> list[Noted]:
    """The newest lines of the audit log about what was written again or removed of the history, newest first."""
    return list(noted(SQL.audit_rows_on_history(conn, most=most)))


def newest_erasure(conn: Connection) -> int:
    """The number of the last erasure of a person, or of an import that was taken back, by whatever process; 0 when there was none.

    Whoever keeps answers about everybody in memory asks for it first: an answer of before it may be about who is gone.
    """
    return SQL.newest_erasure(conn) or 0
