"""The tables of taking in: sources, the inbox and its writers, what was seen before, counters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

from psycopg import Connection

from cegla.collect.rules import chain
from cegla.collect.rules.decode import EVENT_BYTES, Request
from cegla.storage import statements
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.events import Event, Reason
from cegla.vocabulary.text import Text

SQL = statements.load(__file__)

LOCK_SPACE = 7_236_454  # advisory locks (LOCK_SPACE, writer): held by the collector that writes under that number
GENERATION_DAYS = 31
FOR_GOOD = 0  # the generation of imported events
WHOLE_REQUEST = [Reason.INTAKE_FAILED.value, Reason.UNREADABLE_BODY.value]
ELSEWHERE = Text("ten import właśnie wykonuje ktoś inny albo został zatrzymany", "somebody else works on this import, or it was stopped")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REQUEST = ("int4", "int8", "bytea", "int4", "int4", "bool", "bool", "timestamptz", "text", "text", "text", "text", "bytea")  #: a row that is copied in


@dataclass(frozen=True)
class Incoming:
    """One request that this installation writes itself."""

    source_id: int
    received_at: datetime
    events: int
    trusted: bool
    kind: str | None
    body: bytes
    gpc: bool = False
    ip: str | None = None
    user_agent: str | None = None
    trace: str | None = None


class End(NamedTuple):
    """How far a writer's requests were taken: the last one's number and its link of the chain."""

    number: int
    link: bytes


def append(conn: Connection, writer_source_id: int, incoming: Sequence[Incoming]) -> None:
    """Add requests to the chain of a source's own writer, which stays locked until the transaction ends."""
    writer, number, link = SQL.lock_writer(conn, source_id=writer_source_id)
    SQL.place_writer(conn, writer=writer)
    with conn.cursor() as cursor, cursor.copy(SQL.copy_requests.sql) as copy:
        copy.set_types(_REQUEST)
        for one in incoming:
            number += 1
            link = chain.link(link, number, one.source_id, one.body)
            told = (one.kind, one.ip, one.user_agent, one.trace, one.body)
            copy.write_row((writer, number, link, one.source_id, one.events, one.trusted, one.gpc, one.received_at, *told))
    SQL.move_writer(conn, writer=writer, last_number=number, last_link=link)


def append_imported(conn: Connection, import_id: int, source_id: int, bodies: Sequence[tuple[int, bytes]], after: int, now: datetime) -> None:
    """Add requests, each with the number of its events, to the chain of an import. Raises Busy when the chain does not end at `after`."""
    writer, number, link = SQL.lock_import_writer(conn, import_id=import_id)
    if number != after or SQL.state_of_import(conn, import_id=import_id) != "running":
        raise Busy(where="import", seen=import_id, detail=ELSEWHERE)
    SQL.place_writer(conn, writer=writer)
    with conn.cursor() as cursor, cursor.copy(SQL.copy_requests.sql) as copy:
        copy.set_types(_REQUEST)
        for events, body in bodies:
            number += 1
            link = chain.link(link, number, source_id, body)
            copy.write_row((writer, number, link, source_id, events, True, False, now, None, None, None, None, body))
    SQL.move_writer(conn, writer=writer, last_number=number, last_link=link)


def waiting(conn: Connection, most_events: int, after: Mapping[int, End]) -> list[Request]:
    """Requests that intake has not taken in, in order of (writer, number), up to about `most_events` events but at least one (see `Request.weight`).

    Of the writers in `after` only what comes after that end.
    """
    with conn.cursor(binary=True) as cursor:
        numbers = [end.number for end in after.values()]
        cursor.execute(SQL.take.sql, {"most_events": most_events, "event_bytes": EVENT_BYTES, "writers": list(after), "numbers": numbers})
        return [_request(row) for row in cursor]


def are_next(conn: Connection, requests: Sequence[Request]) -> bool:
    """Whether intake stands right before these requests, in order of (writer, number), and each still lies in the inbox."""
    firsts: dict[int, int] = {}
    lasts: dict[int, int] = {}
    for request in requests:
        firsts.setdefault(request.writer, request.number)
        lasts[request.writer] = request.number
    return SQL.are_next(conn, writers=list(firsts), firsts=list(firsts.values()), lasts=list(lasts.values()))


def requests_at(conn: Connection, places: Sequence[tuple[int, int]]) -> list[Request]:
    """Those of the requests (writer, number) that are still kept, in that order."""
    with conn.cursor(binary=True) as cursor:
        cursor.execute(SQL.requests_at.sql, {"writers": [writer for writer, _ in places], "numbers": [number for _, number in places]})
        return [_request(row) for row in cursor]


def sampled(conn: Connection, source_id: int, since: datetime, most: int) -> list[Request]:
    """Requests of a source, spread over the time since a moment, among a hundred thousand of each writer; in no order of time."""
    with conn.cursor(binary=True) as cursor:
        cursor.execute(SQL.sampled.sql, {"source_id": source_id, "since": since, "most": most})
        return [_request(row) for row in cursor]


def _request(row: Sequence[Any]) -> Request:
    writer, number, source_id, events, kind, trusted, gpc, received_at, ip, user_agent, trace, link, body = row
    return Request(
        writer=writer, number=number, source_id=source_id, events=events, kind=kind, trusted=trusted, gpc=gpc,
        received_at=received_at.replace(tzinfo=UTC), ip=ip, user_agent=user_agent, trace=trace, link=link, body=body,
        weight=max(events, 1, len(body) // EVENT_BYTES),
    )  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """A place where a writer's chain does not hold."""

    writer: int
    number: int
    expected: str
    found: str
    requests: int = 1  #: how many are missing or changed


def check_chain(conn: Connection, requests: Sequence[Request], after: Mapping[int, End]) -> list[Damage]:
    """Compare requests with what was accepted: no number missing, no body changed. Requests lie in order of (writer, number).

    They follow upon those of `after`, and upon the place of intake where that is further on or `after` names none of their writer. Those
    at or before that place were taken in since they were read, by somebody else who looked at them.
    """
    taken = {writer: End(number, link) for writer, number, link in SQL.places(conn, writers=list({request.writer for request in requests}))}
    places = {writer: max(end, after.get(writer, end)) for writer, end in taken.items()}
    damage: list[Damage] = []
    for request in requests:
        if request.number <= taken[request.writer].number:
            continue
        last, link = places[request.writer]
        if request.number != last + 1:
            missing = max(1, request.number - last - 1)
            damage.append(Damage(request.writer, last + 1, f"number {last + 1}", f"number {request.number}", missing))
        elif chain.link(link, request.number, request.source_id, request.body) != request.link:
            damage.append(Damage(request.writer, request.number, "the link that was written", "another content"))
        places[request.writer] = End(request.number, request.link)
    return damage


def note_damage(conn: Connection, damage: Sequence[Damage], now: datetime) -> None:
    """Keep what is wrong with the inbox where `standing` shows it."""
    SQL.note_damage(
        conn,
        writers=[row.writer for row in damage],
        numbers=[row.number for row in damage],
        expected=[row.expected for row in damage],
        found=[row.found for row in damage],
        requests=[row.requests for row in damage],
        found_at=now,
    )


def move_places(conn: Connection, ends: Mapping[int, End]) -> None:
    """Intake has taken in everything up to the last request of each writer."""
    SQL.move_places(conn, writers=list(ends), taken=[end.number for end in ends.values()], links=[end.link for end in ends.values()])


def fingerprint(source_id: int, message_id: str) -> bytes:
    """Sixteen bytes by which an event is known again."""
    return blake2b(f"{source_id}\0{message_id}".encode(), digest_size=16).digest()


def repeats(conn: Connection, hashes: Iterable[bytes], generation: int, import_id: int | None = None) -> list[bytes]:
    """Mark hashes, each given once, as seen in a generation; returns those that were seen before. An import's bear its number."""
    ordered = sorted(hashes)
    if not ordered:
        return []
    if generation != FOR_GOOD:
        SQL.open_generation(conn, generation=generation)
    others = [] if generation == FOR_GOOD else [generation - 1, generation + 1]  # the next one: clocks of servers jump back, too
    return [ordered[place - 1] for (place,) in SQL.mark_seen(conn, hashes=_as_uuids(ordered), generation=generation, others=others, import_id=import_id)]


def _as_uuids(hashes: Iterable[bytes]) -> str:
    """Hashes as the text of an array of uuid: far cheaper to send and to read than one value each."""
    return "{" + ",".join([one.hex() for one in hashes]) + "}"


def generation_of(now: datetime) -> int:
    """The number of the 31 days in which events are remembered together."""
    return (now - _EPOCH) // timedelta(days=GENERATION_DAYS)


def forget_seen(conn: Connection, hashes: Sequence[bytes]) -> None:
    """Let events in again that were seen before."""
    if hashes:
        SQL.forget_seen(conn, hashes=_as_uuids(hashes))


def events_by_source(events: Sequence[Event]) -> dict[int, int]:
    """How many events came from each source."""
    counts: dict[int, int] = {}
    for event in events:
        counts[event.source_id] = counts.get(event.source_id, 0) + 1
    return counts
