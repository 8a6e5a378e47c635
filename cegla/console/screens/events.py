"""Events: what arrives now, what there is in all, and what could not be used, with a second chance for it."""

import json
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cegla.collect import actions as collect
from cegla.console.views.events import event_name, line
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.vocabulary.errors import FieldMissing
from cegla.vocabulary.events import REASONS, Reason

AT_ONCE = 40
VOLUME_DAYS = 90
QUARANTINE_AT_ONCE = 50


def show(visit: Visit) -> Response:
    """The newest events; the list asks for itself again every two seconds."""
    newest = [line(event) for event in profile.latest_events(visit.ws.warehouse, 0, AT_ONCE)]
    return visit.page("events.html", {"tab": "live", "events": newest}, block="live")


def show_volumes(visit: Visit) -> Response:
    """Events by name: how many, first and last seen."""
    volumes = profile.event_volumes(visit.ws.warehouse, visit.now - timedelta(days=VOLUME_DAYS))
    return visit.page("events.html", {"tab": "volumes", "volumes": volumes, "event_name": event_name, "days": VOLUME_DAYS})


def show_quarantine(visit: Visit) -> Response:
    """Events that were set aside, newest first, by reason."""
    wanted = visit.query.get("reason", "")
    reason = Reason(wanted) if wanted in set(Reason) else None
    before = visit.asked_number("before") or None
    with visit.ws.transaction() as conn:
        rows = repair.listed(conn, repair.Filter(reason=reason), before=before, limit=QUARANTINE_AT_ONCE + 1)
        names = {source.id: source.name for source in collect.sources(conn)}
    more = rows[QUARANTINE_AT_ONCE - 1].id if len(rows) > QUARANTINE_AT_ONCE else None
    shown = [(row, names.get(row.source_id, ""), _content(row.payload) if visit.may("people.reveal") else None) for row in rows[:QUARANTINE_AT_ONCE]]
    model: dict[str, Any] = {"tab": "quarantine", "rows": shown, "reasons": REASONS, "reason": reason, "before": before, "more": more}
    model["can_replay"] = visit.may("events.replay") and any(row.payload is not None for row, _, _ in shown)
    return visit.page("events.html", model)


def replay(visit: Visit) -> Response:
    """The chosen events go through the door again."""
    ids = [int(value) for value in visit.form.getlist("id") if isinstance(value, str) and value.isdigit()]
    if not ids:
        raise FieldMissing(where="id", field="id")
    with visit.ws.transaction() as conn:
        run = repair.start(conn, repair.Decision("replay", repair.Filter(ids=tuple(ids))), visit.actor, visit.now)
        govern.note(conn, visit.actor, "quarantine.replay", f"run {run.id}", {"events": run.events}, visit.now)
    return see_other("/events/quarantine", done="replayed")


def _content(payload: bytes | None) -> str | None:
    """The event as it came, readable."""
    if payload is None:
        return None
    try:
        return json.dumps(json.loads(payload), ensure_ascii=False, indent=1)[:4_000]
    except ValueError:
        return payload[:1_000].decode("utf-8", "replace")
