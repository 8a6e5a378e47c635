"""Who is who: what was refused and why, and the rules with a trial before they change."""

from typing import Any

import yaml
from starlette.responses import Response

from cegla import regrouping
from cegla.console.screens.links import words
from cegla.console.screens.names import display_names
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage import documents
from cegla.storage.identifier_rules import current_rules, rule_versions
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.errors.people import IdentityRulesInvalid
from cegla.vocabulary.text import Text

AT_ONCE = 50
LONGEST_DOCUMENT = 50_000
NO_FIELDS = Text("to nie jest zbiór pól", "it is not a mapping of fields")


def show(visit: Visit) -> Response:
    """Warnings, the rules in force, and their versions."""
    return visit.page("identity.html", _model(visit))


def change(visit: Visit) -> Response:
    """A posted document: tried, or applied when it was tried on the rules of today."""
    text = visit.field("rules")
    try:
        document = _document(text)
        if visit.field("do") == "apply":
            if not visit.may("settings.edit"):
                raise NotPermitted(where=visit.path, permission=visit.tongue.say(govern.PERMISSIONS["settings.edit"]))
            regrouping.apply_rules(visit.ws, document, visit.actor, int(visit.field("version") or 0))
            return see_other("/identity", done="saved")
        with visit.ws.transaction() as conn:
            trial = resolve.ruling.attempt(conn, document)
    except CeglaError as error:
        return visit.page("identity.html", _model(visit, text=text, problem=error.problem(visit.language)), status=error.status)
    return visit.page("identity.html", _model(visit, text=text, trial=trial))


def _model(visit: Visit, *, text: str | None = None, trial: Any = None, problem: dict[str, Any] | None = None) -> dict[str, Any]:
    reason = visit.query.get("reason", "")
    before = visit.asked_number("before") or None
    with visit.ws.transaction() as conn:
        counted = resolve.links.warnings(conn)
        edges = resolve.links.refused_links(conn, AT_ONCE, reason if reason in resolve.links.WARNINGS else None, before)
        versions = rule_versions(conn)
        rules = current_rules(conn)
        shown = [one for edge in edges for one in (edge.strong_person, edge.weak_person)]
        if trial:
            listed = trial.difference
            shown += [one for row in listed.joins[:AT_ONCE] for one in row.people[:AT_ONCE]]
            shown += [row.person for row in (*listed.parts[:AT_ONCE], *listed.bounds[:AT_ONCE])]
        names = display_names(conn, shown)
    document = text if text is not None else _written(versions[0].document if versions else {})
    more = edges[-1].edge_id if len(edges) == AT_ONCE else None
    parts = {"counted": counted, "edges": edges, "more": more, "reason": reason, "names": names, "at_once": AT_ONCE}
    return {**parts, "versions": versions, "rules": rules, "document": document, "trial": trial, "problem": problem, **words()}


def _written(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False) if document else ""


def _document(text: str) -> dict[str, Any]:
    try:
        document = documents.read(text, longest=LONGEST_DOCUMENT)
    except documents.Unfit as unfit:
        raise IdentityRulesInvalid(where=unfit.place, detail=unfit.what) from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise IdentityRulesInvalid(where="rules", seen=type(document).__name__, detail=NO_FIELDS)
    return document  # pyright: ignore[reportUnknownVariableType]
