"""The links of a batch: collected, compared with what is known, decided in their order, written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import NamedTuple

import msgspec

from cegla.resolve import evidence, store, strangers
from cegla.resolve.batch import Batch, Pair, Refused, Sighting
from cegla.resolve.cache import KnownEdge
from cegla.resolve.deriving import Cause, rederive, remember
from cegla.resolve.rules.clusters import CHANGES_HANDS, Clusters, Group, Link, Refusal, order, order_plays_no_part
from cegla.resolve.rules.mentions import PLACES, Rule, stronger
from cegla.resolve.rules.releases import concern, may_be_released, next_day, today
from cegla.resolve.store import SQL, EdgeChange, NewEdge
from cegla.vocabulary.identifiers import Identifier


class Seen(NamedTuple):
    """A pair of identifiers as this batch shows it: its first event, its newest, and the strongest authority."""

    at: datetime
    source_id: int
    message_id: str
    last_at: datetime
    rule: Rule
    trusted: bool
    strong: Identifier
    weak: Identifier
    position: int  #: of the first event in the batch; -1 when it came in an earlier batch

    def joined(self, other: "Seen") -> "Seen":
        """Both together, whichever came first."""
        first = min(self, other)
        return first._replace(last_at=max(self.last_at, other.last_at), rule=stronger(self.rule, other.rule), trusted=self.trusted or other.trusted)


class StoredAlias(NamedTuple):
    """An alias link of an earlier batch, to the browser id that bears its previousId."""

    value: str
    user_id: int
    user: str
    at: datetime
    trusted: bool
    source_id: int
    message_id: str


class Candidate(NamedTuple):
    """A link to decide: new (`known` None), or known and now seen earlier or with more authority."""

    link: Link
    seen: Seen
    known: KnownEdge | None
    edge_id: int


@dataclass
class Decided:
    """What became of the candidates, before anything is written."""

    clusters: Clusters
    merges_before: dict[int, int]  #: by person
    reasons: dict[Pair, Refusal | None] = field(default_factory=dict)
    joined: dict[int, tuple[int, int]] = field(default_factory=dict)  #: person → (person it became part of then, edge)
    waiting: set[int] = field(default_factory=set)  #: people to derive again
    since: datetime | None = None


def link(batch: Batch, sightings: list[Sighting], ids: dict[Identifier, int], named_once: set[Identifier]) -> set[int]:
    """Write identities and links of the batch and what follows from them; returns places that changed hands just now."""
    stored = _stored_aliases(batch)
    aliased = {Identifier("user_id", alias.value) for alias in stored} | {Identifier("user_id", weak.value) for weak in _aliases_among(sightings)}
    unknown, met = strangers.set_apart(sightings, named_once, aliased)
    strangers.join(batch, unknown, ids)
    pairs = _collect(batch, met, ids, stored)
    _note_evidence(batch, pairs)
    _note_days(batch, pairs)
    candidates = _candidates(batch, pairs)
    decided = _decide(batch, candidates)
    _write(batch, candidates, decided)
    return _follow(batch, candidates, decided)


# collect -----------------------------------------------------------------------------------------------------------------


def _collect(batch: Batch, sightings: list[Sighting], ids: dict[Identifier, int], stored: list[StoredAlias]) -> dict[Pair, Seen]:
    """Every pair the batch shows, once, with its first event."""
    pairs: dict[Pair, Seen] = {}
    aliases: list[tuple[Identifier, Seen]] = []
    for names, mention, _, index, first, last_at in sightings:
        for strong, weak, rule in mention.links:
            seen = Seen(first.occurred_at, first.source_id, first.message_id, last_at, rule, names[2], strong, weak, index)
            _add(pairs, (ids[strong], ids[weak]), seen)
            if rule == "alias" and strong.type == "user_id":
                aliases.append((Identifier("user_id", weak.value), seen))
    for pair, seen in _between_users(batch, aliases, ids, stored):
        _add(pairs, pair, seen)
    return pairs


def _add(pairs: dict[Pair, Seen], pair: Pair, seen: Seen) -> None:
    other = pairs.get(pair)
    pairs[pair] = seen if other is None else seen.joined(other)


def _stored_aliases(batch: Batch) -> list[StoredAlias]:
    """Alias calls of earlier batches whose previousId turns out to be a user id in this one."""
    users = [row.identifier.value for row in batch.created.values() if row.identifier.type == "user_id"]
    return [StoredAlias(*row) for row in store.aliases_of(batch.conn, users)] if users else []


def _aliases_among(sightings: list[Sighting]) -> Iterable[Identifier]:
    return (weak for sighting in sightings if sighting.names[3] for _, weak, rule in sighting.mention.links if rule == "alias")


def _between_users(batch: Batch, aliases: list[tuple[Identifier, Seen]], ids: dict[Identifier, int], stored: list[StoredAlias]) -> Iterable[tuple[Pair, Seen]]:
    """An alias names its previousId without a type. Once that value is a user id as well, the two users are linked."""
    unknown = [previous for previous, _ in aliases if previous not in ids]
    users = ids | {one: found.identity_id for one, found in store.identities(batch.conn, unknown).items()} if unknown else ids
    for previous, seen in aliases:
        if previous in users:
            yield _users(seen, (seen.strong, users[seen.strong]), (previous, users[previous]))
    for alias in stored:
        strong, previous = Identifier("user_id", alias.user), Identifier("user_id", alias.value)
        seen = Seen(alias.at, alias.source_id, alias.message_id, alias.at, "alias", alias.trusted, strong, previous, -1)
        yield _users(seen, (strong, alias.user_id), (previous, ids[previous]))


def _users(seen: Seen, one: tuple[Identifier, int], other: tuple[Identifier, int]) -> tuple[Pair, Seen]:
    (strong, strong_id), (weak, weak_id) = sorted((one, other))
    return (strong_id, weak_id), seen._replace(strong=strong, weak=weak)


def _note_evidence(batch: Batch, pairs: dict[Pair, Seen]) -> None:
    """Keep what imports say of known links apart from the rest: of all links in an import, of links that imports showed otherwise."""
    known = _known(batch, pairs)
    sides = {edge.edge_id: _side(pairs[pair]) for pair, edge in known.items() if batch.import_id or edge.imported}
    if sides:
        evidence.note(batch.conn, batch.import_id, sides)
        for pair, edge in known.items():
            if not edge.imported and batch.import_id:
                batch.cache.edges[pair] = msgspec.structs.replace(edge, imported=True)


def _note_days(batch: Batch, pairs: dict[Pair, Seen]) -> None:
    """Keep the day right on which a link of an identifier that can be released was seen last: a release asks whether that was after it."""
    later = {
        pair: seen
        for pair, seen in pairs.items()
        if (may_be_released(seen.strong.type) or may_be_released(seen.weak.type))
        and (edge := batch.cache.edges[pair]) is not None
        and seen.last_at >= next_day(edge.last_at)
    }
    if later:
        SQL.note_latest(batch.conn, strongs=[strong for strong, _ in later], weaks=[weak for _, weak in later], ats=[seen.last_at for seen in later.values()])
        for pair, seen in later.items():
            if (edge := batch.cache.edges[pair]) is not None:
                batch.cache.edges[pair] = msgspec.structs.replace(edge, last_at=seen.last_at)


def _side(seen: Seen) -> evidence.Side:
    return evidence.Side(seen.at, seen.rule, seen.trusted, seen.source_id, seen.message_id, seen.last_at)


def _candidates(batch: Batch, pairs: dict[Pair, Seen]) -> list[Candidate]:
    """Pairs that say something new, in the order in which they are decided. A retracted pair stays retracted."""
    known = _known(batch, pairs)
    candidates: list[Candidate] = []
    for (strong, weak), seen in pairs.items():
        edge = known.get((strong, weak))
        if edge is None:
            candidates.append(Candidate(Link(seen.at, seen.strong, seen.weak, strong, weak, seen.rule, seen.trusted), seen, None, 0))
        elif not edge.retracted:
            link = Link(min(seen.at, edge.at), seen.strong, seen.weak, strong, weak, stronger(seen.rule, edge.rule), seen.trusted or edge.trusted)
            if (link.at, link.rule, link.trusted) != (edge.at, edge.rule, edge.trusted):
                candidates.append(Candidate(link, seen, edge, edge.edge_id))
    new = sum(candidate.known is None for candidate in candidates)
    if new:
        edge_ids = iter(range(first := SQL.reserve_edges(batch.conn, number=new), first + new))
        candidates = [candidate if candidate.known else candidate._replace(edge_id=next(edge_ids)) for candidate in candidates]
    in_order = partial(order, rules=batch.rules)
    return sorted(candidates, key=lambda candidate: in_order(candidate.link))


def _known(batch: Batch, pairs: Iterable[Pair]) -> dict[Pair, KnownEdge]:
    known: dict[Pair, KnownEdge] = {}
    missing: list[Pair] = []
    created, cached = batch.created, batch.cache.edges
    for pair in pairs:
        edge = cached[pair]
        if edge is not None:
            known[pair] = edge
        elif pair[0] not in created and pair[1] not in created:
            missing.append(pair)
    if missing:
        stored = store.edges(batch.conn, missing)
        known |= stored
        for pair, edge in stored.items():
            cached[pair] = edge
    return known


# decide ------------------------------------------------------------------------------------------------------------------


def _decide(batch: Batch, candidates: list[Candidate]) -> Decided:
    """Each candidate in its order against the groups as they are, unless something later was decided about them already."""
    owners = batch.owners({identity for candidate in candidates for identity in (candidate.link.strong_id, candidate.link.weak_id)})
    clusters = _groups(batch, set(owners.values()))
    decided = Decided(clusters, {group.person_id: group.merges for group in clusters.groups.values()})
    for link, seen, known, edge_id in candidates:
        one, other = clusters.group(owners[link.strong_id]), clusters.group(owners[link.weak_id])
        in_time = known is None and seen.position >= 0 and _newer(link, one) and _newer(link, other)
        released = concern((link.strong, link.weak), batch.releases)
        if not released and not one.waiting and not other.waiting and (in_time or order_plays_no_part(link, one, other, batch.rules)):
            loser = max(one.person_id, other.person_id)
            reason = decided.reasons[link.strong_id, link.weak_id] = clusters.join(link, one, other)
            if reason is None and one is not other:
                decided.joined[loser] = (clusters.root(loser), edge_id)
        else:
            one.waiting = other.waiting = True
            decided.since = min(filter(None, (decided.since, link.at, known.at if known else None)))
    for link, *_ in candidates:
        for identity in (link.strong_id, link.weak_id):
            group = clusters.group(owners[identity])
            group.last_at = max(group.last_at or link.at, link.at)
            if group.waiting:
                decided.waiting.add(group.person_id)
    return decided


def _newer(link: Link, group: Group) -> bool:
    return group.last_at is None or link.at > group.last_at


def _groups(batch: Batch, people: set[int]) -> Clusters:
    clusters = Clusters(batch.rules)
    missing: list[int] = []
    for person in people:
        created = batch.created.get(person)
        group = _alone(batch, person, created.identifier) if created else batch.cache.groups[person]
        if group is None:
            missing.append(person)
        else:
            clusters.add(group)
    if missing:
        for group in store.groups(batch.conn, missing, batch.rules).values():
            clusters.add(group)
    return clusters


def _alone(batch: Batch, person: int, identifier: Identifier) -> Group:
    bare = today(identifier)
    return Group(person, {identifier.type: 1}, released=frozenset([bare]) if bare in batch.releases else frozenset())


# write -------------------------------------------------------------------------------------------------------------------


def _write(batch: Batch, candidates: list[Candidate], decided: Decided) -> None:
    """Identities with their people, links with their decisions, and whole people that became part of others."""
    clusters, created, cache = decided.clusters, batch.created, batch.cache
    batch.wrote = bool(created or candidates)
    owners = {loser: clusters.root(loser) for loser in decided.joined}
    for loser, owner in owners.items():
        cache.groups.drop(loser)
        batch.changed.update((owner,) if loser in created else (loser, owner))
        if loser in created:
            batch.move(loser, owner)
    if created:
        store.add_identities(batch.conn, created.values(), batch.moved)
    edges = [_edge(candidate, decided) for candidate in candidates if candidate.known is None]
    if batch.import_id:
        sides = (_side(candidate.seen) for candidate in candidates if candidate.known is None)
        edges = [edge._replace(evidence=evidence.only(batch.import_id, side)) for edge, side in zip(edges, sides, strict=True)]
    if edges or batch.new_edges:
        store.add_edges(batch.conn, batch.new_edges + edges)
        for edge in edges:
            known = KnownEdge(edge.edge_id, edge.at, edge.last_at, edge.rule, edge.trusted, edge.refused, False, bool(batch.import_id))
            cache.edges[edge.strong_id, edge.weak_id] = known
    changes = [_change(link, seen, known) for link, seen, known, _ in candidates if known]
    if changes:
        store.change_edges(batch.conn, changes)
        for link, _, known, _ in candidates:
            if known:
                cache.edges[link.strong_id, link.weak_id] = msgspec.structs.replace(known, at=link.at, rule=link.rule, trusted=link.trusted)
    grown = {loser: (owners[loser], edge_id) for loser, (_, edge_id) in decided.joined.items() if loser not in created}
    if grown:
        batch.ceased.update(grown)
        for identity, person in store.move_people(batch.conn, grown):
            batch.move(identity, person)
    merged = {group.person_id: group.merges for group in clusters.groups.values() if group.merges != decided.merges_before[group.person_id]}
    if merged:
        SQL.note_merges(batch.conn, ids=list(merged), merges=list(merged.values()))
    for group in clusters.groups.values():
        cache.groups[group.person_id] = group


def _edge(candidate: Candidate, decided: Decided) -> NewEdge:
    link, seen, _, edge_id = candidate
    refused = decided.reasons.get((link.strong_id, link.weak_id))
    return NewEdge(edge_id, link.strong_id, link.weak_id, link.rule, link.trusted, link.at, seen.last_at, seen.source_id, seen.message_id, refused)


def _change(link: Link, seen: Seen, known: KnownEdge) -> EdgeChange:
    first = (seen.source_id, seen.message_id) if seen.at < known.at else (None, None)
    return EdgeChange(known.edge_id, link.at, link.rule, link.trusted, *first)


def _follow(batch: Batch, candidates: list[Candidate], decided: Decided) -> set[int]:
    """Derive who waits, report what was refused, and tell which places changed hands."""
    reasons: dict[Pair, str | None] = dict(decided.reasons)
    shared = {weak for (_, weak), reason in reasons.items() if reason in CHANGES_HANDS}
    places = {link.weak_id for link, *_ in candidates if link.weak.type in PLACES}
    if decided.since is not None:
        rederived = rederive(batch.conn, decided.waiting, decided.since, Cause("late_link", "intake"), batch.rules)
        remember(batch.cache, rederived)
        for identity, (before, person) in rederived.moved.items():
            batch.move(identity, person)
            batch.changed.update((before, person))
            if identity == before and identity not in batch.created:
                batch.ceased.add(identity)
        reasons |= {pair: reason for pair, (_, reason) in rederived.refusals.items()}
        shared |= rederived.changed_hands
        places |= rederived.changed_hands
    for link, seen, known, _ in candidates:
        reason = reasons.get((link.strong_id, link.weak_id))
        if reason and known is None:
            batch.refused.append(Refused(link, reason, batch.events[max(seen.position, 0)]))
    newly_shared = (shared & places) - batch.cache.shared
    batch.cache.shared |= newly_shared
    return newly_shared
