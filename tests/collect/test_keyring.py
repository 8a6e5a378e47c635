"""The key reader, when PostgreSQL says nothing at all."""

import asyncio
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from cegla.collect import keyring
from cegla.collect.keyring import Keyring
from cegla.collect.refusals import Refusals
from cegla.storage.workspace import Workspace


class Hanging:
    """Notes whose first writing never ends."""

    def __init__(self) -> None:
        self.calls = 0
        self.written = asyncio.Event()

    async def write(self, _: psycopg.AsyncConnection) -> None:
        self.calls += 1
        if self.calls == 1:
            await asyncio.Event().wait()
        self.written.set()


def test_a_note_that_never_ends_does_not_keep_the_list_from_being_read(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "READ_SECONDS", 1.0)
    monkeypatch.setattr(keyring, "EVERY_SECONDS", 0.05)

    async def go() -> None:
        notes = Hanging()
        reading = asyncio.create_task(Keyring(workspace.dsn, [notes], tmp_path).run())
        async with asyncio.timeout(30):
            await notes.written.wait()
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading

    asyncio.run(go())


def test_counts_whose_writing_is_cut_off_are_kept_for_the_next_time() -> None:
    class Never:
        async def execute(self, *_: object) -> None:
            await asyncio.Event().wait()

    async def go() -> None:
        refusals = Refusals()
        refusals.count(1, "busy")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await refusals.write(Never())  # type: ignore[arg-type]
        assert refusals._counts == {(1, "busy"): 1}

    asyncio.run(go())
