"""One event, followed from the request in which it came to everything that came of it.

    message id ──┐                                    ┌─ waits
    trace ───────┤                                    ├─ quarantined, and why
    history ─────┼─► its place in the inbox ─► fate ──┼─ a repeat, and of which
    quarantine ──┘   (writer, number, index)          ├─ only counted, or left out on purpose
                                                      └─ applied ─► batch ─► person ─► refresh ─► traits, segments ─► messages

Nothing is stored for this: it is read from what every stage keeps anyway. Requests and receipts are kept for 30 days; of an
older event the history alone still tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from cegla.activate import actions as activate
from cegla.collect import actions as collect
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage import batches
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.events import Event
from cegla.vocabulary.text import Text

MOST_MESSAGES = 200
MOST_OF_TRACE = 100  #: events of the history, and as many set aside
HIDDEN = "•••"
#: Fields whose values say nothing of a person; all other values are hidden until somebody gives a reason.
SHOWN_FIELDS = frozenset(
    "type event messageId timestamp originalTimestamp sentAt channel version currency quantity price total revenue value tax shipping discount "
    "order_id orderId product_id productId sku category locale timezone integrations".split()
)


class Fate(StrEnum):
    """What became of an event. The list is closed; each has its label in `FATES`."""

    WAITING = "waiting"
    APPLIED = "applied"
    REPEATED = "repeated"
    QUARANTINED = "quarantined"
    COUNTED = "counted"
    IGNORED = "ignored"
    ERASED = "erased"


FATES: dict[Fate, Text] = {
    Fate.WAITING: Text("czeka na przyjęcie", "waits for intake"),
    Fate.APPLIED: Text("jest w historii", "is in the history"),
    Fate.REPEATED: Text("powtórzenie, pominięte", "a repeat, left out"),
    Fate.QUARANTINED: Text("w kwarantannie", "in quarantine"),
    Fate.COUNTED: Text("tylko policzone: bez osoby", "only counted: about nobody"),
    Fate.IGNORED: Text("pominięte celowo przez mapowanie", "left out on purpose by the mapping"),
    Fate.ERASED: Text("usunięte z historii", "removed from the history"),
}


@dataclass(frozen=True, order=True)
class Place:
    """Where an event came in: which writer of the inbox, which request of it, which event in there. Written 3-17-0."""

    writer: int
    number: int
    index: int

    def __str__(self) -> str:
        return f"{self.writer}-{self.number}-{self.index}"


@dataclass(frozen=True)
class Outcome:
    """What followed from an applied event."""

    event: profile.PastEvent
    batch: int
    taken_in_at: datetime | None
    refreshed_at: datetime | None  #: when traits and segments followed; None when that is not known, or not yet
    declared: tuple[str, ...]  #: names of what the event itself declared of the person
    traits: tuple[Text, ...]  #: labels of traits that would be something else without it
    entered: tuple[tuple[int, str], ...]  #: segments by number and name, in the refresh that followed
    left: tuple[tuple[int, str], ...]
    messages: tuple[activate.Message, ...]  #: of campaigns for the segments entered, decided since then


@dataclass(frozen=True)
class Trail:
    """One event and its way. What is not kept any more is None; times are UTC."""

    place: Place | None
    source_id: int
    source: str
    message_id: str | None
    name: str | None
    kind: str | None
    fate: Fate
    received_at: datetime
    written_at: datetime | None
    trusted: bool | None  #: came with a secret key or from this installation
    events_in_request: int | None
    payload: bytes | None  #: personal data, as it came
    quarantined: repair.Quarantined | None = None
    repeat_of: Place | None = None
    outcome: Outcome | None = None
    trace_id: str | None = None  #: of the W3C trace it came with


@dataclass(frozen=True)
class Found:
    """Events that bear a message id or came with a trace, newest first. `complete`: all kept requests were looked through, and nothing was cut off."""

    places: tuple[Place, ...]
    complete: bool
    history: tuple[profile.PastEvent, ...] = ()  #: of a trace: those in the history, oldest first, also when their requests are gone
    outlasting: tuple[profile.PastEvent, ...] = ()  #: of those in the history: the ones that none of `places` is the place of
    messages: tuple[activate.Message, ...] = ()  #: of a trace: what its calls asked for


@dataclass
class _Opened:
    """A request with what its events are by today's decoding."""

    kept: collect.KeptRequest
    events: Mapping[int, Event]
    ignored: int
    raw: Sequence[bytes]


def parse_place(text: str) -> Place:
    """The place that an address names. Raises NotFound."""
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise NotFound(where="event", seen=text, thing=text)
    return Place(*map(int, parts))


def find(ws: Workspace, message_id: str, source_id: int | None = None) -> Found:
    """Every event that bears a message id, of one source or of all: applied ones, repeats, those in quarantine, those that wait."""
    with ws.transaction() as conn:
        places = {Place(row.writer, row.number, row.index): row.received_at for row in repair.listed(conn, message=(message_id, source_id))}
        holding = collect.requests_holding(conn, message_id, source_id)
        for writer, number in holding.places:
            if (opened := _open(ws, conn, writer, number)) is not None:
                found = (index for index, event in opened.events.items() if event.message_id == message_id)
                places |= {Place(writer, number, index): opened.kept.request.received_at for index in found}
        if (own := _own_id(message_id)) is not None and (opened := _open(ws, conn, own.writer, own.number)) is not None and own.index in opened.events:
            places[own] = opened.kept.request.received_at
    return Found(tuple(sorted(places, key=lambda place: (places[place], place), reverse=True)), holding.complete)


def find_trace(ws: Workspace, trace_id: str) -> Found:
    """Everything that came with a W3C trace: events in whatever state, and messages that its calls asked for."""
    with ws.transaction() as conn:
        traced = collect.requests_traced(conn, trace_id)
        opened = [(writer, number, _open(ws, conn, writer, number)) for writer, number in traced.places]
        kept = tuple(
            Place(writer, number, index)
            for writer, number, one in opened
            if one is not None
            for index in range(len(one.raw))
            if (event := one.events.get(index)) is None or _trace_id(event.trace) == trace_id
        )
        aside = [Place(*row) for row in repair.telling.in_trace(conn, trace_id, MOST_OF_TRACE + 1)]
        places = (*kept, *(place for place in aside[:MOST_OF_TRACE] if place not in kept))
        messages = activate.single.of_trace(conn, trace_id, MOST_MESSAGES + 1)
        history = profile.past.events_of_trace(ws.warehouse, trace_id, MOST_OF_TRACE + 1)
        complete = traced.complete and len(messages) <= MOST_MESSAGES and max(len(history), len(aside)) <= MOST_OF_TRACE
        del history[MOST_OF_TRACE:], messages[MOST_MESSAGES:]
        outlasting = tuple(event for event, batch in history if _place_of(conn, batch, event.event_id) not in places)
    return Found(places, complete, tuple(event for event, _ in history), outlasting, tuple(messages))


def named(ws: Workspace, text: str) -> Trail:
    """The way of the event that a place names: 3-17-0 in the inbox, e12 in the history, q5 in quarantine. Raises NotFound."""
    head, rest = text[:1], text[1:]
    if head in ("e", "q") and rest.isascii() and rest.isdigit() and len(rest) < 19:
        return of_history(ws, int(rest)) if head == "e" else of_quarantine(ws, int(rest))
    return follow(ws, parse_place(text))


def of_history(ws: Workspace, event_id: int) -> Trail:
    """The way of an event of the history. Raises NotFound when it is not there, or was erased."""
    found = profile.past.event_of(ws.warehouse, event_id)
    if found is None:
        raise NotFound(where="event", seen=event_id, thing=f"e{event_id}")
    event, batch = found
    with ws.transaction() as conn:
        place = _place_of(conn, batch, event_id)
        if place is not None and collect.kept_request(conn, place.writer, place.number) is not None:
            return _follow(ws, conn, place)
        outcome = _outcome(ws, conn, event, batches.Row(batch, event.received_at, event_id, 0, 0), None)
        return Trail(place, event.source_id, _source_name(conn, event.source_id), None, event.name, event.kind, Fate.APPLIED, event.received_at,
            None, None, None, None, outcome=outcome, trace_id=event.trace_id)  # fmt: skip


def of_quarantine(ws: Workspace, number: int) -> Trail:
    """The way of an event in quarantine. Raises NotFound."""
    with ws.transaction() as conn:
        rows = repair.listed(conn, repair.Filter(ids=(number,), state="all"))
        if not rows:
            raise NotFound(where="quarantine", seen=number, thing=f"q{number}")
        return _aside(ws, conn, rows[0])


def follow(ws: Workspace, place: Place) -> Trail:
    """The way of the event at a place of the inbox. Raises NotFound when neither the request nor anything of the event is kept."""
    with ws.transaction() as conn:
        return _follow(ws, conn, place)


# inside ------------------------------------------------------------------------------------------------------------------


def _follow(ws: Workspace, conn: Connection, place: Place) -> Trail:
    rows = repair.listed(conn, at=(place.writer, place.number, place.index))
    opened = _open(ws, conn, place.writer, place.number)
    if rows and (opened is None or not _applied(conn, opened, place)):
        return _aside(ws, conn, rows[0])
    if opened is None or (place.index not in opened.events and place.index >= len(opened.raw) and not opened.ignored):
        raise NotFound(where="event", seen=str(place), thing=str(place))
    event, kept = opened.events.get(place.index), opened.kept
    fate, outcome, repeat_of = Fate.WAITING, None, None
    if kept.taken:
        if (row := _applied(conn, opened, place)) is not None:
            past = profile.past.event_of(ws.warehouse, row.event_id)
            fate = Fate.ERASED if past is None else Fate.APPLIED
            outcome = None if past is None else _outcome(ws, conn, past[0], row, event)
        else:
            fate, repeat_of = _left_out(ws, conn, opened, place)
    request = kept.request
    return Trail(
        place, request.source_id, _source_name(conn, request.source_id), event and event.message_id, event and event.name, event and event.kind, fate,
        request.received_at, kept.written_at, request.trusted, len(opened.raw), _raw(opened, place.index), None, repeat_of, outcome,
        _trace_id(event.trace if event is not None else request.trace),
    )  # fmt: skip


def _aside(ws: Workspace, conn: Connection, row: repair.Quarantined) -> Trail:
    opened = _open(ws, conn, row.writer, row.number)
    written = opened.kept.written_at if opened else None
    return Trail(
        Place(row.writer, row.number, row.index), row.source_id, _source_name(conn, row.source_id), row.message_id, row.event, None, Fate.QUARANTINED,
        row.received_at, written, row.trusted, len(opened.raw) if opened else None, row.payload, row,
        trace_id=_trace_id(row.trace or (opened.kept.request.trace if opened else None)),
    )  # fmt: skip


def _place_of(conn: Connection, batch: int, event_id: int) -> Place | None:
    came = batches.place_of(conn, batch, event_id)
    return None if came is None else Place(came.writer, came.number, came.index)


def _trace_id(parent: str | None) -> str | None:
    return None if parent is None else collect.trace_id(parent)


def _open(ws: Workspace, conn: Connection, writer: int, number: int) -> _Opened | None:
    kept = collect.kept_request(conn, writer, number)
    if kept is None:
        return None
    sources = {source.id: source for source in collect.sources(conn)}
    decoded = collect.decode(collect.take_again(conn, [(writer, number)]), sources, ws.settings.collector)
    events = {event.index: event for event in decoded.events}
    return _Opened(kept, events, sum(decoded.ignored.values()), collect.events_of_request(kept.request))


def _applied(conn: Connection, opened: _Opened, place: Place) -> batches.Row | None:
    rows = batches.find_request(conn, place.writer, place.number, opened.kept.written_at)
    return next((row for row in rows if row.index == place.index), None)


def _left_out(ws: Workspace, conn: Connection, opened: _Opened, place: Place) -> tuple[Fate, Place | None]:
    """Why an event that intake passed is nowhere: counted, left out by a mapping, a repeat of another one, or of one in quarantine."""
    event = opened.events.get(place.index)
    message_id = event.message_id if event is not None else _said_id(_raw(opened, place.index))
    aside = repair.listed(conn, message=(message_id, opened.kept.request.source_id)) if message_id is not None else []
    if waiting := next((row for row in aside if row.state == "open"), None):
        return Fate.REPEATED, Place(waiting.writer, waiting.number, waiting.index)
    if event is None:
        return Fate.IGNORED, None
    if collect.is_counted_only(event):
        return Fate.COUNTED, None
    for writer, number in collect.requests_holding(conn, event.message_id, event.source_id).places:
        request = _open(ws, conn, writer, number)
        same = [Place(writer, number, index) for index, one in request.events.items() if one.message_id == event.message_id] if request else []
        for other in same:
            if request is None or other == place:
                continue
            if _applied(conn, request, other) is not None or repair.listed(conn, at=(other.writer, other.number, other.index)):
                return Fate.REPEATED, other
    return Fate.REPEATED, None


def _outcome(ws: Workspace, conn: Connection, past: profile.PastEvent, row: batches.Row, event: Event | None) -> Outcome:
    refreshed = batches.refreshed_at(conn, row.batch)
    changes = segment.changes_at(conn, past.person_id, refreshed) if refreshed else []
    entered = tuple((number, name) for number, name, came in changes if came)
    left = tuple((number, name) for number, name, came in changes if not came)
    known = resolve.identifiers_of(conn, [past.person_id]).get(past.person_id, [])
    campaigns = {one.id for one in activate.campaigns(conn) if one.segment_id in dict(entered)}
    identities = [past.person_id, *(one.identity_id for one in known)]
    messages = activate.messages_of(conn, people=identities, limit=MOST_MESSAGES) if campaigns else []
    led_to = tuple(one for one in messages if one.campaign_id in campaigns and refreshed and one.decided_at >= refreshed)
    traits = tuple(profile.past.traits_owed_to(ws.warehouse, past.person_id, past.event_id, ws.clock()))
    taken_in_at = row.taken_in_at if event is not None else None
    return Outcome(past, row.batch, taken_in_at, refreshed, tuple(event.traits) if event else (), traits, entered, left, led_to)


def _said_id(payload: bytes) -> str | None:
    """The message id that an event bears which cannot be decoded."""
    try:
        found: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    said = found.get("messageId") if isinstance(found, dict) else None
    return said if isinstance(said, str) else None


def _own_id(message_id: str) -> Place | None:
    """The place in the id that intake gives to an event without one: cegla-3-17-0."""
    head, _, rest = message_id.partition("-")
    try:
        return parse_place(rest) if head == "cegla" else None
    except NotFound:
        return None


def _source_name(conn: Connection, source_id: int) -> str:
    return next((source.name for source in collect.sources(conn) if source.id == source_id), str(source_id))


def _raw(opened: _Opened, index: int) -> bytes:
    return opened.raw[index] if index < len(opened.raw) else opened.raw[0]


# as it may be shown ------------------------------------------------------------------------------------------------------


def hidden(payload: bytes) -> Any:
    """What came, with every value hidden that could say something of a person; None when it is no JSON."""
    try:
        return _hidden(msgspec.json.decode(payload))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def clear(payload: bytes) -> Any:
    """What came, as data where it is JSON, else as text."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload[:20_000].decode("utf-8", "replace")


def _hidden(value: Any, shown: bool = False) -> Any:
    if isinstance(value, dict):
        return {_hidden_key(key): _hidden(part, key in SHOWN_FIELDS) for key, part in value.items()}
    if isinstance(value, list):
        return [_hidden(part) for part in value]
    if value is None or isinstance(value, bool):
        return value
    return value if shown and "@" not in str(value) else HIDDEN


def _hidden_key(key: str) -> str:
    return HIDDEN if "@" in key or sum(sign.isdigit() for sign in key) > 6 else key
