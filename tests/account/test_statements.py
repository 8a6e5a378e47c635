"""What calls say of accounts comes to the same in any order, with repeats, in any batches."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.account.rules.conditions import Facts, Figures, meets
from cegla.account.rules.statements import Stay, heard, stay
from cegla.account.rules.tree import above, below, children_of
from cegla.vocabulary.events import Event

START = datetime(2026, 6, 1, 22, tzinfo=UTC)


def hour(n: int) -> datetime:
    return START + timedelta(hours=n)


def event(n: int, kind: str = "group", name: str = "Group", **fields: Any) -> Event:
    return Event(source_id=1, message_id=f"m{n}", kind=kind, name=name, occurred_at=hour(n), received_at=hour(n), **fields)


def joined(n: int, role: str | None = None) -> Event:
    return event(n, group_id="acme", context={"membership": {"role": role}} if role else {})


def left(n: int) -> Event:
    return event(n, kind="track", name="Account Removed User", context={"groupId": "acme"})


def stay_of(events: Sequence[Event]) -> Stay | None:
    return stay(heard((one, 1, 0) for one in events).said)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([joined(1)], Stay(hour(1), None, None)),
        ([joined(1), joined(30, "buyer"), joined(60)], Stay(hour(1), None, "buyer")),
        ([joined(1, "buyer"), left(30)], Stay(hour(1), hour(30), "buyer")),
        ([joined(1, "buyer"), left(30), joined(55)], Stay(hour(55), None, None)),
        ([joined(26), left(28), joined(30, "owner"), joined(90)], Stay(hour(30), None, "owner")),
        ([joined(1), event(5, group_id="acme", context={"membership": {"left": True}})], Stay(hour(1), hour(5), None)),
        ([event(3, kind="track", name="Account Added User", context={"groupId": "acme"}, properties={"role": " Owner "})], Stay(hour(3), None, "Owner")),
        ([event(3, kind="track", name="Account Added User", properties={"account_id": "acme", "account_name": "ACME"})], Stay(hour(3), None, None)),
        ([left(1)], None),
    ],
    ids=["joins", "role changes", "leaves", "comes back without a role", "leaves and is back on one day", "leaves by a group call", "is added", "is added by a row of a file", "only leaves"],
)
def test_a_stay_is_read_from_what_was_said(events: list[Event], expected: Stay | None) -> None:
    assert stay_of(events) == expected


steps = st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["join", "leave", "buyer", "owner"])), min_size=1, max_size=12, unique_by=lambda step: step[0])


@given(steps, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(drawn: list[tuple[int, str]], random: Any) -> None:
    events = [left(n) if what == "leave" else joined(n, None if what == "join" else what) for n, what in drawn]
    shuffled = [*events, *random.choices(events, k=3)]
    random.shuffle(shuffled)
    assert stay_of(shuffled) == stay_of(events)


@given(steps)
def test_who_is_there_is_who_joined_after_leaving_last(drawn: list[tuple[int, str]]) -> None:
    found = stay_of([left(n) if what == "leave" else joined(n) for n, what in drawn])
    last_join = max((n for n, what in drawn if what != "leave"), default=-1)
    last_leave = max((n for n, what in drawn if what == "leave"), default=-1)
    assert (found is not None and found.left_at is None) == (last_join > last_leave)


@pytest.mark.parametrize("key", ["null", "0000", " ", "undefined", "x" * 501, "[object Object]"])
def test_a_placeholder_names_no_account(key: str) -> None:
    assert heard([(event(1, group_id=key, traits={"name": "x"}), 1, 0)]) == ([], [])


def test_the_newest_trait_wins_and_names_have_one_style() -> None:
    told = heard([(event(2, group_id="acme", traits={"parentId": "holding", "Industry": "b"}), 1, 0), (event(1, group_id=" acme ", traits={"industry": "a"}), 1, 0)]).told
    assert {(one.account, one.key, one.value) for one in told} == {("acme", "parent_id", "holding"), ("acme", "industry", "b")}


def test_a_circle_of_parents_ends() -> None:
    parents = {1: 2, 2: 3, 3: 1, 4: 3}
    assert above(1, parents) == [2, 3]
    assert below(3, children_of(parents)) == {1, 2, 3, 4}


ACME = Facts("acme", {"industry": "Retail", "seats": 25, "vip": True}, Figures(4, 10, 2_500_500_000, hour(0), None))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"property": "industry", "is": "Retail"}, True),
        ({"property": "industry", "is": "retail"}, False),
        ({"property": "industry", "contains": "TAIL"}, True),
        ({"property": "seats", "over": 24}, True),
        ({"property": "seats", "is": 25}, True),
        ({"property": "vip", "is": True}, True),
        ({"property": "nip", "is_not": "1"}, False),
        ({"property": "nip", "known": False}, True),
        ({"field": "revenue", "is": 2500.5}, True),
        ({"field": "people", "under": 4}, False),
        ({"field": "engagement", "over": 0}, False),
        ({"field": "silent_days", "over": 1.9}, True),
        ({"field": "account", "starts_with": "AC"}, True),
    ],
    ids=str,
)
def test_an_account_is_compared_as_events_are(condition: dict[str, Any], expected: bool) -> None:
    assert meets(ACME, [condition], hour(48)) is expected
