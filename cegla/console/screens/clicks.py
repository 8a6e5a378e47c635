"""The click map: where on a page people click, over the page and as a table."""

from urllib.parse import urlencode

from starlette.responses import Response

from cegla.analyse import actions as analyse
from cegla.console.charts.page_map import Pin, page_map
from cegla.console.visit import Visit
from cegla.vocabulary.text import Text

DAYS = (7, 30, 90)
MOST_PINS = 15
VIEWPORTS = {"phone": Text("telefon (do 599 px)", "phone (up to 599 px)"), "tablet": Text("tablet (600–1023 px)", "tablet (600–1023 px)"),
    "desktop": Text("komputer (1024–1439 px)", "desktop (1024–1439 px)"), "wide": Text("szeroki ekran (od 1440 px)", "wide screen (from 1440 px)")}  # fmt: skip


def show(visit: Visit) -> Response:
    """`?page=`, `?viewport=`, `?days=` choose the map, `?element=` looks into one element."""
    days = visit.asked_number("days", 30)
    days = days if days in DAYS else 30
    found = analyse.click_map_of(visit.ws, (visit.query.get("page", ""), visit.query.get("viewport", ""), visit.query.get("element", "")), days, visit.now)
    pins = [] if found.element else [
        Pin(number, one.across, one.down) for number, one in enumerate(found.elements[:MOST_PINS], 1) if one.across is not None and one.down is not None
    ]  # fmt: skip
    drawing = page_map((found.across, found.down), found.cells, pins, found.element or found.page)

    def link(**more: object) -> str:
        return "/clicks?" + urlencode({"page": found.page, "viewport": found.viewport, "days": days} | more)

    model = {"map": found, "drawing": drawing, "days": days, "choices": DAYS, "viewports": VIEWPORTS, "pins": MOST_PINS, "link": link}
    return visit.page("clicks.html", model)
