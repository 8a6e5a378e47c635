"""Ranges as columns of numbers: how a pack holds them (`ranges.Ranges` reads them)."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def range_columns(name: str, rows: Sequence[tuple[int, int, int]]) -> dict[str, "np.ndarray[Any, Any]"]:
    """Ranges as columns: the gap before each, its length less one, its value."""
    wide = np.uint64
    ends = [-1, *(last for _, last, _ in rows)]
    gaps = [first - before - 1 for (first, _, _), before in zip(rows, ends, strict=False)]
    return {
        f"{name}_gap": np.array(gaps, wide),
        f"{name}_length": np.array([last - first for first, last, _ in rows], wide),
        f"{name}_value": np.array([value for _, _, value in rows], np.uint32),
    }
