"""Tracking plans: what a source should send, what it does send, and one plan against another."""

from typing import Annotated, Any

from fastapi import Query

from cegla.api.call import Opened
from cegla.api.plain import plain
from cegla.api.shapes import AmendPlan, NewPlan
from cegla.plan import actions as plan
from cegla.vocabulary.errors import NotFound

Days = Annotated[int, Query(ge=1, le=365, description="how far back")]


def shown(call: Opened, source_id: int, version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None) -> Any:
    """The plan that holds for a source, or one version of it."""
    with call.ws.transaction() as conn:
        known = plan.versions(conn, source_id)
    found = next((one for one in known if (one.active if version is None else one.version == version)), None)
    if found is None:
        raise NotFound(where="version", seen=version or "", thing=f"plan {source_id}/{version or ''}".rstrip("/"))
    return plain(found)


def versions(call: Opened, source_id: int) -> Any:
    """Every version a source's plan ever had, newest first, without its text."""
    with call.ws.transaction() as conn:
        return {"versions": [plain(one) | {"text": None} for one in plan.versions(conn, source_id)]}


def apply(call: Opened, source_id: int, body: NewPlan) -> Any:
    """Make a plan hold for a source, or say what that would change. No text lets go of the plan."""
    with call.ws.transaction() as conn:
        done = plan.apply(conn, source_id, body.text, call.caller.name, call.now, expect=body.expect)
        if body.dry_run:
            conn.rollback()
    if done.written and not body.dry_run:
        call.note("plan.apply", f"source {source_id}", version=done.version, breaking=sum(one.breaking for one in done.differences))
    return plain(done) | {"written": done.written and not body.dry_run}


def amend(call: Opened, source_id: int, body: AmendPlan) -> Any:
    """Approve one event into the plan with the properties seen, or refuse it from now on."""
    with call.ws.transaction() as conn:
        done = plan.amend(conn, call.ws.warehouse, source_id, plan.Change(body.what, body.event), call.caller.name, call.now)
    call.note(f"plan.{body.what}", f"source {source_id}", version=done.version, event=body.event)
    return done


def infer(call: Opened, source_id: int, days: Days = 30) -> Any:
    """A plan that fits what the source sent, as YAML. Nothing is stored."""
    with call.ws.transaction() as conn:
        return {"text": plan.infer(conn, source_id, call.now, days)}


def inbox(call: Opened, source_id: int) -> Any:
    """Every event of a source: how many a day, first and last seen, planned, broken, unknown or missing."""
    with call.ws.transaction() as conn:
        return {"events": [plain(row) | {"label": row.label and row.label.model_dump()} for row in plan.inbox(conn, call.ws.warehouse, source_id, call.now)]}


def observed(call: Opened, source_id: int, event: Annotated[str, Query(min_length=1, max_length=500)]) -> Any:
    """One event of a source: types and values of its properties, samples (masked), what is not as planned."""
    with call.ws.transaction() as conn:
        view = plan.observed(conn, call.ws.warehouse, source_id, event, call.now)
    row = plain(view.row) | {"label": view.row.label and view.row.label.model_dump()}
    return plain(view) | {"row": row, "planned": view.planned and view.planned.model_dump(mode="json", exclude_defaults=True)}


def schema(call: Opened, source_id: int, event: Annotated[str, Query(min_length=1, max_length=500)]) -> Any:
    """A planned event as JSON Schema, draft 2020-12."""
    with call.ws.transaction() as conn:
        active = next((one for one in plan.versions(conn, source_id) if one.active), None)
    found = plan.check(active.text).schema(event) if active else None
    if found is None:
        raise NotFound(where="event", seen=event, thing=event)
    return found
