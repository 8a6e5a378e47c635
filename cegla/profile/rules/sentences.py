"""Sentences: why a trait says what it says, in Polish and English ("Skąd to wiemy?")."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale

from cegla.profile.rules.dates import shown_day, shown_moment
from cegla.profile.rules.facts import MOMENTS
from cegla.profile.rules.traits import TraitRow
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Language, Text

LANGUAGES: tuple[Language, Language] = ("pl", "en")  #: in the order of a Text
UNKNOWN = Text("Za mało danych: {seen} z potrzebnych {needed}.", "Too little evidence: {seen} of the {needed} needed.")
NOTHING_YET = Text("Nie ma jeszcze takich zdarzeń.", "There are no such events yet.")
DECLARED = Text("Podane w wywołaniu identify dnia {at}, źródło: {source}.", "Given in an identify call on {at}, source: {source}.")
CORRECTED = Text(
    "Sprostowane na prośbę osoby dnia {at} (zapisał: {by}); to jest ważniejsze niż wszystkie źródła.",
    "Corrected at the person's request on {at} (written down by {by}); this counts more than any source.",
)
_MIXED = Text(" Różne waluty ({count}) zsumowano bez przeliczania.", " Different currencies ({count}) were added without conversion.")
_DEVICES = {
    "desktop": Text("komputer", "desktop"), "phone": Text("telefon", "phone"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "TV"),
}  # fmt: skip
_DIRECT = Text("wejście bezpośrednie", "direct")


def why(row: TraitRow, trait: Trait, now: datetime, zone: tzinfo) -> Text:
    """The sentence behind a computed trait. Moments are shown in `zone`; how long ago is measured from `now`."""
    if trait.n_evidence < row.min_evidence:
        if row.otherwise is not None:
            return NOTHING_YET
        return Text(*(text.format(seen=trait.n_evidence, needed=row.min_evidence) for text in UNKNOWN))
    polish, english = (_Known(_words(trait.facts, language, now, zone)) for language in LANGUAGES)
    return Text(row.sentence.pl.format_map(polish), row.sentence.en.format_map(english))


class _Known(dict[str, Any]):
    """Words for a sentence; a fact that was not computed yet when the traits were stored reads as a question mark."""

    def __missing__(self, key: str) -> str:
        return "?"


def declared_why(source: str, at: datetime, zone: tzinfo) -> Text:
    """The sentence behind a declared trait."""
    return Text(*(sentence.format(at=shown_moment(at, language, zone), source=source) for sentence, language in zip(DECLARED, LANGUAGES, strict=True)))


def corrected_why(by: str, at: datetime, zone: tzinfo) -> Text:
    """The sentence behind a value that the person had corrected."""
    return Text(*(sentence.format(at=shown_moment(at, language, zone), by=by) for sentence, language in zip(CORRECTED, LANGUAGES, strict=True)))


def shown_money(micros: int, currency: str | None, language: Language) -> str:
    """An amount with two decimals: 1 234,50 PLN in Polish, 1,234.50 PLN in English."""
    text = f"{from_micros(micros).quantize(Decimal('0.01')):,.2f}"
    if language == "pl":
        text = text.replace(",", " ").replace(".", ",")
    return f"{text} {currency}" if currency else text


def ago(moment: datetime, now: datetime) -> Text:
    """How long ago, in whole days of 24 hours."""
    days = (now - moment).days
    if days <= 0:
        return Text("dzisiaj", "today")
    return Text("wczoraj" if days == 1 else f"{days} dni temu", "1 day ago" if days == 1 else f"{days} days ago")


def _words(facts: Mapping[str, Any], language: Language, now: datetime, zone: tzinfo) -> dict[str, Any]:
    """The facts as a person reads them."""
    currency = facts.get("money_currency")
    gross, refunded = facts.get("gross_micros") or 0, facts.get("refunded_micros") or 0
    words = {key: "–" if value is None else value for key, value in facts.items()}
    for name in MOMENTS:
        moment = facts.get(name)
        words[name] = shown_day(moment.astimezone(zone), language) if moment else "–"
        words[f"{name}_ago"] = ago(moment, now).say(language) if moment else "–"
    mixed = facts.get("currencies") or 0
    words |= {
        "gross": shown_money(gross, currency, language), "refunded": shown_money(-refunded, currency, language),
        "net": shown_money(gross + refunded, currency, language),
        "mixed": _MIXED.say(language, count=mixed) if mixed > 1 else "", "hour": f"{facts.get('hour')}:00",
    }  # fmt: skip
    words["device"] = _DEVICES[facts["device"]].say(language) if facts.get("device") in _DEVICES else facts.get("device")
    words["country"] = shown_country(facts.get("country") or "", language)
    words["language"] = shown_language(facts.get("language") or "", language)
    words["origin"] = _DIRECT.say(language) if facts.get("origin") == "direct" else facts.get("origin")
    return words


@lru_cache(maxsize=1_024)
def shown_country(code: str, language: Language) -> str:
    """The name of a country: Polska, Poland."""
    return _locale(language).territories.get(code, code)


@lru_cache(maxsize=1_024)
def shown_language(code: str, language: Language) -> str:
    """The name of a language: polski, Polish."""
    return _locale(language).languages.get(code, code)


@lru_cache(maxsize=2)
def _locale(language: Language) -> Locale:
    return Locale(language)
