"""Who is proposed: one human with two records, and not a household."""

import random

from bench.duplicates import records
from cegla.match.rules.records import Row, comparable, row
from cegla.match.scoring import likely_duplicates
from cegla.vocabulary.identifiers import Identifier

HOME = {"street": "Polna 7/3", "postal_code": "30-100", "city": "Kraków"}


def known(person: int, given: str, surname: str, phone: str | None = None, email: str | None = None, **declared: object) -> Row:
    named = [Identifier(kind, value) for kind, value in (("phone", phone), ("email", email)) if value]
    return row(person, named, {"first_name": given, "last_name": surname, **declared})


def crowd() -> list[Row]:
    """Two thousand others, so that names are as rare as in life."""
    rows, _ = records(2_000, random.Random(3))
    return [one._replace(person_id=one.person_id + 1_000) for one in rows if comparable(one)]


def pairs(*rows: Row) -> set[tuple[int, int]]:
    return {(pair.low, pair.high) for pair in likely_duplicates([*rows, *crowd()]) if pair.low < 1_000}


def test_a_short_form_and_lost_diacritics_with_the_same_phone_are_one_human() -> None:
    assert pairs(
        known(1, "Małgorzata", "Święcka", "+48600100200", address=HOME), known(2, "gosia", "SWIECKA", "+48600100200", "gosia77@poczta.example.com", address=HOME)
    ) == {(1, 2)}


def test_spouses_with_one_phone_and_one_door_are_two() -> None:
    assert pairs(known(1, "Anna", "Nowak", "+48600100200", address=HOME, birthday="1980-01-02"), known(2, "Jan", "Nowak", "+48600100200", address=HOME, birthday="1979-05-06")) == set()


def test_a_father_and_a_son_of_one_name_are_two_when_their_birthdays_are_known() -> None:
    assert pairs(known(1, "Jan", "Zawiła", "+48600100200", address=HOME, birthday="1950-01-02"), known(2, "Jan", "Zawiła", "+48600100201", address=HOME, birthday="1979-05-06")) == set()


def test_namesakes_in_two_towns_are_two() -> None:
    assert pairs(known(1, "Anna", "Nowak", "+48600100200", city="Kraków"), known(2, "Anna", "Nowak", "+48600100201", city="Gdańsk")) == set()


def test_a_pair_says_what_speaks_for_it_and_against_it() -> None:
    one = known(1, "Teodor", "Zawiła", "+48600100200", address=HOME, birthday="1950-01-02")
    other = known(2, "Teodor", "Zawiła", "+48600100209", city="Gdynia", birthday="1950-01-02")
    (pair,) = [pair for pair in likely_duplicates([one, other, *crowd()]) if pair.low == 1]
    assert pair.findings["birth"].level == "same"
    assert pair.findings["birth"].weight > 10
    assert pair.findings["city"].weight < 0
    assert "email" not in pair.findings


def test_most_planted_duplicates_are_found_and_few_others_proposed() -> None:
    rows, truth = records(10_000, random.Random(11))
    found = {(pair.low, pair.high) for pair in likely_duplicates([one for one in rows if comparable(one)])}
    assert len(found & truth) / len(found) >= 0.95
    assert len(found & truth) / len(truth) >= 0.87
