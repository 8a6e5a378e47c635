"""Whose word holds when people are joined and parted: the same as had it been so from the beginning."""

from datetime import timedelta
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.profile import actions as profile
from cegla.profile.rules.enrichment import Declared
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis
from tests.resolve.known import NOON, alias, email, event, identify, person, user


@pytest.fixture
def two(workspace: Workspace) -> Any:
    """Two people; the CRM says Łódź of the first, the shop later Kraków of the second. Yields their numbers and those of the sources."""
    with workspace.transaction() as conn:
        crm, shop = (collect.add_source(conn, name, "server", Basis.CONTRACT, NOON)[0].id for name in ("CRM", "Sklep"))
        resolve.find_people(conn, [event(0, "u1"), event(0, "u2")])
        first, second = person(conn, user("u1")), person(conn, user("u2"))
        told = [(first, "city", "Łódź", crm, 1), (second, "city", "Kraków", shop, 2), (second, "plan", "gold", shop, 2), (first, "plan", None, crm, 3)]
        profile.declared.keep(conn, [Declared(identity, key, value, source, NOON + timedelta(minutes=minute), 0, f"m{minute}") for identity, key, value, source, minute in told])
        yield conn, (first, second), (crm, shop)


def words(conn: Connection) -> dict[str, dict[str, Any]]:
    """What holds of whoever u1 and u2 are today."""
    return {name: profile.profiles_of(conn, resolve.links.identities_by_person(conn, [person(conn, user(name))])).popitem()[1] for name in ("u1", "u2")}


def part(conn: Connection) -> None:
    edge = next(edge for edge in resolve.links.edges_of(conn, person(conn, user("u1"))) if {edge.strong, edge.weak} == {user("u1"), user("u2")})
    resolve.links.retract(conn, edge.edge_id, "ola", NOON)


def test_joined_people_share_the_most_credible_word_and_parted_ones_have_their_own_again(two: Any) -> None:
    conn, _, (crm, shop) = two
    before = words(conn)
    assert before == {"u1": {"city": "Łódź"}, "u2": {"city": "Kraków", "plan": "gold"}}
    resolve.find_people(conn, [alias(5, "u1", "u2")])
    for ranking, held in (([], {"city": "Kraków"}), ([crm], {"city": "Łódź"}), ([shop], {"city": "Kraków", "plan": "gold"}), ([shop, crm], {"city": "Kraków", "plan": "gold"})):
        profile.declared.rank(conn, ranking, "ola", NOON)
        assert words(conn) == {"u1": held, "u2": held}
    part(conn)
    assert words(conn) == before


def test_a_correction_goes_with_the_one_it_was_made_for(two: Any) -> None:
    conn, (_, second), (crm, _) = two
    profile.declared.rank(conn, [crm], "ola", NOON)
    profile.declared.correct(conn, second, "city", "Opole", "ola", NOON)
    resolve.find_people(conn, [alias(5, "u1", "u2")])
    assert words(conn)["u1"]["city"] == "Opole"
    part(conn)
    assert (words(conn)["u1"]["city"], words(conn)["u2"]["city"]) == ("Łódź", "Opole")


def test_an_import_that_is_taken_back_leaves_the_words_as_if_it_never_was(two: Any) -> None:
    conn, (first, _), (_, shop) = two
    before = words(conn)
    profile.declared.keep(conn, [Declared(first, "city", "Gdynia", shop, NOON + timedelta(minutes=9), 7, "row 1")])
    assert words(conn)["u1"]["city"] == "Gdynia"
    profile.declared.forget_import(conn, 7)
    assert words(conn) == before


def test_a_released_address_is_no_trait_of_who_gave_it_up_for_one_or_for_all_unless_they_say_so(two: Any) -> None:
    conn, (first, _), (crm, _) = two
    resolve.find_people(conn, [identify(1, "u1", email="Ola@X.pl")])
    profile.declared.keep(conn, [Declared(first, "email", "Ola@X.pl", crm, NOON + timedelta(minutes=1), 0, "m9")])
    asked = (None, [first])
    assert [profile.declared.by_person(conn, "email", people) for people in asked] == [{first: "Ola@X.pl"}] * 2
    found = resolve.releasing.release(conn, email("ola@x.pl"), NOON.date() + timedelta(days=1), "skrzynka oddana", "ola", NOON + timedelta(days=2))
    assert (found.moved, found.changed) == ([], [first]), "nobody moved, yet her traits and segments are looked at"
    assert [profile.declared.by_person(conn, "email", people) for people in asked] == [{}] * 2
    profile.declared.correct(conn, first, "email", "ola@x.pl", "ola", NOON)
    assert [profile.declared.by_person(conn, "email", people) for people in asked] == [{first: "ola@x.pl"}] * 2
