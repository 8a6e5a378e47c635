"""Searches: what a query says, and what a person's searches add up to, worked out by hand."""

import json

import pytest

from cegla.profile.analysers.content import ANALYSER as CONTENT
from cegla.profile.analysers.search import ANALYSER
from cegla.profile.rules.queries import HIDDEN, Catalogue, attributes_of, intent_of, read_query
from cegla.profile.rules.scrubbing import is_personal
from cegla.profile.rules.texts import words_of
from cegla.reference.library import Library
from cegla.reference.pack import SHIPPED, read_sheet
from cegla.reference.polish import POLISH
from cegla.storage.warehouse import history
from tests.profile.analysed import Deed, found, history_of

SHOP = Catalogue({"brands": ["Bosch", "De'Longhi", "Le Creuset"], "words": {"pralka": {"Pralki": 1.0}, "garnek": {"Garnki": 1.0}, "zeliwny": {"Garnki": 0.7, "Patelnie": 0.3}}})


@pytest.mark.parametrize(
    ("query", "intent"),
    [("kontakt", "nav"), ("status zamówienia", "nav"), ("jak wyczyścić garnek żeliwny", "info"), ("pralka bosch opinie", "info"), ("pralka bosch cena", "trans"),
        ("garnek żeliwny", "trans"), ("tanie garnki promocja", "trans"), ("xiaomi vs samsung", "info")],
)  # fmt: skip
def test_cue_words_tell_why_somebody_searches(query: str, intent: str) -> None:
    assert intent_of(words_of(query), True) == intent


def test_a_brand_is_found_however_it_is_typed() -> None:
    assert [read_query(text, SHOP).brand for text in ("pralka BOSCH", "ekspres de longhi", "garnek le creuset", "pralka bosh", "zwykła pralka")] == ["Bosch", "De'Longhi", "Le Creuset", "Bosch", ""]


def test_words_lead_to_categories_in_any_form_and_without_diacritics() -> None:
    assert read_query("pralki", SHOP).topics == ("Pralki",)
    assert read_query("zeliwne garnki", SHOP).topics == ("Garnki",)
    assert read_query("garnke", SHOP).topics == ("Garnki",)


@pytest.mark.skipif(not POLISH.knows_diacritics, reason="the package ogonki is not installed")
def test_quotation_marks_and_foreign_letters_do_not_keep_diacritics_from_being_put_back() -> None:
    assert POLISH.restored("„zolta lodka” – café") == "„żółta łódka” – café"
    assert POLISH.restored("łodka i zolty") == "łodka i zolty"  # typed with diacritics: the rest is meant so


def test_a_thing_the_shop_does_not_know_has_a_topic_still() -> None:
    assert read_query("karma dla kota", SHOP).topics == ("422",)


@pytest.mark.parametrize("query", ["jan.kowalski@wp.pl", "600 700 800", "Jan Kowalski", "anna nowak-zielińska", "44051401359", "ul. Długa 5", "Katarzyna Wiśniewska zamówienie", "[e-mail]"])
def test_a_query_that_names_a_person_says_nothing(query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_personal(query)
    monkeypatch.setitem(vars(POLISH), "_analyser", None)  # an installation without the dictionary
    assert is_personal.__wrapped__(query)
    assert read_query(query, SHOP) == HIDDEN


@pytest.mark.parametrize("query", ["kurtka męska", "rower górski 29 cali", "iphone 15 pro 256gb", "buty do biegania damskie", "nóż szefa kuchni"])
def test_a_thing_is_no_person(query: str) -> None:
    assert not is_personal(query)


@pytest.mark.parametrize("query", ["lek na cukrzycę", "prezerwatywy", "biblia dla dzieci", "testy ciążowe", "pistolet i amunicja"])
def test_a_query_of_a_special_category_says_nothing(query: str) -> None:
    assert read_query(query, SHOP) == HIDDEN


def test_attributes_are_read_with_their_units() -> None:
    assert attributes_of("czerwony kubek ceramiczny 300 ml") == (("color", "czerwony"), ("material", "ceramika"), ("amount", "300 ml"))
    assert attributes_of('telewizor 55" czarny') == (("color", "czarny"), ("amount", "55 cali"))
    assert attributes_of("koszula rozmiar xl") == (("size", "XL"),)
    assert attributes_of("dysk 1,5 TB") == (("amount", "1.5 tb"),)


def searches(person: int, *asked: tuple[float, str, int]) -> list[Deed]:
    return [(person, days, "Products Searched", {"query": query, "results": results}) for days, query, results in asked]


def test_searches_add_up() -> None:
    """Three searches of one visit, the second refines the first; one of four found nothing; two of the three that may be read ask for a price."""
    deeds = searches(1, (1.0, "kubek", 5), (0.999, "kubek tani", 3), (0.998, "kubki cena", 0), (0.5, "Jan Kowalski", 1))
    own = found(ANALYSER, deeds)[1]
    assert (own["search.zero_results"], own["search.refinements"], own["search.price_words"], own["search.intent"]) == (1, 2 if POLISH.knows_forms else 1, 0.667, "trans")
    assert own["search.topics"] == ["274"]


def test_brands_and_categories_are_learnt_of_what_several_people_looked_at() -> None:
    deeds: list[Deed] = [(person, 2, "Product Viewed", {"product_id": "p1", "name": "Zmywarka Bosch 60 cm", "category": "AGD", "brand": "Bosch"}) for person in (1, 2, 3)]
    deeds += [(1, 2, "Product Viewed", {"product_id": "p2", "name": "Wirówka Ulta", "category": "Inne", "brand": "Ulta"})]
    own = found(ANALYSER, [*deeds, *searches(1, (1, "zmywarki bosch", 4), (0.9, "ulta", 1))], learn=True)[1]
    assert own["search.brands"] == ["Bosch"]
    assert own["search.topics"][0] == "AGD"


def test_terms_elsewhere_are_kept_when_several_people_typed_them() -> None:
    url = "/?utm_source=google&utm_medium=cpc&utm_term="
    deeds: list[Deed] = [(person, 1, "Page Viewed", {"path": url + "kubek+ceramiczny"}) for person in (1, 2, 3)] + [(1, 3, "Page Viewed", {"path": url + "dziwne+haslo"})]
    assert found(ANALYSER, deeds, learn=True)[1]["search.external_terms"] == ["kubek ceramiczny"]


def test_who_was_searched_for_does_not_come_into_the_history() -> None:
    deeds = [
        (1, 3.0, "Site Searched", {"query": "Jan Kowalski", "results": 0}), (1, 2.0, "Products Searched", {"search_term": "kurtka męska"}),
        (1, 1.0, "Page Viewed", {"path": "/?utm_source=list&utm_content=jan.kowalski@wp.pl&utm_campaign=20876543210", "referrer": "https://www.bing.com/search?q=Jan+Kowalski"}),
    ]
    with history_of(deeds, Library()) as warehouse:
        kept = warehouse.run(history()).to_pylist()
    assert [json.loads(row["properties"]) for row in kept if row["kind"] == "track"] == [{"query": "[person]", "results": 0}, {"search_term": "kurtka męska"}]
    page = next(row for row in kept if row["kind"] == "page")
    assert (page["referrer_term"], page["campaign_content"], page["campaign_name"]) == ("[person]", "[e-mail]", "20876543210")
    assert not any(name in str(row) for row in kept for name in ("Kowalski", "kowalski"))


def test_other_stems_of_topics_are_another_version_of_those_that_read_by_them() -> None:
    """A finding says by which method it was made, so that after an update everybody is looked at again. Change all three together."""
    assert (read_sheet(SHIPPED)["topics"]["sha256"][:12], CONTENT.version, ANALYSER.version) == ("0e35695810f2", 3, 2)
