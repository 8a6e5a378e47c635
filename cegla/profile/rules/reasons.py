"""Why an analyser says what it says, in Polish and English: sentences out of the facts that were found."""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Any

from cegla.profile.rules.analysis import AnalysedTrait, Analyser
from cegla.profile.rules.dates import shown_day, shown_moment
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Language, Text

UNKNOWN = Text("Za mało danych: {seen} z potrzebnych {needed}.", "Too little evidence: {seen} of the {needed} needed.")
UNDECIDED = Text("Dowody ({seen}) nie rozstrzygają.", "The evidence ({seen}) does not decide.")
#: A device without a model is named by its type and system, "phone Android"; type and systems in words.
_TYPES = {
    "phone": Text("telefon", "phone"), "desktop": Text("komputer", "computer"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "TV"),
}  # fmt: skip
_SYSTEMS = frozenset(("Android", "iOS", "Windows", "macOS", "Linux", "ChromeOS", "tvOS", "KaiOS", "HarmonyOS"))
_YES, _NO, _NOTHING = Text("tak", "yes"), Text("nie", "no"), Text("–", "–")
_MOST_LISTED = 6
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def why(analyser: Analyser, row: AnalysedTrait, trait: Trait, zone: tzinfo) -> Text:
    """The sentence behind a trait of an analyser; moments are shown in `zone`."""
    if trait.value is None:
        needed = max(analyser.least(row), 1)
        return Text(*(text.format(seen=trait.n_evidence, needed=needed) for text in (UNKNOWN if trait.n_evidence < needed else UNDECIDED)))
    return Text(_sentence(row, trait, "pl", zone), _sentence(row, trait, "en", zone))


def shown(value: Any, language: Language, zone: tzinfo, words: Mapping[str, Text] | None = None, name: str = "value") -> str:
    """A value as a person reads it. Numbers named "…share" are percent; lists and shares name their greatest few."""
    if value is None:
        return _NOTHING.say(language)
    if isinstance(value, bool):
        return (_YES if value else _NO).say(language)
    if isinstance(value, str):
        return words[value].say(language) if words and value in words else named_device(value, language) or _dated(value, language, zone)
    if isinstance(value, datetime):
        return shown_moment(value, language, zone)
    if isinstance(value, (int, float)):
        return _number(value, language, name)
    if isinstance(value, Mapping):
        ranked = sorted(value.items(), key=lambda one: (-one[1], one[0]) if isinstance(one[1], (int, float)) else (0, one[0]))[:_MOST_LISTED]
        return ", ".join(f"{shown(key, language, zone, words)} {_share(one, language, zone)}" for key, one in ranked)
    return ", ".join(shown(one, language, zone, words) for one in list(value)[:_MOST_LISTED])


def named_device(text: str, language: Language) -> str | None:
    """"phone Android" in words, "telefon Android"; None of any other text."""
    kind, _, system = text.partition(" ")
    return f"{_TYPES[kind].say(language)} {system}" if kind in _TYPES and system in _SYSTEMS else None


class _Facts(dict[str, str]):
    """Facts for a sentence; one that was not kept reads as a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"


def _sentence(row: AnalysedTrait, trait: Trait, language: Language, zone: tzinfo) -> str:
    facts = _Facts({name: shown(value, language, zone, row.words, name) for name, value in trait.facts.items()})
    facts["value"] = _share(trait.value, language, zone) if row.value_type == "share" else shown(trait.value, language, zone, row.words)
    facts["confidence"] = f"{round(trait.confidence * 100)}%"
    said = (row.sentence.pl if language == "pl" else row.sentence.en).format_map(facts)
    return said[:-1] if said.endswith("..") else said  # behind "Exatel S.A." no second full stop


def _share(value: Any, language: Language, zone: tzinfo) -> str:
    if isinstance(value, float) and 0 <= value <= 1:
        return f"{round(value * 100)}%"
    return shown(value, language, zone)


def _number(value: float, language: Language, name: str) -> str:
    if name.endswith("share") and 0 <= value <= 1:
        return f"{round(value * 100)}%"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}".rstrip("0").rstrip(".")
    return text.replace(",", " ").replace(".", ",") if language == "pl" else text


def _dated(value: str, language: Language, zone: tzinfo) -> str:
    """A day or a moment that was kept as text, as people read it, moments in the shop's time; any other text as it is."""
    try:
        if _DAY.fullmatch(value):
            return shown_day(date.fromisoformat(value), language)
        return shown_moment(datetime.fromisoformat(value), language, zone) if len(value) >= 20 and _DAY.match(value) and value[10] == "T" else value
    except (ValueError, OverflowError):  # at the end of the calendar there is no such moment in every zone
        return value
