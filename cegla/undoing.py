"""Taking an import back: every slice forgets what it holds of it, and people are what they were without it.

    links and identities ─► decisions ─► declared traits, accounts ─► history ─► requests       one batch without events, see `regrouping.regroup`
    traits and segments of all concerned                                              right after, as always

Intake stands still meanwhile. The history lies in another store and goes last; if the commit does not happen after it, the
import is still "being undone" and the same is done again.
"""

from dataclasses import dataclass

from cegla.account import actions as account
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.regrouping import regroup
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.batches import only_refresher
from cegla.storage.failpoint import passing
from cegla.storage.workspace import Connection, Workspace


@dataclass(frozen=True)
class Undone:
    """What went: events of the history, identities that are no more."""

    events: int
    identities: int


def undo_import(ws: Workspace, import_id: int) -> Undone | None:
    """Make everything what it would be had this import never been; None when intake has not taken in all of it yet: ask again.

    Addresses that were suppressed meanwhile and messages that were sent stay as they are: those happened.
    """
    with ws.transaction() as conn:
        if collect.events_of(conn, import_id) is None:
            return None
    undone: list[Undone] = []

    def decide(conn: Connection) -> resolve.Resolution:
        done, found = _forget(ws, conn, import_id)
        undone.append(done)
        return found

    regroup(ws, decide)
    passing("undo: after the commit")
    return undone[-1]


def would_undo(ws: Workspace, import_id: int) -> dict[str, int]:
    """How many events of the history would go, and of how many people, as far as intake has come."""
    with ws.transaction() as conn:
        ranges = collect.ranges_of(conn, import_id)
        touched, _ = ws.warehouse.identities_between(ranges)
        people = set(resolve.reach.owners(conn, touched).values())
    return {"events": sum(last - first + 1 for first, last in ranges), "people": len(people)}


def _forget(ws: Workspace, conn: Connection, import_id: int) -> tuple[Undone, resolve.Resolution]:
    only_refresher(conn)
    now, actor = ws.clock(), collect.import_of(conn, import_id).undone_by or ""
    ranges = collect.events_of(conn, import_id) or []
    touched, with_others = ws.warehouse.identities_between(ranges)
    owners = resolve.reach.owners(conn, touched)
    people = resolve.evidence.take_back(conn, import_id, touched, with_others, actor)
    gone = set(people.gone)
    concerned = {person for person in owners.values() if person not in gone and person not in people.ceased} | set(people.people)
    govern.take_back_import(conn, import_id, people.gone, now)
    profile.declared.forget_import(conn, import_id)
    account.take_back_import(conn, import_id)
    profile.erase_person(conn, people.gone)
    profile.forget_people(conn, sorted(concerned))
    profile.runs.look_again(conn, sorted(concerned))
    segment.forget_people(conn, people.ceased, now)
    segment.erase_person(conn, people.gone)
    passing("undo: before the history")
    events = ws.warehouse.erase_between(ranges)
    ws.warehouse.erase(people.gone)
    ws.recent.forget()
    for name in ("events", "order_lines"):
        ws.snapshots.remove(name, "event_id", ranges)
    passing("undo: after the history")
    repair.forget_old(conn, now, of_writer=collect.take_back(conn, import_id, events, now))
    govern.note(conn, actor, "import.undone", f"import {import_id}", {"events": events, "identities": len(gone)}, now)
    return Undone(events, len(gone)), resolve.Resolution([], [], people.moved, people.ceased, sorted(concerned), [], [])
