"""The key reader, when PostgreSQL says nothing at all."""

import asyncio
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from cegla.collect import keyring
from cegla.collect.committer import GroupCommitter, Room
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


@pytest.mark.parametrize("who", ["keyring", "committer"])
def test_who_waits_for_postgresql_looks_again_after_a_tenth_of_the_time_at_most(who: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash everybody waits for the first of the two to see that the log was replayed."""
    pauses: list[float] = []
    loops: list[asyncio.AbstractEventLoop] = []
    honest = asyncio.sleep

    async def sleep(seconds: float) -> None:
        if asyncio.get_running_loop() not in loops:  # a server of another test sleeps as it did
            await honest(seconds)
            return
        pauses.append(seconds)
        if len(pauses) == 40:
            raise asyncio.CancelledError

    async def go() -> None:
        nowhere = f"host={tmp_path} user=postgres dbname=cegla"
        parts = {"keyring": Keyring(nowhere, [], tmp_path), "committer": GroupCommitter(nowhere, 0.001, Room(10, 10, 1.0))}
        loops.append(asyncio.get_running_loop())
        monkeypatch.setattr(asyncio, "sleep", sleep)
        with suppress(asyncio.CancelledError):
            await parts[who].run()

    asyncio.run(go())
    assert len(pauses) == 40 and pauses[-1] > pauses[0], "and less often, the longer it is away"
    assert all(pause <= 0.0201 + 0.1 * sum(pauses[:number]) for number, pause in enumerate(pauses))
