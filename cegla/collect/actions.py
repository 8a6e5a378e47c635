"""The door to taking in: sources and the inbox. Times are UTC; `conn` is the caller's transaction throughout.

Accepted means committed: what `write_down` and the collectors put into the inbox is either applied, known as a repeat, or in
quarantine with a reason, and `standing` shows that the numbers add up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cegla.collect import heads, store
from cegla.collect import imports as imports_at_work
from cegla.collect.balance import Balance as Balance
from cegla.collect.balance import balance as balance
from cegla.collect.balance import count_balance
from cegla.collect.clocks import Clocks as Clocks
from cegla.collect.clocks import set_right as set_right
from cegla.collect.examining import Examined as Examined
from cegla.collect.examining import examine as examine
from cegla.collect.figures import Figure as Figure
from cegla.collect.figures import figures as figures
from cegla.collect.file_import import SILENT, load_mapping, run_import
from cegla.collect.file_import import Ear as Ear
from cegla.collect.file_import import ImportResult as ImportResult
from cegla.collect.file_import import load_values as load_values
from cegla.collect.finding import KeptRequest as KeptRequest
from cegla.collect.finding import events_of_request as events_of_request
from cegla.collect.finding import given_of as given_of
from cegla.collect.finding import kept_request as kept_request
from cegla.collect.finding import requests_holding as requests_holding
from cegla.collect.finding import requests_traced as requests_traced
from cegla.collect.imports import STATES as STATES
from cegla.collect.imports import Import as Import
from cegla.collect.imports import Layer as Layer
from cegla.collect.imports import ask_undo as ask_undo
from cegla.collect.imports import begin as begin
from cegla.collect.imports import discard as discard
from cegla.collect.imports import events_of as events_of
from cegla.collect.imports import forget_files as forget_files
from cegla.collect.imports import import_of as import_of
from cegla.collect.imports import imports as imports
from cegla.collect.imports import layers as layers
from cegla.collect.imports import next_import as next_import
from cegla.collect.imports import note_events as note_events
from cegla.collect.imports import ranges_of as ranges_of
from cegla.collect.imports import refused_rows as refused_rows
from cegla.collect.imports import register as register
from cegla.collect.imports import save_draft as save_draft
from cegla.collect.imports import source_for as source_for
from cegla.collect.imports import take_back as take_back
from cegla.collect.imports import upload as upload
from cegla.collect.reading import Reader as Reader
from cegla.collect.rules import decode as decoding
from cegla.collect.rules import envelope
from cegla.collect.rules.columns import PROBLEMS as PROBLEMS
from cegla.collect.rules.contents import EXAMPLE as EXAMPLE
from cegla.collect.rules.contents import ColumnGuess as ColumnGuess
from cegla.collect.rules.decode import Decoded, Limits, Origin, Request
from cegla.collect.rules.formulas import harmless as harmless
from cegla.collect.rules.frame import WEBHOOK
from cegla.collect.rules.frame import Framed as Framed
from cegla.collect.rules.mapping import ColumnForm as ColumnForm
from cegla.collect.rules.mapping import FileForm as FileForm
from cegla.collect.rules.mapping import Mapping as FileMapping
from cegla.collect.rules.mapping import read_file_form as read_file_form
from cegla.collect.rules.mapping import read_mapping as read_mapping
from cegla.collect.rules.people import Wanted as Wanted
from cegla.collect.rules.people import names as names
from cegla.collect.rules.people import needles as needles
from cegla.collect.rules.signatures import REFUSALS as REFUSALS
from cegla.collect.rules.signatures import SCHEMES as SCHEMES
from cegla.collect.rules.signatures import Secrets as Secrets
from cegla.collect.rules.stamps import truncated as truncated
from cegla.collect.rules.trace import trace_id as trace_id
from cegla.collect.rules.trace import traceparent as traceparent
from cegla.collect.rules.webhooks import CASTS as CASTS
from cegla.collect.sources import SOURCE_LIMITS as SOURCE_LIMITS
from cegla.collect.sources import Source as Source
from cegla.collect.sources import add_source as add_source
from cegla.collect.sources import change_source as change_source
from cegla.collect.sources import revoke_former_keys as revoke_former_keys
from cegla.collect.sources import rotate_key as rotate_key
from cegla.collect.sources import secret_holder as secret_holder
from cegla.collect.sources import sources as sources
from cegla.collect.taking import Taken as Taken
from cegla.collect.taking import decode as decode
from cegla.collect.taking import is_next as is_next
from cegla.collect.taking import origin_of
from cegla.collect.taking import take as take
from cegla.collect.taking import take_again as take_again
from cegla.collect.visits import Counted as Counted
from cegla.collect.visits import count_visits as count_visits
from cegla.collect.visits import is_counted_only as is_counted_only
from cegla.collect.visits import visits as visits
from cegla.collect.webhooks import Sample as Sample
from cegla.collect.webhooks import Webhook as Webhook
from cegla.collect.webhooks import add_webhook as add_webhook
from cegla.collect.webhooks import last_requests as last_requests
from cegla.collect.webhooks import mappings_for
from cegla.collect.webhooks import proved as proved
from cegla.collect.webhooks import ready_made as ready_made
from cegla.collect.webhooks import save_webhook as save_webhook
from cegla.collect.webhooks import try_webhook as try_webhook
from cegla.collect.webhooks import webhook_of as webhook_of
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.events import Event, Reason, SetAside
from cegla.vocabulary.identifiers import Borne

KEEP_REQUESTS_DAYS = 30  #: as long as a warehouse may have to be rebuilt from requests
KEEP_REFUSED_DAYS = 90


@dataclass(frozen=True)
class _Roomy:
    """Limits for reading again what was let in once."""

    largest_event_bytes: int = decoding.LARGEST_OWN_EVENT_BYTES
    most_events: int = 1_000_000


_ANY = _Roomy()


@dataclass(frozen=True)
class Returned:
    """An event, or a whole request, that was set aside and goes through the door again."""

    source_id: int
    received_at: datetime
    trusted: bool
    kind: str | None
    gpc: bool
    ip: str | None
    user_agent: str | None
    body: bytes
    known_by: str  #: the message id it is known by, also when its own is missing or unusable
    remembered: bool  #: that id was marked as seen on its behalf, so the mark must go
    trace: str | None = None


@dataclass(frozen=True)
class SourceStanding:
    """What became of a source's events since the beginning; a replayed event counts again. Every accepted event is in one of the others."""

    source_id: int
    name: str
    accepted: int
    applied: int
    repeated: int
    quarantined: int
    waiting: int
    lag_seconds: float  #: age of the oldest request that waits; 0 when none does
    last_received_at: datetime | None
    damaged: int  #: places of the whole inbox that are not as they were written
    gone: int  #: requests of the whole inbox that were acknowledged and are missing or changed
    ignored: int  #: what a webhook's mapping left out on purpose
    refused: Mapping[str, int]  #: requests that got no 200 in the last seven days, by reason (`answers.py`), the most frequent first
    former_keys: int  #: replaced keys that still work

    @property
    def adds_up(self) -> bool:
        """Conservation: nothing was lost between the door and the history."""
        return self.counts_match and not self.damaged

    @property
    def counts_match(self) -> bool:
        """Whether every accepted event of this source is in one of the other counts."""
        return self.accepted == self.applied + self.repeated + self.quarantined + self.ignored + self.waiting


def write_down(conn: Connection, source_id: int, bodies: Sequence[bytes], now: datetime) -> None:
    """Put requests into the inbox from inside. Each body is a JSON `{"batch": [...]}` or one event with its `type`.

    The events are trusted. They are taken in once the caller's transaction commits. Raises ValueError for what is not JSON.
    """
    incoming = [store.Incoming(source_id, now, len(envelope.read(body).events), True, None, body) for body in bodies]
    if incoming:
        store.append(conn, source_id, incoming)


def import_file(
    ws: Workspace, path: Path, mapping: Path | FileMapping, ear: Ear = SILENT, *, dry_run: bool = False, resumed: int | None = None
) -> ImportResult:
    """Turn a file into events of the mapping's source, in transactions of its own; run again, it goes on or changes nothing. `resumed` is the
    number of the import to go on with, and of no other.

    Rows that cannot be used are counted in the result and written to the ear's CSV file; its `progress` hears (stage, done, of about).
    A dry run writes nothing. Raises FileUnreadable, MappingInvalid, BasisMissing or InvalidInput, mostly before anything is written.
    """
    ready = load_mapping(mapping) if isinstance(mapping, Path) else mapping
    with ws.transaction() as conn:
        source_for(conn, ready)
    if dry_run:
        return run_import(ws, path, ready, None, ear)
    return perform(ws, register(ws, path, ready, "command", resumed), ear)


def perform(ws: Workspace, import_id: int, ear: Ear = SILENT) -> ImportResult:
    """Do a registered import, or go on with it where it stopped. Raises FileUnreadable, MappingInvalid, InvalidInput, Busy."""
    return imports_at_work.perform(ws, import_id, ear)


def drop_repeats(conn: Connection, events: Sequence[Event], now: datetime) -> list[Event]:
    """The events whose (source, messageId) is new; of several equal ones the first. Remembered for 31 to 62 days, for imports for good."""
    imports = {row[0] for row in store.SQL.import_sources(conn)}
    brought = {writer: layer.import_id for writer, layer in layers(conn, [event.writer for event in events]).items()} if imports else {}
    unseen: dict[bytes, int] = {}
    groups: dict[tuple[int, int | None], list[bytes]] = {}
    current = store.generation_of(now)
    for place, event in enumerate(events):
        key = store.fingerprint(event.source_id, event.message_id)
        if key not in unseen:
            unseen[key] = place
            groups.setdefault((store.FOR_GOOD, brought.get(event.writer)) if event.source_id in imports else (current, None), []).append(key)
    for (generation, import_id), hashes in groups.items():
        for known in store.repeats(conn, hashes, generation, import_id):
            del unseen[known]
    return [events[place] for place in unseen.values()]


def as_set_aside(event: Event, reason: Reason, detail: str, keep_content: bool = True, remembered: bool = True) -> SetAside:
    """A decoded event on its way to quarantine, its content as it would be sent again. `remembered`: `drop_repeats` let it pass."""
    return SetAside(
        source_id=event.source_id, reason=reason, detail=detail, payload=decoding.encode(event) if keep_content else None, message_id=event.message_id,
        received_at=event.received_at, writer=event.writer, number=event.number, index=event.index, remembered=remembered,
    )  # fmt: skip


def advance(conn: Connection, taken: Taken, applied: Sequence[Event], repeated: int, set_aside: Sequence[SetAside], decoded: Decoded | None = None) -> None:
    """Move the inbox position and the counters of sources, in the transaction that applies the events.

    Counts come from both ends: what the door counted, and what became of it; `repeated` is what `drop_repeats` left out.
    `decoded` says what the mappings of webhooks made of requests that the door counted as one.
    """
    more, ignored = (decoded.more, decoded.ignored) if decoded is not None else ({}, {})
    accepted: dict[int, int] = {}
    received: dict[int, datetime] = {}
    for request in taken.requests:
        accepted[request.source_id] = accepted.get(request.source_id, 0) + request.events
        received[request.source_id] = max(request.received_at, received.get(request.source_id, request.received_at))
    for source_id, count in more.items():
        accepted[source_id] += count
    used = store.events_by_source(applied)
    aside: dict[int, int] = dict.fromkeys(accepted, 0)
    whole = {(request.writer, request.number): request.events for request in taken.requests}
    for row in set_aside:
        aside[row.source_id] += whole[row.writer, row.number] if row.reason in store.WHOLE_REQUEST else 1
    again = {source: accepted[source] - used.get(source, 0) - aside[source] - ignored.get(source, 0) for source in accepted}
    unexplained = sum(again.values()) - repeated
    if unexplained:  # then conservation must be seen to fail
        again[next(iter(again))] -= unexplained
    store.SQL.count_events(
        conn,
        source_ids=list(accepted),
        accepted=list(accepted.values()),
        applied=[used.get(source, 0) for source in accepted],
        repeated=[again[source] for source in accepted],
        quarantined=[aside[source] for source in accepted],
        ignored=[ignored.get(source, 0) for source in accepted],
        received=[received[source] for source in accepted],
    )
    store.move_places(conn, taken.position)


def put_back(conn: Connection, returned: Sequence[Returned]) -> None:
    """Put what was set aside into the inbox again, with its original time and under the message id it is known by.

    A mark in the memory of repeats is taken back only when it was made for this very event; so what was applied before, or is put back
    twice, counts as a repeat.
    """
    by_source: dict[int, list[store.Incoming]] = {}
    for one in returned:
        body = decoding.named(one.body, one.known_by)
        try:
            count = len(envelope.read(body).events)
        except envelope.NotJson:
            count = 1
        incoming = store.Incoming(one.source_id, one.received_at, count, one.trusted, one.kind, body, one.gpc, one.ip, one.user_agent, one.trace)
        by_source.setdefault(one.source_id, []).append(incoming)
    store.forget_seen(conn, [store.fingerprint(one.source_id, one.known_by) for one in returned if one.remembered])
    for source_id, incoming in by_source.items():
        store.append(conn, source_id, incoming)


def try_out(body: bytes, limits: Limits, received_at: datetime, source: Source | None = None) -> Decoded:
    """What decoding would make of a request of a source (of a server, when none is named). Nothing is stored.

    Of a webhook's request its mapping has the say, so nothing is foretold.
    """
    if source is not None and source.kind == WEBHOOK:
        return Decoded([], [])
    number = source.id if source else 0
    request = Request(
        writer=0, number=0, source_id=number, events=1, kind=None, trusted=True, gpc=False, received_at=received_at, ip=None, user_agent=None,
        link=b"", body=body,
    )  # fmt: skip
    return decoding.decode([request], {number: origin_of(source) if source else Origin(None, client_side=False, own=False)}, limits)


def sample(conn: Connection, source: Source, since: datetime, most_requests: int) -> list[Event]:
    """Events of requests of a source, spread over the time since a moment, newest first; those that cannot be decoded are left out."""
    requests = store.sampled(conn, source.id, since, most_requests)
    events = decode(Taken(requests, {}, mappings_for(conn, requests)), {source.id: source}, _ANY).events
    return sorted(events, key=lambda event: event.received_at, reverse=True)


def standing(conn: Connection) -> list[SourceStanding]:
    """What became of each source's events, and what waits; `adds_up` says whether nothing is missing."""
    damaged, gone = store.SQL.damage(conn)
    refused: dict[int, dict[str, int]] = {}
    for source_id, why, requests in store.SQL.refused(conn):
        refused.setdefault(source_id, {})[why] = requests
    former: dict[int, int] = dict(store.SQL.former_keys(conn))
    standings: list[SourceStanding] = []
    for source_id, name, accepted, applied, repeated, quarantined, waiting, lag_seconds, last_received_at, ignored in store.SQL.standing(conn):
        row = (accepted + waiting, applied, repeated, quarantined, waiting, lag_seconds, last_received_at, damaged, gone, ignored)
        standings.append(SourceStanding(source_id, name, *row, refused.get(source_id, {}), former.get(source_id, 0)))
    return standings


def prove_commit(conn: Connection) -> None:
    """Write a row in the caller's transaction; a PostgreSQL that is away, read-only or full raises psycopg.Error."""
    store.SQL.prove_commit(conn)


def check_balance(conn: Connection, data_dir: Path, now: datetime) -> Balance:
    """Count whether everything adds up, per source and per chain, and keep the answer where `balance` reads it."""
    uneven = [
        f"source {one.source_id}: {one.accepted} accepted, {one.applied + one.repeated + one.quarantined + one.ignored + one.waiting} accounted for"
        for one in standing(conn)
        if not one.counts_match
    ]
    return count_balance(conn, uneven, data_dir, now)


def look_at_heads(conn: Connection, data_dir: Path, now: datetime) -> int:
    """Compare what was acknowledged under this data directory with what PostgreSQL holds; returns how many requests are gone.

    A loss is noted in the caller's transaction and seen in `standing`.
    """
    return sum(loss.requests for loss in heads.look(conn, data_dir / heads.FOLDER, now))


def forget_old(conn: Connection, now: datetime) -> int:
    """Delete requests taken in more than 30 days ago; returns how many went."""
    removed = store.SQL.trim(conn, before=now - timedelta(days=KEEP_REQUESTS_DAYS))
    store.SQL.forget_clocks(conn, before=now - timedelta(days=store.GENERATION_DAYS))
    store.SQL.trim_refused(conn, before=(now - timedelta(days=KEEP_REFUSED_DAYS)).date())
    store.SQL.close_writers(conn, before=now - timedelta(days=1), lock_space=store.LOCK_SPACE)
    return removed


def export_person(conn: Connection, identifiers: Sequence[Borne]) -> dict[str, Any]:
    """The person's own part of the requests that name them by one of these normalized identifiers, in the times when these were theirs.

    A batch may hold other people's events, which are not theirs to see (GDPR art. 15(4)). Of what cannot be told apart by person only
    time, source and size are given.
    """
    rows = _naming(conn, identifiers)
    own = given_of(conn, [(row[2], row[5], row[4], row[3]) for row in rows], identifiers)
    return {"requests": [{"received_at": row[3], "source_id": row[2], **given} for row, given in zip(rows, own, strict=True)]}


def erase_person(conn: Connection, identifiers: Sequence[Borne]) -> int:
    """Remove the requests already taken in that name a person, whole, with other people's events in them; returns how many."""
    gone = [(writer, number) for writer, number, _, _, _, _, taken in _naming(conn, identifiers) if taken]
    store.SQL.remove_requests(conn, writers=[writer for writer, _ in gone], numbers=[number for _, number in gone])
    rules = current_rules(conn)
    texts = [needle for borne in identifiers for needle in needles(borne.identifier, rules)]
    return len(gone) + (imports_at_work.forget_files(conn, None, texts) if texts else 0)


def _naming(conn: Connection, identifiers: Sequence[Borne]) -> list[Any]:
    """Requests whose events name the person. The database finds texts, the rule looks at the fields."""
    wanted, rules = Wanted(identifiers), current_rules(conn)
    found = store.SQL.inbox_naming(conn, needles=[needle for borne in identifiers for needle in needles(borne.identifier, rules)])
    return [row for row in found if names(row[4], wanted, row[3], rules)]
