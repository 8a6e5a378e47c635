"""Portraits of customers: movements, baskets, affinities, groups."""

import csv
import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest

from cegla import night
from cegla.analyse import portraits
from cegla.analyse.rules import affinity, clusters, purchases
from cegla.segment import actions as segment
from cegla.segment.rules import rfm
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import InvalidInput
from tests.segment.worlds import NOW, Past, fill, order, page


def real(name: str) -> Path:
    """A data set of the machine, or the test is left out."""
    file = next((folder / "shared" / "data" / name for folder in Path(__file__).resolve().parents if (folder / "shared" / "data" / name).exists()), None)
    if file is None:
        pytest.skip(f"{name} is not here")
    return file


def test_bands_of_age_begin_where_they_say() -> None:
    assert [purchases.age_band(age) for age in (0, 17.9, 18, 24, 25, 65, 100, -1, 121)] == ["-17", "-17", "18-24", "18-24", "25-34", "65+", "65+", None, None]


@pytest.mark.parametrize(("first", "second", "index"), [
    ([0, 0, 1, 1], [1, 1, 0, 0], 1.0), ([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2], 0.2424242424), ([0, 0, 1, 1], [0, 1, 0, 1], -0.5),
])  # fmt: skip
def test_agreement_is_the_adjusted_rand_index(first: list[int], second: list[int], index: float) -> None:
    """Values of scikit-learn's documentation of adjusted_rand_score, and the second by hand from the contingency table."""
    assert clusters.agreement(np.array(first), np.array(second)) == pytest.approx(index)


def test_groups_that_are_there_are_found_in_their_number_and_said_in_words() -> None:
    chance = np.random.default_rng(1)
    kinds = np.repeat([0, 1, 2], 200)
    middles = np.array([[5, 20, 50e6, 700, 9, 0], [300, 1, 50e6, 310, 1, 0], [40, 4, 900e6, 400, 3, 0.5]])
    values = middles[kinds] * chance.lognormal(0, 0.1, (600, 6))
    found = clusters.grouped(values, np.array([300e6, 0, 900e6])[kinds] * chance.lognormal(0, 0.1, 600), 7)
    assert [len(one.people) for one in found.groups] == [200, 200, 200] and found.stability > 0.99 and found.explains > 0.9
    assert "mają duże koszyki" in found.groups[0].words.pl and "dawno nie kupowali" in found.groups[2].words.pl and "buy often" in found.groups[1].words.en


def test_the_same_seed_gives_the_same_groups() -> None:
    values = np.random.default_rng(3).lognormal(3, 1, (120, 6))
    assert clusters.grouped(values, values[:, 2], 7) == clusters.grouped(values, values[:, 2], 7)


def test_of_stable_numbers_the_smallest_that_explains_nearly_the_most_is_taken() -> None:
    tried = [clusters.Tried(2, 0.95, 0.10), clusters.Tried(3, 0.9, 0.200), clusters.Tried(4, 0.8, 0.205), clusters.Tried(5, 0.5, 0.4)]
    assert clusters.pick(tried).groups == 3
    assert clusters.pick([clusters.Tried(2, 0.3, 0.1), clusters.Tried(3, 0.4, 0.05)]).groups == 3


def test_the_groups_of_real_customers_are_stable_and_tell_of_what_they_spend_later() -> None:
    """CDNOW: 2,357 customers; the first 15 months group, the last three judge."""
    cut = datetime(1998, 3, 31, tzinfo=UTC)
    bought: dict[str, list[tuple[datetime, float]]] = {}
    with gzip.open(real("cdnow_sample.txt.gz"), "rt") as lines:
        for _, person, day, _, dollars in map(str.split, lines):
            bought.setdefault(person, []).append((datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC), float(dollars)))
    values, later = list[list[float]](), list[float]()
    for orders in bought.values():
        before = [one for one in orders if one[0] <= cut]
        days = [(cut - one[0]).days for one in before]
        values.append([min(days), len(before), sum(one[1] for one in before) / len(before) * 1e6, max(days), 0, 0])
        later.append(sum(amount for at, amount in orders if at > cut) * 1e6)
    found = clusters.grouped(np.array(values), np.array(later), 7)
    assert len(found.groups) >= 3 and found.stability >= clusters.STABLE and found.explains > 0.15
    assert found.groups[0].later > 10 * found.groups[-1].later and "kupują często" in found.groups[0].words.pl


def asked(rows: pa.Table, question: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """The answer of an expression about rows."""
    with duckdb.connect() as engine:
        engine.register("rows", rows)
        expression = question(ibis.table(ibis.Schema.from_pyarrow(rows.schema), name="rows"))
        return engine.sql(str(ibis.to_sql(expression, dialect="duckdb"))).to_arrow_table().to_pylist()


def affinities_of(rows: list[tuple[int, str, float]]) -> dict[tuple[int, str], dict[str, Any]]:
    table = pa.table({"person_id": [row[0] for row in rows], "value": [row[1] for row in rows], "weight": [row[2] for row in rows]})
    return {(row["person_id"], row["value"]): row for row in asked(table, affinity.affinities)}


def test_an_affinity_is_the_shrunken_log_odds_worked_out_by_hand() -> None:
    """w = 8 of W = 10, share 10/40 of everybody, prior 10: ln((8 + 2.5)/(2 + 7.5)) − ln(0.25/0.75) = 1.19870; error² = 1/10.5 + 1/9.5."""
    found = affinities_of([(1, "tea", 8.0), (1, "pots", 2.0), (2, "tea", 2.0), (2, "pots", 28.0)])[1, "tea"]
    assert found["odds"] == pytest.approx(1.1986957) and found["error"] == pytest.approx((1 / 10.5 + 1 / 9.5) ** 0.5) and found["clear"]


def test_little_weight_is_never_a_clear_affinity() -> None:
    found = affinities_of([(1, "tea", 1.0), *((person, "pots", 10.0) for person in range(2, 20))])
    assert found[1, "tea"]["odds"] > 0 and not found[1, "tea"]["clear"]


def test_movements_add_up_to_all_customers_and_lead_to_their_people(workspace: Workspace) -> None:
    fill(workspace.warehouse, {person: [order(200 - person, 100)] for person in range(1, 21)} | {50: [order(3, 500)], 60: [page(1)]})
    fill(workspace.warehouse, {5: [order(2, 900)]})
    days = (date(2026, 11, 1), NOW.date())
    found = portraits.movements(workspace, *days)
    assert found.customers == sum(row.people for row in found.rows) == 21
    assert {row.was for row in found.rows if 50 in portraits.moved(workspace, days, row.was, row.is_now)} == {"newcomer"}
    assert {one.is_now for one in found.rows} <= {one.key for one in rfm.GROUPS}
    with pytest.raises(InvalidInput):
        portraits.movements(workspace, days[1], days[0])


def test_baskets_by_a_grouping_add_up_and_keep_the_unknown(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3, 100), order(9, 300)], 2: [order(3, 50)], 3: [order(500, 50)]})
    with pytest.raises(InvalidInput):
        portraits.baskets(workspace, "colour", NOW)  # pyright: ignore[reportArgumentType]
    (row,) = portraits.baskets(workspace, "sex", NOW).rows
    assert (row.group, row.people, row.orders, row.gross_micros, row.average_micros) == (None, 2, 3, 450_000_000, 150_000_000)
    assert row.median_micros == 125_000_000


def test_affinities_and_groups_are_asked_of_the_history(workspace: Workspace) -> None:
    fill(workspace.warehouse, {1: [order(3, 100)], 2: [page(2)]})
    assert portraits.affinities(workspace, "category", NOW).rows == () and portraits.likings(workspace, "brand", 1, NOW) == []
    assert portraits.groups(workspace, NOW).rows == ()  # nobody had bought 90 days ago
    (everybody,) = portraits.groups(workspace, NOW + timedelta(days=100)).rows
    assert everybody.people == (1,) and everybody.share == 1.0
    kinds: dict[str, dict[int, list[str]]] = {key: {} for key in segment.portraits.KINDS}
    assert portraits.of_everybody(workspace, NOW + timedelta(days=100)) == kinds | {"group": {1: ["1"]}}, "what rules may speak of is all found"


def test_nobody_is_drawn_to_what_reveals_a_special_category(workspace: Workspace) -> None:
    def looks(*names: str) -> list[Past]:
        return [page(1 + day, properties=f'{{"category":"{name}"}}') for name in names for day in range(6)]

    fill(workspace.warehouse, {1: looks("Glukometry", "Kubki")} | {person: looks("Noże", "Misy") for person in range(2, 9)})
    assert [one.value for one in portraits.likings(workspace, "category", 1, NOW)] == ["Kubki"]
    assert "Glukometry" not in [row.value for row in portraits.affinities(workspace, "category", NOW).rows]


def test_nothing_is_kept_of_who_is_erased_joined_or_objects_while_portraits_are_made(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(workspace.warehouse, {person: [page(1)] for person in (1, 2, 3, 4)})

    def found(ws: Workspace, _now: datetime) -> dict[str, dict[int, list[str]]]:
        ws.warehouse.erase([1])
        ws.warehouse.set_people([(2, 3)])
        monkeypatch.setattr(night.profile.places, "objecting", lambda _: {4})
        return {"age": {person: ["25-34"] for person in (1, 2, 3, 4)}}

    monkeypatch.setattr(portraits, "of_everybody", found)
    night.portray(workspace, NOW)
    with workspace.transaction() as conn:
        kept = [person for person in (1, 2, 3, 4) if segment.export_person(conn, [person])["portraits"]]
    assert kept == [3]


def test_the_groups_of_rfm_are_those_of_a_second_implementation_on_real_orders() -> None:
    """Online Retail: scores by the share of customers with a value that is not larger, counted here with numpy."""
    orders: dict[int, dict[str, tuple[datetime, float]]] = {}
    with gzip.open(real("online_retail.csv.gz"), "rt", encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            if number % 4 == 0 and row["CustomerID"] and not row["InvoiceNo"].startswith("C"):
                at = datetime.fromisoformat(row["InvoiceDate"]).replace(tzinfo=UTC)
                one = orders.setdefault(int(float(row["CustomerID"])), {})
                one[row["InvoiceNo"]] = (at, one.get(row["InvoiceNo"], (at, 0.0))[1] + int(row["Quantity"]) * float(row["UnitPrice"]))
    end = datetime(2011, 12, 10, tzinfo=UTC)
    rows = [(person, number, at, round(value * 1e6)) for person, own in orders.items() for number, (at, value) in own.items()]
    columns = {
        "event_id": list(range(len(rows))), "person_id": [row[0] for row in rows], "name": ["Order Completed"] * len(rows), "order_id": [row[1] for row in rows],
        "occurred_at": pa.array([row[2].replace(tzinfo=None) for row in rows], pa.timestamp("us")), "value_micros": pa.array([row[3] for row in rows], pa.int64()),
    }  # fmt: skip
    past, moment = pa.table(columns), end.replace(tzinfo=None)
    by = rfm.scale(asked(past, lambda rows: rfm.bounds(rows, moment))[0], moment)
    got = {row["person_id"]: row["group"] for row in asked(past, lambda rows: rfm.groups_at(rows, by))}
    people = sorted(orders)
    values = {
        "recency": np.array([-((end - max(at for at, _ in orders[person].values())).total_seconds() // 86_400) for person in people]),
        "frequency": np.array([len(orders[person]) for person in people]), "monetary": np.array([sum(round(v * 1e6) for _, v in orders[person].values()) for person in people]),
    }  # fmt: skip
    scores = {key: np.ceil(5 * np.searchsorted(np.sort(one), one, side="right") / len(one)).astype(int) for key, one in values.items()}
    champions = {p for n, p in enumerate(people) if scores["recency"][n] >= 4 and scores["frequency"][n] >= 4 and scores["monetary"][n] >= 4 and len(orders[p]) > 1}
    assert {person for person, group in got.items() if group == "champions"} == champions and len(champions) > 100
    assert set(got) == set(people)
