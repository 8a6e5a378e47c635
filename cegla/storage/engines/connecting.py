"""From an address to the warehouse behind it."""

from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cegla.storage.engines.elsewhere import Elsewhere
from cegla.storage.engines.moving import Target
from cegla.storage.engines.onefile import OneFile
from cegla.storage.engines.remote import Driver, Remote
from cegla.storage.engines.rows import ENGINES, engine_of
from cegla.vocabulary.errors.installation import EngineMissing, EngineUnknown


def connect(address: str) -> Target:
    """The history at an address, to be filled and asked. Raises EngineUnknown, EngineMissing when its packages are not installed, EngineAway when it does
    not answer, Busy when somebody else has the file open."""
    return OneFile(file_of(address)) if is_file(address) else Remote(_driver(address))


def is_file(address: str) -> bool:
    """Whether an address names a DuckDB file."""
    return address.startswith("duckdb://")


def file_of(address: str) -> Path:
    """The DuckDB file that an address names. Raises EngineUnknown when it names none, or lacks the third slash: its first folder would be a host."""
    parts = urlsplit(address)
    if parts.netloc or not (path := unquote(parts.path)):
        raise EngineUnknown(seen=address, examples=ENGINES["duckdb"].example)
    return Path(path)


def open_elsewhere(address: str, folder: Path) -> Elsewhere:
    """The product's own warehouse at an address; `folder` is for notes of ours. Raises as `connect`."""
    return Elsewhere(_driver(address), folder)


def _driver(address: str) -> Driver:
    row = engine_of(address)
    if row is None:
        raise EngineUnknown(seen=urlsplit(address).scheme, examples=", ".join(one.example for one in ENGINES.values() if one.example))
    driver: Any = import_module(f"cegla.storage.engines.{row.key}")
    try:
        return driver.connect(address)
    except ImportError as error:
        raise EngineMissing(engine=row.label, detail=str(error)) from None
