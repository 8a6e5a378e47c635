"""Portraits of customers: a page of movements, baskets and affinities, and one of groups of alike customers."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from cegla.analyse import actions as analyse
from cegla.console.charts.marks import Mark, Wording
from cegla.console.menu import marked
from cegla.console.screens.names import display_names
from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.vocabulary.text import Text

Answer = TypeVar("Answer")
MONTH, MOST_SHOWN, MOST_VALUES = timedelta(days=30), 100, 25
KINDS = (("category", marked("Kategorie")), ("brand", marked("Marki")), ("colour", marked("Kolory")), ("topic", marked("Tematy")))
BYS: tuple[tuple[analyse.portraits.By, str], ...] = (
    ("age", marked("Koszyk według wieku")),
    ("town", marked("Koszyk według wielkości miejscowości")),
    ("sex", marked("Zakupy według płci")),
)
WORDS = {
    "metropolis": marked("ponad 500 tys."), "large": marked("100–500 tys."), "medium": marked("20–100 tys."), "small": marked("do 20 tys."),
    "f": marked("kobiety"), "m": marked("mężczyźni"), "newcomer": marked("nowi kupujący"),
}  # fmt: skip


def show(visit: Visit) -> Response:
    """Movements of the last 30 days, baskets, and what people are drawn to."""
    kind = visit.query.get("kind", "category")
    today = visit.now.astimezone(visit.ws.settings.zone).date()
    moved = _recent(visit, ("movements", today), lambda: analyse.portraits.movements(visit.ws, today - MONTH, today))
    drawn = _recent(visit, ("affinities", kind), lambda: analyse.portraits.affinities(visit.ws, kind, visit.now))
    charts = [_baskets(visit, by, title) for by, title in BYS]
    words = _words(visit, marked("Ruchy między grupami RFM"), moved.definition)
    model = {"moved": moved, "heads": _heads(visit), "grid": _grid(visit, moved), "grid_words": words, "charts": charts}
    return visit.page("portraits.html", model | {"drawn": drawn, "values": drawn.rows[:MOST_VALUES], "kinds": KINDS, "kind": kind})


def show_groups(visit: Visit) -> Response:
    """Groups of alike customers in words, and why there are so many of them."""
    found = _recent(visit, ("groups",), lambda: analyse.portraits.groups(visit.ws, visit.now))
    t = visit.tongue
    marks = [Mark(t.say(row.words), row.later_micros, t.money(row.later_micros)) for row in found.rows]
    return visit.page("portrait_groups.html", {"found": found, "marks": marks, "words": _words(visit, marked("Ile każdy wydał potem"), found.definition)})


def _recent(visit: Visit, asked: tuple[Any, ...], make: Callable[[], Answer]) -> Answer:
    """What the last visitors saw, as long as it is recent and nobody was erased, by whatever process, objected to profiling, or agreed again, since."""
    with visit.ws.transaction() as conn:
        erased, left_out = govern.retention.newest_erasure(conn), frozenset(profile.places.objecting(conn))
    return visit.ws.recent.of((*asked, erased, left_out), visit.now, make)


def show_people(visit: Visit) -> Response:
    """The people behind a number: of a movement, or drawn to a value; the first hundred."""
    today, trait = visit.now.astimezone(visit.ws.settings.zone).date(), ""
    if value := visit.query.get("value"):
        kind = visit.query.get("kind", "category")
        title, people, trait = value, analyse.portraits.drawn_to(visit.ws, kind, value, visit.now), f"portrait.{kind}"
    else:
        was, is_now = visit.query.get("was", ""), visit.query.get("is_now", "")
        title, people = f"{_label(visit, was)} → {_label(visit, is_now)}", analyse.portraits.moved(visit.ws, (today - MONTH, today), was, is_now)
    shown = people[:MOST_SHOWN]
    with visit.ws.transaction() as conn:
        names = display_names(conn, shown)
    return visit.page("portrait_people.html", {"title": title, "people": shown, "all": len(people), "names": names, "trait": trait})


def _heads(visit: Visit) -> list[str]:
    return [visit.tongue.say(row.label) for row in segment.movements.GROUPS]


def _label(visit: Visit, key: str) -> str:
    known = {row.key: visit.tongue.say(row.label) for row in segment.movements.GROUPS}
    return known.get(key) or (str(visit.tongue.text(WORDS[key])) if key in WORDS else key)


def _grid(visit: Visit, moved: segment.movements.Movements) -> list[tuple[str, list[Mark]]]:
    """A row for each group people came from, a column for each they are in; each number leads to its people."""
    counted = {(row.was, row.is_now): row.people for row in moved.rows}
    keys = [row.key for row in segment.movements.GROUPS]
    return [(_label(visit, was), [_cell(visit, was, is_now, counted.get((was, is_now), 0)) for is_now in keys]) for was in (segment.movements.NEWCOMER, *keys)]


def _cell(visit: Visit, was: str, is_now: str, people: int) -> Mark:
    return Mark(is_now, people, visit.tongue.number(people), f"/portraits/people?{urlencode({'was': was, 'is_now': is_now})}" if people else "")


def _baskets(visit: Visit, by: analyse.portraits.By, title: str) -> tuple[str, Sequence[analyse.portraits.Basket], list[Mark], Wording, list[str]]:
    """The title, the rows, their bars (average basket; for the sexes orders), the words, and the groups' names."""
    t = visit.tongue
    found = _recent(visit, ("baskets", by), lambda: analyse.portraits.baskets(visit.ws, by, visit.now))
    names = [str(t.text(WORDS[row.group]) if row.group in WORDS else row.group or t.text("nie wiadomo")) for row in found.rows]
    money = [Mark(name, row.average_micros, t.money(row.average_micros)) for name, row in zip(names, found.rows, strict=True)]
    orders = [Mark(name, row.orders, t.number(row.orders)) for name, row in zip(names, found.rows, strict=True)]
    return title, found.rows, orders if by == "sex" else money, _words(visit, title, found.definition), names


def _words(visit: Visit, title: str, definition: Text) -> Wording:
    t = visit.tongue
    return Wording(str(t.text(title)), str(t.text("Grupa")), str(t.text("Wartość")), t.say(definition), str(t.text("Tabela")))
