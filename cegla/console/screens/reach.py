"""Who of a group can be reached on which channel, and why the others cannot. The gate answers; nothing here decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cegla.console.visit import Visit
from cegla.govern import actions as govern
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
    asked = list(people[::step])
    known = resolve.identifiers_of(conn, asked) if asked else {}
    size = len(people) if whole is None else whole
    return [_channel(visit, conn, channel, kind, (size, asked, known), purpose) for channel, kind in govern.ADDRESS_TYPES.items()]


def _channel(visit: Visit, conn: Connection, channel: Channel, kind: str, group: tuple[int, list[int], Mapping[int, Any]], purpose: str) -> Reach:
    whole, asked, known = group
    subjects: list[govern.Subject] = []
    for person in asked:
        address = next((one.value for one in known.get(person, ()) if one.type == kind), None)
        if address is not None:
            subjects.append(govern.Subject(person, [one.identity_id for one in known[person]], address))
    verdicts = govern.allowed(conn, visit.ws.keys, subjects, purpose, channel, visit.now)
    scale = whole / len(asked) if asked else 0
    reachable = round(sum(verdict.allowed for verdict in verdicts) * scale)
    suppressed = round(sum(verdict.reason == "suppressed" for verdict in verdicts) * scale)
    no_address = round((len(asked) - len(subjects)) * scale)
    blocked = max(0, whole - reachable - suppressed - no_address)
    return Reach(str(channel), whole, reachable, no_address, suppressed, blocked, len(asked) < whole)
