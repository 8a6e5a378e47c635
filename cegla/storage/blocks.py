"""The blocks of a DuckDB file as they lie on the disk. Each begins with a checksum of the rest, which DuckDB looks at when it reads a block from the disk;
what it has in memory it does not read again, so a running process can go on for days over a file that would not open.

    three headers of 4,096 bytes, then blocks of one size, which the headers tell: checksum (8 bytes), content

The sum is DuckDB's own: its 64-bit words times a constant, combined by exclusive or. A test compares it with files that DuckDB wrote.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

HEADER_BYTES = 4_096
HEADERS = 3
SIZE_AT = HEADER_BYTES + 5 * 8  #: where the first of the two database headers tells the size of a block
SIZES = range(16_384, 262_144 + 1)
FACTOR, START = np.uint64(0xBF58476D1CE4E5B9), 5_381


def damaged_blocks(path: Path, of: Iterable[int] | None = None) -> list[int]:
    """The numbers of the blocks that are not as they were written, of all or of some; headers count from -3. Reads them from the disk.

    A block that is written just now may look damaged: ask again while nobody writes. A file of another layout has none, as far as can be told.
    """
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # what lies in the system's memory is not the disk
        file.seek(SIZE_AT)
        size = int.from_bytes(file.read(8), "little")
        if size not in SIZES or size & (size - 1):
            return [1 - HEADERS]
        known = (os.fstat(file.fileno()).st_size - HEADERS * HEADER_BYTES) // size
        return [number for number in (range(-HEADERS, known) if of is None else of) if number < known and not _is_whole(_block(file.fileno(), number, size))]


def _block(descriptor: int, number: int, size: int) -> bytes:
    if number < 0:
        return os.pread(descriptor, HEADER_BYTES, (number + HEADERS) * HEADER_BYTES)
    return os.pread(descriptor, size, HEADERS * HEADER_BYTES + number * size)


def _is_whole(block: bytes) -> bool:
    """Whether a block has the sum that it says. One of zeros was given a place and never written."""
    words = np.frombuffer(block, "<u8")
    with np.errstate(over="ignore"):
        found = int(np.bitwise_xor.reduce(words[1:] * FACTOR)) ^ START
    return found == int(words[0]) or not words.any()
