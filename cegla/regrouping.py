"""Who is who changes outside intake: a link taken back, a duplicate settled, rules put in force.

Each is one batch without events (`regroup`), so the history, traits and segments follow as they do after intake (see `cegla.flow`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from cegla.collect import actions as collect
from cegla.flow import Batch, Known, agree, append, refresh
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.resolve import actions as resolve
from cegla.storage import batches
from cegla.storage.batches import Committed
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput, NotFound, Refused, WrongUsage
from cegla.vocabulary.people import person_label

AFTER_REGROUPING: list[Callable[[Batch], None]] = [append]
REFUSALS = (InvalidInput, NotFound, Refused, WrongUsage)


def regroup(ws: Workspace, decide: Callable[[Connection], resolve.Resolution]) -> resolve.Resolution:
    """Change who is who outside intake, as one batch without events: the history follows in the same transaction, traits and segments right after.

    `decide` says what moved. Intake waits meanwhile, so it should be asked about few people at a time.
    """
    now, found = ws.clock(), None
    try:
        with ws.transaction() as conn:
            batches.only_intake_worker(conn)
            found = decide(conn)
            batch = Batch(ws, conn, Known(), now, batches.last_committed(conn), {}, collect.Taken([], {}))
            batch.moved, batch.absorbed, batch.changed = found.moved, found.absorbed, found.changed
            for step in AFTER_REGROUPING:
                step(batch)
            batches.note_moved(conn, batch.number, batch.changed, batch.absorbed)
            batches.commit_batch(conn, Committed(batch.number, batch.before.last_event_id), [], [], batch.moves, now)
    except BaseException as error:
        if found is not None or not isinstance(error, REFUSALS):  # what `decide` refuses changes nothing; what fails may have, in the warehouse
            agree(ws)
        raise
    refresh(ws)
    return found


def take_link_back(ws: Workspace, edge_id: int, actor: str, why: str | None = None) -> resolve.Resolution:
    """Undo one link for good, whatever came of it; `why` is kept with the link, and goes when its people are erased. Raises NotFound."""
    now = ws.clock()

    def decide(conn: Connection) -> resolve.Resolution:
        found = resolve.links.retract(conn, edge_id, actor, now, why)
        govern.note(conn, actor, "link.retract", f"link {edge_id}", {"identities": len(found.moved)}, now)
        return found

    return regroup(ws, decide)


def settle_duplicate(ws: Workspace, proposal_id: int, state: Literal["accepted", "refused"], actor: str) -> match.Proposal:
    """Say that a likely duplicate is one human, which joins the two people, or two. Raises NotFound, LinkRefused."""
    now = ws.clock()

    def settle(conn: Connection) -> match.Proposal:
        settled = match.decide(conn, proposal_id, state, actor, now)
        govern.note(conn, actor, f"duplicates.{state}", f"{person_label(settled.low_person)} {person_label(settled.high_person)}", {}, now)
        return settled

    def join(conn: Connection) -> resolve.Resolution:
        settled = settle(conn)
        return resolve.links.confirm(conn, (settled.low_person, settled.high_person), f"proposal-{proposal_id}", actor, now)

    if state == "accepted":
        regroup(ws, join)
        with ws.transaction() as conn:
            return match.proposal(conn, proposal_id)
    with ws.transaction() as conn:
        return settle(conn)


def apply_rules(ws: Workspace, document: Mapping[str, Any], actor: str, tried: int | None = None) -> int:
    """Put identity rules in force as a new version, derive everybody by them, and return how many identities found another person.

    `tried` is the version that was in force at the trial. Raises IdentityRulesInvalid, RuleVersionOld.
    """
    now = ws.clock()
    with ws.transaction() as conn:
        batches.only_intake_worker(conn)
        number = resolve.ruling.apply(conn, document, actor, now, tried)
        govern.note(conn, actor, "identity.rules", f"version {number}", {}, now)
    return settle_rules(ws, actor)


def settle_rules(ws: Workspace, actor: str = "intake") -> int:
    """Derive by the rules in force whoever is not yet, some people at a time; returns how many identities moved. Safe to stop and call again."""
    moved = 0
    with ws.transaction() as conn:
        waiting = resolve.ruling.unsettled(conn)
    size = resolve.ruling.PEOPLE_AT_A_TIME
    for start in range(0, len(waiting), size):
        people = waiting[start : start + size]
        moved += len(regroup(ws, lambda conn, people=people: resolve.ruling.settle(conn, people, actor)).moved)
    with ws.transaction() as conn:
        resolve.ruling.settled(conn, ws.clock())
    return moved
