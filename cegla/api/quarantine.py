"""Quarantine: what could not be used and why; fix it, replay it, or decide that it may go."""

from typing import Annotated, Any, Literal

from fastapi import Query

from cegla.api.call import Call, Opened, not_found
from cegla.api.plain import plain
from cegla.api.shapes import Decide, Limit, QuarantineFilter, QuarantineQuery
from cegla.repair import actions as repair
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.events import REASONS, Reason

SEARCHING = "people.reveal"  #: whoever may search contents could guess at them


def listed(call: Opened, query: Annotated[QuarantineQuery, Query()]) -> Any:
    """Events that could not be used, newest first, each with its reason. What they hold is shown only to those who may see personal data."""
    return _listed(call, _filter(call, QuarantineFilter(**query.model_dump())), query.before, query.limit)


def search(call: Opened, body: QuarantineFilter) -> Any:
    """The same by a filter that may look into contents; in a body, so that what is searched for stays out of addresses."""
    return _listed(call, _filter(call, body), body.before, body.limit)


def overview(call: Opened) -> Any:
    """How many events wait, by reason and day."""
    with call.ws.transaction() as conn:
        found = repair.figures.overview(conn, repair.Filter(), call.ws.settings.zone.key)
    return {"counts": [{"reason": reason, "day": day, "events": count} for reason, day, count in found.counts], "events": found.events}


def shown(call: Opened, event_id: int) -> Any:
    """One event with everything that happened to it."""
    with call.ws.transaction() as conn:
        rows = repair.listed(conn, repair.Filter(ids=(event_id,), state="all"))
        if not rows:
            raise not_found("quarantine", event_id)
        history = repair.telling.history_of(conn, rows[0])
    times = [
        {"id": key, "reason": reason, "label": plain(REASONS[reason]), "set_aside_at": at, "replayed_at": replayed}
        for key, reason, at, replayed in history.times
    ]
    return _row(call, rows[0]) | {"history": times, "run": history.run}


def preview(call: Opened, body: Decide) -> Any:
    """What a fix would make of the newest events of a filter; nothing is changed. Contents are shown to those who may see personal data."""
    with call.ws.transaction() as conn:
        found = repair.preview(conn, _filter(call, body.filter), body.fix, call.ws.settings.collector)
    hidden = {} if call.may(SEARCHING) else {"before": None, "after": None}
    said = [repair.telling.say_detail(one.detail, values=call.may(SEARCHING)) for one in found]
    return {
        "events": [
            plain(one) | {"why": one.obstacle and repair.OBSTACLES[one.obstacle], "outcome_said": one.outcome and plain(REASONS[one.outcome])}
            | {"detail": told.en, "detail_said": plain(told)} | hidden
            for one, told in zip(found, said, strict=True)
        ]
    }


def replay(call: Opened, body: Decide) -> Any:
    """Send events through the door again, as they are or after a fix, with their original times and ids. Many are moved in batches."""
    return _decide(call, "replay", body)


def discard(call: Opened, body: Decide) -> Any:
    """Decide that events are not needed; `why` goes to the audit log with who and how many."""
    return _decide(call, "discard", body)


def runs(call: Opened, limit: Limit = 50) -> Any:
    """Decisions on many events, newest first, with how far they are."""
    with call.ws.transaction() as conn:
        return {"runs": [_run(call, run) for run in repair.runs(conn, limit=limit)]}


def run(call: Opened, run_id: int) -> Any:
    """How far one of them is."""
    with call.ws.transaction() as conn:
        found = repair.runs(conn, run_id=run_id)
    if not found:
        raise not_found("run", run_id)
    return _run(call, found[0])


def stop(call: Opened, run_id: int) -> Any:
    """End a run where it is; what it moved stays moved."""
    with call.ws.transaction() as conn:
        repair.stop(conn, run_id, call.caller.name, call.now)
    call.note("quarantine.stop", f"run {run_id}")
    return run(call, run_id)


def _decide(call: Call, what: Literal["replay", "discard"], body: Decide) -> Any:
    wanted = _filter(call, body.filter)
    if not wanted.keys().keys() - {"state"} and not body.everything:
        raise FieldMissing(where="filter", field="everything")
    with call.ws.transaction() as conn:
        begun = repair.start(conn, repair.Decision(what, wanted, body.fix, body.why), call.caller.name, call.now)
    call.note(f"quarantine.{what}", f"run {begun.id}", events=begun.events, fixed=body.fix is not None, why=body.why)
    return _run(call, begun)


def _listed(call: Call, wanted: repair.Filter, before: int | None, limit: int) -> Any:
    with call.ws.transaction() as conn:
        rows = repair.listed(conn, wanted, before=before, limit=limit)
    return {"events": [_row(call, row) for row in rows]}


def _row(call: Call, row: repair.Quarantined) -> dict[str, Any]:
    told = repair.telling.say_detail(row.detail, values=call.may(SEARCHING))
    shape: dict[str, Any] = plain(row) | {"label": plain(REASONS[row.reason]), "obstacle": row.obstacle and plain(repair.OBSTACLES[row.obstacle])}
    shape |= {"detail": told.en, "detail_said": plain(told)}
    return shape if call.may(SEARCHING) else shape | {"payload": None}


def _run(call: Call, found: repair.Run) -> dict[str, Any]:
    shape: dict[str, Any] = plain(found)
    shape["left_out_said"] = {str(why): plain(words) for why, words in repair.OBSTACLES.items() if why in found.left_out}
    if not call.may(SEARCHING):
        shape["filter"].pop("text", None)
    return shape


def _filter(call: Call, body: QuarantineFilter) -> repair.Filter:
    if body.text:
        _may_search(call, "text")
    ids = None if body.ids is None else tuple(body.ids)
    return repair.Filter(ids, _reason(body.reason), body.source_id, body.event, body.text, body.since, body.until, body.state)


def _may_search(call: Call, where: str) -> None:
    if not call.may(SEARCHING):
        raise NotPermitted(where=where, seen=call.caller.name, permission=SEARCHING)


def _reason(text: str | None) -> Reason | None:
    if not text:
        return None
    try:
        return Reason(text)
    except ValueError:
        raise InvalidInput(where="reason", seen=text, detail=", ".join(Reason)) from None
