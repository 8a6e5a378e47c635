"""What happened, read back from the history: a person's timeline, one event, and what is known only because of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any

import ibis
import ibis.expr.types as ir
import msgspec

from cegla.profile.rules.blocked import without_blocked
from cegla.profile.rules.facts import SEEN as FACT_COLUMNS  #: what the history must have for `traits_of`
from cegla.profile.rules.facts import facts
from cegla.profile.rules.traits import TRAITS, favourites_of, trait_columns
from cegla.storage.warehouse import Readable, history, table
from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class PastEvent:
    """One event of the history; times are UTC, money is in micros."""

    event_id: int
    person_id: int
    source_id: int
    kind: str
    name: str
    occurred_at: datetime
    received_at: datetime
    session_id: int | None
    order_id: str | None
    value_micros: int | None
    currency: str | None
    page_path: str | None
    page_title: str | None
    referrer_kind: str | None
    referrer_host: str | None
    campaign_source: str | None
    campaign_medium: str | None
    campaign_name: str | None
    device_type: str | None
    os: str | None
    browser: str | None
    country: str | None
    is_bot: bool
    properties: dict[str, Any]
    trace_id: str | None = None


@dataclass(frozen=True)
class EventVolume:
    """How often an event came, and when first and last (UTC)."""

    name: str
    kind: str
    count: int
    people: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Wanted:
    """Which events of a timeline are wanted; None leaves a question open. Times are aware, `since` is the first moment and `until` the first after."""

    kind: str | None = None
    name: str | None = None
    source_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def of(self, events: Any) -> Any:
        """Those of these events."""
        for column, value in (("kind", self.kind), ("name", self.name), ("source_id", self.source_id)):
            if value is not None:
                events = events.filter(events[column] == value)
        if self.since is not None:
            events = events.filter(events.occurred_at >= _utc(self.since))
        return events if self.until is None else events.filter(events.occurred_at < _utc(self.until))


def traits_of(now: datetime, people: ir.Table | None = None, keys: Collection[str] | None = None, rows: tuple[ir.Table, ir.Table] | None = None) -> ir.Table:
    """An Ibis expression with `person_id` and one column for each of `TRAITS` (null: unknown), of everybody or of `people`.

    `people` is a table with a column `person_id`; with `keys`, there are columns for these traits only, nothing else is counted, and who has none of
    them may be absent. `rows` are events (with the columns `FACT_COLUMNS`) and order lines to read instead of the history. Moments are UTC, money is
    in micros. Run it with `Warehouse.run`.
    """
    events, lines = rows or (history("events", people, [*FACT_COLUMNS, "is_bot"]), history("order_lines", people))
    if keys is None:
        return trait_columns(facts(events, lines), now)
    favourites, counted = favourites_of(keys)
    return trait_columns(facts(events, lines, favourites, counted=counted or not favourites), now, keys)


def telling_nothing(rows: Any, column: str, own: tuple[str, ...]) -> Any:
    """Those of these rows whose text reveals no special category, nor has one of the shop's `own` words."""
    return rows.filter(without_blocked(rows[column], own).notnull())


def timeline(
    warehouse: Readable, person_id: int, before: tuple[datetime, int] | None = None, limit: int = 50, wanted: Wanted | None = None
) -> list[PastEvent]:
    """A person's events, newest first, all or those `wanted`; `before` is (occurred_at, event_id) of the last one already shown."""
    events: Any = history()
    events = events.filter(events.person_id == person_id)
    if wanted is not None:
        events = wanted.of(events)
    if before is not None:
        moment = _utc(before[0])
        events = events.filter((events.occurred_at < moment) | ((events.occurred_at == moment) & (events.event_id < before[1])))
    return _past_events(warehouse, events.order_by(events.occurred_at.desc(), events.event_id.desc()).limit(limit))


def last_event_at(warehouse: Readable, identity_ids: Sequence[int]) -> datetime | None:
    """When the last event that points at one of these identities happened (UTC); None when none does."""
    events: Any = table("events")
    if not identity_ids:
        return None
    found = warehouse.run(events.filter(events.identity_id.isin(list(identity_ids))).aggregate(at=events.occurred_at.max()))["at"][0].as_py()
    return found.replace(tzinfo=UTC) if found is not None else None


def kinds_of_events(warehouse: Readable, person_id: int) -> list[tuple[str, str, int, int]]:
    """What a person's events are: (kind, name, source id, how many), most frequent first."""
    events: Any = history()
    theirs = events.filter(events.person_id == person_id)
    counted = theirs.group_by("kind", "name", "source_id").agg(number=theirs.count())
    found = warehouse.run(counted.order_by(counted["number"].desc(), "name", "source_id", "kind")).to_pylist()
    return [(row["kind"], row["name"], row["source_id"], row["number"]) for row in found]


def latest_events(warehouse: Readable, after_event_id: int = 0, limit: int = 50) -> list[PastEvent]:
    """The events that were taken in last, newest first, only those after `after_event_id`."""
    events: Any = history()
    return _past_events(warehouse, events.filter(events.event_id > after_event_id).order_by(events.event_id.desc()).limit(limit))


def event_of(warehouse: Readable, event_id: int) -> tuple[PastEvent, int] | None:
    """One event of the history and the number of the batch that wrote it; None when there is none, or it was erased."""
    events: Any = history()
    found = events.filter(events.event_id == event_id)
    rows = _past_events(warehouse, found)
    return (rows[0], warehouse.run(found.select("batch"))["batch"][0].as_py()) if rows else None


def events_of_batch(warehouse: Readable, batch: int, limit: int = 100) -> list[PastEvent]:
    """The first events that a batch wrote."""
    events: Any = history()
    return _past_events(warehouse, events.filter(events.batch == batch).order_by(events.event_id).limit(limit))


def events_of_trace(warehouse: Readable, trace_id: str, limit: int = 100) -> list[tuple[PastEvent, int]]:
    """The events that came with a trace, oldest first, each with the number of the batch that wrote it."""
    events: Any = history()
    found = events.filter(events.trace_id == trace_id).order_by(events.event_id).limit(limit)
    numbers = warehouse.run(found.select("event_id", "batch")).to_pylist()
    batch_of = {row["event_id"]: row["batch"] for row in numbers}
    return [(row, batch_of[row.event_id]) for row in _past_events(warehouse, found) if row.event_id in batch_of]


def traits_owed_to(warehouse: Readable, person_id: int, event_id: int, now: datetime) -> list[Text]:
    """The traits of a person that would be something else had this one event not happened: worked out with it and without it."""
    with warehouse.people([person_id]) as asked:
        events: Any = history("events", asked)
        lines: Any = history("order_lines", asked)
        with_it = warehouse.run(trait_columns(facts(events, lines), now)).to_pylist()
        rest = facts(events.filter(events.event_id != event_id), lines.filter(lines.event_id != event_id))
        without = warehouse.run(trait_columns(rest, now)).to_pylist()
    before: dict[str, Any] = without[0] if without else {}
    return [row.label for row in TRAITS if with_it and with_it[0][row.key] != before.get(row.key)]


def days_of_places(warehouse: Readable, since: datetime) -> list[tuple[str, date]]:
    """Each powiat that events since a moment came from, with the day (UTC) of the first of them; robots are left out."""
    events: Any = history()
    placed = events.filter(events.powiat.notnull() & ~events.is_bot & (events.occurred_at >= _utc(since)))
    found = warehouse.run(placed.group_by("powiat").agg(first=placed.occurred_at.min().date()).order_by("powiat"))
    return list(zip(found["powiat"].to_pylist(), found["first"].to_pylist(), strict=True))


def _utc(moment: datetime) -> Any:
    return ibis.timestamp(moment.astimezone(UTC).replace(tzinfo=None))


_COLUMNS = tuple(field.name for field in fields(PastEvent))


def _past_events(warehouse: Readable, events: ir.Table) -> list[PastEvent]:
    found = warehouse.run(events.select(*_COLUMNS)).to_pylist()
    for row in found:
        row["occurred_at"], row["received_at"] = row["occurred_at"].replace(tzinfo=UTC), row["received_at"].replace(tzinfo=UTC)
        row["properties"] = msgspec.json.decode(row["properties"]) if row["properties"] else {}
    return [PastEvent(**row) for row in found]


def event_volumes(warehouse: Readable, since: datetime) -> list[EventVolume]:
    """How often each event happened since a moment (event time, UTC), most frequent first; bots are left out."""
    events: Any = history()
    events = events.filter(~events.is_bot & (events.occurred_at >= ibis.timestamp(since.astimezone(UTC).replace(tzinfo=None))))
    counted = events.group_by("name", "kind").agg(
        count=events.count(), people=events.person_id.nunique(), first_at=events.occurred_at.min(), last_at=events.occurred_at.max()
    )
    found = warehouse.run(counted.order_by(counted["count"].desc(), counted.name)).to_pylist()
    return [EventVolume(**{**row, "first_at": row["first_at"].replace(tzinfo=UTC), "last_at": row["last_at"].replace(tzinfo=UTC)}) for row in found]
