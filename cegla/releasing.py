"""Giving an identifier to somebody else from a day on, and taking that back: links, people, history, traits and segments follow at once."""

from datetime import date

from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.regrouping import regroup
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors.people import NamesEvents
from cegla.vocabulary.identifiers import Identifier


def release_identifier(ws: Workspace, identifier: Identifier, day: date, reason: str, actor: str) -> resolve.Resolution:
    """From the beginning of `day` (UTC) on a normalized identifier is somebody else's; what it tells of before stays where it is.

    Raises IdentifierStays, ReleaseOutOfOrder, NotFound, and NamesEvents when the history has events since that nothing else says
    whose they are.
    """
    now = ws.clock()

    def decide(conn: Connection) -> resolve.Resolution:
        found = resolve.releasing.release(conn, identifier, day, reason, actor, now)
        last = profile.past.last_event_at(ws.warehouse, resolve.releasing.former_bearers(conn, identifier, day))
        if last is not None and last.date() >= day:
            raise NamesEvents(where="since", seen=day.isoformat(), day=last.date().isoformat())
        govern.note(conn, actor, "identifier.release", identifier.type, {"from": day.isoformat(), "identities": len(found.moved)}, now)
        return found

    return regroup(ws, decide)


def undo_release(ws: Workspace, release_id: int, actor: str) -> resolve.Resolution:
    """Take the last release of an identifier back: all is as if it had never been. Raises NotFound, ReleaseOutOfOrder."""
    now = ws.clock()

    def decide(conn: Connection) -> resolve.Resolution:
        found = resolve.releasing.undo_release(conn, release_id, actor, now)
        govern.note(conn, actor, "identifier.release_undone", f"release {release_id}", {"identities": len(found.moved)}, now)
        return found

    return regroup(ws, decide)
