"""Whether the ledger is what it was: each identity's chain, and seals over stretches of it, whose figures stand in the audit chain too."""

from dataclasses import dataclass
from datetime import datetime

from cegla.govern import store
from cegla.govern.store import SQL
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
