"""Who of a group can be reached on which channel, and why the others cannot. The gate answers; nothing here decides."""

from collections.abc import Sequence
from dataclasses import dataclass

from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel

MOST_ASKED = 4_000  #: larger groups are asked about through an even sample, and the numbers say so


@dataclass(frozen=True)
class Reach:
    """One channel: how many can be reached, have no address, have an address on the suppression list, or did not allow it. They add up to the whole."""

    channel: str
    whole: int
    reachable: int
    no_address: int
    suppressed: int
    blocked: int
    estimated: bool


def reach(visit: Visit, conn: Connection, people: Sequence[int], purpose: str = "marketing", whole: int | None = None) -> list[Reach]:
    """One row per channel that has addresses. `people` may be a part of a larger group of `whole` people that the rows are about."""
    step = max(1, -(-len(people) // MOST_ASKED))
    size = len(people) if whole is None else whole
    return [_channel(visit, conn, channel, (size, people[::step]), purpose) for channel in govern.ADDRESS_TYPES]


def _channel(visit: Visit, conn: Connection, channel: Channel, group: tuple[int, Sequence[int]], purpose: str) -> Reach:
    whole, asked = group
    reached = [one for one in resolve.reach.addresses(conn, asked, govern.ADDRESS_TYPES[channel]) if one.value is not None]
    subjects = profile.places.subjects(conn, reached)
    verdicts = govern.allowed(conn, visit.ws.keys, subjects, purpose, channel, visit.now)
    scale = whole / len(asked) if asked else 0
    reachable = round(sum(verdict.allowed for verdict in verdicts) * scale)
    suppressed = round(sum(verdict.reason == "suppressed" for verdict in verdicts) * scale)
    no_address = round((len(asked) - len(subjects)) * scale)
    blocked = max(0, whole - reachable - suppressed - no_address)
    return Reach(str(channel), whole, reachable, no_address, suppressed, blocked, len(asked) < whole)
