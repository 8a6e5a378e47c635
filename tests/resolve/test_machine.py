"""Two machines that do what a shop does, in any order, beside a plain model: a list of facts, and a union-find made anew for each look.

`test_properties` compares with the product's own derivation; here the model is written down a second time, from the rules in words.
Every fact has a moment of its own and links two names, so that nothing hangs on how ties are broken.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.known import NOON, check_books, clusters, event, identify

USERS = ["u1", "u2", "u3", "u4"]
WEAK = [Identifier("email", "a@x.pl"), Identifier("email", "b@x.pl"), Identifier("anonymous_id", "b1"), Identifier("anonymous_id", "b2"), Identifier("anonymous_id", "b3")]
MOMENTS = st.integers(0, 500)
FEW = settings(max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


class Fact(NamedTuple):
    """Something that was seen: two names together at a moment. `joins_users`: an alias by a secret key."""

    minute: int
    one: Identifier
    other: Identifier
    joins_users: bool = False


class UnionFind:
    """Sets that grow together."""

    def __init__(self, names: Iterable[Identifier]) -> None:
        self.parents = {name: name for name in names}

    def root(self, name: Identifier) -> Identifier:
        return name if self.parents[name] == name else self.root(self.parents[name])

    def sets(self) -> frozenset[frozenset[Identifier]]:
        roots = {name: self.root(name) for name in self.parents}
        return frozenset(frozenset(name for name in roots if roots[name] == root) for root in roots.values())


def expected(names: set[Identifier], facts: list[Fact], retracted: set[frozenset[Identifier]]) -> frozenset[frozenset[Identifier]]:
    """People, from the first fact of each pair to the last: two who each have a user id are joined by an alias alone."""
    first: dict[frozenset[Identifier], Fact] = {}
    for fact in sorted(facts):
        pair = frozenset((fact.one, fact.other))
        known = first.setdefault(pair, fact)
        first[pair] = known._replace(joins_users=known.joins_users or fact.joins_users)
    people = UnionFind(names)
    for pair, fact in sorted(first.items(), key=lambda item: item[1].minute):
        one, other = people.root(fact.one), people.root(fact.other)
        known = [any(name.type == "user_id" and people.root(name) == root for name in names) for root in (one, other)]
        if pair not in retracted and one != other and (fact.joins_users or not all(known)):
            people.parents[other] = one
    return people.sets()


class Shop(RuleBasedStateMachine):
    """Sightings in any order and any batches, said again, each link taken back for good; aliases both ways."""

    conn: Connection
    inside: AbstractContextManager[Any]

    @initialize()
    def open(self) -> None:
        self.inside = self.conn.transaction(force_rollback=True)
        self.inside.__enter__()
        self.cache = resolve.IdentityCache(capacity=4)
        self.names: set[Identifier] = set()
        self.facts: list[Fact] = []
        self.retracted: set[frozenset[Identifier]] = set()
        self.events: list[Event] = []
        self.free = list(range(1_000))

    def teardown(self) -> None:
        if hasattr(self, "facts"):
            self.inside.__exit__(None, None, None)

    def minute(self, wanted: int) -> int:
        return self.free.pop(wanted % len(self.free))

    def note(self, minute: int, one: Identifier, other: Identifier, *, joins_users: bool = False) -> None:
        self.names |= {one, other}
        self.facts.append(Fact(minute, one, other, joins_users))

    @rule(sightings=st.lists(st.tuples(MOMENTS, st.sampled_from(USERS), st.sampled_from(WEAK)), min_size=1, max_size=5))
    def see(self, sightings: list[tuple[int, str, Identifier]]) -> None:
        batch: list[Event] = []
        for wanted, user, weak in sightings:
            minute = self.minute(wanted)
            self.note(minute, Identifier("user_id", user), weak)
            batch.append(identify(minute, user, email=weak.value) if weak.type == "email" else event(minute, user, weak.value))
        self.tell(batch)

    @rule(pairs=st.lists(st.tuples(MOMENTS, st.sampled_from(USERS), st.sampled_from(USERS)), min_size=1, max_size=3))
    def alias(self, pairs: list[tuple[int, str, str]]) -> None:
        """A→B, B→A, A→A. An alias speaks of a browser of that name, and joins the users when both are known at last."""
        batch: list[Event] = []
        for wanted, user, previous in pairs:
            minute = self.minute(wanted)
            one, other = Identifier("user_id", user), Identifier("user_id", previous)
            self.names.add(one)
            if one != other:
                self.names.add(other)
                self.note(minute, *sorted((one, other)), joins_users=True)
                self.note(minute, one, Identifier("anonymous_id", previous), joins_users=True)
                batch.append(event(minute, previous))
            batch.append(event(minute, user, kind="alias", previous_id=previous))
        self.tell(batch)

    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        if self.events:
            self.tell(data.draw(st.lists(st.sampled_from(self.events), max_size=6)), new=False)

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        edges = {edge.edge_id: edge for row in resolve.find(self.conn, "", 0, 100) for edge in resolve.links.edges_of(self.conn, row.id)}
        open_ones = sorted(number for number, edge in edges.items() if edge.retracted_at is None)
        if open_ones:
            edge = edges[data.draw(st.sampled_from(open_ones))]
            resolve.links.retract(self.conn, edge.edge_id, "ola", NOON)
            self.retracted.add(frozenset((edge.strong, edge.weak)))

    def tell(self, batch: list[Event], *, new: bool = True) -> None:
        resolve.find_people(self.conn, batch, self.cache)
        self.events += batch if new else []

    @invariant()
    def people_are_those_of_the_model(self) -> None:
        if not hasattr(self, "facts"):
            return
        check_books(self.conn)
        assert clusters(self.conn) == expected(self.names, self.facts, self.retracted)


ANSWERS = st.sampled_from([True, False, None])
PAIRS = [("u1", "u2"), ("u2", "u3"), ("u3", "u1")]


class Ledger(RuleBasedStateMachine):
    """Consents given and refused under three names that are joined and parted: the gate asks for the most restrictive of today's names."""

    conn: Connection
    ws: Workspace
    inside: AbstractContextManager[Any]
    met: set[str]  #: what the examples came across; without a yes before a no of one person they would show nothing

    @initialize()
    def open(self) -> None:
        self.inside = self.conn.transaction(force_rollback=True)
        self.inside.__enter__()
        self.decided: dict[tuple[str, Channel], bool] = {}
        self.joined: set[tuple[str, str]] = set()
        self.parted: set[tuple[str, str]] = set()
        self.together: list[set[str]] = [{user} for user in USERS[:3]]
        self.minutes = 0
        self.tell(*(event(0, user) for user in USERS[:3]))

    def teardown(self) -> None:
        if hasattr(self, "decided"):
            self.inside.__exit__(None, None, None)

    def tell(self, *batch: Event) -> None:
        found = resolve.find_people(self.conn, batch)
        govern.ask(self.conn, batch, found.identity_ids, {1: Basis.CONTRACT}, NOON + timedelta(days=1))

    def later(self) -> int:
        self.minutes += 1
        return self.minutes

    @rule(channel=st.sampled_from([Channel.EMAIL, Channel.SMS]), answers=st.tuples(ANSWERS, ANSWERS, ANSWERS))
    def decide(self, channel: Channel, answers: tuple[bool | None, ...]) -> None:
        """Each of the three says yes, no or nothing: one of them alone would hardly ever contradict another within so few steps."""
        for user, yes in zip(USERS, answers, strict=False):
            if yes is not None:
                said = {"consent": {"categoryPreferences": {f"marketing_{channel}": yes}}}
                self.tell(event(self.later(), user, kind="identify", context=said))
                self.decided[user, channel] = yes

    @rule(pair=st.sampled_from(PAIRS))
    def join(self, pair: tuple[str, str]) -> None:
        one, other = (next(some for some in self.together if user in some) for user in pair)
        if one is not other:
            self.tell(event(self.later(), pair[0], kind="alias", previous_id=pair[1]))
            self.joined.add(pair)
            self.gather()

    @rule(pair=st.sampled_from(PAIRS))
    def part(self, pair: tuple[str, str]) -> None:
        """Take a link of two users back, for good: what each of them decided is their own again."""
        if pair in self.joined - self.parted:
            person = resolve.look_up(self.conn, [Identifier("user_id", pair[0])])[0] or 0
            ends = {Identifier("user_id", user) for user in pair}
            edge = next(edge for edge in resolve.links.edges_of(self.conn, person) if {edge.strong, edge.weak} == ends)
            resolve.links.retract(self.conn, edge.edge_id, "ola", NOON)
            self.parted.add(pair)
            self.gather()

    def gather(self) -> None:
        names = {user: Identifier("user_id", user) for user in USERS[:3]}
        people = UnionFind(names.values())
        for one, other in self.joined - self.parted:
            people.parents[people.root(names[other])] = people.root(names[one])
        self.together = [{name.value for name in some} for some in people.sets()]

    @invariant()
    def the_gate_says_what_the_model_says(self) -> None:
        if not hasattr(self, "decided"):
            return
        for some in self.together:
            people = {resolve.look_up(self.conn, [Identifier("user_id", user)])[0] for user in some}
            assert len(people) == 1
            person = people.pop() or 0
            ids = [one.identity_id for one in resolve.identifiers_of(self.conn, [person])[person]]
            for channel in (Channel.EMAIL, Channel.SMS):
                said = [self.decided[user, channel] for user in sorted(some) if (user, channel) in self.decided]
                self.met |= {f"{'yes' if one else 'no'} before {'yes' if other else 'no'}" for one, other in pairwise(said)}
                self.met |= {"parted"} if self.parted else set()
                verdict = govern.allowed(self.conn, self.ws.keys, [govern.Subject(person, ids)], "marketing", channel, NOON + timedelta(days=1))[0]
                assert verdict.allowed == (bool(said) and all(said))


def test_a_shop_of_any_history_has_the_people_of_a_union_find(conn: Connection) -> None:
    run_state_machine_as_test(type("Here", (Shop,), {"conn": conn}), settings=FEW)


def test_the_gate_asks_for_the_most_restrictive_of_who_is_one_today(conn: Connection, workspace: Workspace) -> None:
    met: set[str] = set()
    run_state_machine_as_test(type("Here", (Ledger,), {"conn": conn, "ws": workspace, "met": met}), settings=FEW)
    assert met == {"yes before yes", "yes before no", "no before yes", "no before no", "parted"}
