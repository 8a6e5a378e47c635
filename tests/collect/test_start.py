"""A collector beside a PostgreSQL that is only coming up: it listens at once, and says truthfully when it can commit."""

import asyncio
from pathlib import Path

import psycopg

from cegla.storage import migrations
from cegla.storage.workspace import Workspace
from tests.collect.opened import EVENT, opened, ready


def test_a_collector_newer_than_the_tables_waits_for_their_migration(workspace: Workspace, tmp_path: Path) -> None:
    """While an installation is updated, its collectors start before the migrations are applied."""

    async def go() -> None:
        with psycopg.connect(workspace.dsn, autocommit=True) as conn:
            newest = conn.execute("delete from storage.migrations where name = (select max(name) from storage.migrations) returning name, sha256").fetchone()
            assert newest is not None
            async with opened(workspace.dsn, tmp_path) as (door, client):
                while not door.keyring.fresh:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.1)  # several attempts
                asked = await client.get("/readyz")
                assert (asked.status_code, asked.json()["store"]) == (503, False)
                assert (await client.post("/v1/track", json=EVENT)).status_code in (401, 503)
                conn.execute("insert into storage.migrations (name, sha256) values (%s, %s)", newest)
                await ready(door)
                assert (await client.get("/readyz")).status_code == 200

    asyncio.run(go())


def test_missing_migrations_are_those_whose_files_are_not_applied(workspace: Workspace, tmp_path: Path) -> None:
    for name in ("0001.first", "9999.next"):
        (tmp_path / f"{name}.sql").write_text("select 1")

    async def go() -> None:
        async with await psycopg.AsyncConnection.connect(workspace.dsn) as conn:
            assert await migrations.missing(conn) == []
            assert "9999.next" in await migrations.missing(conn, tmp_path)

    asyncio.run(go())
