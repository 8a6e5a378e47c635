"""Named SQL statements: each slice keeps its own in `store.sql`, one name and a one-line purpose each.

Loaded by aiosql: `-- name: find^` returns one row, `$` one value, `!` a count, nothing a generator of rows.
"""

from pathlib import Path
from typing import Any

import aiosql


def load(module_file: str) -> Any:
    """The statements of the `store.sql` beside a slice's `store.py`; call with `__file__`."""
    return aiosql.from_path(Path(module_file).with_name("store.sql"), "psycopg", mandatory_parameters=False)
