"""Damage on the disk is found though DuckDB has the blocks in memory and answers as ever."""

import random
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest

from cegla.storage.blocks import HEADER_BYTES, HEADERS, damaged_blocks
from cegla.storage.history_file import marker
from cegla.storage.warehouse import EVENTS, Warehouse
from cegla.vocabulary.errors.installation import WarehouseDamaged

DRAWN = random.Random(4)


def filled(path: Path) -> Warehouse:
    warehouse = Warehouse(path)
    blank = dict.fromkeys(EVENTS.names)
    for batch in range(1, 4):
        rows = [blank | {"batch": batch, "event_id": number, "identity_id": number, "properties": f"{DRAWN.getrandbits(400):x}", "occurred_at": datetime(2026, 1, 1)}
            for number in range(4_000)]  # fmt: skip
        warehouse.append({"events": pa.Table.from_pylist(rows, EVENTS)})
    warehouse.take_back_after(2)  # which writes all of it into the file, and leaves blocks that nobody uses
    return warehouse


def flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x10]))


def test_every_block_that_duckdb_wrote_has_the_sum_it_says(tmp_path: Path) -> None:
    warehouse = filled(tmp_path / "w.duckdb")
    assert warehouse.path.stat().st_size > 1_000_000
    assert damaged_blocks(warehouse.path) == []
    warehouse.check_disk()
    warehouse.close()
    assert damaged_blocks(warehouse.path) == []


@pytest.mark.parametrize("of", range(6))
def test_one_flipped_bit_is_found_while_the_file_is_open(tmp_path: Path, of: int) -> None:
    warehouse = filled(tmp_path / "w.duckdb")
    known = damaged_blocks(warehouse.path)
    size = warehouse.path.stat().st_size
    at = 2 * HEADER_BYTES - 1 if of == 0 else random.Random(of).randrange(HEADERS * HEADER_BYTES, size)
    while of and not _inside_a_written_block(warehouse.path, at):
        at = random.Random(at).randrange(HEADERS * HEADER_BYTES, size)
    flip(warehouse.path, at)
    assert known == []
    assert len(warehouse.verify()) == 3, "the control: DuckDB has it in memory and sees nothing"
    with pytest.raises(WarehouseDamaged):
        warehouse.check_disk()
    assert marker(warehouse.path).exists(), "the next start sets the file aside"
    with pytest.raises(WarehouseDamaged):
        warehouse.refuse_damaged()
    warehouse.close()


def _inside_a_written_block(path: Path, at: int) -> bool:
    """A block of zeros only has no sum, so a flip in one is a flip in nothing."""
    size = 262_144
    with path.open("rb") as file:
        file.seek(HEADERS * HEADER_BYTES + (at - HEADERS * HEADER_BYTES) // size * size)
        return any(file.read(size))
