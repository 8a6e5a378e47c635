"""What all charts share: one number with its label, and where it leads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from markupsafe import Markup, escape

T = TypeVar("T")


@dataclass(frozen=True)
class Mark:
    """One number of a chart. `shown` is the number as text with its unit; `href` leads to the rows behind it."""

    label: str
    value: float
    shown: str
    href: str = ""
    unfinished: bool = False  #: the period is not over yet


@dataclass(frozen=True)
class Wording:
    """The words around a chart, already in the visitor's language."""

    title: str
    label: str  #: heading of the labels' column
    value: str  #: heading of the values' column
    definition: str = ""  #: window, order, unit, time zone
    table: str = ""  #: summary of the folded table


def percent(value: float, whole: float) -> str:
    """`value` of `whole` as an SVG length, with a sliver for anything above zero."""
    if whole <= 0 or value <= 0:
        return "0%"
    return f"{max(0.4, min(100.0, 100 * value / whole)):.2f}%"


def linked(mark: Mark, text: str) -> Markup:
    """`text`, leading to the rows behind the mark."""
    return Markup('<a href="{}">{}</a>').format(mark.href, text) if mark.href else escape(text)


def joined(parts: Iterable[T], draw: Callable[[T], Markup]) -> Markup:
    """The drawings of all parts, one after another."""
    return Markup("").join(draw(part) for part in parts)
