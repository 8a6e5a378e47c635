"""File imports: what was brought in, and the way of a file from upload over guesses, basis and dry run to the history, and back."""

from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, Response

from cegla.collect import actions as collect
from cegla.console.screens.sources import BASES
from cegla.console.views import import_form, states
from cegla.console.views.events import event_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.text import Text

AT_ONCE = 50
LOOKED_AT = 12  #: events and refused rows shown of a dry run
COLOURS = {"draft": "", "waiting": "warn", "running": "warn", "done": "good", "failed": "bad", "undoing": "warn", "undone": ""}
LIVE = frozenset({"waiting", "running", "undoing"})


def show(visit: Visit) -> Response:
    """All imports, newest first, and the form for the next file."""
    return visit.page("imports.html", _listed(visit, None))


def upload(visit: Visit) -> Response:
    """Keep the file and go on to its form."""
    file = visit.form.get("file")
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise FieldMissing(where="file", field="file")
        import_id = collect.upload(visit.ws, file.filename, file.file, visit.actor)
    except CeglaError as error:
        return visit.page("imports.html", _listed(visit, error.problem(visit.language)), status=error.status)
    _noted(visit, "import.upload", import_id)
    return see_other(f"/imports/{import_id}")


def show_one(visit: Visit) -> Response:
    """A draft as its form, anything else as what became of it."""
    found = _found(visit)
    if found.state == "draft":
        return _form(visit, found)
    model = {"found": found, "states": collect.STATES, "colours": COLOURS, "live": found.state in LIVE, "basis_names": states.BASES, "event_name": event_name}
    return visit.page("import.html", model, block="standing")


def change(visit: Visit) -> Response:
    """What the form says is kept; then the file is tried on it, or, when that is asked for, brought in."""
    found, start = _found(visit), visit.field("start") == "yes"
    examined: collect.Examined | None = None
    try:
        examined = _examined(visit, found)
        mapping = import_form.mapping(visit.form, examined, found.id)
        start = start and import_form.is_of(visit.form, examined)  # nobody has seen yet what these columns become
        with visit.ws.transaction() as conn:
            collect.save_draft(conn, found.id, mapping)
            if start:
                collect.begin(conn, found.id, visit.language)
        look = None if start else collect.import_file(visit.ws, Path(found.file_path), mapping, dry_run=True)
    except CeglaError as error:
        return _form(visit, found, examined, problem=error.problem(visit.language), status=error.status)
    if start:
        _noted(visit, "import.start", found.id)
        return see_other(f"/imports/{found.id}")
    return _form(visit, found, examined, look=look)


def resume(visit: Visit) -> Response:
    """Go on with an import that stopped."""
    with visit.ws.transaction() as conn:
        collect.begin(conn, visit.number("id"), visit.language)
    _noted(visit, "import.resume", visit.number("id"))
    return see_other(f"/imports/{visit.number('id')}")


def undo(visit: Visit) -> Response:
    """Take everything back that an import brought; the box must be ticked."""
    if visit.field("sure") != "yes":
        raise FieldMissing(where="sure", field="sure")
    with visit.ws.transaction() as conn:
        collect.ask_undo(conn, visit.number("id"), visit.actor)
    _noted(visit, "import.undo", visit.number("id"))
    return see_other(f"/imports/{visit.number('id')}")


def discard(visit: Visit) -> Response:
    """Drop a draft with its file."""
    with visit.ws.transaction() as conn:
        collect.discard(conn, visit.number("id"))
    _noted(visit, "import.discard", visit.number("id"))
    return see_other("/imports", done="file-dropped")


def refused(visit: Visit) -> Response:
    """The rows that were not used, as a file that can be mended and imported again."""
    with visit.ws.transaction() as conn:
        path = collect.refused_rows(conn, visit.number("id"))
    if path is None:
        raise NotFound(where=visit.path, seen=visit.number("id"), thing=Text("plik odrzuconych wierszy", "a file of refused rows"))
    return FileResponse(path, media_type="text/csv", filename=f"import-{visit.number('id')}-refused.csv")


def _noted(visit: Visit, action: str, import_id: int) -> None:
    """Tell the audit log."""
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, action, f"import {import_id}", {}, visit.now)


def _found(visit: Visit) -> collect.Import:
    with visit.ws.transaction() as conn:
        return collect.import_of(conn, visit.number("id"))


def _examined(visit: Visit, found: collect.Import) -> collect.Examined:
    """The file as it is guessed, or read as the form says."""
    form = import_form.file_form(visit.form) if visit.method == "POST" else None
    return collect.examine(Path(found.file_path), found.file_name, visit.ws.settings.timezone, form)


def _listed(visit: Visit, problem: dict[str, Any] | None) -> dict[str, Any]:
    before = visit.asked_number("before") or None
    with visit.ws.transaction() as conn:
        found = collect.imports(conn, before, AT_ONCE + 1)
    more = found[AT_ONCE - 1].id if len(found) > AT_ONCE else None
    return {"found": found[:AT_ONCE], "more": more, "before": before, "problem": problem, "states": collect.STATES, "colours": COLOURS}


def _form(
    visit: Visit, found: collect.Import, examined: collect.Examined | None = None, *, look: collect.ImportResult | None = None,
    problem: dict[str, Any] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    """The draft's form: what was guessed, or what the person said since; the file is looked at unless it was already."""
    try:
        examined = examined or _examined(visit, found)
    except CeglaError as error:
        examined, problem, status = None, problem or error.problem(visit.language), error.status
    form = import_form.shown(examined, visit.form if visit.method == "POST" else None, found.file_name) if examined else None
    model = {
        "found": found, "examined": examined, "form": form, "look": look, "problem": problem, "bases": BASES,
        "places": import_form.PLACES, "types": import_form.TYPES, "formats": import_form.FORMATS, "encodings": import_form.ENCODINGS,
        "regions": [(key, visit.tongue.country(key)) for key in import_form.NEIGHBOURS],
        "separators": import_form.SEPARATORS, "kinds": import_form.KINDS, "problems": collect.PROBLEMS, "most": LOOKED_AT, "event_name": event_name,
    }  # fmt: skip
    return visit.page("import_form.html", model, status=status)
