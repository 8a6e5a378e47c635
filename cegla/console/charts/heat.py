"""A heat table: every cell holds its number, so colour only helps."""

from collections.abc import Sequence

from markupsafe import Markup

from cegla.console.charts.marks import Mark, Wording, joined, linked

LEVELS = 5
_FIGURE = Markup(
    '<figure class="chart"><div class="table"><table class="heat"><caption class="hidden-text">{title}</caption>'
    "<thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table></div><figcaption>{definition}</figcaption></figure>"
)


def level(value: float, most: float) -> int:
    """0 for nothing, then 1..5 in equal steps up to the largest value."""
    if value <= 0 or most <= 0:
        return 0
    return LEVELS if value >= most else min(LEVELS, 1 + int(LEVELS * (value / most)))


def heat(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Mark]]], wording: Wording) -> Markup:
    """Cells coloured by value; `heads` name the columns, each row starts with its name."""
    most = max((mark.value for _, marks in rows for mark in marks), default=0)
    head, cell, line = Markup('<th scope="col">{}</th>'), Markup('<td class="level-{}">{}</td>'), Markup('<tr><th scope="row">{}</th>{}</tr>')

    def row(named: tuple[str, Sequence[Mark]]) -> Markup:
        return line.format(named[0], joined(named[1], lambda mark: cell.format(level(mark.value, most), linked(mark, mark.shown))))

    return _FIGURE.format(title=wording.title, heads=joined(heads, head.format), rows=joined(rows, row), definition=wording.definition)
