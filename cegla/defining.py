"""What people define to be known: computed traits come and go, and what they give follows for everybody.

Definitions change while nobody else rewrites traits, in one transaction with the values they give. Values that time alone changes are
counted again when they are due; nobody else is looked at.
"""

from collections.abc import Sequence
from datetime import datetime

from cegla.flow import objecting_people, settled
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace


def define_traits(ws: Workspace, wanted: Sequence[segment.computed.Written], actor: str) -> list[tuple[str, int]]:
    """Put definitions in force and count them for everybody; returns the key and version of those that are new."""
    now = ws.clock()
    with settled(ws) as (conn, past):
        changed = segment.computed.apply(conn, wanted, ws.settings.currency, actor, now)
        if changed:
            segment.computed.refresh(conn, past, None, now, objecting_people(conn))
        for key, version in changed:
            govern.note(conn, actor, "trait.define", f"trait {key}", {"version": version}, now)
    return changed


def remove_trait(ws: Workspace, key: str, actor: str) -> None:
    """Take a computed trait away, and its values with it. Raises NotFound, TraitInUse."""
    now = ws.clock()
    with settled(ws) as (conn, _):
        segment.computed.remove(conn, key, actor, now)
        govern.note(conn, actor, "trait.remove", f"trait {key}", {}, now)


def recount_due(ws: Workspace, now: datetime) -> int:
    """Count again whose values time alone has changed, until nobody is due; returns how many people that were."""
    counted = 0
    while True:
        with settled(ws) as (conn, past):
            found = segment.computed.refresh_due(conn, past, now, objecting_people(conn))
        counted += found
        if found < segment.computed.DUE_AT_ONCE:
            return counted
