"""A graph as rows with arcs: every node has a line of text, links bow out to the left. It reads the same with three nodes and with
a hundred, on a desk and on a phone, since rows only grow downwards. Decoration beside a table that says the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from cegla.console.charts.marks import joined

HEADING = 30  #: height of a row that names a group
ROW = 42
SPINE = 76  #: where nodes stand; arcs bow into the space left of it
WIDEST = 64

Shape = Literal["heading", "human", "place", "shared", "rest", "other"]
Style = Literal["joins", "refused", "undone", "bundle"]

_HEADING = Markup('<text class="graph-type" x="{x}" y="{y}">{label}</text>')
_NODE = Markup('<g class="graph-{shape}">{mark}<text x="{x}" y="{y}">{label}</text><text class="graph-note" x="{x}" y="{below}">{note}</text></g>')
_ARC = Markup('<path class="arc arc-{style}" d="M{spine} {top} C{bow} {top} {bow} {bottom} {spine} {bottom}"><title>{title}</title></path>')
_MARKS: dict[str, Markup] = {
    "human": Markup('<circle cx="{x}" cy="{y}" r="6"/>'),
    "place": Markup('<rect x="{left}" y="{top}" width="11" height="11" rx="2"/>'),
    "shared": Markup('<rect x="{left}" y="{top}" width="11" height="11" rx="2"/>'),
    "rest": Markup('<circle cx="{x}" cy="{y}" r="2"/><circle cx="{x}" cy="{above}" r="2"/><circle cx="{x}" cy="{under}" r="2"/>'),
    "other": Markup('<path d="M{x} {above} L{right} {y} L{x} {under} L{far} {y} Z"/>'),
}
_FIGURE = Markup('<svg class="graph" height="{height}" role="img" aria-label="{title}">{arcs}{rows}</svg>')


@dataclass(frozen=True)
class GraphRow:
    """One line: the name of a group, or a node with a note below its label."""

    shape: Shape
    label: str
    note: str = ""


@dataclass(frozen=True)
class Arc:
    """A link between two rows, given by their places; `title` shows when it is pointed at."""

    one: int
    other: int
    style: Style
    title: str


def graph(rows: Sequence[GraphRow], arcs: Sequence[Arc], title: str) -> Markup:
    """The drawing; `title` says what it shows to whoever does not see it."""
    middles: list[int] = []
    height = 0
    for row in rows:
        tall = HEADING if row.shape == "heading" else ROW
        middles.append(height + tall // 2)
        height += tall
    shown = sorted(arcs, key=lambda arc: arc.style == "joins")
    return _FIGURE.format(
        height=height + 4, title=title, arcs=joined(shown, lambda arc: _arc(arc, middles)),
        rows=joined(zip(rows, middles, strict=True), lambda placed: _row(*placed)),
    )  # fmt: skip


def _row(row: GraphRow, middle: int) -> Markup:
    if row.shape == "heading":
        return _HEADING.format(x=SPINE + 16, y=middle + 9, label=row.label)
    places = {"x": SPINE, "y": middle, "left": SPINE - 5.5, "top": middle - 5.5, "above": middle - 7, "under": middle + 7, "right": SPINE + 7, "far": SPINE - 7}
    mark = _MARKS[row.shape].format(**places)
    return _NODE.format(shape=row.shape, mark=mark, x=SPINE + 16, y=middle - 2, below=middle + 14, label=row.label, note=row.note)


def _arc(arc: Arc, middles: Sequence[int]) -> Markup:
    """Far ends bow out further, so that arcs of one node do not lie on one another."""
    top, bottom = sorted((middles[arc.one], middles[arc.other]))
    bow = SPINE - min(WIDEST + 20, 18 + (bottom - top) // 4)
    return _ARC.format(style=arc.style, spine=SPINE, top=top, bottom=bottom, bow=bow, title=arc.title)
