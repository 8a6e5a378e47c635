"""The click map of the site: what everybody clicks on a page, as numbers over its elements and cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cegla.analyse.rules import click_map
from cegla.analyse.rules.click_map import ACROSS, DOWN, GRID, VIEWPORTS
from cegla.storage.warehouse import history
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.text import Text

MOST_DAYS = 366
DEFINITION = Text(
    "Kliknięcia z ostatnich {days} dni (do {now}), według klasy szerokości okna. Strona to ścieżka bez numerów. Ze złości: trzecie w ciągu sekundy w to samo "
    "miejsce. Bez odpowiedzi: nic się nie stało przez 2,5 sekundy. Bez robotów; nigdy nie zapisuje się treści pól.",
    "Clicks of the last {days} days (up to {now}), by the class of the window's width. A page is its path without numbers. Rage: the third within a second on "
    "one spot. Dead: nothing happened for 2.5 seconds. Without bots; what is typed into fields is never kept.",
)


@dataclass(frozen=True)
class ClickedPage:
    """A page on one class of window, with its clicks and the people who made them."""

    page: str
    viewport: str
    clicks: int
    people: int


@dataclass(frozen=True)
class ClickedElement:
    """An element: clicks, people, rage and dead clicks, and its middle on the page as shares of width and height (None: unknown)."""

    element: str
    clicks: int
    people: int
    rage: int
    dead: int
    across: float | None
    down: float | None


@dataclass(frozen=True)
class ClickMap:
    """What a page's clicks come to. `cells` are (column, row, clicks) of `across` × `down` cells, of the page or of the one element asked about."""

    page: str
    viewport: str
    element: str
    pages: tuple[ClickedPage, ...]
    elements: tuple[ClickedElement, ...]
    cells: tuple[tuple[int, int, int], ...]
    across: int
    down: int
    views: int
    definition: Text

    @property
    def clicks(self) -> int:
        """All clicks on the elements listed."""
        return sum(one.clicks for one in self.elements)


def click_map_of(ws: Workspace, asked: tuple[str, str, str], days: int, now: datetime) -> ClickMap:
    """The click map of (page, viewport, element) over the last `days`; an empty page is the one with most clicks, an empty element the whole page.

    Raises InvalidInput outside 1 to 366 days.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput(where="days", seen=days, detail=Text(f"liczba dni od 1 do {MOST_DAYS}", f"days from 1 to {MOST_DAYS}"))
    moment = now.astimezone(UTC).replace(tzinfo=None)
    since = moment - timedelta(days=days)
    pages = [ClickedPage(**row) for row in ws.warehouse.run(click_map.pages(history(), since, moment)).to_pylist()]
    page, viewport = _chosen(pages, asked[0], asked[1])
    elements, element, found = tuple[ClickedElement, ...](), "", list[dict[str, int]]()
    if page:
        with ws.warehouse.keep(click_map.clicks_of(history(), page, viewport, since, moment)) as clicks:
            elements = tuple(ClickedElement(**row) for row in ws.warehouse.run(click_map.elements(clicks)).to_pylist())
            element = asked[2] if any(one.element == asked[2] for one in elements) else ""
            found = ws.warehouse.run(click_map.within(clicks, element) if element else click_map.cells(clicks)).to_pylist()
    seen = ws.warehouse.run(click_map.views(history(), page, since, moment)).to_pylist()[0]["views"] if page else 0
    shown = now.astimezone(ws.settings.zone).strftime("%Y-%m-%d %H:%M")
    definition = Text(*(text.format(days=days, now=shown) for text in DEFINITION))
    return ClickMap(
        page, viewport, element, tuple(pages), elements, tuple(sorted((row["column"], row["row"], row["clicks"]) for row in found)),
        GRID if element else ACROSS, GRID if element else DOWN, seen, definition,
    )  # fmt: skip


def _chosen(pages: Sequence[ClickedPage], page: str, viewport: str) -> tuple[str, str]:
    """The page and class of window asked for, or the most clicked that fits."""
    if page and viewport in VIEWPORTS:
        return page, viewport
    fitting = [one for one in pages if (not page or one.page == page) and (not viewport or one.viewport == viewport)]
    return (fitting[0].page, fitting[0].viewport) if fitting else (page, viewport or VIEWPORTS[2] if page else "")
