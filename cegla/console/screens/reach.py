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
ADDRESS = {Channel.EMAIL: "email", Channel.SMS: "phone"}


@dataclass(frozen=True)
class Reach:
    """One channel: how many can be reached, have no address, or did not allow it. They add up to the whole."""

    channel: str
    whole: int
    reachable: int
    no_address: int
    blocked: int
    estimated: bool


def reach(visit: Visit, conn: Connection, people: Sequence[int], purpose: str = "marketing") -> list[Reach]:
    """One row per channel that has addresses."""
    step = max(1, -(-len(people) // MOST_ASKED))
    asked = list(people[::step])
    known = resolve.identifiers_of(conn, asked) if asked else {}
    return [_channel(visit, conn, channel, kind, (people, asked, known), purpose) for channel, kind in ADDRESS.items()]


def _channel(visit: Visit, conn: Connection, channel: Channel, kind: str, group: tuple[Sequence[int], list[int], Mapping[int, Any]], purpose: str) -> Reach:
    people, asked, known = group
    subjects: list[govern.Subject] = []
    for person in asked:
        address = next((one.value for one in known.get(person, ()) if one.type == kind), None)
        if address is not None:
            subjects.append(govern.Subject(person, [one.identity_id for one in known[person]], address))
    allowed = sum(verdict.allowed for verdict in govern.allowed(conn, visit.ws.keys, subjects, purpose, channel, visit.now))
    scale = len(people) / len(asked) if asked else 0
    reachable, no_address = round(allowed * scale), round((len(asked) - len(subjects)) * scale)
    return Reach(str(channel), len(people), reachable, no_address, len(people) - reachable - no_address, len(asked) < len(people))
