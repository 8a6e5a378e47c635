"""Sources: where events come from, their keys, and what became of everything they sent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from cegla.collect import actions as collect
from cegla.console.menu import marked
from cegla.console.views import states
from cegla.console.views.events import event_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.repair import actions as repair
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors import CeglaError, InvalidInput, NotFound
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.text import Text

KINDS = (("website", marked("strona lub sklep (klucz publiczny)")), ("server", marked("serwer (klucz tajny)")))
BASES = (
    (Basis.CONSENT, marked("zgoda: bez zgody na analizę zdarzenie jest odkładane bez treści")),
    (Basis.CONTRACT, marked("umowa")),
    (Basis.LEGITIMATE_INTEREST, marked("prawnie uzasadniony interes")),
    (Basis.LEGAL_OBLIGATION, marked("obowiązek prawny")),
)


def show(visit: Visit) -> Response:
    """All sources with their standing, and the form for a new one."""
    return visit.page("sources.html", _listed(visit, None, {}), block="standing")


def add(visit: Visit) -> Response:
    """A new source; its secret key is on this answer and never again."""
    try:
        name = visit.required("name")
        kind, basis = visit.field("kind"), visit.field("basis")
        if kind not in dict(KINDS):
            raise FieldMissing(where="kind", field="kind")
        with visit.ws.transaction() as conn:
            source, secret = collect.add_source(conn, name, kind, Basis(basis if basis in dict(BASES) else "consent"), visit.now)
            if secret:
                govern.note(conn, visit.actor, "source.add", f"source {source.id}", {"kind": kind, "basis": str(source.basis)}, visit.now)
    except CeglaError as error:
        return visit.page("sources.html", _listed(visit, error.problem(visit.language), visit.form), status=error.status)
    return visit.page("source.html", _one(visit, source.id, secret))


def show_one(visit: Visit) -> Response:
    """One source: keys, a first event to try, its numbers."""
    return visit.page("source.html", _one(visit, visit.number("id"), ""), block="standing")


def change(visit: Visit) -> Response:
    """Limits, origins, on or off; what is wrong comes back with what was typed."""
    source_id = visit.number("id")
    try:
        with visit.ws.transaction() as conn:
            own = {one.key: _number(visit, one.key) for one in collect.SOURCE_LIMITS}
            wanted = replace(_found(visit, conn, source_id), enabled=visit.field("enabled") == "yes", origins=tuple(visit.field("origins").split()), **own)
            collect.change_source(conn, wanted)
            govern.note(conn, visit.actor, "source.change", f"source {source_id}", {"enabled": wanted.enabled}, visit.now)
    except CeglaError as error:
        return visit.page("source.html", _one(visit, source_id, "") | {"problem": error.problem(visit.language), "form": visit.form}, status=error.status)
    return see_other(f"/sources/{source_id}", done="saved")


def change_keys(visit: Visit) -> Response:
    """A new write or secret key, or the end of the former ones. A new secret key is on this answer and never again."""
    source_id, wanted = visit.number("id"), visit.one_of("do", ("write", "secret", "revoke"))
    with visit.ws.transaction() as conn:
        _found(visit, conn, source_id)
        if wanted == "revoke":
            collect.revoke_former_keys(conn, source_id, visit.now)
            made = ""
        else:
            made = collect.rotate_key(conn, source_id, visit.now, secret=wanted == "secret")
        action = "source.revoke_former_keys" if wanted == "revoke" else "source.rotate_key"
        govern.note(conn, visit.actor, action, f"source {source_id}", {"secret": wanted == "secret"}, visit.now)
    if wanted == "secret":
        return visit.page("source.html", _one(visit, source_id, made))
    return see_other(f"/sources/{source_id}", done="saved")


def _number(visit: Visit, name: str) -> int | float | None:
    """A limit of the form; empty is the installation's."""
    text = visit.field(name).replace(" ", "").replace("\u00a0", "").replace(",", ".")
    if not text:
        return None
    try:
        return float(text) if name == "requests_per_second" else int(text)
    except ValueError:
        raise InvalidInput(where=name, seen=text, detail=Text("to nie jest liczba", "this is no number")) from None


def _found(visit: Visit, conn: Connection, source_id: int) -> collect.Source:
    source = next((row for row in collect.sources(conn) if row.id == source_id), None)
    if source is None:
        raise NotFound(where=visit.path, seen=source_id, thing=str(source_id))
    return source


def _listed(visit: Visit, problem: dict[str, Any] | None, form: Any) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        standings = {row.source_id: row for row in collect.standing(conn)}
        rows = [(source, standings.get(source.id)) for source in collect.sources(conn)]
        in_quarantine = repair.figures.waiting(conn)
    return {
        "rows": rows, "in_quarantine": in_quarantine, "problem": problem, "form": form, "kinds": KINDS, "bases": BASES, "kind_names": states.SOURCES,
        "basis_names": states.BASES,
    }  # fmt: skip


def _one(visit: Visit, source_id: int, secret: str) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        source = _found(visit, conn, source_id)
        standing = next((row for row in collect.standing(conn) if row.source_id == source_id), None)
        in_quarantine = repair.figures.waiting(conn).get(source_id, 0)
        counted = collect.visits(conn, source_id, visit.now.date() - timedelta(days=30))
    door = visit.ws.settings.collector
    address = door.public_url.rstrip("/") or f"http://{door.host}:{door.port}"
    line = f'<script async src="{address}/c.js" data-key="{source.key}"></script>' if source.kind == "website" else ""
    limits = [
        (one.key, one.label.say(visit.language), one.beyond.say(visit.language), getattr(source, one.key), getattr(door, one.key))
        for one in collect.SOURCE_LIMITS
    ]
    return {
        "source": source, "standing": standing, "in_quarantine": in_quarantine, "secret": secret, "snippet": _snippet(address, source.key), "line": line,
        "counted": [(event_name(row.name), row) for row in counted],
        "kind_names": states.SOURCES, "basis_names": states.BASES, "refusal_names": states.REFUSALS, "limits": limits, "problem": None, "form": None,
    }  # fmt: skip


def _snippet(address: str, key: str) -> str:
    """A first event that can be pasted into a terminal."""
    consent = '"context": {"consent": {"categoryPreferences": {"analytics": true}}}'
    event = f'{{"event": "Product Viewed", "anonymousId": "test-1", "properties": {{"product_id": "42"}}, {consent}}}'
    return f"curl {address}/v1/track -u {key}: \\\n  -H 'content-type: application/json' \\\n  -d '{event}'"
