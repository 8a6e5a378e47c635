"""People whom nobody ever saw before: their identifiers are new and stand in no other names of the batch, so their links can
be accepted without asking anything. In a busy hour that is most of what is new, so it has a way of its own."""

from collections.abc import Sequence

from cegla.resolve import evidence
from cegla.resolve.batch import Batch, Sighting
from cegla.resolve.cache import KnownEdge
from cegla.resolve.rules.clusters import may_stand_alone
from cegla.resolve.store import SQL, NewEdge
from cegla.vocabulary.identifiers import Identifier


def set_apart(sightings: Sequence[Sighting], named_once: set[Identifier], aliased: set[Identifier]) -> tuple[list[Sighting], list[Sighting]]:
    """Strangers, and everybody else with links to look at."""
    strangers: list[Sighting] = []
    others: list[Sighting] = []
    for sighting in sightings:
        identifiers, links = sighting.mention.identifiers, sighting.mention.links
        if not links:  # a browser beside a device: seen together, yet nobody's
            continue
        one_center = len({strong for strong, _, _ in links}) == 1
        new = named_once.issuperset(identifiers) and aliased.isdisjoint(identifiers)
        alone = one_center and new and may_stand_alone(sighting.mention, sighting.names[2])
        (strangers if alone else others).append(sighting)
    return strangers, others


def join(batch: Batch, strangers: Sequence[Sighting], ids: dict[Identifier, int]) -> None:
    """Make each of them one person, and write their links."""
    number = sum(len(sighting.mention.links) for sighting in strangers)
    if not number:
        return
    edge_id = SQL.reserve_edges(batch.conn, number=number)
    edges: list[NewEdge] = []
    cached = batch.cache.edges
    for names, mention, _, _, first, last_at in strangers:
        members = {ids[identifier] for strong, weak, _ in mention.links for identifier in (strong, weak)}
        person = min(members)
        for member in members:
            if member != person:
                batch.move(member, person)
        for strong, weak, rule in mention.links:
            edge = NewEdge(edge_id, ids[strong], ids[weak], rule, names[2], first.occurred_at, last_at, first.source_id, first.message_id, None)
            if batch.import_id:
                side = evidence.Side(edge.at, rule, names[2], edge.source_id, edge.message_id, last_at)
                edge = edge._replace(evidence=evidence.only(batch.import_id, side))
            known = KnownEdge(edge_id, edge.at, last_at, rule, names[2], None, False, bool(batch.import_id))
            cached[edge.strong_id, edge.weak_id] = known
            edges.append(edge)
            edge_id += 1
    batch.new_edges += edges
