"""The history's own page: whether it is whole, what damage was met, how long each class is kept, and what would go."""

from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from cegla import forgetting, soundness
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.errors import NotFound

LINES = 12


def show(visit: Visit) -> Response:
    """What is known without reading the whole history; with `?class=` also what a removal now would take."""
    return visit.page("history.html", _model(visit))


def check(visit: Visit) -> Response:
    """Every row read and compared now."""
    return visit.page("history.html", _model(visit) | {"found": soundness.check(visit.ws)})


def forget(visit: Visit) -> Response:
    """Remove what is too old of one class, which the page showed before."""
    asked = visit.field("class")
    if asked not in {kept.key for kept in forgetting.CLASSES}:
        raise NotFound(where=visit.path, seen=asked, thing=asked)
    forgetting.forget(visit.ws, visit.now, visit.actor, [asked])
    return see_other("/settings/history", done="forgotten")


def _model(visit: Visit) -> dict[str, Any]:
    due = forgetting.due(visit.ws, visit.now)
    with visit.ws.transaction() as conn:
        lines = govern.retention.lines(conn, LINES)
    aside = [(place.name, datetime.fromtimestamp(place.stat().st_mtime, UTC)) for place in forgetting.set_aside(visit.ws)]
    return {
        "due": due, "asked": next((one for one in due if one.key == visit.query.get("class") and one.rows), None), "aside": aside, "lines": lines,
        "retention": visit.ws.settings.retention, "waiting": visit.ws.warehouse.holds_erased, "found": None,
    }  # fmt: skip
