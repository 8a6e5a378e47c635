"""A warehouse whose log a power cut tore, or that was damaged since, opens with what is whole of it."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cegla.storage.opening import open_or_set_aside
from cegla.storage.warehouse import EVENTS, Warehouse, table

NOW = datetime(2026, 11, 26, tzinfo=UTC)
FILE, LOG = "w.duckdb", "w.duckdb.wal"


def rows(batch: int) -> dict[str, pa.Table]:
    blank = dict.fromkeys(EVENTS.names)
    events = [{**blank, "batch": batch, "event_id": batch * 100 + n, "identity_id": n, "occurred_at": datetime(2026, 1, 1)} for n in range(50)]
    return {"events": pa.Table.from_pylist(events, schema=EVENTS)}


def cut_off(folder: Path, found: Path, *work: Callable[[Warehouse], object]) -> list[int]:
    """Do some work and leave the files as a power cut at the end of it would; returns how long the log was after each piece."""
    warehouse = Warehouse(folder / FILE)
    sizes: list[int] = []
    for piece in work:
        piece(warehouse)
        sizes.append((folder / LOG).stat().st_size if (folder / LOG).exists() else 0)
    found.mkdir()
    for name in (FILE, LOG):
        if (folder / name).exists():
            shutil.copy(folder / name, found / name)
    warehouse.close()
    return sizes


def appended(batch: int) -> Callable[[Warehouse], object]:
    return lambda warehouse: warehouse.append(rows(batch))


def damage(log: Path, at: int, size: int) -> None:
    with log.open("r+b") as file:
        file.seek(at)
        kept = file.read(size)
        file.seek(at)
        file.write(bytes(byte ^ 0x5A for byte in kept))


def counted(found: Path) -> tuple[dict[int, int], Path | None]:
    warehouse, aside = open_or_set_aside(found / FILE, NOW)
    events = table("events")
    rows = warehouse.run(events.group_by("batch").aggregate(n=events.count())).to_pylist()
    warehouse.close()
    return {row["batch"]: row["n"] for row in rows}, aside


@pytest.mark.parametrize(("hit", "left"), [(3, 3), (1, 1), (0, 0)])
def test_a_log_with_a_torn_end_is_cut_to_what_is_whole_and_a_copy_is_kept(tmp_path: Path, hit: int, left: int) -> None:
    sizes = cut_off(tmp_path / "live", found := tmp_path / "found", *(appended(batch) for batch in range(1, 5)))
    damage(found / LOG, sizes[hit] - 400, 300)
    held = (found / LOG).read_bytes()
    assert counted(found) == (dict.fromkeys(range(1, left + 1), 50), None)
    (folder,) = (found / "set-aside").iterdir()
    assert [file.read_bytes() for file in folder.iterdir()] == [held]
    assert counted(found)[0] == dict.fromkeys(range(1, left + 1), 50), "and it opens again"


def test_a_torn_log_brings_nobody_back_who_was_removed(tmp_path: Path) -> None:
    work = (appended(1), lambda one: one.erase([7]), appended(2), lambda one: one.erase_between([(200, 219)]), lambda one: one.take_back_after(2), appended(3))  # type: ignore[arg-type]
    sizes = cut_off(tmp_path / "live", found := tmp_path / "found", *work)
    assert [sizes[place] for place in (1, 3, 4)] == [0, 0, 0], "what removes rows leaves no log"
    damage(found / LOG, sizes[-1] - 400, 300)
    assert counted(found) == ({1: 49, 2: 30}, None)


def test_a_damaged_file_is_set_aside_whole_as_ever(tmp_path: Path) -> None:
    cut_off(tmp_path / "live", found := tmp_path / "found", appended(1), lambda one: one.close())
    damage(found / FILE, 0, 4_096)
    assert counted(found)[0] == {}
    assert (found / "set-aside").exists()


@pytest.mark.parametrize("lost", [FILE, LOG])
def test_a_log_of_another_version_of_the_file_sets_both_aside(tmp_path: Path, lost: str) -> None:
    """What a disk that only says it flushed leaves: of the file and its log one as it was before a checkpoint, and one after."""
    cut_off(tmp_path / "live", before := tmp_path / "before", appended(1))
    cut_off(tmp_path / "live", found := tmp_path / "found", appended(2))  # opening it moved the log into the file
    shutil.copy(before / lost, found / lost)
    rest, aside = counted(found)
    assert (rest, aside and {file.name for file in aside.iterdir()}) == ({}, {FILE, LOG})
