"""Rows of one event brought together when they lie anywhere in a file that is larger than memory.

    first reading    a hash of each row's group and its time: twelve to sixteen bytes a row, in memory
    second reading   each row goes to the bucket of its group's earliest time, one file a bucket
    buckets          in order of time, each small enough to be planned as a whole

A group is always whole within its bucket, so planning a bucket is planning a small file.
"""

import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cegla.collect.rules.columns import RowProblem
from cegla.collect.rules.mapping import Mapping
from cegla.collect.rules.rows import RowError, group_keys, pc, row_times
from cegla.collect.tables import Part

ROWS_IN_A_BUCKET = 60_000
MOST_ROWS_IN_A_GROUP = 100_000  #: their event would be larger than any may be
Read = Callable[[], Iterator[Part]]


@dataclass
class _Keys:
    """What the first reading remembers of every row that can be used."""

    hashes: list[Any] = field(default_factory=list)
    times: list[Any] = field(default_factory=list)

    def add(self, part: Part, mapping: Mapping) -> None:
        """Another part of the file."""
        self.hashes.append(_hashes(part.texts, mapping))
        self.times.append(row_times(part.texts, part.numbers, mapping))


def gathered(read: Read, mapping: Mapping, room: Path) -> Generator[Part]:
    """The rows of a file, the rows of each group within one part, earliest groups first. `room` is a folder for what does not fit.

    `read` reads the file from its beginning; it is called twice. Broken rows come with the first part.
    """
    keys = _Keys()
    for part in read():
        keys.add(part, mapping)
    hashes, times = (np.concatenate(some) if some else np.empty(0, np.uint64) for some in (keys.hashes, keys.times))
    del keys
    if len(hashes) <= ROWS_IN_A_BUCKET:
        yield _whole(list(read()))
        return
    buckets, too_many = _buckets(hashes, times)
    del hashes, times
    with tempfile.TemporaryDirectory(dir=room, prefix="rows-") as folder:
        broken = _distribute(read, buckets, too_many, Path(folder))
        for number in range(int(buckets.max()) + 1):
            yield _bucket(Path(folder) / str(number), broken)
            broken = []


def _hashes(texts: pa.Table, mapping: Mapping) -> Any:
    """64 bits of each row's group. Two groups with the same ones only share a bucket."""
    keys = pc.fill_null(group_keys(texts, mapping), "").dictionary_encode()
    digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in keys.dictionary.to_pylist())
    return np.frombuffer(digests, np.uint64)[np.asarray(keys.indices)]


def _buckets(hashes: Any, times: Any) -> tuple[Any, Any]:
    """The bucket of each row, and the rows of groups that are too large for one event."""
    order = np.argsort(hashes, kind="stable")
    starts = np.flatnonzero(np.append(True, hashes[order][1:] != hashes[order][:-1]))
    sizes = np.diff(np.append(starts, len(hashes)))
    earliest = np.minimum.reduceat(times[order], starts)
    by_time = np.argsort(earliest, kind="stable")
    bucket = np.empty(len(starts), np.int32)
    bucket[by_time] = (np.cumsum(sizes[by_time]) - sizes[by_time]) // ROWS_IN_A_BUCKET
    _, bucket = np.unique(bucket, return_inverse=True)  # one large group may leave numbers out
    of_rows = np.empty(len(hashes), np.int32)
    of_rows[order] = np.repeat(bucket, sizes)
    too_many = np.empty(len(hashes), bool)
    too_many[order] = np.repeat(sizes > MOST_ROWS_IN_A_GROUP, sizes)
    return of_rows, too_many


def _distribute(read: Read, buckets: Any, too_many: Any, folder: Path) -> list[RowError]:
    """Every row into the file of its bucket; returns the broken ones, and those of events that are too large."""
    files: dict[int, _File] = {}
    broken: list[RowError] = []
    at = 0
    for part in read():
        broken += part.broken
        mine, left_out = buckets[at : at + part.texts.num_rows], too_many[at : at + part.texts.num_rows]
        at += part.texts.num_rows
        broken += [RowError(int(number), "", RowProblem.EVENT_TOO_LARGE, "") for number in part.numbers[left_out]]
        numbered = part.texts.append_column(_NUMBER, pa.array(part.numbers, pa.int64()))
        order = np.argsort(mine, kind="stable")
        order = order[~left_out[order]]
        edges = [0, *(np.flatnonzero(np.diff(mine[order])) + 1).tolist(), len(order)] if len(order) else []
        sorted_rows = numbered.take(pa.array(order))
        for start, end in pairwise(edges):
            number = int(mine[order[start]])
            files.setdefault(number, _File(folder / str(number))).add(sorted_rows.slice(start, end - start))
    for file in files.values():
        file.flush()
    return broken


_NUMBER = "\0number"
_WAITING_BYTES = 1 << 20


class _File:
    """One bucket: pieces gather in memory until they are worth a write; a file is open only while it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[pa.Table] = []
        self._bytes = 0

    def add(self, rows: pa.Table) -> None:
        """Some more rows."""
        self._waiting.append(rows.combine_chunks())
        self._bytes += self._waiting[-1].nbytes
        if self._bytes > _WAITING_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            table = pa.concat_tables(self._waiting).combine_chunks()
            with self.path.open("ab") as file, pa.ipc.new_stream(file, table.schema) as stream:
                stream.write_table(table)
            self._waiting, self._bytes = [], 0


def _bucket(path: Path, broken: list[RowError]) -> Part:
    tables: list[pa.Table] = []
    if path.exists():
        with path.open("rb") as file:
            while file.peek(1):  # pyright: ignore[reportAttributeAccessIssue]  a buffered reader of a plain file
                tables.append(pa.ipc.open_stream(file).read_all())
        path.unlink()
    if not tables:
        return Part(pa.table({}), np.arange(0), broken)
    table = pa.concat_tables(tables).combine_chunks()
    return Part(table.drop_columns([_NUMBER]), np.asarray(table[_NUMBER].combine_chunks()), broken)


def _whole(parts: list[Part]) -> Part:
    texts = pa.concat_tables([part.texts for part in parts]).combine_chunks()
    return Part(texts, np.concatenate([part.numbers for part in parts]), [error for part in parts for error in part.broken])
