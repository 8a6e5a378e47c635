"""The test material of others, read from its archives."""

import functools
import json
import tarfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("material")


@functools.cache
def files(archive: str) -> dict[str, bytes]:
    """Everything in an archive, by path."""
    with tarfile.open(FOLDER / f"{archive}.tar.gz") as packed:
        return {member.name.removeprefix("./"): handle.read() for member in packed if member.isfile() and (handle := packed.extractfile(member)) is not None}


def rows(archive: str, name: str) -> list[dict[str, Any]]:
    """A file of JSON lines."""
    return [json.loads(line) for line in files(archive)[name].splitlines()]
