"""Online activity: the bitmap beside counting by hand, and who is lapsed, on CDNOW's customers.

CDNOW (Fader and Hardie; local only): buying days of 2,357 customers. The model knows the first 9 months; the truth is who did not come in
the 60 days after.
"""

import gzip
import time

import numpy as np

from bench.analysers._scores import DATA
from bench.result import Result
from cegla.profile.analysers.online import DAYS, bitmaps
from cegla.profile.rules.visits_model import alive, fitted

HORIZON = 60


def run() -> list[Result]:
    """Equality with brute force, precision and recall of "no visit in 60 days", and speed."""
    random = np.random.default_rng(7)
    days = [np.unique(random.integers(0, 90, 20)) for _ in range(50_000)]
    owners, flat = np.repeat(np.arange(len(days)), [len(one) for one in days]), np.concatenate(days)
    began = time.process_time()
    bits = bitmaps(owners, flat, len(days))
    seconds = time.process_time() - began
    wrong = sum(int(one).bit_count() != sum(day < DAYS for day in found.tolist()) for one, found in zip(bits, days, strict=True))
    events = sum(map(len, days))
    precision, recall, usual, people = _lapsed()
    reached = precision >= 0.8 and recall >= 0.6
    return [
        Result("online: bitmaps unlike brute force", wrong, "people", "0", wrong == 0, f"{events:,} random active days"),
        Result("online: active days into bitmaps", events / seconds, "days/s CPU", ">= 200,000", events / seconds >= 200_000, "one thread"),
        Result("online: lapsed, precision", precision, "share", ">= 0.80 at recall >= 0.60", reached,
            f"recall {recall:.2f}; {usual:.2f} never came; {people:,} of CDNOW"),
    ]  # fmt: skip


def _lapsed() -> tuple[float, float, float, int]:
    with gzip.open(DATA / "cdnow_sample.txt.gz", "rt") as text:
        rows = [line.split() for line in text if line.strip()]
    stamps = np.array([row[2] for row in rows])
    at = np.array([f"{one[:4]}-{one[4:6]}-{one[6:8]}" for one in stamps], "datetime64[D]").astype(np.int64)
    people = np.array([row[1] for row in rows])
    cut = int(at.min()) + 273
    names, first = np.unique(people[at <= cut]), {}
    came = {name: np.unique(at[(people == name) & (at <= cut)]) for name in names}
    first = np.array([cut - came[name][0] for name in names], float)
    last = np.array([cut - came[name][-1] for name in names], float)
    repeats = np.array([len(came[name]) - 1 for name in names], float)
    chance = alive(fitted(repeats, first - last, first), repeats, first - last, first)
    later = np.isin(names, people[(at > cut) & (at <= cut + HORIZON)])
    flagged = chance < np.quantile(chance, 0.75)
    precision = float((flagged & ~later).sum() / max(1, flagged.sum()))
    return precision, float((flagged & ~later).sum() / max(1, (~later).sum())), float((~later).mean()), len(names)
