"""Requests found again: by their place in the inbox, and by a message id that stands somewhere in them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from cegla.collect import store, webhooks
from cegla.collect.rules import envelope, frame
from cegla.collect.rules.decode import Request
from cegla.collect.rules.people import Wanted, own_part
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifiers import Borne

MOST_FOUND = 50
PATIENCE_SECONDS = 8.0  #: nobody waits longer for a page
STRETCH = 5_000  #: requests of one writer that are read at a time


@dataclass(frozen=True)
class KeptRequest:
    """A request that is still in the inbox. Times are UTC."""

    request: Request
    written_at: datetime  #: by PostgreSQL's clock, in the transaction that committed it
    taken: bool  #: intake has passed it


@dataclass(frozen=True)
class Holding:
    """Requests that hold a text or came with a trace. `complete` is False when there are more, or looking took so long that only newer requests were read."""

    places: tuple[tuple[int, int], ...]  #: (writer, number), newest first
    complete: bool


def kept_request(conn: Connection, writer: int, number: int) -> KeptRequest | None:
    """The request at a place of the inbox; None when it is not kept any more."""
    found = store.requests_at(conn, [(writer, number)])
    if not found:
        return None
    written_at, taken = store.SQL.fate_of_request(conn, writer=writer, number=number)
    return KeptRequest(found[0], written_at.astimezone(UTC), taken)


def requests_traced(conn: Connection, trace_id: str) -> Holding:
    """The requests that came with a trace, as far as they are kept."""
    found = [(writer, number) for writer, number in store.SQL.inbox_traced(conn, trace_id=trace_id, most=MOST_FOUND + 1)]
    return Holding(tuple(found[:MOST_FOUND]), len(found) <= MOST_FOUND)


def requests_holding(conn: Connection, message_id: str, source_id: int | None = None) -> Holding:
    """Requests in which a message id stands, of one source or of all; the caller looks closer.

    Requests are not indexed by what is in them, since that would cost every one of them at the door. They are read from the
    newest on, in stretches of each writer, until all are read or the patience is at its end.
    """
    needles = list({message_id.encode(), msgspec.json.encode(message_id)[1:-1]})
    began, places = time.monotonic(), list[tuple[datetime, int, int]]()
    stretches = [(writer, last, first) for writer, first, last in store.SQL.kept_of_writers(conn)]
    while stretches and len(places) <= MOST_FOUND and time.monotonic() - began < PATIENCE_SECONDS:
        for writer, last, _ in stretches:
            given = {"writer": writer, "after": last - STRETCH, "last": last}
            places += [tuple(row) for row in store.SQL.inbox_holding(conn, needles=needles, source_id=source_id, **given)]
        stretches = [(writer, last - STRETCH, first) for writer, last, first in stretches if last - STRETCH >= first]
    newest = sorted(places, reverse=True)[:MOST_FOUND]
    return Holding(tuple((writer, number) for _, writer, number in newest), not stretches and len(places) <= MOST_FOUND)


def given_of(conn: Connection, kept: Sequence[tuple[int, str | None, bytes, datetime]], identifiers: Sequence[Borne]) -> list[dict[str, Any]]:
    """What of each kept body (source, kind, body, received at) may be given to whom it names: their own events, and the batch's context where it is theirs.

    Others may be in the rest, which is not theirs to see (GDPR art. 15(4)): of what cannot be told apart by person there is the size. What a webhook
    got is told apart by the events that its mapping makes of it.
    """
    wanted, rules = Wanted(identifiers), current_rules(conn)
    mappings = webhooks.mappings_of(conn, {source_id for source_id, kind, *_ in kept if kind == frame.WEBHOOK})
    given: list[dict[str, Any]] = []
    for source_id, kind, body, received_at in kept:
        batch, is_whole = webhooks.as_batch(mappings.get(source_id), body) if kind == frame.WEBHOOK else (body, True)
        own = own_part(batch, wanted, received_at, rules)
        row: dict[str, Any] = {"events": own.events} | ({"context": own.context} if own.context else {})
        if unread_bytes := own.unread_bytes if is_whole else len(body):
            row |= {"not_given_bytes": unread_bytes, "not_given_why": "it could not be read event by event, and other people may be in it"}
        given.append(row)
    return given


def events_of_request(request: Request) -> Sequence[bytes]:
    """The events of a request as they came; of a webhook, or of what cannot be read, the whole body."""
    if request.kind == frame.WEBHOOK:
        try:
            return [frame.read(request.body).body]
        except ValueError:
            return [request.body]
    try:
        return [bytes(event) for event in envelope.read(request.body).events]
    except envelope.NotJson:
        return [request.body]
