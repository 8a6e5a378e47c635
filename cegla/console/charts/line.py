"""Series over time: columns, a curve with its area, and a small one without axes."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from cegla.console.charts.marks import Mark, Wording, joined, linked

HEIGHT = 168
FLOOR = 144  #: where zero lies; labels stand below
CEILING = 14
MOST_LABELS = 5

_COLUMN = Markup('<rect class="{paint}" x="{x:.2f}%" y="{y:.1f}" width="{width:.2f}%" height="{height:.1f}" rx="1.5"><title>{label}: {shown}</title></rect>')
_LABEL = Markup('<text x="{x:.2f}%" y="{y}" text-anchor="{anchor}">{label}</text>')
_PLOT = Markup('<svg y="{y}" width="100%" height="{height}" viewBox="0 0 100 100" preserveAspectRatio="none">{shape}</svg>')
_SPARK = Markup('<span class="chart" aria-hidden="true"><svg height="28" viewBox="0 0 100 100" preserveAspectRatio="none">{shape}</svg></span>')
_SHAPE = Markup('<polygon class="area" points="0,100 {points} 100,100"/><polyline class="curve line-{colour}" points="{points}"/>')
_AXIS = Markup(f'<line class="axis" x1="0" x2="100%" y1="{FLOOR + 0.5}" y2="{FLOOR + 0.5}"/>')
_FIGURE = Markup(
    '<figure class="chart"><svg height="{height}" role="img" aria-label="{title}">{drawing}'
    '<text x="100%" y="{top}" text-anchor="end">{peak}</text></svg><figcaption>{definition}</figcaption>{table}</figure>'
)
_TABLE = Markup(
    '<details><summary>{summary}</summary><table><thead><tr><th scope="col">{label}</th><th scope="col" class="number">{value}</th></tr></thead>'
    "<tbody>{rows}</tbody></table></details>"
)


def columns(marks: Sequence[Mark], wording: Wording, colour: int = 1) -> Markup:
    """Zero-based columns, one per mark; the unfinished period is paler."""
    most = max((mark.value for mark in marks), default=0)
    step = 100 / max(1, len(marks))

    def column(numbered: tuple[int, Mark]) -> Markup:
        position, mark = numbered
        height = (FLOOR - CEILING) * mark.value / most if most > 0 and mark.value > 0 else 0
        paint = f"fill-{colour}{' unfinished' if mark.unfinished else ''}"
        x, width = position * step + step * 0.12, step * 0.76
        return _COLUMN.format(paint=paint, x=x, y=FLOOR - height, width=width, height=height, label=mark.label, shown=mark.shown)

    drawing = joined(enumerate(marks), column) + _AXIS + _labels(marks, lambda position: position * step + step / 2)
    return _figure(drawing, marks, wording)


def curve(marks: Sequence[Mark], wording: Wording, colour: int = 1) -> Markup:
    """A line with its area, from zero."""
    last = max(1, len(marks) - 1)
    plot = _PLOT.format(y=CEILING, height=FLOOR - CEILING, shape=_shape([mark.value for mark in marks], colour))
    return _figure(plot + _AXIS + _labels(marks, lambda position: 100 * position / last), marks, wording)


def spark(values: Sequence[float]) -> Markup:
    """A curve the size of a word, for a tile; decoration beside a number that says the same."""
    return _SPARK.format(shape=_shape(values, 1))


def _shape(values: Sequence[float], colour: int) -> Markup:
    if not values:
        return Markup("")
    most, last = max(values), max(1, len(values) - 1)
    points = " ".join(f"{100 * position / last:.2f},{100 - (100 * value / most if most > 0 else 0):.2f}" for position, value in enumerate(values))
    return _SHAPE.format(points=points, colour=colour)


def _labels(marks: Sequence[Mark], place: Callable[[int], float]) -> Markup:
    """Labels that do not touch each other."""
    every = max(1, -(-len(marks) // MOST_LABELS))

    def label(position: int) -> Markup:
        x = place(position)
        anchor = "start" if x < 4 else "end" if x > 96 else "middle"
        return _LABEL.format(x=x, y=FLOOR + 18, anchor=anchor, label=marks[position].label)

    return joined(range(0, len(marks), every), label)


def _figure(drawing: Markup, marks: Sequence[Mark], wording: Wording) -> Markup:
    peak = max(marks, key=lambda mark: mark.value, default=None)
    return _FIGURE.format(
        height=HEIGHT, title=wording.title, drawing=drawing, top=CEILING - 4, peak=peak.shown if peak else "", definition=wording.definition,
        table=table(marks, wording),
    )  # fmt: skip


def table(marks: Sequence[Mark], wording: Wording) -> Markup:
    """The same numbers as a table, folded."""
    row = Markup('<tr><th scope="row">{}</th><td class="number">{}</td></tr>')
    rows = joined(marks, lambda mark: row.format(linked(mark, mark.label), mark.shown))
    return _TABLE.format(summary=wording.table, label=wording.label, value=wording.value, rows=rows)
