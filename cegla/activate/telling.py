"""What became of messages goes into the inbox as events, through the same door as everything else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cegla.activate import browsers
from cegla.activate.rules import returning
from cegla.activate.rules.channels import told_as
from cegla.activate.store import SQL
from cegla.collect import actions as collect
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.messages import MessageState

AT_ONCE = 5_000
FACTS = ("campaign_id", "campaign", "purpose", "reason")
TOLD_AS = {
    MessageState.SENT: returning.SENT,
    MessageState.BOUNCED: returning.BOUNCED,
    MessageState.SKIPPED: returning.SKIPPED,
    MessageState.AMBIGUOUS: returning.AMBIGUOUS,
    MessageState.FAILED: returning.FAILED,
}


def tell(conn: Connection, now: datetime) -> bool:
    """Let what became of messages into the inbox, and commit; says whether there is more. Marking and telling are one transaction, so each is told once."""
    told = list(SQL.tell(conn, most=AT_ONCE))
    events = [
        returning.event(
            told_as(TOLD_AS[MessageState(state)], Channel(channel)), number, returning.within(whom, trace), at, dict(zip(FACTS, facts, strict=True))
        )
        for (number, *facts, address, state, at, channel, trace, _), whom in zip(told, named(conn, told), strict=True)
        if address is not None
    ]
    if events:
        collect.write_down(conn, internal_source(conn, now), returning.requests(events), now)
        passing("tell: before the commit")
    conn.commit()
    if events:
        passing("tell: after the commit")
    return len(told) >= AT_ONCE


def named(conn: Connection, told: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """How the events about messages (rows of `tell`) name their people: by the address, or the browser."""
    browsing = [row[-1] for row in told if row[-3] == Channel.PUSH and row[-1] is not None]
    found = browsers.names_of(conn, browsing) if browsing else {}
    return [found.get(row[-1], {}) if row[-3] == Channel.PUSH else returning.whose(row[5], Channel(row[-3])) for row in told]


def internal_source(conn: Connection, now: datetime) -> int:
    """The source that what happens to messages comes back through."""
    source, _ = collect.add_source(conn, returning.SOURCE, returning.KIND, Basis.CONTRACT, now)
    return source.id
