"""The compiled expressions answer as the plain model does: everybody or some people, one rule or many, whatever is typed."""

import json
from collections import Counter
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cegla.account.rules.conditions import Facts, Figures, meets
from cegla.profile import actions as profile
from cegla.segment import some as about_some
from cegla.segment.operators import OPERATORS, Named, known_of, parsed
from cegla.segment.rules import rfm, tenths
from cegla.segment.rules.compile import History, members, membership, values_of
from cegla.segment.rules.history import Ground
from cegla.segment.rules.language import Question, leaves
from cegla.segment.rules.traits import TRAITS
from cegla.storage.warehouse import Warehouse, history
from tests.segment import oracle
from tests.segment.worlds import NOW, append

MOMENT = NOW.replace(tzinfo=None)
PEOPLE = range(1, 7)
ZONE = ZoneInfo("Europe/Warsaw")
NAMES = ["Order Completed", "Order Refunded", "Product Added", "Product Viewed", "Page Viewed", "Zażółć 'gęślą'"]
CITIES = [None, ("PL", "12", "Kraków"), ("PL", "12", "Wieliczka"), ("PL", "22", "Gdańsk"), ("DE", None, None)]
WORDS = ["red", "Blue", "5", "2.5", "żółw", "true", "o'k", "%"]
KEYS = ["color", "a.b", "/x", "$.color", 'q"q', "~1", "ż"]

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  #: an example is a second of the warehouse: looking for a smaller one takes minutes
small_text = st.sampled_from(WORDS)
scalar = small_text | st.integers(-3, 6) | st.sampled_from([2.5, True, False])
minutes = st.integers(-3_000, 500 * 1440) | st.sampled_from([0, 30 * 1440, 90 * 1440, 270 * 1440])
event = st.fixed_dictionaries({
    "identity_id": st.sampled_from(PEOPLE), "name": st.sampled_from(NAMES), "minutes_ago": minutes, "kind": st.sampled_from(["track", "identify"]),
    "value_micros": st.none() | st.integers(-2, 12).map(lambda tens: tens * 10_000_000 + 500_000), "order_id": st.none() | st.sampled_from(["o1", "o2", "o3"]),
    "session_id": st.none() | st.integers(1, 4), "where": st.sampled_from(CITIES), "device_type": st.sampled_from([None, "phone", "desktop"]),
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
calendar = {"since": st.sampled_from(["2026-10-01", "2026-11-22"]), "until": st.sampled_from(["2026-11-22", "2026-11-23", "2027-01-01"])}
window = {"days": days, **calendar, "where": st.lists(property_filter | field_filter, min_size=1, max_size=2)}
occasional = {"at_least": times, **window}
MEASURED = {"order_count": st.integers(0, 3), "visit_count": st.integers(0, 3), "refund_count": st.integers(0, 2), "monetary": amount, "average_basket": amount, "usual_hour": st.integers(0, 23)}
TEXTS = ["country", "device", "declared.color", "os.family"]
SPANS = st.sampled_from(["30m", "3h", "1d", "60d"])
SEGMENTS = {"own.buyers": {"op": "did", "event": "Order Completed", "days": 60}, 7: {"any": [{"op": "in_segment", "segment": "own.buyers"}, {"op": "trait_is", "trait": "country", "value": "DE"}]}}
ABOUT = known_of((), (Named(3, "own.buyers", "Kupujący", json.dumps(SEGMENTS["own.buyers"])), Named(7, None, "Inni", json.dumps(SEGMENTS[7]))))
#: what other stores say of the people, the same in every example
TOLD: dict[str, dict[int, Any]] = {
    "declared.color": {1: "red", 2: "5", 3: "Blue", 5: None}, "os.family": {1: ("red", 0.9), 2: ("Android", 0.4), 3: ("5", 0.7)},
    "declared.birthday": {1: "1990-11-30", 2: "2000-02-29", 3: "23.11.1985", 4: "yesterday", 6: "1970-12-01"},
    "home": {1: {"country": "PL", "voivodeship": "12", "powiat": "1261", "city": "Kraków", "confidence": 0.9}, 2: {"country": "DE", "voivodeship": None, "powiat": None, "city": None, "confidence": 0.4}},
    "gate": {1: "ok", 2: "no_consent", 3: "withdrawn", 4: "suppressed", 5: "no_address"},
}
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
    "active_days": about("active_days", {}, {"at_least": times, "days": days, **calendar}),
    **{f"{deed}_product": about(f"{deed}_product", {"product": st.sampled_from(["Kubek", "Piła", "x'--"])}, {"at_least": times, "days": days, **calendar}) for deed in oracle.DEEDS},
    **{f"{deed}_category": about(f"{deed}_category", {"category": st.sampled_from(["Kuchnia", "Ogród"])}, {"at_least": times, "days": days}) for deed in oracle.DEEDS},
    "abandoned_cart": about("abandoned_cart", {}, {"after": SPANS, "days": days, **calendar}),
    "abandoned_product": about("abandoned_product", {"product": st.sampled_from(["Kubek", "Piła"])}, {"after": SPANS, "days": days}),
    "abandoned_category": about("abandoned_category", {"category": st.sampled_from(["Kuchnia", "Ogród"])}, {"after": SPANS, "days": days}),
    "average_under": about("average_under", {**name, "less_than": amount}, window),
    "property_average_over": about("property_average_over", {**name, "property": st.sampled_from(KEYS), "above": st.integers(-2, 8)}, window),
    "last_matches": about("last_matches", {**name, "which": window["where"]}, window),
    "first_matches": about("first_matches", {**name, "which": window["where"]}, window),
    "did_then": about("did_then", {**name, "within": SPANS, "then": st.sampled_from(NAMES)}, {**occasional, "without": st.sampled_from(NAMES), "then_where": window["where"]}),
    "did_without_then": about("did_without_then", {**name, "within": SPANS, "then": st.sampled_from(NAMES)}, {**occasional, "then_where": window["where"]}),
    "anniversary_in_days": about("anniversary_in_days", {"trait": st.sampled_from(["declared.birthday", "first_order_at"]), "to_days": st.integers(0, 120)}, {"from_days": st.integers(-30, 3)}),
    "date_in_days": about("date_in_days", {"trait": st.sampled_from(["declared.birthday", "last_order_at"]), "to_days": st.integers(-90, 30)}, {"from_days": st.integers(-400, 3)}),
    "trait_tenth": about("trait_tenth", {"trait": st.sampled_from(["monetary", "order_count", "average_basket"]), "from_tenth": st.integers(1, 10)}, {"to_tenth": st.integers(1, 10)}),
    "lives_in": about("lives_in", {"places": st.lists(st.sampled_from(["Kraków", "DE", "Gdańsk"]), min_size=1, max_size=2)}, {"confidence": st.sampled_from([0, 50, 95])}),
    "lives_near": about("lives_near", {"point": st.sampled_from(["Wieliczka", "50.06, 19.94"]), "km": st.just(20)}, {"confidence": st.sampled_from([0, 50, 95])}),
    "was_in": about("was_in", {"places": st.lists(st.sampled_from(["Kraków", "DE", "Gdańsk", "PL"]), min_size=1, max_size=2)}, {"at_least": times, "days": days, **calendar}),
    "was_near": about("was_near", {"point": st.sampled_from(["Wieliczka", "50.06, 19.94"]), "km": st.just(20)}, {"at_least": times, "days": days}),
    "reachable": about("reachable", {"channel": st.sampled_from(["email", "sms"])}, {"purpose": st.sampled_from(["marketing", "service"])}),
    "unreachable": about("unreachable", {"channel": st.just("email"), "states": st.lists(st.sampled_from(["no_consent", "withdrawn", "suppressed", "no_address"]), min_size=1, max_size=2)}),
    "consent_is": about("consent_is", {"channel": st.just("email"), "purpose": st.just("marketing"), "states": st.lists(st.sampled_from(["ok", "withdrawn"]), min_size=1, max_size=2)}),
    "random_part": about("random_part", {"salt": st.sampled_from(["a", "zażółć"]), "to_percent": st.integers(0, 100)}, {"from_percent": st.integers(0, 60)}),
    "in_segment": about("in_segment", {"segment": st.sampled_from(["own.buyers", 7])}),
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


class Traits:
    """Traits of several passes as the warehouse gives them, asked for when a rule needs one: that takes longer than the rest of an example."""

    def __init__(self, warehouse: Warehouse, systems: dict[int, Any]) -> None:
        self._warehouse, self._systems = warehouse, systems

    @cached_property
    def rows(self) -> dict[int, dict[str, Any]]:
        found = self._warehouse.run(profile.past.traits_of(NOW)).to_pylist()
        return {row["person_id"]: {**row, "os.family": self._systems.get(row["person_id"])} for row in found}

    def get(self, person: int, otherwise: dict[str, Any]) -> dict[str, Any]:
        return self.rows.get(person, otherwise)


def fill(warehouse: Warehouse, drawn: list[dict[str, Any]], joined: dict[int, int]) -> oracle.World:
    """The drawn history in the warehouse and in the model. `joined` says whose identities belong to somebody else."""
    warehouse.take_back_after(0)
    warehouse.set_people([(person, joined.get(person, person)) for person in PEOPLE])
    events: dict[int, list[Any]] = {}
    lines: dict[int, list[Any]] = {}
    rows: list[dict[str, Any]] = []
    for number, one in enumerate(drawn, start=1):
        at = MOMENT - timedelta(minutes=one["minutes_ago"])
        place = dict(zip(("country", "voivodeship", "city"), one.get("where") or (None,) * 3, strict=True))
        row = {**place, **one, "batch": 1, "event_id": number, "occurred_at": at, "received_at": at, "local_at": at + timedelta(hours=1), "properties_dict": one["properties"]}
        person = joined.get(one["identity_id"], one["identity_id"])
        events.setdefault(person, []).append(row)
        lines.setdefault(person, []).extend({**row, "product": product, "category": category} for product, category in one["lines"])
        rows.append({**row, "properties": json.dumps(one["properties"])})
    append(warehouse, rows, [line for some in lines.values() for line in some])
    values = {key: {person: one[0] if isinstance(one, tuple) else one for person, one in said.items()} for key, said in TOLD.items()}
    return oracle.World(events, lines, MOMENT, Traits(warehouse, values["os.family"]), {person: [belonging(one, role) for one, role in rows] for person, rows in BELONGING.items()}, values, SEGMENTS)


def answer(found: Question) -> pa.Table:
    """What another store says, out of the tables above."""
    about = json.loads(found.about)
    match found.kind:
        case "accounts":
            counted = Counter(true_of({"where": about[0], "role": about[1]}))
            rows = [{"person_id": person, "value": times} for person, times in counted.items()]
            return pa.Table.from_pylist(rows, schema=pa.schema([("person_id", pa.int64()), ("value", pa.int64())]))
        case "declared":
            rows = [{"person_id": person, "value": value} for person, value in TOLD[f"declared.{about[0]}"].items()]
        case "found":
            rows = [{"person_id": person, "value": value, "confidence": sure} for person, (value, sure) in TOLD[about[0]].items()]
        case "home":
            rows = [{"person_id": person, **home} for person, home in TOLD["home"].items()]
        case _:
            rows = [{"person_id": person, "value": value} for person, value in TOLD["gate"].items()]
    return pa.Table.from_pylist(rows)


def tables(warehouse: Warehouse, trees: list[Any], stack: ExitStack, people: Any = None) -> History:
    """The history and the answers to what the rules ask about accounts, as `account` gives them."""
    asked = {leaf.question for tree in trees for leaf in leaves(parsed(tree, ABOUT))} - {None}
    answers = {one: stack.enter_context(warehouse.keep(answer(one))) for one in asked}
    return History(history(), history("order_lines"), lambda keys: profile.past.traits_of(NOW, people, keys), people, answers)


def true_of(values: Any) -> list[int]:
    return [person for person, rows in BELONGING.items() for one, role in rows if values["role"] in (None, role) and meets(one, values["where"], NOW)]


def belonging(facts: Facts, role: str | None) -> dict[str, Any]:
    shown = {key: oracle.text({"properties_dict": facts.traits}, key) for key in facts.traits}
    return {"role": role, "traits": shown, "fields": {"account": facts.key, "people": str(facts.figures.people), "revenue": str(facts.figures.revenue_micros / 1_000_000)}}


def ground(warehouse: Warehouse, *trees: Any) -> Ground:
    asked = json.dumps(trees)
    if "rfm_" not in asked and "trait_tenth" not in asked:
        return Ground(MOMENT, None, ZONE)
    bare = Ground(MOMENT, rfm.scale(warehouse.run(rfm.bounds(history(), MOMENT)).to_pylist()[0], MOMENT), ZONE)
    found: list[tuple[str, tuple[float, ...]]] = []
    for trait in ("average_basket", "monetary", "order_count") if "trait_tenth" in asked else ():
        rule = parsed({"op": "trait_tenth", "trait": trait, "from_tenth": 1})
        values = warehouse.run(values_of(leaves(rule)[0], tenths.known, tables(warehouse, [], ExitStack()), bare))
        found.append((trait, tenths.bounds(values["value"].to_numpy())))
    return replace(bare, tenths=tuple(found))


def due_of(found: pa.Table) -> dict[int, Any]:
    """When time alone may change an answer about whom."""
    return {row["person_id"]: row["due_at"] for row in found.select(["person_id", "due_at"]).to_pylist() if row["due_at"] is not None}


def in_memory(warehouse: Warehouse, rules: list[Any], past: History, at: Ground, people: list[int]) -> tuple[list[set[int]], dict[int, Any]]:
    """Who is in and who is due when the rules are decided over the rows of some people in memory; each of them must be."""
    ruled = about_some.Ruled(tuple(rules))
    with about_some.rows_of(warehouse, people, ruled.columns) as (events, lines):
        found, numbers, left = about_some.decided(warehouse, ruled, about_some.past(NOW, past.answers, events, lines), at)
    assert found is not None and list(numbers) == list(range(len(rules))) and not left
    return [set(found["person_id"].filter(found[f"r{number}"]).to_pylist()) for number in range(len(rules))], due_of(found)


@given(histories, st.lists(tree, min_size=1, max_size=4), st.dictionaries(st.sampled_from([3, 4, 5]), st.sampled_from([1, 2]), max_size=2), st.sets(st.sampled_from(PEOPLE)))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], phases=QUICK)
def test_any_rule_over_any_history_answers_as_the_model(warehouse: Warehouse, drawn: list[Any], trees: list[Any], joined: dict[int, int], some: set[int]) -> None:
    world = fill(warehouse, drawn, joined)
    expected = [oracle.members(one, world) for one in trees]
    rules, at = [parsed(one, ABOUT) for one in trees], ground(warehouse, *trees)
    with ExitStack() as stack:
        past = tables(warehouse, trees, stack)
        together = warehouse.run(membership(rules, past, at))
        assert [set(together["person_id"].filter(together[f"r{number}"]).to_pylist()) for number in range(len(trees))] == expected
        assert set(warehouse.run(members(rules[0], past, at))["person_id"].to_pylist()) == expected[0]
        asked = tables(warehouse, trees, stack, stack.enter_context(warehouse.people(some)))
        touched = warehouse.run(membership(rules, asked, at))
        assert [set(touched["person_id"].filter(touched[f"r{number}"]).to_pylist()) for number in range(len(trees))] == [found & some for found in expected]
        assert in_memory(warehouse, rules, past, at, sorted(some)) == ([found & some for found in expected], due_of(touched))
        assert set(warehouse.run(members(rules[0], asked, at))["person_id"].to_pylist()) == expected[0] & some


@pytest.mark.parametrize("key", OPERATORS)
def test_every_operator_answers_as_the_model(warehouse: Warehouse, key: str) -> None:
    @given(histories, LEAVES[key])
    @settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=QUICK)
    def answers(drawn: list[Any], rule: Any) -> None:
        world = fill(warehouse, drawn, {})
        with ExitStack() as stack:
            past, at = tables(warehouse, [rule], stack), ground(warehouse, rule)
            found = warehouse.run(members(parsed(rule, ABOUT), past, at))
            [touched], _ = in_memory(warehouse, [parsed(rule, ABOUT)], past, at, list(PEOPLE))
        assert set(found["person_id"].to_pylist()) == touched == oracle.members(rule, world)

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
        {"op": "trait_has", "trait": "favourite_categories", "value": value},
    ]
    found = warehouse.run(membership([parsed(rule) for rule in rules], tables(warehouse, [], ExitStack()), ground(warehouse))).to_pylist()
    matched = {number: {row["person_id"] for row in found if row[f"r{number}"]} for number in range(len(rules))}
    assert matched == {number: {1} for number in range(5)} | {5: set()}
