"""A door that really listens, for the tests of the contract: sockets, parser, committer and PostgreSQL are the real ones."""

import asyncio
import base64
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from cegla.collect.wire import Door
from cegla.storage.settings import CollectorSettings

EVENT = {"type": "track", "event": "Product Viewed", "messageId": "m-1", "anonymousId": "a-1"}
LIMITS = CollectorSettings.model_validate({"largest_request_bytes": 10_000, "group_milliseconds": 0})
Talk = Callable[[httpx.AsyncClient], Awaitable[None]]


@asynccontextmanager
async def opened(
    dsn: str, directory: Path, kind: type[Door] = Door, limits: CollectorSettings = LIMITS, **more: Any
) -> AsyncGenerator[tuple[Door, httpx.AsyncClient]]:
    """A door between its start and its end, and a client at it."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    door = kind(dsn, limits, directory, **more)
    await door.open([listening])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=60) as client:
        try:
            yield door, client
        finally:
            await door.close()


async def ready(door: Door) -> None:
    while not (door.committer.ready and door.keyring.fresh):
        await asyncio.sleep(0.01)


def talk(dsn: str, directory: Path, conversation: Talk, limits: CollectorSettings = LIMITS, **more: Any) -> None:
    """A conversation with a door that is ready."""

    async def go() -> None:
        async with opened(dsn, directory, limits=limits, **more) as (door, client):
            await ready(door)
            await conversation(client)

    asyncio.run(go())


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}
