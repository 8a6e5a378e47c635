"""Scenarios that other products test, with what becomes of the people here. Where we differ on purpose, the row says why.

The scenarios are told in our own words after PostHog/posthog `plugin-server/tests/worker/ingestion/person-state-batch.test.ts`@038640b and
apache/unomi `itests/…/ProfileMergeIT.java`@02ab3c6. What those files say of their tables, caches and message queues has no counterpart here.
splink's `test_cc_random_graphs.py` is the model of the union-find in `test_machine.py`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.known import alias, browser, clusters, email, event, identify, take_in, user


class Scenario(NamedTuple):
    """`batches` come one after the other; `people` are all there are in the end. `otherwise`: what the peer does, where it is not this."""

    peer: str
    name: str
    batches: Sequence[Sequence[Event]]
    people: Sequence[set[Identifier]]
    otherwise: str = ""

    def __str__(self) -> str:
        return f"{self.peer}: {self.name}"


ANNA, BARTEK, OLD, NEW = user("anna"), user("bartek"), browser("old"), browser("new")
SCENARIOS = (
    Scenario("PostHog", "identify without an anonymous id changes nobody", [[event(0, "anna")], [identify(1, "anna")]], [{ANNA}]),
    Scenario("PostHog", "identify of two ids never seen makes one person", [[identify(0, "anna", "old")]], [{ANNA, OLD}]),
    Scenario("PostHog", "identify again with the same two ids", [[identify(0, "anna", "old")], [identify(1, "anna", "old")]], [{ANNA, OLD}]),
    Scenario("PostHog", "only the user is known: the browser is added", [[event(0, "anna")], [identify(1, "anna", "old")]], [{ANNA, OLD}]),
    Scenario("PostHog", "only the browser is known: the user is added", [[event(0, None, "old")], [identify(1, "anna", "old")]], [{ANNA, OLD}]),
    Scenario("PostHog", "both are known, neither as somebody else's", [[event(0, None, "old"), event(0, "anna")], [identify(1, "anna", "old")]], [{ANNA, OLD}]),
    Scenario("PostHog", "a known user takes a new anonymous browser in", [[identify(0, "anna", "old")], [event(1, None, "new")], [identify(2, "anna", "new")]], [{ANNA, OLD, NEW}]),
    Scenario("PostHog", "an id that was identified as another is not taken over", [[identify(0, "anna", "old")], [identify(1, "bartek", "old")]], [{ANNA, OLD}, {BARTEK}]),
    Scenario("PostHog", "two identified users are not merged by identify", [[identify(0, "anna", "old"), identify(0, "bartek", "new")], [identify(1, "anna", "new")]], [{ANNA, OLD}, {BARTEK, NEW}]),
    Scenario("PostHog", "an alias of an id nobody saw", [[alias(0, "anna", "old", trusted=False)]], [{ANNA, OLD}]),
    Scenario("PostHog", "an alias of a known browser", [[event(0, None, "old")], [alias(1, "anna", "old", trusted=False)]], [{ANNA, OLD}]),
    Scenario("PostHog", "an alias of an identified user by a public key", [[event(0, "anna"), event(0, "bartek")], [alias(1, "anna", "bartek", trusted=False)]], [{ANNA, browser("bartek")}, {BARTEK}]),
    Scenario(
        "PostHog", "a dangerous merge of two identified users", [[event(0, "anna"), event(0, "bartek")], [alias(1, "anna", "bartek")]], [{ANNA, BARTEK, browser("bartek")}],
        "anybody may call $merge_dangerously, and it cannot be undone; here it takes a secret key, and its link can be taken back",
    ),
    *(Scenario("PostHog", f"an illegal id: {text!r}", [[identify(0, text, "old"), identify(1, "anna", text)]], [{OLD}, {ANNA}])
      for text in ("anonymous", "GUEST", "null", "[object Object]", " ", "NaN", "'undefined'", "0", "00000000-0000-0000-0000-000000000000")),
    Scenario("PostHog", "identify of an id with itself", [[identify(0, "anna", "anna")]], [{ANNA, browser("anna")}]),
    Scenario("PostHog", "two threads merge the same two: said twice", [[event(0, None, "old"), event(0, "anna")], [identify(1, "anna", "old"), identify(1, "anna", "old")]], [{ANNA, OLD}]),
    Scenario("PostHog", "merges in both directions", [[event(0, "anna"), event(0, "bartek")], [alias(1, "anna", "bartek"), alias(1, "bartek", "anna")]], [{ANNA, BARTEK, browser("anna"), browser("bartek")}]),
    Scenario("PostHog", "three merge in a chain", [[event(0, "a"), event(0, "b"), event(0, "c")], [alias(1, "a", "b")], [alias(2, "b", "c")]], [{user("a"), user("b"), user("c"), browser("b"), browser("c")}]),
    Scenario("Unomi", "no master yet: who comes first is somebody new", [[identify(0, None, "old", email="a@x.pl")]], [{OLD, email("a@x.pl")}]),
    Scenario("Unomi", "the profile of the event is the master", [[event(0, None, "old")], [identify(1, None, "old", email="a@x.pl")]], [{OLD, email("a@x.pl")}]),
    Scenario("Unomi", "two with one address are one, and both ids lead there", [[identify(0, None, "old", email="a@x.pl")], [identify(1, None, "new", email="a@x.pl")]], [{OLD, NEW, email("a@x.pl")}]),
    Scenario(
        "Unomi", "another address in the same browser: somebody new", [[identify(0, None, "old", trusted=False, email="a@x.pl")], [identify(1, None, "old", trusted=False, email="b@x.pl")]],
        [{OLD, email("a@x.pl")}, {email("b@x.pl")}],
    ),
    Scenario(
        "Unomi", "another address in the same browser: somebody known",
        [[identify(0, None, "old", trusted=False, email="a@x.pl"), identify(0, None, "new", trusted=False, email="b@x.pl")], [identify(1, None, "old", trusted=False, email="b@x.pl")]],
        [{OLD, email("a@x.pl")}, {NEW, email("b@x.pl")}],
    ),
)  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_what_others_test_ends_with_these_people(conn: Connection, scenario: Scenario) -> None:
    take_in(conn, *scenario.batches)
    assert clusters(conn) == set(map(frozenset, scenario.people))


def test_sessions_of_a_merged_profile_are_found_under_the_master_and_no_event_is_rewritten(conn: Connection) -> None:
    """Unomi rewrites the sessions and events of a profile that was merged; here they keep the identity they point at."""
    before, after = take_in(conn, [event(n, None, "old") for n in range(5)], [identify(9, "anna", "old")])
    assert len(set(before.identity_ids)) == 1
    assert after.moved == [(after.identity_ids[0], before.identity_ids[0])]
    assert set(before.people) == set(after.people)
