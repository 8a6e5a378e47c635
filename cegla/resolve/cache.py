"""What intake remembers between batches, so that events of known people cost no SQL."""

from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec

from cegla.resolve.rules.clusters import Group
from cegla.resolve.rules.mentions import Names, Rule
from cegla.resolve.rules.releases import NEVER, Releases
from cegla.vocabulary.identifiers import Identifier

UNSURE = -1  #: the stamp of no state of the store
LONG_AGO = datetime.min.replace(tzinfo=UTC)

K = TypeVar("K")
V = TypeVar("V")


class Aging(dict[K, V | None], Generic[K, V]):
    """A dictionary that forgets what was not asked for during its last `capacity` additions (and up to twice that).

    `cache[key]` is None for what is not known or forgotten, and costs no more than any dictionary for what was used of late.
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity
        self.old: dict[K, V | None] = {}

    def __missing__(self, key: K) -> V | None:
        value = self.old.pop(key, None)
        if value is not None:
            self[key] = value
        return value

    def drop(self, key: K) -> None:
        """Forget one key."""
        self.pop(key, None)
        self.old.pop(key, None)

    def age(self) -> None:
        """Once a batch: let go of the older half when the younger one is full."""
        if len(self) > self.capacity:
            self.old = dict(self)
            self.clear()


class Recognized(msgspec.Struct, frozen=True, gc=False):
    """What is to be done with events of certain names: point at this identity, unless they are older than `since`, or not older than `until`."""

    identity_id: int
    since: datetime
    places: tuple[int, ...]  #: browsers and phones among the names
    until: datetime = NEVER  #: the end of the last day on which its links are known to have been seen, where that may matter


class KnownEdge(msgspec.Struct, frozen=True, gc=False):
    """A stored link, as far as intake needs it."""

    edge_id: int
    at: datetime
    last_at: datetime  #: the day is right, the hour may be later
    rule: Rule
    trusted: bool
    refused: str | None
    retracted: bool
    imported: bool = False  #: an import showed it, so what each side saw is kept apart (see evidence.py)


class IdentityCache:
    """Identifiers, owners and links of the people seen lately. Valid for one stamp of the store and emptied when that differs,
    so it is exact after a rollback, a retraction or another writer. Belongs to one intake worker; not for two threads."""

    def __init__(self, capacity: int = 100_000) -> None:
        self.stamp = UNSURE
        self.names: Aging[Names, Recognized] = Aging(capacity)
        self.identities: Aging[Identifier, int] = Aging(capacity // 2)
        self.people: Aging[int, int] = Aging(2 * capacity)
        self.edges: Aging[tuple[int, int], KnownEdge] = Aging(capacity // 2)
        self.held: Aging[tuple[int, int], int] = Aging(capacity // 2)
        self.groups: Aging[int, Group] = Aging(capacity // 2)
        self.releases: Releases | None = None  #: None: not read yet
        self.shared: set[int] = set()  #: browsers and phones that changed hands, among those above

    def begin(self, stamp: int) -> None:
        """A batch begins: forget everything unless the store still bears the stamp this cache left there.

        Until `end` no stamp is right: a batch that breaks off on its way leaves here what was never written.
        """
        if stamp != self.stamp:
            self.__init__(self.names.capacity)
        self.stamp = UNSURE

    def end(self, stamp: int) -> None:
        """A batch ended and left this stamp."""
        self.stamp = stamp
        for part in (self.names, self.identities, self.people, self.edges, self.held, self.groups):
            part.age()
