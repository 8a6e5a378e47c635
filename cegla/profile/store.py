"""The tables of profiles: computed facts, declared traits, sessions that are still open."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from cegla.profile.rules.enrichment import Declared
from cegla.profile.rules.sessions import Remembered, Session, Sessions
from cegla.storage import statements
from cegla.storage.workspace import Connection

SQL = statements.load(__file__)
_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")  # an escaped backslash before u0000 is no escape of NUL


def load_sessions(conn: Connection, remembered: dict[int, Remembered], identity_ids: Iterable[int]) -> None:
    """Add what is stored of the sessions of these identities, as far as it is not remembered already."""
    missing = [identity for identity in set(identity_ids) if identity not in remembered]
    if missing:
        for identity_id, session_id, started, last, campaign, *late in SQL.find_sessions(conn, ids=missing):
            remembered[identity_id] = Remembered(Session(session_id, started, last, campaign), Session(*late) if late[0] is not None else None)


def keep_sessions(conn: Connection, sessions: Sessions) -> None:
    """Remember the sessions that moved."""
    if not sessions.changed:
        return
    SQL.make_incoming_sessions(conn)
    with conn.cursor() as cursor, cursor.copy(SQL.fill_incoming_sessions.sql) as copy:
        copy.set_types(["int8", "int8", "int8", "int8", "text", "int8", "int8", "int8", "text"])
        for identity_id in sessions.changed:
            known = sessions.remembered[identity_id]
            copy.write_row((identity_id, *_fields(known.newest), *_fields(known.late)))
    SQL.keep_sessions(conn)
    SQL.empty_incoming_sessions(conn)


def keep_declared(conn: Connection, declared: Sequence[Declared]) -> None:
    """Keep what was declared where it is newer than what is known."""
    if not declared:
        return
    SQL.make_incoming_declared(conn)
    with conn.cursor() as cursor, cursor.copy(SQL.fill_incoming_declared.sql) as copy:
        for row in declared:
            value = None if row.value is None else as_stored(row.value)
            copy.write_row((row.identity_id, row.key, value, row.source_id, row.declared_at, row.import_id, row.message_id.replace("\0", "")))
    SQL.keep_declared(conn)
    SQL.empty_incoming_declared(conn)


def keep_profiles(conn: Connection, documents: pa.Table, now: datetime) -> None:
    """Put computed facts in place. `documents` has `person_id` and `document`, a JSON text."""
    if not documents.num_rows:
        return
    SQL.make_incoming_profiles(conn)
    people, texts = documents["person_id"].to_pylist(), documents["document"].to_pylist()
    rows = "\n".join(f"{person}\t{text}" for person, text in zip(people, texts, strict=True))
    with conn.cursor() as cursor, cursor.copy(SQL.fill_incoming_profiles.sql) as copy:
        copy.write(without_nul(rows).replace("\\", "\\\\"))
    SQL.keep_profiles(conn, now=now)
    SQL.empty_incoming_profiles(conn)


def _fields(session: Session | None) -> tuple[int | str | None, ...]:
    return (session.id, session.started, session.last, session.campaign) if session else (None, None, None, None)


def as_stored(value: Any) -> str:
    """A value as a JSON text that PostgreSQL can hold."""
    return without_nul(msgspec.json.encode(value, enc_hook=str).decode())


def without_nul(text: str) -> str:
    """JSON that PostgreSQL can hold: it has no place for the character NUL."""
    return _NUL.sub(r"\1", text) if "\\u0000" in text else text
