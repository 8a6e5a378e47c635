"""The rules about identifiers that are in force: versions of one document, the newest counts. Every slice that normalizes asks here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from psycopg.types.json import Jsonb

from cegla.storage.workspace import Connection
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, IdentifierRules, read_rules


@dataclass(frozen=True)
class RuleVersion:
    """One version: the document as written, by whom and when, and when everybody had been derived by it (None: that goes on)."""

    number: int
    document: dict[str, Any]
    made_at: datetime
    made_by: str
    settled_at: datetime | None
    moved: int


def current_rules(conn: Connection) -> IdentifierRules:
    """The rules in force."""
    row = conn.execute("select document::text from storage.identifier_rules order by number desc limit 1").fetchone()
    return _read(row[0]) if row else DEFAULT_RULES


def rule_versions(conn: Connection) -> list[RuleVersion]:
    """Every version, newest first; empty while the defaults hold."""
    rows = conn.execute("select number, document, made_at, made_by, settled_at, moved from storage.identifier_rules order by number desc")
    return [RuleVersion(*row) for row in rows.fetchall()]


def add_rules(conn: Connection, document: Mapping[str, Any], actor: str, now: datetime) -> int:
    """Put a new version in force and return its number. Raises IdentityRulesInvalid."""
    read_rules(document)
    row = conn.execute(
        "insert into storage.identifier_rules (number, document, made_at, made_by)"
        " select coalesce(max(number), 0) + 1, %s, %s, %s from storage.identifier_rules returning number",
        [Jsonb(dict(document)), now, actor],
    ).fetchone()
    return row[0] if row else 0


def note_settling(conn: Connection, moved: int, settled_at: datetime | None) -> None:
    """Say how far deriving by the newest version is."""
    conn.execute(
        "update storage.identifier_rules set moved = moved + %s, settled_at = coalesce(settled_at, %s)"
        " where number = (select max(number) from storage.identifier_rules)",
        [moved, settled_at],
    )


@lru_cache(maxsize=16)
def _read(document: str) -> IdentifierRules:
    return read_rules(json.loads(document))
