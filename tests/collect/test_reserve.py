"""The reserve on the disk: taken while there is room, given up when the disk is full, and taken again."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from cegla.collect import reserve


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_the_reserve_really_takes_room_and_gives_it_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 0, 1 << 39))
    reserve.keep(tmp_path)
    assert (tmp_path / reserve.NAME).stat().st_blocks * 512 >= reserve.BYTES
    reserve.give_up(tmp_path)
    reserve.give_up(tmp_path)
    assert not (tmp_path / reserve.NAME).exists()
    reserve.keep(tmp_path)
    assert (tmp_path / reserve.NAME).exists()


def test_a_nearly_full_disk_gives_no_reserve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1_000 << 20, 0, 60 << 20))
    reserve.keep(tmp_path)
    assert not (tmp_path / reserve.NAME).exists()
