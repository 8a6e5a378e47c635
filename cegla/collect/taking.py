"""Taking requests out of the inbox, and their events out of them: what intake begins each batch with. `conn` is the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from psycopg import Connection

from cegla.collect import store
from cegla.collect.rules import decode as decoding
from cegla.collect.rules.decode import Decoded, Limits, Origin, Request
from cegla.collect.rules.webhooks import WebhookMapping
from cegla.collect.sources import Source
from cegla.collect.store import End
from cegla.collect.webhooks import expand, mappings_for
from cegla.vocabulary.events import Reason, SetAside

OWN_KINDS = ("import", "internal")
NOTHING_BEFORE: Mapping[int, End] = MappingProxyType({})


@dataclass(frozen=True)
class Taken:
    """Requests taken from the inbox, in order of (writer, number); those that the reader read and decoded come without their bodies."""

    requests: list[Request]
    position: dict[int, End]  #: by writer: the last request taken
    mappings: Mapping[int, WebhookMapping | None] = field(default_factory=dict[int, WebhookMapping | None])  #: by source, for requests of webhooks

    def given_up(self, conn: Connection) -> list[SetAside]:
        """All of it on its way to quarantine, whole and as it lies in the inbox, after a failure that nobody expected."""
        return [
            SetAside(
                source_id=one.source_id, reason=Reason.INTAKE_FAILED, detail="an unexpected failure; see the log", payload=one.body, message_id=None,
                received_at=one.received_at, writer=one.writer, number=one.number, index=0,
            )
            for one in store.requests_at(conn, [(one.writer, one.number) for one in self.requests])
        ]  # fmt: skip


def ends_of(requests: Sequence[Request]) -> dict[int, End]:
    """The last of these requests of each writer; they lie in order of (writer, number)."""
    return {request.writer: End(request.number, request.link) for request in requests}


def take(conn: Connection, most_events: int, after: Mapping[int, End] = NOTHING_BEFORE) -> Taken:
    """Requests that were not taken in yet, about `most_events` events of them, fairly from all who write; nothing is changed by it.

    `after`: those that come when these are taken in, by writer. What the hash chain shows to be missing or changed is noted in the caller's
    transaction and seen in `standing`.
    """
    requests = store.waiting(conn, most_events, after)
    if damage := store.check_chain(conn, requests, after):
        store.note_damage(conn, damage, requests[-1].received_at)
    return Taken(requests, ends_of(requests), mappings_for(conn, requests))


def is_next(conn: Connection, taken: Taken) -> bool:
    """Whether what was taken some time ago, by `after`, is still what intake has to take in, with nothing of it gone."""
    return store.are_next(conn, taken.requests)


def take_again(conn: Connection, places: Sequence[tuple[int, int]]) -> Taken:
    """Those of the requests (writer, number) taken in before that are still kept; nothing is changed by it."""
    requests = store.requests_at(conn, places)
    return Taken(requests, {}, mappings_for(conn, requests))


def decode(taken: Taken, sources: Mapping[int, Source], limits: Limits) -> Decoded:
    """The events of the requests, each checked alone: the good ones, and the others with their reasons. Pure."""
    origins = {key: origin_of(source) for key, source in sources.items()}
    if not taken.mappings:
        return decoding.decode(taken.requests, origins, limits)
    origins |= {key: replace(origins[key], largest_event_bytes=decoding.LARGEST_HOOKED_BYTES) for key in taken.mappings}
    expanded = expand(taken.requests, taken.mappings)
    decoded = expanded.restore(decoding.decode(expanded.requests, origins, limits))
    return replace(decoded, more=expanded.more, ignored=expanded.ignored)


def origin_of(source: Source) -> Origin:
    """What decoding must know of a source."""
    return Origin(source.largest_event_bytes, source.kind == "website", source.kind in OWN_KINDS, source.most_events)
