"""What a page reads of letters and snippets: the drafts, their versions, what uses them, what two versions differ in, what the checks say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cegla.activate import actions as activate
from cegla.compose import store
from cegla.compose.rules import checks, comparing, given
from cegla.compose.rules.document import Document
from cegla.compose.store import SQL, Letter, Version
from cegla.storage.workspace import Connection
from cegla.vocabulary.text import Language

LETTER, SNIPPET = "letter", "snippet"


@dataclass(frozen=True)
class Use:
    """A campaign that was given a letter: as which variant, in which version."""

    campaign_id: int
    campaign: str
    state: str
    variant: str
    version: int


def letters(conn: Connection, kind: str = LETTER) -> list[Letter]:
    """Every letter, or every snippet, the newest change first."""
    return store.letters(conn, kind)


def letter(conn: Connection, letter_id: int) -> Letter:
    """One letter or snippet with its draft. Raises NotFound."""
    return store.letter(conn, letter_id)


def uses(conn: Connection, letter_id: int) -> list[Use]:
    """The campaigns that were given a letter."""
    known = {one.id: one for one in activate.campaigns(conn)}
    rows = [(known[number], variant, version) for number, variant, version in SQL.uses(conn, id=letter_id) if number in known]
    return [Use(one.id, one.name, one.state, variant, version) for one, variant, version in rows]


def letters_of(conn: Connection, campaign_id: int) -> list[tuple[str, int, str, int]]:
    """The letters that a campaign was given: as which variant, number, name, version."""
    return list(SQL.letters_of(conn, campaign_id=campaign_id))


def users_of(conn: Connection, letter_id: int) -> list[tuple[int, str, str]]:
    """The drafts that hold a snippet: number, kind and name."""
    return list(SQL.users(conn, id=letter_id))


def versions(conn: Connection, letter_id: int) -> list[Version]:
    """The published versions, newest first."""
    return store.versions(conn, letter_id)


def compared(before: Document, after: Document, language: Language) -> list[comparing.Line]:
    """Two versions as lines, those that changed marked."""
    return comparing.compared(before, after, language)


def snippets(conn: Connection) -> dict[str, Document]:
    """What each published snippet says, by its number as text."""
    return store.snippets(conn)


def by_hand(said: Mapping[str, Any], language: Language) -> Document:
    """A document as somebody wrote it in YAML or JSON, checked. Raises InvalidInput with the place of the mistake."""
    return given.document(said, language)


def findings(document: Document, compiled: Mapping[str, Any]) -> list[checks.Finding]:
    """What a careful person would tell the author before the letter leaves."""
    return checks.findings(checks.Draft(document.subject, document.preheader, compiled["html"], compiled["text"]))
