"""Analysers: which are on and for what, what they found over all people, and the people behind every value."""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from cegla.console.charts.marks import Mark, Wording
from cegla.console.screens.names import display_names
from cegla.console.views.values import between, named
from cegla.console.views.values import value as value_of
from cegla.console.visit import Visit, see_other
from cegla.profile import actions as profile
from cegla.vocabulary.text import Text

AT_ONCE = 50
SCHEDULES = {"on_event": Text("po zdarzeniu", "after an event"), "hourly": Text("co godzinę", "hourly"), "nightly": Text("co noc", "nightly")}
CLASSES = {"ok": Text("zwykły", "ordinary"), "sensitive_inference": Text("wrażliwy", "sensitive"), "art9_blocked": Text("zakazany", "forbidden")}


def show(visit: Visit) -> Response:
    """Every analyser with its switch, coverage, confidence and last run."""
    with visit.ws.transaction() as conn:
        found = profile.runs.overview(conn)
        running = profile.runs.next_run(conn)
    return visit.page("analysers.html", {"standings": found, "running": running, "schedules": SCHEDULES, "classes": CLASSES, "purposes": visit.purposes})


def switch(visit: Visit) -> Response:
    """Turn one on for a purpose, or off."""
    is_on = visit.one_of("on", ("yes", "no")) == "yes"
    with visit.ws.transaction() as conn:
        profile.runs.switch(conn, visit.required("analyser"), is_on, visit.field("purpose"), visit.actor, visit.now)
    return see_other("/analysers", done="saved")


def trait(visit: Visit) -> Response:
    """The distribution of a trait; `?value=` lists the people behind one of its values."""
    key, t = visit.path.rpartition("/")[2], visit.tongue
    analyser, row = profile.runs.trait_of(key)
    value, after = visit.query.get("value", ""), visit.asked_number("after")
    with visit.ws.transaction() as conn:
        summary = profile.runs.summaries(conn).get(key)
        usual = profile.runs.usual_week(conn) if row.value_type == "histogram" else None
        people = profile.runs.people_with(conn, key, value, after, AT_ONCE + 1) if value else []
        names = display_names(conn, [person for person, _ in people])
    marks = _marks(visit, key, row, summary) if summary else []
    title, about = str(t.text("Rozkład")), t.say(row.label)
    words = Wording(about, title, str(t.text("Osoby")), t.say(analyser.method))
    tenths = Wording(str(t.text("Pewność")), str(t.text("Pewność")), str(t.text("Osoby")))
    sure = [Mark(f"{tenth * 10}–{tenth * 10 + 10}%", count, t.number(count)) for tenth, count in enumerate(summary.confidence)] if summary else []
    more = people[AT_ONCE - 1][0] if len(people) > AT_ONCE else None
    week = value_of(key, "histogram", usual, t).week if usual else None
    model: dict[str, Any] = {
        "week": week,
        "analyser": analyser, "row": row, "summary": summary, "marks": marks, "words": words, "sure": sure, "tenths": tenths, "value": value,
        "people": people[:AT_ONCE], "names": names, "more": more, "here": urlencode({"value": value}),
    }  # fmt: skip
    return visit.page("analyser_trait.html", model)


def _marks(visit: Visit, key: str, row: Any, summary: Any) -> list[Mark]:
    """The bars of a distribution, each leading to its people."""
    t = visit.tongue
    said = [(value, named(key, row.value_type, value, t, row.words), people) for value, people in summary.values]
    said += [(f"{low!r}..{high!r}", between(key, row.value_type, low, high, t), people) for low, high, people in summary.steps]
    return [Mark(shown, people, t.number(people), f"/analysers/{key}?{urlencode({'value': value})}") for value, shown, people in said]
