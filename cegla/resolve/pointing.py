"""What each event points at. On a browser or phone that changed hands: the user of that moment.

Who used a shared place when is read from its links: each tells when its user was seen there first and last, and the batch
itself tells more. An event without a user belongs to whoever was seen there latest before it. When that is not the
place's owner, the event points at a row of the place that this user holds.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime

from cegla.resolve import store
from cegla.resolve.batch import Batch, Pair, Sighting
from cegla.resolve.cache import LONG_AGO, Recognized
from cegla.resolve.rules.clusters import CHANGES_HANDS
from cegla.resolve.rules.mentions import PLACES
from cegla.resolve.rules.releases import NEVER, concern, may_be_released, next_day
from cegla.resolve.store import SQL, NewIdentity
from cegla.vocabulary.identifiers import Identifier


@dataclass
class Place:
    """A shared place: who was seen there when, and who of them is not its owner."""

    seen: list[tuple[datetime, int]] = field(default_factory=list)  #: (event time, strong identity)
    guests: set[int] = field(default_factory=set)

    def user_at(self, at: datetime) -> int | None:
        """The guest who used it at that moment; None when it was the owner or nobody known."""
        position = bisect_right(self.seen, at, key=lambda row: row[0])
        user = self.seen[position - 1][1] if position else None
        return user if user in self.guests else None


def point(batch: Batch, sightings: list[Sighting], ids: dict[Identifier, int]) -> None:
    """Fill in what the sightings' events point at, and let the cache recognize their names from now on."""
    shared = batch.cache.shared
    on_shared: list[tuple[Identifier, list[int]]] = []
    used: dict[Pair, list[datetime]] = {}
    recognize = batch.cache.names
    for names, mention, indexes, *_ in sightings:
        if mention.point is None:
            continue
        identity = ids[mention.point]
        places = tuple([ids[place] for place in mention.places])
        if not concern(mention.identifiers, batch.releases):
            since, until = _known_between(batch, mention.links, ids) if mention.links else (LONG_AGO, NEVER)
            recognize[names] = Recognized(identity, since, places, until)
        for index in indexes:
            batch.identity_ids[index] = identity
        if not shared.isdisjoint(places):
            if mention.point.type in PLACES and identity in shared:
                on_shared.append((mention.point, indexes))
            for strong, weak, _ in mention.links:
                if ids[weak] in shared:
                    used.setdefault((ids[strong], ids[weak]), []).extend(batch.events[index].occurred_at for index in indexes)
    if used or on_shared:
        _point_on_shared(batch, on_shared, used, ids)


def _known_between(batch: Batch, links: tuple[tuple[Identifier, Identifier, str], ...], ids: dict[Identifier, int]) -> tuple[datetime, datetime]:
    """An event older than the first, or not older than the second, would tell something new about its links."""
    since, until = LONG_AGO, NEVER
    for strong, weak, _ in links:
        edge = batch.cache.edges[ids[strong], ids[weak]]
        if edge is not None and not edge.retracted:
            since = max(since, edge.at)
            if may_be_released(strong.type) or may_be_released(weak.type):
                until = min(until, next_day(edge.last_at))
    return since, until


def _point_on_shared(batch: Batch, on_shared: list[tuple[Identifier, list[int]]], used: dict[Pair, list[datetime]], ids: dict[Identifier, int]) -> None:
    places = _places(batch, {ids[place] for place, _ in on_shared}, used)
    wanted: dict[tuple[Identifier, int], list[int]] = {}
    for place, indexes in on_shared:
        for index in indexes:
            user = places[ids[place]].user_at(batch.events[index].occurred_at)
            if user is not None:
                wanted.setdefault((place, user), []).append(index)
    held = _held(batch, wanted, ids)
    for key, indexes in wanted.items():
        for index in indexes:
            batch.identity_ids[index] = held[key]
    if used:
        SQL.note_latest(batch.conn, strongs=[strong for strong, _ in used], weaks=[weak for _, weak in used], ats=[max(times) for times in used.values()])


def _places(batch: Batch, asked: set[int], used: dict[Pair, list[datetime]]) -> dict[int, Place]:
    places = {identity: Place() for identity in asked}
    if asked:
        for identity, strong, at, last_at, refused in SQL.users_of_places(batch.conn, places=list(asked)):
            place = places[identity]
            place.seen += [(at, strong), (last_at, strong)]
            if refused in CHANGES_HANDS:
                place.guests.add(strong)
    for (strong, weak), times in used.items():
        if weak in places:
            places[weak].seen += [(at, strong) for at in times]
    for place in places.values():
        place.seen.sort()
    return places


def _held(batch: Batch, wanted: dict[tuple[Identifier, int], list[int]], ids: dict[Identifier, int]) -> dict[tuple[Identifier, int], int]:
    """The rows of places held by their guests, made where they are missing."""
    cached = batch.cache.held
    held = {(place, holder): identity for place, holder in wanted if (identity := cached[ids[place], holder]) is not None}
    missing = [key for key in wanted if key not in held]
    if not missing:
        return held
    for key, found in store.held(batch.conn, missing).items():
        held[key] = found.identity_id
        batch.cache.people[found.identity_id] = found.person_id
    fresh = [key for key in missing if key not in held]
    if fresh:
        owners = batch.owners({holder for _, holder in fresh})
        rows: list[NewIdentity] = []
        for identity, (place, holder) in enumerate(fresh, SQL.reserve_identities(batch.conn, number=len(fresh))):
            first = batch.first(wanted[place, holder])
            rows.append(NewIdentity(identity, place, holder, first.occurred_at, first.source_id))
            held[place, holder] = identity
            batch.move(identity, owners[holder])
        store.add_identities(batch.conn, rows, batch.moved)
        batch.wrote = True
    for key in missing:
        cached[ids[key[0]], key[1]] = held[key]
    return held
