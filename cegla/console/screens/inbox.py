"""The event inbox: what each source sends, against its plan; approve, refuse or name an event in one click; the plan itself."""

import json
from typing import Any, Literal

from starlette.responses import Response

from cegla.collect import actions as collect
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.menu import marked
from cegla.console.views.events import event_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.plan import actions as plan
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.text import Text

STATES = {
    "planned": (marked("w planie"), "good"),
    "broken": (marked("niezgodne"), "warn"),
    "unknown": (marked("nieznane"), "info"),
    "blocked": (marked("odrzucane"), "bad"),
    "zero": (marked("jeszcze nie przyszło"), ""),
    "unwatched": (marked("bez planu"), "plain"),
}
WHATS: tuple[Literal["approve", "refuse", "label"], ...] = ("approve", "refuse", "label")


def show(visit: Visit) -> Response:
    """Events of a source by volume: how many a day, first and last seen, how they stand to the plan."""
    with visit.ws.transaction() as conn:
        sources = [one for one in collect.sources(conn) if one.kind != "internal"]
        wanted = visit.asked_number("source")
        chosen = next((one for one in sources if one.id == wanted), sources[0] if sources else None)
        rows = plan.inbox(conn, visit.ws.warehouse, chosen.id, visit.now) if chosen else []
        active = next((one for one in plan.versions(conn, chosen.id) if one.active), None) if chosen else None
    shown = [(row, _name(row)) for row in rows]
    choices = [(one.id, one.name) for one in sources]
    return visit.page("inbox.html", {"source_choices": choices, "source": chosen, "rows": shown, "active": active, "states": STATES})


def show_event(visit: Visit) -> Response:
    """One event: its properties as seen, samples, what is not as planned."""
    source_id, name = visit.asked_number("source"), visit.query.get("event", "")
    with visit.ws.transaction() as conn:
        source = next((one for one in collect.sources(conn) if one.id == source_id), None)
        if source is None:
            raise NotFound(where=visit.path, seen=source_id, thing=str(source_id))
        view = plan.observed(conn, visit.ws.warehouse, source_id, name, visit.now)
    samples = [json.dumps(one, ensure_ascii=False, indent=1) for one in view.samples]
    model = {"source": source, "view": view, "name": _name(view.row), "samples": samples, "states": STATES, "kinds": plan.VIOLATIONS, "classes": plan.PERSONAL}
    return visit.page("inbox_event.html", model)


def amend(visit: Visit) -> Response:
    """Approve an event with what was seen of it, refuse it, or name it in two languages."""
    said, name, what = visit.required("source"), visit.required("event"), visit.one_of("do", WHATS)
    if (source_id := whole(said, MOST_OF_INTEGER)) is None:
        raise NotFound(where="source", seen=said, thing=said)
    label = plan.Words(pl=visit.field("pl"), en=visit.field("en")) if what == "label" else None
    with visit.ws.transaction() as conn:
        done = plan.amend(conn, visit.ws.warehouse, source_id, plan.Change(what, name, label), visit.actor, visit.now)
        govern.note(conn, visit.actor, f"plan.{what}", f"source {source_id}", {"version": done.version, "event": name[:200]}, visit.now)
    if visit.field("back") == "event":
        return see_other("/events/one", source=source_id, event=name, done="saved")
    return see_other("/events/volumes", source=source_id, done="saved")


def show_plan(visit: Visit) -> Response:
    """A source's plan as text, and its versions."""
    return visit.page("plan.html", _plan(visit, visit.number("id"), {}))


def save_plan(visit: Visit) -> Response:
    """Check a plan and say what it would change, or make it hold."""
    source_id, text = visit.number("id"), visit.field("text")
    expect = whole(visit.field("expect"), MOST_OF_INTEGER) or 0
    report = plan.check(text)
    if report.plan is None:
        return visit.page("plan.html", _plan(visit, source_id, {"text": text, "problems": report.problems}), status=422)
    try:
        with visit.ws.transaction() as conn:
            done = plan.apply(conn, source_id, text, visit.actor, visit.now, expect=expect)
            if visit.field("do") == "check":
                conn.rollback()
            elif done.written:
                govern.note(conn, visit.actor, "plan.apply", f"source {source_id}", {"version": done.version}, visit.now)
    except CeglaError as error:
        return visit.page("plan.html", _plan(visit, source_id, {"text": text, "problem": error.problem(visit.language)}), status=error.status)
    if visit.field("do") == "check":
        return visit.page("plan.html", _plan(visit, source_id, {"text": text, "differences": done.differences}))
    return see_other(f"/sources/{source_id}/plan", done="saved")


def _plan(visit: Visit, source_id: int, more: dict[str, Any]) -> dict[str, Any]:
    wanted = visit.asked_number("version")
    with visit.ws.transaction() as conn:
        source = next((one for one in collect.sources(conn) if one.id == source_id and one.kind != "internal"), None)
        if source is None:
            raise NotFound(where=visit.path, seen=source_id, thing=str(source_id))
        versions = plan.versions(conn, source_id)
        active = next((one for one in versions if one.active), None)
        shown = next((one for one in versions if one.version == wanted), active)
        text = shown.text if shown else plan.infer(conn, source_id, visit.now)
    expect = active.version if active else 0
    return {
        "source": source, "versions": versions, "active": active, "shown": shown, "text": text, "expect": expect, "problems": [], "problem": None,
        "differences": None, **more,
    }  # fmt: skip


def _name(row: plan.InboxRow) -> Text:
    """The event's name in both languages: as the plan labels it, else as everybody knows it, else as it is sent."""
    known = event_name(row.name)
    return Text(row.label.pl or known.pl, row.label.en or known.en) if row.label else known
