"""What is kept of some people, read with a few statements for all of them: for the profile API, which answers thousands of times a second.

Nothing is computed here: facts, findings and computed traits follow each batch by themselves, and time-bound ones when they are due.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from cegla.collect import actions as collect
from cegla.profile import computed, declared, findings, store
from cegla.profile.declared import Origin
from cegla.profile.rules.computed import trait_of, value_of
from cegla.profile.rules.traits import TRAITS, half_lives, readable
from cegla.storage.workspace import Connection
from cegla.vocabulary.people import Trait

SCORES = frozenset(row.key for row in TRAITS if row.value_type == "score")
_READ = tuple((row.key, row.read, row.evidence, row.min_evidence, row.otherwise) for row in TRAITS)  #: a look reads thousands of them


class KnownPeople:
    """What is known of some people at a moment. `people` gives each person's identities."""

    def __init__(self, conn: Connection, people: Mapping[int, Sequence[int]], now: datetime) -> None:
        ids = list(people)
        self._now, self._elapsed = now, half_lives(now)
        self._facts = {person: (readable(kept), at) for person, kept, at in store.SQL.find_profiles(conn, ids=ids)}
        self._found = findings.traits_of(conn, ids)
        self._defined = computed.definitions(conn)
        self._counted = {person: (known, at) for person, known, at in store.SQL.find_computed(conn, ids=ids)} if self._defined else {}
        self._declared = declared.holding(conn, people)
        self._conn = conn

    @cached_property
    def _sources(self) -> dict[int, collect.Source]:
        return {one.id: one for one in collect.sources(self._conn)}

    @cached_property
    def _imported(self) -> dict[int, str]:
        return declared.bases_of_imports(self._conn, (row for said in self._declared.values() for row in said.values()))

    def traits(self, person: int) -> Iterator[tuple[Trait, Origin]]:
        """Everything known, each with its origin; what somebody declared stands before a computed value of the same name."""
        said = self._declared.get(person, {})
        for trait, origin in self._computed(person):
            if trait.value is not None and trait.key not in said:
                yield trait, origin
        for key, row in said.items():
            yield Trait(key, row.value, 1.0, 1, {}, row.method, row.at, "service", source=str(row.source_id)), row.origin(self._sources, self._imported)

    def values(self, person: int) -> dict[str, Any]:
        """Plain values by key; what is unknown is left out."""
        kept, _ = self._facts.get(person, ({}, self._now))
        elapsed = self._elapsed
        found: dict[str, Any] = {
            key: read(kept, elapsed) if (kept.get(evidence) or 0) >= least else otherwise for key, read, evidence, least, otherwise in _READ
        }
        for key in SCORES:
            if found[key] is not None:
                found[key] = round(found[key], 1)
        found |= {key: trait.value for key, trait in self._found.get(person, {}).items()}
        counted, _ = self._counted.get(person, ({}, self._now))
        found |= {computed.field_name(one): value_of(one, counted.get(one.key) or {}) for one in self._defined}
        found |= {key: row.value for key, row in self._declared.get(person, {}).items()}
        return {key: value for key, value in found.items() if value is not None}

    def _computed(self, person: int) -> Iterator[tuple[Trait, Origin]]:
        kept, at = self._facts.get(person, ({}, self._now))
        for row in TRAITS:
            trait = row.of(kept, at, self._now)
            yield trait, Origin("built_in", trait.method, at)
        for trait in self._found.get(person, {}).values():
            yield trait, Origin("analyser", trait.method, trait.computed_at)
        known, at = self._counted.get(person, ({}, self._now))
        for one in self._defined:
            found = known.get(one.key) or {}
            yield trait_of(one, found, at), Origin("definition", one.method, at, event_id=found.get("e"))
