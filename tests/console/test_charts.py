"""Charts hold their numbers twice, as shapes and as a table, and need no style, script or fixed width."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.console.charts.bars import bars
from cegla.console.charts.heat import heat, level
from cegla.console.charts.line import columns, curve, spark
from cegla.console.charts.marks import Mark, Wording, percent

WORDS = Wording("Zamówienia", "Dzień", "Liczba", "według dnia", "Tabela")
MARKS = [Mark("1.11", 4, "4", "/people"), Mark("2.11", 0, "0"), Mark("<3.11>", 8, "8", unfinished=True)]


@pytest.mark.parametrize("draw", [bars, columns, curve])
def test_every_number_is_in_the_chart_and_what_came_in_is_escaped(draw: object) -> None:
    drawn = str(draw(MARKS, WORDS))  # type: ignore[operator]
    assert "<table" in drawn
    for mark in MARKS:
        assert f">{mark.shown}</td>" in drawn
    assert "&lt;3.11&gt;" in drawn
    assert 'href="/people"' in drawn
    assert "style=" not in drawn


def test_columns_are_zero_based_and_the_unfinished_one_is_marked() -> None:
    heights = [float(found) for found in re.findall(r'<rect class="fill-1[^"]*" x="[\d.]+%" y="[\d.]+" width="[\d.]+%" height="([\d.]+)"', columns(MARKS, WORDS))]
    assert heights[1] == 0
    assert heights[0] * 2 == heights[2]
    assert "fill-1 unfinished" in columns(MARKS, WORDS)


@pytest.mark.parametrize("draw", [bars, columns, curve])
def test_a_chart_of_nothing_is_still_a_chart(draw: object) -> None:
    assert "<figure" in str(draw([], WORDS))  # type: ignore[operator]


def test_a_heat_table_says_each_number_and_leads_to_its_people() -> None:
    drawn = heat(["F1", "F2"], [("R1", [Mark("", 1, "1", "/people"), Mark("", 0, "0")])], WORDS)
    assert '<td class="level-5"><a href="/people">1</a></td><td class="level-0">0</td>' in drawn


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_length_lies_between_nothing_and_the_whole(value: float, whole: float) -> None:
    assert 0 <= float(percent(value, whole).rstrip("%")) <= 100
    assert 0 <= level(value, whole) <= 5


@given(st.lists(st.floats(0, 1e12), max_size=40))
def test_a_curve_stays_in_its_box(values: list[float]) -> None:
    points = re.findall(r"(-?[\d.]+),(-?[\d.]+)", str(spark(values)))
    assert all(0 <= float(x) <= 100 and 0 <= float(y) <= 100 for x, y in points)
