"""Opening the warehouse's file, which may have been damaged since it was written: such a file is moved aside whole, and an empty one takes its place."""

from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path

import duckdb

from cegla.storage.history_file import marker
from cegla.storage.rewriting import erased_marker, sweep
from cegla.storage.warehouse import Warehouse
from cegla.vocabulary.errors.installation import WarehouseDamaged

LARGEST_VERIFIED_BYTES = 2 << 30  #: a larger file is read through by the doctor, not at each start


def open_or_set_aside(path: Path, now: datetime) -> tuple[Warehouse, Path | None]:
    """The warehouse of a path; one that is damaged is moved aside first, whole, into a folder of its own, which is returned.

    Raises Busy when another process holds it, DiskFull when there is no room.
    """
    aside: Path | None = None
    sweep(rebuilt_file(path))
    if marker(path).exists():
        aside = set_aside(path, now)
    try:
        warehouse = Warehouse(path)
    except WarehouseDamaged:
        aside = set_aside(path, now)
        return Warehouse(path), aside
    if path.stat().st_size <= LARGEST_VERIFIED_BYTES:
        try:
            warehouse.verify()
        except WarehouseDamaged:
            with suppress(duckdb.Error):
                warehouse.close()
            aside = set_aside(path, now)
            return Warehouse(path), aside
    return warehouse, aside


def rebuilt_file(path: Path) -> Path:
    """Where the history is written again beside the warehouse of a path."""
    return path.with_name("rebuilt.duckdb")


def refuse_damaged(warehouse: Warehouse) -> None:
    """Raises WarehouseDamaged when somebody met damage while reading: the next start mends it."""
    if marker(warehouse.path).exists():
        raise WarehouseDamaged(where=str(warehouse.path), seen=marker(warehouse.path).name)


def set_aside(path: Path, now: datetime) -> Path:
    """Move a warehouse's files into a folder named by the moment; returns the folder."""
    names = (f"{now:%Y%m%dT%H%M%SZ}{f'-{number}' if number > 1 else ''}" for number in count(1))  # clocks stand still and jump back
    folder = next(place for name in names if not (place := path.parent / "set-aside" / name).exists())
    folder.mkdir(parents=True)
    for file in (path, path.with_suffix(path.suffix + ".wal"), marker(path), erased_marker(path)):
        if file.exists():
            file.rename(folder / file.name)
    return folder
