"""What the engine says when its disk is full, and what is made of it."""

from collections import namedtuple
from pathlib import Path

import duckdb
import pytest

from cegla.storage import history_file
from cegla.storage.history_file import marker
from cegla.storage.warehouse import Warehouse
from cegla.vocabulary.errors.installation import DiskFull, WarehouseHalted

NO_COMMIT = 'TransactionContext Error: Failed to commit: Could not write file "w.duckdb.wal": No space left on device'
NO_CHECKPOINT = 'FATAL Error: Failed to create checkpoint because of error: Could not write file "w.duckdb": No space left on device'
HALTED = (
    "FATAL Error: Failed: database has been invalidated because of a previous fatal error. The database must be restarted prior to being used again.\n"
    'Original error: "Failed to create checkpoint because of error: Could not write file "w.duckdb": No space left on device"'
)
Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("error", "free", "refusal"),
    [
        (duckdb.TransactionException(NO_COMMIT), 0, DiskFull),
        (duckdb.TransactionException(NO_COMMIT), 1 << 40, DiskFull),
        (duckdb.FatalException(NO_CHECKPOINT), 0, DiskFull),
        (duckdb.FatalException(HALTED), 0, DiskFull),
        (duckdb.FatalException(HALTED), 1 << 40, WarehouseHalted),
    ],
    ids=["commit", "commit-room", "checkpoint", "halted", "halted-room"],
)
def test_a_full_disk_is_told_whatever_failed_for_it_and_a_halted_file_is_opened_again_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: duckdb.Error, free: int, refusal: type[DiskFull]
) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    monkeypatch.setattr(history_file, "disk_usage", lambda _: Usage(1 << 40, 0, free))
    with pytest.raises(DiskFull) as told, warehouse._cursor():
        raise error
    assert type(told.value) is refusal
    assert not marker(warehouse.path).exists()  # nothing is damaged: the file is not to be moved aside
    warehouse.close()
