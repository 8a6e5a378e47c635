"""Deriving people again from their links, for links that came late and links taken back.

A changed link at time t can only change decisions made at t or later, and those only among people linked since t to the
people concerned, and so on. That set is closed first, then derived from scratch; everybody else stays as they are.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec

from cegla.resolve import store
from cegla.resolve.cache import IdentityCache
from cegla.resolve.rules.clusters import CHANGES_HANDS, Link, derive
from cegla.resolve.rules.mentions import PLACES
from cegla.resolve.store import SQL
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import Identifier


class Cause(NamedTuple):
    """Why people are derived again, for the merge log."""

    cause: str  #: late_link, retraction, rules, confirmed, release, release_undone
    actor: str
    edge_id: int | None = None


class Rederived(NamedTuple):
    """What changed by deriving again."""

    moved: dict[int, tuple[int, int]]  #: identity → (person before, person now)
    refusals: dict[tuple[int, int], tuple[int, str | None]]  #: pair → (edge, reason), reason None when now accepted
    changed_hands: set[int]  #: browsers and phones with a link refused just now
    people: set[int]  #: everybody who was looked at, by the ids of before


def rederive(conn: Connection, people: Collection[int], since: datetime, cause: Cause, rules: IdentifierRules) -> Rederived:
    """Derive these people, and all who could be concerned, and save what changed."""
    concerned = _concerned(conn, people, _no_later_than_releases(conn, people, since))
    types: dict[int, str] = {}
    values: dict[int, Identifier] = {}
    owners: dict[int, int] = {}
    holders: dict[int, int] = {}
    merges: dict[int, int] = {}
    for identity, kind, value, holder, person, merged in SQL.members(conn, people=list(concerned)):
        owners[identity] = person
        if merged:
            merges[identity] = merged
        if holder:
            holders[identity] = holder
        else:
            types[identity] = kind
            values[identity] = Identifier(kind, value)
    stored = list(SQL.edges_within(conn, ids=list(types)))
    links = [Link(at, values[strong], values[weak], strong, weak, rule, trusted) for _, strong, weak, at, rule, trusted, _ in stored]
    derived = derive(types, links, rules, store.eras(conn, list(types)))
    now = derived.person_of | {identity: derived.person_of[holder] for identity, holder in holders.items()}
    moved = {identity: (person, now[identity]) for identity, person in owners.items() if now[identity] != person}
    refusals = {(strong, weak): (edge, reason) for edge, strong, weak, *_, refused in stored if (reason := derived.refusals[strong, weak]) != refused}
    if moved:
        SQL.move_identities(conn, ids=list(moved), olds=[old for old, _ in moved.values()], news=[new for _, new in moved.values()], **cause._asdict())
    regrown = {identity: group.merges for identity, group in derived.groups.items() if group.merges != merges.get(identity, 0)}
    regrown |= dict.fromkeys(merges.keys() - derived.groups.keys(), 0)
    if regrown:
        SQL.note_merges(conn, ids=list(regrown), merges=list(regrown.values()))
    if refusals:
        SQL.refuse_edges(conn, ids=[edge for edge, _ in refusals.values()], refused=[reason for _, reason in refusals.values()])
    changed_hands = {weak for (_, weak), (_, reason) in refusals.items() if types[weak] in PLACES and reason in CHANGES_HANDS}
    return Rederived(moved, dict(refusals), changed_hands, concerned)


def remember(cache: IdentityCache, rederived: Rederived) -> None:
    """Let a cache follow."""
    for person in {*rederived.people, *(new for _, new in rederived.moved.values())}:
        cache.groups.drop(person)
    for identity, (_, person) in rederived.moved.items():
        cache.people[identity] = person
    for pair, (_, reason) in rederived.refusals.items():
        if (edge := cache.edges[pair]) is not None:
            cache.edges[pair] = msgspec.structs.replace(edge, refused=reason)


def _no_later_than_releases(conn: Connection, people: Collection[int], since: datetime) -> datetime:
    """What these people hold since a release may be decided as of the release, earlier than it was seen."""
    return min((at for (at,) in SQL.releases_of_people(conn, people=list(people)) if at < since), default=since)


def _concerned(conn: Connection, people: Collection[int], since: datetime) -> set[int]:
    known = set(people)
    frontier = list(known)
    while frontier:
        linked = [person for (person,) in SQL.people_linked_since(conn, people=frontier, known=list(known), at=since)]
        frontier = [*linked, *(person for (person,) in SQL.other_bearers(conn, people=frontier, known=[*known, *linked]))]
        known.update(frontier)
    return known
