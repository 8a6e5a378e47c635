"""Daily activity: does the hour that a person is known by hold for what comes later? Baskets of 2,469 households (Complete Journey, CC0).

The first 70 % of a household's baskets are its past, the rest the truth. A hit is a later basket in one of the three hours named; the
anchor names the three hours that are busiest over everybody. Beside it what cannot be passed: the three hours that the later baskets themselves have
most of, and those of past and future together, which nobody can know but which are no luck.
"""

from collections import defaultdict
from datetime import datetime

import numpy as np

from bench.analysers._scores import rows_of
from bench.result import Result
from cegla.profile.analysers.rhythm import DAY, PRIOR_VOTES


def run() -> list[Result]:
    """Hit rate of the top-3 hours of a person against the top-3 hours of the base."""
    baskets: dict[str, set[datetime]] = defaultdict(set)
    for row in rows_of("completejourney_transactions_sample.csv.gz"):
        baskets[row["household_id"]].add(datetime.fromisoformat(row["transaction_timestamp"].replace("Z", "+00:00")))
    ordered = {household: sorted(found) for household, found in baskets.items() if len(found) >= 10}
    past = {household: [at.hour for at in found[: len(found) * 7 // 10]] for household, found in ordered.items()}
    usual = np.bincount([hour for hours in past.values() for hour in hours], minlength=DAY).astype(float)
    usual /= usual.sum()
    busiest = set(np.argsort(-usual)[:3].tolist())
    hits = anchor = whole = known = told = 0
    for household, found in ordered.items():
        own = np.bincount(past[household], minlength=DAY).astype(float)
        smooth = (own + PRIOR_VOTES * usual) / (own.sum() + PRIOR_VOTES)
        best = set(np.argsort(-smooth, kind="stable")[:3].tolist())
        later = [at.hour for at in found[len(found) * 7 // 10 :]]
        hits, anchor, whole = hits + sum(hour in best for hour in later), anchor + sum(hour in busiest for hour in later), whole + len(later)
        after = np.bincount(later, minlength=DAY)
        known, told = known + int(after[np.argsort(-(own + after), kind="stable")[:3]].sum()), told + int(np.sort(after)[-3:].sum())
    ratio = hits / anchor
    bound = f"whoever knew past and future would have {known / anchor:.2f}, the future alone {told / anchor:.2f}"
    return [Result("rhythm: later baskets in the top-3 hours", ratio, "times the global peak", ">= 1.5", ratio >= 1.5,
        f"{hits / whole:.3f} against {anchor / whole:.3f} of {whole:,} baskets of {len(ordered):,} households; {bound}")]  # fmt: skip
