"""An identifier that was released: an address given back, a number given to somebody else.

    ───── bearer ─────┤ release ├───── another bearer ─────►  time of events

Until the release it is one identity, from then on another; everything else treats them as two identifiers that happen to be
written alike. They are never one person's: a link that would make them so is refused. Which of them an event means hangs on
the time of the event alone, so the order of arrival plays no part.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple, cast

from cegla.resolve.rules.mentions import PLACES, Mention
from cegla.vocabulary.identifiers import Identifier

Releases = Mapping[Identifier, Sequence[datetime]]  #: when each identifier was released, in order
NEVER = datetime.max.replace(tzinfo=UTC)


class Former(Identifier):
    """An identifier as it was before a release: equal only to itself, so everything that goes by identifiers keeps the two apart."""

    __slots__ = ()

    def __new__(cls, type: str, value: str, until: datetime) -> "Former":
        return cast(Former, tuple.__new__(cls, (type, value, until)))

    @property
    def until(self) -> datetime:
        """The release: events from then on mean somebody else."""
        return cast(datetime, tuple.__getitem__(self, 2))


class Era(NamedTuple):
    """One bearer's time of an identifier that was released: `since` is None for its first."""

    identifier: Identifier
    since: datetime | None


def may_be_released(kind: str) -> bool:
    """User ids are their owner's for ever, and browsers and phones change hands by rules of their own."""
    return kind != "user_id" and kind not in PLACES


def bearer(identifier: Identifier, at: datetime, releases: Releases) -> Identifier:
    """The identifier as an event of that time means it."""
    until = next((moment for moment in releases.get(identifier, ()) if at < moment), None)
    return identifier if until is None else Former(*identifier, until)


def as_of(mention: Mention, at: datetime, releases: Releases) -> Mention:
    """A mention as an event of that time means it."""
    meant = {identifier: bearer(identifier, at, releases) for identifier in mention.identifiers}
    return mention._replace(
        point=mention.point and meant[mention.point],
        identifiers=tuple(meant[identifier] for identifier in mention.identifiers),
        links=tuple((meant[strong], meant[weak], rule) for strong, weak, rule in mention.links),
    )


def today(identifier: Identifier) -> Identifier:
    """The identifier without regard to who bore it when."""
    return Identifier(identifier.type, identifier.value) if isinstance(identifier, Former) else identifier


def concern(identifiers: Iterable[Identifier], releases: Releases) -> bool:
    """Whether one of these was ever released."""
    return bool(releases) and any(today(identifier) in releases for identifier in identifiers)


def next_day(at: datetime) -> datetime:
    """Releases are at midnight, UTC, so it is enough to know the day on which two identifiers were seen together last."""
    return datetime.combine(at.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
