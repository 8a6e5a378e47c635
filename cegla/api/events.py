"""Events, followed from the request to what came of them."""

from typing import Any

from cegla import trail
from cegla.api.call import Call, Opened
from cegla.api.plain import plain
from cegla.api.shapes import FindEvent, Reveal
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.events import REASONS


def find(call: Opened, body: FindEvent) -> Any:
    """The places of the events meant, newest first; `complete` says whether all kept requests were looked through and nothing was cut off.

    In a body, since ids may be personal.
    """
    if body.message_id is not None:
        found = trail.find(call.ws, body.message_id, body.source_id)
        return {"events": [{"place": str(place)} for place in found.places], "complete": found.complete}
    if body.event_id is not None:
        return {"events": [{"place": f"e{body.event_id}"}], "complete": True}
    if body.quarantine_id is not None:
        return {"events": [{"place": f"q{body.quarantine_id}"}], "complete": True}
    if body.batch is not None:
        rows = profile.past.events_of_batch(call.ws.warehouse, body.batch)
        return {"events": [{"place": f"e{row.event_id}", "name": row.name, "person": row.person_id} for row in rows], "complete": True}
    if body.trace_id is not None:
        return _of_trace(trail.find_trace(call.ws, body.trace_id))
    raise FieldMissing(where="/message_id", field="message_id")


def shown(call: Opened, place: str) -> Any:
    """One event and its way. `place` is as `find` gives it: 3-17-0 in the inbox, e12 in the history, q5 in quarantine."""
    return _shape(trail.named(call.ws, place), reveal=False)


def reveal(call: Opened, place: str, body: Reveal) -> Any:
    """The same with what came in clear. Who looked and why is noted first."""
    found = trail.named(call.ws, place)
    _note(call, place, body.why)
    return _shape(found, reveal=True)


def _of_trace(found: trail.Found) -> Any:
    """Every event of a trace once: by its place while its request is kept, else by its number in the history; and the messages its calls asked for."""
    events: list[Any] = [{"place": str(place)} for place in found.places]
    events += [{"place": f"e{row.event_id}", "name": row.name} for row in found.outlasting]
    messages = [{"id": one.id, "campaign": one.campaign, "state": one.state, "person": one.person_id} for one in found.messages]
    return {"events": events, "history": [f"e{row.event_id}" for row in found.history], "messages": messages, "complete": found.complete}


def _note(call: Call, place: str, why: str) -> None:
    call.note("event.reveal", f"event {place}", why=why)


def _shape(found: trail.Trail, *, reveal: bool) -> dict[str, Any]:
    shape: dict[str, Any] = plain(found) | {"place": found.place and str(found.place), "label": plain(trail.FATES[found.fate])}
    shape["repeat_of"] = found.repeat_of and str(found.repeat_of)
    if found.payload is not None:
        shape["payload"] = trail.clear(found.payload) if reveal else trail.hidden(found.payload)
    if found.quarantined is not None:
        shape["quarantined"] = {key: value for key, value in shape["quarantined"].items() if key not in ("payload", "ip")}
        told = repair.telling.say_detail(shape["quarantined"]["detail"], values=reveal)
        shape["quarantined"] |= {"label": plain(REASONS[found.quarantined.reason]), "detail": told.en, "detail_said": plain(told)}
    if shape["outcome"]:
        for message in shape["outcome"]["messages"]:
            message.pop("address", None)
            message.pop("reply", None)
    return shape
