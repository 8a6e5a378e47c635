"""Events: what arrives now."""

from starlette.responses import Response

from cegla.console.views.events import line
from cegla.console.visit import Visit
from cegla.profile import actions as profile

AT_ONCE = 40


def show(visit: Visit) -> Response:
    """The newest events; the list asks for itself again every two seconds."""
    newest = [line(event) for event in profile.past.latest_events(visit.ws.warehouse, 0, AT_ONCE)]
    return visit.page("events.html", {"events": newest}, block="live")
