"""One event: found by its id, and followed from the request to what came of it. What came in is hidden until revealed, and every
reveal is in the audit log."""

import json
from typing import Any

from starlette.responses import Response

from cegla import trail
from cegla.collect import actions as collect
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.views import states
from cegla.console.views.events import event_name, line
from cegla.console.views.ready_made import segment_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.vocabulary.events import REASONS

AT_ONCE = 20
FATE_KINDS = {
    trail.Fate.APPLIED: "good", trail.Fate.WAITING: "info", trail.Fate.QUARANTINED: "bad", trail.Fate.ERASED: "warn",
}  # fmt: skip


def show_find(visit: Visit) -> Response:
    """The search form."""
    return _found(visit, {})


def find(visit: Visit) -> Response:
    """What the form means: one event is shown at once, several are listed. In a form, since ids may be personal and addresses are written down."""
    text, what = visit.required("id"), visit.field("what", "message")
    number = whole(text.lstrip("eqbEQB")) or 0
    if what == "batch":
        rows = profile.past.events_of_batch(visit.ws.warehouse, number)
        return _found(visit, {"events": [line(row) for row in rows], "nothing": not rows})
    if what in ("event", "quarantine"):
        name = f"{what[0]}{number}"
        trail.named(visit.ws, name)
        return see_other(f"/events/{name}")
    source = visit.field("source")
    if what == "trace":
        return _of_trace(visit, text)
    found = trail.find(visit.ws, text, whole(source, MOST_OF_INTEGER))
    if len(found.places) == 1:
        return see_other(f"/events/{found.places[0]}")
    trails = [(place, trail.follow(visit.ws, place)) for place in found.places[:AT_ONCE]]
    return _found(visit, {"trails": trails, "nothing": not trails, "complete": found.complete})


def _of_trace(visit: Visit, text: str) -> Response:
    """Everything of a trace; a whole traceparent is as good as its id."""
    parent = collect.traceparent(text)
    found = trail.find_trace(visit.ws, collect.trace_id(parent) if parent else text.strip().lower())
    trails = [(place, trail.follow(visit.ws, place)) for place in found.places[:AT_ONCE]]
    model = {"trails": trails, "events": [line(row) for row in found.history], "messages": found.messages, "outcomes": states.OUTCOMES}
    return _found(visit, {**model, "cut_off": not found.complete, "nothing": not (found.places or found.history or found.messages)})


def show(visit: Visit) -> Response:
    """The event's way, what came in hidden."""
    return _shown(visit, _named(visit), reveal=False)


def reveal(visit: Visit) -> Response:
    """The event's way with what came in clear, for this answer only; who looked and why is noted first."""
    found, why = _named(visit), visit.required("why")
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "event.reveal", f"event {visit.arguments['id']}", {"why": why[:200]}, visit.now)
    return _shown(visit, found, reveal=True)


def _named(visit: Visit) -> trail.Trail:
    return trail.named(visit.ws, visit.arguments.get("id", ""))


def _found(visit: Visit, found: dict[str, Any]) -> Response:
    with visit.ws.transaction() as conn:
        sources = [(str(source.id), source.name) for source in collect.sources(conn)]
    model: dict[str, Any] = {"sources": sources, "fates": trail.FATES, "fate_kinds": FATE_KINDS, "form": visit.form, "event_name": event_name}
    model |= {"trails": [], "events": [], "messages": (), "nothing": False, "complete": True, "cut_off": False}
    return visit.page("event_find.html", {**model, **found})


def _shown(visit: Visit, found: trail.Trail, *, reveal: bool) -> Response:
    if found.payload is None:
        payload = None
    else:
        payload = trail.clear(found.payload) if reveal else trail.hidden(found.payload)
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, indent=1)[:20_000]
    detail = ""
    if found.quarantined is not None:
        detail = repair.telling.say_detail(found.quarantined.detail, values=reveal).say(visit.language)
    model: dict[str, Any] = {
        "trail": found, "fates": trail.FATES, "fate_kinds": FATE_KINDS, "reasons": REASONS, "event_name": event_name, "segment_name": segment_name,
        "outcomes": states.OUTCOMES, "skips": states.SKIPS, "payload": text, "unreadable": payload is None, "revealed": reveal, "detail": detail,
        "address": f"/events/{visit.arguments['id']}",
    }  # fmt: skip
    return visit.page("event.html", model)
