"""Requests found again: by their place in the inbox, and by a message id that stands somewhere in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import psycopg

from cegla.collect import store
from cegla.collect.rules import envelope, frame
from cegla.collect.rules.decode import Request
from cegla.storage.workspace import Connection

MOST_FOUND = 50
PATIENCE_MILLISECONDS = 10_000  #: requests are not indexed by what is in them, and nobody waits longer for a page


@dataclass(frozen=True)
class KeptRequest:
    """A request that is still in the inbox. Times are UTC."""

    request: Request
    written_at: datetime  #: by PostgreSQL's clock, in the transaction that committed it
    taken: bool  #: intake has passed it


@dataclass(frozen=True)
class Holding:
    """Requests that hold a text. `complete` is False when there are more, or looking took too long."""

    places: tuple[tuple[int, int], ...]  #: (writer, number), newest first
    complete: bool


def kept_request(conn: Connection, writer: int, number: int) -> KeptRequest | None:
    """The request at a place of the inbox; None when it is not kept any more."""
    found = store.requests_at(conn, [(writer, number)])
    if not found:
        return None
    written_at, taken = store.SQL.fate_of_request(conn, writer=writer, number=number)
    return KeptRequest(found[0], written_at.astimezone(UTC), taken)


def requests_holding(conn: Connection, message_id: str, source_id: int | None = None) -> Holding:
    """Requests in which a message id stands, of one source or of all; the caller looks closer."""
    needles = list({message_id.encode(), msgspec.json.encode(message_id)[1:-1]})
    try:
        with conn.transaction():
            store.SQL.limit_time(conn, milliseconds=str(PATIENCE_MILLISECONDS))
            rows = list(store.SQL.inbox_holding(conn, needles=needles, source_id=source_id, limit=MOST_FOUND + 1))
            store.SQL.limit_time(conn, milliseconds="0")
    except psycopg.errors.QueryCanceled:
        return Holding((), False)
    return Holding(tuple((row[0], row[1]) for row in rows[:MOST_FOUND]), len(rows) <= MOST_FOUND)


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
