"""Enrichment: events become rows of the warehouse, in columns.

One pass over the events says what each points at: a *view*, which is what its context shows, and *words*, which are what it says
itself. Both are read once for all events of a batch that share them. So the columns are made of the few views and words there are, and then
spread over the events, all at once. The passive events, in which the person did nothing (a message delivered, a refund booked),
belong to no session.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from cegla.profile.rules.scrubbing import scrubbed_code, scrubbed_label
from cegla.profile.rules.sessions import Sessions
from cegla.profile.rules.views import VIEW_COLUMNS, View, Views
from cegla.profile.rules.words import ARRIVALS, WORD_COLUMNS, Word, Words
from cegla.vocabulary.events import Event, trait_key

if TYPE_CHECKING:
    from cegla.profile.rules.commerce import Line
    from cegla.profile.rules.memory import Memory

pc: Any = pyarrow.compute  # its functions are made at run time, so type checkers do not know them
_QUARTER_MICROS = 900 * 1_000_000
NO_IMPORTS: Mapping[int, int] = MappingProxyType({})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Declared(NamedTuple):
    """One trait as an identify call declared it. `value` None takes back what was declared before."""

    identity_id: int
    key: str
    value: Any
    source_id: int
    declared_at: datetime
    import_id: int = 0  #: the import that declared it, 0 for everybody else: each keeps its own, so that an import can be taken back
    message_id: str = ""  #: the sender's own id of the event that declared it


class Batch(NamedTuple):
    """The numbers that every row of a batch carries, the shop's time zone, and which writers of the inbox are imports."""

    number: int
    first_event_id: int
    zone: tzinfo
    import_of: Mapping[int, int] = NO_IMPORTS


class _Read(NamedTuple):
    """The events of a batch in columns, along each other: what each points at, and what only it has."""

    seen: list[int]  #: its view
    said: list[int]  #: its words
    sessions: list[int | None]
    machines: list[str | None]


def enriched_tables(events: Sequence[Event], identity_ids: Sequence[int], batch: Batch, sessions: Sessions, memory: "Memory") -> dict[str, pa.Table]:
    """The rows of `events` and `order_lines` (see `storage/warehouse.py`); `sessions` and `memory`, which knows the world, move on."""
    times = [_micros(event.occurred_at) for event in events]
    views, words = Views(memory), Words()
    read = _read(events, identity_ids, times, (views, words, sessions, memory))
    seen, said = pa.array(read.seen, pa.int32()), pa.array(read.said, pa.int32())
    columns = _own_columns(events, identity_ids, times, batch)
    columns |= _spread(VIEW_COLUMNS, views.all, seen) | _spread(WORD_COLUMNS, words.all, said) | _countries(views.all, seen, words.all, said)
    columns["session_id"] = pa.array(read.sessions, pa.int64())
    columns["machine_reason"] = pa.array(read.machines, pa.string())
    columns["data_version"] = pa.repeat(pa.scalar(memory.version, pa.string()), len(events))
    table = pa.table({name: columns[name] for name in EVENT_COLUMNS})
    return {"events": table, "order_lines": _lines_table(table, words, said)}


def _read(events: Sequence[Event], identity_ids: Sequence[int], times: list[int], remembering: "tuple[Views, Words, Sessions, Memory]") -> _Read:
    """The one pass over the events, in the order of arrival."""
    views, words, sessions, memory = remembering
    too_fast, place, watched = memory.paces.too_fast, sessions.place, memory.watched
    read = _Read([], [], [], [])
    see, say, sit, suspect = read.seen.append, read.said.append, read.sessions.append, read.machines.append
    for event, identity_id, at in zip(events, identity_ids, times, strict=True):
        view = views.of_arrival(event.context, event.properties) if event.kind in ARRIVALS else views.of(event.context)
        if view.by_hand and too_fast(identity_id, at):
            view = views.too_fast(view)
        word = words.of(event)
        machine = memory.machine_reason(event.name, event.context, event.properties, view.network) if event.name in watched else None
        see(view.place)
        say(word.place)
        suspect(machine)
        sit(place(identity_id, at, view.campaign) if view.active and word.active and machine is None else None)
    return read


def declared_traits(events: Sequence[Event], identity_ids: Sequence[int], import_of: Mapping[int, int] = NO_IMPORTS) -> list[Declared]:
    """What the identify calls declare: the newest value of each trait of each identity, of each source and import apart.

    Of two at the same moment the one with the greater message id counts, so that the order of arrival does not matter.
    """
    newest: dict[tuple[int, str, int, int], Declared] = {}
    for event, identity_id in zip(events, identity_ids, strict=True):
        if event.kind != "identify":
            continue
        for raw_key, value in event.traits.items():
            key = trait_key(raw_key)
            slot = (identity_id, key, event.source_id, import_of.get(event.writer, 0))
            known = newest.get(slot)
            if known is None or (event.occurred_at, event.message_id) >= (known.declared_at, known.message_id):
                newest[slot] = Declared(identity_id, key, value, event.source_id, event.occurred_at, slot[3], event.message_id)
    return list(newest.values())


# columns -----------------------------------------------------------------------------------------------------------------


def _own_columns(events: Sequence[Event], identity_ids: Sequence[int], times: list[int], batch: Batch) -> dict[str, pa.Array]:
    """The numbers and stamps of the rows."""
    rows = len(events)
    return {
        "batch": pa.repeat(pa.scalar(batch.number, pa.int64()), rows),
        "event_id": pa.array(np.arange(batch.first_event_id, batch.first_event_id + rows)),
        "source_id": pa.array(map(attrgetter("source_id"), events), pa.int32(), size=rows),
        "identity_id": pa.array(identity_ids, pa.int64()),
        "kind": pa.array(map(attrgetter("kind"), events), pa.string(), size=rows),
        "occurred_at": _moments(times),
        "received_at": _moments(_shared_micros(map(attrgetter("received_at"), events))),
        "original_at": _moments(_original_micros(events, times)),
        "sent_at": _moments(_shared_micros(map(attrgetter("sent_at"), events))),
        "local_at": _local(times, batch.zone),
        "trace_id": pc.utf8_slice_codeunits(pa.array(map(attrgetter("trace"), events), pa.string(), size=rows), 3, 35),
    }


def _spread(names: Sequence[str], shared: Sequence[View] | Sequence[Word], places: pa.Array) -> dict[str, pa.Array]:
    """The columns of views or words, one row for each event that points at one of them."""
    columns: Any = zip(*[one.columns for one in shared], strict=True) if shared else [[] for _ in names]
    return {name: pa.array(column, _TYPES[name]).take(places) for name, column in zip(names, columns, strict=True)}


def _countries(views: list[View], seen: pa.Array, words: list[Word], said: pa.Array) -> dict[str, pa.Array]:
    """The country of each event and what it is known from: its context, its own words, and only then the network."""
    located = pa.array([view.located for view in views], pa.bool_()).take(seen)
    shown = pa.array([view.country if view.located else view.network.country for view in views], pa.string()).take(seen)
    told = pa.array([word.country for word in words], pa.string()).take(said)
    country = pc.if_else(located, shown, pc.coalesce(told, shown))
    known_from = pc.if_else(pc.or_(located, pc.is_valid(told)), "told", "ip")
    return {"country": country, "place_source": pc.if_else(pc.is_valid(country), known_from, pa.scalar(None, pa.string()))}


def _lines_table(events: pa.Table, words: Words, said: pa.Array) -> pa.Table:
    """The lines of the events that have some: columns made of the different lines, and spread."""
    bounds = np.array([word.lines for word in words.all], np.int64).reshape(-1, 2)[said.to_numpy(zero_copy_only=False)]
    starts, counts = bounds[:, 0], bounds[:, 1]
    rows = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    places = pa.array(np.repeat(starts - before, counts) + np.arange(len(rows)))
    owners = events.select(["batch", "event_id", "identity_id", "name", "occurred_at"]).take(pa.array(rows)).combine_chunks()
    columns = {name: owners[name] for name in owners.column_names} | _line_columns(words.lines, places)
    return pa.table(columns)


def _line_columns(lines: "list[Line]", places: pa.Array) -> dict[str, pa.Array]:
    values: Any = zip(*lines, strict=True) if lines else [[] for _ in range(6)]
    product_id, product, category, quantity, price, value = values
    columns = {
        "product_id": pa.array([text and scrubbed_code(text) for text in product_id], pa.string()),
        "product": pa.array([text and scrubbed_label(text) for text in product], pa.string()),
        "category": pa.array([text and scrubbed_label(text) for text in category], pa.string()),
        "quantity": pa.array(quantity, pa.float64()), "price_micros": pa.array(price, pa.int64()), "value_micros": pa.array(value, pa.int64()),
    }  # fmt: skip
    return {name: column.take(places) for name, column in columns.items()}


def _original_micros(events: Sequence[Event], times: list[int]) -> list[int | None]:
    """The stamps as sent; nearly always the very moment that counts."""
    return [
        at if event.original_at is event.occurred_at else None if event.original_at is None else _micros(event.original_at)
        for event, at in zip(events, times, strict=True)
    ]


def _shared_micros(moments: Iterable[datetime | None]) -> list[int | None]:
    """Stamps that the events of one request share."""
    found: list[int | None] = []
    last: datetime | None = None
    micros: int | None = None
    for moment in moments:
        if moment is not last:
            last = moment
            micros = None if last is None else _micros(last)
        found.append(micros)
    return found


EVENT_COLUMNS = (
    "batch", "event_id", "source_id", "identity_id", "kind", "name", "occurred_at", "received_at", "original_at", "sent_at", "local_at",
    "session_id", "order_id", "value_micros",
    "currency", "page_path", "page_title",
    "referrer_kind", "referrer_host", "campaign_source", "campaign_medium", "campaign_name", "device_type", "os", "browser", "country", "language",
    "is_bot", "properties", "os_version", "browser_version", "device_brand", "device_model", "device_source", "in_app", "voivodeship", "powiat", "city",
    "timezone", "place_source", "asn", "network_kind", "is_datacentre", "is_proxy", "bot_reason", "machine_reason", "referrer_name", "referrer_term",
    "campaign_term", "campaign_content", "click_id", "data_version", "trace_id",
)  # fmt: skip
_TYPES: dict[str, pa.DataType] = {name: pa.string() for name in (*WORD_COLUMNS, *VIEW_COLUMNS)} | {
    "value_micros": pa.int64(), "is_bot": pa.bool_(), "asn": pa.int64(), "is_datacentre": pa.bool_(), "is_proxy": pa.bool_(),
}  # fmt: skip


def _local(micros: list[int], zone: tzinfo) -> pa.Array:
    """The same moments by the wall clock of a zone."""
    times = np.array(micros, np.int64)
    quarters, places = np.unique(times // _QUARTER_MICROS, return_inverse=True)
    offsets = np.array([_offset_micros(quarter, zone) for quarter in quarters.tolist()], np.int64)
    return pa.array(times + offsets[places]).view(pa.timestamp("us"))


def _moments(micros: Sequence[int | None]) -> pa.Array:
    return pa.array(micros, pa.int64()).view(pa.timestamp("us"))


def _micros(moment: datetime) -> int:
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds  # three times as fast as dividing by a timedelta


@lru_cache(maxsize=65_536)
def _offset_micros(quarter: int, zone: tzinfo) -> int:
    """The zone's distance from UTC in a quarter of an hour since 1970; zones change on such quarters only."""
    offset = (_EPOCH + timedelta(microseconds=quarter * _QUARTER_MICROS)).astimezone(zone).utcoffset()
    return offset // _MICROSECOND if offset else 0
