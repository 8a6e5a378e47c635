"""What the benches of analysers count: area under the curve, calibration error, and the shared data they read."""

import csv
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(os.environ.get("CEGLA_BENCH_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a shared data set. Raises SystemExit where it is missing."""
    file = DATA / name
    if not file.exists():
        raise SystemExit(f"{file} is missing; CEGLA_BENCH_DATA names the folder of the shared data sets")
    with gzip.open(file, "rt", encoding="utf-8", errors="replace") as text:
        return list(csv.DictReader(text))


def auc(scores: Any, outcomes: Any) -> float:
    """How often somebody with the outcome scores above somebody without; ties count half."""
    _, place = np.unique(scores, return_inverse=True)
    counts = np.bincount(place)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    hits = outcomes.sum()
    return float((rank[outcomes > 0].sum() - hits * (hits + 1) / 2) / (hits * (len(outcomes) - hits)))


def calibration_error(chances: Any, outcomes: Any) -> float:
    """The expected calibration error over ten bins of equal size."""
    parts = np.array_split(np.argsort(chances, kind="stable"), 10)
    return float(sum(len(part) * abs(chances[part].mean() - outcomes[part].mean()) for part in parts) / len(chances))
