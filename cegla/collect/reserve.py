"""A reserve on the disk: 64 MB that are given up when it is full, so that PostgreSQL can end its work and start again.

Several collectors share it: it is one file in the data directory, there or not.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

NAME = "reserve"
BYTES = 64 << 20
LEAST_FREE_SHARE = 0.05  #: below this no reserve is taken from what is left


def keep(directory: Path) -> None:
    """Take the reserve when it is not there and the disk has room for it."""
    file = directory / NAME
    if file.exists():
        return
    try:
        disk = shutil.disk_usage(directory)
        if disk.free < disk.total * LEAST_FREE_SHARE + 2 * BYTES:
            return
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:  # another collector takes it, or nothing can be written here
        return
    try:
        os.posix_fallocate(opened, 0, BYTES)
    except OSError:
        give_up(directory)
    finally:
        os.close(opened)


def give_up(directory: Path) -> None:
    """The disk is full."""
    with suppress(OSError):
        (directory / NAME).unlink(missing_ok=True)
