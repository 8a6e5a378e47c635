"""One batch of events on its way to people: what the steps of `finding` share."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from cegla.resolve import store
from cegla.resolve.cache import IdentityCache
from cegla.resolve.rules.clusters import Link
from cegla.resolve.rules.mentions import Mention, Names
from cegla.resolve.rules.releases import Releases
from cegla.resolve.store import NewEdge, NewIdentity
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifier_rules import IdentifierRules
from cegla.vocabulary.identifiers import Identifier

Pair = tuple[int, int]  #: (strong, weak) identity ids


class Sighting(NamedTuple):
    """Events of the batch with the same names."""

    names: Names
    mention: Mention
    indexes: list[int]
    position: int  #: in the batch, of the event among them that happened first
    first: Event
    last_at: datetime


class Refused(NamedTuple):
    """A link of this batch that joined nobody. `first` is the event that showed it."""

    link: Link
    reason: str
    first: Event


@dataclass
class Batch:
    """`identity_ids` and the rest fill up step by step; 0 stands for an event without usable identifier."""

    conn: Connection
    cache: IdentityCache
    events: Sequence[Event]
    rules: IdentifierRules
    identity_ids: list[int]
    created: dict[int, NewIdentity] = field(default_factory=dict)
    new_edges: list[NewEdge] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)  #: identity → person, where that changed
    ceased: set[int] = field(default_factory=set)  #: people whose own identity went to another person
    changed: set[int] = field(default_factory=set)  #: people who won or lost identities
    refused: list[Refused] = field(default_factory=list)
    too_long: list[tuple[str, Event]] = field(default_factory=list)
    wrote: bool = False
    releases: Releases = field(default_factory=dict[Identifier, Sequence[datetime]])
    import_id: int = 0  #: all events of the batch are this import's; 0: none of them is any import's

    def sighting(self, names: Names, mention: Mention, indexes: list[int]) -> Sighting:
        """What these events of the batch show."""
        index = indexes[0]
        first = self.events[index]
        last_at = first.occurred_at
        for other in indexes[1:]:
            event = self.events[other]
            at = event.occurred_at
            if at > last_at:
                last_at = at
            elif at < first.occurred_at or (at == first.occurred_at and (event.source_id, event.message_id) < (first.source_id, first.message_id)):
                index, first = other, event
        return Sighting(names, mention, indexes, index, first, last_at)

    def first(self, indexes: list[int]) -> Event:
        """The event of these that happened first."""
        return min((self.events[index] for index in indexes), key=attrgetter("occurred_at", "source_id", "message_id"))

    def owners(self, identity_ids: Iterable[int]) -> dict[int, int]:
        """Whose these identities are."""
        owners: dict[int, int] = {}
        missing: list[int] = []
        people = self.cache.people
        for identity in identity_ids:
            person = people[identity]
            if person is None:
                missing.append(identity)
            else:
                owners[identity] = person
        for identity, person in store.people_of(self.conn, missing).items():
            owners[identity] = person
            people[identity] = person
        return owners

    def move(self, identity: int, person: int) -> None:
        """Note that an identity belongs to this person from now on."""
        self.moved[identity] = person
        self.cache.people[identity] = person
