"""Letters and snippets: list, read, write, look at, try, publish, give to a campaign. A draft is a document: blocks, or MJML of one's own."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec

from cegla.activate import actions as activate
from cegla.api.call import Opened, person_number
from cegla.api.message_shapes import GiveBody, ImageBody, LetterBody, PerhapsPerson, TestSend
from cegla.compose import actions as compose
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.people import person_label


def listed(call: Opened) -> Any:
    """Letters and snippets, the newest change first, without what they say."""
    with call.ws.transaction() as conn:
        found = [one for kind in ("letter", "snippet") for one in compose.reading.letters(conn, kind)]
    return {"letters": [_row(one) for one in found]}


def shown(call: Opened, letter_id: int) -> Any:
    """One letter or snippet with its draft, its versions, and the campaigns that were given it."""
    with call.ws.transaction() as conn:
        found = compose.reading.letter(conn, letter_id)
        versions = [{"version": one.version, "made_at": one.made_at, "made_by": one.made_by} for one in compose.reading.versions(conn, letter_id)]
        uses = compose.reading.uses(conn, letter_id)
    return {**_row(found), "document": msgspec.to_builtins(found.document), "versions": versions, "uses": uses}


def save(call: Opened, body: LetterBody) -> Any:
    """Begin a letter or snippet, or change the draft of one (`id`); with `dry_run` only check it. Raises InvalidInput, LetterChanged, TemplateInvalid.

    A change is one step that the editor can undo. Give the `revision` you read, and what somebody else wrote since is not written over.
    """
    document, author = compose.reading.by_hand(body.document, call.language), _author(call)
    with _press() as press, call.ws.transaction() as conn:
        press.compiled(document, compose.reading.snippets(conn), call.language)
        if body.dry_run:
            return {"dry_run": True, "document": msgspec.to_builtins(document)}
        if body.id is None:
            saved = compose.begin(conn, body.kind, body.name, author, document)
        else:
            revision = compose.reading.letter(conn, body.id).revision if body.revision is None else body.revision
            saved = compose.keep(conn, compose.Edit(body.id, document, revision, secrets.token_hex(8), author, body.name))
    call.note("letter.save", f"letter {saved.id}")
    return {**_row(saved), "document": msgspec.to_builtins(saved.document)}


def preview(call: Opened, letter_id: int, body: PerhapsPerson) -> Any:
    """The draft as a person would see it, or with every fallback, and what the checks say; a person's view needs leave to see personal data."""
    number = person_number(body.person) if body.person is not None else None
    if number is not None:
        if not call.may("people.reveal"):
            raise NotPermitted(where="Authorization", seen=call.caller.name, permission="people.reveal")
        call.note("letter.preview", person_label(number), letter=letter_id)
    with _press() as press:
        with call.ws.transaction() as conn:
            found, compiled = _compiled(call, conn, press, letter_id)
        seen = press.shown(call.ws, compiled, number)
    findings = compose.reading.findings(found.document, compiled) if found.kind == "letter" else []
    allowed = seen.verdict.allowed if seen.verdict else None
    made = seen.rendered
    return {"subject": made.subject, "html": made.html, "text": made.text, "allowed": allowed, "findings": findings}


def try_out(call: Opened, letter_id: int, body: TestSend) -> Any:
    """Send one copy of the draft to an address of your own; it counts nowhere."""
    with _press() as press, call.ws.transaction() as conn:
        _, compiled = _compiled(call, conn, press, letter_id)
    activate.contents.trial(call.ws, compiled, body.address)
    call.note("letter.test", f"letter {letter_id}")
    return {"letter": letter_id, "sent": True}


def publish(call: Opened, letter_id: int) -> Any:
    """Make the draft the next version, for good; campaigns not sent yet that use it are given what it says now. Raises TemplateInvalid."""
    with _press() as press:
        version, given = compose.publish(call.ws, press, letter_id, _author(call))
    call.note("letter.publish", f"letter {letter_id}", version=version, campaigns=len(given))
    return {"letter": letter_id, "version": version, "campaigns": given}


def give(call: Opened, letter_id: int, body: GiveBody) -> Any:
    """Give the newest version to a campaign that was not sent yet, as A or as one of its variants. Raises InvalidInput, CampaignNotReady."""
    with _press() as press, call.ws.transaction() as conn:
        compose.give(conn, press, letter_id, (body.campaign_id, body.variant), _author(call))
    call.note("letter.give", f"campaign {body.campaign_id}", letter=letter_id, variant=body.variant)
    return {"letter": letter_id, "campaign": body.campaign_id, "variant": body.variant}


def remove(call: Opened, letter_id: int) -> Any:
    """Forget a letter, or a snippet that nothing uses; campaigns keep what they were given. Raises InvalidInput."""
    with call.ws.transaction() as conn:
        compose.remove(conn, letter_id)
    call.note("letter.remove", f"letter {letter_id}")
    return {"letter": letter_id, "removed": True}


def images(call: Opened) -> Any:
    """The images we host, and what shows each of them."""
    with call.ws.transaction() as conn:
        shown = compose.images.users(conn)
        rows = compose.images.hosted(conn)
    return {"images": [{**one._asdict(), "shown_by": [user._asdict() for user in shown.get(one.name, [])]} for one in rows]}


def remove_image(call: Opened, body: ImageBody) -> Any:
    """Forget an image that nothing shows, or with `dry_run` only say whether it may go. Raises NotFound, InvalidInput."""
    with call.ws.transaction() as conn:
        gone = compose.images.remove(conn, body.name, dry_run=body.dry_run)
    if not body.dry_run:
        call.note("image.remove", f"image {gone.name}")
    return {"image": gone.name, "removed": not body.dry_run}


@contextmanager
def _press() -> Generator[compose.Press]:
    """A template worker for this call."""
    press = compose.Press()
    try:
        yield press
    finally:
        press.close()


def _author(call: Opened) -> compose.Author:
    return compose.Author(call.caller.name, call.language, call.now)


def _compiled(call: Opened, conn: Connection, press: compose.Press, letter_id: int) -> tuple[compose.Letter, dict[str, Any]]:
    found = compose.reading.letter(conn, letter_id)
    return found, press.compiled(found.document, compose.reading.snippets(conn), call.language)


def _row(one: compose.Letter) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "name": one.name, "subject": one.document.subject, "revision": one.revision, "version": one.version,
        "changed_at": one.changed_at, "changed_by": one.changed_by,
    }  # fmt: skip
