"""The model of a disk: what it may hold after its power went."""

import random
from pathlib import Path

from bench.trials.disk import SECTOR, File

BEFORE, AFTER = b"a" * SECTOR, b"b" * SECTOR
NOTHING_UNSYNCED = 0.0


def held(file: File) -> bytes:
    return file.after_cut(random.Random(1), NOTHING_UNSYNCED)


def synced(file: File, process: int = 1) -> None:
    file.begin_sync(process)
    file.end_sync(process)


def test_what_was_synced_is_held_and_what_was_not_may_be() -> None:
    file = File()
    file.write(0, BEFORE)
    synced(file)
    file.write(0, AFTER)
    assert held(file) == BEFORE
    assert file.after_cut(random.Random(1), 1.0) == AFTER


def test_a_sync_saves_what_was_written_before_it_began() -> None:
    file = File()
    file.write(0, BEFORE)
    file.begin_sync(1)
    file.write(0, AFTER)
    file.end_sync(1)
    assert held(file) == BEFORE


def test_a_slow_sync_takes_nothing_back_that_a_later_one_saved() -> None:
    file = File()
    file.write(0, BEFORE)
    file.begin_sync(1)
    file.write(0, AFTER * 2)
    synced(file, process=2)
    file.end_sync(1)
    assert held(file) == AFTER * 2


def test_a_file_shortened_while_a_sync_is_on_its_way_keeps_what_that_sync_saved() -> None:
    file = File()
    file.write(0, BEFORE * 3)
    synced(file)
    file.begin_sync(1)
    file.resize(SECTOR)
    file.end_sync(1)
    assert held(file) == BEFORE * 3
    file.resize(2 * SECTOR)
    synced(file)
    assert held(file) == BEFORE + bytes(SECTOR)


def test_an_untouched_file_is_its_copy(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(BEFORE)
    file = File(copy)
    file.touch()
    assert held(file) == BEFORE
