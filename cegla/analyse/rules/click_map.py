"""Clicks over everybody, as expressions over the history: which pages have them, which elements, and where on the page and the element they lie.

A page is its path with the segments that only number things left out ("/p/123" is "/p/*"); on each class of window it lies differently, so each
has a map of its own. Places are counted in cells: 32 across and 64 down a page, 32 by 32 of an element. Bots are left out.
"""

from datetime import datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from cegla.analyse.rules.sales import of_humans

CLICKED, VIEWED = "Element Clicked", "Page Viewed"
VIEWPORTS = ("phone", "tablet", "desktop", "wide")
ACROSS, DOWN, GRID = 32, 64, 32
MOST_PAGES, MOST_ELEMENTS = 50, 40
_NUMBERED = r"/[^/]*[0-9]{2}[^/]*"


@ibis.udf.scalar.builtin(name="json_extract_string")
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value at an RFC 6901 pointer."""


def pages(history: ir.Table, since: datetime, now: datetime) -> ir.Table:
    """`page`, `viewport`, `clicks` and `people`, those with most clicks first."""
    clicks = _clicks(history, since, now)
    counted = clicks.group_by("page", "viewport").aggregate(clicks=clicks.count(), people=clicks.person_id.nunique())
    return counted.order_by(counted.clicks.desc(), counted.page, counted.viewport).limit(MOST_PAGES)


def clicks_of(history: ir.Table, page: str, viewport: str, since: datetime, now: datetime) -> ir.Table:
    """The clicks on one page, one row each, told apart: who, on which element, where on it and on the page. To be kept, since reading them costs most."""
    clicks = _clicks(history, since, now)
    clicked = clicks.filter((clicks.page == page) & (clicks.viewport == viewport))
    page_y, height = _number(clicked, "page_y"), _number(clicked, "page_height")
    return clicked.select(
        "person_id", element=_text(clicked, "element"), x=_number(clicked, "x"), y=_number(clicked, "y"), across=_number(clicked, "page_x"),
        down=(height > 0).ifelse(page_y / height, None), rage=_text(clicked, "rage"), dead=_text(clicked, "dead"),
    )  # fmt: skip


def elements(clicks: ir.Table) -> ir.Table:
    """Of the clicks of a page: `element`, `clicks`, `people`, `rage`, `dead`, and its middle on the page: `across` and `down`, shares of width and height."""
    named: Any = clicks.filter(clicks["element"].notnull())
    counted = named.group_by("element").aggregate(
        clicks=named.count(), people=named.person_id.nunique(), rage=named.count(where=named.rage == "true"), dead=named.count(where=named.dead == "true"),
        across=named.across.median(), down=named.down.median(),
    )  # fmt: skip
    return counted.order_by(counted.clicks.desc(), counted.element).limit(MOST_ELEMENTS)


def cells(clicks: ir.Table) -> ir.Table:
    """`column`, `row` (from the top left) and `clicks` of the cells of a page that have any."""
    placed: Any = clicks.filter(ibis._.across.notnull() & ibis._.down.notnull())
    return placed.group_by(column=_cell(placed.across, ACROSS), row=_cell(placed.down, DOWN)).aggregate(clicks=placed.count())


def within(clicks: ir.Table, element: str) -> ir.Table:
    """The same of one element: where on it people click."""
    placed: Any = clicks.filter((ibis._.element == element) & ibis._.x.notnull() & ibis._.y.notnull())
    return placed.group_by(column=_cell(placed.x, GRID), row=_cell(placed.y, GRID)).aggregate(clicks=placed.count())


def views(history: ir.Table, page: str, since: datetime, now: datetime) -> ir.Table:
    """One row: `views` of a page on windows of any class, and `people` who saw it."""
    past = _lately(history, since, now)
    seen = past.filter((past.name == VIEWED) & (_template(past.page_path) == page))
    return seen.aggregate(views=seen.count(), people=seen.person_id.nunique())


def _clicks(history: ir.Table, since: datetime, now: datetime) -> Any:
    """Every click with its page; a path is read once, however many clicks are on it."""
    past = _lately(history, since, now)
    clicked = past.filter((past.name == CLICKED) & past.page_path.notnull())
    paths = clicked.select(path="page_path").distinct()
    named = clicked.join(paths.mutate(page=_template(paths.path)), clicked.page_path == paths.path)
    return named.select("person_id", "properties", "page", viewport=_text(named, "viewport").fill_null("desktop"))


def _lately(history: ir.Table, since: datetime, now: datetime) -> Any:
    past = of_humans(history, now)
    return past.filter(past.occurred_at >= ibis.literal(since, type="timestamp"))


def _template(path: Any) -> Any:
    """A path without the segments that number things."""
    plain = path.re_replace(_NUMBERED, "/*")
    return (plain.length() > 1).ifelse(plain.re_replace(r"/+$", ""), plain)


def _text(clicked: Any, name: str) -> Any:
    return _text_at(clicked.properties, f"/{name}")


def _number(clicked: Any, name: str) -> Any:
    return _text(clicked, name).try_cast("float64")


def _cell(share: Any, many: int) -> Any:
    """The cell of a share of 0 to 1; what lies outside belongs to the outermost."""
    cell: Any = (share * many).floor().cast("int64")
    return ibis.greatest(ibis.least(cell, many - 1), 0)
