"""Letters: the list, the block editor with its live preview, undo, versions, and giving a letter to a campaign."""

import secrets
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.compose import actions as compose
from cegla.console import guard
from cegla.console.digits import whole
from cegla.console.screens.letter_lists import choices_of, traits_of
from cegla.console.views import letter_form
from cegla.console.visit import Visit, go, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.messages import LetterChanged

KINDS = ("letter", "snippet")
VIEWS = ("desk", "phone")


def show(visit: Visit) -> Response:
    """Letters and snippets, the newest change first."""
    with visit.ws.transaction() as conn:
        found = [(kind, compose.reading.letters(conn, kind)) for kind in KINDS]
    return visit.page("letters.html", {"groups": found, "ready": activate.templates()})


def begin(visit: Visit) -> Response:
    """A new letter or snippet: with the usual blocks, as MJML of one's own, from a ready-made template, or as a copy of another."""
    kind, start = visit.field("kind"), visit.field("start")
    ready = activate.templates()
    with visit.ws.transaction() as conn:
        copied = None
        if start in ready:
            copied = compose.Document(subject=visit.required("name"), source=ready[start])
        elif (other := whole(start)) is not None:
            copied = compose.reading.letter(conn, other).document
        made = compose.begin(conn, kind if kind in KINDS else "letter", visit.required("name"), author_of(visit), copied)
        govern.note(conn, visit.actor, "letter.begin", f"letter {made.id}", {}, visit.now)
    return see_other(f"/letters/{made.id}")


def show_one(visit: Visit) -> Response:
    """The editor."""
    with visit.ws.transaction() as conn:
        found = compose.reading.letter(conn, visit.number("id"))
    opened = visit.query["opened"].split(",") if "opened" in visit.query else None
    return visit.page("letter.html", _model(visit, found, secrets.token_hex(8), opened), block="form")


def change(visit: Visit) -> Response:
    """Keep what the form holds, do what the pressed button says, and show the letter again; `part=preview` shows the preview alone."""
    number, wish = visit.number("id"), visit.field("do")
    opened = [str(value) for value in visit.form.getlist("open")]
    with visit.ws.transaction() as conn:
        before = compose.reading.letter(conn, number)
        kept = compose.reading.snippets(conn)
    document = letter_form.document_of(_asked(visit), before.document)
    revision = before.revision if wish == "mine" else int(visit.field("revision") or 0)
    try:
        with visit.ws.transaction() as conn:
            saved = compose.keep(conn, _edit(visit, number, document, revision))
            if wish in ("undo", "redo"):
                saved = compose.step(conn, _edit(visit, number, document, saved.revision), -1 if wish == "undo" else 1)
            elif wish:
                after = letter_form.changed(saved.document, wish, visit.language, visit.field, lambda one: compose.mjml(one, kept, visit.language))
                opened += [block.id for block in after.blocks if saved.document.block(block.id) is None]
                saved = compose.keep(conn, _edit(visit, number, after, saved.revision))
        if wish == "publish":
            version, given = compose.publish(visit.ws, visit.press, number, author_of(visit))
            with visit.ws.transaction() as conn:
                govern.note(conn, visit.actor, "letter.publish", f"letter {number}", {"version": version, "campaigns": len(given)}, visit.now)
            return go(visit, f"/letters/{number}?done=published")
    except CeglaError as error:
        typed = before if isinstance(error, LetterChanged) else draft_of(visit, number)
        model = _model(visit, typed, visit.field("editor"), opened) | {"problem": error.problem(visit.language), "clash": isinstance(error, LetterChanged)}
        if isinstance(error, LetterChanged):
            model |= _form(visit, document, opened)
        return visit.page("letter.html", model, block="form", status=error.status)
    place = {"view": visit.field("view"), "dark": visit.field("dark"), "opened": ",".join(opened)}
    if not visit.partial:
        return see_other(f"/letters/{number}", **place)
    if wish in ("undo", "redo"):  # a fresh page: fields somebody typed in keep what was typed, whatever is swapped under them
        return go(visit, f"/letters/{number}?{urlencode(place)}")
    if visit.query.get("part") == "preview":
        return visit.page("letter.html", _drawn(visit, saved), block="preview")
    return visit.page("letter.html", _model(visit, saved, visit.field("editor"), opened), block="form")


def show_body(visit: Visit) -> Response:
    """The letter's HTML alone for the sandboxed frame, with every fallback, in the light or in the dark."""
    return body_of(visit, None)


def give(visit: Visit) -> Response:
    """Give the newest version to a campaign that was not sent yet, as A or as variant B."""
    number, campaign, variant = visit.number("id"), visit.required("campaign"), visit.field("variant", "A")
    try:
        with visit.ws.transaction() as conn:
            compose.give(conn, visit.press, number, (whole(campaign) or 0, "B" if variant == "B" else "A"), author_of(visit))
            govern.note(conn, visit.actor, "letter.give", f"campaign {campaign}", {"letter": number, "variant": variant}, visit.now)
    except CeglaError as error:
        model = _model(visit, draft_of(visit, number), secrets.token_hex(8), None) | {"problem": error.problem(visit.language)}
        return visit.page("letter.html", model, status=error.status)
    return see_other(f"/campaigns/{campaign}", done="saved")


def remove(visit: Visit) -> Response:
    """Forget a letter; campaigns keep what they were given."""
    number = visit.number("id")
    with visit.ws.transaction() as conn:
        compose.remove(conn, number)
        govern.note(conn, visit.actor, "letter.remove", f"letter {number}", {}, visit.now)
    return see_other("/letters", done="saved")


def author_of(visit: Visit) -> compose.Author:
    """The visitor as an author."""
    return compose.Author(visit.actor, visit.language, visit.now)


def body_of(visit: Visit, person: int | None) -> Response:
    """The HTML of a letter as somebody would see it, where it can do nothing."""
    html = visit.press.shown(visit.ws, compiled_of(visit, draft_of(visit, visit.number("id"))), person).rendered.html
    base = visit.public_address
    shown = letter_form.frame(html, dark=visit.query.get("dark") == "on", base_url=base)
    headers = {"content-security-policy": guard.PREVIEW_POLICY, "x-frame-options": "SAMEORIGIN"}
    return Response(shown, media_type="text/html", headers=headers)


def draft_of(visit: Visit, number: int) -> compose.Letter:
    """A letter with its draft. Raises NotFound."""
    with visit.ws.transaction() as conn:
        return compose.reading.letter(conn, number)


def compiled_of(visit: Visit, found: compose.Letter) -> dict[str, Any]:
    """The parts of a draft as it stands. Raises TemplateInvalid."""
    with visit.ws.transaction() as conn:
        kept = compose.reading.snippets(conn)
    return visit.press.compiled(found.document, kept, visit.language)


def _edit(visit: Visit, number: int, document: compose.Document, revision: int) -> compose.Edit:
    return compose.Edit(number, document, revision, visit.field("editor"), author_of(visit), visit.field("name"))


def _asked(visit: Visit) -> letter_form.Asked:
    """The fields of the form, spaces at their ends included: a text may end in one."""

    def asked(name: str) -> str:
        value = visit.form.get(name, "")
        return value if isinstance(value, str) else ""

    return asked


def _form(visit: Visit, document: compose.Document, opened: list[str] | None) -> dict[str, Any]:
    lists = choices_of(visit)
    return {"document": document, "rows": letter_form.rows(document, lists, opened), "looks": letter_form.looks(document), "images": lists["image"]}


def _drawn(visit: Visit, found: compose.Letter) -> dict[str, Any]:
    """What the preview shows: asked for while somebody types, so nothing else of the page is looked up."""
    view, dark = (visit.field(name) or visit.query.get(name, "") for name in ("view", "dark"))
    problem, compiled, seen = None, None, None
    try:
        compiled = compiled_of(visit, found)
        seen = visit.press.shown(visit.ws, compiled).rendered
    except CeglaError as error:
        problem = error.problem(visit.language)
    worst = [one for one in compose.reading.findings(found.document, compiled) if one.kind in ("bad", "warn")] if compiled and found.kind == "letter" else []
    return {
        "letter": found, "document": found.document, "view": view if view in VIEWS else "desk", "dark": dark == "on",
        "plain": compiled["text"] if compiled else "", "drawing_problem": problem, "seen": seen, "worst": worst,
    }  # fmt: skip


def _model(visit: Visit, found: compose.Letter, editor: str, opened: list[str] | None) -> dict[str, Any]:
    with visit.ws.transaction() as conn:
        about: dict[str, Any] = {"uses": compose.reading.uses(conn, found.id), "users": compose.reading.users_of(conn, found.id)}
        about["drafts"] = [(one.id, one.name) for one in activate.campaigns(conn) if one.state == "draft" and one.channel == "email"]
    return {
        **_drawn(visit, found), **about, **_form(visit, found.document, opened),
        "editor": editor, "problem": None, "clash": False, "kinds": compose.BLOCKS, "tags": compose.TAGS,
        "traits": [] if visit.query.get("part") else traits_of(visit),
    }  # fmt: skip
