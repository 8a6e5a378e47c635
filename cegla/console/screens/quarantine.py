"""Quarantine: what could not be used, by what it is; look at one, fix, replay or discard many, and see how far that is."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from cegla.collect import actions as collect
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.repair import actions as repair
from cegla.storage import documents
from cegla.vocabulary.errors import CeglaError, InvalidInput, NotFound
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.errors.intake import FieldMissing, FixInvalid
from cegla.vocabulary.events import REASONS, Reason
from cegla.vocabulary.text import Text

AT_ONCE = 50
DAYS = 14
RUNS = 5
FIELDS = ("reason", "source", "event", "since", "until", "state", "text")
LONGEST_FIX = 100_000
UNREAD = Text(
    "tej części filtra nie da się odczytać, a bez niej objąłby więcej zdarzeń niż widać",
    "this part of the filter cannot be read, and without it the filter would take more events than are shown",
)


def show(visit: Visit) -> Response:
    """Events of a filter, newest first, with counts by reason and day."""
    return visit.page("quarantine.html", _model(visit, visit.query, {}))


def search(visit: Visit) -> Response:
    """The same by content; sent in a body, so that what is searched for stays out of addresses."""
    return visit.page("quarantine.html", _model(visit, _texts(visit), {}))


def show_one(visit: Visit) -> Response:
    """One event with who sent it, what became of it, and its content for those who may see it."""
    with visit.ws.transaction() as conn:
        row = next(iter(repair.listed(conn, repair.Filter(ids=(visit.number("id"),), state="all"))), None)
        if row is None:
            raise NotFound(where=visit.path, seen=visit.number("id"), thing=str(visit.number("id")))
        history = repair.telling.history_of(conn, row)
        names = {source.id: source.name for source in collect.sources(conn)}
    content = _content(row.payload) if visit.may("people.reveal") else None
    model = {
        "row": row, "history": history, "source": names.get(row.source_id, ""), "content": content, "reasons": REASONS, "obstacles": repair.OBSTACLES,
        "detail": _detail(visit),
    }  # fmt: skip
    return visit.page("quarantined.html", model)


def decide(visit: Visit) -> Response:
    """Preview a fix, replay or discard: the chosen events, or all of the filter."""
    what = visit.field("do", "replay")
    try:
        wanted, fix = _meant(visit), _fix(visit.field("fix"))
        if what == "preview":
            with visit.ws.transaction() as conn:
                shown = repair.preview(conn, wanted, fix, visit.ws.settings.collector)
            return visit.page("quarantine.html", _model(visit, _texts(visit), {"preview": [(one, _content(one.before), _content(one.after)) for one in shown]}))
        decision = repair.Decision("discard" if what == "discard" else "replay", wanted, fix, visit.field("why"))
        with visit.ws.transaction() as conn:
            run = repair.start(conn, decision, visit.actor, visit.now)
            detail: dict[str, str | int | bool | None] = {"events": run.events}
            detail |= {"why": run.why} if run.why else {}
            detail |= {"fixed": True} if fix else {}
            govern.note(conn, visit.actor, f"quarantine.{run.what}", f"run {run.id}", detail, visit.now)
    except CeglaError as error:
        return visit.page("quarantine.html", _model(visit, _texts(visit), {"problem": error.problem(visit.language)}), status=error.status)
    return see_other("/events/quarantine", done="discarded" if run.what == "discard" else "replayed")


def stop(visit: Visit) -> Response:
    """End a run where it is."""
    with visit.ws.transaction() as conn:
        repair.stop(conn, visit.number("id"), visit.actor, visit.now)
        govern.note(conn, visit.actor, "quarantine.stop", f"run {visit.number('id')}", {}, visit.now)
    return see_other("/events/quarantine")


def _model(visit: Visit, values: Mapping[str, str], more: dict[str, Any]) -> dict[str, Any]:
    wanted, before = _filter(visit, values), whole(values.get("before"))
    with visit.ws.transaction() as conn:
        rows = repair.listed(conn, wanted, before=before or None, limit=AT_ONCE + 1)
        overview = repair.figures.overview(conn, wanted, visit.ws.settings.zone.key)
        runs = repair.runs(conn, limit=RUNS)
        names = {source.id: source.name for source in collect.sources(conn)}
    asked = {key: values.get(key, "") for key in FIELDS}
    return {
        "rows": rows[:AT_ONCE], "more": rows[AT_ONCE - 1].id if len(rows) > AT_ONCE else None, "before": before, "sources": names, "runs": runs,
        "events": overview.events, "by_reason": _by_reason(overview.counts), "days": _by_day(visit, overview.counts), "asked": asked,
        "reasons": REASONS, "detail": _detail(visit), "obstacles": repair.OBSTACLES, "fix": visit.field("fix"), "why": visit.field("why"),
        "preview": None, "problem": None, **more,
    }  # fmt: skip


def _by_reason(counts: tuple[tuple[Reason, Any, int], ...]) -> list[tuple[Reason, int]]:
    sums: dict[Reason, int] = {}
    for reason, _, count in counts:
        sums[reason] = sums.get(reason, 0) + count
    return sorted(sums.items(), key=lambda row: -row[1])


def _by_day(visit: Visit, counts: tuple[tuple[Reason, Any, int], ...]) -> list[int]:
    today = visit.now.astimezone(visit.ws.settings.zone).date()
    days = [0] * DAYS
    for _, day, count in counts:
        if 0 <= (today - day).days < DAYS:
            days[DAYS - 1 - (today - day).days] += count
    return days


def _filter(visit: Visit, values: Mapping[str, str]) -> repair.Filter:
    reason, source, state, text = (values.get(key, "") for key in ("reason", "source", "state", "text"))
    if text and not visit.may("people.reveal"):
        raise NotPermitted(where="text", permission=visit.tongue.say(govern.PERMISSIONS["people.reveal"]))
    return repair.Filter(
        reason=Reason(reason) if reason in set(Reason) else None,
        source_id=whole(source, MOST_OF_INTEGER),
        event=values.get("event") or None,
        text=text or None,
        since=_day(visit, values.get("since", ""), 0),
        until=_day(visit, values.get("until", ""), 1),
        state=state if state in ("open", "replayed", "discarded", "all") else "open",
    )


def _day(visit: Visit, text: str, later: int) -> datetime | None:
    """The beginning of a day in the shop's zone."""
    try:
        return (datetime.fromisoformat(text) + timedelta(days=later)).replace(tzinfo=visit.ws.settings.zone) if len(text) == 10 else None
    except (ValueError, OverflowError):
        return None


def _texts(visit: Visit) -> dict[str, str]:
    return {key: visit.field(key) for key in (*FIELDS, "before")}


def _meant(visit: Visit) -> repair.Filter:
    """All events of the filter when that was chosen, else the ones that were ticked.

    Raises FieldMissing for none, and InvalidInput for a filter that cannot be read: without a part it would mean more events than were shown.
    """
    if visit.field("scope") == "all":
        wanted = _filter(visit, _texts(visit))
        state = wanted.state if wanted.state == visit.field("state") else None
        read = {"reason": wanted.reason, "source": wanted.source_id, "since": wanted.since, "until": wanted.until, "state": state}
        for name, value in read.items():
            if visit.field(name) and value is None:
                raise InvalidInput(where=name, seen=visit.field(name), detail=UNREAD)
        return wanted
    ids = tuple(number for value in visit.form.getlist("id") if (number := whole(value)) is not None)
    if not ids:
        raise FieldMissing(where="id", field="id")
    return repair.Filter(ids=ids)


def _fix(text: str) -> object:
    if not text:
        return None
    try:
        return documents.read(text, longest=LONGEST_FIX)
    except documents.Unfit as unfit:
        raise FixInvalid(where=f"fix {unfit.place}", detail=unfit.what) from None


def _detail(visit: Visit) -> Callable[[str], str]:
    """How a detail is said: it may quote what came, which is for those who may see personal data."""
    return lambda detail: repair.telling.say_detail(detail, values=visit.may("people.reveal")).say(visit.language)


def _content(payload: bytes | None) -> str | None:
    """The event as it came, readable."""
    if payload is None:
        return None
    try:
        return json.dumps(json.loads(payload), ensure_ascii=False, indent=1)[:4_000]
    except (ValueError, RecursionError):
        return payload[:1_000].decode("utf-8", "replace")
