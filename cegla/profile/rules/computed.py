"""Computed traits: what was defined by somebody and counted of a person, with the words that say where it is from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from cegla.profile.rules.confidence import share_lower_bound
from cegla.profile.rules.dates import shown_day
from cegla.profile.rules.sentences import ago
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Language, Text

NOTHING = Text("{said}. Nie ma takich zdarzeń.", "{said}. There are no such events.")
RESTS_ON = Text(
    "{said}. Wartość opiera się na zdarzeniach: {n}, od {first} do {last} ({ago}).", "{said}. Events it rests on: {n}, from {first} to {last} ({ago})."
)
MIXED = Text(" Różne waluty ({count}) liczono bez przeliczania.", " Different currencies ({count}) were counted without conversion.")
#: the kind of a value as the person's page shows it (see `traits.ValueType`)
VALUE_TYPES = {"count": "number", "money": "micros", "number": "number", "moment": "moment", "text": "word", "list": "list"}
#: people who object to profiling have no value of a trait that serves one of these
OPEN_TO_OBJECTION = frozenset(("profiling", "marketing"))


@dataclass(frozen=True)
class Definition:
    """A computed trait as it is defined now. `document` is its JSON as written, `said` the calculation as a sentence.

    `kind` is count, money, number, moment, text or list; `zero`: without events it is 0, not unknown.
    """

    key: str
    version: int
    label: Text
    purpose: str
    on_site: bool
    document: str
    kind: str
    zero: bool
    said: Text
    made_at: datetime
    made_by: str
    removed: bool = False

    @property
    def method(self) -> str:
        """What a value says of its origin: definition:orders_90d@3."""
        return f"definition:{self.key}@{self.version}"


def trait_of(definition: Definition, known: Mapping[str, Any], computed_at: datetime) -> Trait:
    """The trait of one person; `known` is what was kept under its key, empty when there is nothing."""
    if not known:
        value = 0 if definition.zero else None
        return Trait(definition.key, value, 1.0 if definition.zero else 0.0, 0, {}, definition.method, computed_at, definition.purpose)
    evidence = {"event_id": known.get("e"), "first": _moment(known.get("f")), "last": _moment(known.get("l")), "currencies": known.get("c")}
    return Trait(
        definition.key, value_of(definition, known), _confidence(definition, known), known["n"], evidence, definition.method, computed_at, definition.purpose
    )


def value_of(definition: Definition, known: Mapping[str, Any]) -> Any:
    """The plain value; moments are aware and UTC."""
    if not known:
        return 0 if definition.zero else None
    value = known.get("v")
    return _moment(value) if definition.kind == "moment" else value


def why(definition: Definition, trait: Trait, now: datetime, zone: tzinfo) -> Text:
    """The sentence behind the value, in both languages; days are those of `zone`."""
    if not trait.n_evidence:
        return Text(*(NOTHING.say(language, said=definition.said.say(language)) for language in ("pl", "en")))
    first, last = trait.facts["first"], trait.facts["last"]
    mixed = trait.facts.get("currencies") or 0

    def said(language: Language) -> str:
        days = {name: shown_day(at.astimezone(zone), language) for name, at in (("first", first), ("last", last))}
        rests = RESTS_ON.say(language, n=trait.n_evidence, said=definition.said.say(language), ago=ago(last, now).say(language), **days)
        return rests + (MIXED.say(language, count=mixed) if mixed > 1 else "")

    return Text(said("pl"), said("en"))


def _confidence(definition: Definition, known: Mapping[str, Any]) -> float:
    """A most frequent value is as sure as its share; an amount over several currencies half; what was counted is certain."""
    if definition.kind == "text" and (hits := known.get("h")) is not None and hits < known["n"]:
        return round(share_lower_bound(hits, known["n"]), 3)
    return 0.5 if (known.get("c") or 0) > 1 else 1.0


def _moment(value: Any) -> Any:
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
