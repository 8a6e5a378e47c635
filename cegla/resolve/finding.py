"""Finding the person of every event of a batch.

    recognize ──► identify ──► link ──► point
    names seen    identifiers   new links,    what each event points at;
    before cost   get ids       decided in    on a shared browser, the
    nothing more                their order   user of that moment

Everything works on columns of the batch: a few statements each, however many events there are. The cache is told nothing
that is not written in the same transaction, and it is emptied when that did not commit.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from cegla.resolve import linking, pointing, store
from cegla.resolve.batch import Batch, Sighting
from cegla.resolve.cache import LONG_AGO, IdentityCache
from cegla.resolve.rules.mentions import Mention, Names, all_names, mention
from cegla.resolve.rules.releases import Former, as_of, concern
from cegla.resolve.store import SQL, NewIdentity
from cegla.storage.cycles import no_search_for_cycles
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier

Places = tuple[int, ...]


@no_search_for_cycles()
def find(conn: Connection, cache: IdentityCache, events: Sequence[Event], import_id: int = 0) -> Batch:
    """Take a batch through all steps, within the caller's transaction."""
    store.only_writer(conn)
    cache.begin(stamp := SQL.stamp(conn))
    if cache.releases is None:
        cache.releases = store.releases(conn)
    batch = Batch(conn, cache, events, current_rules(conn), [0] * len(events), releases=cache.releases, import_id=import_id)
    seen = list(all_names(events, batch.rules))
    used, unusual = _recognize(batch, seen)
    if unusual:
        sightings = _sightings(batch, unusual)
        ids, named_once = _identify(batch, sightings)
        newly_shared = linking.link(batch, sightings, ids, named_once)
        if newly_shared:
            more = _sightings(batch, _of_places(seen, used, newly_shared))
            ids |= _identify(batch, more)[0]
            sightings += more
        pointing.point(batch, sightings, ids)
        if batch.too_long:
            _note_left_out(batch)
    cache.end(SQL.new_stamp(conn) if batch.wrote else stamp)
    return batch


def _of_places(seen: Sequence[Names], used: dict[Names, Places], wanted: set[int]) -> dict[Names, list[int]]:
    """Events that were recognized on one of these browsers and phones, by their names."""
    found: dict[Names, list[int]] = {names: [] for names, places in used.items() if not wanted.isdisjoint(places)}
    for index, names in enumerate(seen) if found else ():
        if names in found:
            found[names].append(index)
    return found


def _recognize(batch: Batch, seen: Sequence[Names]) -> tuple[dict[Names, Places], dict[Names, list[int]]]:
    """Events with names known from before point where they pointed then; the others are returned by their names.

    Also returns names on browsers and phones, for these may turn out to have changed hands.
    """
    ids, shared, known, events = batch.identity_ids, batch.cache.shared, batch.cache.names, batch.events
    get = known.get
    used: dict[Names, Places] = {}
    unusual: dict[Names, list[int]] = {}
    for index, names in enumerate(seen):
        recognized = get(names)
        if recognized is None:
            if (indexes := unusual.get(names)) is not None:  # forgotten, or never seen: no need to look among the old ones for each of their events
                indexes.append(index)
                continue
            recognized = known[names]
        if recognized is None or (shared and not shared.isdisjoint(recognized.places)):
            unusual.setdefault(names, []).append(index)
            continue
        if recognized.since is not LONG_AGO and not recognized.since <= events[index].occurred_at < recognized.until:
            unusual.setdefault(names, []).append(index)
        ids[index] = recognized.identity_id
        if recognized.places:
            used[names] = recognized.places
    return used, unusual


def _sightings(batch: Batch, unusual: dict[Names, list[int]]) -> list[Sighting]:
    sightings: list[Sighting] = []
    for names, indexes in unusual.items():
        meant = mention(names, batch.rules)
        if concern(meant.identifiers, batch.releases):
            sightings += [batch.sighting(names, then, some) for then, some in _by_bearer(batch, meant, indexes)]
        else:
            sightings.append(batch.sighting(names, meant, indexes))
    _note_too_long(batch, sightings)
    return sightings


def _by_bearer(batch: Batch, meant: Mention, indexes: list[int]) -> Iterable[tuple[Mention, list[int]]]:
    """Events that say the same, by whom they mean at their time."""
    found: dict[Mention, list[int]] = {}
    for index in indexes:
        found.setdefault(as_of(meant, batch.events[index].occurred_at, batch.releases), []).append(index)
    return found.items()


def _note_too_long(batch: Batch, sightings: list[Sighting]) -> None:
    batch.too_long += [(kind, batch.events[index]) for sighting in sightings for kind in sighting.mention.too_long for index in sighting.indexes]


def _note_left_out(batch: Batch) -> None:
    """Count identifiers that are too long, by type and source."""
    counted: dict[tuple[str, int], list[Event]] = {}
    for kind, event in batch.too_long:
        counted.setdefault((kind, event.source_id), []).append(event)
    last = [max(events, key=attrgetter("occurred_at")) for events in counted.values()]
    SQL.leave_out(
        batch.conn, reason="too_long", types=[kind for kind, _ in counted], sources=[source for _, source in counted], times=list(map(len, counted.values())),
        ats=[event.occurred_at for event in last], messages=[event.message_id for event in last],
    )  # fmt: skip


def _identify(batch: Batch, sightings: list[Sighting]) -> tuple[dict[Identifier, int], set[Identifier]]:
    """The ids of all identifiers mentioned, new ones in the order of their appearance; and which new ones only one sighting mentions."""
    known = batch.cache.identities
    ids: dict[Identifier, int] = {}
    missing: dict[Identifier, list[Event]] = {}
    for sighting in sightings:
        for identifier in sighting.mention.identifiers:
            if identifier in missing:
                missing[identifier].append(sighting.first)
            elif identifier not in ids:
                identity = known[identifier]
                if identity is None:
                    missing[identifier] = [sighting.first]
                else:
                    ids[identifier] = identity
    if missing:
        ids |= load(batch, list(missing))
    fresh = {identifier: events for identifier, events in missing.items() if identifier not in ids}
    _create(batch, fresh, ids)
    return ids, {identifier for identifier, events in fresh.items() if len(events) == 1 and not concern([identifier], batch.releases)}


def load(batch: Batch, wanted: Sequence[Identifier]) -> dict[Identifier, int]:
    """The ids of those of these identifiers that exist, straight from the store."""
    before = [identifier for identifier in wanted if isinstance(identifier, Former)] if batch.releases else []
    stored = store.identities(batch.conn, [identifier for identifier in wanted if not isinstance(identifier, Former)] if before else wanted)
    if before:
        stored |= store.former(batch.conn, before)
    for identifier, found in stored.items():
        batch.cache.identities[identifier] = found.identity_id
        batch.cache.people[found.identity_id] = found.person_id
        if found.shared:
            batch.cache.shared.add(found.identity_id)
    return {identifier: found.identity_id for identifier, found in stored.items()}


def _create(batch: Batch, fresh: dict[Identifier, list[Event]], ids: dict[Identifier, int]) -> None:
    if not fresh:
        return
    first_id = SQL.reserve_identities(batch.conn, number=len(fresh))
    identities, people = batch.cache.identities, batch.cache.people
    for identity, (identifier, events) in enumerate(fresh.items(), first_id):
        first = min(events, key=attrgetter("occurred_at")) if len(events) > 1 else events[0]
        ids[identifier] = identity
        batch.created[identity] = NewIdentity(identity, identifier, 0, first.occurred_at, first.source_id, batch.import_id or None)
        identities[identifier] = identity
        people[identity] = identity
