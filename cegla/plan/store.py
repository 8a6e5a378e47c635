"""The tables of tracking plans: versions, which one holds, what was not as planned, and values kept apart."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from cegla.plan.rules.form import Plan
from cegla.plan.rules.matching import Key, Tally
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event

SQL = statements.load(__file__)
LOCK_SPACE = 7_236_455  # advisory locks (LOCK_SPACE, source): held while a plan changes
MOST_VIOLATIONS_A_DAY = 3_000


def plan_of(conn: Connection, source_id: int, version: int) -> Plan:
    """One version."""
    return Plan.model_validate(SQL.document(conn, source_id=source_id, version=version))


def add_version(conn: Connection, source_id: int, version: int, plan: Plan, written: Mapping[str, Any]) -> None:
    """A new version, active from now on. `written`: text, note, by, now."""
    SQL.add_version(conn, source_id=source_id, version=version, document=Jsonb(plan.model_dump(mode="json", exclude_defaults=True)), **written)
    SQL.activate(conn, source_id=source_id, version=version, by=written["by"], now=written["now"])


def count_violations(conn: Connection, tallies: Mapping[Key, Tally], now: datetime) -> None:
    """Add a batch's violations to their day."""
    if tallies:
        SQL.count_violations(
            conn,
            source_ids=[key[0] for key in tallies], events=[key[1] for key in tallies], paths=[key[2] for key in tallies],
            kinds=[str(key[3]) for key in tallies], counts=[tally.count for tally in tallies.values()],
            blocked=[tally.blocked for tally in tallies.values()], seen=[tally.seen for tally in tallies.values()],
            day=now.date(), now=now, most=MOST_VIOLATIONS_A_DAY,
        )  # fmt: skip


def keep_apart(conn: Connection, apart: Sequence[tuple[Event, dict[str, Any]]], now: datetime) -> None:
    """Keep what was taken out of events, with their ids, so that it can be found and erased."""
    if apart:
        SQL.keep_apart(
            conn,
            source_ids=[event.source_id for event, _ in apart], message_ids=[event.message_id for event, _ in apart],
            events=[event.name for event, _ in apart], received=[event.received_at for event, _ in apart],
            bodies=[_body(event, out) for event, out in apart], now=now,
        )  # fmt: skip


def _body(event: Event, out: dict[str, Any]) -> bytes:
    place = "traits" if event.kind in ("identify", "group") else "properties"
    ids = {"userId": event.user_id, "anonymousId": event.anonymous_id, "previousId": event.previous_id, "groupId": event.group_id}
    named = {key: value for key, value in ids.items() if value is not None}
    context = {key: event.context[key] for key in ("traits", "externalIds") if key in event.context}
    return msgspec.json.encode({"type": event.kind, "event": event.name, **named, **({"context": context} if context else {}), place: out})


def taken_out(conn: Connection, events: Sequence[Event]) -> dict[tuple[int, str], dict[str, Any]]:
    """By source and message id: the values taken out of those of the events that lost some."""
    rows = SQL.apart_of(conn, source_ids=[event.source_id for event in events], message_ids=[event.message_id for event in events])
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for source_id, message_id, body in rows:
        kept = msgspec.json.decode(body, type=dict[str, Any])
        found[source_id, message_id] = kept.get("properties") or kept.get("traits") or {}
    return found
