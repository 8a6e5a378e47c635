"""Rules of an installation: what a document may say, what a trial says of it, and that applying it derives everybody exactly."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.resolve import actions as resolve
from cegla.resolve.rules.clusters import Refusal
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.people import IdentityRulesInvalid, RuleVersionOld
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, read_rules
from cegla.vocabulary.identifiers import Identifier, normalized
from tests.resolve.known import NOON, browser, check_books, clusters, email, event, identify, person, take_in, user
from tests.resolve.test_properties import events, expected

WEEK = 7 * 24 * 60  # minutes


def apply(conn: Connection, document: dict[str, Any]) -> None:
    """Put rules in force and derive everybody by them."""
    resolve.ruling.apply(conn, document, "ola", NOON)
    resolve.ruling.settle(conn, resolve.ruling.unsettled(conn), "ola")
    resolve.ruling.settled(conn, NOON)
    check_books(conn)
    assert resolve.ruling.unsettled(conn) == []


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"types": {"email": {"limit": 0}}}, "types.email.limit"),
        ({"types": {"email": {"limt": 3}}}, "types.email"),
        ({"types": {"E mail": {}}}, "types.E mail"),
        ({"types": {"nip": {"found_in": ["password"]}}}, "types.nip.found_in"),
        ({"types": {"email": {"found_in": ["traits.mail"]}}}, "types.email.found_in"),
        ({"types": {"email": {"window": "daily"}}}, "types.email.window"),
        ({"types": {"user_id": {"unique": False}}}, "types.user_id.unique"),
        ({"types": []}, "types"),
        ({"blocked": ["x"] * 201}, "blocked"),
        ({"phone_region": "Poland"}, "phone_region"),
        ({"phone_reegion": "PL"}, "rules"),
    ],
)
def test_a_wrong_document_is_refused_at_its_place(document: dict[str, Any], where: str) -> None:
    with pytest.raises(IdentityRulesInvalid) as refused:
        read_rules(document)
    assert refused.value.where == where


@pytest.mark.parametrize(
    ("document", "where"), [({"phone_region": "UK"}, "phone_region"), ({"blocked": ["a\0b"]}, "blocked"), ({"types": {"nip": {"blocked": ["\0"]}}}, "blocked")]
)
def test_rules_that_could_not_do_what_they_say_are_refused_by_the_trial_and_when_applied(conn: Connection, document: dict[str, Any], where: str) -> None:
    for asked in (resolve.ruling.attempt, lambda conn, document: resolve.ruling.apply(conn, document, "ola", NOON)):
        with pytest.raises(IdentityRulesInvalid) as refused:
            asked(conn, document)
        assert refused.value.where == where


def test_a_refusal_speaks_both_languages(conn: Connection) -> None:
    with pytest.raises(IdentityRulesInvalid) as refused:
        resolve.ruling.attempt(conn, {"types": {"email": {"limit": "3"}}})
    assert refused.value.say("pl") == "Reguły tożsamości są nieprawidłowe: powinno być: liczba całkowita, a jest: tekst"
    assert refused.value.say("en") == "The identity rules are not valid: a whole number belongs here, not a text"


def test_an_empty_document_is_the_defaults() -> None:
    assert read_rules({}) == DEFAULT_RULES


@pytest.mark.parametrize(
    ("pattern", "value", "blocked"),
    [
        ("test*", "TEST-7", True), ("test*", "latest", False), ("*@example.com", "a@example.com", True), ("a*bc*c", "abc", False), ("a*bc*c", "abcc", True),
        ("a?c", "abc", True), ("a?c", "abbc", False), ("a.c", "abc", False), ("*", "anything", True), ("[ab]", "a", False),
    ],
)  # fmt: skip
def test_a_pattern_blocks_what_it_fits(pattern: str, value: str, blocked: bool) -> None:
    assert (normalized("user_id", value, read_rules({"types": {"user_id": {"blocked": [pattern]}}})) is None) is blocked


@given(st.lists(st.sampled_from(["a", "b", "?", "*"]), min_size=1, max_size=12).map("".join), st.text("ab", max_size=12))
def test_a_pattern_means_what_a_slow_reader_says(pattern: str, value: str) -> None:
    def fits(at: int, of: int) -> bool:
        if at == len(pattern):
            return of == len(value)
        if pattern[at] == "*":
            return fits(at + 1, of) or (of < len(value) and fits(at, of + 1))
        return of < len(value) and pattern[at] in ("?", value[of]) and fits(at + 1, of + 1)

    assert read_rules({"blocked": [pattern]}).blocks("user_id", value) == fits(0, 0)


def test_no_pattern_hangs_on_the_worst_value() -> None:
    rules = read_rules({"blocked": ["*a" * 40 + "*b", "*" * 90, "?" * 50 + "*x" * 20]})
    assert normalized("user_id", "a" * 500, rules) is None, "a run of stars fits everything"
    assert not read_rules({"blocked": ["*a" * 40 + "*b"]}).blocks("user_id", "a" * 500)


@pytest.mark.parametrize(("after", "joined"), [(WEEK - 1, False), (WEEK, True), (WEEK + 1, True)])
@pytest.mark.parametrize("together", [True, False])
def test_a_value_that_came_exactly_one_window_ago_does_not_count_any_more(conn: Connection, after: int, joined: bool, together: bool) -> None:
    apply(conn, {"types": {"email": {"limit": 5, "window": "weekly"}}})
    rows = [identify(0, "u1", email="e0@x.pl"), *(identify(n, "u1", email=f"e{n}@x.pl") for n in (10, 20, 30, 40)), identify(after, "u1", email="new@x.pl")]
    found = take_in(conn, *([rows] if together else [[row] for row in rows]))
    assert (person(conn, email("new@x.pl")) == person(conn, user("u1"))) is joined
    assert [warning.reason for one in found for warning in one.warnings] == ([] if joined else [Refusal.LIMIT])


def test_two_holders_of_a_unique_type_of_ones_own_are_never_joined(conn: Connection) -> None:
    apply(conn, {"types": {"nip": {"priority": 2, "limit": 1, "unique": True, "found_in": ["traits.nip"]}}})
    take_in(conn, [identify(0, None, "b1", nip="5261040828"), identify(1, None, "b1", nip="1132853869")])
    assert person(conn, Identifier("nip", "5261040828")) != person(conn, Identifier("nip", "1132853869"))


def test_a_type_of_ones_own_is_read_from_the_fields_named(conn: Connection) -> None:
    apply(conn, {"types": {"card": {"found_in": ["traits.card", "properties.card", "context.traits.card"]}}})
    rows = [identify(0, "u1", card=" 77 "), event(1, "u2", properties={"card": "78"}), event(2, "u3", trusted=False, properties={"card": "79"}), event(3, "u4", context={"traits": {"card": "80"}})]
    take_in(conn, rows)
    assert [resolve.look_up(conn, [Identifier("card", value)])[0] is not None for value in ("77", "78", "79", "80")] == [True, True, False, True]
    assert person(conn, Identifier("card", "77")) == person(conn, user("u1"))


def test_a_cap_on_merges_lets_events_go_on_and_warns(conn: Connection) -> None:
    apply(conn, {"most_merges": 2, "types": {"email": {"limit": 50}}})
    pairs = [row for n in range(5) for row in (identify(n, None, f"b{n}", email=f"e{n}@x.pl"), event(10 + n, "u1", f"b{n}"))]
    (found,) = take_in(conn, sorted(pairs, key=lambda row: row.occurred_at))
    assert [warning.reason for warning in found.warnings] == [Refusal.MERGES] * 2
    assert set(found.people[5:]) == {person(conn, user("u1"))}, "events of a person past the cap still find them"
    assert resolve.ruling.unsettled(conn) == []


def test_a_trial_says_who_would_be_joined_and_parted_and_changes_nothing(conn: Connection) -> None:
    take_in(conn, [identify(n, "u1", email=f"e{n}@x.pl") for n in range(7)] + [event(9, "u2", "b2")])
    before = clusters(conn)
    loose = resolve.ruling.attempt(conn, {"types": {"email": {"limit": 7}}})
    assert (loose.difference.joined, loose.difference.parted, loose.difference.newly_accepted, loose.difference.out_of_bounds) == (3, 0, 2, 0)
    assert [len(join.people) for join in loose.difference.joins] == [3]
    tight = resolve.ruling.attempt(conn, {"types": {"email": {"limit": 2}}})
    assert (tight.difference.joined, tight.difference.parted, tight.difference.out_of_bounds, dict(tight.difference.newly_refused)) == (0, 1, 1, {Refusal.LIMIT: 3})
    assert tight.difference.parts == [(person(conn, user("u1")), (3, 1, 1, 1))]
    assert tight.difference.bounds == [(person(conn, user("u1")), Refusal.LIMIT, "email", 3)]
    assert (clusters(conn), resolve.ruling.rule_versions(conn), current_rules(conn)) == (before, [], DEFAULT_RULES)


def test_rules_applied_and_taken_back_leave_people_as_they_were_and_every_move_in_the_log(conn: Connection) -> None:
    take_in(conn, [identify(n, "u1", email=f"e{n}@x.pl") for n in range(7)])
    before = clusters(conn)
    apply(conn, {"types": {"email": {"limit": 2}}})
    assert len(clusters(conn)) == 6
    apply(conn, {})
    assert clusters(conn) == before
    moves = resolve.links.merges_of(conn, [row.identity_id for rows in resolve.identifiers_of(conn, [person(conn, user("u1"))]).values() for row in rows])
    assert {move.cause for move in moves} == {"rules"}
    assert [version.made_by for version in resolve.ruling.rule_versions(conn)] == ["ola", "ola"]
    assert resolve.ruling.is_settled(conn)


def test_intake_that_goes_on_before_everybody_is_derived_changes_nothing_in_the_end(conn: Connection) -> None:
    take_in(conn, [identify(n, "u1", email=f"e{n}@x.pl") for n in range(5)])
    resolve.ruling.apply(conn, {"types": {"email": {"limit": 3}}}, "ola", NOON)
    later = [event(20, "u1", "b1"), identify(21, "u2", "b1", email="e4@x.pl"), identify(22, "u1", email="e9@x.pl")]
    take_in(conn, later)
    resolve.ruling.settle(conn, resolve.ruling.unsettled(conn), "ola")
    assert person(conn, email("e4@x.pl")) == person(conn, user("u2")), "the second user holds what the first may not"
    assert person(conn, browser("b1")) == person(conn, user("u1"))
    assert resolve.ruling.unsettled(conn) == []


def test_a_trial_that_is_not_of_todays_rules_is_not_applied(conn: Connection) -> None:
    tried = resolve.ruling.attempt(conn, {"most_merges": 7})
    resolve.ruling.apply(conn, {"most_merges": 9}, "jan", NOON)
    with pytest.raises(RuleVersionOld):
        resolve.ruling.apply(conn, {"most_merges": 7}, "ola", NOON, tried.version)


def test_a_blocked_value_lets_go_of_the_people_it_held_together(conn: Connection) -> None:
    office = {"types": {"email": {"blocked": ["office@*"]}}}
    take_in(conn, [identify(0, None, "b1", email="office@x.pl"), identify(1, None, "b2", email="office@x.pl")])
    assert resolve.ruling.attempt(conn, office).difference.newly_refused == {Refusal.BLOCKED: 2}
    apply(conn, office)
    assert person(conn, browser("b1")) != person(conn, browser("b2"))
    (found,) = take_in(conn, [identify(5, None, "b1", email="office@x.pl")])
    assert found.people == [person(conn, browser("b1"))]


def test_plus_addresses_are_one_mailbox_while_the_rules_say_so(conn: Connection) -> None:
    take_in(conn, [identify(0, None, "b1", email="anna+shop@x.pl"), identify(1, None, "b2", email="anna@x.pl"), identify(2, None, "b3", email="ewa+a@x.pl"), identify(3, None, "b4", email="ewa+b@x.pl")])
    apart = clusters(conn)
    fold = {"plus_addressing": "drop"}
    tried = resolve.ruling.attempt(conn, fold).difference
    assert (tried.joined, tried.parted) == (4, 0)
    apply(conn, fold)
    assert person(conn, browser("b1")) == person(conn, browser("b2"))
    assert person(conn, browser("b3")) == person(conn, browser("b4")), "though nobody ever wrote the address without a plus"
    take_in(conn, [identify(9, None, "b5", email="Anna+news@x.pl")])
    assert person(conn, browser("b5")) == person(conn, browser("b1"))
    apply(conn, {})
    assert person(conn, browser("b1")) != person(conn, browser("b2"))
    assert {cluster - {browser("b5")} for cluster in clusters(conn)} >= apart
    apply(conn, fold)
    assert person(conn, browser("b1")) == person(conn, browser("b2")), "and again, whenever they say so"


DOCUMENTS = st.sampled_from(
    [
        {}, {"types": {"email": {"limit": 1}}}, {"types": {"email": {"limit": 1, "window": "weekly"}, "anonymous_id": {"limit": 2}}}, {"most_merges": 1},
        {"types": {"email": {"unique": True, "limit": 1}}}, {"types": {"email": {"blocked": ["a@*"]}, "anonymous_id": {"priority": 1}}},
    ]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(events(), max_size=18), DOCUMENTS, DOCUMENTS, st.integers(0, 18))
def test_people_are_what_the_newest_rules_make_of_all_links_and_the_trial_knew(
    conn: Connection, rows: list[Event], first: dict[str, Any], second: dict[str, Any], cut: int
) -> None:
    with conn.transaction(force_rollback=True):
        apply(conn, first)
        cache = resolve.IdentityCache(capacity=4)
        resolve.find_people(conn, rows[:cut], cache)
        check_books(conn)
        resolve.find_people(conn, rows[cut:], cache)
        check_books(conn)
        assert clusters(conn) == derived(rows, first), "intake decides by the rules in force"
        assert resolve.ruling.unsettled(conn) == []
        tried = resolve.ruling.attempt(conn, second).difference
        before = clusters(conn)
        apply(conn, second)
        assert (tried.identities_moved == 0) == (clusters(conn) == before)


def derived(rows: Sequence[Event], document: dict[str, Any]) -> set[frozenset[Identifier]]:
    return expected(rows, rules=read_rules(document))


def test_every_reason_of_a_warning_is_counted(conn: Connection) -> None:
    take_in(conn, [event(0, "u1", "b1"), event(1, "u2", "b1"), event(2, "u1", "x" * 501), event(3, "u1", "y" * 501)])
    counted = {(row.reason, row.type): row.number for row in resolve.links.warnings(conn)}
    assert counted == {("unique", "anonymous_id"): 1, ("too_long", "anonymous_id"): 2}
    assert resolve.links.refused_links(conn, reason="limit") == []
    assert NOON + timedelta(minutes=3) in {row.last_at for row in resolve.links.warnings(conn)}
    assert set(resolve.links.WARNINGS) == {reason.value for reason in Refusal} | {"too_long"}
