"""Models of devices on the market: when each was launched, and for how much."""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from cegla.reference.pack import read_table

TIERS = ("budget", "middle", "premium")


class Launch(NamedTuple):
    """`year` of the launch, None where a name stands for several years; `tier` one of `TIERS`, by the price then in Poland."""

    year: int | None
    tier: str


@lru_cache(maxsize=4_096)
def launch_of(brand: str, model: str) -> Launch | None:
    """When a model came out and what it cost then; None for models nobody wrote down."""
    return next((launch for pattern, launch in _models().get(brand.lower(), ()) if pattern.search(model)), None)


@cache
def _models() -> dict[str, list[tuple[re.Pattern[str], Launch]]]:
    found: dict[str, list[tuple[re.Pattern[str], Launch]]] = {}
    for brand, pattern, year, tier in read_table("models.tsv"):
        found.setdefault(brand.lower(), []).append((re.compile(pattern, re.IGNORECASE), Launch(int(year) if year else None, tier)))
    return found
