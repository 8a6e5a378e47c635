"""The click map of the site, worked out by hand."""

from types import SimpleNamespace
from typing import Any

import pytest

from cegla.analyse.actions import click_map_of
from cegla.storage.warehouse import Warehouse
from cegla.vocabulary.errors import InvalidInput
from tests.profile.analysed import NOW, ZONE, Deed, history_of


def click(person: int, path: str, element: str, place: tuple[float, float], viewport: str = "desktop", days: float = 1, **more: object) -> Deed:
    """A click in the middle of an element that lies at a place of a page 1,000 px high."""
    across, down = place
    return (person, days, "Element Clicked", {"path": path, "element": element, "x": 0.5, "y": 0.5, "page_x": across, "page_y": round(down * 1_000), "page_height": 1_000,
        "viewport": viewport, **more})  # fmt: skip


def map_of(warehouse: Warehouse, page: str = "", viewport: str = "", element: str = "", days: int = 30) -> Any:
    ws: Any = SimpleNamespace(warehouse=warehouse, settings=SimpleNamespace(zone=ZONE))
    return click_map_of(ws, (page, viewport, element), days, NOW)


CLICKS = [
    click(1, "/p/123", "#buy", (0.5, 0.25)), click(1, "/p/123", "#buy", (0.5, 0.25), rage=True, days=1.1), click(2, "/p/456", "#buy", (0.5, 0.25), dead=True),
    click(2, "/p/456", "nav > a", (0.1, 0.0)), click(3, "/p/777", "#buy", (0.9, 0.99), viewport="phone"), click(3, "/", "#hero", (1.0, 1.0)),
    click(3, "/p/888", "#buy", (0.5, 0.25), days=40),
]  # fmt: skip


def test_pages_that_number_things_are_one_page_a_class_of_window() -> None:
    with history_of(CLICKS) as warehouse:
        found = map_of(warehouse)
    assert [(one.page, one.viewport, one.clicks, one.people) for one in found.pages] == [("/p/*", "desktop", 4, 2), ("/", "desktop", 1, 1), ("/p/*", "phone", 1, 1)]
    assert (found.page, found.viewport) == ("/p/*", "desktop")


def test_elements_are_counted_with_people_rage_and_dead_clicks_and_lie_where_they_were() -> None:
    with history_of(CLICKS) as warehouse:
        first, second = map_of(warehouse).elements
    assert (first.element, first.clicks, first.people, first.rage, first.dead, first.across, first.down) == ("#buy", 3, 2, 1, 1, 0.5, 0.25)
    assert (second.element, second.clicks) == ("nav > a", 1)


def test_cells_are_counted_from_the_top_left_and_the_edge_belongs_to_the_last() -> None:
    with history_of(CLICKS) as warehouse:
        assert map_of(warehouse).cells == ((3, 0, 1), (16, 16, 3))  # 0.1 · 32, 0 · 64; 0.5 · 32, 0.25 · 64
        assert map_of(warehouse, "/").cells == ((31, 63, 1),)


def test_an_element_has_a_map_of_its_inside() -> None:
    with history_of(CLICKS) as warehouse:
        found = map_of(warehouse, "/p/*", "desktop", "#buy")
    assert (found.across, found.down, found.cells) == (32, 32, ((16, 16, 3),))


def test_a_page_nobody_clicked_is_empty_and_so_is_a_shop_without_clicks() -> None:
    with history_of(CLICKS) as warehouse:
        assert map_of(warehouse, "/nowhere").elements == ()
    with history_of([(1, 1, "Page Viewed", {"path": "/"})]) as warehouse:
        assert map_of(warehouse).pages == ()


def test_days_have_bounds() -> None:
    with history_of(CLICKS) as warehouse, pytest.raises(InvalidInput):
        map_of(warehouse, days=0)
