"""A person's identity: the graph drawn, every link in pages, the log of merges, and undoing a link: looked at first, then with a reason."""

from collections import Counter
from datetime import date
from typing import Any

from starlette.responses import Response

from cegla import regrouping, releasing
from cegla.collect import actions as collect
from cegla.console.views import states
from cegla.console.views.identity_graph import drawing
from cegla.console.visit import Visit, see_other
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.masking import masked
from cegla.vocabulary.people import person_label

AT_ONCE = 50
EACH = 8  #: identifiers drawn of each type
LONGEST_WHY = 300
MOST_FREE = 50  #: identifiers offered for release


def show(visit: Visit) -> Response:
    """The graph, the links of a person, refused and undone ones too, and what moved when."""
    asked = visit.person()
    with visit.ws.transaction() as conn:
        person = resolve.reach.owners(conn, [asked]).get(asked)
        if person is None:
            raise NotFound(where=visit.path, seen=person_label(asked), thing=person_label(asked))
        if person != asked:
            return see_other(f"/people/{person}/links")
        graph = resolve.links.graph_of(conn, person, EACH)
        sources = source_names(conn)
        edges = resolve.links.edges_page(conn, person, visit.asked_place("after"), AT_ONCE + 1)
        log = resolve.links.history_page(conn, person, visit.asked_number("before") or None, AT_ONCE + 1)
        known = resolve.identifiers_of(conn, [person]).get(person, [])
        released = resolve.releasing.releases_of(conn, [one.identity_id for one in known])
    free = [one for one in known if one.may_be_released]
    more = edges[AT_ONCE - 1] if len(edges) > AT_ONCE else None
    pages = {"more_edges": f"{more.at.timestamp():.6f}-{more.edge_id}" if more else "", "more_moves": log[AT_ONCE - 1].move_id if len(log) > AT_ONCE else 0}
    model = {"person": person, "edges": edges[:AT_ONCE], "log": log[:AT_ONCE], "sources": sources, "whole": graph.whole, **pages, **words()}
    drawn = drawing(graph, sources, visit.tongue, reveal=False)
    later = {"later_edges": "after" in visit.query, "later_moves": "before" in visit.query}
    releases = {
        "released": released,
        "free": [(one.identity_id, masked(one.value, one.type)) for one in free[:MOST_FREE]],
        "masked": masked,
        "today": visit.now.date(),
    }
    return visit.page("person_links.html", {**model, **later, **releases, "drawn": drawn, "each": EACH})


def show_undo(visit: Visit) -> Response:
    """What undoing a link would change, before anybody does it."""
    return visit.page("link_undo.html", _trial(visit))


def undo(visit: Visit) -> Response:
    """Undo a link, and look at the person again. The reason stays with the link."""
    why, person = visit.required("why")[:LONGEST_WHY], visit.typed_number("person")
    regrouping.take_link_back(visit.ws, visit.number("id"), visit.actor, why)
    return see_other(f"/people/{person}/links" if person else "/identity", done="undone")


def release(visit: Visit) -> Response:
    """Let one of the person's identifiers be somebody else's from a day on; the reason stays with the release."""
    person, since, reason = visit.person(), visit.required("since"), visit.required("reason")[:LONGEST_WHY]
    try:
        day = date.fromisoformat(since)
    except ValueError:
        raise FieldMissing(where="since", field="since", seen=since) from None
    with visit.ws.transaction() as conn:
        asked = visit.field("identity")
        known = resolve.identifiers_of(conn, [person]).get(person, [])
    one = next((one for one in known if str(one.identity_id) == asked and one.may_be_released), None)
    if one is None:
        raise NotFound(where="identity", seen=asked, thing=person_label(person))
    releasing.release_identifier(visit.ws, Identifier(one.type, one.value), day, reason, visit.actor)
    return see_other(f"/people/{person}/links", done="saved")


def undo_release(visit: Visit) -> Response:
    """Take a release back, and look at the person again."""
    releasing.undo_release(visit.ws, visit.number("id"), visit.actor)
    person = visit.typed_number("person")
    return see_other(f"/people/{person}/links" if person else "/identity", done="undone")


def source_names(conn: Connection) -> dict[int, str]:
    """What sources are called."""
    return {source.id: source.name for source in collect.sources(conn)}


def words() -> dict[str, Any]:
    """States and reasons that the pages on identity speak."""
    return {"why": resolve.links.WARNINGS, "kinds": states.IDENTIFIERS, "links": states.LINKS, "causes": states.CAUSES, "windows": states.WINDOWS}


def _trial(visit: Visit) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        edge = resolve.links.edge(conn, visit.number("id"))
        found = resolve.links.try_retract(conn, edge.edge_id, visit.actor, visit.now)
        sources = source_names(conn)
    parts, back = Counter(owner for _, owner in found.moved), visit.asked_number("person") or edge.strong_person
    return {"edge": edge, "parts": parts.most_common(), "moved": len(found.moved), "sources": sources, "person": back, **words()}
