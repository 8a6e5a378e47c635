"""Which identifiers are one person: a pure function of the links between them.

    links sorted by (event time, priority, value)  ──►  accepted one by one unless a rule refuses  ──►  clusters

The order of arrival plays no part. Deciding a link needs only the two groups it would join, so a link that is later than
everything about both can be decided against the present; any other makes the groups concerned be derived again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from cegla.resolve.rules.mentions import PLACES, Mention, Rule, rank
from cegla.vocabulary.identifiers import OTHER_TYPE, TYPES, Identifier
from cegla.vocabulary.text import Text

MOST_IDENTIFIERS = 1_000  #: of one person, all types together


class Refusal(StrEnum):
    """Why a link joins nobody. The list is closed; each has its sentence in `REFUSALS`."""

    UNIQUE = "unique"
    PUBLIC_KEY = "public_key"
    LIMIT = "limit"
    CAP = "cap"


REFUSALS: dict[Refusal, Text] = {
    Refusal.UNIQUE: Text("Każda strona ma własny user_id, więc to dwie osoby.", "Each side has a user id of its own, so they are two people."),
    Refusal.PUBLIC_KEY: Text("Dwie znane osoby łączy tylko klucz tajny.", "Only a secret key joins two known people."),
    Refusal.LIMIT: Text("Osoba miałaby więcej identyfikatorów tego typu, niż wolno.", "The person would hold more identifiers of one type than allowed."),
    Refusal.CAP: Text("Osoba miałaby łącznie zbyt wiele identyfikatorów.", "The person would hold too many identifiers in all."),
}
CHANGES_HANDS = frozenset({Refusal.UNIQUE, Refusal.PUBLIC_KEY})  #: refusals after which a browser counts as used by the other person

_UNIQUE = tuple(row.key for row in TYPES.values() if row.unique)
_HUMAN = tuple(key for key in TYPES if key not in PLACES)


class Link(NamedTuple):
    """One pair of identifiers seen together: first event time, both ends, and with what authority."""

    at: datetime
    strong: Identifier
    weak: Identifier
    strong_id: int
    weak_id: int
    rule: Rule
    trusted: bool


def order(link: Link) -> tuple[datetime, tuple[int, str, str], tuple[int, str, str]]:
    """The order in which links are decided. Links of one event: the one with the weakest identifier last, so that one is dropped first."""
    return link.at, rank(link.weak), rank(link.strong)


@dataclass(slots=True)
class Group:
    """A person under construction: how many identifiers of each type it holds, and what is known about its links."""

    person_id: int
    counts: dict[str, int]
    last_at: datetime | None = None  #: event time of its latest stored link, refused ones included
    refused: bool = False  #: some link of it was refused
    waiting: bool = field(default=False, compare=False)  #: must be derived from its links before more is decided


def refusal(link: Link, one: Group, other: Group) -> Refusal | None:
    """Why this link must not join these two groups; None when it may."""
    if not link.trusted and _beyond_a_public_key(link, one, other):
        return Refusal.PUBLIC_KEY
    if not (link.rule == "alias" and link.trusted) and any(kind in one.counts and kind in other.counts for kind in _UNIQUE):
        return Refusal.UNIQUE
    for kind, number in other.counts.items():
        if kind in one.counts and kind not in _UNIQUE and number + one.counts[kind] > TYPES.get(kind, OTHER_TYPE).limit:
            return Refusal.LIMIT
    if sum(one.counts.values()) + sum(other.counts.values()) > MOST_IDENTIFIERS:
        return Refusal.CAP
    return None


def may_stand_alone(mention: Mention, trusted: bool) -> bool:
    """Whether no rule could refuse one of these links, were its identifiers the only ones there are."""
    kinds = {identifier.type for identifier in mention.identifiers}
    if len(kinds) < len(mention.identifiers) or any(rule == "alias" for _, _, rule in mention.links):
        return False
    return trusted or all(weak.type in PLACES or _addresses_of_a_user(strong, weak, rule) for strong, weak, rule in mention.links)


def _addresses_of_a_user(strong: Identifier, weak: Identifier, rule: Rule) -> bool:
    return rule == "stated" and strong.type == "user_id" and weak.type in ("email", "phone")


def _beyond_a_public_key(link: Link, one: Group, other: Group) -> bool:
    """Anybody can write with a public key: it may say who uses a browser, and what address a user gave, and no more.

    So it never joins two humans, neither directly nor over a browser when each of them has, say, an e-mail of his own.
    """
    if link.strong.type not in PLACES and link.weak.type not in PLACES:
        return not _addresses_of_a_user(link.strong, link.weak, link.rule)
    return any(kind in one.counts and kind in other.counts for kind in _HUMAN if kind not in _UNIQUE)


def order_plays_no_part(link: Link, one: Group, other: Group) -> bool:
    """Whether a link that came late may be accepted as if it had come in time.

    True when no link of either group was refused and, with both joined, no rule could refuse one in any order.
    """
    if one.refused or other.refused:
        return False
    if one is other:
        return all(one.counts.get(kind, 0) <= 1 for kind in _HUMAN)
    return refusal(link, one, other) is None and all(one.counts.get(kind, 0) + other.counts.get(kind, 0) <= 1 for kind in _HUMAN)


class Clusters:
    """Groups that grow by links. The smallest id of a group is its name."""

    def __init__(self) -> None:
        self.groups: dict[int, Group] = {}
        self._parents: dict[int, int] = {}

    def add(self, group: Group) -> None:
        """Take in a group under its person id."""
        self.groups[group.person_id] = group

    def root(self, person_id: int) -> int:
        """The person that this one became part of, or itself."""
        parents = self._parents
        root = person_id
        while root in parents:
            root = parents[root]
        while person_id != root:
            parents[person_id], person_id = root, parents[person_id]
        return root

    def group(self, person_id: int) -> Group:
        """The group that this person is in now."""
        return self.groups[self.root(person_id)]

    def join(self, link: Link, one: Group, other: Group) -> Refusal | None:
        """Decide a link between two groups and make them one when nothing refuses it."""
        if one is other:
            return None
        reason = refusal(link, one, other)
        if reason is not None:
            one.refused = other.refused = True
            return reason
        if other.person_id < one.person_id:
            one, other = other, one
        for kind, number in other.counts.items():
            one.counts[kind] = one.counts.get(kind, 0) + number
        one.refused |= other.refused
        one.last_at = max(filter(None, (one.last_at, other.last_at)), default=None)
        self._parents[other.person_id] = one.person_id
        del self.groups[other.person_id]
        return None

    def absorbed(self) -> dict[int, int]:
        """Every person that became part of another, with the one it is part of now."""
        return {person: self.root(person) for person in list(self._parents)}


class Derived(NamedTuple):
    """Whose each identity is, and what became of each link by (strong_id, weak_id): None means accepted."""

    person_of: dict[int, int]
    refusals: dict[tuple[int, int], Refusal | None]


def derive(types: Mapping[int, str], links: Iterable[Link]) -> Derived:
    """People from scratch: identity ids with their types, and all links between them, in any order."""
    clusters = Clusters()
    for identity, kind in types.items():
        clusters.add(Group(identity, {kind: 1}))
    refusals: dict[tuple[int, int], Refusal | None] = {}
    for link in sorted(links, key=order):
        refusals[link.strong_id, link.weak_id] = clusters.join(link, clusters.group(link.strong_id), clusters.group(link.weak_id))
    return Derived({identity: clusters.root(identity) for identity in types}, refusals)
