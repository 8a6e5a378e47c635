"""Opening the warehouse's file, which may have been damaged since it was written.

A log whose end is torn, as a power cut leaves it, is cut to what is whole of it: only appended batches are in a log, since whoever removes rows puts
that into the file at once, and batches that are lacking are written again (`cegla.rebuild`). A file that does not open for another reason is moved
aside whole, and an empty one takes its place.
"""

import os
import re
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from shutil import copy2

import duckdb
import structlog

from cegla.storage.history_file import log_of, marker
from cegla.storage.rewriting import erased_marker, sweep
from cegla.storage.settling import settle, settle_file
from cegla.storage.warehouse import Warehouse
from cegla.vocabulary.errors.installation import WarehouseDamaged

LOG = structlog.get_logger("storage")
LARGEST_VERIFIED_BYTES = 2 << 30  #: a larger file is read through by the doctor, not at each start
_TORN = re.compile(r"Failure while replaying WAL.*Corrupt WAL file: entry at byte position (?P<at>\d+)")  #: says DuckDB: so much is whole


def open_or_set_aside(path: Path, now: datetime) -> tuple[Warehouse, Path | None]:
    """The warehouse of a path; one that is damaged is moved aside first, whole, into a folder of its own, which is returned.

    Raises Busy when another process holds it, DiskFull when there is no room.
    """
    aside: Path | None = None
    sweep(rebuilt_file(path))
    if marker(path).exists():
        aside = set_aside(path, now)
    try:
        warehouse = _opened(path, now)
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


def _opened(path: Path, now: datetime) -> Warehouse:
    """The warehouse, with what is whole of its log. Raises WarehouseDamaged when it does not open even so."""
    try:
        return Warehouse(path)
    except WarehouseDamaged as refused:
        torn = _TORN.search(str(refused.seen))
        if torn is None:
            raise
        log, whole_bytes = log_of(path), int(torn["at"])
        folder = _folder(path, now)
        settle_file(Path(copy2(log, folder)))
        LOG.warning("the torn end of the warehouse's log is cut off", bytes=log.stat().st_size - whole_bytes, copy=str(folder / log.name))
        with log.open("r+b") as cut:
            cut.truncate(whole_bytes)
            os.fsync(cut.fileno())
        return Warehouse(path)


def set_aside(path: Path, now: datetime) -> Path:
    """Move a warehouse's files into a folder named by the moment; returns the folder."""
    folder = _folder(path, now)
    for file in (path, log_of(path), marker(path), erased_marker(path)):
        if file.exists():
            file.rename(folder / file.name)
    settle(folder, path.parent)
    return folder


def _folder(path: Path, now: datetime) -> Path:
    names = (f"{now:%Y%m%dT%H%M%SZ}{f'-{number}' if number > 1 else ''}" for number in count(1))  # clocks stand still and jump back
    folder = next(place for name in names if not (place := path.parent / "set-aside" / name).exists())
    folder.mkdir(parents=True)
    settle(folder.parent, path.parent)
    return folder
