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

SIZE = 262_144  #: of a block
DRAWN = random.Random(4)


def filled(path: Path) -> Warehouse:
    warehouse = Warehouse(path)
    for batch in range(1, 4):
        warehouse.append({"events": rows_of(batch)})
    warehouse.take_back_after(2)  # which writes all of it into the file
    return warehouse


def rows_of(batch: int) -> pa.Table:
    blank = dict.fromkeys(EVENTS.names)
    rows = [blank | {"batch": batch, "event_id": number, "identity_id": number, "properties": f"{DRAWN.getrandbits(400):x}", "occurred_at": datetime(2026, 1, 1)}
        for number in range(4_000)]  # fmt: skip
    return pa.Table.from_pylist(rows, EVENTS)


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
    while of and not _inside_a_used_block(warehouse, at):
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


def test_a_free_block_that_is_torn_is_no_damage(tmp_path: Path) -> None:
    warehouse = filled(tmp_path / "w.duckdb")
    for batch in (3, 4):
        warehouse.append({"events": rows_of(batch)})
        warehouse.take_back_after(batch)  # what is written anew leaves blocks that nobody uses
    places = range(HEADERS * HEADER_BYTES, warehouse.path.stat().st_size, SIZE)
    free = [at for at in places if not _inside_a_used_block(warehouse, at)]
    assert free and len(free) < len(places)
    for at in free:
        with warehouse.path.open("r+b") as file:
            file.seek(at)
            file.write(b"torn" * 1_000)
    assert len(damaged_blocks(warehouse.path)) == len(free)
    warehouse.check_disk()
    assert not marker(warehouse.path).exists()
    flip(warehouse.path, next(at for at in places if at not in free) + 100)
    with pytest.raises(WarehouseDamaged):
        warehouse.check_disk()
    warehouse.close()


def _inside_a_used_block(warehouse: Warehouse, at: int) -> bool:
    number = (at - HEADERS * HEADER_BYTES) // SIZE
    return warehouse._file._of_use([number]) == [number]  # pyright: ignore[reportPrivateUsage]
