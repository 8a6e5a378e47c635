"""Computed traits: the list with how many people have a value, and a form whose preview counts at every change."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cegla.collect import actions as collect
from cegla.console.screens.segments import COMPARISONS, NAMES_DAYS
from cegla.console.views import builder
from cegla.console.visit import Visit, see_other
from cegla.defining import define_traits, rank_sources, remove_trait
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.vocabulary.errors import CeglaError, InvalidInput, NotFound
from cegla.vocabulary.text import Text

TEXTS = ("event", "property", "purpose")
CONDITIONS = Text("warunki zdarzenia", "conditions on the event")
A_PLACE = Text("miejsce jest liczbą: 1 to źródło najbardziej wiarygodne", "a place is a number: 1 is the most credible source")
WINDOWS = ("days", "retention_days")


def show(visit: Visit) -> Response:
    """Every computed trait."""
    with visit.ws.transaction() as conn:
        defined, coverage = profile.computed.definitions(conn), profile.computed.coverage(conn)
        ranked, sources = profile.declared.ranking(conn), collect.sources(conn)
    places = {source: place for place, source in enumerate(ranked, 1)}
    ordered = sorted(sources, key=lambda one: (places.get(one.id, len(ranked) + 1), one.id))
    model = {"rows": [(one, coverage.get(one.key, 0)) for one in defined], "sources": [(one, places.get(one.id)) for one in ordered]}
    return visit.page("traits.html", {**model, "purposes": visit.purposes})


def rank(visit: Visit) -> Response:
    """Whose word counts more: sources by the place written beside them; those without a place count less, and among themselves alike."""
    with visit.ws.transaction() as conn:
        known = [one.id for one in collect.sources(conn)]
    places = {one: builder.number(text) for one in known if (text := visit.field(f"place_{one}"))}
    wrong = next((place for place in places.values() if not isinstance(place, (int, float))), None)
    if wrong is not None:
        raise InvalidInput(where="place", seen=wrong, detail=A_PLACE)
    rank_sources(visit.ws, sorted(places, key=lambda one: (places[one], one)), visit.actor)
    return see_other("/traits", done="saved")


def show_new(visit: Visit) -> Response:
    """An empty form."""
    return _form(visit, "", {"compute": "count", "event": "", "days": 90, "purpose": "analytics"})


def show_edit(visit: Visit) -> Response:
    """The form of one trait with its versions. Raises NotFound."""
    key = visit.arguments["key"]
    with visit.ws.transaction() as conn:
        found = profile.computed.versions(conn, key)
    if not found or found[0].removed:
        raise NotFound(where=visit.path, seen=key, thing=key)
    return _form(visit, key, json.loads(found[0].document), versions=found)


def change(visit: Visit) -> Response:
    """A posted form: counted for the preview, or saved."""
    key, body = visit.field("key"), body_of({name: [str(one) for one in visit.form.getlist(name)] for name in visit.form})
    if visit.field("do") != "save":
        return _form(visit, key, body, preview=True)
    try:
        define_traits(visit.ws, [segment.computed.written(key, body, purposes=visit.purposes)], visit.actor)
    except CeglaError as error:
        return _form(visit, key, body, problem=error.problem(visit.language))
    return see_other("/traits", done="saved")


def remove(visit: Visit) -> Response:
    """Take a trait away with its values."""
    remove_trait(visit.ws, visit.required("key"), visit.actor)
    return see_other("/traits", done="saved")


def body_of(fields: Mapping[str, list[str]]) -> dict[str, Any]:
    """The definition that a posted form says; what was left empty is left out."""

    def one(name: str) -> str:
        return fields.get(name, [""])[0].strip()

    body: dict[str, Any] = {"compute": one("compute")} | {name: one(name) for name in TEXTS if one(name)}
    label = {language: one(f"label_{language}") for language in ("pl", "en") if one(f"label_{language}")}
    body |= {"label": label} if label else {}
    body |= {name: builder.number(one(name)) for name in WINDOWS if one(name)}
    if one("field"):
        body["field"] = one("field")
    if where := builder.filters_of(fields, "w-0"):
        body["where"] = where
    if one("per"):
        body["per"] = {"event": one("per")}
    return body | ({"on_site": True} if one("on_site") else {})


def _form(visit: Visit, key: str, body: dict[str, Any], *, preview: bool = False, versions: Any = (), problem: Any = None) -> Response:
    seen, status = None, problem["status"] if problem else 200
    if preview and problem is None and body.get("event"):
        try:
            seen = segment.computed.preview(visit.ws, segment.computed.written(key or "preview", body, purposes=visit.purposes), visit.now)
        except CeglaError as error:
            problem = error.problem(visit.language)
    events = [] if visit.partial else profile.past.event_volumes(visit.ws.warehouse, visit.now - timedelta(days=NAMES_DAYS))
    filters = builder.FormField("w-0", CONDITIONS, "filters", (), False, filters=tuple(builder.filter_rows("w-0", body.get("where", ()))))
    model = {
        "key": key, "body": body, "seen": seen, "versions": versions, "problem": problem, "calculations": segment.computed.WAYS,
        "fields": segment.FIELDS, "purposes": visit.purposes.values(), "filters": filters,
        "words": {"comparisons": COMPARISONS}, "event_names": [row.name for row in events],
    }  # fmt: skip
    return visit.page("trait_form.html", model, block="form", status=status)
