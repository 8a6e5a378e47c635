"""The balance: what must add up, counted every minute and after each start, and kept with the moment since when it does not.

per source    accepted = applied + repeated + quarantined + ignored + waiting
per writer    the requests that wait stand without a gap between intake's place and the newest
per writer    intake has a place behind everybody who wrote; one that was lost (a page of zeros is an empty one) is made again
per chain     the head that is stored (in PostgreSQL, in intake's place, in a file beside it) is the head that is there
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cegla.collect import heads
from cegla.collect.store import SQL
from cegla.storage.workspace import Connection


@dataclass(frozen=True)
class Balance:
    """The last count. `findings` say what does not add up, in words without personal data; empty when everything does."""

    checked_at: datetime
    wrong_since: datetime | None
    findings: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether everything adds up."""
        return not self.findings


def balance(conn: Connection) -> Balance | None:
    """The last count; None before the first."""
    row = SQL.balance(conn)
    return Balance(row[0], row[1], tuple(row[2])) if row else None


def count_balance(conn: Connection, uneven: Sequence[str], data_dir: Path, now: datetime) -> Balance:
    """Count now and keep the result. `uneven` are the sources whose figures do not add up, said by whoever has them."""
    lost = [f"writer {writer}: intake had lost its place; what came after {taken} is read again" for writer, taken in SQL.place_again(conn)]
    losses = heads.look(conn, data_dir / heads.FOLDER, now)
    findings = [*uneven, *lost, *(f"writer {row[0]}: {row[1]}" for row in SQL.broken_chains(conn))]
    findings += [f"writer {loss.writer}: acknowledged {loss.expected}, found {loss.found}" for loss in losses]
    places, requests = SQL.damage(conn)
    if places:
        findings.append(f"inbox: {places} damaged places, {requests} requests")
    SQL.keep_balance(conn, now=now, findings=findings)
    kept = balance(conn)
    return kept if kept is not None else Balance(now, None, tuple(findings))
