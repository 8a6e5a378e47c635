"""What makes a change of a folder last: after a rename, a link or a removal the disk must be told of the folder, too, or a power cut undoes it."""

import os
from pathlib import Path


def settle(*folders: Path) -> None:
    """Wait until the disk has the names in these folders. Raises OSError."""
    for folder in folders:
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def settle_file(file: Path) -> None:
    """Wait until the disk has the content of a file and its name. Raises OSError."""
    with file.open("rb") as held:
        os.fsync(held.fileno())
    settle(file.parent)
