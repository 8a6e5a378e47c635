"""What holds for any events: order, repeats and batch boundaries do not count, and taking a link back undoes it exactly.

The model is a plain one: all links of all events, derived from scratch.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.resolve import actions as resolve
from cegla.resolve.rules.clusters import Link, derive
from cegla.resolve.rules.mentions import mention, names_in, stronger
from cegla.storage.workspace import Connection
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, IdentifierRules
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.known import NOON, check_books, clusters, event

Pair = tuple[Identifier, Identifier]
IN_ONE_DATABASE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

USERS = st.sampled_from([None, None, "u1", "u2", "u3"])
BROWSERS = st.sampled_from([None, "b1", "b2", "b3", "b4"])
EMAILS = st.sampled_from([None, None, "a@x.pl", "b@x.pl", "c@x.pl"])


@st.composite
def events(draw: Any) -> Event:
    kind = draw(st.sampled_from(["track", "identify", "identify", "alias"]))
    minute, trusted = draw(st.integers(0, 12)), draw(st.booleans())
    user, browser, address = draw(USERS), draw(BROWSERS), draw(EMAILS)
    more: dict[str, Any] = {"message_id": f"{draw(st.integers(0, 999))}"}
    if kind == "alias":
        user, more["previous_id"] = user or "u1", draw(st.sampled_from(["u1", "u2", "u4", "b1", "b5"]))
    elif address:
        more |= {"traits": {"email": address}} if kind == "identify" else {"properties": {"email": address}}
    if draw(st.integers(0, 4)) == 0:
        more["context"] = {"device": {"id": "phone"}}
    return event(minute, user, browser, kind, trusted=trusted, **more)


def links_of(rows: Sequence[Event], rules: IdentifierRules = DEFAULT_RULES) -> dict[Pair, tuple[Any, Any, bool]]:
    """Every pair with its first time and its strongest authority."""
    found: dict[Pair, tuple[Any, Any, bool]] = {}

    def add(pair: Pair, at: Any, rule: Any, trusted: bool) -> None:
        old = found.get(pair, (at, rule, trusted))
        found[pair] = (min(old[0], at), stronger(old[1], rule), old[2] or trusted)

    users = {one for row in rows for one in mention(names_in(row, rules), rules).identifiers if one.type == "user_id"}
    for row in rows:
        for strong, weak, rule in mention(names_in(row, rules), rules).links:
            add((strong, weak), row.occurred_at, rule, row.trusted)
            previous = Identifier("user_id", weak.value)
            if rule == "alias" and strong.type == "user_id" and previous in users:
                add(tuple(sorted((strong, previous))), row.occurred_at, rule, row.trusted)  # type: ignore[arg-type]
    return found


def expected(rows: Sequence[Event], retracted: frozenset[Pair] = frozenset(), rules: IdentifierRules = DEFAULT_RULES) -> set[frozenset[Identifier]]:
    """Who is together, from scratch."""
    identifiers = sorted({one for row in rows for one in mention(names_in(row, rules), rules).identifiers})
    ids = {identifier: number for number, identifier in enumerate(identifiers)}
    links = [Link(at, *pair, ids[pair[0]], ids[pair[1]], rule, trusted) for pair, (at, rule, trusted) in links_of(rows, rules).items() if pair not in retracted]
    person_of = derive({number: identifier.type for identifier, number in ids.items()}, links, rules).person_of
    people: dict[int, set[Identifier]] = {}
    for identifier, number in ids.items():
        people.setdefault(person_of[number], set()).add(identifier)
    return set(map(frozenset, people.values()))


def take_in(conn: Connection, rows: Sequence[Event], cuts: Sequence[int]) -> resolve.IdentityCache:
    """Take the rows in, cut into batches at these places; the cache forgets a lot."""
    cache = resolve.IdentityCache(capacity=4)
    places = [0, *sorted({cut for cut in cuts if cut < len(rows)}), len(rows)]
    for first, last in pairwise(places):
        resolve.find_people(conn, rows[first:last], cache)
        check_books(conn)
    return cache


CUTS = st.lists(st.integers(0, 30), max_size=8)


@IN_ONE_DATABASE
@given(st.lists(events(), max_size=25), st.randoms(use_true_random=False), CUTS)
def test_order_repeats_and_batches_do_not_change_who_is_who(conn: Connection, rows: list[Event], chance: Any, cuts: list[int]) -> None:
    mixed = rows + chance.sample(rows, len(rows) // 2)
    chance.shuffle(mixed)
    with conn.transaction(force_rollback=True):
        take_in(conn, mixed, cuts)
        assert clusters(conn) == expected(rows)


@IN_ONE_DATABASE
@given(st.lists(events(), min_size=1, max_size=25), st.randoms(use_true_random=False), CUTS)
def test_a_retracted_link_leaves_what_would_be_without_it_even_when_seen_again(conn: Connection, rows: list[Event], chance: Any, cuts: list[int]) -> None:
    with conn.transaction(force_rollback=True):
        cache = take_in(conn, rows, cuts)
        edges = sorted({edge for person in people(conn) for edge in resolve.links.edges_of(conn, person)}, key=lambda edge: edge.edge_id)
        if edges:
            edge = chance.choice(edges)
            resolve.links.retract(conn, edge.edge_id, "ola", NOON)
            check_books(conn)
            without = expected(rows, frozenset([(edge.strong, edge.weak)]))
            assert clusters(conn) == without
            resolve.find_people(conn, rows, cache)
            assert clusters(conn) == without


@IN_ONE_DATABASE
@given(st.lists(events(), max_size=20), CUTS)
def test_what_a_batch_reports_adds_up_to_the_map(conn: Connection, rows: list[Event], cuts: list[int]) -> None:
    owners: dict[int, int] = {}
    places = [0, *sorted({cut for cut in cuts if cut < len(rows)}), len(rows)]
    cache = resolve.IdentityCache()
    with conn.transaction(force_rollback=True):
        for first, last in pairwise(places):
            before = people(conn)
            found = resolve.find_people(conn, rows[first:last], cache)
            owners |= dict(found.moved)
            after = people(conn)
            assert found.absorbed.keys() == before - after
            assert set(found.absorbed.values()) <= after
            assert set(found.people) - {0} <= after
            assert found.people == [owners.get(identity, identity) for identity in found.identity_ids]
        assert {identity: person for identity, person in owners.items() if identity != person} == dict(resolve.reach.identity_map(conn))


def people(conn: Connection) -> set[int]:
    return {row.id for row in resolve.find(conn, "", 0, 1_000)}
