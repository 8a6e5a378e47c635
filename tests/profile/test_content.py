"""Content read: what a person reads, worked out by hand."""

import numpy as np
import pytest

from cegla.profile.analysers.content import ANALYSER
from cegla.profile.rules.reading import Reading, SitePages, read_pages, site_model, words_of_page
from cegla.profile.rules.subjects import BLOCKED, NOTHING, subject_of
from tests.profile.analysed import Deed, found

SPORT, FOOD, PETS, HOME = "483", "210", "422", "274"


def reads(person: int, days: float, path: str, title: str, seconds: int = 60, scroll: int = 100, **facts: object) -> list[Deed]:
    """A page and how it was left, a minute later."""
    return [(person, days, "Page Viewed", {"path": path, "title": title, **facts}), (person, days - 0.0007, "Page Left", {"path": path, "seconds": seconds, "scroll_depth": scroll})]


@pytest.mark.parametrize(
    ("text", "topic", "detail"),
    [
        ("Jak wybrać rower górski dla początkujących", SPORT, "492"), ("Przepis na pierogi z kapustą", FOOD, "216"), ("Karma dla kota bez zbóż", PETS, "424"),
        ("Wkrętarka akumulatorowa do remontu", HOME, "280"), ("PRZEPIS NA ZUPE z dyni", FOOD, "216"), ("How to train your puppy", PETS, "425"),
    ],
)  # fmt: skip
def test_words_tell_the_topic_in_two_tiers_and_two_languages(text: str, topic: str, detail: str) -> None:
    found = subject_of([(text, 1.0)])
    assert (found.topic, found.detail) == (topic, detail)


@pytest.mark.parametrize("text", ["", "Regulamin", "Strona 3", "abc 123"])
def test_what_says_nothing_is_about_nothing(text: str) -> None:
    assert subject_of([(text, 1.0)]) == NOTHING


@pytest.mark.parametrize("text", ["Leki na cukrzycę", "Wybory do sejmu i koalicja rządowa", "Pielgrzymka do sanktuarium i modlitwa", "Pistolet i amunicja", "Rozwód krok po kroku"])
def test_a_page_of_a_special_category_is_blocked_however_harmless_the_rest(text: str) -> None:
    assert subject_of([("Sport i rower, mecz piłkarski", 2.0), (text, 1.0)]) == BLOCKED or subject_of([(text, 1.0)]) == BLOCKED


def test_a_topic_weighs_by_seconds_and_scroll_and_halves_in_thirty_days() -> None:
    deeds = [*reads(1, 0.01, "/a", "Mecz piłkarski", 60), *reads(1, 0.02, "/b", "Przepis na zupę", 30), *reads(1, 30.01, "/c", "Przepis na ciasto", 60)]
    topics = {one["iab_id"]: one["share"] for one in found(ANALYSER, deeds)[1]["content.topics"]}
    assert topics["533"] == pytest.approx(60 / (60 + 30 + 30), abs=0.005)  # soup 30 s today, cake 60 s a half-life ago


def test_few_readings_are_an_honest_unknown() -> None:
    assert found(ANALYSER, reads(1, 1, "/a", "Mecz piłkarski"))[1]["content.topics"] is None


def test_where_nobody_says_how_long_a_page_was_read_it_counts_as_a_short_reading_and_its_depth_is_unknown() -> None:
    deeds: list[Deed] = [(1, day + 0.1, "Page Viewed", {"path": f"/w{day}", "title": "Wazony"}) for day in range(5)]
    known = found(ANALYSER, deeds)[1]
    assert [one["iab_id"] for one in known["content.topics"]] == ["283"]
    assert known["content.depth"] is None


def test_what_the_whole_shop_is_about_does_not_hide_what_is_a_persons_own() -> None:
    deeds = [deed for person in range(1, 9) for page in range(4) for deed in reads(person, page + 0.1, f"/k{page}", "Karma dla kota")]
    deeds += [deed for page in range(3) for deed in reads(8, page + 0.5, f"/s{page}", "Mecz piłkarski w lidze")]
    topics = [one["iab_id"] for one in found(ANALYSER, deeds, learn=True)[8]["content.topics"]]
    assert topics[0] in (SPORT, "533")


def test_reading_deeply_is_thirty_seconds_and_three_quarters_down() -> None:
    deeds = [*reads(1, 1, "/a", "Mecz", 30, 75), *reads(1, 2, "/b", "Mecz", 29, 100), *reads(1, 3, "/c", "Mecz", 90, 74), *reads(1, 4, "/d", "Mecz", 31, 90)]
    assert found(ANALYSER, deeds)[1]["content.depth"] == 0.5


def test_topics_differ_by_time_of_day() -> None:
    at_seven, at_twenty = 5 / 24, 16 / 24  # now is 13:00 in Warsaw: 8:00 the same day, 21:00 the day before
    deeds = [deed for day in range(1, 4) for deed in (*reads(1, day + at_seven, f"/m{day}", "Mecz piłkarski"), *reads(1, day + at_twenty, f"/w{day}", "Przepis na zupę"))]
    assert {one["daypart"]: one["iab_id"] for one in found(ANALYSER, deeds)[1]["content.dayparts"]} == {"morning": SPORT, "evening": FOOD}


def test_forms_and_age_of_what_is_read() -> None:
    deeds = [*reads(1, 0.5, "/a", "Mecz", kind="NewsArticle", published="2026-11-18T08:00"), *reads(1, 0.6, "/b", "Mecz", kind="Recipe", published="2026-11-15"),
        *reads(1, 0.7, "/c", "Mecz", kind="BlogPosting", published="2026-11-09")]  # fmt: skip
    own = found(ANALYSER, deeds)[1]
    assert own["content.formats"] == {"article": 0.667, "recipe": 0.333}
    assert own["content.freshness"] == 4  # 2026-11-19 and 20 less 18, 15, 9: 1 or 2, 4 or 5, 10 or 11 days


def test_pages_of_a_special_category_count_for_nobody() -> None:
    deeds = [deed for day in range(5) for deed in reads(1, day + 0.1, f"/leki-na-cukrzyce/{day}", "Leki na cukrzycę", section="Zdrowie")]
    assert found(ANALYSER, deeds, learn=True) == {}
    deeds += [deed for day in range(4) for deed in reads(1, day + 0.2, f"/mecz/{day}", "Mecz", section="Sport")]
    assert [one["iab_id"] for one in found(ANALYSER, deeds, learn=True)[1]["content.topics"]] == [SPORT]


def test_keywords_are_words_met_more_often_than_by_the_base() -> None:
    deeds = [deed for person in range(1, 10) for page in range(3) for deed in reads(person, page + 0.1, f"/o{page}", "Garnek emaliowany duży")]
    deeds += [deed for person in (7, 8, 9) for page in range(3) for deed in reads(person, page + 0.6, f"/n{page}", "Ostrzenie noży kamieniem")]
    own = found(ANALYSER, deeds, learn=True)
    assert "kamień" in own[9]["content.keywords"] or "kamieniem" in own[9]["content.keywords"]
    assert not set(own[9]["content.keywords"]) & {"garnek"}


def test_words_of_a_page_are_base_forms_without_empty_ones() -> None:
    words = words_of_page("Najlepsze noże kuchenne oraz ostrzenie noży")
    assert len(words) == len(set(words))
    assert not {"oraz", "najlepszy"} & set(words)


def test_a_page_that_says_nothing_is_looked_up_among_what_the_crawler_found() -> None:
    page = Reading("/p/17", " · ", "")
    assert read_pages([page], {}, SitePages({}))[0].subject == NOTHING
    assert read_pages([page], {}, SitePages({"/p/17": ("Zwierzęta", "Karma dla psa")}))[0].subject.topic == PETS


def test_the_model_of_the_site_knows_pages_whose_words_do_not_tell() -> None:
    """Every cat page of this shop says "Mruczek", every football page "Bramkostrzał": after learning, these brands alone tell."""
    pages = [Reading(f"/k{one}", "Karma dla kota", f"Mruczek {one}") for one in range(40)] + [Reading(f"/f{one}", "Piłka nożna", f"Kopmax {one}") for one in range(40)]
    readers = [(person, code) for code in range(80) for person in range(3)]
    learnt = site_model(pages, *map(np.array, zip(*readers, strict=True)), SitePages({}))
    assert [one.subject.topic for one in read_pages([Reading("/x", "", "Mruczek 77"), Reading("/y", "", "Kopmax 78")], learnt, SitePages({}))] == [PETS, SPORT]


def test_a_page_that_few_people_read_is_not_learnt_from() -> None:
    pages = [Reading(f"/k{one}", "Karma dla kota", f"Mruczek {one}") for one in range(80)]
    assert site_model(pages, np.zeros(80, int), np.arange(80), SitePages({})) == {}


def test_times_that_are_no_times_stop_nothing() -> None:
    told = ["NaN", "inf", "-inf", 1e308, 1e308, -1, "x", None]
    deeds: list[Deed] = [(1, 1.0 + n / 100, "Page Viewed", {"path": f"/a{n}", "title": "Rowery", "seconds": one, "scroll_depth": one}) for n, one in enumerate(told)]
    assert 1 in found(ANALYSER, deeds, learn=True)
