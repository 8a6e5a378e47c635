"""Clicks: zones, annoyance and ways, worked out by hand."""

import pytest

from cegla.profile.analysers.clicks import ANALYSER
from cegla.profile.rules.clicking import zone_of
from tests.profile.analysed import Deed, found


@pytest.mark.parametrize(
    ("element", "zone"),
    [
        ("#main-nav > li:nth-of-type(2) > a", "menu"), ("form[name=\"search\"] > button", "search"), ("#hero-banner > a", "banner"), ("#add-to-cart", "cta"),
        ("button[data-testid=\"buy\"]", "cta"), ("a[href=\"/koszyk\"]", "cart"), ("footer > a:nth-of-type(3)", "footer"), ("main > p:nth-of-type(4)", "content"),
        ("div.product-card > a", "product"), ("#filter-color > label", "filter"), ("header > form > input", "form"), ("header > a", "menu"), ("", "content"),
    ],
)  # fmt: skip
def test_the_path_of_an_element_tells_its_zone(element: str, zone: str) -> None:
    assert zone_of(element) == zone


def click(person: int, days: float, element: str, **facts: object) -> Deed:
    return (person, days, "Element Clicked", {"element": element, "tag": "a", "x": 0.5, "y": 0.5, **facts})


def test_clicks_add_up_and_lose_half_their_weight_in_thirty_days() -> None:
    """Two fresh clicks in the menu (2.0), one on a call to action a half-life ago (0.5), of 2.5."""
    own = found(ANALYSER, [click(1, 0, "nav > a", rage=True), click(1, 0.001, "nav > a", dead=True), click(1, 30, "#buy")])[1]
    assert own["clicks.zones"] == {"menu": 0.8, "cta": 0.2}
    assert (own["clicks.rage"], own["clicks.dead"]) == (1, 1)
    assert own["clicks.cta_affinity"] is None  # three clicks are too few


def test_the_way_is_what_most_clicks_of_finding_were() -> None:
    deeds = [click(1, day / 10, "#search-box > button") for day in range(4)] + [click(1, 0.5, "nav > a"), click(1, 0.6, "#buy")]
    own = found(ANALYSER, deeds)[1]
    assert own["clicks.nav_style"] == "search"
    assert own["clicks.cta_affinity"] == pytest.approx(1 / 6, abs=0.005)


def test_clicks_without_an_element_are_clicks_still() -> None:
    own = found(ANALYSER, [(1, day / 10, "Element Clicked", {"rage": True}) for day in range(3)])[1]
    assert own["clicks.rage"] == 3
    assert own["clicks.zones"] is None
