"""The tables of quarantine and of the runs over it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from cegla.repair.rules.returning import event_name
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Reason, SetAside

SQL = statements.load(__file__)
WHOLE_REQUEST = [Reason.INTAKE_FAILED.value, Reason.UNREADABLE_BODY.value]


def set_aside(conn: Connection, rows: Sequence[SetAside], now: datetime) -> None:
    """Put events into quarantine."""
    SQL.set_aside(
        conn,
        source_ids=[row.source_id for row in rows],
        reasons=[str(row.reason) for row in rows],
        details=[row.detail.replace("\0", "") for row in rows],
        payloads=[row.payload for row in rows],
        message_ids=[row.message_id for row in rows],
        events=[event_name(row.payload) for row in rows],
        received=[row.received_at for row in rows],
        writers=[row.writer for row in rows],
        numbers=[row.number for row in rows],
        indexes=[row.index for row in rows],
        remembered=[row.remembered for row in rows],
        kinds=[row.kind for row in rows],
        whole=WHOLE_REQUEST,
        now=now,
    )


def as_json(value: Mapping[str, Any] | None) -> Jsonb | None:
    """A value for a jsonb column."""
    return None if value is None else Jsonb(dict(value))
