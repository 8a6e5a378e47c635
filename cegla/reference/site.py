"""The shop's own site as the crawler found it: what each page is filed under and called, for pages whose script sent none of it.

One file in the data directory, replaced in one step. It holds what the shop publishes, and nothing of anybody.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cegla.reference.crawling import Bounds, as_history_has_it, crawl
from cegla.reference.pack import note, read_json, read_sheet, write_json

NAME = "site"


@dataclass(frozen=True)
class SiteState:
    """How many pages are known, and when they were fetched; empty: never."""

    pages: int
    fetched_at: str


@dataclass
class Reading:
    """What a crawl came to: what pages say by their path, and how many were left out, by the reason. `ended`: it was not told to stop before."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    left: Counter[str] = field(default_factory=Counter[str])
    ended: bool = True


def read_site(start: str, bounds: Bounds, wait: Callable[[float], object], is_over: Callable[[], bool] = lambda: False) -> Reading:
    """Read the site from an address on, waiting between pages as told, until it ends or `is_over`. Raises NotFetched when the start may not be read."""
    found = Reading()
    for one in crawl(start, bounds, wait):
        if one.page is None:
            found.left[one.reason] += 1
        elif one.page.heavy or one.page.light:
            found.pages[as_history_has_it(one.path)] = (one.page.heavy, one.page.light)
        if is_over():
            found.ended = False
            break
    return found


def keep_site(folder: Path, pages: Mapping[str, tuple[str, str]], fetched_at: datetime) -> None:
    """Put the pages (path → heavy and light, see `page_text`) in place of those known before."""
    folder.mkdir(parents=True, exist_ok=True)
    file = write_json(folder, NAME, {path: list(texts) for path, texts in pages.items()})
    note(folder, NAME, fetched_at.isoformat(timespec="seconds"), [file])


def site_pages(folder: Path) -> Mapping[str, Any]:
    """The pages known, by path; empty when there are none."""
    version = site_state(folder).fetched_at
    return _pages(folder, version) if version else {}


def site_state(folder: Path) -> SiteState:
    """What is known of the site."""
    version = read_sheet(folder).get(NAME, {}).get("version", "")
    return SiteState(len(_pages(folder, version)) if version else 0, version)


@lru_cache(maxsize=2)
def _pages(folder: Path, version: str) -> Mapping[str, Any]:
    return read_json(folder, NAME)
