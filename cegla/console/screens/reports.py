"""What came of a campaign: the funnel of its messages, why some were not sent, orders after, and the messages themselves."""

from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.analyse import actions as analyse
from cegla.console.charts.marks import Mark, Wording
from cegla.console.menu import marked
from cegla.console.screens.names import display_names
from cegla.console.views import states
from cegla.console.visit import Visit
from cegla.vocabulary.messages import MessageState

AT_ONCE = 50


def show(visit: Visit) -> Response:
    """The report; `?state=` narrows the list of messages, so every number leads to its people."""
    number, t = visit.number("id"), visit.tongue
    report = analyse.campaign_report(visit.ws, number, visit.now)
    experiment = analyse.experiment_of(visit.ws, number, visit.now)
    wanted = visit.query.get("state", "")
    state = MessageState(wanted) if wanted in set(MessageState) else None
    with visit.ws.transaction() as conn:
        campaign = activate.campaign(conn, number)
        messages = activate.messages_of(conn, campaign_id=number, state=state, before=visit.asked_number("before") or None, limit=AT_ONCE + 1)
        names = display_names(conn, [row.person_id for row in messages])
    more = messages[AT_ONCE - 1].id if len(messages) > AT_ONCE else None
    steps = (
        (marked("Wysłane"), report.sent, ""), (marked("Dostarczone"), report.delivered, "sent"), (marked("Kliknęli"), report.clicked, ""),
        (marked("Kupili"), report.buyers, ""),
    )  # fmt: skip
    marks = [Mark(str(t.text(label)), count, _shown(visit, count, report.sent), f"?state={key}" if key else "") for label, count, key in steps]
    words = Wording(str(t.text("Od wysłania do zakupu")), str(t.text("Krok")), str(t.text("Osoby")), t.say(report.definition))
    model: dict[str, Any] = {
        "report": report, "campaign": campaign, "marks": marks, "words": words, "messages": messages[:AT_ONCE], "names": names, "more": more,
        "state": state, "outcomes": states.OUTCOMES, "skips": states.SKIPS,
        "experiment": experiment, "verdicts": states.EXPERIMENTS,
    }  # fmt: skip
    return visit.page("campaign_report.html", model)


def _shown(visit: Visit, count: int, whole: int) -> str:
    """The number and its share of what was sent."""
    share = f" ({visit.tongue.percent(count / whole)})" if whole else ""
    return visit.tongue.number(count) + share
