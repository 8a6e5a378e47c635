"""One message: why it was sent, or was not."""

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.views import states
from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.vocabulary.people import person_label


def show(visit: Visit) -> Response:
    """The reasons in order: the campaign, the segment, the consent, what became of it."""
    number = visit.number("id")
    found = activate.message(visit.ws, number)
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "message.why", person_label(found.message.person_id), {"message": number}, visit.now)
    model = {"why": found, "message": found.message, "outcomes": states.OUTCOMES, "skips": states.SKIPS, "decisions": states.DECISIONS}
    return visit.page("message.html", model)
