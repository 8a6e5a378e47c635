"""Before a letter leaves: what the checks say, the inbox line, a person's own view, what an audience lacks, a trial; its versions; our images."""

from collections.abc import Sequence
from typing import Any

from starlette.datastructures import UploadFile
from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.compose import actions as compose
from cegla.console.screens.letters import author_of, body_of, compiled_of, draft_of
from cegla.console.views import states
from cegla.console.views.ready_made import segment_name
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.vocabulary.errors import CeglaError, InvalidInput, NotFound
from cegla.vocabulary.people import parse_person_label, person_label

RESTORED = "versions"  #: in place of an open page's name, so that no open page takes the restored draft for its own
IMAGE_HEADERS = {
    "cache-control": "public, max-age=604800, immutable",
    "cross-origin-resource-policy": "cross-origin",
    "content-security-policy": "default-src 'none'; sandbox",
}


def show(visit: Visit) -> Response:
    """The checks of the draft; with a segment, what its members lack."""
    return _page(visit)


def show_person(visit: Visit) -> Response:
    """The letter as one person would see it, and whether it may be sent to them; whose view was taken is noted."""
    return _page(visit, person=visit.field("person"))


def show_person_body(visit: Visit) -> Response:
    """The HTML of that view, for the sandboxed frame."""
    person = parse_person_label(visit.arguments["person"]) or 0
    _note_view(visit, person)
    return body_of(visit, person)


def follow_links(visit: Visit) -> Response:
    """Ask every address of the letter whether it is there."""
    try:
        followed = compose.following.followed(compiled_of(visit, draft_of(visit, visit.number("id")))["html"])
    except CeglaError as error:
        return _page(visit, problem=error.problem(visit.language), status=error.status)
    return _page(visit, followed=followed)


def send_trial(visit: Visit) -> Response:
    """One copy to an address of one's own."""
    try:
        visit.required("address")
        activate.contents.trial(visit.ws, compiled_of(visit, draft_of(visit, visit.number("id"))), visit.field("address"))
        with visit.ws.transaction() as conn:
            govern.note(conn, visit.actor, "letter.test", f"letter {visit.number('id')}", {}, visit.now)
    except CeglaError as error:
        return _page(visit, problem=error.problem(visit.language), status=error.status)
    return see_other(f"/letters/{visit.number('id')}/check", done="test-sent")


def show_versions(visit: Visit) -> Response:
    """The versions, and what two of them differ in; 0 is the draft."""
    number = visit.number("id")
    with visit.ws.transaction() as conn:
        found = compose.reading.letter(conn, number)
        known = compose.reading.versions(conn, number)
    documents = {0: found.document} | {one.version: one.document for one in known}
    before, after = visit.asked_number("a", found.version), visit.asked_number("b")
    lines = compose.reading.compared(documents[before], documents[after], visit.language) if before in documents and after in documents else []
    return visit.page("letter_versions.html", {"letter": found, "versions": known, "before": before, "after": after, "lines": lines})


def restore(visit: Visit) -> Response:
    """Make a version the draft again; it is a step like any other and can be undone."""
    number, wanted = visit.number("id"), visit.field("version")
    with visit.ws.transaction() as conn:
        found = compose.reading.letter(conn, number)
        version = next((one for one in compose.reading.versions(conn, number) if str(one.version) == wanted), None)
        if version is None:
            raise NotFound(where="version", seen=wanted, thing=wanted)
        compose.keep(conn, compose.Edit(number, version.document, found.revision, RESTORED, author_of(visit)))
        govern.note(conn, visit.actor, "letter.restore", f"letter {number}", {"version": version.version}, visit.now)
    return see_other(f"/letters/{number}", done="saved")


def show_images(visit: Visit) -> Response:
    """The images we host."""
    return _images(visit)


def add_image(visit: Visit) -> Response:
    """Take an upload in, or say why not."""
    upload = visit.form.get("image")
    try:
        raw = upload.file.read(2_000_000) if isinstance(upload, UploadFile) else b""
        with visit.ws.transaction() as conn:
            made = compose.images.host(conn, raw, upload.filename or "" if isinstance(upload, UploadFile) else "", visit.now)
            govern.note(conn, visit.actor, "image.host", f"image {made.name}", {}, visit.now)
    except CeglaError as error:
        return _images(visit, error)
    return see_other("/letters/images", done="saved")


def show_image_removal(visit: Visit) -> Response:
    """The dry run: whether an image may go, and what shows it."""
    name, problem = visit.arguments["name"], None
    with visit.ws.transaction() as conn:
        shown = compose.images.users(conn).get(name, [])
        try:
            compose.images.remove(conn, name, dry_run=True)
        except InvalidInput as error:
            problem = error.problem(visit.language)
    return visit.page("image_remove.html", {"name": name, "shown": shown, "problem": problem})


def remove_image(visit: Visit) -> Response:
    """Forget an image that nothing shows. Raises NotFound, InvalidInput."""
    with visit.ws.transaction() as conn:
        gone = compose.images.remove(conn, visit.arguments["name"])
        govern.note(conn, visit.actor, "image.remove", f"image {gone.name}", {}, visit.now)
    return see_other("/letters/images", done="saved")


def show_image(visit: Visit) -> Response:
    """A hosted image, for whoever has its address: mail programs, above all."""
    with visit.ws.transaction() as conn:
        media_type, content = compose.images.content(conn, visit.arguments["name"])
    return Response(content, media_type=media_type, headers=IMAGE_HEADERS)


def _images(visit: Visit, error: CeglaError | None = None) -> Response:
    with visit.ws.transaction() as conn:
        rows, shown = compose.images.hosted(conn), compose.images.users(conn)
    base = visit.public_address
    model = {"rows": rows, "shown": shown, "base": base, "problem": error.problem(visit.language) if error else None}
    return visit.page("images.html", model, status=error.status if error else 200)


def _page(visit: Visit, *, person: str = "", problem: dict[str, Any] | None = None, status: int = 200, followed: Sequence[Any] | None = None) -> Response:
    with visit.ws.transaction() as conn:
        found = compose.reading.letter(conn, visit.number("id"))
        segments = [(one.id, visit.tongue.say(segment_name(one.name))) for one in segment.segments(conn)]
    wanted, number = visit.asked_number("segment"), parse_person_label(person) if person else None
    seen, findings, missing = None, [], []
    try:
        compiled = compiled_of(visit, found)
        findings = compose.reading.findings(found.document, compiled)
        missing = visit.press.missing(visit.ws, compiled, wanted) if wanted else []
        if number is not None:
            _note_view(visit, number)
        seen = visit.press.shown(visit.ws, compiled, number)
    except CeglaError as error:
        problem, status = problem or error.problem(visit.language), error.status
    subject = seen.rendered.subject if seen else found.document.subject
    line = {"subject": compose.cut(subject, compose.SUBJECT_SEEN), "preheader": compose.cut(found.document.preheader, compose.PREHEADER_SEEN)}
    model = {
        "letter": found, "findings": findings, "segments": segments, "segment": wanted, "missing": missing, "asked": person, "person": number, "seen": seen,
        "line": line, "header": activate.contents.inbox_line(subject), "problem": problem, "smtp": visit.ws.settings.smtp, "address": visit.field("address"),
        "followed": followed, "verdicts": states.VERDICTS, "view": "phone" if visit.field("view") == "phone" else "desk", "dark": visit.field("dark") == "on",
    }  # fmt: skip
    return visit.page("letter_check.html", model, status=status)


def _note_view(visit: Visit, person: int) -> None:
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "letter.preview", person_label(person), {"letter": visit.number("id")}, visit.now)
