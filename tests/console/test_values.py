"""Values of traits as people read them: parts as bars, a week as a table of heat, records as rows, places by their names."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cegla.console.language import Tongue
from cegla.console.views.values import PARTS, between, named, value
from cegla.profile.actions import ANALYSED


@pytest.fixture(scope="module")
def polish() -> Tongue:
    return Tongue("pl", ZoneInfo("Europe/Warsaw"), "PLN")


def words_of(key: str) -> Mapping[str, Any]:
    return ANALYSED[key][1].words


def test_shares_are_bars_from_the_greatest_and_one_share_is_a_line(polish: Tongue) -> None:
    shown = value("os.share", "shares", {"iOS": 0.25, "Windows": 0.75}, polish)
    assert shown.text == "Windows 75%"
    assert [(mark.label, mark.value) for mark in shown.bars] == [("Windows", 0.75), ("iOS", 0.25)]
    assert not value("os.share", "shares", {"iOS": 1.0}, polish).bars


def test_a_week_is_seven_rows_of_three_hours_each_that_make_up_all_of_it(polish: Tongue) -> None:
    hours = [0.0] * 168
    hours[24 + 20], hours[24 + 19], hours[6 * 24 + 9] = 0.5, 0.25, 0.25
    shown = value("rhythm.hist", "histogram", hours, polish)
    assert shown.text == "wt. 18–21 (75%)"
    assert shown.week is not None
    heads, rows = shown.week
    assert (len(heads), len(rows)) == (8, 7)
    assert sum(mark.value for _, marks in rows for mark in marks) == pytest.approx(1.0)
    assert rows[6][1][3].shown == "25"


def test_records_are_rows_with_names_first_and_words_of_the_analyser(polish: Tongue) -> None:
    said = [{"valid": False, "field": "email", "reason": "syntax"}, {"field": "phone", "valid": True}]
    shown = value("quality.fields", "records", said, polish, words_of("quality.fields"))
    assert shown.text == "e-mail, telefon"
    assert shown.table == (["pole", "poprawne", "uwaga"], [["e-mail", "nie", "zły zapis"], ["telefon", "tak", "–"]])


@pytest.mark.parametrize(
    ("key", "kind", "said", "shown"),
    [
        ("geo.powiat", "word", "3064", "Poznań"), ("geo.voivodeship", "word", "30", "wielkopolskie"), ("geo.country", "word", "PL", "Polska"),
        ("place.home", "word", "9999", "9999"), ("device.type", "word", "phone", "telefon"), ("intent.score", "share", 0.087, "8,7%"),
        ("rhythm.peak_hours", "list", [12, 23], "12:00–13:00, 23:00–24:00"), ("rhythm.best_send_hour", "hour", 20, "20:00–21:00"),
        ("online.channels", "list", ["direct", "search"], "bezpośrednio, wyszukiwarka"), ("quality.score", "score", 58.0, "58 / 100"),
    ],
)  # fmt: skip
def test_a_value_is_said_in_polish(polish: Tongue, key: str, kind: str, said: Any, shown: str) -> None:
    assert value(key, kind, said, polish, words_of(key)).text == shown


def test_records_within_records_are_said_too_and_numbers_of_ours_are_not(polish: Tongue) -> None:
    said = [{"about": "orders", "identity": 17, "channel": "email", "topics": ["Wazony", "Misy"], "sure": 0.5, "hour": 8}]
    shown = value("contact.plan", "records", said, polish, words_of("contact.plan"))
    assert shown.table is not None
    assert shown.table[0] == ["o czym", "kanał", "tematy", "godzina", "pewność"]
    assert shown.table[1][0][1:] == ["e-mail", "Wazony, Misy", "8:00–9:00", "50%"]


def test_no_part_of_a_record_is_shown_by_its_english_key(polish: Tongue) -> None:
    """The parts that the analysers write are in the table of headings."""
    written = {"device", "daypart", "use", "share", "network", "visits", "conv", "field", "valid", "reason", "normalised", "iab_id", "lift", "trend", "event", "chance",
        "topics", "about", "channel", "days", "hour", "sure", "reasons", "check", "one", "other", "weight", "side"}  # fmt: skip
    assert written <= set(PARTS)


def test_a_long_list_names_some_and_counts_the_rest(polish: Tongue) -> None:
    assert value("intent.category", "list", [f"k{number}" for number in range(10)], polish).text.endswith("k7 i 2 więcej")


@pytest.mark.parametrize(
    ("key", "said", "shown"),
    [
        ("geo.powiat", "3064", "Poznań"), ("geo.voivodeship", "30", "wielkopolskie"), ("geo.country", "PL", "Polska"), ("consumer.home", "3064", "Poznań"),
        ("device.primary_by_daypart", "phone Android", "telefon Android"), ("device.work_private_guess", "both", "tu i tu"), ("os.eol", "true", "tak"),
        ("behav.next_event", "Page Viewed", "Strona obejrzana"), ("content.topics", "274", "Dom i ogród"), ("search.topics", "Wazony", "Wazony"),
    ],
)  # fmt: skip
def test_a_bar_of_a_distribution_is_named_as_the_value_of_a_person_is(polish: Tongue, key: str, said: str, shown: str) -> None:
    assert named(key, ANALYSED[key][1].value_type, said, polish, words_of(key)) == shown


@pytest.mark.parametrize(
    ("key", "kind", "low", "high", "shown"),
    [
        ("intent.score", "share", 0.05, 0.0599995, "5–6%"), ("quality.freshness", "share", 1.0, 1.0499995, "100%"), ("quality.freshness", "share", 0.95, 0.9999995, "95–100%"),
        ("device.year", "number", 2024, 2024, "2024"), ("engage.score", "score", 10, 19, "10–19"), ("online.recency", "number", 0.5, 499.995, "0,5–500"),
    ],
)  # fmt: skip
def test_a_step_of_a_distribution_is_a_round_one(polish: Tongue, key: str, kind: str, low: float, high: float, shown: str) -> None:
    assert between(key, kind, low, high, polish) == shown


def test_a_share_of_topics_is_no_share_of_work_and_a_year_has_no_thousands(polish: Tongue) -> None:
    shown = value("content.topics", "records", [{"iab_id": "274", "share": 0.5}], polish, words_of("content.topics"))
    assert shown.table == (["temat", "udział"], [["Dom i ogród", "50%"]])
    assert value("device.year", "number", 2024, polish).text == "2024"
    assert value("top_referrer", "word", "direct", polish).text == "wejście bezpośrednie"
