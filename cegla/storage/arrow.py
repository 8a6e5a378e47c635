"""Arrow without pandas, which costs a process half a second and fifty megabytes.

pyarrow looks for pandas the first time it makes an array, in case somebody hands it a pandas object. Nobody here does, but pandas is
installed, since Splink needs it. So pyarrow gets to look once while there is none; it keeps that answer, and asks again only when its
own conversions to and from pandas are called (`_PandasAPIShim` in pyarrow/pandas-shim.pxi). Everybody else finds pandas as ever.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NoPandas:
    """A finder that knows of no pandas."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
        return None


def spare_pandas() -> None:
    """Let pyarrow look for pandas now, in vain. Nothing happens where pandas is loaded already."""
    if "pandas" in sys.modules:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)
