"""Numbers, plurals, money and times as each language writes them."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from cegla.console.language import Tongue
from cegla.vocabulary.text import Text

WARSAW = ZoneInfo("Europe/Warsaw")
PL, EN = Tongue("pl", WARSAW, "PLN"), Tongue("en", WARSAW, "PLN")
PEOPLE = "{n} osoba|{n} osoby|{n} osób"


@pytest.mark.parametrize(("n", "said"), [(0, "0 osób"), (1, "1 osoba"), (2, "2 osoby"), (5, "5 osób"), (12, "12 osób"), (22, "22 osoby"), (112, "112 osób")])
def test_polish_plurals_follow_cldr(n: int, said: str) -> None:
    assert PL.count(PEOPLE, n) == said


@pytest.mark.parametrize(("n", "said"), [(0, "0 people"), (1, "1 person"), (22, "22 people")])
def test_english_plurals(n: int, said: str) -> None:
    assert EN.count(PEOPLE, n) == said


def test_money_is_written_with_a_space_that_does_not_break() -> None:
    assert PL.money(1_234_567_500_000) == "1\u00a0234\u00a0567,50\u00a0zł"
    assert EN.money(1_234_567_500_000, "GBP") == "£1,234,567.50"
    assert EN.money(-1_500_000) == "-PLN\u00a01.50"


def test_nothing_is_not_zero() -> None:
    assert PL.money(None) == PL.number(None) == PL.moment(None) == "–"
    assert PL.number(0) == "0"


def test_times_are_shown_in_the_shops_zone_also_on_the_day_of_25_hours() -> None:
    before, after = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert PL.moment(before) == PL.moment(after) == "25 paź 2026, 02:30"
    assert EN.weekday(date(2026, 11, 23)) == "Monday, 23 November 2026"


def test_facts_in_a_message_are_escaped() -> None:
    assert PL.text("Wyniki dla: {text}", text="<b>") == "Wyniki dla: &lt;b&gt;"


def test_a_two_language_text_is_said_in_one() -> None:
    assert (PL.say(Text("tak", "yes")), EN.say(Text("tak", "yes")), PL.say("x"), PL.say(None)) == ("tak", "yes", "x", "–")
