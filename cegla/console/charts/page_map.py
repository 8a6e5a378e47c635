"""A page as a sheet of cells, the darker the more clicks, with the busiest elements numbered where they lie. The table beside it says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cegla.console.charts.heat import level
from cegla.console.charts.marks import joined

CELL = 10  #: side of a cell
PIN = 8  #: radius of a numbered pin

_FIGURE = Markup(
    '<figure class="chart page-map"><svg viewBox="0 0 {width} {height}" role="img" aria-label="{title}">'
    '<rect class="sheet" width="{width}" height="{height}" rx="4"/>{cells}{pins}</svg></figure>'
)
_CELL = Markup('<rect class="level-{level}" x="{x}" y="{y}" width="{side}" height="{side}"><title>{clicks}</title></rect>')
_PIN = Markup('<g class="pin"><circle cx="{x}" cy="{y}" r="{radius}"/><text x="{x}" y="{y}">{number}</text></g>')


@dataclass(frozen=True)
class Pin:
    """A numbered place, as shares of the sheet's width and height."""

    number: int
    across: float
    down: float


def page_map(size: tuple[int, int], cells: Sequence[tuple[int, int, int]], pins: Sequence[Pin], title: str) -> Markup:
    """The sheet of `size` (cells across, cells down); `cells` are (column, row, clicks)."""
    width, height = size[0] * CELL, size[1] * CELL
    most = max((clicks for _, _, clicks in cells), default=0)

    def cell(one: tuple[int, int, int]) -> Markup:
        return _CELL.format(level=level(one[2], most), x=one[0] * CELL, y=one[1] * CELL, side=CELL, clicks=one[2])

    def pin(one: Pin) -> Markup:
        x, y = min(max(one.across * width, PIN), width - PIN), min(max(one.down * height, PIN), height - PIN)
        return _PIN.format(x=round(x, 1), y=round(y, 1), radius=PIN, number=one.number)

    return _FIGURE.format(width=width, height=height, title=title, cells=joined(cells, cell), pins=joined(pins, pin))
