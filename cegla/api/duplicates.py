"""Likely duplicates: look for them, list them, refuse one. People are told by number; their names are on their own pages."""

from typing import Annotated, Any

from fastapi import Query

from cegla.api.call import Opened
from cegla.api.shapes import Decision, Limit
from cegla.match import actions as match
from cegla.regrouping import settle_duplicate
from cegla.vocabulary.people import person_label

Behind = Annotated[str, Query(max_length=50, description="`next_after` of the page before")]
Which = Annotated[match.State, Query(description="open, accepted or refused")]


def listed(call: Opened, state: Which = "open", after: Behind = "", limit: Limit = 50) -> Any:
    """Proposals, the likeliest first, each with what speaks for and against it."""
    with call.ws.transaction() as conn:
        found = match.proposals(conn, state, after, limit)
        whole = match.count(conn, state)
    return {"proposals": [_shown(one) for one in found], "whole": whole, "next_after": found[-1].place if len(found) == limit else None}


def find(call: Opened) -> Any:
    """Compare everybody now and bring the open proposals up to date; it happens every night by itself."""
    with call.ws.transaction() as conn:
        found = match.propose(conn, call.now)
    call.note("duplicates.find", "people", compared=found.compared, open=found.open)
    return found


def decide(call: Opened, proposal_id: int, body: Decision) -> Any:
    """Say that a proposal is one human, which joins the two people and can be undone, or two, which is remembered."""
    return _shown(settle_duplicate(call.ws, proposal_id, body.decision, call.caller.name))


def _shown(one: match.Proposal) -> dict[str, Any]:
    return {
        "id": one.id, "people": [person_label(one.low_person), person_label(one.high_person)], "probability": round(one.probability, 4),
        "evidence": [{"about": row.label, "found": row.says, "bits": row.weight} for row in one.evidence], "version": one.version,
        "proposed_at": one.proposed_at, "state": one.state, "decided_at": one.decided_at, "decided_by": one.decided_by,
    }  # fmt: skip
