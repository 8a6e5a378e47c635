"""The tables of `compose`: rows in, frozen values out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from psycopg.types.json import Jsonb

from cegla.compose.rules.document import Document
from cegla.storage import statements
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.text import Text

SQL = statements.load(__file__)
KEPT_EDITS = 100  #: so many steps can be undone


@dataclass(frozen=True)
class Letter:
    """A letter or a snippet as it stands: `document` is the draft at `revision`, `version` the newest published (0: none). Times are UTC."""

    id: int
    kind: str
    name: str
    revision: int
    newest: int
    editor: str
    version: int
    changed_at: datetime
    changed_by: str
    document: Document


class Version(NamedTuple):
    """A published version."""

    version: int
    document: Document
    made_at: datetime
    made_by: str


class Image(NamedTuple):
    """A hosted image: its name (the end of its address), type, size in pixels and bytes, and what its file was called."""

    name: str
    media_type: str
    width: int
    height: int
    bytes: int
    label: str
    added_at: datetime


def letters(conn: Connection, kind: str) -> list[Letter]:
    """Every letter, or every snippet."""
    return [_letter(row) for row in SQL.letters(conn, kind=kind)]


def letter(conn: Connection, letter_id: int) -> Letter:
    """One of them. Raises NotFound."""
    row = SQL.letter(conn, id=letter_id)
    if row is None:
        raise absent(letter_id)
    return _letter(row)


def locked(conn: Connection, letter_id: int) -> tuple[int, int, str]:
    """Keep one of them from changing until the transaction ends: its revision, its newest one, and the page that wrote last. Raises NotFound."""
    row = SQL.lock_letter(conn, id=letter_id)
    if row is None:
        raise absent(letter_id)
    return row


def absent(letter_id: int) -> NotFound:
    """There is none of this number."""
    return NotFound(where="letter", seen=letter_id, thing=Text(f"list {letter_id}", f"letter {letter_id}"))


def versions(conn: Connection, letter_id: int) -> list[Version]:
    """The published versions of one, newest first."""
    return [Version(number, read(document), at, by) for number, document, at, by in SQL.versions(conn, id=letter_id)]


def snippets(conn: Connection) -> dict[str, Document]:
    """What each snippet says now, by its number as text."""
    return {str(number): read(document) for number, _, document in SQL.newest_versions(conn)}


def written(document: Document) -> Jsonb:
    """A document as it is stored."""
    return Jsonb(msgspec.to_builtins(document))


def read(stored: Any) -> Document:
    """A stored document."""
    return msgspec.convert(stored, Document)


def _letter(row: tuple[Any, ...]) -> Letter:
    number, kind, name, revision, newest, editor, version, changed_at, changed_by, document = row
    return Letter(number, kind, name, revision, newest, editor, version, changed_at, changed_by, read(document))
