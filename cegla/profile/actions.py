"""The door to profiles: enrich events, refresh and read what is known of people.

What has more to it has a room of its own behind this door: `declared` (what was said of people, and whose word holds: sources by rank,
corrections), `computed` (traits people define), `runs` (analysers), `past` (the history of people), `places`, and `stories` (a profile as it
is read).
"""

from collections.abc import Hashable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from itertools import islice
from typing import Any, cast

import ibis.expr.types as ir
import msgspec
import pyarrow as pa

from cegla.profile import computed as computed
from cegla.profile import declared as declared
from cegla.profile import findings, store
from cegla.profile import past as past
from cegla.profile import places as places
from cegla.profile import runs as runs
from cegla.profile import story as stories
from cegla.profile.catalogue import TRAITS as ANALYSED  #: by key: the analyser and its row
from cegla.profile.known import SCORES as SCORES
from cegla.profile.known import KnownPeople as KnownPeople
from cegla.profile.past import PastEvent as PastEvent
from cegla.profile.rules import enrichment, reasons
from cegla.profile.rules.enrichment import Batch as Numbers
from cegla.profile.rules.enrichment import Declared
from cegla.profile.rules.facts import document, facts
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sentences import corrected_why, declared_why, why
from cegla.profile.rules.sessions import Remembered, Sessions
from cegla.profile.rules.traits import TRAITS, readable
from cegla.storage.dividing import parts
from cegla.storage.warehouse import Readable, history
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Text
from cegla.vocabulary.world import World

MOST_SESSIONS = 100_000  #: of as many identities intake remembers the last sessions
PEOPLE_AT_A_TIME = 20_000  #: how many profiles a refresh computes in one go: each takes 5 kB meanwhile, and a further go a second of processor


@dataclass(frozen=True)
class Enriched:
    """A batch ready for the warehouse: `tables` by name (see `storage/warehouse.py`), and what identify calls declared."""

    tables: dict[str, pa.Table]
    declared: list[Declared]


@dataclass(frozen=True)
class KnownTrait:
    """A trait with the words to show it: `why` answers "Skąd to wiemy?". `value_type` is that of its row, or "declared"."""

    trait: Trait
    label: Text
    why: Text
    value_type: str
    origin: declared.Origin | None = None  #: of a declared trait, where it is from


@dataclass(frozen=True)
class Profile:
    """What is known of one person: computed traits in the order of `TRAITS`, what analysers found, then the declared ones by name."""

    person_id: int
    traits: tuple[KnownTrait, ...]
    computed_at: datetime | None
    story: stories.Story | None = None  #: the consumer profile as it is read


class SessionMemory(dict[int, Remembered]):
    """The last sessions of identities seen lately, and what enrichment remembers; to be made anew when a transaction it was used in did not commit."""

    def __init__(self) -> None:
        super().__init__()
        self._enrichment = Memory()

    def of(self, world: World | None) -> Memory:
        """What enrichment remembers of this world; nothing yet when it is another than before."""
        if world is not None and world is not self._enrichment.world:
            self._enrichment = Memory(world)
        self._enrichment.settle()
        return self._enrichment


def enrich(
    conn: Connection, events: Sequence[Event], identity_ids: Sequence[int], batch: Numbers, memory: SessionMemory | None = None, world: World | None = None
) -> Enriched:
    """Rows for the warehouse with device, origin, session, value and country, and without personal data.

    `identity_ids` run along `events`. Sessions go on from the last batch and are stored in this transaction; local times are in the zone of `batch`.
    `world` answers what addresses, devices and referrers are; without it they stay unknown.
    """
    remembered = SessionMemory() if memory is None else memory
    if len(remembered) > MOST_SESSIONS:
        for identity in list(islice(remembered, MOST_SESSIONS // 4)):
            del remembered[identity]
    store.load_sessions(conn, remembered, identity_ids)
    sessions = Sessions(remembered)
    tables = enrichment.enriched_tables(events, identity_ids, batch, sessions, remembered.of(world))
    store.keep_sessions(conn, sessions)
    return Enriched(tables, enrichment.declared_traits(events, identity_ids, batch.import_of))


class PastBatches:
    """Enrichment of past batches once more, in their order: nothing is stored, and sessions are followed from the first one on.

    Sessions that were open before the first batch that is still known may begin later than they did.
    """

    def __init__(self, zone: tzinfo, world: World | None = None) -> None:
        self._zone = zone
        self._memory = Memory(world)
        self._sessions = Sessions({})

    def tables(self, events: Sequence[Event], identity_ids: Sequence[int], event_ids: Sequence[int], batch: int) -> dict[str, pa.Table]:
        """The rows of one batch as `enrich` gave them. The three sequences run along each other."""
        tables = enrichment.enriched_tables(events, identity_ids, enrichment.Batch(batch, 0, self._zone), self._sessions, self._memory)
        numbers = pa.array(event_ids, pa.int64())
        for name, rows in tables.items():
            place = rows.schema.get_field_index("event_id")
            tables[name] = rows.set_column(place, "event_id", numbers.take(rows.column("event_id").combine_chunks()))
        return tables


def refresh(conn: Connection, warehouse: Readable, people: Sequence[int] | None, now: datetime, blocked: tuple[str, ...] = ()) -> None:
    """Compute the facts of these people, or of everybody (None), from their whole history. Both give the same. What is among the controller's words
    `blocked` is on no profile."""
    wanted = _everybody(warehouse) if people is None else people
    for part in parts(warehouse, wanted, PEOPLE_AT_A_TIME):
        with warehouse.people(part.tolist()) as asked:
            store.keep_profiles(conn, warehouse.run(_documents_of(cast(Hashable, asked.op()), blocked)), now)


def forget_people(conn: Connection, people: Sequence[int]) -> None:
    """Drop the facts and findings of people who were joined into others."""
    if people:
        store.SQL.drop_profiles(conn, ids=list(people))
        store.SQL.drop_findings(conn, ids=list(people))
        store.SQL.drop_computed(conn, ids=list(people))


def profile_of(conn: Connection, warehouse: Readable, person_id: int, identity_ids: Sequence[int], now: datetime, zone: tzinfo) -> Profile:
    """Everything known of a person, each with its confidence, evidence and reason. Sentences show times in `zone`, as of `now`."""
    found = next(iter(store.SQL.find_profiles(conn, ids=[person_id])), None)
    computed_at = found[2] if found else None
    kept = readable(found[1]) if found else _fresh_facts(warehouse, person_id)
    known: list[KnownTrait] = []
    for row in TRAITS:
        trait = row.of(kept, computed_at or now, now)
        known.append(KnownTrait(trait, row.label, why(row, trait, now, zone), row.value_type))
    known += [_known_found(trait, zone) for trait in findings.traits_of(conn, [person_id])[person_id].values()]
    known += [KnownTrait(trait, one.label, said, computed.value_type(one)) for one, trait, said in computed.known_of(conn, person_id, now, zone)]
    known += [_known_declared(key, row, origin, zone) for key, row, origin in declared.known_of(conn, person_id, identity_ids)]
    return Profile(person_id, tuple(known), computed_at, stories.told((one.trait for one in known), zone))


def profiles_of(
    conn: Connection, people: Sequence[int] | Mapping[int, Sequence[int]], names: Set[str] | None = None
) -> dict[int, dict[str, Any]]:  # fmt: skip
    """Plain values by person and trait, for lists and for the fields of messages; unknown traits are left out, and with `names` all but those named.

    Given as person → identity ids, `people` also get what they declared (first_name, city, ...); the newest declaration wins, and a
    declared value stands before a computed one of the same name.
    """
    values: dict[int, dict[str, Any]] = {person: {} for person in people}
    wanted = [row for row in TRAITS if names is None or row.key in names]
    for person, kept, computed_at in store.SQL.find_profiles(conn, ids=list(people)) if wanted else ():
        known = readable(kept)
        traits = (row.of(known, computed_at, computed_at) for row in wanted)
        values[person] = {trait.key: trait.value for trait in traits if trait.value is not None}
    if names is None or not names.isdisjoint(findings.TRAITS):
        for person, found in findings.traits_of(conn, list(people)).items():
            values[person] |= {key: trait.value for key, trait in found.items() if trait.value is not None and (names is None or key in names)}
    for person, found in computed.values_of(conn, list(people)).items():
        values[person] |= {key: value for key, value in found.items() if names is None or key in names}
    if isinstance(people, Mapping):
        for person, said in declared.holding(conn, people).items():
            values[person] |= {key: row.value for key, row in said.items() if names is None or key in names}
    return values


def export_person(conn: Connection, identity_ids: Sequence[int]) -> Mapping[str, Any]:
    """What this slice holds on a person: declared traits with source and time, the computed facts, and what analysers found."""
    identities = list(identity_ids)
    said = [
        {"trait": key, "value": value, "source_id": source, "declared_at": at, "message_id": message, "import_id": imported or None, "corrected_by": by}
        for _, key, value, source, at, message, imported, by in store.SQL.find_declared(conn, ids=identities)
    ]
    facts_kept = [{"facts": kept, "computed_at": at} for _, kept, at in store.SQL.find_profiles(conn, ids=identities)]
    counted = [{"traits": kept, "computed_at": at} for _, kept, at in store.SQL.find_computed(conn, ids=identities)]
    found = {person: {key: asdict(trait) for key, trait in traits.items()} for person, traits in findings.traits_of(conn, identities).items() if traits}
    return {"declared_traits": said, "computed_facts": facts_kept, "computed_traits": counted, "findings": found}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Erase declared and computed traits, facts, findings and open sessions of these identities; returns how many rows went."""
    drops = (
        store.SQL.drop_declared, store.SQL.drop_corrections, store.SQL.drop_profiles, store.SQL.drop_computed, store.SQL.drop_findings,
        store.SQL.drop_waiting, store.SQL.drop_due, store.SQL.drop_sessions,
    )  # fmt: skip
    return sum(drop(conn, ids=list(identity_ids)) for drop in drops)


# inside ------------------------------------------------------------------------------------------------------------------


def _facts_of(people: ir.Table | None, blocked: tuple[str, ...]) -> ir.Table:
    return facts(history("events", people), history("order_lines", people), blocked=blocked)


@lru_cache(maxsize=8)
def _documents_of(people: Any, blocked: tuple[str, ...] = ()) -> ir.Table:
    """The question for facts, built once for each table of people (given as Ibis's operation, which can be a key)."""
    return document(_facts_of(people.to_expr(), blocked))


def _everybody(warehouse: Readable) -> list[int]:
    events: Any = history()
    return warehouse.run(events.filter(~events.is_bot).select("person_id").distinct().order_by("person_id"))["person_id"].to_pylist()


def _fresh_facts(warehouse: Readable, person_id: int) -> dict[str, Any]:
    with warehouse.people([person_id]) as asked:
        found = warehouse.run(_documents_of(cast(Hashable, asked.op())))["document"].to_pylist()
    return readable(msgspec.json.decode(found[0])) if found else {}


def _known_declared(key: str, row: declared.DeclaredRow, origin: declared.Origin, zone: tzinfo) -> KnownTrait:
    facts_known = {"source_id": row.source_id, "declared_at": row.at}
    trait = Trait(key, row.value, 1.0, 1, facts_known, row.method, row.at, "service", source=str(row.source_id))
    said = corrected_why(origin.by, row.at, zone) if origin.by is not None else declared_why(origin.source, row.at, zone)
    return KnownTrait(trait, Text(key, key), said, "declared", origin)


def _known_found(trait: Trait, zone: tzinfo) -> KnownTrait:
    analyser, row = ANALYSED[trait.key]
    return KnownTrait(trait, row.label, reasons.why(analyser, row, trait, zone), row.value_type)
