"""/ui: every macro in every state, so that one page of screenshots and one run of axe sees them all."""

from starlette.responses import Response

from cegla.console.charts.marks import Mark, Wording
from cegla.console.visit import Visit
from cegla.vocabulary.errors.people import RuleInvalid

LONG = "Najniekorzystniejsze przedświąteczne porzucone koszyki z kategorii „Dom i ogród” powyżej średniej wartości zamówienia"


def show(visit: Visit) -> Response:
    """The gallery."""
    words = Wording("Zamówienia", "Dzień", "Zamówienia", "Zamówienia na dzień, Europe/Warsaw.", "Tabela")
    orders = (0, 12, 18, 7, 22, 31, 25, 14, 9, 27, 33, 41, 38, 11)
    days = [Mark(f"{day}.11", value, str(value), "/people", day == 14) for day, value in enumerate(orders, start=1)]
    grid = [(f"R{row}", [Mark("", (row * column) ** 2, str((row * column) ** 2), "/people") for column in range(1, 6)]) for row in range(5, 0, -1)]
    model = {
        "problem": RuleInvalid(where="/all/0/days", seen="-3", detail="days ≥ 1").problem(visit.language),
        "words": words,
        "days": days,
        "one": days[5:6],
        "grid": grid,
        "long": LONG,
    }
    return visit.page("gallery.html", model)
