"""People: the list and the search. What is searched for may be personal data, so it travels in the form and not in the address."""

from typing import Any

from starlette.responses import Response

from cegla.console.screens.names import display_names
from cegla.console.visit import Visit, see_other
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifiers import Identifier, normalized
from cegla.vocabulary.people import parse_person_label

AT_ONCE = 50
EXACT = ("user_id", "email", "phone", "loyalty_card")


def show(visit: Visit) -> Response:
    """Everybody, in the order in which they were first seen; `after` is the last person of the page before."""
    return visit.page("people.html", _found(visit, "", visit.asked_number("after")))


def search(visit: Visit) -> Response:
    """People whose number or identifier fits; an exact hit opens the person."""
    text = visit.field("q")
    if not text:
        return see_other("/people")
    exact = _exactly(visit, text)
    if exact is not None:
        return see_other(f"/people/{exact}")
    return visit.page("people.html", _found(visit, text, visit.typed_number("after")))


def _exactly(visit: Visit, text: str) -> int | None:
    """The one person with this number, e-mail or phone."""
    number = parse_person_label(text)
    with visit.ws.transaction() as conn:
        rules = current_rules(conn)
        wanted = [Identifier(kind, value) for kind in EXACT if (value := normalized(kind, text, rules)) is not None]
        found = next((person for person in resolve.look_up(conn, wanted) if person is not None), None)
        if found is None and number is not None and resolve.identifiers_of(conn, [number]).get(number):
            found = number
    return found


def _found(visit: Visit, text: str, after: int) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        people = resolve.find(conn, text, after, AT_ONCE + 1)
        shown = people[:AT_ONCE]
        model = _table(conn, visit, [row.id for row in shown])
        whole = resolve.links.count_people(conn) if not text else None
    more = shown[-1].id if len(people) > AT_ONCE else None
    return {"people": shown, "text": text, "after": after, "more": more, "whole": whole, **model}


def _table(conn: Connection, visit: Visit, ids: list[int]) -> dict[str, Any]:
    """What the columns of the list need, by person."""
    return {"names": display_names(conn, ids), "traits": profile.profiles_of(conn, ids), "segments": segment.segments_of(conn, ids)}
