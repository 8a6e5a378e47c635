"""The heads of the chains, also kept outside PostgreSQL: what was acknowledged, told by somebody else than the store.

A store that recovers from a damaged log may drop everything after the first bad record and call itself healthy. So each
collector keeps a small file with the number and link of its last acknowledged request. It is written after the commit and
before the answer, without waiting for the disk (that happens about once a second in the background): a head never says
more than was committed, and after a power cut it may say a second less.

    chain/<writer>-<opened>.head      two slots of 512 bytes, written by turns; the valid one with the higher number counts,
                                      so a torn write costs one step and never the file
"""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Any

import psycopg

from cegla.collect.store import SQL, Damage, note_damage
from cegla.storage.settling import settle

FOLDER = "chain"
SLOT_BYTES = 512  # a disk writes a sector whole or not at all
KEEP_DAYS = 62  #: heads of collectors that are gone; their requests are forgotten after 30
_WORDS = Struct("<8sqqq32s")  # magic, writer, opened, number, link
_MAGIC = b"CEGLAHD1"
_SEAL_BYTES = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Head:
    """The last request that a writer acknowledged. `opened` is the writer's birth in microseconds since 1970: numbers of writers may come again."""

    writer: int
    opened: int
    number: int
    link: bytes


class HeadFile:
    """The head of one writer's chain as a file. Not safe for two threads, except that `settle` may run beside `write`."""

    def __init__(self, folder: Path, writer: int, opened_at: datetime) -> None:
        self._writer = writer
        self._opened = (opened_at - _EPOCH) // _MICROSECOND
        self._turn = 0
        self._unsettled = False
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / f"{writer}-{self._opened}.head", os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(self._file, bytes(2 * SLOT_BYTES), 0)  # both slots have their room before the disk can be full
        os.fsync(self._file)
        settle(folder)

    def write(self, number: int, link: bytes) -> None:
        """Say that everything up to `number` is committed. Takes microseconds; raises OSError."""
        words = _WORDS.pack(_MAGIC, self._writer, self._opened, number, link)
        os.pwrite(self._file, words + _seal(words), self._turn * SLOT_BYTES)
        self._turn = 1 - self._turn
        self._unsettled = True

    def settle(self) -> None:
        """Wait until the disk has what was written. Raises OSError."""
        if self._unsettled:
            self._unsettled = False
            os.fdatasync(self._file)

    def close(self) -> None:
        """Settle and let go."""
        try:
            self.settle()
        finally:
            os.close(self._file)


def read(folder: Path) -> list[Head]:
    """The heads of all writers that ever acknowledged something here, in order of their birth."""
    found = (_read_file(file) for file in folder.glob("*.head"))
    return sorted((head for head in found if head is not None), key=lambda head: (head.opened, head.writer))


def compare(conn: psycopg.Connection, heads: Sequence[Head]) -> list[Damage]:
    """What the heads know and the store does not. Read the heads first: then a store that goes on is only ahead of them."""
    rows = SQL.compare_heads(
        conn,
        writers=[head.writer for head in heads],
        opened=[head.opened for head in heads],
        numbers=[head.number for head in heads],
    )
    kept = {(writer, opened): rest for writer, opened, *rest in rows}
    losses = (_loss(head, *kept[head.writer, head.opened]) for head in heads)
    return [loss for loss in losses if loss is not None]


def look(conn: psycopg.Connection, folder: Path, now: datetime) -> list[Damage]:
    """Compare every head in the folder with the store, and note what is lost where `standing` shows it."""
    losses = compare(conn, read(folder))
    if losses:
        note_damage(conn, losses, now)
    return losses


def forget_old(folder: Path) -> None:
    """Remove the heads of collectors that ended long ago."""
    oldest = time.time() - KEEP_DAYS * 86_400
    for file in folder.glob("*.head"):
        with contextlib.suppress(OSError):
            if file.stat().st_mtime < oldest:
                file.unlink()


def _loss(head: Head, same: bool, closed: bool, last: int, link: bytes | None) -> Damage | None:
    """What is missing behind one head. `closed`: everything of this writer was taken in and its requests are forgotten by plan."""
    if closed:
        return None
    if not same:  # the writer itself is gone, or another one got its number
        return Damage(head.writer, 1, f"number {head.number}", "no such writer", head.number)
    if last < head.number:
        return Damage(head.writer, last + 1, f"number {head.number}", f"number {last}", head.number - last)
    if link is not None and bytes(link) != head.link:
        return Damage(head.writer, head.number, "the link that was acknowledged", "another link")
    return None


def _read_file(file: Path) -> Head | None:
    """The newest valid slot; None when there is none: nothing was acknowledged, or the file is damaged."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    slots = [_read_slot(content[start : start + SLOT_BYTES]) for start in (0, SLOT_BYTES)]
    return max((slot for slot in slots if slot is not None), key=lambda head: head.number, default=None)


def _read_slot(slot: bytes) -> Head | None:
    words, seal = slot[: _WORDS.size], slot[_WORDS.size : _WORDS.size + _SEAL_BYTES]
    if len(seal) < _SEAL_BYTES or _seal(words) != seal:
        return None
    fields: tuple[Any, ...] = _WORDS.unpack(words)
    return Head(*fields[1:]) if fields[0] == _MAGIC else None


def _seal(words: bytes) -> bytes:
    return blake2b(words, digest_size=_SEAL_BYTES).digest()
