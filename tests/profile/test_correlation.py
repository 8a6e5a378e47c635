"""What traits come to: do they fit, which address is for work, who buys, and what is written where and when."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.profile.rules import consistency, contact
from cegla.profile.rules.addresses import Address, Kinds, Owner, Use, judged
from cegla.profile.rules.analysis import Known
from cegla.profile.rules.contact import Ground, Subject
from cegla.profile.rules.sides import side_of
from cegla.profile.rules.working_day import Held, Spot, devices_by_place, kind_of_day, work_of

KINDS = Kinds(lambda domain: domain == "wp.pl", lambda domain: domain == "mailinator.com", lambda mailbox: mailbox == "biuro", lambda number: number.startswith("+4812"))
HOME, WORK = "1261", "1206"
WEEK = [1.0 / 168] * 168


def sure(value: Any, confidence: float = 0.9, n: int = 10) -> Known:
    return Known(value, confidence, n)


def addresses_of(*texts: str, owner: Owner = Owner(), use: Use = Use()) -> list[Any]:
    return judged([Address(number, "email" if "@" in text else "sms", text, use=use) for number, text in enumerate(texts, 1)], owner, KINDS)


# do traits fit? ----------------------------------------------------------------------------------------------------------


def test_a_declared_address_far_from_the_nights_is_a_conflict_that_shows_both_sides() -> None:
    [found] = consistency.checked({"geo.powiat": sure(WORK), "geo.source": sure("address"), "place.home": sure(HOME, 0.7, 12)})
    assert not found.agrees
    assert found.record == {
        "check": "home_by_address", "weight": 0.7,
        "one": {"trait": "geo.powiat", "value": WORK, "confidence": 0.9, "n": 10}, "other": {"trait": "place.home", "value": HOME, "confidence": 0.7, "n": 12},
    }  # fmt: skip


def test_a_place_told_by_the_network_may_be_home_or_work() -> None:
    traits = {"geo.powiat": sure(WORK), "geo.source": sure("ip"), "place.home": sure(HOME), "place.work": sure(WORK)}
    assert [one.agrees for one in consistency.checked(traits)] == [True]
    assert [one.agrees for one in consistency.checked({**traits, "geo.powiat": sure("0201")})] == [False]


def test_what_is_hardly_known_is_set_against_nothing() -> None:
    assert consistency.checked({"geo.powiat": sure(WORK), "geo.source": sure("address"), "place.home": sure(HOME, 0.2)}) == []
    assert consistency.consistency([]) is None


def test_who_picks_up_at_noon_and_is_active_at_night_is_a_conflict() -> None:
    traits = {"call.reachable_hours": sure(["1-11", "2-12"]), "rhythm.best_send_hour": sure(21)}
    assert [one.agrees for one in consistency.checked(traits)] == [False]
    assert [one.agrees for one in consistency.checked({**traits, "rhythm.best_send_hour": sure(13)})] == [True]


@pytest.mark.parametrize("check", consistency.CHECKS, ids=lambda check: check.key)
def test_a_check_says_what_it_sets_side_by_side_in_two_languages(check: consistency.Check) -> None:
    assert check.label.pl != check.label.en
    assert all(name in text for text in (check.conflict.pl, check.conflict.en) for name in ("{one}", "{other}"))


# which address is for work? ----------------------------------------------------------------------------------------------


def test_an_address_says_by_itself_whose_it_is() -> None:
    sides = {one.address.text: one.side for one in addresses_of("jan@firma.pl", "jan@wp.pl", "biuro@firma.pl", "x@mailinator.com", "+48126001122")}
    assert sides == {"jan@firma.pl": "work", "jan@wp.pl": "private", "biuro@firma.pl": "work", "x@mailinator.com": "private", "+48126001122": "work"}


def test_a_domain_that_bears_the_surname_does_not_say_on_which_side_it_is() -> None:
    [found] = addresses_of("jan@kowalski.pl", owner=Owner("Kowalski"))
    assert found.side is None


def test_how_an_address_is_used_can_speak_against_its_looks() -> None:
    [found] = addresses_of("jan@wp.pl", use=Use(40, 39, 38, 10))
    assert found.side == "work"
    assert set(found.signs) == {"free_mailbox", "used_at_work", "from_office"}


@given(st.integers(3, 500), st.integers(0, 500))
def test_more_deeds_in_working_hours_never_make_an_address_less_for_work(deeds: int, working: int) -> None:
    few, many = (addresses_of("jan@wp.pl", use=Use(deeds, min(number, deeds), 0, 10))[0].work for number in (working // 2, working))
    assert few <= many


# work and day ------------------------------------------------------------------------------------------------------------


def test_work_is_where_place_says_and_a_network_of_an_office_without_it() -> None:
    spots = [Spot(HOME, False, 20, 7.0, 22.0), Spot(WORK, True, 15, 9.0, 16.0)]
    assert work_of({"place.work": sure(WORK)}, spots).hours == (9, 17)
    assert work_of({}, spots).hours == (9, 17)
    assert work_of({}, spots[:1]).hours is None


def test_a_device_is_for_work_where_its_visits_are_at_work() -> None:
    work = work_of({"place.work": sure(WORK)}, [Spot(WORK, True, 15, 9.0, 16.0)])
    found = devices_by_place([Held("phone Android", HOME, False, 30), Held("desktop Windows", WORK, True, 40), Held("phone iOS", WORK, True, 20)], work)
    assert {one["device"]: one["use"] for one in found} == {"phone Android": "private", "desktop Windows": "work", "phone iOS": "work"}


def test_a_day_at_home_needs_a_known_home_and_many_working_days_there() -> None:
    spots = [Spot(HOME, False, 20, 8.0, 20.0)]
    assert kind_of_day({"place.home": sure(HOME)}, spots, work_of({}, spots))[0] == "home"
    assert kind_of_day({}, spots, work_of({}, spots)) == (None, 0.0)


# who buys? ---------------------------------------------------------------------------------------------------------------


def test_who_buys_follows_the_legal_form_and_says_so() -> None:
    assert side_of({"legal.segment": sure("b2b")}, [], [])[::2] == ("b2b", ["firm"])
    assert side_of({"legal.segment": sure("b2c")}, [], [])[::2] == ("b2c", ["consumer"])
    assert side_of({"legal.segment": sure("jdg", 0.85)}, [], []) == ("both", 0.85, ["trader"])
    assert side_of({}, [], []) == (None, 0.0, [])


def test_a_conflict_makes_the_side_less_sure() -> None:
    traits = {"legal.segment": sure("b2b"), "line.kind": sure("fixed"), "rhythm.hist": sure([0.0] * 160 + [1 / 8] * 8)}
    outcomes = consistency.checked(traits)
    assert [one.agrees for one in outcomes] == [False]
    assert side_of(traits, [], outcomes)[1] < side_of(traits, [], [])[1]


# which address, about what, when? ----------------------------------------------------------------------------------------


def ground(**more: Any) -> Ground:
    known = addresses_of("jan@firma.pl", "jan@wp.pl")
    subjects = [Subject("Drukarki", "work", 9.0), Subject("Rowery", "evening", 8.0), Subject("Rowery", "weekend", 4.0)]
    return Ground(**{"addresses": known, "subjects": subjects, "side": "b2c", "week": contact.weeks([WEEK])[0], "hours": (9, 17), "channels": {}, "arrives": None, "week_sure": 0.8} | more)


def test_matters_of_work_go_to_the_address_for_work_in_working_hours_and_private_ones_to_the_other() -> None:
    lines = {line["about"]: line for line in contact.plan(ground())}
    assert (lines["work"]["topics"], lines["work"]["identity"], lines["work"]["days"]) == (["Drukarki"], 1, "workdays")
    assert 9 <= lines["work"]["hour"] < 17
    assert (lines["private"]["topics"], lines["private"]["identity"]) == (["Rowery"], 2)
    assert not 9 <= lines["private"]["hour"] < 17
    assert lines["orders"]["identity"] == 2
    assert {"work_address", "subjects_then", "active_then"} <= set(lines["work"]["reasons"])


def test_orders_of_a_company_go_to_the_address_for_work() -> None:
    assert contact.plan(ground(side="b2b"))[0]["identity"] == 1


def test_the_hour_is_that_of_the_clicks_at_the_address_where_there_are_enough() -> None:
    used = judged([Address(1, "email", "jan@firma.pl", use=Use(12, 12, 12, 11)), Address(2, "email", "jan@wp.pl")], Owner(), KINDS)
    line = next(line for line in contact.plan(ground(addresses=used)) if line["about"] == "work")
    assert (line["hour"], line["reasons"][-1]) == (11, "clicks_then")


def test_an_address_to_which_mail_hardly_arrives_is_hardly_advised() -> None:
    good, bad = contact.plan(ground())[0], contact.plan(ground(arrives=0.05))[0]
    assert bad["sure"] < good["sure"] / 5
    assert "may_bounce" in bad["reasons"]


def test_nobody_is_advised_to_send_a_message_to_a_landline() -> None:
    known = judged([Address(1, "sms", "+48123456789"), Address(2, "email", "jan@wp.pl")], Owner(), KINDS)
    assert {line["identity"] for line in contact.plan(ground(addresses=known, channels={"sms": 1.0}))} == {2}
    assert contact.plan(ground(addresses=known[:1])) == []


def test_without_an_address_there_is_no_plan() -> None:
    assert contact.plan(ground(addresses=[])) == []


@given(st.lists(st.builds(Subject, st.sampled_from("abcde"), st.sampled_from(("work", "evening", "weekend")), st.floats(0.1, 50)), max_size=12))
def test_what_is_looked_at_only_at_work_is_never_a_private_matter(subjects: list[Subject]) -> None:
    private = {one.topic for one in subjects if one.part != "work"}
    at_work, outside = contact.by_part(subjects)
    assert set(outside) <= private
    assert set(at_work) <= {one.topic for one in subjects if one.part == "work"}
