"""Traits as cards: the value in words, how sure it is, why, and where it comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cegla.console.language import Tongue
from cegla.vocabulary.text import Text

DEVICES = {
    "desktop": Text("komputer", "computer"), "phone": Text("telefon", "phone"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "TV"),
    "server": Text("serwer", "server"), "bot": Text("robot", "bot"), "unknown": Text("nieznane", "unknown"),
}  # fmt: skip


@dataclass(frozen=True)
class Card:
    """One trait. `shown` is empty when it is honestly unknown."""

    key: str
    label: Text
    shown: str
    confidence: float
    evidence: int
    why: Text
    method: str
    purpose: str
    at: datetime
    declared: bool


def cards(known: Iterable[Any], tongue: Tongue, *, reveal: bool) -> list[Card]:
    """A card per trait; what a person declared about themselves stays hidden until it is revealed."""
    return [_card(one, tongue, reveal) for one in known]


def _card(known: Any, tongue: Tongue, reveal: bool) -> Card:
    trait = known.trait
    declared = known.value_type == "declared"
    shown = "" if trait.value is None else hidden(trait.value) if declared and not reveal else value(trait.key, known.value_type, trait.value, tongue)
    return Card(trait.key, known.label, shown, trait.confidence, trait.n_evidence, known.why, trait.method, trait.purpose, trait.computed_at, declared)


def hidden(said: object) -> str:
    """A declared value as its first letter."""
    return f"{str(said)[:1]}***"


def value(key: str, value_type: str, said: Any, tongue: Tongue) -> str:
    """A value by its type: a date, an amount, an hour, a name of a country."""
    if isinstance(said, datetime):
        return tongue.moment(said)
    if value_type == "micros":
        return tongue.money(int(said))
    if value_type == "hour":
        return f"{int(said)}:00–{int(said) + 1}:00"
    if value_type == "score":
        return f"{tongue.number(float(said), 0)} / 100"
    if isinstance(said, bool):
        return tongue.say(Text("tak", "yes") if said else Text("nie", "no"))
    if isinstance(said, (int, float)):
        return tongue.number(said)
    if isinstance(said, (list, tuple)):
        return ", ".join(str(one) for one in said)
    return _word(key, str(said), tongue)


def _word(key: str, said: str, tongue: Tongue) -> str:
    if key == "device" and said in DEVICES:
        return tongue.say(DEVICES[said])
    if key == "country":
        return tongue.locale.territories.get(said, said)
    if key == "language":
        return tongue.locale.languages.get(said, said)
    return said
