"""The register in force: read at each use, so a change holds from the next question on; kept in versions, so that any moment can be asked about.

There is no memory that could be stale: a use asks which version counts, and only the parsed document is kept, under its digest.
When it cannot be read, the question fails, and so nothing is allowed.
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import yaml
from psycopg.types.json import Jsonb

from cegla.govern import store
from cegla.govern.rules import register_document
from cegla.govern.rules.purposes import SHIPPED, Notice, Purpose, Register, forgotten
from cegla.govern.store import SQL
from cegla.storage import documents
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.access import NoticeKept, RegisterInvalid, RegisterUnreadable
from cegla.vocabulary.text import Text

LARGEST_TEXT, DEEPEST, MOST_PARSED = 500_000, 8, 16
NO_FIELDS = Text("to nie jest zbiór pól", "it is not a mapping of fields")
_parsed: OrderedDict[bytes, Register] = OrderedDict()  #: by digest, so that it holds for every workspace


@dataclass(frozen=True)
class Version:
    """One version of the register: by whom, when and why it was made."""

    number: int
    made_at: datetime
    made_by: str
    why: str


def current(conn: Connection, at: datetime | None = None) -> Register:
    """The register in force now or, with `at`, then. Raises RegisterUnreadable."""
    row = SQL.register_as_of(conn, at=at)
    return SHIPPED if row is None else _parse(conn, row[0], bytes(row[1]))


def purposes(conn: Connection) -> Mapping[str, Purpose]:
    """The purposes in force, by key."""
    return current(conn).purposes


def purpose(conn: Connection, key: str) -> Purpose:
    """One purpose. Raises NotFound."""
    found = current(conn).purposes.get(key)
    if found is None:
        raise NotFound(where="purpose", seen=key, thing=Text(f"cel {key}", f"purpose {key}"))
    return found


def label(conn: Connection, key: str) -> Text:
    """What a purpose is called; its key once the register has it no more."""
    found = current(conn).purposes.get(key)
    return found.label if found else Text(key, key)


def versions(conn: Connection) -> list[Version]:
    """Every version, newest first; empty while what ships holds."""
    return [Version(*row) for row in SQL.register_versions(conn)]


def version(conn: Connection, number: int) -> Register:
    """One version; 0 is what ships. Raises NotFound."""
    digest = SQL.register_digest(conn, number=number) if number else None
    if number and digest is None:
        raise NotFound(where="version", seen=number, thing=Text(f"wersja {number} rejestru", f"version {number} of the register"))
    return SHIPPED if digest is None else _parse(conn, number, bytes(digest))


def text_of(register: Register) -> str:
    """A version as YAML that `read` reads."""
    return yaml.safe_dump(register_document.write(register), allow_unicode=True, sort_keys=False, width=140)


def read(text: str) -> Register:
    """The register that a YAML text says. Raises RegisterInvalid with the place in `where`."""
    if len(text) > LARGEST_TEXT:
        raise RegisterInvalid(where="/", seen=len(text), detail=Text(f"najwyżej {LARGEST_TEXT} znaków", f"at most {LARGEST_TEXT} characters"))
    try:
        document = documents.read(text, DEEPEST)
    except documents.Unfit as unfit:
        raise RegisterInvalid(where=f"line {unfit.line}", detail=unfit.what) from None
    if not isinstance(document, dict):
        raise RegisterInvalid(where="/", seen=type(document).__name__, detail=NO_FIELDS)
    with documents.in_both_languages(RegisterInvalid):
        return register_document.read(document)  # pyright: ignore[reportUnknownArgumentType]


def apply(conn: Connection, wanted: Register, actor: str, why: str, now: datetime) -> int | None:
    """Put a version in force and return its number; None when it says what holds already. Raises RegisterInvalid, NoticeKept."""
    document = register_document.write(wanted)
    register_document.read(json.loads(json.dumps(document)))
    SQL.lock_register(conn)
    before = current(conn)
    if register_document.write(before) == document:
        return None
    for lost in forgotten(before, wanted):
        raise NoticeKept(where="/notices", seen=lost.language, version=lost.version, purpose=lost.purpose)
    digest = sha256(json.dumps(document, sort_keys=True).encode()).digest()
    number = before.number + 1
    SQL.add_register(conn, number=number, document=Jsonb(document), digest=digest, now=now, actor=actor, why=why[:500])
    store.lengthen_audit(conn, now, (actor, "purposes.change", f"register {number}"), {"why": why[:200]})
    return number


def put_purpose(conn: Connection, wanted: Purpose, actor: str, why: str, now: datetime) -> int | None:
    """Add a purpose, or change one, as a new version. Raises RegisterInvalid."""
    held = current(conn)
    return apply(conn, replace(held, purposes={**held.purposes, wanted.key: wanted}), actor, why, now)


def add_notice(conn: Connection, notice: Notice, actor: str, now: datetime) -> int | None:
    """Add the words that people are asked by from now on. Raises RegisterInvalid, NoticeKept."""
    held = current(conn)
    kept = [one for one in held.notices if (one.purpose, one.version, one.language) != (notice.purpose, notice.version, notice.language)]
    return apply(conn, replace(held, notices=(*kept, notice)), actor, f"{notice.purpose} {notice.version} {notice.language}", now)


def _parse(conn: Connection, number: int, digest: bytes) -> Register:
    found = _parsed.get(digest)
    if found is None:
        document: Any = SQL.register_document(conn, number=number)
        try:
            found = register_document.read(document, number)
        except RegisterInvalid as error:
            raise RegisterUnreadable(where=error.where, seen=f"version {number}") from None
        _parsed[digest] = found
        while len(_parsed) > MOST_PARSED:
            _parsed.popitem(last=False)
    return found if found.number == number else replace(found, number=number)
