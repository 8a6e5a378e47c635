"""The door to quarantine: what could not be used, why, and its second chance. Times are UTC; `conn` is the caller's transaction throughout.

A run is one decision on the events of a filter: replay them, as they are or after a fix, or discard them. It moves in
batches and keeps its place with what it did, so it goes on where it stopped and never takes an event twice. An event comes
back through the inbox with its original time and message id, so that what was applied before counts as a repeat.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError

from cegla.collect import actions as collect
from cegla.plan import actions as plan
from cegla.repair import figures as figures
from cegla.repair import store
from cegla.repair import telling as telling
from cegla.repair.filter import Filter as Filter
from cegla.repair.rules.fix import SAID, Fix
from cegla.repair.rules.returning import OBSTACLES as OBSTACLES
from cegla.repair.rules.returning import CannotReturn, Obstacle, returning
from cegla.repair.telling import Quarantined as Quarantined
from cegla.repair.telling import Run as Run
from cegla.storage.failpoint import passing
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.intake import FieldMissing, FixInvalid, NotReplayable
from cegla.vocabulary.events import Reason, SetAside
from cegla.vocabulary.identifiers import Borne
from cegla.vocabulary.text import Text, misfit

KEEP_DAYS = 90
AT_ONCE = 2_000
PREVIEWED = 10


@dataclass(frozen=True)
class Decision:
    """What shall become of the events of a filter. `fix` is as read from JSON or YAML; `why` is for the audit log."""

    what: Literal["replay", "discard"]
    filter: Filter
    fix: object = None
    why: str = ""


@dataclass(frozen=True)
class Preview:
    """One event before and after a fix; `obstacle` says why it would stay."""

    id: int
    before: bytes | None
    after: bytes | None
    obstacle: Obstacle | None
    detail: str
    outcome: Reason | None  #: why decoding or the tracking plan would set it aside again; None when they would take it


def set_aside(conn: Connection, rows: Sequence[SetAside], now: datetime) -> None:
    """Put events into quarantine."""
    if rows:
        store.set_aside(conn, rows, now)


def listed(
    conn: Connection,
    wanted: Filter | None = None,
    *,
    before: int | None = None,
    limit: int = 50,
    at: tuple[int, int, int] | None = None,
    message: tuple[str, int | None] | None = None,
) -> list[Quarantined]:
    """Events of a filter, newest first; `before` is the last id of the page before.

    Instead of a filter: `at`, a place of the inbox (writer, number, index), or `message`, a message id and its source (None: any).
    """
    if at is not None:
        rows = store.SQL.at_place(conn, writer=at[0], number=at[1], index=at[2], whole=store.WHOLE_REQUEST)
    elif message is not None:
        rows = store.SQL.with_message(conn, message_id=message[0], source_id=message[1])
    else:
        rows = store.SQL.listed(conn, before=before, limit=limit, **store.asked((wanted or Filter()).keys()))
    return [Quarantined(row[0], row[1], Reason(row[2]), *row[3:]) for row in rows]


def preview(conn: Connection, wanted: Filter, fix: object, limits: collect.Limits, limit: int = PREVIEWED) -> list[Preview]:
    """What would become of the newest events of a filter; nothing is changed. `fix` is as read from JSON or YAML, or None.

    Raises FixInvalid with the place.
    """
    steps = _read_fix(fix)
    sources, plans = {source.id: source for source in collect.sources(conn)}, plan.Plans()
    shown: list[Preview] = []
    for row in listed(conn, wanted, limit=limit):
        try:
            after = returning(row.payload, row.erased_at is not None, steps)
        except CannotReturn as error:
            shown.append(Preview(row.id, row.payload, None, error.obstacle, error.detail, None))
            continue
        tried = collect.try_out(after, limits, row.received_at, sources[row.source_id])
        reasons = [again.reason for again in tried.set_aside] or plans.refusals(conn, tried.events)
        shown.append(Preview(row.id, row.payload, after, None, "", reasons[0] if reasons else None))
    return shown


def start(conn: Connection, decision: Decision, by: str, now: datetime) -> Run:
    """Begin a run and move its first batch; `work` moves the rest.

    Raises FixInvalid, FieldMissing for discarding without a `why`; NotReplayable when one event alone is asked for and cannot come back, NotFound when it
    is not there.
    """
    if decision.what == "discard" and not decision.why.strip():
        raise FieldMissing(where="why", field="why")
    fix = _read_fix(decision.fix)
    wanted = decision.filter.keys()
    events, until_id = store.SQL.extent(conn, **store.asked(wanted))
    if decision.filter.ids is not None and len(decision.filter.ids) == 1:
        if not events:
            _say_why_not(conn, decision.filter.ids[0])
        elif decision.what == "replay":
            _refuse_impossible(listed(conn, decision.filter)[0], fix)
    steps = store.as_json(fix.model_dump(mode="json", by_alias=True, exclude_unset=True)) if fix else None
    said = {"what": decision.what, "filter": store.as_json(wanted), "fix": steps, "why": decision.why}
    run_id = store.SQL.start_run(conn, **said, by=by, now=now, until_id=until_id, events=events)
    work(conn, now, run_id=run_id)
    return runs(conn, run_id=run_id)[0]


def work(conn: Connection, now: datetime, run_id: int | None = None) -> bool:
    """Move one batch of an unfinished run (the oldest, or the one named); returns whether there is more to do."""
    found = store.SQL.unfinished_run(conn, id=run_id)
    if found is None:
        return False
    number, what, wanted, fix_json, last_id, until_id, done, left_out = found
    rows = list(store.SQL.next_of_run(conn, after=last_id, until_id=until_id, limit=AT_ONCE, **store.asked(wanted)))
    if what == "discard":
        moved = [row[0] for row in rows]
        store.SQL.mark_discarded(conn, ids=moved, now=now, run_id=number)
    else:
        moved = _put_back(conn, rows, Fix.model_validate(fix_json) if fix_json else None, left_out)
        store.SQL.mark_replayed(conn, ids=moved, now=now, run_id=number)
    passing("replay: before the commit")
    ended = len(rows) < AT_ONCE
    store.SQL.move_run(
        conn, id=number, last_id=rows[-1][0] if rows else last_id, done=done + len(moved), left_out=store.as_json(left_out), ended_at=now if ended else None
    )
    return True


def _put_back(conn: Connection, rows: Sequence[Sequence[Any]], fix: Fix | None, left_out: dict[str, int]) -> list[int]:
    """Send events through the door again; those that cannot go are counted in `left_out`. Returns the ids of those that went."""
    went: list[int] = []
    back: list[collect.Returned] = []
    for key, source_id, payload, message_id, received_at, writer, number, index, trusted, kind, gpc, ip, user_agent, remembered, erased, trace in rows:
        try:
            body = returning(payload, erased, fix)
        except CannotReturn as error:
            left_out[error.obstacle] = left_out.get(error.obstacle, 0) + 1
            continue
        known_by = message_id or f"cegla-{writer}-{number}-{index}"
        back.append(collect.Returned(source_id, received_at, trusted, kind, gpc, ip, user_agent, body, known_by, remembered, trace))
        went.append(key)
    collect.put_back(conn, back)
    return went


def runs(conn: Connection, run_id: int | None = None, limit: int = 50) -> list[Run]:
    """Runs, newest first, or the one named."""
    return [Run(*row) for row in store.SQL.runs(conn, id=run_id, limit=limit)]


def stop(conn: Connection, run_id: int, by: str, now: datetime) -> None:
    """End a run where it is; what it moved stays moved."""
    store.SQL.stop_run(conn, id=run_id, by=by, now=now)


def forget_old(conn: Connection, now: datetime, *, of_writer: int | None = None) -> int:
    """Delete events set aside more than 90 days ago, with the runs over them; returns how many events went.

    With `of_writer`, first everything that this writer of the inbox left.
    """
    if of_writer is not None:
        store.SQL.forget_writer(conn, writer=of_writer)
    before = now - timedelta(days=KEEP_DAYS)
    store.SQL.trim_runs(conn, before=before)
    gone: int = store.SQL.trim(conn, before=before)
    store.SQL.trim_tallies(conn)
    return gone


def export_person(conn: Connection, identifiers: Sequence[Borne]) -> Mapping[str, Any]:
    """The person's own part of what was set aside and names them by one of these normalized identifiers in its time, and what became of it."""
    names = ("id", "source_id", "reason", "received_at", "set_aside_at", "replayed_at", "discarded_at")
    rows = _naming(conn, identifiers)
    own = collect.given_of(conn, [(row[1], row[7], row[8], row[3]) for row in rows], identifiers)
    return {"quarantine": [dict(zip(names, row[:7], strict=True)) | given for row, given in zip(rows, own, strict=True)]}


def erase_person(conn: Connection, identifiers: Sequence[Borne]) -> int:
    """Remove the content of quarantined events that name a person, and such names from runs; returns how many events."""
    rows = _naming(conn, identifiers)
    store.SQL.empty(conn, ids=[row[0] for row in rows])
    store.SQL.blank_runs(conn, texts=[borne.identifier.value for borne in identifiers])
    return len(rows)


def _read_fix(value: object) -> Fix | None:
    if value is None:
        return None
    try:
        return Fix.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        seen = first.get("input", "")
        raise FixInvalid(where="/".join(["fix", *map(str, first["loc"])]), seen=seen if isinstance(seen, str) else "", detail=misfit(first, SAID)) from None


def _naming(conn: Connection, identifiers: Sequence[Borne]) -> list[Any]:
    wanted, rules = collect.Wanted(identifiers), current_rules(conn)
    found = store.SQL.naming(conn, needles=[needle for borne in identifiers for needle in collect.needles(borne.identifier, rules)])
    return [row for row in found if collect.names(row[8], wanted, row[3], rules)]


def _refuse_impossible(row: Quarantined, fix: Fix | None) -> None:
    try:
        returning(row.payload, row.erased_at is not None, fix)
    except CannotReturn as error:
        raise NotReplayable(where=f"quarantine {row.id}", seen=error.detail, why=OBSTACLES[error.obstacle]) from None


def _say_why_not(conn: Connection, key: int) -> None:
    known = listed(conn, Filter(ids=(key,), state="all"))
    if not known:
        raise NotFound(where="quarantine", seen=key, thing=f"quarantine {key}")
    gone = Text("zostało już powtórzone", "it was replayed already") if known[0].replayed_at else Text("zostało odrzucone", "it was discarded")
    raise NotReplayable(where=f"quarantine {key}", why=gone)
