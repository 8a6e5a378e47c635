"""The pure rules: what an event mentions, how text folds, how groups are decided."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.resolve.rules.clusters import REFUSALS, Group, Link, Refusal, derive, refusal
from cegla.resolve.rules.mentions import mention, names_in
from cegla.vocabulary.folding import folded
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.known import NOON, browser, email, event, identify, user


def test_an_event_points_at_its_strongest_identifier() -> None:
    context = {"device": {"id": "phone"}, "externalIds": [{"id": "c1", "type": "crm", "collection": "users"}]}
    assert mention(names_in(identify(0, "u1", "b1", email="a@x.pl", phone="600100200"))).point == user("u1")
    assert mention(names_in(identify(0, None, "b1", email="a@x.pl"))).point == email("a@x.pl")
    assert mention(names_in(event(0, None, "b1", context=context))).point == browser("b1")
    assert mention(names_in(event(0, None, None, context=context))).point == Identifier("device_id", "phone")


def test_two_places_are_never_linked_to_each_other() -> None:
    assert mention(names_in(event(0, None, "b1", context={"device": {"id": "phone"}}))).links == ()


@pytest.mark.parametrize("context", [{"device": "x"}, {"device": {"id": ["x"]}}, {"externalIds": {"id": 1}}, {"externalIds": [7, {"id": {}, "type": "crm"}, {"id": "x"}]}, {"traits": [1]}])
def test_malformed_context_is_read_as_nothing(context: dict[str, object]) -> None:
    assert mention(names_in(event(0, "u1", "b1", context=context))).identifiers == (user("u1"), browser("b1"))


def test_external_ids_carry_their_own_type() -> None:
    rows = [{"id": "A@X.pl", "type": "email"}, {"id": "77", "type": "Loyalty_Card"}, {"id": "x", "type": "hashed", "encoding": "sha256"}]
    assert mention(names_in(event(0, "u1", None, context={"externalIds": rows}))).identifiers == (user("u1"), email("a@x.pl"), Identifier("loyalty_card", "77"))


@pytest.mark.parametrize(("text", "plain"), [("Zażółć Gęślą Jaźń", "zazolc gesla jazn"), ("ŁÓDŹ", "lodz"), ("Straße", "strasse"), ("Åse Ørsted", "ase orsted"), ("ﬁx", "fix"), ("abc", "abc"), ("𝐀", "a")])
def test_folding_removes_capitals_and_diacritics(text: str, plain: str) -> None:
    assert folded(text) == plain


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def link(minute: int, strong: Identifier, weak: Identifier, ids: dict[Identifier, int], trusted: bool = True) -> Link:
    return Link(NOON + timedelta(minutes=minute), strong, weak, ids[strong], ids[weak], "seen", trusted)


def test_the_smallest_id_names_the_person() -> None:
    ids = {browser("b"): 1, user("u"): 5, email("e@x.pl"): 9}
    derived = derive({number: identifier.type for identifier, number in ids.items()}, [link(2, user("u"), email("e@x.pl"), ids), link(1, user("u"), browser("b"), ids)])
    assert derived.person_of == {1: 1, 5: 1, 9: 1}
    assert set(derived.refusals.values()) == {None}


def test_a_person_never_holds_more_than_the_limit_of_a_type() -> None:
    ids = {user("u"): 1, email("x@x.pl"): 2}
    one, other = Group(1, {"user_id": 1, "email": 3}), Group(2, {"email": 3})
    assert refusal(link(0, user("u"), email("x@x.pl"), ids), one, other) is Refusal.LIMIT
    assert refusal(link(0, user("u"), email("x@x.pl"), ids), one, Group(2, {"email": 2})) is None


def test_every_refusal_has_its_sentence() -> None:
    assert set(REFUSALS) == set(Refusal)
