"""Wealth on real incomes: 801 households of the Complete Journey (CC0) in twelve brackets, with the 75,000 order lines of the sample.

The analyser learns from the baskets of all households and never sees an income; the anchors that need one, ridge regressions, get ten folds.
"""

import time
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from bench.analysers._scores import auc, calibration_error, rows_of
from bench.result import Result
from cegla.profile.analysers import wealth
from cegla.profile.rules.analysis import Facts
from cegla.reference.places import poland

BRACKETS = ("Under 15K", "15-24K", "25-34K", "35-49K", "50-74K", "75-99K", "100-124K", "125-149K", "150-174K", "175-199K", "200-249K", "250K+")
RICH = BRACKETS.index("100-124K")
FOLDS = 10
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def run() -> list[Result]:
    """Rank correlation with income, the anchors in the same run, calibration, and what a powiat can move."""
    facts, households = _facts()
    place = {name: row for row, name in enumerate(households)}
    told = rows_of("completejourney_demographics.csv.gz")
    people = [(place[row["household_id"]], BRACKETS.index(row["income"])) for row in told if row["household_id"] in place]
    known, income = np.array([one for one, _ in people]), np.array([bracket for _, bracket in people])
    began = time.process_time()
    params = wealth._learn(facts, NOW)  # pyright: ignore[reportPrivateUsage]
    found = wealth.read(facts, params, NOW)
    seconds = time.process_time() - began
    index = np.asarray(found["wealth.index"].values, float)
    answered = np.isfinite(index[known])
    ours, rich = rank_correlation(np.nan_to_num(index[known], nan=50.0), income), auc(np.nan_to_num(index[known], nan=50.0), income >= RICH)
    spend, order = (column[known] for column in (facts.numbers("value"), facts.numbers("value") / facts.counts("orders")))
    ridge = _ridge(np.column_stack([np.log1p(spend), np.log1p(order), wealth.tiers(facts, params)[0][known], facts.numbers("discount")[known] / spend]), income)
    error = _calibration(np.asarray(found["wealth.band"].values, float)[known], np.asarray(found["wealth.band"].confidence)[known], income)
    joined = sum(powiat.wage > 0 for powiat in poland().powiats.values())
    moved = _moved(facts, params, households)
    about = f"{len(people)} households with income, {int(answered.sum())} answered; US groceries; no income was learnt from"
    return [
        Result("wealth: rank correlation with income", ours, "Spearman", ">= 0.33", ours >= 0.33, about),
        Result("wealth: anchors", ridge, "Spearman", "below", ridge < ours, f"ridge in {FOLDS} folds; value of a basket {rank_correlation(order, income):.3f}, "
            f"money spent {rank_correlation(spend, income):.3f}, prices within a type {rank_correlation(wealth.tiers(facts, params)[0][known], income):.3f}"),
        Result("wealth: income from 100,000 up", rich, "AUC", ">= 0.72", rich >= 0.72, f"{int((income >= RICH).sum())} of them"),
        Result("wealth: calibration error of the band", error, "ECE", "<= 0.05", error <= 0.05, "right: at most one band from that of the income"),
        Result("wealth: powiats with a wage", joined, "of 380", "380", joined == 380, "GUS, Bank Danych Lokalnych, 2024"),
        Result("wealth: moved by the powiat alone", moved, "points", "<= 5", moved <= 5.0, "everybody in the poorest, then in the richest powiat"),
        Result("wealth: speed", len(facts) / seconds, "people/s CPU", "", True, f"learning and reading {len(facts):,} people"),
    ]  # fmt: skip


def rank_correlation(one: Any, other: Any) -> float:
    """Spearman's: ties share the middle of their ranks."""
    return float(np.corrcoef(_ranks(one), _ranks(other))[0, 1])


def _ranks(values: Any) -> Any:
    _, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def _facts() -> tuple[Facts, list[str]]:
    """The baskets as the facts that the analyser asks for: the type of a product is its category."""
    types = {row["product_id"]: row["product_type"] for row in rows_of("completejourney_products.csv.gz")}
    lines: dict[str, dict[tuple[str, int], int]] = defaultdict(lambda: defaultdict(int))
    baskets, value, discount = defaultdict[str, set[str]](set), defaultdict[str, float](float), defaultdict[str, float](float)
    for row in rows_of("completejourney_transactions_sample.csv.gz"):
        name, quantity, paid = row["household_id"], float(row["quantity"]), float(row["sales_value"])
        baskets[name].add(row["basket_id"])
        value[name] += paid * 1e6
        discount[name] += sum(float(row[part]) for part in ("retail_disc", "coupon_disc", "coupon_match_disc")) * 1e6
        if 0 < quantity < 100 and paid > 0 and types.get(row["product_id"]):
            lines[name][types[row["product_id"]], round(paid / quantity * 1e6)] += 1
    households = sorted(baskets)
    told = [[{"what": what, "price": price, "weight": many} for (what, price), many in sorted(lines[name].items())] for name in households]
    return Facts(range(len(households)), pa.table({
        "person_id": list(range(len(households))), "lines": told, "orders": [len(baskets[name]) for name in households],
        "value": [value[name] for name in households], "discount": [discount[name] for name in households],
        "devices": pa.nulls(len(households), _WHATS), "powiats": pa.nulls(len(households), _WHATS),
    })), households  # fmt: skip


_WHATS = pa.list_(pa.struct([("what", pa.string()), ("weight", pa.float64())]))


def _moved(facts: Facts, params: Any, households: list[str]) -> float:
    ranked = sorted(poland().powiats.values(), key=lambda powiat: powiat.wage)
    index: list[Any] = []
    for powiat in (ranked[0], ranked[-1]):
        facts._columns["powiats"] = pa.array([[{"what": powiat.code, "weight": 1.0}]] * len(households), _WHATS)  # pyright: ignore[reportPrivateUsage]
        index.append(np.asarray(wealth.read(facts, params, NOW)["wealth.index"].values, float))
    return float(np.nanmax(np.abs(index[1] - index[0])))


def _ridge(values: Any, income: Any) -> float:
    """The anchor: least squares with a ridge on ranks, on households it was not fitted to."""
    ranks = np.column_stack([_ranks(column) / len(column) for column in values.T])
    design, fold, told = np.column_stack([np.ones(len(ranks)), ranks - 0.5]), np.random.default_rng(7).permutation(len(ranks)) % FOLDS, np.zeros(len(ranks))
    for part in range(FOLDS):
        rest = fold != part
        weights = np.linalg.solve(design[rest].T @ design[rest] + np.eye(design.shape[1]), design[rest].T @ income[rest])
        told[~rest] = design[~rest] @ weights
    return rank_correlation(told, income)


def _calibration(bands: Any, confidence: Any, income: Any) -> float:
    """How far the confidence of a band is from how often the income's fifth is at most one away."""
    fifths = np.minimum(np.floor((_ranks(income) - 0.5) / len(income) * 5) + 1, 5)
    answered = np.isfinite(bands)
    right = (np.abs(bands - fifths) <= 1)[answered]
    return calibration_error(confidence[answered], right.astype(float))
