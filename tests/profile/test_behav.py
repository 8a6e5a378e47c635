"""Behaviour: what visits are for, styles, what comes next and departures from habit, worked out by hand."""

import numpy as np
import pytest

from cegla.profile.analysers.behav import ANALYSER
from cegla.profile.rules.succession import learn_succession, next_events
from cegla.profile.rules.visiting import KINDS, Visit, departures, strategies
from tests.profile.analysed import Deed, found


def kind_of(**measures: float) -> str:
    """The strategy of one visit."""
    given = {"steps": 0.0, "searches": 0.0, "information": 0.0, "looks": 0.0, "products": 0.0, "kinds": 0.0, "buying": 0.0} | measures
    given["steps"] = given["searches"] + given["information"] + given["looks"]
    return KINDS[strategies(Visit(*(np.array([given[name]]) for name in Visit._fields)))[0]]


def test_visits_are_told_apart_as_moe_describes_them() -> None:
    assert kind_of(looks=6, products=2, kinds=1, buying=1) == "directed"
    assert kind_of(searches=4, looks=5, products=5, kinds=2) == "search"
    assert kind_of(looks=8, products=8, kinds=6) == "browse"
    assert kind_of(information=7, looks=1, products=1, kinds=1) == "knowledge"


def test_a_visit_of_one_step_has_no_strategy() -> None:
    assert strategies(Visit(*(np.array([one]) for one in (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)))).tolist() == [-1]


def test_the_longest_context_that_was_seen_says_what_comes_next() -> None:
    walks = [["a", "b", "c"]] * 8 + [["x", "b", "d"]] * 8 + [["z", "b", "d"]] * 8
    model = learn_succession(walks)
    assert next_events(model, ["b"])[0][0] == "d"  # 16 of 24
    assert next_events(model, ["a", "b"])[0][0] == "c"  # behind "a" always
    assert sum(chance for _, chance in next_events(model, ["a", "b"])) <= 1.0001


def test_what_was_never_seen_falls_back_to_what_is_frequent() -> None:
    model = learn_succession([["a", "b"]] * 5)
    assert {name for name, _ in next_events(model, ["unheard of"])} == {"a", "b"}
    assert next_events({}, ["a"]) == []


@pytest.mark.parametrize(("weeks", "sign"), [([3, 3, 2, 3, 4, 3, 3, 3], 0), ([1, 1, 1, 1, 1, 1, 7, 7], 1), ([6, 6, 7, 6, 7, 6, 0, 0], -1), ([0, 7, 0], 0)])
def test_weeks_unlike_the_ones_before_are_noticed(weeks: list[float], sign: int) -> None:
    assert np.sign(departures([weeks, weeks])).tolist() == [sign, sign]


def order(person: int, days: float, discount: float, category: str = "Kubki", product: str = "p1") -> Deed:
    return (person, days, "Order Completed", {"order_id": f"{person}-{days}", "total": 100, "currency": "PLN", "discount": discount,
        "products": [{"product_id": product, "name": "Kubek", "category": category, "price": 100, "quantity": 1}]})  # fmt: skip


def test_discount_affinity_is_the_place_among_buyers_and_zero_for_who_used_none() -> None:
    deeds = [order(1, 3, 10), order(1, 5, 20), order(2, 3, 0), order(2, 6, 0), order(3, 3, 10), order(3, 5, 0)]
    own = found(ANALYSER, deeds, learn=True)
    assert (own[1]["behav.discount_affinity"], own[2]["behav.discount_affinity"]) == (100, 0)
    assert 0 < own[3]["behav.discount_affinity"] < 100
    assert found(ANALYSER, [order(1, 3, 10)])[1]["behav.discount_affinity"] is None


def test_styles_are_places_in_the_own_base() -> None:
    deeds = [order(person, day, 0, "Kubki", f"p{day}") for person in range(1, 10) for day in (3, 9)]
    deeds += [order(10, day, 15, "Kubki", f"p{day}") for day in (3, 9)]
    own = found(ANALYSER, deeds, learn=True)
    assert own[10]["behav.style"] == "price_hunter"
    assert found(ANALYSER, deeds)[10]["behav.style"] is None  # nothing was learnt


def test_a_visit_that_reads_and_a_visit_that_looks() -> None:
    reading: list[Deed] = [(1, 2 - step / 1000, "Page Viewed", {"path": f"/poradnik/{step}", "title": "Poradnik", "kind": "Article"}) for step in range(5)]
    looking: list[Deed] = [(2, 2 - step / 1000, "Product Viewed", {"product_id": f"p{step % 2}", "name": "Kubek", "category": "Kubki"}) for step in range(6)]
    own = found(ANALYSER, [*reading, *looking])
    assert (own[1]["behav.visit_type"], own[2]["behav.visit_type"]) == ("knowledge", "directed")


def test_what_comes_next_is_learnt_from_everybodys_visits() -> None:
    deeds: list[Deed] = []
    for person in range(1, 6):
        deeds += [(person, 2.0, "Product Viewed", {"product_id": "p"}), (person, 1.999, "Product Added", {"product_id": "p"}), (person, 1.998, "Checkout Started", {})]
    deeds += [(6, 1.0, "Product Viewed", {"product_id": "p"}), (6, 0.999, "Product Added", {"product_id": "p"})]
    assert found(ANALYSER, deeds, learn=True)[6]["behav.next_event"][0]["event"] == "Checkout Started"


def test_an_event_that_names_a_special_category_is_never_said_to_come() -> None:
    deeds: list[Deed] = [(person, 2.0 - step / 1000, ("Product Viewed", "Prescription Uploaded")[step % 2], {}) for person in range(1, 6) for step in range(4)]
    assert "Prescription" not in str(found(ANALYSER, deeds, learn=True))


def test_to_tell_who_one_is_is_no_step_of_a_visit() -> None:
    deeds: list[Deed] = []
    for person in range(6):
        at = 20.0 + person
        deeds += [(person, at, "Page Viewed", {"path": "/a"}), (person, at - 0.001, "Identify", {}), (person, at - 0.002, "Group", {}), (person, at - 0.003, "Order Completed", {})]
    coming = found(ANALYSER, deeds, learn=True)[1]["behav.next_event"]
    assert not {one["event"] for one in coming} & {"Identify", "Group"}
