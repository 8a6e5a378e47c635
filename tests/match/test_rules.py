"""How people look to the comparison, and what the comparison weighs: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.match.rules.model import COMPARISONS, chance, prior
from cegla.match.rules.names import alike, full_form, root, words
from cegla.match.rules.records import comparable, row
from cegla.vocabulary.identifiers import Identifier


@pytest.mark.parametrize(("short", "full"), [("kasia", "katarzyna"), ("gosia", "malgorzata"), ("tomek", "tomasz"), ("jas", "jan"), ("anna", "anna"), ("xyz", "xyz")])
def test_a_diminutive_stands_for_its_full_form(short: str, full: str) -> None:
    assert full_form(short) == full


@pytest.mark.parametrize(("hers", "his"), [("kowalska", "kowalski"), ("nowicka", "nowicki"), ("zawadzka", "zawadzki"), ("nowak", "nowak"), ("ska", "ska")])
def test_a_womans_surname_has_the_root_of_her_brothers(hers: str, his: str) -> None:
    assert root(hers) == root(his)


def test_names_are_compared_without_diacritics_titles_and_capitals() -> None:
    assert words("Pani dr ŁUCJA Żółć-Świątek") == ["lucja", "zolc", "swiatek"]


def test_a_record_reads_every_way_a_name_an_address_and_a_date_are_told() -> None:
    one = row(1, [Identifier("email", "j.zolc1980@poczta.example.com")], {"name": "Józef Żółć", "birthday": "3.05.1980", "address": {"street": "ul. Długa 5/2", "postal_code": "90-001", "city": "Łódź"}})
    other = row(2, [], {"firstname": "x", "imie": "Józef", "nazwisko": "Żółć", "data_urodzenia": "1980-05-03", "ulica": "Długa 5 m. 2", "kod_pocztowy": "90001", "miasto": "ŁÓDŹ"})
    assert (one.given, one.surname, one.birth, one.home, one.city) == (other.given, other.surname, other.birth, other.home, other.city)
    assert one.boxes == ["jzolc1980"]


@pytest.mark.parametrize("email", ["biuro@firma.example.com", "jozef.zolc@poczta.example.com", "ab@x.example.com"])
def test_a_mailbox_that_others_could_have_says_nothing(email: str) -> None:
    assert row(1, [Identifier("email", email)], {"name": "Józef Żółć"}).boxes is None


def test_a_name_alone_is_not_compared() -> None:
    assert not comparable(row(1, [], {"first_name": "Jan", "last_name": "Nowak"}))
    assert comparable(row(1, [Identifier("phone", "+48600100200")], {"first_name": "Jan", "last_name": "Nowak"}))


TEXTS = st.text("aŻß ﬁ0129-./+@\u0000", max_size=12)
VALUES = st.one_of(st.none(), TEXTS, st.integers(), st.lists(TEXTS, max_size=2), st.dictionaries(st.sampled_from(["street", "city", "zip"]), TEXTS))


@given(st.dictionaries(st.sampled_from(["name", "first_name", "last_name", "birthday", "address", "city", "street", "phone"]), VALUES))
def test_whatever_was_declared_makes_a_record(declared: dict[str, object]) -> None:
    assert row(1, [], declared).person_id == 1


@pytest.mark.parametrize("people", [2, 100, 100_000, 10_000_000])
def test_the_levels_of_a_comparison_share_out_all_pairs(people: int) -> None:
    for comparison in COMPARISONS:
        levels = (*comparison.levels, comparison.other)
        assert sum(chance(comparison, level, people) for level in levels) <= 1.81 if comparison.key in ("given", "surname") else 1.001
        assert all(0 < chance(comparison, level, people) < 1 for level in levels)
        assert all(0 < level.m < 1 for level in levels)
    assert 0 < prior(people) <= 0.01


@pytest.mark.parametrize(
    ("trait", "one", "other", "same"),
    [("first_name", "Gosia", "Małgorzata", True), ("first_name", "Anna", "Ewa", False), ("last_name", "Święcka", "Swiecka", True), ("city", "ŁÓDŹ ", "Łódź", True), ("birthday", "1980-05-05", "1985-01-01", False)],
)
def test_values_side_by_side_agree_as_people_would_say(trait: str, one: str, other: str, same: bool) -> None:
    assert alike(trait, one, other) is same
