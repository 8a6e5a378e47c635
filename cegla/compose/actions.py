"""The door to `compose`: begin letters and snippets, keep each edit, undo, publish versions, draw, check, and give a campaign what it says."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import msgspec

from cegla.activate import actions as activate
from cegla.compose import following as following
from cegla.compose import images as images
from cegla.compose import reading as reading
from cegla.compose import store
from cegla.compose.reading import LETTER, SNIPPET, Use, users_of
from cegla.compose.rules import document as document
from cegla.compose.rules import drawing, links, plain
from cegla.compose.rules.checks import PREHEADER_SEEN as PREHEADER_SEEN
from cegla.compose.rules.checks import SUBJECT_SEEN as SUBJECT_SEEN
from cegla.compose.rules.checks import cut as cut
from cegla.compose.rules.conditions import CONDITIONS as CONDITIONS
from cegla.compose.rules.conditions import NOT as NOT
from cegla.compose.rules.conditions import TURNED as TURNED
from cegla.compose.rules.document import LOOK as LOOK
from cegla.compose.rules.document import Block as Block
from cegla.compose.rules.document import Document as Document
from cegla.compose.rules.drawing import mjml as mjml
from cegla.compose.rules.kinds import BLOCKS as BLOCKS
from cegla.compose.rules.links import TAGS as TAGS
from cegla.compose.store import SQL
from cegla.compose.store import Letter as Letter
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.errors.messages import LetterChanged, TemplateInvalid
from cegla.vocabulary.text import Language, Text

FIRST = "A"
NO_VERSION = Text("list nie ma jeszcze wersji: zapisz ją najpierw", "the letter has no version yet: save one first")
LONGEST = 400_000  #: characters of a whole document
TOO_LONG = Text("list jest za długi", "the letter is too long")
STARTS = ("heading", "text", "button", "footer")  #: the blocks a new letter begins with


class Press:
    """One template worker for whoever looks at letters; safe for many threads, of which one at a time is served."""

    def __init__(self) -> None:
        self._lock, self._renderer = Lock(), activate.Renderer()
        self.close = weakref.finalize(self, self._renderer.close)  #: ends the worker, at the latest with the process

    def compiled(self, letter: Document, snippets: Mapping[str, Document], language: Language) -> dict[str, Any]:
        """The parts of a letter: subject, mjml, html and text, with its UTM parameters. Raises TemplateInvalid."""
        with self._lock:
            return _compiled(self._renderer, letter, snippets, language)

    def shown(self, ws: Workspace, compiled: Mapping[str, Any], person_id: int | None = None) -> activate.contents.Seen:
        """The letter as a person would see it; nobody named: with every fallback. Raises TemplateInvalid, HeaderRefused."""
        with self._lock:
            return activate.contents.shown(ws, self._renderer, compiled, person_id)

    def missing(self, ws: Workspace, compiled: Mapping[str, Any], segment_id: int) -> list[activate.contents.Missing]:
        """Which fields of the person lack a value across a segment."""
        with self._lock:
            return activate.contents.missing(ws, self._renderer, compiled, segment_id)


def begin(conn: Connection, kind: str, name: str, author: "Author", copied: Document | None = None) -> Letter:
    """A new letter or snippet, as a copy of another or with the blocks that most letters begin with."""
    first = copied or _first(kind, author.language)
    number = int(SQL.add_letter(conn, kind=kind, name=name.strip()[:200] or "–", now=author.now, actor=author.name))
    SQL.add_edit(conn, id=number, revision=1, document=store.written(first), now=author.now)
    return store.letter(conn, number)


def remove(conn: Connection, letter_id: int) -> None:
    """Forget a letter, or a snippet that nothing uses. Raises NotFound, InvalidInput."""
    users = users_of(conn, letter_id)
    if users:
        names = ", ".join(name for _, _, name in users)
        raise InvalidInput(where="letter", seen=letter_id, detail=Text(f"używają jej: {names}", f"used by: {names}"))
    if not SQL.remove_letter(conn, id=letter_id):
        raise store.absent(letter_id)


def keep(conn: Connection, edit: "Edit") -> Letter:
    """Keep an edit of a draft as one step that can be undone; nothing changed, no step.

    Raises LetterChanged when somebody else's page wrote in between: nobody's work is written over unseen.
    """
    if len(msgspec.json.encode(edit.document)) > LONGEST:
        raise InvalidInput(where="letter", detail=TOO_LONG)
    now_at, _, last = store.locked(conn, edit.letter_id)
    if now_at != edit.revision and last != edit.editor:
        raise LetterChanged(where="revision", seen=edit.revision, who=store.letter(conn, edit.letter_id).changed_by)
    before = store.letter(conn, edit.letter_id)
    if before.document == edit.document and edit.name in ("", before.name):
        return before
    following = now_at + 1
    SQL.drop_edits(conn, id=edit.letter_id, revision=now_at, kept=store.KEPT_EDITS)
    SQL.add_edit(conn, id=edit.letter_id, revision=following, document=store.written(edit.document), now=edit.author.now)
    _stand(conn, edit, following, following)
    return store.letter(conn, edit.letter_id)


def step(conn: Connection, edit: "Edit", steps: int) -> Letter:
    """Go back to the edit before (-1), or forward again to one that was undone (1), as far as there is one."""
    revision, newest, _ = store.locked(conn, edit.letter_id)
    wanted = SQL.edit_before(conn, id=edit.letter_id, revision=revision) if steps < 0 else revision + 1 if revision < newest else None
    if wanted is not None:
        _stand(conn, edit, wanted, newest)
    return store.letter(conn, edit.letter_id)


def publish(ws: Workspace, press: Press, letter_id: int, author: "Author") -> tuple[int, list[Use]]:
    """Make the draft the next version, for good; the campaigns not sent yet that use it, or a letter that holds it, are given what it says now.

    The letter must compile, and its images be here. Returns the version and the campaigns that were given it. Raises TemplateInvalid, InvalidInput, NotFound.
    """
    with ws.transaction() as conn:
        found = store.letter(conn, letter_id)
        press.compiled(found.document, store.snippets(conn), author.language)
        images.require(conn, msgspec.json.encode(found.document).decode(), ws.settings.app.address)
        version = int(SQL.publish(conn, id=letter_id))
        SQL.add_version(conn, id=letter_id, version=version, document=store.written(found.document), now=author.now, actor=author.name)
        given = [use for one in _reached(conn, found) for use in _give_again(conn, press, one, author)]
    return version, given


def give(conn: Connection, press: Press, letter_id: int, place: tuple[int, str], author: "Author") -> None:
    """A campaign that was not sent yet (`place`: its number and which variant) says what the newest version of a letter says.

    Later versions reach it too, until it is sent. Raises NotFound, InvalidInput, CampaignNotReady.
    """
    found = store.letter(conn, letter_id)
    campaign_id, variant = place
    if not found.version:
        raise InvalidInput(where="letter", seen=found.name, detail=NO_VERSION)
    newest = store.versions(conn, letter_id)[0].document
    activate.contents.require_draft(conn, campaign_id)
    activate.contents.put(conn, campaign_id, variant, press.compiled(newest, store.snippets(conn), author.language), author.now)
    SQL.use(conn, campaign_id=campaign_id, variant=variant, letter_id=letter_id, version=found.version)


@dataclass(frozen=True)
class Edit:
    """An edit as a page sends it: the whole document, the revision the page saw, and which open page it is."""

    letter_id: int
    document: Document
    revision: int
    editor: str
    author: "Author"
    name: str = ""


@dataclass(frozen=True)
class Author:
    """Who writes, in which language, and when (UTC)."""

    name: str
    language: Language
    now: datetime


def _first(kind: str, language: Language) -> Document:
    wanted = STARTS if kind == LETTER else ("text",)
    blocks = [Block(f"b{number}", key, {field.key: field.example.say(language) for field in BLOCKS[key].fields}) for number, key in enumerate(wanted, 1)]
    subject = Text("Nowości tego tygodnia", "New this week").say(language) if kind == LETTER else ""
    return Document(subject=subject, blocks=tuple(blocks), tags=dict(links.USUAL_TAGS) if kind == LETTER else {})


def _compiled(renderer: activate.Renderer, letter: Document, snippets: Mapping[str, Document], language: Language) -> dict[str, Any]:
    made = activate.contents.parts(renderer, letter.subject, drawing.mjml(letter, snippets, language), plain.text(letter, snippets))
    return made | {"html": links.tagged_html(made["html"], letter.tags), "text": links.tagged_text(made["text"], letter.tags)}


def _stand(conn: Connection, edit: Edit, revision: int, newest: int) -> None:
    name = edit.name.strip()[:200] or None
    SQL.stand_at(conn, id=edit.letter_id, revision=revision, newest=newest, editor=edit.editor, name=name, now=edit.author.now, actor=edit.author.name)


def _reached(conn: Connection, changed: Letter) -> Sequence[Letter]:
    """The letter itself, or for a snippet every letter whose published version may hold it, however deep."""
    if changed.kind == LETTER:
        return [changed]
    found, waiting = {}, [changed.id]
    while waiting:
        for number, kind, _ in SQL.users(conn, id=waiting.pop()):
            if number not in found:
                found[number] = store.letter(conn, number)
                waiting += [number] if kind == SNIPPET else []
    return [one for one in found.values() if one.kind == LETTER and one.version]


def _give_again(conn: Connection, press: Press, one: Letter, author: "Author") -> list[Use]:
    """Give the drafts of campaigns that use a letter what its newest version says now."""
    drafts = [use for use in reading.uses(conn, one.id) if use.state == "draft"]
    if not drafts:
        return []
    newest = store.versions(conn, one.id)[0]
    try:
        compiled = press.compiled(newest.document, store.snippets(conn), author.language)
    except TemplateInvalid as error:
        raise TemplateInvalid(where=f"{one.name}: {error.where}", detail=error.facts.get("detail", "")) from None
    for use in drafts:
        activate.contents.put(conn, use.campaign_id, use.variant, compiled, author.now)
        SQL.use(conn, campaign_id=use.campaign_id, variant=use.variant, letter_id=one.id, version=newest.version)
    return drafts
