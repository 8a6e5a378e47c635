"""The shim under a program's files (disk.c), and a model of the disk that replays what the shim recorded.

The model knows what a disk may hold after its power went: of each file everything up to the last sync that ended, and of
what was written since any of its 512-byte sectors; of new names, renames and removals any number, in their order, but at
least those that a sync of their folder (or, for a new file, of itself) made sure of. So it believes in an honest fsync, in
sectors that are written whole or not at all, and in a file system whose journal keeps the order of names.
"""

import functools
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from struct import Struct
from typing import NamedTuple

SECTOR = 512
_ENTRY = Struct("<IIQQ")  # kind, bytes, inode, offset
SOURCE = Path(__file__).with_name("disk.c")


class Kind(IntEnum):
    """What an entry of the log says; the numbers are those of disk.c, and ours."""

    WRITE = 1
    SYNC_BEGINS = 2
    SYNC_ENDS = 3
    CREATE = 4
    RENAME = 5
    UNLINK = 6
    TRUNCATE = 7
    LINK = 8
    MKDIR = 9
    RMDIR = 10
    OPEN_FOLDER = 11
    ACKNOWLEDGED = 100


class Entry(NamedTuple):
    """One change. For syncs `offset` is the process that waits."""

    kind: int
    inode: int
    offset: int
    data: bytes


@functools.cache
def shim(source: Path = SOURCE) -> Path | None:
    """A shim, compiled; None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="cegla-shim-"))
    folder.chmod(0o755)
    made = folder / f"{source.stem}.so"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(made), str(source), "-ldl"], check=True, capture_output=True)
    made.chmod(0o755)
    return made


def under(root: Path, log: Path | None = None, fail: Path | None = None, sync_microseconds: int = 0) -> dict[str, str]:
    """The environment that puts the shim under a program; a sync takes so long at least. Needs a compiler."""
    made = shim()
    if made is None:
        raise RuntimeError("the shim needs a C compiler (cc)")
    environment = {"LD_PRELOAD": str(made), "DISK_ROOT": str(root)}
    environment |= {"DISK_LOG": str(log)} if log else {}
    environment |= {"DISK_SLOW": str(sync_microseconds)} if sync_microseconds else {}
    return environment | ({"DISK_FAIL": str(fail)} if fail else {})


class Witness(set[str]):
    """The ids of what was acknowledged; each is also written into the log, behind everything that led to it."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def add(self, element: str, /) -> None:
        """One more."""
        super().add(element)
        data = element.encode()
        os.write(self._log, _ENTRY.pack(Kind.ACKNOWLEDGED, len(data), 0, 0) + data)


def read(log: Path) -> list[Entry]:
    """The whole log."""
    content = memoryview(log.read_bytes())
    entries: list[Entry] = []
    at = 0
    while at + _ENTRY.size <= len(content):
        kind, size, inode, offset = _ENTRY.unpack_from(content, at)
        at += _ENTRY.size
        entries.append(Entry(kind, inode, offset, bytes(content[at : at + size])))
        at += size
    return entries


class Syncing(NamedTuple):
    """What a sync found when it began, which is safe when it ends."""

    number: int
    sectors: dict[int, bytes]
    length: int


@dataclass(eq=False)
class File:
    """A file as the disk surely has it, and as programs see it."""

    origin: Path | None = None  #: where its first content lies, until something changes it
    durable: bytearray = field(default_factory=bytearray)
    current: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)
    shortened: list[tuple[int, int]] = field(default_factory=list)  #: to these lengths, each behind so many begun syncs; until a sync is sure of it
    syncing: dict[int, Syncing] = field(default_factory=dict)  #: by the process that waits
    syncs: int = 0  #: begun so far
    saved_by: int = 0  #: the latest begun of those that ended

    def touch(self) -> None:
        """Load the first content before the first change."""
        if self.origin is not None:
            content = self.origin.read_bytes()
            self.durable, self.current, self.origin = bytearray(content), bytearray(content), None

    def write(self, offset: int, data: bytes) -> None:
        """A write, which no sync has made sure of yet."""
        end = offset + len(data)
        if end > len(self.current):
            self.current.extend(bytes(end - len(self.current)))
        self.current[offset:end] = data
        self.dirty.update(range(offset // SECTOR, (end + SECTOR - 1) // SECTOR))

    def resize(self, length: int) -> None:
        """Shorter, or longer by zeros."""
        if length < len(self.current):
            del self.current[length:]
            self.dirty = {sector for sector in self.dirty if sector * SECTOR < length}
            self.shortened.append((self.syncs, length))
        else:
            self.current.extend(bytes(length - len(self.current)))

    def begin_sync(self, process: int) -> None:
        """What is dirty now will be safe when this sync ends."""
        self.syncs += 1
        sectors = {sector: bytes(self._sector(self.current, sector)) for sector in self.dirty}
        self.syncing[process] = Syncing(self.syncs, sectors, len(self.current))

    def end_sync(self, process: int) -> None:
        """It is safe; and what a sync that began later has saved meanwhile stays as that one saved it."""
        found = self.syncing.pop(process, None)
        if found is None or found.number < self.saved_by:
            return
        self.saved_by = found.number
        if sure := [length for before, length in self.shortened if before < found.number]:
            del self.durable[min(sure) :]
            self.shortened = self.shortened[len(sure) :]
        _fit(self.durable, found.length)
        for sector, data in found.sectors.items():
            self.durable[sector * SECTOR : sector * SECTOR + len(data)] = data
        self.dirty -= {sector for sector, data in found.sectors.items() if bytes(self._sector(self.current, sector)) == data}

    def after_cut(self, rng: random.Random, share: float) -> bytes:
        """What the disk may hold: everything safe, and each dirty sector with a chance of `share`."""
        content = bytearray(self.durable)
        if self.shortened and rng.random() < share:
            del content[min(length for _, length in self.shortened) :]
        if len(self.current) > len(content) and rng.random() < share:
            _fit(content, len(self.current))
        for sector in self.dirty:
            if rng.random() < share:
                data = self._sector(self.current, sector)
                if len(content) < sector * SECTOR + len(data):
                    _fit(content, sector * SECTOR + len(data))
                content[sector * SECTOR : sector * SECTOR + len(data)] = data
        return bytes(content)

    @staticmethod
    def _sector(content: bytearray, sector: int) -> bytearray:
        return content[sector * SECTOR : (sector + 1) * SECTOR]


def _fit(content: bytearray, length: int) -> None:
    if len(content) < length:
        content.extend(bytes(length - len(content)))
    else:
        del content[length:]


class Change(NamedTuple):
    """A change of names: `file` gets the name `new`; `old` is gone."""

    file: File | None
    old: str | None
    new: str | None


class Disk:
    """The files below one directory, moved on entry by entry from a copy made when the recording began."""

    def __init__(self, base: Path, inodes: dict[int, str]) -> None:
        self.base = base
        self.first = {path: File(base / path) for path in inodes.values()}
        self.names = dict(self.first)  #: as the disk surely has them
        self._seen = dict(self.first)  #: as programs see them
        self._by_inode = {inode: self.first[path] for inode, path in inodes.items()}
        self._folders: dict[int, str] = {}
        self._pending: list[Change] = []
        self._syncing_names: dict[tuple[int, int], int] = {}

    def apply(self, entry: Entry, root: str) -> None:
        """Move on by one entry."""
        kind, inode, offset, data = entry
        if kind in (Kind.WRITE, Kind.TRUNCATE):
            if file := self._by_inode.get(inode):
                file.touch()
                file.write(offset, data) if kind == Kind.WRITE else file.resize(offset)
        elif kind == Kind.SYNC_BEGINS:
            self._syncing_names[inode, offset] = len(self._pending)
            if (file := self._by_inode.get(inode)) and file.origin is None:
                file.begin_sync(offset)
        elif kind == Kind.SYNC_ENDS:
            self._end_sync(inode, offset)
        elif kind != Kind.ACKNOWLEDGED:
            self._rename(kind, inode, [part.removeprefix(root + "/") for part in data.decode().split("\0")])

    def _rename(self, kind: int, inode: int, paths: list[str]) -> None:
        if kind == Kind.OPEN_FOLDER:
            self._folders[inode] = paths[0]
        elif kind == Kind.CREATE:
            self._by_inode[inode] = self._seen[paths[0]] = file = File()
            self._pending.append(Change(file, None, paths[0]))
        elif kind == Kind.UNLINK:
            self._seen.pop(paths[0], None)
            self._pending.append(Change(None, paths[0], None))
        elif kind in (Kind.RENAME, Kind.LINK) and (file := self._seen.get(paths[0])):
            self._seen[paths[1]] = file
            if kind == Kind.RENAME:
                del self._seen[paths[0]]
            self._pending.append(Change(file, paths[0] if kind == Kind.RENAME else None, paths[1]))

    def _end_sync(self, inode: int, process: int) -> None:
        begun = self._syncing_names.pop((inode, process), 0)
        file = self._by_inode.get(inode)
        if file is not None and file.origin is None:
            file.end_sync(process)
        folder = self._folders.get(inode)
        sure = 0
        for place, change in enumerate(self._pending[:begun]):
            made = change.file is file and file is not None and change.old is None
            inside = folder is not None and any(path is not None and os.path.dirname(path) == folder for path in (change.old, change.new))
            if made or inside:
                sure = place + 1
        for change in self._pending[:sure]:
            _apply(self.names, change)
        del self._pending[:sure]
        self._syncing_names = {key: max(0, place - sure) for key, place in self._syncing_names.items()}

    def write_out(self, into: Path, rng: random.Random, share: float) -> None:
        """Make the directory that the disk may hold if its power goes now."""
        names = dict(self.names)
        for change in self._pending[: round(rng.random() * len(self._pending)) if share else 0]:
            _apply(names, change)
        owner = self.base.stat()
        subprocess.run(["cp", "-a", str(self.base), str(into)], check=True)
        for path in self.first.keys() - names.keys():
            (into / path).unlink(missing_ok=True)
        for path, file in names.items():
            if self.first.get(path) is file and file.origin is not None:
                continue
            target = into / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.after_cut(rng, share) if file.origin is None else file.origin.read_bytes())
            os.chown(target, owner.st_uid, owner.st_gid)
            target.chmod(0o600)


def _apply(names: dict[str, File], change: Change) -> None:
    if change.old is not None:
        names.pop(change.old, None)
    if change.file is not None and change.new is not None:
        names[change.new] = change.file


def files_below(root: Path) -> Iterator[tuple[int, str]]:
    """(inode, path below root) of every file."""
    for folder, _, files in os.walk(root):
        for name in files:
            path = Path(folder) / name
            yield path.stat().st_ino, str(path.relative_to(root))
