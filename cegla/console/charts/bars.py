"""Horizontal bars inside a table: the table is the chart."""

from collections.abc import Sequence

from markupsafe import Markup

from cegla.console.charts.marks import Mark, Wording, joined, linked, percent

_ROW = Markup(
    '<tr><th scope="row">{label}</th><td class="bar"><svg height="12" aria-hidden="true">'
    '<rect class="{paint}" rx="2" width="{width}" height="12"/></svg></td><td class="number">{shown}</td></tr>'
)
_FIGURE = Markup(
    '<figure class="chart"><table class="bars"><caption class="hidden-text">{title}</caption><thead class="hidden-text"><tr>'
    '<th scope="col">{label}</th><th scope="col">{title}</th><th scope="col">{value}</th></tr></thead><tbody>{rows}</tbody></table>{caption}</figure>'
)


def bars(marks: Sequence[Mark], wording: Wording, colour: int = 1) -> Markup:
    """A zero-based bar per mark, in the order given; each label leads to its rows when the mark says where."""
    most = max((mark.value for mark in marks), default=0)

    def row(mark: Mark) -> Markup:
        paint = f"fill-{colour}{' unfinished' if mark.unfinished else ''}"
        return _ROW.format(label=linked(mark, mark.label), paint=paint, width=percent(mark.value, most), shown=mark.shown)

    caption = Markup("<figcaption>{}</figcaption>").format(wording.definition) if wording.definition else Markup("")
    return _FIGURE.format(title=wording.title, label=wording.label, value=wording.value, rows=joined(marks, row), caption=caption)
