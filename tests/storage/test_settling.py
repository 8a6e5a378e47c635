"""What was renamed, linked or removed is told to the disk before anybody relies on it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cegla.storage import opening
from cegla.storage.files import Files
from cegla.storage.keys import Keys

ROWS = pa.table({"batch": pa.array([1, 2], pa.int64()), "person": pa.array([7, 8], pa.int64())})


@pytest.fixture
def files(tmp_path: Path) -> Files:
    held = Files(tmp_path / "history", {"events": ROWS.schema})
    held.append("events", ROWS, 1, 2)
    return held


def _warehouse_aside(folder: Path) -> Path:
    (folder / "events.duckdb").touch()
    return opening.set_aside(folder / "events.duckdb", datetime(2026, 11, 26, tzinfo=UTC))


CHANGES: dict[str, tuple[Callable[[Files], object], str]] = {
    "an added file": (lambda files: files.append("events", ROWS, 3, 4), "history/events"),
    "rows of somebody erased": (lambda files: files.remove("events", "person", [(7, 7)]), "history/events"),
    "batches whose numbers are used again": (lambda files: files.take_back_after(0), "history/events"),
    "a damaged file": (lambda files: files.set_aside(files.listed("events")[0]), "history/set-aside/events"),
    "a key": (lambda files: Keys(files.folder.parent / "keys"), "keys"),
    "a damaged warehouse": (lambda files: _warehouse_aside(files.folder.parent), "set-aside/20261126T000000Z"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_folder_is_settled_after_its_last_change(change: str, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    do, folder = CHANGES[change]
    settled: dict[int, list[str]] = {}
    real = os.fsync

    def listen(number: int) -> None:
        real(number)
        if Path(f"/proc/self/fd/{number}").is_dir():
            settled[os.fstat(number).st_ino] = sorted(os.listdir(number))

    monkeypatch.setattr(os, "fsync", listen)
    do(files)
    assert settled[(tmp_path / folder).stat().st_ino] == sorted(os.listdir(tmp_path / folder))
