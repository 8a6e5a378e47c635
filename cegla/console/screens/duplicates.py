"""People who are likely one: the list, two of them side by side with the evidence, and what a person says of it."""

from typing import Any

from starlette.responses import Response

from cegla.console.screens.names import display_names, short_name
from cegla.console.views import states, traits
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.profile import actions as profile
from cegla.regrouping import settle_duplicate
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.people import person_label

AT_ONCE = 50
ANSWERS = ("same", "different")
STATES: dict[str, match.State] = {"accepted": "accepted", "refused": "refused"}  #: by what the address asks for; else open


def show(visit: Visit) -> Response:
    """Open proposals, the likeliest first; what was decided on request."""
    state, after = STATES.get(visit.query.get("state", ""), "open"), visit.query.get("after", "")
    with visit.ws.transaction() as conn:
        found = match.proposals(conn, state, after, AT_ONCE + 1)
        shown = found[:AT_ONCE]
        names = display_names(conn, sorted({person for one in shown for person in (one.low_person, one.high_person)}))
        whole = match.count(conn, state)
    more = shown[-1].place if len(found) > AT_ONCE else None
    place = {"state": state, "whole": whole, "more": more, "after": after}
    return visit.page("duplicates.html", {"proposals": shown, "names": names, **place})


def find(visit: Visit) -> Response:
    """Compare everybody now."""
    with visit.ws.transaction() as conn:
        found = match.propose(conn, visit.now)
        govern.note(conn, visit.actor, "duplicates.find", "people", {"compared": found.compared, "open": found.open}, visit.now)
    return see_other("/duplicates", done="compared")


def show_one(visit: Visit) -> Response:
    """Two people side by side, masked."""
    return visit.page("duplicate.html", _pair(visit, reveal=False))


def reveal(visit: Visit) -> Response:
    """The same in clear, for this answer only; the audit log remembers who looked at whom and why."""
    why = visit.required("why")
    with visit.ws.transaction() as conn:
        one = match.proposal(conn, visit.number("id"))
        for person in (one.low_person, one.high_person):
            govern.note(conn, visit.actor, "person.reveal", person_label(person), {"why": why[:200]}, visit.now)
    return visit.page("duplicate.html", _pair(visit, reveal=True))


def decide(visit: Visit) -> Response:
    """One human, or two."""
    answer = visit.field("answer")
    if answer not in ANSWERS:
        raise FieldMissing(where="answer", field="answer")
    if answer == "different":
        settle_duplicate(visit.ws, visit.number("id"), "refused", visit.actor)
        return see_other("/duplicates", done="apart")
    joined = settle_duplicate(visit.ws, visit.number("id"), "accepted", visit.actor)
    return see_other(f"/people/{joined.low_person}", done="joined")


def _pair(visit: Visit, *, reveal: bool) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        one = match.proposal(conn, visit.number("id"))
        sides = [_side(conn, visit, person, reveal) for person in (one.low_person, one.high_person)]
    rows = [_row(label, *sides) for label in dict.fromkeys(label for side in sides for label in side["facts"])]
    heaviest = max((abs(row.weight) for row in one.evidence), default=1.0)
    return {"proposal": one, "sides": sides, "rows": rows, "heaviest": heaviest, "revealed": reveal, "kinds": states.IDENTIFIERS, "told": states.DECLARED}


def _row(label: tuple[str, bool, Any], one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """One trait of both, as it is shown, and whether what is behind it agrees; None when one of them has none."""
    masked_or_not = [side["facts"].get(label, "") for side in (one, other)]
    clear = [side["clear"].get(label, "") for side in (one, other)]
    return {"label": label, "values": masked_or_not, "alike": match.alike(label[0], *clear) if all(clear) else None}


def _side(conn: Connection, visit: Visit, person: int, reveal: bool) -> dict[str, Any]:
    """What is shown of one of the two, and what is compared: what they declared and what is computed, by the name of the trait."""
    known = resolve.identifiers_of(conn, [person]).get(person, [])
    found = profile.profile_of(conn, visit.ws.warehouse, person, [row.identity_id for row in known], visit.now, visit.ws.settings.zone)
    facts, clear = (
        {(card.key, card.declared, card.label): card.shown for card in sorted(cards, key=lambda card: not card.declared) if card.shown}
        for cards in (traits.cards(found.traits, visit.tongue, reveal=shown) for shown in (reveal, True))
    )
    return {"person": person, "name": short_name(known, reveal=reveal), "known": known, "facts": facts, "clear": clear}
