"""Rules in words: natural Polish with its plurals, and English."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cegla.segment.actions import sentence
from cegla.segment.operators import OPERATORS, parsed
from cegla.segment.rules import words
from cegla.segment.rules.explain import explained
from cegla.segment.rules.sentence import Speaker
from tests.segment.test_operators import ABOUT

NBSP = "\u00a0"


@pytest.mark.parametrize(("count", "said"), [(1, "1 raz"), (2, "2 razy"), (5, "5 razy"), (1.5, "1,5 raza"), (22, "22 razy"), (1_000, "1 000 razy")])
def test_times_have_polish_plurals(count: float, said: str) -> None:
    assert words.TIMES.counted(count, "pl").replace(NBSP, " ") == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 osób"), (1, "1 osoba"), (2, "2 osoby"), (5, "5 osób"), (12, "12 osób"), (22, "22 osoby"), (25, "25 osób"), (112, "112 osób"), (1.5, "1,5 osoby")]
)
def test_people_have_polish_plurals(count: float, said: str) -> None:
    assert words.PEOPLE.counted(count, "pl").replace(NBSP, " ") == said


SAID: list[tuple[Any, str, str]] = [
    (
        {"op": "did", "event": "Order Completed", "at_least": 3, "days": 90},
        "Osoby, które złożyły zamówienie co najmniej 3 razy w ciągu ostatnich 90 dni.",
        "People who placed an order at least 3 times in the last 90 days.",
    ),
    ({"op": "did", "event": "Order Completed", "days": 1}, "Osoby, które złożyły zamówienie co najmniej raz w ciągu ostatniego dnia.", "People who placed an order at least once in the last day."),
    ({"op": "did_not", "event": "Wpis", "days": 2}, "Osoby, które nie wykonały zdarzenia „Wpis” w ciągu ostatnich 2 dni.", "People who did not do “Wpis” in the last 2 days."),
    (
        {"op": "total_over", "event": "Order Completed", "more_than": 1234.5},
        "Osoby, które mają zamówienia na łączną kwotę ponad 1 234,50 zł.",
        "People who have orders worth more than PLN 1,234.50 in total.",
    ),
    (
        {"any": [{"op": "trait_is", "trait": "country", "value": "PL"}, {"op": "did", "event": "Page Viewed", "where": [{"field": "page_path", "starts_with": "/blog"}]}]},
        "Osoby, których kraj to „PL” lub które odwiedziły stronę (gdzie adres strony zaczyna się od „/blog”) co najmniej raz.",
        "People whose country is “PL” or who viewed a page (where page address starts with “/blog”) at least once.",
    ),
    (
        {"all": [{"op": "trait_over", "trait": "monetary", "value": 500}, {"not": {"op": "rfm_group", "groups": ["lost", "hibernating"]}}]},
        "Osoby, których wydana kwota to więcej niż 500 zł oraz które nie należą do tych, które są w grupie RFM: utraceni lub uśpieni.",
        "People whose total spent is more than PLN 500 and who are not among those who are in the RFM group: lost or hibernating.",
    ),
    (
        {"op": "did", "event": "Order Completed", "since": "2026-11-01", "until": "2026-11-23"},
        "Osoby, które złożyły zamówienie co najmniej raz od 1 listopada 2026 do 23 listopada 2026.",
        "People who placed an order at least once from 1 November 2026 until 23 November 2026.",
    ),
    ({"not": {"op": "did", "event": "Order Completed"}}, "Wszystkie osoby oprócz tych, które złożyły zamówienie co najmniej raz.", "Everybody except those who placed an order at least once."),
]


@pytest.mark.parametrize(("rule", "polish", "english"), SAID)
def test_a_rule_reads_as_a_sentence(rule: Any, polish: str, english: str) -> None:
    assert sentence(rule, "pl").replace(NBSP, " ") == polish
    assert sentence(rule, "en").replace(NBSP, " ") == english


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_every_operator_speaks_both_languages(operator: Any) -> None:
    polish, english = sentence(operator.example, "pl", about=ABOUT), sentence(operator.example, "en", about=ABOUT)
    assert polish.startswith("Osoby, ") and english.startswith("People ")
    assert "{" not in polish + english and "  " not in polish + english and "None" not in polish + english


def test_a_month_has_its_name() -> None:
    said = [words.calendar_day(date(2026, month, 5), "pl").split(NBSP)[1] for month in range(1, 13)]
    assert said[:2] == ["stycznia", "lutego"] and said[-1] == "grudnia" and len({*said}) == 12


@pytest.mark.parametrize(("zone", "day"), [("Europe/Warsaw", "24 listopada 2026"), ("America/New_York", "23 listopada 2026")])
def test_the_day_of_a_moment_is_the_shops(zone: str, day: str) -> None:
    speakers = Speaker("pl", "PLN", ZoneInfo(zone)), Speaker("en", "PLN", ZoneInfo(zone))
    rule = parsed({"op": "last_did_before", "event": "x", "days": 1})
    seen = explained(rule, {"h0": True, "v0": datetime.fromisoformat("2026-11-23T23:30:00")}, speakers).seen
    assert seen is not None
    assert (seen.pl.replace(NBSP, " "), seen.en.replace(NBSP, " ")) == (day, day.replace("listopada", "November"))


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "America/New_York"])
def test_a_day_of_the_calendar_is_the_same_in_every_zone(zone: str) -> None:
    speakers = Speaker("pl", "PLN", ZoneInfo(zone)), Speaker("en", "PLN", ZoneInfo(zone))
    rule = parsed(OPERATORS["date_in_days"].example)
    seen = explained(rule, {"h0": True, "v0": datetime.fromisoformat("2026-12-23")}, speakers).seen
    assert seen is not None
    assert seen.pl.replace(NBSP, " ") == "23 grudnia 2026"


def test_another_currency_is_named() -> None:
    assert "500 EUR" in sentence({"op": "total_over", "event": "x", "more_than": 500}, "pl", "EUR").replace(NBSP, " ")


@pytest.mark.parametrize("hostile", ["{days}", "{0.__class__}", "a\nb", "„”", "<script>", "%s"])
def test_what_somebody_typed_is_quoted_and_never_filled_in(hostile: str) -> None:
    assert " ".join(hostile.split()) in sentence({"op": "did", "event": hostile}, "pl")
