"""Computed traits: counted as a plain model counts them, for everybody as for the touched, right as time passes, gone when removed."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cegla.defining import define_traits, recount_due, remove_trait
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.segment import computed
from cegla.segment.rules.calculations import CALCULATIONS, Counted, read_counted
from cegla.segment.rules.computing import documents
from cegla.segment.rules.history import Ground
from cegla.segment.rules.language import Past
from cegla.storage.warehouse import Warehouse, history
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.people import TraitInUse, TraitInvalid
from tests.segment.worlds import NOW, append, event_row, fill, order

MOMENT = NOW.replace(tzinfo=None)
DAY = timedelta(days=1)

WANTED = [read_counted(row.example) for row in CALCULATIONS.values()] + [
    read_counted(body)
    for body in (
        {"compute": "count", "event": "A", "where": [{"property": "color", "is": "red"}], "days": 30},
        {"compute": "sum", "event": "A", "property": "n", "retention_days": 40},
        {"compute": "average", "event": "A", "field": "value", "days": 30},
        {"compute": "first", "event": "A", "property": "color"},
        {"compute": "last", "event": "A", "days": 30, "retention_days": 10},
        {"compute": "most_frequent", "event": "A", "property": "color", "days": 90},
        {"compute": "unique_list", "event": "A", "property": "color"},
        {"compute": "ratio", "event": "A", "where": [{"property": "color", "is": "red"}], "per": {"event": "A"}, "days": 30},
    )
]
deeds = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["A", "A", "B"]),
        st.sampled_from([-2, 0.5, 9, 10, 29.999, 30, 30.001, 39, 41, 100]),
        st.none() | st.sampled_from([-20.25, 0, 9.99, 100]),
        st.fixed_dictionaries({}, optional={"color": st.sampled_from(["red", "blue", "żółty"]), "n": st.sampled_from([1, 2.5, "3", "many"])}),
    ),
    max_size=25,
)


def world(done: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [event_row(person, number, Past(name, days, value, properties), NOW) for number, (person, name, days, value, properties) in enumerate(done, 1)]


@lru_cache(maxsize=4)
def question(people: Any) -> Any:
    """Written once for all examples: that takes longer than the answer."""
    return documents([(f"t{number}", counted) for number, counted in enumerate(WANTED)], history("events", people.to_expr()) if people else history(), Ground(MOMENT))


def told(warehouse: Warehouse, people: Sequence[int] | None) -> dict[int, tuple[Any, Any]]:
    if people is None:
        found = warehouse.run(question(None))
    else:
        with warehouse.people(people) as asked:
            found = warehouse.run(question(asked.op()))
    return {row["person_id"]: (json.loads(row["document"]), row["due_at"]) for row in found.to_pylist()}


def model(counted: Counted, rows: Sequence[Mapping[str, Any]], at: datetime) -> Any:
    """The value by the definition's own words, None when there are no events to rest on."""
    start = at - counted.days * DAY if counted.days else MOMENT - 10_000 * DAY

    def passing(events: Any) -> list[Mapping[str, Any]]:
        def fits(row: Mapping[str, Any]) -> bool:
            return all(json.loads(row["properties"]).get(one["property"]) == one["is"] for one in events.where)

        return [row for row in rows if row["name"] == events.event and start < row["occurred_at"] <= at and fits(row)]

    def subject(row: Mapping[str, Any]) -> Any:
        how, what = counted.subject or ("", "")
        value = row["value_micros"] if what == "value" else row.get(what) if how == "field" else json.loads(row["properties"]).get(what)
        if counted.calculation.wants == "amount" and how == "property":
            return None if value == "many" or value is None else Fraction(str(value))
        return value

    seen = sorted(passing(counted.per or counted.events), key=lambda row: (row["occurred_at"], row["event_id"]))
    if counted.subject:
        seen = [row for row in seen if subject(row) is not None]
    if not seen or (counted.retention_days and seen[-1]["occurred_at"] <= at - counted.retention_days * DAY):
        return None
    shown = [subject(row) for row in seen]
    match counted.calculation.key:
        case "count":
            return len(seen)
        case "sum":
            return sum(shown)
        case "average":
            return sum(shown) // len(shown) if counted.kind == "money" else round(float(sum(shown) / len(shown)), 6)
        case "ratio":
            return round(len(passing(counted.events)) / len(seen), 6)
        case "first" | "last":
            row = seen[0 if counted.calculation.key == "first" else -1]
            return str(row["occurred_at"]) if counted.subject is None else str(subject(row))
        case _:
            last = {value: row["occurred_at"] for value, row in zip(shown, seen, strict=True)}
            if counted.calculation.key == "unique_list":
                return sorted(last, key=lambda value: (-last[value].timestamp(), value))
            times = Counter(shown)
            return max(times, key=lambda value: (times[value], last[value], value))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(deeds)
def test_traits_are_what_their_words_say_for_everybody_as_for_some(done: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        warehouse, rows = Warehouse(Path(folder) / "w.duckdb"), world(done)
        append(warehouse, rows)
        everybody = told(warehouse, None)
        assert {person: found for some in ([1, 2], [3, 4]) for person, found in told(warehouse, some).items()} == everybody
        for person in range(1, 5):
            own = [row for row in rows if row["identity_id"] == person]
            document, due = everybody.get(person, ({}, MOMENT + 10_000 * DAY))
            for number, counted in enumerate(WANTED):
                wanted, found = model(counted, own, MOMENT), (document.get(f"t{number}") or {}).get("v")
                assert found == (pytest.approx(float(wanted)) if isinstance(wanted, (float, Fraction)) else wanted), counted
                if due is not None:  # until then time changes nothing
                    assert model(counted, own, due - timedelta(microseconds=1)) == wanted
        warehouse.close()


DEFINED = """
traits:
  orders_90d:
    label: {pl: Zamówienia w 90 dni, en: Orders in 90 days}
    compute: count
    event: Order Completed
    days: 90
  spent:
    label: {pl: Wydano, en: Spent}
    compute: sum
    event: Order Completed
    field: value
    purpose: profiling
"""


def kept(ws: Workspace, person: int) -> dict[str, Any]:
    with ws.transaction() as conn:
        return profile.computed.values_of(conn, [person]).get(person, {})


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    workspace.clock = lambda: NOW
    fill(workspace.warehouse, {1: [order(89, 10), order(100, 20)], 2: [order(1, 5)], 3: [Past("Page Viewed", 1)]})
    workspace.warehouse.expect(0)
    define_traits(workspace, computed.read(DEFINED), "anna")
    return workspace


def test_a_definition_counts_everybody_and_says_where_each_value_is_from(shop: Workspace) -> None:
    assert kept(shop, 1) == {"orders_90d": 1, "spent_micros": 30_000_000}
    assert kept(shop, 3) == {"orders_90d": 0, "spent_micros": 0}
    with shop.transaction() as conn:
        known = {one.trait.key: one for one in profile.profile_of(conn, shop.warehouse, 1, [1], NOW, shop.settings.zone).traits}
    found = known["orders_90d"]
    assert (found.trait.value, found.trait.n_evidence, found.trait.method, found.trait.purpose) == (1, 1, "definition:orders_90d@1", "analytics")
    assert found.label == ("Zamówienia w 90 dni", "Orders in 90 days")
    assert found.why.pl.startswith("Liczba zdarzeń „Order Completed” w ciągu ostatnich 90 dni. Wartość opiera się na zdarzeniach: 1")


def test_a_window_moves_on_without_anything_happening(shop: Workspace) -> None:
    assert recount_due(shop, NOW) == 0
    assert recount_due(shop, NOW + timedelta(days=1)) == 1
    assert kept(shop, 1) == {"orders_90d": 0, "spent_micros": 30_000_000}


def test_the_same_definition_once_more_is_no_new_version_and_another_one_is(shop: Workspace) -> None:
    assert define_traits(shop, computed.read(DEFINED), "anna") == []
    assert define_traits(shop, computed.read(DEFINED.replace("days: 90", "days: 120")), "anna") == [("orders_90d", 2)]
    assert kept(shop, 1)["orders_90d"] == 2
    with shop.transaction() as conn:
        assert [one.version for one in profile.computed.versions(conn, "orders_90d")] == [2, 1]


def test_segments_compare_computed_traits_and_hold_on_to_them(shop: Workspace) -> None:
    rule = {"op": "trait_over", "trait": "computed.spent", "value": 10}
    assert segment.members_of(shop, rule, NOW).to_pylist() == [1]
    assert segment.members_of(shop, {"op": "trait_under", "trait": "computed.orders_90d", "value": 1}, NOW).to_pylist() == [3]
    with shop.transaction() as conn:
        assert segment.sentence(rule, "pl", about=segment.known(conn)) == "Osoby, których Wydano to więcej niż 10\N{NO-BREAK SPACE}zł."
        saved = segment.save(conn, "Wydają", rule, NOW)
        segment.refresh(conn, shop.warehouse, None, segment.AsOf(NOW))
        assert [one.person_id for one in segment.membership(conn, saved.id, 0, 9)] == [1]
    assert "30" in (segment.explain(shop, rule, 1, NOW).seen or ("", ""))[0]
    with pytest.raises(TraitInUse, match="Wydają"):
        remove_trait(shop, "spent", "anna")


def test_removing_a_trait_removes_its_values_and_keeps_its_versions(shop: Workspace) -> None:
    remove_trait(shop, "orders_90d", "anna")
    assert kept(shop, 1) == {"spent_micros": 30_000_000}
    with shop.transaction() as conn:
        assert conn.execute("select count(*) from profile.computed where known ? 'orders_90d'").fetchone() == (0,)
        assert [one.key for one in profile.computed.definitions(conn)] == ["spent"]
        assert len(profile.computed.versions(conn, "orders_90d")) == 1
    with pytest.raises(NotFound):
        remove_trait(shop, "orders_90d", "anna")


def test_who_objected_to_profiling_has_no_value_that_serves_it(shop: Workspace) -> None:
    with shop.transaction() as conn:
        computed.refresh(conn, shop.warehouse, [1, 2], NOW, excluded={1})
    assert kept(shop, 1) == {"orders_90d": 1, "spent_micros": 0}
    assert kept(shop, 2) == {"orders_90d": 1, "spent_micros": 5_000_000}


def test_what_one_face_writes_another_reads(shop: Workspace) -> None:
    with shop.transaction() as conn:
        assert [one.to_json() for one in computed.read(computed.write(profile.computed.definitions(conn)))] == [one.to_json() for one in computed.read(DEFINED)]


def test_a_preview_says_how_many_would_have_a_value(shop: Workspace) -> None:
    seen = computed.preview(shop, computed.written("last_order", {"compute": "last", "event": "Order Completed"}), NOW)
    assert (seen.people, seen.known, seen.kind) == (3, 2, "moment")
    assert seen.sample[0] == (1, NOW - timedelta(days=89))


@pytest.mark.parametrize(("purpose", "known"), [("marketing", [2]), ("profiling", [2]), ("analytics", [1, 2])])
def test_a_preview_names_nobody_who_objected_to_what_a_trait_serves(shop: Workspace, monkeypatch: pytest.MonkeyPatch, purpose: str, known: list[int]) -> None:
    monkeypatch.setattr(profile.places, "objecting", lambda conn: {1})
    seen = computed.preview(shop, computed.written("last_order", {"compute": "last", "event": "Order Completed", "purpose": purpose}), NOW)
    assert (seen.known, [person for person, _ in seen.sample]) == (len(known), known)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"compute": "guess", "event": "A"}, "/compute"),
        ({"compute": "count"}, "/event"),
        ({"compute": "count", "event": "A", "property": "x"}, "/property"),
        ({"compute": "sum", "event": "A"}, "/"),
        ({"compute": "sum", "event": "A", "field": "country"}, "/field"),
        ({"compute": "ratio", "event": "A"}, "/per"),
        ({"compute": "ratio", "event": "A", "per": {"event": "B", "days": 3}}, "/per"),
        ({"compute": "count", "event": "A", "days": 0}, "/days"),
        ({"compute": "count", "event": "A", "where": [{"property": "x"}]}, "/where/0"),
        ({"compute": "count", "event": "A", "purpose": "fun"}, "/purpose"),
        ({"compute": "count", "event": "A", "on_site": "yes"}, "/on_site"),
        ({"compute": "count", "event": "A", "label": {"de": "x"}}, "/label"),
        ({"compute": "count", "event": "A", "sql": "select"}, "/"),
    ],
)
def test_a_wrong_definition_says_where(body: dict[str, Any], where: str) -> None:
    with pytest.raises(TraitInvalid) as refused:
        computed.written("mine", body)
    assert refused.value.where == where


@pytest.mark.parametrize("key", ["Orders", "1st", "a b", "a" * 61, "order_count", 7])
def test_a_name_is_plain_and_not_taken(key: object) -> None:
    with pytest.raises(TraitInvalid):
        computed.written(key, {"compute": "count", "event": "A"})


@pytest.mark.parametrize("text", ["traits: [", "- a", "traits: {}", "traits: {a: &x {compute: count}, b: *x}", "traits:\n  a: {compute: count, event: A}\nmore: 1", "[" * 5_000])
def test_a_file_that_is_no_list_of_traits_is_refused(text: str) -> None:
    with pytest.raises(TraitInvalid):
        computed.read(text)
