"""What came of a campaign: from chosen to ordered, by variant, destination and link, who did what, and the people behind each number; the calendar."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.analyse import actions as analyse
from cegla.console import guard
from cegla.console.charts.marks import Mark, Wording
from cegla.console.digits import whole
from cegla.console.menu import marked
from cegla.console.screens.names import display_names
from cegla.console.views import states
from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.vocabulary.messages import MessageState, SkipReason

AT_ONCE = 50
DEEDS = 30
DAYS = 7
MOST_WEEKS = 520


def show(visit: Visit) -> Response:
    """The report. `?state=`, `reason`, `arm`, `destination` narrow the list of messages, `?step=` lists people who did something: numbers lead there."""
    number = visit.number("id")
    report = analyse.campaign_report(visit.ws, number, visit.now)
    experiment = analyse.experiment_of(visit.ws, number, visit.now)
    with visit.ws.transaction() as conn:
        campaign = activate.campaign(conn, number)
        places = activate.reporting.places(conn, number)
        deeds = govern.audit_about(conn, f"campaign {number}", DEEDS)
        links = activate.reporting.links(conn, number)
    model: dict[str, Any] = {
        "links": links, "nobodys": sum(clicks for _, _, clicks in links), "by_link": analyse.clicks_by_link(visit.ws, number, visit.now),
        "report": report, "campaign": campaign, "experiment": experiment, "places": places, "deeds": deeds, "skips": states.SKIPS,
        "outcomes": states.OUTCOMES, "verdicts": states.EXPERIMENTS, "acts": states.ACTS, "steps": states.STEPS,
    }  # fmt: skip
    return visit.page("campaign_report.html", model | _funnel(visit, report) | _people(visit, number))


def show_map(visit: Visit) -> Response:
    """The letter of a variant with the clicks on each link, alone, for the sandboxed frame."""
    number = visit.number("id")
    clicks = analyse.clicks_by_link(visit.ws, number, visit.now)
    html = activate.reporting.map_of_links(visit.ws, number, visit.arguments["variant"], clicks)
    headers = {"content-security-policy": guard.PREVIEW_POLICY, "x-frame-options": "SAMEORIGIN"}
    return Response(html, media_type="text/html", headers=headers)


def show_calendar(visit: Visit) -> Response:
    """Four weeks of what went and what is to go, by day of the shop's clock; `?week=` steps back and forth."""
    today = visit.now.astimezone(visit.ws.settings.zone).date()
    week = max(-MOST_WEEKS, min(MOST_WEEKS, _whole(visit.query.get("week", ""))))
    first = today - timedelta(days=today.weekday()) + timedelta(weeks=week)
    with visit.ws.transaction() as conn:
        found = activate.reporting.calendar(conn, visit.ws, first, first + timedelta(days=4 * DAYS - 1))
    by_day: dict[date, list[Any]] = {}
    for one in found:
        by_day.setdefault(one.day, []).append(one)
    weeks = [[first + timedelta(days=7 * row + day) for day in range(DAYS)] for row in range(4)]
    return visit.page("campaign_calendar.html", {"weeks": weeks, "by_day": by_day, "today": today, "week": week, "states": states.CAMPAIGNS})


def _whole(text: str) -> int:
    number = whole(text.removeprefix("-"), 5) or 0
    return -number if text.startswith("-") else number


def _funnel(visit: Visit, report: analyse.CampaignReport) -> dict[str, Any]:
    """From everybody of the segment to those who ordered, each step with its share of those it is a part of: who bought need not have clicked."""
    t, whole = visit.tongue, sum(report.messages.values())
    chosen = whole - report.messages.get("skipped", 0)
    steps = (
        (marked("W segmencie"), whole, 0, "?"), (marked("Wybrani"), chosen, whole, "?state=chosen"), (marked("Wysłane"), report.sent, chosen, "?step=sent"),
        (marked("Dostarczone"), report.delivered, report.sent, "?state=sent"), (marked("Kliknęli"), report.clicked, report.delivered, "?step=clicked"),
        (marked("Kupili"), report.buyers, report.delivered, "?step=ordered"),
    )  # fmt: skip
    marks: list[Mark] = []
    for label, count, of, query in steps:
        share = f" ({t.percent(count / of)})" if of else ""
        marks.append(Mark(str(t.text(label)), count, t.number(count) + share, f"{query}#people"))
    words = Wording(str(t.text("Od wyboru do zakupu")), str(t.text("Krok")), str(t.text("Osoby")), t.say(report.definition))
    return {"marks": marks, "words": words}


def _people(visit: Visit, number: int) -> dict[str, Any]:
    """The rows behind the number that was followed: messages, or people who did something."""
    step, before = visit.query.get("step", ""), visit.asked_number("before")
    wanted = activate.reporting.Wanted(
        _known(visit.query.get("state", ""), (*MessageState, "chosen")), _known(visit.query.get("reason", ""), SkipReason),
        visit.query.get("arm") or None, visit.query.get("destination") or None,
    )  # fmt: skip
    with visit.ws.transaction() as conn:
        if step in states.STEPS:
            people = analyse.reached(visit.ws, number, step, visit.now)
            after = [person for person in people if person > before][: AT_ONCE + 1]
            shown: dict[str, Any] = {"people": after[:AT_ONCE], "messages": [], "more": after[AT_ONCE - 1] if len(after) > AT_ONCE else None}
        else:
            rows = activate.reporting.rows(conn, number, wanted, before or None, AT_ONCE + 1)
            shown = {"people": [], "messages": rows[:AT_ONCE], "more": rows[AT_ONCE - 1].id if len(rows) > AT_ONCE else None}
        names = display_names(conn, [*shown["people"], *(row.person_id for row in shown["messages"])])
    asked = {key: value for key, value in (("step", step if step in states.STEPS else ""), *wanted._asdict().items()) if value}
    return {**shown, "names": names, "asked": asked}


def _known(text: str, words: Sequence[str] | type[MessageState] | type[SkipReason]) -> str | None:
    return text if text in {str(word) for word in words} else None
