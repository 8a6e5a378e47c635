"""Computed traits at the door: read definitions, put them in force, count them for everybody or for just some people.

Definitions and values are kept by the profile slice, which knows people; what counts is here, beside the language of events
that segments use. Values are as of the end of the running minute, like memberships, and equal whether one person was touched or all
were counted. Who objected to profiling has no value of a trait that serves profiling or marketing.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa
import yaml

from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.segment import store
from cegla.segment.rules import calculated, computing
from cegla.segment.rules import traits as trait_rows
from cegla.segment.rules.calculations import CALCULATIONS, Counted, Written, read_counted, read_written
from cegla.segment.rules.history import Ground
from cegla.segment.rules.sentence import Speaker
from cegla.segment.rules.traits import COMPUTED, TraitRow
from cegla.storage import documents
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import RuleInvalid, TraitInUse, TraitInvalid
from cegla.vocabulary.text import Text

Definition = profile.computed.Definition
WAYS = tuple(CALCULATIONS.values())  #: to calculate, one row each
LARGEST_TEXT, MOST_TRAITS, DEEPEST = 200_000, 200, 12
PEOPLE_AT_A_TIME = 100_000
DUE_AT_ONCE = 20_000
SAMPLE = 5


@dataclass(frozen=True)
class Preview:
    """What a definition would give now: how many of all people have a value, and a few of them with theirs."""

    written: Written
    said: Text
    kind: str
    people: int
    known: int
    sample: tuple[tuple[int, Any], ...]


def read(text: str, purposes: Collection[str] = govern.SHIPPED.purposes) -> list[Written]:
    """The definitions of a YAML or JSON text: `traits:` with a name and its fields each; `purposes` are those of the register. Raises TraitInvalid."""
    document = _document_of(text)
    traits = document.get("traits", {} if "ranking" in document else None)
    if not isinstance(traits, dict) or not (0 if "ranking" in document else 1) <= len(traits) <= MOST_TRAITS:  # pyright: ignore[reportUnknownArgumentType]
        detail = Text(
            f"plik ma pole „traits”, a w nim od 1 do {MOST_TRAITS} cech, albo pole „ranking”, albo oba",
            f"a file has a field “traits” with 1 to {MOST_TRAITS} traits, or a field “ranking”, or both",
        )
        raise TraitInvalid(where="/traits", detail=detail)
    return [written(key, body, f"/traits/{key}", purposes) for key, body in traits.items()]  # pyright: ignore[reportUnknownVariableType]


def read_ranking(text: str) -> list[str] | None:
    """Names of sources, the most credible first, where the text has `ranking:`; None where it has none. Raises TraitInvalid."""
    names = _document_of(text).get("ranking")
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnknownVariableType]
        detail = Text("„ranking” to lista nazw źródeł, od najbardziej wiarygodnego", "“ranking” is a list of names of sources, the most credible first")
        raise TraitInvalid(where="/ranking", seen=names, detail=detail)
    return names  # pyright: ignore[reportUnknownVariableType]


def _document_of(text: str) -> dict[str, Any]:
    if len(text) > LARGEST_TEXT:
        raise TraitInvalid(where="/", seen=len(text), detail=Text(f"najwyżej {LARGEST_TEXT} znaków", f"at most {LARGEST_TEXT} characters"))
    try:
        value = documents.read(text, DEEPEST)
    except documents.Unfit as unfit:
        raise TraitInvalid(where=unfit.place, detail=unfit.what) from None
    if not isinstance(value, dict) or not value.keys() <= {"traits", "ranking"}:  # pyright: ignore[reportUnknownMemberType]
        detail = Text("plik ma pola „traits” i „ranking”, i żadnych innych", "a file has the fields “traits” and “ranking”, and no others")
        raise TraitInvalid(where="/", detail=detail)
    return value  # pyright: ignore[reportUnknownVariableType]


def written(key: object, body: object, pointer: str = "", purposes: Collection[str] = govern.SHIPPED.purposes) -> Written:
    """One definition out of its fields. Raises TraitInvalid with a JSON pointer in `where`."""
    try:
        found = read_written(key, body, tuple(purposes), pointer)
    except RuleInvalid as error:
        raise TraitInvalid(where=error.where, seen=error.seen, **error.facts) from None
    if profile.computed.is_built_in(found.key):
        raise TraitInvalid(where=pointer or "/", seen=found.key, detail=Text("tak nazywa się cecha wbudowana", "a built-in trait has this name"))
    return found


def write(definitions: Sequence[Definition], ranking: Sequence[str] = ()) -> str:
    """The definitions, and the ranking of sources where there is one, as YAML that `read` and `read_ranking` read."""
    bodies = {one.key: json.loads(one.document) for one in definitions}
    ranked = {"ranking": list(ranking)} if ranking else {}
    return yaml.safe_dump({**ranked, "traits": bodies}, allow_unicode=True, sort_keys=False, width=140)


def apply(conn: Connection, wanted: Sequence[Written], currency: str, actor: str, now: datetime) -> list[tuple[str, int]]:
    """Put definitions in force; returns the key and version of those that are new. The same once more changes nothing."""
    known = {one.key: one for one in profile.computed.definitions(conn)}
    changed: list[tuple[str, int]] = []
    for one in wanted:
        document = one.to_json()
        if one.key in known and json.loads(known[one.key].document) == document:
            continue
        shape = one.counted.kind, one.counted.calculation.zero, _said(one.counted, currency)
        changed.append((one.key, profile.computed.put(conn, one.key, document, shape, actor, now)))
    return changed


def remove(conn: Connection, key: str, actor: str, now: datetime) -> None:
    """Take a trait away with everybody's values. Raises NotFound, and TraitInUse while a segment speaks of it."""
    users = [row.name for row in store.all_segments(conn) if names_trait(row.rule, f"{COMPUTED}{key}")]
    if users:
        raise TraitInUse(where="trait", seen=key, trait=key, segments=", ".join(users[:5]))
    if not profile.computed.remove(conn, key, actor, now):
        raise NotFound(where="trait", seen=key, thing=Text(f"cecha {key}", f"trait {key}"))


def names_trait(rule: Any, key: str) -> bool:
    """Whether a rule, as JSON, speaks of a trait."""
    if isinstance(rule, Mapping):
        return any((name == "trait" and value == key) or names_trait(value, key) for name, value in rule.items())  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return isinstance(rule, list) and any(names_trait(one, key) for one in rule)  # pyright: ignore[reportUnknownVariableType]


def preview(ws: Workspace, wanted: Written, now: datetime) -> Preview:
    """What a definition would give now, and to whom: not to people who objected to profiling, where it serves that. Nothing is kept."""
    barred = set[int]()
    if profile.computed.is_open_to_objection(wanted.purpose):
        with ws.transaction() as conn:
            barred = profile.places.objecting(conn)
    ground = Ground(_moment(now))
    events: Any = history()
    everybody: Any = events.filter(~events.is_bot)
    people = ws.warehouse.run(everybody.aggregate(people=everybody.person_id.nunique()))["people"][0].as_py()
    found: Any = computing.columns([(wanted.key, wanted.counted)], events, ground)
    with ws.warehouse.people(barred) as left_out:
        known: Any = found.filter(found[wanted.key].notnull()).anti_join(left_out, "person_id")
        count = ws.warehouse.run(known.aggregate(known=known.count()))["known"][0].as_py()
        rows = ws.warehouse.run(known.order_by("person_id").limit(SAMPLE)).to_pylist()
    sample = tuple((row["person_id"], _plain(row[wanted.key])) for row in rows)
    return Preview(wanted, _said(wanted.counted, ws.settings.currency), wanted.counted.kind, people, count, sample)


def refresh(conn: Connection, warehouse: Readable, people: Sequence[int] | None, now: datetime, excluded: Collection[int] = ()) -> None:
    """Count the traits of these people, or of everybody (None), from their whole history. Both give the same."""
    defined = tuple(profile.computed.definitions(conn))
    if not defined:
        return
    moment = _moment(now)
    if people is None:
        documents = warehouse.run(_documents(defined, moment, None))
        profile.computed.keep(conn, _without_objections(defined, documents, excluded), None, now)
        return
    for start in range(0, len(people), PEOPLE_AT_A_TIME):
        some = people[start : start + PEOPLE_AT_A_TIME]
        with warehouse.people(some) as asked:
            operation: Any = asked.op()
            documents = warehouse.run(_documents(defined, moment, operation))
        profile.computed.keep(conn, _without_objections(defined, documents, excluded), some, now)


def refresh_due(conn: Connection, warehouse: Readable, now: datetime, excluded: Collection[int] = ()) -> int:
    """Count again whose values time alone has changed; returns how many people that were, `DUE_AT_ONCE` at most."""
    people = profile.computed.due(conn, _moment(now).replace(tzinfo=UTC), DUE_AT_ONCE)
    if people:
        refresh(conn, warehouse, sorted(people), now, excluded)
    return len(people)


def rows(conn: Connection) -> dict[str, TraitRow]:
    """The computed traits that rules may speak of, by the key they know them by ("computed.orders_90d")."""
    return {f"{COMPUTED}{one.key}": _row(one) for one in profile.computed.definitions(conn)}


def counted(definition: Definition) -> Counted:
    """What a definition counts."""
    return _counted(definition.document)


def _said(counted: Counted, currency: str) -> Text:
    return calculated.sentence(counted, Speaker("pl", currency), Speaker("en", currency))


@lru_cache(maxsize=1_024)
def _row(definition: Definition) -> TraitRow:
    return trait_rows.computed(definition.key, definition.label, definition.kind, definition.zero, counted(definition))


@lru_cache(maxsize=1_024)
def _counted(document: str) -> Counted:
    fields: dict[str, Any] = json.loads(document)
    return read_counted(fields)


@lru_cache(maxsize=32)
def _documents(defined: tuple[Definition, ...], moment: datetime, people: Any) -> Any:
    """The one expression of all traits; kept, because every batch of a minute asks it again."""
    events = history() if people is None else history("events", people.to_expr())
    return computing.documents([(one.key, counted(one)) for one in defined], events, Ground(moment))


def _without_objections(defined: Sequence[Definition], documents: pa.Table, excluded: Collection[int]) -> pa.Table:
    """The values without those that people who objected to profiling must not have."""
    barred = {one.key for one in defined if profile.computed.is_open_to_objection(one.purpose)}
    if not barred or not excluded:
        return documents
    texts = [
        json.dumps({key: value for key, value in json.loads(row["document"]).items() if key not in barred}) if row["person_id"] in excluded else row["document"]
        for row in documents.to_pylist()
    ]
    return documents.set_column(documents.schema.get_field_index("document"), "document", pa.array(texts, pa.string()))


def _moment(now: datetime) -> datetime:
    """The end of the running minute, as naive UTC."""
    whole = now.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None)
    return whole if whole == now.astimezone(UTC).replace(tzinfo=None) else whole + timedelta(minutes=1)


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
