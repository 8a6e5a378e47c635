"""Several workers resolve at once, in any interleaving of their statements and with deaths between any two: the people are those of the model.

The control at the end takes the lock a little too late, and the machine finds what comes of it.
"""

from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cegla.resolve import actions as resolve
from cegla.resolve import finding, store
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.events import Event
from cegla.vocabulary.identifiers import Identifier
from tests.resolve.interleaved import Order, Work, play
from tests.resolve.known import NOON, alias, check_books, clusters, identify
from tests.resolve.test_properties import events, expected

WORKERS = 3
FEW = settings(max_examples=6, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
BOTH_WAYS = [identify(20, "u1", "b1", email="a@x.pl"), identify(21, "u2", "b2", email="b@x.pl"), alias(22, "u1", "u2"), alias(22, "u2", "u1")]

Schedule = Sequence[tuple[int, int, Order]]
SCHEDULES = st.lists(st.tuples(st.integers(0, WORKERS - 1), st.integers(1, 20), st.sampled_from(["go", "die", "fail"])), min_size=6, max_size=12)
ROUND: Schedule = [(worker, 1, "go") for _ in range(200) for worker in range(WORKERS)]


def take_in(batch: Sequence[Event], conn: Connection, cache: resolve.IdentityCache) -> None:
    resolve.find_people(conn, batch, cache)


def part(conn: Connection, cache: resolve.IdentityCache) -> None:
    """Take the link between the two users back, when it is there and was not taken back before."""
    store.only_writer(conn)
    person = resolve.look_up(conn, [Identifier("user_id", "u1")])[0]
    ends = {Identifier("user_id", "u1"), Identifier("user_id", "u2")}
    for edge in resolve.links.edges_of(conn, person) if person else ():
        if {edge.strong, edge.weak} == ends and edge.retracted_at is None:
            resolve.links.retract(conn, edge.edge_id, "ola", NOON)


def works_of(rows: Sequence[Event], chance: Any) -> list[list[Work]]:
    """The events dealt out to workers, some to two of them; the first one also parts two people, at some moment."""
    works: list[list[Work]] = []
    for turn in range(WORKERS):
        own = [row for place, row in enumerate(rows) if place % WORKERS == turn or chance.random() < 0.3]
        chance.shuffle(own)
        works.append([partial(take_in, own[: len(own) // 2]), partial(take_in, own[len(own) // 2 :])])
    works[0].insert(chance.randrange(3), part)
    return works


def played(ws: Workspace, rows: Sequence[Event], chance: Any, schedule: Schedule) -> int:
    """Play it in empty tables and compare with the model; how often a worker died."""
    with ws.transaction() as conn:
        conn.execute("truncate resolve.identities, resolve.edges, resolve.moves, resolve.left_out, resolve.releases")
        store.SQL.new_stamp(conn)
    died = play(ws.dsn, works_of(rows, chance), schedule)
    with ws.transaction() as conn:
        check_books(conn)
        taken_back = [edge for row in resolve.find(conn, "", 0, 100) for edge in resolve.links.edges_of(conn, row.id) if edge.retracted_at]
        assert clusters(conn) == expected(rows, frozenset((edge.strong, edge.weak) for edge in taken_back))
        assert resolve.ruling.unsettled(conn) == []
    return died


def test_workers_in_any_interleaving_and_killed_between_any_statements_end_with_the_people_of_the_model(workspace: Workspace) -> None:
    died: list[int] = []

    @FEW
    @given(st.lists(events(), min_size=4, max_size=14), st.randoms(use_true_random=False), SCHEDULES)
    def holds(rows: list[Event], chance: Any, schedule: Schedule) -> None:
        died.append(played(workspace, [*BOTH_WAYS, *rows], chance, schedule))

    holds()
    assert sum(died) > len(died), f"the control: workers did die, {died}"


class LockedTooLate:
    """The statements of the slice, with the lock taken only after the look at the stamp: another may commit in between."""

    def __getattr__(self, name: str) -> Any:
        return getattr(store.SQL, name)

    def stamp(self, conn: Connection) -> int:
        seen = store.SQL.stamp(conn)
        store.only_writer(conn)
        return seen


@pytest.mark.parametrize("fault", ["no lock", "the lock after the stamp"])
def test_the_machine_finds_a_lock_that_is_missing_or_taken_too_late(workspace: Workspace, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if fault == "no lock":
        monkeypatch.setattr(store, "only_writer", lambda _: None)
    else:
        monkeypatch.setattr(finding, "store", SimpleNamespace(**vars(store) | {"only_writer": lambda _: None}))
        monkeypatch.setattr(finding, "SQL", LockedTooLate())

    @settings(FEW, max_examples=20, database=None, derandomize=True)
    @given(st.lists(events(), min_size=4, max_size=14), st.randoms(use_true_random=False), st.just(ROUND))
    def holds(rows: list[Event], chance: Any, schedule: Schedule) -> None:
        played(workspace, [*BOTH_WAYS, *rows], chance, schedule)

    with pytest.raises(Exception) as found:  # two rows of one identifier, a pair twice, or other people than the model has
        holds()
    assert not isinstance(found.value, (AttributeError, NameError, TypeError)), "the fault is found, and not one of this test"
