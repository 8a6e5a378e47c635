"""Migrations: numbered SQL files, one slice's tables each (`migrations/0001.collect.sql`), applied once and in order.

A migration only adds, so an old collector can run beside a new app while an installation is updated. A new collector
waits until its own are applied (`missing`).
Why not a library: docs/decisions/0003-own-migrations.md.
"""

import hashlib
from pathlib import Path

import psycopg

from cegla.vocabulary.errors import Broken
from cegla.vocabulary.errors.installation import DatabaseAway

FOLDER = Path(__file__).parent / "migrations"
LOCK_KEY = 7_236_452

_LEDGER = """
create schema if not exists storage;
create table if not exists storage.migrations (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
)
"""


def migrate(dsn: str, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing, each file in one transaction, and return the names that ran. The others wait for a lock.

    Raises Broken when an applied file was changed afterwards, DatabaseAway when PostgreSQL does not answer.
    """
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("select pg_advisory_lock(%s)", [LOCK_KEY])
            conn.execute(_LEDGER)
            applied: dict[str, str] = dict(conn.execute("select name, sha256 from storage.migrations").fetchall())
            return [file.stem for file in sorted(folder.glob("*.sql")) if _apply(conn, file, applied)]
    except psycopg.OperationalError as error:
        raise DatabaseAway(where="dsn", seen=str(error).splitlines()[0]) from None


async def missing(conn: psycopg.AsyncConnection, folder: Path = FOLDER) -> list[str]:
    """The names of migrations that this code knows and the database does not have yet. Raises psycopg.Error where none was ever applied."""
    applied = {name for (name,) in await (await conn.execute("select name from storage.migrations")).fetchall()}
    return sorted({file.stem for file in folder.glob("*.sql")} - applied)


def lacking(conn: psycopg.Connection, folder: Path = FOLDER) -> list[str]:
    """The names of migrations that this version needs and the database has not."""
    applied = {name for (name,) in conn.execute("select name from storage.migrations").fetchall()}
    return sorted(file.stem for file in folder.glob("*.sql") if file.stem not in applied)


def _apply(conn: psycopg.Connection, file: Path, applied: dict[str, str]) -> bool:
    text = file.read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    if file.stem in applied:
        if applied[file.stem] != digest:
            raise Broken(where=str(file), detail=f"the applied migration {file.stem} was changed afterwards")
        return False
    with conn.transaction():
        conn.execute(text)
        conn.execute("insert into storage.migrations (name, sha256) values (%s, %s)", [file.stem, digest])
    return True
