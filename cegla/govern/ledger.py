"""Whether the ledger is what it was: each identity's chain, and seals over stretches of it, whose figures stand in the audit chain too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from cegla.govern import store
from cegla.govern.store import SQL
from cegla.storage.arrays import numbers
from cegla.storage.workspace import Connection


@dataclass(frozen=True)
class Soundness:
    """What a check found: the first decision that does not follow from the one before, the first seal that does not fit, the newest seal."""

    broken_record: int | None
    broken_seal: int | None
    sealed_at: datetime | None
    sealed: int  #: decisions under the newest seal

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, taken out or cut off."""
        return self.broken_record is None and self.broken_seal is None


def check(conn: Connection) -> Soundness:
    """Read the whole ledger and say whether it is what it was."""
    last = SQL.last_seal(conn)
    return Soundness(SQL.first_broken_decision(conn), SQL.first_broken_seal(conn), last[3] if last else None, last[2] if last else 0)


def seal(conn: Connection, now: datetime) -> int:
    """Seal what was decided since the last seal, and tell the audit chain; returns how many decisions that were. Writers wait meanwhile."""
    SQL.lock_ledger(conn)
    row = SQL.add_seal(conn, now=now)
    if row is None:
        return 0
    number, up_to, decisions, total = row
    store.lengthen_audit(conn, now, ("cegla", "ledger.seal", f"seal {number}"), {"up_to": up_to, "decisions": decisions, "sum": total})
    return int(decisions)


class Mark(NamedTuple):
    """How far the ledger, the pauses and the suppression list were at a moment."""

    record_id: int
    pause_id: int
    at: datetime


UNDER_WAY = timedelta(seconds=5)  #: so long it may take until others see that an address was suppressed
NOTHING = Mark(0, 0, store.EVER)


def mark(conn: Connection, at: datetime) -> Mark:
    """How far everything that people say is now; to be taken before the gate is asked."""
    record_id, pause_id = SQL.heads(conn)
    return Mark(record_id, pause_id, at - UNDER_WAY)


def touched(conn: Connection, whom: Mapping[int, Sequence[int]], since: Mark) -> set[int]:
    """Whose (key → identities) word the gate may not know: who decided or paused after a mark."""
    everybody = [identity for identities in whom.values() for identity in identities]
    told = {identity for (identity,) in SQL.said_since(conn, ids=numbers(everybody), record_id=since.record_id, pause_id=since.pause_id)}
    return {key for key, identities in whom.items() if not told.isdisjoint(identities)} if told else set()


def anybody_suppressed(conn: Connection, since: Mark) -> bool:
    """Whether an address was suppressed after a mark, or so shortly before that the gate may not have seen it."""
    return bool(SQL.suppressed_since(conn, at=since.at))
