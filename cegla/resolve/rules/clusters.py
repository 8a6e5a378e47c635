"""Which identifiers are one person: a pure function of the links between them and the rules in force.

    links sorted by (event time, priority, value)  ──►  accepted one by one unless a rule refuses  ──►  clusters

The order of arrival plays no part. Deciding a link needs only the two groups it would join, so a link that is later than
everything about both can be decided against the present; any other makes the groups concerned be derived again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import NamedTuple

import msgspec

from cegla.resolve.rules.mentions import PLACES, Mention, Rule, rank
from cegla.resolve.rules.releases import Era
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, IdentifierRules
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.text import Text


class Refusal(StrEnum):
    """Why a link joins nobody. The list is closed; each has its sentence in `REFUSALS`."""

    UNIQUE = "unique"
    PUBLIC_KEY = "public_key"
    LIMIT = "limit"
    CAP = "cap"
    MERGES = "merges"
    BLOCKED = "blocked"
    RELEASED = "released"


REFUSALS: dict[Refusal, Text] = {
    Refusal.UNIQUE: Text(
        "Każda strona ma własny identyfikator, który należy do jednej osoby, więc to dwie osoby.",
        "Each side has an identifier of its own that belongs to one person only, so they are two people.",
    ),
    Refusal.PUBLIC_KEY: Text("Dwie znane osoby łączy tylko klucz tajny.", "Only a secret key joins two known people."),
    Refusal.LIMIT: Text("Osoba miałaby więcej identyfikatorów tego typu, niż wolno.", "The person would hold more identifiers of one type than allowed."),
    Refusal.CAP: Text("Osoba miałaby łącznie zbyt wiele identyfikatorów.", "The person would hold too many identifiers in all."),
    Refusal.MERGES: Text("Osobę złożono już ze zbyt wielu innych.", "The person has been put together from too many others already."),
    Refusal.BLOCKED: Text("Reguły mówią, że ta wartość nikogo nie oznacza.", "The rules say that this value names nobody."),
    Refusal.RELEASED: Text(
        "Identyfikator zwolniono: od tego dnia należy do kogoś innego niż przedtem.",
        "The identifier was released: from that day on it is somebody else's than before.",
    ),
}
CHANGES_HANDS = frozenset({Refusal.UNIQUE, Refusal.PUBLIC_KEY, Refusal.RELEASED})  #: refusals after which a browser counts as used by the other person

JOINS_USERS = frozenset({"confirmed", "alias"})  #: what may say, with a secret key, that two user ids are one person

NO_ERAS: Mapping[int, Era] = {}

Dated = dict[str, dict[int, datetime]]  #: type → identity → when its first accepted link was


class Link(NamedTuple):
    """One pair of identifiers seen together: first event time, both ends, and with what authority."""

    at: datetime
    strong: Identifier
    weak: Identifier
    strong_id: int
    weak_id: int
    rule: Rule
    trusted: bool


def order(link: Link, rules: IdentifierRules = DEFAULT_RULES) -> tuple[datetime, tuple[int, str, str], tuple[int, str, str]]:
    """The order in which links are decided. Links of one event: the one with the weakest identifier last, so that one is dropped first."""
    return link.at, rank(link.weak, rules), rank(link.strong, rules)


class Group(msgspec.Struct, gc=False):
    """A person under construction: how many identifiers of each type it holds, and what is known about its links."""

    person_id: int
    counts: dict[str, int]
    last_at: datetime | None = None  #: event time of its latest stored link, refused ones included
    refused: bool = False  #: some link of it was refused
    merges: int = 0  #: how often two people who each held two identifiers or more became this one
    dated: Dated = msgspec.field(default_factory=dict[str, dict[int, datetime]])  #: for types whose limit counts within a window
    released: frozenset[Identifier] = frozenset()  #: identifiers it holds, for the time of one bearer, that were released
    waiting: bool = False  #: must be derived from its links before more is decided

    @property
    def size(self) -> int:
        """Identifiers of all types."""
        return sum(self.counts.values())


def refusal(link: Link, one: Group, other: Group, rules: IdentifierRules = DEFAULT_RULES) -> Refusal | None:
    """Why this link must not join these two groups; None when it may."""
    if _blocked(link, rules):
        return Refusal.BLOCKED
    if one.released and not one.released.isdisjoint(other.released):
        return Refusal.RELEASED
    if not link.trusted and _beyond_a_public_key(link, one, other, rules):
        return Refusal.PUBLIC_KEY
    if not (link.rule in JOINS_USERS and link.trusted) and any(kind in one.counts and kind in other.counts for kind in rules.unique):
        return Refusal.UNIQUE
    for kind, number in other.counts.items():
        over = kind in one.counts and kind not in rules.unique and number + one.counts[kind] > rules.type(kind).limit
        if over and _too_many(kind, link, (one, other), rules):
            return Refusal.LIMIT
    one_size, other_size = one.size, other.size
    if one_size + other_size > rules.most_identifiers:
        return Refusal.CAP
    if one_size > 1 and other_size > 1 and one.merges + other.merges >= rules.most_merges:
        return Refusal.MERGES
    return None


def may_stand_alone(mention: Mention, trusted: bool) -> bool:
    """Whether no rule could refuse one of these links, were its identifiers the only ones there are."""
    kinds = {identifier.type for identifier in mention.identifiers}
    if len(kinds) < len(mention.identifiers) or any(rule == "alias" for _, _, rule in mention.links):
        return False
    return trusted or all(weak.type in PLACES or _addresses_of_a_user(strong, weak, rule) for strong, weak, rule in mention.links)


def _blocked(link: Link, rules: IdentifierRules) -> bool:
    return rules.blocks(link.strong.type, link.strong.value) or rules.blocks(link.weak.type, link.weak.value)


def _too_many(kind: str, link: Link, groups: tuple[Group, Group], rules: IdentifierRules) -> bool:
    """More than the limit in all; with a window, more than the limit among those that came within it, this link's included.

    A value that came exactly one window ago does not count any more.
    """
    window = rules.windows.get(kind)
    if window is None:
        return True
    recent = sum(at > link.at - window for group in groups for at in group.dated.get(kind, {}).values())
    fresh = sum(_undated(kind, identifier, identity, groups) for identifier, identity in ((link.strong, link.strong_id), (link.weak, link.weak_id)))
    return recent + fresh > rules.type(kind).limit


def _undated(kind: str, identifier: Identifier, identity: int, groups: tuple[Group, Group]) -> bool:
    return identifier.type == kind and not any(identity in group.dated.get(kind, {}) for group in groups)


def _addresses_of_a_user(strong: Identifier, weak: Identifier, rule: Rule) -> bool:
    return rule == "stated" and strong.type == "user_id" and weak.type in ("email", "phone")


def _beyond_a_public_key(link: Link, one: Group, other: Group, rules: IdentifierRules) -> bool:
    """Anybody can write with a public key: it may say who uses a browser, and what address a user gave, and no more.

    So it never joins two humans, neither directly nor over a browser when each of them has, say, an e-mail of his own.
    """
    if link.strong.type not in PLACES and link.weak.type not in PLACES:
        return not _addresses_of_a_user(link.strong, link.weak, link.rule)
    return any(kind in one.counts and kind in other.counts for kind in _human(rules) if kind not in rules.unique)


def _human(rules: IdentifierRules) -> Iterable[str]:
    return (key for key in rules.by_key if key not in PLACES)


def order_plays_no_part(link: Link, one: Group, other: Group, rules: IdentifierRules = DEFAULT_RULES) -> bool:
    """Whether a link that came late may be accepted as if it had come in time.

    True when no link of either group was refused and, with both joined, no rule could refuse one in any order.
    """
    if one.refused or other.refused or one.released or other.released or _blocked(link, rules):
        return False
    same = one is other

    def together(kind: str) -> int:
        return one.counts.get(kind, 0) + (0 if same else other.counts.get(kind, 0))

    if any(together(kind) > 1 for kind in _human(rules)) or any(together(kind) > rules.by_key[kind].limit for kind in rules.windows):
        return False
    if same:
        return True
    return (one.size + other.size) // 2 <= rules.most_merges and refusal(link, one, other, rules) is None


class Clusters:
    """Groups that grow by links. The smallest id of a group is its name."""

    def __init__(self, rules: IdentifierRules = DEFAULT_RULES) -> None:
        self.rules = rules
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
            reason = Refusal.BLOCKED if _blocked(link, self.rules) else None
            if reason is None:
                _date(link, one, self.rules.windows)
            return reason
        reason = refusal(link, one, other, self.rules)
        if reason is not None:
            one.refused = other.refused = True
            return reason
        if other.person_id < one.person_id:
            one, other = other, one
        one.merges += other.merges + (one.size > 1 and other.size > 1)
        for kind, number in other.counts.items():
            one.counts[kind] = one.counts.get(kind, 0) + number
        for kind, dates in other.dated.items():
            one.dated.setdefault(kind, {}).update(dates)
        _date(link, one, self.rules.windows)
        one.refused |= other.refused
        one.released |= other.released
        one.last_at = max(filter(None, (one.last_at, other.last_at)), default=None)
        self._parents[other.person_id] = one.person_id
        del self.groups[other.person_id]
        return None

    def absorbed(self) -> dict[int, int]:
        """Every person that became part of another, with the one it is part of now."""
        return {person: self.root(person) for person in list(self._parents)}


def _date(link: Link, group: Group, windows: Mapping[str, timedelta]) -> None:
    """Note when the link's ends were linked first, where a window asks for it."""
    for identifier, identity in ((link.strong, link.strong_id), (link.weak, link.weak_id)) if windows else ():
        if identifier.type in windows:
            dates = group.dated.setdefault(identifier.type, {})
            dates[identity] = min(link.at, dates.get(identity, link.at))


def _from_the_release(links: Iterable[Link], eras: Mapping[int, Era]) -> list[Link]:
    """A pair that was known before a release and is seen after it counts from the release on, whenever after it was seen first.

    So it is enough to know of each pair the first and the last time, and a release that comes late finds what one that came early finds.
    """
    links = list(links)
    known: dict[tuple[Identifier | int, Identifier | int], datetime] = {}
    for link in links:
        pair = _whoever_bore_it(link, eras)
        known[pair] = min(link.at, known.get(pair, link.at))
    return [link._replace(at=since) if (since := _since(link, eras)) and known[_whoever_bore_it(link, eras)] < since else link for link in links]


def _whoever_bore_it(link: Link, eras: Mapping[int, Era]) -> tuple[Identifier | int, Identifier | int]:
    one, other = eras.get(link.strong_id), eras.get(link.weak_id)
    return one.identifier if one else link.strong_id, other.identifier if other else link.weak_id


def _since(link: Link, eras: Mapping[int, Era]) -> datetime | None:
    return max((era.since for end in (link.strong_id, link.weak_id) if (era := eras.get(end)) and era.since), default=None)


class Derived(NamedTuple):
    """Whose each identity is, what became of each link by (strong_id, weak_id), None meaning accepted, and how the people came about."""

    person_of: dict[int, int]
    refusals: dict[tuple[int, int], Refusal | None]
    groups: dict[int, Group]


def derive(types: Mapping[int, str], links: Iterable[Link], rules: IdentifierRules = DEFAULT_RULES, eras: Mapping[int, Era] = NO_ERAS) -> Derived:
    """People from scratch: identity ids with their types, and all links between them, in any order; `eras` of those that were released."""
    clusters = Clusters(rules)
    for identity, kind in types.items():
        clusters.add(Group(identity, {kind: 1}, released=frozenset([eras[identity].identifier]) if identity in eras else frozenset()))
    links = _from_the_release(links, eras) if eras else links
    refusals: dict[tuple[int, int], Refusal | None] = {}
    for link in sorted(links, key=partial(order, rules=rules)):
        refusals[link.strong_id, link.weak_id] = clusters.join(link, clusters.group(link.strong_id), clusters.group(link.weak_id))
    return Derived({identity: clusters.root(identity) for identity in types}, refusals, clusters.groups)
