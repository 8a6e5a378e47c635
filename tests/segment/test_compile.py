"""The compiled expressions answer as the plain model does: everybody or some people, one rule or many, whatever is typed."""

import json
from collections.abc import Generator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.account.rules.conditions import Facts, Figures, meets
from cegla.profile import actions as profile
from cegla.segment.operators import OPERATORS, parsed
from cegla.segment.rules import rfm
from cegla.segment.rules.compile import History, members, membership
from cegla.segment.rules.history import Ground
from cegla.segment.rules.language import leaves, question
from cegla.segment.rules.traits import TRAITS
from cegla.storage.warehouse import Warehouse, history
from tests.segment import oracle
from tests.segment.worlds import NOW, append

MOMENT = NOW.replace(tzinfo=None)
PEOPLE = range(1, 7)
NAMES = ["Order Completed", "Order Refunded", "Page Viewed", "Zażółć 'gęślą'"]
WORDS = ["red", "Blue", "5", "2.5", "żółw", "true", "o'k", "%"]
KEYS = ["color", "a.b", "/x", "$.color", 'q"q', "~1", "ż"]

small_text = st.sampled_from(WORDS)
scalar = small_text | st.integers(-3, 6) | st.sampled_from([2.5, True, False])
minutes = st.integers(-3_000, 500 * 1440) | st.sampled_from([0, 30 * 1440, 90 * 1440, 270 * 1440])
event = st.fixed_dictionaries({
    "identity_id": st.sampled_from(PEOPLE), "name": st.sampled_from(NAMES), "minutes_ago": minutes, "kind": st.sampled_from(["track", "identify"]),
    "value_micros": st.none() | st.integers(-2, 12).map(lambda tens: tens * 10_000_000 + 500_000), "order_id": st.none() | st.sampled_from(["o1", "o2", "o3"]),
    "session_id": st.none() | st.integers(1, 4), "country": st.none() | st.sampled_from(["PL", "DE"]), "device_type": st.sampled_from([None, "phone", "desktop"]),
    "page_path": st.none() | st.sampled_from(["/blog/a", "/p/5"]), "is_bot": st.sampled_from([False] * 9 + [True]),
    "properties": st.dictionaries(st.sampled_from(KEYS), st.none() | scalar, max_size=3), "lines": st.lists(st.tuples(st.sampled_from(["Kubek", "Piła"]), st.sampled_from(["Kuchnia", "Ogród"])), max_size=2),
})  # fmt: skip
histories = st.lists(event, max_size=40)

times, days = st.integers(1, 4), st.sampled_from([1, 30, 60, 90, 400])
amount = st.sampled_from([-20, 0, 0.5, 10, 20.5, 50, 100, 250])
property_filter = st.one_of(*(
    st.fixed_dictionaries({"property": st.sampled_from(KEYS), key: wanted})
    for key, wanted in {"is": scalar, "is_not": scalar, "in": st.lists(scalar, min_size=1, max_size=3), "contains": small_text, "starts_with": small_text,
                        "over": st.integers(-2, 5), "under": st.integers(-2, 5), "known": st.booleans()}.items()
))  # fmt: skip
field_filter = st.sampled_from([{"field": "page_path", "starts_with": "/BLOG"}, {"field": "country", "in": ["PL", "CZ"]}, {"field": "value", "over": 20}, {"field": "device_type", "known": False}])
account_filter = st.one_of(
    st.fixed_dictionaries({"property": st.sampled_from(["industry", "seats"]), "is": scalar}),
    st.fixed_dictionaries({"property": st.just("industry"), "contains": small_text}),
    st.fixed_dictionaries({"field": st.sampled_from(["people", "revenue"]), "over": st.integers(-1, 5)}),
    st.fixed_dictionaries({"field": st.just("account"), "in": st.lists(small_text, min_size=1, max_size=2)}),
)
window = {"days": days, "where": st.lists(property_filter | field_filter, min_size=1, max_size=2)}
occasional = {"at_least": times, **window}
MEASURED = {"order_count": st.integers(0, 3), "visit_count": st.integers(0, 3), "refund_count": st.integers(0, 2), "monetary": amount, "average_basket": amount, "usual_hour": st.integers(0, 23)}
TEXTS = ["country", "device", "declared.color", "declared.a.b"]
LISTED = {row.key: sorted(choice.key for choice in row.parameters[0].choices) for row in OPERATORS.values() if row.key in ("rfm_group", "life_cycle")}


def about(op: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"op": st.just(op), **required}, optional=optional or {})


def traits(op: str, *values: str) -> st.SearchStrategy[dict[str, Any]]:
    """A comparison of a trait with values of its kind."""
    shaped = lambda wanted: {name: st.lists(wanted, min_size=1, max_size=3) if name == "values" else wanted for name in values}  # noqa: E731
    typed = [about(op, {"trait": st.just(key), **shaped(wanted)}) for key, wanted in MEASURED.items()]
    words = [] if op == "trait_between" else [about(op, {"trait": st.sampled_from(TEXTS), **shaped(scalar if op in ("trait_is", "trait_is_not", "trait_in") else st.integers(-2, 5))})]
    return st.one_of(*typed, *words)


name = {"event": st.sampled_from(NAMES)}
LEAVES: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "everyone": about("everyone", {}),
    "did": about("did", name, occasional),
    "did_not": about("did_not", name, window),
    "did_exactly": about("did_exactly", {**name, "times": times}, window),
    "did_at_most": about("did_at_most", {**name, "times": times}, window),
    "total_over": about("total_over", {**name, "more_than": amount}, window),
    "total_under": about("total_under", {**name, "less_than": amount}, window),
    "average_over": about("average_over", {**name, "more_than": amount}, window),
    "property_total_over": about("property_total_over", {**name, "property": st.sampled_from(KEYS), "above": st.integers(-2, 8)}, window),
    "distinct_over": about("distinct_over", {**name, "property": st.sampled_from(KEYS)}, occasional),
    "first_did_within": about("first_did_within", {**name, "days": days}, {"where": window["where"]}),
    "last_did_before": about("last_did_before", {**name, "days": days}, {"where": window["where"]}),
    "did_at_hours": about("did_at_hours", {**name, "from_hour": st.integers(0, 23), "to_hour": st.integers(0, 23)}, occasional),
    "did_on_weekdays": about("did_on_weekdays", {**name, "weekdays": st.lists(st.integers(1, 7), min_size=1, max_size=3)}, occasional),
    "active_days": about("active_days", {}, {"at_least": times, "days": days}),
    "bought_product": about("bought_product", {"product": st.sampled_from(["Kubek", "Piła", "x'--"])}, {"at_least": times, "days": days}),
    "bought_category": about("bought_category", {"category": st.sampled_from(["Kuchnia", "Ogród"])}, {"at_least": times, "days": days}),
    "trait_is": traits("trait_is", "value"),
    "trait_is_not": traits("trait_is_not", "value"),
    "trait_in": traits("trait_in", "values"),
    "trait_over": traits("trait_over", "value"),
    "trait_under": traits("trait_under", "value"),
    "trait_between": traits("trait_between", "low", "high"),
    "trait_contains": about("trait_contains", {"trait": st.sampled_from(TEXTS), "value": st.sampled_from(["P", "e", "ż"])}),
    "trait_starts_with": about("trait_starts_with", {"trait": st.sampled_from(TEXTS), "value": st.sampled_from(["p", "R", "Ż"])}),
    "trait_has": about("trait_has", {"trait": st.just("favourite_categories"), "value": st.sampled_from(["Kuchnia", "Ogród"])}),
    "trait_known": about("trait_known", {"trait": st.sampled_from([*sorted(TRAITS), *TEXTS])}),
    "trait_unknown": about("trait_unknown", {"trait": st.sampled_from([*sorted(TRAITS), *TEXTS])}),
    "trait_within_days": about("trait_within_days", {"trait": st.sampled_from(["first_seen", "last_seen", "first_order_at", "last_order_at"]), "days": days}),
    "trait_before_days": about("trait_before_days", {"trait": st.sampled_from(["first_seen", "last_seen", "first_order_at", "last_order_at"]), "days": days}),
    "in_account": about("in_account", {}, {"where": st.lists(account_filter, min_size=1, max_size=2), "role": st.sampled_from(["buyer", "owner"])}),
    "rfm_group": about("rfm_group", {"groups": st.lists(st.sampled_from(LISTED["rfm_group"]), min_size=1, max_size=4)}),
    "rfm_score": about("rfm_score", {"dimension": st.sampled_from(["recency", "frequency", "monetary"]), "at_least": st.integers(1, 6)}),
    "life_cycle": about("life_cycle", {"groups": st.lists(st.sampled_from(LISTED["life_cycle"]), min_size=1, max_size=3)}),
}
ACCOUNTS = [
    Facts("red", {"industry": "Blue", "seats": 5}, Figures(2, 0, 2_500_000)),
    Facts("5", {"industry": "żółw", "seats": "2.5", "vip": True}, Figures(1, 1, 0)),
    Facts("o'k", {"industry": None, "seats": True}, Figures(4, 3, 5_000_000)),
]
BELONGING = {1: [(ACCOUNTS[0], "buyer"), (ACCOUNTS[1], None)], 2: [(ACCOUNTS[0], "owner")], 4: [(ACCOUNTS[2], "buyer"), (ACCOUNTS[0], "buyer")]}
leaf = st.one_of(*LEAVES.values())
tree = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}), st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}), st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Generator[Warehouse]:
    opened = Warehouse(tmp_path_factory.mktemp("oracle") / "w.duckdb")
    yield opened
    opened.close()


def fill(warehouse: Warehouse, drawn: list[dict[str, Any]], joined: dict[int, int]) -> oracle.World:
    """The drawn history in the warehouse and in the model. `joined` says whose identities belong to somebody else."""
    warehouse.take_back_after(0)
    warehouse.set_people([(person, joined.get(person, person)) for person in PEOPLE])
    events: dict[int, list[Any]] = {}
    lines: dict[int, list[Any]] = {}
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(drawn, start=1):
        at = MOMENT - timedelta(minutes=one["minutes_ago"])
        row = {**one, "batch": 1, "event_id": number, "occurred_at": at, "received_at": at, "local_at": at + timedelta(hours=1), "properties_dict": one["properties"]}
        person = joined.get(one["identity_id"], one["identity_id"])
        events.setdefault(person, []).append(row)
        lines.setdefault(person, []).extend({**row, "product": product, "category": category} for product, category in one["lines"])
        rows.append({**row, "properties": json.dumps(one["properties"])})
    append(warehouse, rows, [line for some in lines.values() for line in some])
    traits = {row["person_id"]: row for row in warehouse.run(profile.person_traits(NOW)).to_pylist()}
    return oracle.World(events, lines, MOMENT, traits, {person: [belonging(one, role) for one, role in rows] for person, rows in BELONGING.items()})


def tables(warehouse: Warehouse, trees: list[Any], stack: ExitStack, people: Any = None) -> History:
    """The history and the answers to what the rules ask about accounts, as `account` gives them."""
    asked = [leaf.values for tree in trees for leaf in leaves(parsed(tree)) if leaf.operator.group == "accounts"]
    answers = {question(values): stack.enter_context(warehouse.people(true_of(values))) for values in asked}
    return History(history(), history("order_lines"), lambda: profile.person_traits(NOW, people), people, answers)


def true_of(values: Any) -> list[int]:
    return [person for person, rows in BELONGING.items() for one, role in rows if values["role"] in (None, role) and meets(one, values["where"], NOW)]


def belonging(facts: Facts, role: str | None) -> dict[str, Any]:
    shown = {key: oracle.text({"properties_dict": facts.traits}, key) for key in facts.traits}
    return {"role": role, "traits": shown, "fields": {"account": facts.key, "people": str(facts.figures.people), "revenue": str(facts.figures.revenue_micros / 1_000_000)}}


def ground(warehouse: Warehouse) -> Ground:
    return Ground(MOMENT, rfm.scale(warehouse.run(rfm.bounds(history(), MOMENT)).to_pylist()[0], MOMENT))


@given(histories, st.lists(tree, min_size=1, max_size=4), st.dictionaries(st.sampled_from([3, 4, 5]), st.sampled_from([1, 2]), max_size=2), st.sets(st.sampled_from(PEOPLE)))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_rule_over_any_history_answers_as_the_model(warehouse: Warehouse, drawn: list[Any], trees: list[Any], joined: dict[int, int], some: set[int]) -> None:
    world = fill(warehouse, drawn, joined)
    expected = [oracle.members(one, world) for one in trees]
    rules, at = [parsed(one) for one in trees], ground(warehouse)
    with ExitStack() as stack:
        past = tables(warehouse, trees, stack)
        together = warehouse.run(membership(rules, past, at))
        assert [set(together["person_id"].filter(together[f"r{number}"]).to_pylist()) for number in range(len(trees))] == expected
        assert set(warehouse.run(members(rules[0], past, at))["person_id"].to_pylist()) == expected[0]
        asked = tables(warehouse, trees, stack, stack.enter_context(warehouse.people(some)))
        touched = warehouse.run(membership(rules, asked, at))
        assert [set(touched["person_id"].filter(touched[f"r{number}"]).to_pylist()) for number in range(len(trees))] == [found & some for found in expected]
        assert set(warehouse.run(members(rules[0], asked, at))["person_id"].to_pylist()) == expected[0] & some


@pytest.mark.parametrize("key", OPERATORS)
def test_every_operator_answers_as_the_model(warehouse: Warehouse, key: str) -> None:
    @given(histories, LEAVES[key])
    @settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
    def answers(drawn: list[Any], rule: Any) -> None:
        world = fill(warehouse, drawn, {})
        with ExitStack() as stack:
            found = warehouse.run(members(parsed(rule), tables(warehouse, [rule], stack), ground(warehouse)))
        assert set(found["person_id"].to_pylist()) == oracle.members(rule, world)

    answers()


HOSTILE = ["'", '"', "\\", "';drop table events;--", "\" or 1=1 --", "$1", "{x}", "%s", ":a", "?", "😀", "\u202e", "\n", "a\tb", "🏴‍☠️", "‘’", "/", "~", "$", "*", "[0]", "a'b\"c"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_matches_itself_and_nothing_else(warehouse: Warehouse, value: str) -> None:
    base = {"kind": "identify", "minutes_ago": 5, "value_micros": 1, "order_id": None, "session_id": 1, "country": None, "device_type": None, "page_path": value, "is_bot": False, "lines": []}
    own = {**base, "identity_id": 1, "name": value, "properties": {value: value}, "country": value, "lines": [(value, value)]}
    other = {**base, "identity_id": 2, "name": "other", "properties": {"other": "x"}, "page_path": "x"}
    bought = {**own, "name": "Order Completed"}
    fill(warehouse, [own, bought, other], {})
    rules = [
        {"op": "did", "event": value},
        {"op": "did", "event": value, "where": [{"property": value, "is": value}, {"property": value, "contains": value}, {"field": "page_path", "starts_with": value}]},
        {"op": "distinct_over", "event": value, "property": value},
        {"op": "bought_product", "product": value},
        {"op": "trait_is", "trait": "country", "value": value},
        {"op": "trait_is", "trait": f"declared.{value}", "value": value},
        {"op": "trait_has", "trait": "favourite_categories", "value": value},
    ]
    found = warehouse.run(membership([parsed(rule) for rule in rules], tables(warehouse, [], ExitStack()), ground(warehouse))).to_pylist()
    matched = {number: {row["person_id"] for row in found if row[f"r{number}"]} for number in range(len(rules))}
    assert matched == {number: {1} for number in range(6)} | {6: set()}
