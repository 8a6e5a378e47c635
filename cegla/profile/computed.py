"""Computed traits as they are kept: definitions with their versions, and everybody's values. Who counts them: `segment.computed`."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

import pyarrow as pa
from psycopg.types.json import Jsonb

from cegla.profile import store
from cegla.profile.catalogue import TRAITS as ANALYSED
from cegla.profile.rules.computed import OPEN_TO_OBJECTION, VALUE_TYPES, Definition, trait_of, value_of, why
from cegla.profile.rules.traits import BY_KEY
from cegla.storage.workspace import Connection
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Text


def definitions(conn: Connection) -> list[Definition]:
    """The computed traits that are defined now, by key."""
    return [found for row in store.SQL.current_definitions(conn) if not (found := _definition(row)).removed]


def versions(conn: Connection, key: str) -> list[Definition]:
    """Every version of one, newest first; empty when there never was one."""
    return [_definition(row) for row in store.SQL.definition_versions(conn, key=key)]


def is_open_to_objection(purpose: str) -> bool:
    """Whether people who objected to profiling must have no value of a trait for this purpose."""
    return purpose in OPEN_TO_OBJECTION


def is_built_in(key: str) -> bool:
    """Whether a trait of this name comes with the product."""
    return key in BY_KEY or key in ANALYSED


def put(conn: Connection, key: str, document: Mapping[str, Any], shape: tuple[str, bool, Text], actor: str, now: datetime) -> int:
    """Define a trait, anew or for the first time, and return the version. `shape` is its kind, whether it can be zero, and its sentence."""
    kind, zero, said = shape
    return store.SQL.add_definition(
        conn, key=key, document=Jsonb(dict(document)), kind=kind, zero=zero, said_pl=said.pl, said_en=said.en, now=now, actor=actor
    )


def remove(conn: Connection, key: str, actor: str, now: datetime) -> bool:
    """Take a trait away with everybody's values; False when there is none. Its versions stay, to be read."""
    store.SQL.drop_computed_values(conn, key=key)
    return store.SQL.remove_definition(conn, key=key, now=now, actor=actor) > 0


def keep(conn: Connection, documents: pa.Table, people: Sequence[int] | None, now: datetime) -> None:
    """Keep the values of `people`, or of everybody (None): `person_id`, `document`, `due_at` (naive UTC). Who is missing has none."""
    store.SQL.make_incoming_computed(conn)
    with conn.cursor() as cursor, cursor.copy(store.SQL.fill_incoming_computed.sql) as copy:
        for row in documents.to_pylist():
            due = row["due_at"]
            copy.write_row((row["person_id"], store.without_nul(row["document"]), due and due.replace(tzinfo=UTC)))
    store.SQL.drop_computed_of_others(conn, ids=None if people is None else list(people))
    store.SQL.keep_computed(conn, now=now)
    store.SQL.empty_incoming_computed(conn)


def due(conn: Connection, now: datetime, limit: int) -> list[int]:
    """People whose values time alone has changed, up to `limit`, those longest due first."""
    return [person for (person,) in store.SQL.find_due_computed(conn, now=now, limit=limit)]


def coverage(conn: Connection) -> dict[str, int]:
    """How many people have a value of each computed trait; one that nobody has is left out."""
    return dict(store.SQL.count_computed(conn))


def known_of(conn: Connection, person_id: int, now: datetime, zone: tzinfo) -> list[tuple[Definition, Trait, Text]]:
    """The computed traits of a person, unknown ones too, each with its definition and the sentence that says why."""
    defined = definitions(conn)
    if not defined:
        return []
    found = next(iter(store.SQL.find_computed(conn, ids=[person_id])), None)
    kept, computed_at = (found[1], found[2]) if found else ({}, now)
    traits = [(one, trait_of(one, kept.get(one.key) or {}, computed_at)) for one in defined]
    return [(one, trait, why(one, trait, now, zone)) for one, trait in traits]


def values_of(conn: Connection, people: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Plain values by person and key, for lists and for the fields of messages; what is unknown is left out."""
    defined = definitions(conn)
    if not defined:
        return {}
    kept = {person: known for person, known, _ in store.SQL.find_computed(conn, ids=list(people))}
    values = {person: {field_name(one): value_of(one, kept.get(person, {}).get(one.key) or {}) for one in defined} for person in people}
    return {person: {key: value for key, value in known.items() if value is not None} for person, known in values.items()}


def field_name(definition: Definition) -> str:
    """The name of its value among plain values: amounts say their unit, as everywhere."""
    return f"{definition.key}_micros" if definition.kind == "money" else definition.key


def value_type(definition: Definition) -> str:
    """How a page shows it: number, micros, moment, word or list."""
    return VALUE_TYPES[definition.kind]


def _definition(row: tuple[Any, ...]) -> Definition:
    key, version, text, kind, zero, said_pl, said_en, made_at, made_by, removed = row
    document = json.loads(text)
    label = document["label"]
    said = Text(said_pl, said_en)
    return Definition(
        key, version, Text(label["pl"], label["en"]), document["purpose"], bool(document.get("on_site")), text, kind, zero, said, made_at, made_by, removed
    )
