"""What resolving, taking a link back or changing the rules changed: for the warehouse, the traits and the segments to follow."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from cegla.resolve import store
from cegla.resolve.deriving import Rederived
from cegla.storage.workspace import Connection


@dataclass(frozen=True)
class LinkWarning:
    """A link that was refused, or an identifier left out ("too_long"). Holds no identifier's value, so it may be logged."""

    reason: str
    types: tuple[str, ...]  #: of the two identifiers linked, or of the one left out
    identity_ids: tuple[int, ...]
    at: datetime
    source_id: int
    message_id: str


@dataclass(frozen=True)
class Resolution:
    """Who is behind the events of a batch, or what a retraction changed.

    `identity_ids` and `people` run along the events; both are 0 at the indexes in `unresolved`.
    """

    identity_ids: list[int]  #: the identity each event points at
    people: list[int]  #: whose that is now
    moved: list[tuple[int, int]]  #: (identity, person) where the owner changed; new identities only when not their own person
    absorbed: dict[int, int]  #: people that were there before → the person who holds their identity now
    changed: list[int]  #: people there are now who won or lost identities, with or without events in the batch
    warnings: list[LinkWarning]
    unresolved: list[int]  #: indexes of events all of whose identifiers are blank or blocked


def without_events(conn: Connection, rederived: Rederived) -> Resolution:
    """The same for people who were derived again outside intake; `people` are all whose identities changed."""
    moved = [(identity, person) for identity, (_, person) in rederived.moved.items()]
    ceased = {identity: person for identity, (before, person) in rederived.moved.items() if identity == before}
    owners = store.people_of(conn, list({*chain.from_iterable(rederived.moved.values())}))
    changed = sorted(person for person, owner in owners.items() if person == owner)
    return Resolution([], changed, moved, ceased, changed, [], [])
