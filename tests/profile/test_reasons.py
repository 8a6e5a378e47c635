"""Sentences of analysers, as they are read."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cegla.console.language import Tongue
from cegla.profile.catalogue import TRAITS
from cegla.profile.rules.dates import shown_day, shown_moment
from cegla.profile.rules.reasons import named_device, shown, why
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Language

ZONE = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 20, tzinfo=UTC)


def said(key: str, value: object, n: int, **facts: object) -> str:
    analyser, row = TRAITS[key]
    return why(analyser, row, Trait(key, value, 0.5, n, facts, analyser.method_version, NOW, analyser.purpose), ZONE).pl


def test_enough_evidence_that_says_nothing_is_not_called_too_little() -> None:
    assert said("consumer.side", None, 3) == "Dowody (3) nie rozstrzygają."
    assert said("rhythm.shift_worker", None, 3) == "Za mało danych: 3 z potrzebnych 7."


def test_a_sentence_ends_in_one_full_stop() -> None:
    assert said("line.isp", "Exatel S.A.", 4, line_share=0.57, line_visits=4) == "57% wagi wizyt z wiadomą siecią (4): Exatel S.A."


@pytest.mark.parametrize(("name", "words"), [("phone Android", "telefon Android"), ("desktop Windows", "komputer Windows"), ("phone case", None), ("Apple iPhone", None), ("phone", None)])
def test_a_device_without_a_model_is_named_in_words(name: str, words: str | None) -> None:
    assert named_device(name, "pl") == words
    assert shown(name, "pl", ZONE) == (words or name)


def test_the_source_of_a_place_is_said_in_one_language() -> None:
    assert said("geo.powiat", "1417", 1, name="otwocki", share=1.0, days=1, source="address") == "otwocki: 100% wskazań (1), źródło: podany adres."
    assert said("geo.country", "PL", 2, country_share=1.0, country_days=2, country_source="ip") == "PL: 100% wskazań (2), źródło: adres IP."


@pytest.mark.parametrize("language", ["pl", "en"])
def test_a_date_in_a_sentence_reads_as_on_every_page(language: Language) -> None:
    tongue = Tongue(language, ZONE, "PLN")
    for month in range(1, 13):
        at = datetime(2026, month, 3, 13, 5, tzinfo=UTC)
        assert shown_day(at.astimezone(ZONE), language) == tongue.day(at)
        assert shown_moment(at, language, ZONE) == tongue.moment(at)


@pytest.mark.parametrize(
    ("kept", "read"),
    [("2026-10-14", "14 paź 2026"), ("2026-10-14T11:05:00+00:00", "14 paź 2026, 13:05"), ("2026-99-99", "2026-99-99"), ("2026-10-14 kubek", "2026-10-14 kubek"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z")],
)
def test_a_day_that_was_kept_as_text_reads_as_a_day_and_other_text_as_it_is(kept: str, read: str) -> None:
    assert shown(kept, "pl", ZONE) == read
