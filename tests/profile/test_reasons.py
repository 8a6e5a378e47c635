"""Sentences of analysers, as they are read."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cegla.profile.catalogue import TRAITS
from cegla.profile.rules.reasons import named_device, shown, why
from cegla.vocabulary.people import Trait

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
