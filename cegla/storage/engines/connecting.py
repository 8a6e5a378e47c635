"""From an address to the warehouse behind it."""

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from cegla.storage.engines.remote import Remote
from cegla.storage.engines.rows import ENGINES, engine_of
from cegla.vocabulary.errors.installation import EngineMissing, EngineUnknown


def connect(address: str) -> Remote:
    """The warehouse at an address. Raises EngineUnknown, EngineMissing when its packages are not installed, EngineAway when it does not answer."""
    row = engine_of(address)
    if row is None:
        raise EngineUnknown(seen=urlsplit(address).scheme, examples=", ".join(one.example for one in ENGINES.values() if one.example))
    driver: Any = import_module(f"cegla.storage.engines.{row.key}")
    try:
        return Remote(driver.connect(address))
    except ImportError as error:
        raise EngineMissing(engine=row.label, detail=str(error)) from None
