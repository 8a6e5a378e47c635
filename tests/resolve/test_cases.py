"""The hard cases of identity resolution, one by one: what happens to people when identifiers meet."""

from itertools import permutations

import pytest

from cegla.resolve import actions as resolve
from cegla.resolve.rules.clusters import Refusal
from cegla.storage.workspace import Connection
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.known import NOON, alias, browser, clusters, email, event, identify, person, take_in, user


def test_the_anonymous_history_follows_the_person_who_signs_in(conn: Connection) -> None:
    before, after = take_in(conn, [event(0, None, "b1"), event(1, None, "b1")], [identify(2, "u1", "b1")])
    assert clusters(conn) == {frozenset({browser("b1"), user("u1")})}
    assert before.people == [person(conn, user("u1"))] * 2 == after.people * 2
    assert after.moved == [(after.identity_ids[0], before.identity_ids[0])]


@pytest.mark.parametrize("together", [True, False])
def test_a_second_user_of_a_browser_stays_another_person_and_gets_what_follows(conn: Connection, together: bool) -> None:
    events = [event(0, None, "b1"), event(1, "A", "b1"), event(2, None, "b1"), event(3, "B", "b1"), event(4, None, "b1"), event(5, "A", "b1"), event(6, None, "b1")]
    found = take_in(conn, *([events] if together else [[one] for one in events]))
    people = [one for resolution in found for one in resolution.people]
    a, b = person(conn, user("A")), person(conn, user("B"))
    assert a != b
    assert people == [a, a, a, b, b, a, a]
    assert [warning.reason for resolution in found for warning in resolution.warnings] == [Refusal.UNIQUE]


def test_a_late_event_of_a_shared_browser_goes_to_the_user_of_its_own_time(conn: Connection) -> None:
    *_, late = take_in(conn, [event(1, "A", "b1"), event(30, "B", "b1"), event(31, None, "b1")], [event(20, None, "b1"), event(0, None, "b1"), event(40, None, "b1")])
    a, b = person(conn, user("A")), person(conn, user("B"))
    assert late.people == [a, a, b]


def test_a_kiosk_with_five_hundred_users_makes_five_hundred_people(conn: Connection) -> None:
    logins = [event(minute, f"u{minute}", "kiosk") for minute in range(500)]
    take_in(conn, logins[:100], logins[100:101], logins[101:])
    assert resolve.links.count_people(conn) == 500
    assert max(map(len, clusters(conn))) == 2


def test_a_phone_that_strangers_share_does_not_chain_them_together(conn: Connection) -> None:
    phone = {"device": {"id": "phone-1"}}
    take_in(conn, [event(n, None, f"b{n}", context=phone) for n in range(20)], [event(30 + n, f"u{n}", f"b{n}", context=phone) for n in range(20)])
    assert [len({one for one in cluster if one.type == "user_id"}) for cluster in clusters(conn)] == [1] * 20


def test_after_a_reset_the_new_browser_joins_who_signs_in_again_and_nobody_else(conn: Connection) -> None:
    take_in(conn, [event(0, "A", "old"), event(1, "B", "other")], [event(2, None, "new")], [event(3, "A", "new")])
    assert clusters(conn) == {frozenset({user("A"), browser("old"), browser("new")}), frozenset({user("B"), browser("other")})}


@pytest.mark.parametrize("second", ["old", "new"])
def test_identify_as_somebody_else_keeps_two_people(conn: Connection, second: str) -> None:
    take_in(conn, [identify(0, "u1", "old"), identify(1, "u9", second)])
    assert person(conn, user("u1")) != person(conn, user("u9"))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_links_reach_through_each_other_in_every_order(conn: Connection, order: tuple[int, ...]) -> None:
    events = [event(0, "u1", "a"), event(1, "u1", "b"), identify(2, None, "b", email="c@x.pl")]
    take_in(conn, *[[events[index]] for index in order])
    assert clusters(conn) == {frozenset({user("u1"), browser("a"), browser("b"), email("c@x.pl")})}


def test_over_the_limit_the_weakest_identifier_is_left_out_and_the_rest_still_joins(conn: Connection) -> None:
    take_in(conn, [identify(n, "u1", email=f"e{n}@x.pl") for n in range(5)])
    (last,) = take_in(conn, [identify(9, "u1", "b9", email="e9@x.pl")])
    assert person(conn, browser("b9")) == person(conn, user("u1")) == last.people[0]
    assert person(conn, email("e9@x.pl")) != person(conn, user("u1"))
    assert [warning.reason for warning in last.warnings] == [Refusal.LIMIT]


def test_between_equal_ranks_at_the_limit_the_later_in_the_alphabet_is_left_out(conn: Connection) -> None:
    take_in(conn, [identify(n, "u1", email=f"e{n}@x.pl") for n in range(4)])
    both = [{"id": "z@x.pl", "type": "email"}, {"id": "a@x.pl", "type": "email"}]
    take_in(conn, [event(9, "u1", context={"externalIds": both})])
    assert person(conn, email("a@x.pl")) == person(conn, user("u1")) != person(conn, email("z@x.pl"))


@pytest.mark.parametrize("value", ["null", '"null"', "undefined", "0", "0000-0000", "-1", "NaN", "[object Object]", "'None'", "  ", "\u200b", "ｎｕｌｌ", "anonymous", "0" * 400 + "-"])
def test_a_blocked_value_never_becomes_an_identifier(conn: Connection, value: str) -> None:
    (found,) = take_in(conn, [event(0, value, value), event(1, "u1", value), event(2, value, "b1")])
    assert found.unresolved == [0]
    assert (found.identity_ids[0], found.people[0]) == (0, 0)
    assert clusters(conn) == {frozenset({user("u1")}), frozenset({browser("b1")})}


def test_one_form_of_each_identifier_counts(conn: Connection) -> None:
    take_in(conn, [identify(0, "1", email="  Anna+shop@Example.PL "), event(1, "ｕ２"), identify(2, "Zoe\u0308")])
    assert person(conn, email("anna+shop@example.pl")) == person(conn, user("1"))
    assert person(conn, user("u2"))
    assert person(conn, user("Zo\u00eb"))
    assert resolve.look_up(conn, [user("zo\u00eb"), email("anna@example.pl")]) == [None, None]


def test_two_users_with_one_family_address_stay_two(conn: Connection) -> None:
    take_in(conn, [identify(0, "mum", email="home@x.pl"), identify(1, "dad", email="home@x.pl"), event(2, "dad", "b1")])
    assert clusters(conn) == {frozenset({user("mum"), email("home@x.pl")}), frozenset({user("dad"), browser("b1")})}


def test_an_alias_to_oneself_does_nothing(conn: Connection) -> None:
    (found,) = take_in(conn, [alias(0, "u1", "u1")])
    assert clusters(conn) == {frozenset({user("u1")})}
    assert found.warnings == []


def test_aliases_in_a_circle_end_as_one_person(conn: Connection) -> None:
    take_in(conn, [event(0, "a"), event(0, "b"), event(0, "c")], [alias(1, "a", "b"), alias(2, "b", "c"), alias(3, "c", "a")])
    assert person(conn, user("a")) == person(conn, user("b")) == person(conn, user("c"))


@pytest.mark.parametrize("first", [True, False])
def test_an_alias_of_an_id_not_known_yet_holds_when_it_turns_out_to_be_a_user(conn: Connection, first: bool) -> None:
    batches = [[alias(1, "new", "old")], [event(0, "old", "b1")]]
    take_in(conn, *(batches if first else reversed(batches)))
    assert person(conn, user("new")) == person(conn, user("old")) == person(conn, browser("b1"))


def test_an_alias_gives_the_anonymous_history_to_the_user(conn: Connection) -> None:
    take_in(conn, [event(0, None, "b1")], [alias(1, "u1", "b1", trusted=False)])
    assert person(conn, user("u1")) == person(conn, browser("b1"))


def test_a_public_key_cannot_join_two_known_users_by_alias(conn: Connection) -> None:
    take_in(conn, [event(0, "a"), event(0, "b")])
    (found,) = take_in(conn, [alias(1, "a", "b", trusted=False)])
    assert person(conn, user("a")) != person(conn, user("b"))
    assert [warning.reason for warning in found.warnings] == [Refusal.PUBLIC_KEY]
    (found,) = take_in(conn, [alias(2, "a", "b")])
    assert person(conn, user("a")) == person(conn, user("b")), "a secret key may, and from then on it counts"


def test_a_public_key_cannot_join_two_known_people_over_a_browser(conn: Connection) -> None:
    take_in(conn, [identify(0, email="a@x.pl"), identify(0, email="b@x.pl")])
    (found,) = take_in(conn, [identify(1, None, "evil", trusted=False, email="a@x.pl"), identify(2, None, "evil", trusted=False, email="b@x.pl")])
    assert person(conn, email("a@x.pl")) != person(conn, email("b@x.pl"))
    assert [warning.reason for warning in found.warnings] == [Refusal.PUBLIC_KEY]


def test_a_public_key_may_say_the_address_of_a_user_and_of_a_newsletter_reader(conn: Connection) -> None:
    take_in(conn, [identify(0, None, "b1", trusted=False, email="a@x.pl")], [identify(1, "u1", "b1", trusted=False, phone="600 100 200")])
    assert clusters(conn) == {frozenset({user("u1"), browser("b1"), email("a@x.pl"), Identifier("phone", "+48600100200")})}


def test_an_email_among_properties_counts_only_with_a_secret_key(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", properties={"email": "a@x.pl"}), event(1, "u2", trusted=False, properties={"email": "b@x.pl"})])
    assert clusters(conn) == {frozenset({user("u1"), email("a@x.pl")}), frozenset({user("u2")})}


def test_a_server_event_before_the_browser_identifies_is_the_same_person(conn: Connection) -> None:
    take_in(conn, [event(0, "u1"), event(1, None, "b1")], [identify(2, "u1", "b1", trusted=False)])
    assert clusters(conn) == {frozenset({user("u1"), browser("b1")})}


def test_an_erased_person_is_gone_with_every_child_and_comes_back_as_somebody_new(conn: Connection) -> None:
    (found,) = take_in(conn, [event(0, None, "b1"), event(1, "u1", "b1"), event(2, "u2", "b2")])
    cache = resolve.IdentityCache()
    resolve.find_people(conn, [event(3, "u1", "b1")], cache)
    assert resolve.erase_person(conn, found.identity_ids[:1]) > 0
    assert resolve.look_up(conn, [user("u1"), browser("b1")]) == [None, None]
    assert resolve.export_person(conn, found.identity_ids[:2]) == {"identifiers": [], "links": [], "merges": [], "releases": []}
    again = resolve.find_people(conn, [event(4, "u1"), event(5, None, "b1")], cache)
    assert not set(again.identity_ids) & set(found.identity_ids)
    assert again.people[0] != again.people[1]


def test_what_happened_first_decides_whatever_came_first(conn: Connection) -> None:
    take_in(conn, [event(9, "late", "b1")])
    (found,) = take_in(conn, [event(1, "early", "b1")])
    assert person(conn, browser("b1")) == person(conn, user("early")) != person(conn, user("late"))
    assert found.moved


def test_a_group_or_account_never_joins_its_users(conn: Connection) -> None:
    account = {"externalIds": [{"id": "acme", "type": "crm", "collection": "accounts"}], "groupId": "acme"}
    take_in(conn, [event(0, "u1", kind="group", group_id="acme", traits={"email": "office@acme.pl"}, context=account), event(1, "u2", kind="group", group_id="acme", context=account)])
    assert clusters(conn) == {frozenset({user("u1")}), frozenset({user("u2")})}


def test_a_too_long_identifier_is_left_out_with_a_warning(conn: Connection) -> None:
    (found,) = take_in(conn, [event(0, "u1", "x" * 501)])
    assert clusters(conn) == {frozenset({user("u1")})}
    assert [(warning.reason, warning.types) for warning in found.warnings] == [("too_long", ("anonymous_id",))]


def test_past_the_cap_events_of_a_person_with_very_many_browsers_still_resolve(conn: Connection) -> None:
    (found,) = take_in(conn, [event(n / 100, "u1", f"b{n}") for n in range(1_200)])
    assert set(found.people) == {person(conn, user("u1"))}
    assert {warning.reason for warning in found.warnings} == {Refusal.CAP}
    assert len(resolve.identifiers_of(conn, [found.people[0]])[found.people[0]]) == 1_000


def test_a_cookie_that_outlives_a_reset_joins_nobody(conn: Connection) -> None:
    cookie = {"externalIds": [{"id": "GA1.2.3", "type": "ga_client_id", "collection": "users", "encoding": "none"}]}
    take_in(conn, [event(0, "u1", "b1", context=cookie)], [event(1, None, "b2", context=cookie), event(2, "u2", "b2", context=cookie)])
    assert person(conn, user("u1")) != person(conn, user("u2"))


def test_a_flood_of_made_up_browsers_touches_nobody_else(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", "b1")])
    before = clusters(conn)
    (flood,) = take_in(conn, [event(1, None, f"bot{n}", trusted=False) for n in range(2_000)])
    assert before < clusters(conn)
    assert (flood.moved, flood.absorbed, flood.warnings) == ([], {}, [])
    assert conn.execute("select count(*) from resolve.edges").fetchone() == (1,)


def test_the_same_message_id_in_two_sources_counts_for_both(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", "b1", source_id=1, message_id="m"), event(0, "u1", "b2", source_id=2, message_id="m")])
    assert clusters(conn) == {frozenset({user("u1"), browser("b1"), browser("b2")})}


def test_a_retracted_link_is_as_if_it_never_was_and_stays_so(conn: Connection) -> None:
    events = [event(0, None, "b1"), event(1, "u1", "b1"), event(2, "u1", "b2")]
    cache = resolve.IdentityCache()
    resolve.find_people(conn, events, cache)
    edge = next(edge for edge in resolve.links.edges_of(conn, person(conn, user("u1"))) if edge.weak == browser("b1"))
    undone = resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    expected = {frozenset({browser("b1")}), frozenset({user("u1"), browser("b2")})}
    assert clusters(conn) == expected
    assert set(undone.changed) == {person(conn, user("u1")), person(conn, browser("b1"))}
    again = resolve.find_people(conn, events, cache)
    assert clusters(conn) == expected
    assert again.people[0] != again.people[2]


def test_a_browser_and_a_device_seen_together_are_not_joined_while_others_of_the_batch_are(conn: Connection) -> None:
    take_in(conn, [event(0, None, "b1", context={"device": {"id": "phone"}}), event(1, "u1", "b2")])
    apart = {frozenset({browser("b1")}), frozenset({Identifier("device_id", "phone")})}
    assert clusters(conn) == apart | {frozenset({user("u1"), browser("b2")})}


def test_a_retracted_link_stays_retracted_when_it_turns_out_older_or_is_said_with_more_authority(conn: Connection) -> None:
    take_in(conn, [event(5, "u1", "b1", trusted=False), event(5, "u1", "b2")])
    edge = next(edge for edge in resolve.links.edges_of(conn, person(conn, user("u1"))) if edge.weak == browser("b1"))
    resolve.links.retract(conn, edge.edge_id, "ola", NOON)
    take_in(conn, [event(1, "u1", "b1", trusted=False)], [event(9, "u1", "b1")], [identify(0, "u1", "b1")])
    assert clusters(conn) == {frozenset({browser("b1")}), frozenset({user("u1"), browser("b2")})}
