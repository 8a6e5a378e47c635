"""Wealth: spending potential as a place among the own people, from what they pay and buy. Off until somebody sets a purpose.

    lines ──price among all lines of the category──► tier ──of all who buy a category──► standing of categories ─┐
    orders ──► value of a basket, share given as discount      devices ──► price at launch                       ├─► points ─► index, band
                                                                                         wage of the powiat ─────┘ (5 points at most)

Nobody's income is known, so nothing is fitted to one: what is learnt from the own base are prices by category, and which categories people buy
who pay more within each. On real incomes that tells more than prices, baskets or both (bench/analysers/wealth.py). A powiat alone says
nothing: GUS counts wages where people work, and its part moves the index by five points at most. Weak truth makes bands, not money.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, gathered, in_order, joined_facts
from cegla.profile.rules.learning import percentiles, rank, sigmoid
from cegla.reference.models import TIERS, launch_of
from cegla.reference.places import poland
from cegla.vocabulary.text import Text

pc: Any = pyarrow.compute  # its functions are made at run time, so type checkers do not know them
LOOK_BACK_DAYS = 730.0
FEWEST_LINES = 5  #: of one person
STEPS = 21  #: prices of a category are kept as so many quantiles
LEAST_LINES, LEAST_BUYERS = 20, 10  #: that a category needs before it says anything
PRIOR_BUYERS, PRIOR_LINES = 20.0, 10.0  #: average ones, that are counted along: what few show is drawn to the middle
MOST_CATEGORIES = 3_000
WAGE_POINTS = 2.5  #: up and down at most, for the wage of the powiat
#: What each sign weighs, in percentiles of the own base. Set by hand; only their order was looked at on real incomes.
WEIGHTS = {"categories": 3.0, "baskets": 1.0, "prices": 0.5, "discounts": -0.5, "devices": 0.5}
DRIVEN = 0.25  #: how far from the middle a sign must be to be named
BUDGET, PREMIUM = 0.4, 0.6  #: mean places in the prices of a category
#: The chance that a band is at most one from that of the income, by the logarithm of the lines: fitted on 801 households with known income.
RIGHT_START, RIGHT_RISE = 0.06, 0.167


def facts(seen: Seen) -> Table:
    """Bought lines by category and price, orders with their value and discounts, devices and powiats."""
    events, lines = seen.events, seen.lines
    bought = lines.filter((lines.name == "Order Completed") & (lines.age_days < LOOK_BACK_DAYS) & lines.category.notnull() & (lines.price_micros > 0))
    counted = bought.group_by("person_id", what=bought.category, price=bought.price_micros).agg(weight=bought.count())
    row: Any = ibis.struct({"what": counted.what, "price": counted.price, "weight": counted.weight})
    paid = counted.group_by("person_id").agg(lines=in_order(row))
    orders = events.filter((events.name == "Order Completed") & (events.age_days < LOOK_BACK_DAYS))
    discount: Any = orders.property_discount.try_cast("float64").fill_null(0.0).clip(0.0, 1e9) * 1e6
    value: Any = orders.value_micros.fill_null(0).cast("float64").clip(0.0, 1e15)
    baskets = orders.group_by("person_id").agg(orders=orders.count(), value=value.sum().round(0), discount=discount.sum().round(0))
    visits = events.filter(events.session_id.notnull())
    held = visits.filter(visits.device_brand.notnull() & visits.device_model.notnull())
    devices = gathered(held.group_by("person_id", what=held.device_brand + "\t" + held.device_model).agg(weight=held.session_id.nunique()), "devices")
    placed = visits.filter(visits.powiat.notnull())
    homes = gathered(placed.group_by("person_id", what=placed.powiat).agg(weight=placed.days_ago.nunique()), "powiats")
    return joined_facts(events.select("person_id").distinct(), paid, baskets, devices, homes)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The place of a person's points in the own base, moved a little by the wage of the powiat."""
    tier, counted = tiers(facts, params)
    known = np.where(counted >= FEWEST_LINES, counted, 0)
    signs = _signs(facts, params)
    index = np.full(len(facts), np.nan)
    if params.get("points"):
        index = np.clip(rank(params["points"], _points(signs, params)) + _wage_points(facts), 0.0, 100.0)
    bands = np.minimum(np.floor(index / 20.0) + 1.0, 5.0)
    right = sigmoid(RIGHT_START + RIGHT_RISE * np.log1p(counted))
    whole = np.where(np.isnan(index), 0, known)
    drivers = [_drivers(row) if many else None for row, many in zip(_places(signs, params), whole.tolist(), strict=True)]
    shown = {"lines": counted, "drivers": drivers}
    words = np.select([tier < BUDGET, tier > PREMIUM], ["budget", "premium"], "middle").tolist()
    return {
        "wealth.index": Found(np.round(index, 1), right, whole, shown),
        "wealth.band": Found(bands, right, whole, shown),
        "wealth.price_tier": Found(words, share_lower_bounds(np.maximum(known - 1, 0), known), known, {"lines": counted, "tier_share": np.round(tier, 3)}),
        "wealth.drivers": Found(drivers, right, whole, {"lines": counted}),
    }


def tiers(facts: Facts, params: Params) -> tuple[Any, Any]:
    """The mean place of a person's prices in those of their categories, drawn to the middle by `PRIOR_LINES`, and the lines it rests on."""
    owners, codes, prices, weights = _lines(facts, params)
    at = _price_places(codes, prices, params)
    lines = np.bincount(owners, weights, len(facts))
    return (np.bincount(owners, at * weights, len(facts)) + PRIOR_LINES * 0.5) / (lines + PRIOR_LINES), lines.astype(np.int64)


def _lines(facts: Facts, params: Params) -> tuple[Any, Any, Any, Any]:
    """Of each line of a category with known prices: its person, category, price in micros, and how often it was bought."""
    owners, flat = facts.flat("lines")
    codes = pc.index_in(flat.field("what"), pa.array(list(params.get("prices", ())), pa.string())).fill_null(-1).to_numpy(zero_copy_only=False)
    known = codes >= 0
    prices, weights = (flat.field(name).cast(pa.float64()).to_numpy(zero_copy_only=False)[known] for name in ("price", "weight"))
    return owners[known], codes[known], prices, weights


def _price_places(codes: Any, prices: Any, params: Params) -> Any:
    """The share of a category's lines that cost less; half of those that cost the same."""
    if not len(codes):
        return np.zeros(0)
    cuts = np.array(list(params["prices"].values()), np.float64)[codes]
    return ((cuts < prices[:, None]).sum(axis=1) + 0.5 * (cuts == prices[:, None]).sum(axis=1)) / STEPS


def _signs(facts: Facts, params: Params) -> dict[str, Any]:
    """What speaks for spending potential, of each person; NaN where nothing is known."""
    orders, value, discount = facts.counts("orders"), np.nan_to_num(facts.numbers("value")), np.nan_to_num(facts.numbers("discount"))
    tier, lines = tiers(facts, params)
    return {
        "categories": _standing(facts, params),
        "baskets": np.where(orders > 0, value / np.maximum(orders, 1), np.nan),
        "prices": np.where(lines > 0, tier, np.nan),
        "discounts": np.where(value + discount > 0, discount / np.maximum(value + discount, 1.0), np.nan),
        "devices": np.array([_device_tier(found) for found in facts.pairs("devices")], np.float64),
    }


def _standing(facts: Facts, params: Params) -> Any:
    """The mean standing of the categories a person buys, each counted once; NaN where none is known."""
    owners, codes, _, _ = _lines(facts, params)
    standing = np.array([params.get("standing", {}).get(name, np.nan) for name in params.get("prices", ())], np.float64)
    width = max(len(standing), 1)
    pairs = np.unique(owners * width + codes)
    people, found = pairs // width, standing[pairs % width] if len(standing) else np.zeros(0)
    told = np.isfinite(found)
    categories = np.bincount(people[told], minlength=len(facts))
    total = np.bincount(people[told], found[told], len(facts))
    return np.where(categories > 0, (total + PRIOR_LINES * 0.5) / (categories + PRIOR_LINES), np.nan)


def _device_tier(found: list[tuple[Any, float]]) -> float:
    """The mean price at launch of a person's devices: 0 budget, 1 middle, 2 premium."""
    known = [(TIERS.index(launch.tier), visits) for name, visits in found if (launch := launch_of(*name.split("\t", 1)))]
    return sum(tier * visits for tier, visits in known) / sum(visits for _, visits in known) if known else float("nan")


def _places(signs: Mapping[str, Any], params: Params) -> Any:
    """Each sign as a place in the own base, -1 to 1, for more potential; 0 where nothing is known."""
    columns = [np.nan_to_num(rank(params["cuts"][name], np.nan_to_num(column)) / 50.0 - 1.0) * np.isfinite(column) * np.sign(WEIGHTS[name])
        if params.get("cuts", {}).get(name) else np.zeros(len(column)) for name, column in signs.items()]  # fmt: skip
    return np.column_stack(columns)


def _points(signs: Mapping[str, Any], params: Params) -> Any:
    return _places(signs, params) @ np.abs(list(WEIGHTS.values()))


def _drivers(places: Any) -> list[str]:
    """The signs far enough from the middle, the strongest first: "categories_high", "discounts_low"."""
    ranked = sorted(((abs(place) * abs(weight), name, place) for (name, weight), place in zip(WEIGHTS.items(), places.tolist(), strict=True)), reverse=True)
    return [f"{name}_{'high' if place > 0 else 'low'}" for _, name, place in ranked if abs(place) >= DRIVEN] or ["nothing_stands_out"]


def _wage_points(facts: Facts) -> Any:
    """Up to `WAGE_POINTS` up or down, by the place of the powiat's wage among all powiats: of the declared postcode, else of most days."""
    places, moved = _wage_places(), list[float]()
    codes = facts.told.get("declared.postcode", [None] * len(facts))
    for code, found in zip(codes, facts.pairs("powiats"), strict=True):
        home = poland().postcode(code) if isinstance(code, str) else None
        powiat = home.powiat if home else max(found, key=lambda one: one[1], default=(None, 0.0))[0]
        moved.append(WAGE_POINTS * places.get(powiat or "", 0.0))
    return np.array(moved)


def _wage_places() -> dict[str, float]:
    """Powiat → place of its wage among the powiats, -1 to 1."""
    ranked = sorted(poland().powiats.values(), key=lambda powiat: (powiat.wage, powiat.code))
    return {powiat.code: 2.0 * place / (len(ranked) - 1) - 1.0 for place, powiat in enumerate(ranked)}


def _learn(facts: Facts, now: datetime) -> Params:
    """Prices by category, the standing of categories, and the places of signs and points, of the own base. Nothing of one person."""
    learnt: dict[str, Any] = {"prices": _prices(facts)}
    if not learnt["prices"]:
        return learnt
    tier, lines = tiers(facts, learnt)
    own = np.where(lines > 0, rank(percentiles(tier[lines > 0]), tier) / 100.0, 0.5)
    owners, codes, _, _ = _lines(facts, learnt)
    width = len(learnt["prices"])
    pairs = np.unique(owners * width + codes)
    buyers = np.bincount(pairs % width, minlength=width)
    standing = (np.bincount(pairs % width, own[pairs // width], width) + PRIOR_BUYERS * 0.5) / (buyers + PRIOR_BUYERS)
    learnt["standing"] = {name: round(float(one), 4) for name, one, many in zip(learnt["prices"], standing, buyers, strict=True) if many >= LEAST_BUYERS}
    signs = _signs(facts, learnt)
    enough = lines >= FEWEST_LINES
    learnt["cuts"] = {name: percentiles(column[enough]) for name, column in signs.items()}
    learnt["points"] = percentiles(_points(signs, learnt)[enough])
    return learnt


def _prices(facts: Facts) -> dict[str, list[float]]:
    """Quantiles of the prices of the categories that enough people buy, the most bought first to be kept."""
    owners, flat = facts.flat("lines")
    encoded = pc.dictionary_encode(flat.field("what"))
    names, codes = encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False)
    prices, weights = (flat.field(name).cast(pa.float64()).to_numpy(zero_copy_only=False) for name in ("price", "weight"))
    lines = np.bincount(codes, weights, len(names))
    buyers = np.bincount(np.unique(owners * max(len(names), 1) + codes) % max(len(names), 1), minlength=len(names))
    kept = [code for code in np.lexsort((names, -lines)).tolist() if lines[code] >= LEAST_LINES and buyers[code] >= LEAST_BUYERS][:MOST_CATEGORIES]
    order = np.lexsort((prices, codes))
    starts = np.searchsorted(codes[order], np.arange(len(names) + 1))
    found: dict[str, list[float]] = {}
    for code in kept:
        rows = order[starts[code] : starts[code + 1]]
        heights = np.cumsum(weights[rows])
        places = np.searchsorted(heights, (np.arange(STEPS) + 0.5) / STEPS * heights[-1])
        found[names[code]] = prices[rows][places].tolist()
    return dict(sorted(found.items()))


_DRIVERS = {
    "categories_high": Text("kategorie, które kupują płacący więcej", "categories bought by those who pay more"),
    "categories_low": Text("kategorie, które kupują płacący mniej", "categories bought by those who pay less"),
    "baskets_high": Text("duże koszyki", "large baskets"), "baskets_low": Text("małe koszyki", "small baskets"),
    "prices_high": Text("droższe produkty w swoich kategoriach", "dearer products within their categories"),
    "prices_low": Text("tańsze produkty w swoich kategoriach", "cheaper products within their categories"),
    "discounts_high": Text("mało rabatów", "few discounts"), "discounts_low": Text("dużo rabatów", "many discounts"),
    "devices_high": Text("drogie urządzenia", "expensive devices"), "devices_low": Text("tanie urządzenia", "cheap devices"),
    "nothing_stands_out": Text("nic się nie wyróżnia", "nothing stands out"),
}  # fmt: skip
_WHY = Text("Na podstawie {lines} kupionych pozycji: {drivers}.", "From {lines} lines bought: {drivers}.")

ANALYSER = Analyser(
    key="wealth",
    label=Text("Zamożność", "Wealth"),
    promise=Text("Jaki potencjał zakupowy ma osoba na tle innych klientów. Nie do oceny kredytowej, ustalania cen ani odmawiania.",
        "How much a person could spend, beside the other customers. Never for credit, prices or refusals."),
    inputs=(
        "line.category", "line.price_micros", "value_micros", "property.discount", "device_brand", "device_model", "powiat", "declared.postcode",
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("wealth.index", Text("Potencjał zakupowy", "Spending potential"), "score", _WHY, _DRIVERS),
        AnalysedTrait("wealth.band", Text("Przedział potencjału, od 1 do 5", "Band of potential, 1 to 5"), "number", _WHY, _DRIVERS),
        AnalysedTrait("wealth.price_tier", Text("Półka cenowa", "Price tier"), "word",
            Text("{lines} kupionych pozycji jest średnio droższych niż {tier_share} pozycji swoich kategorii.",
                "{lines} lines bought cost more, on average, than {tier_share} of the lines of their categories."),
            {"budget": Text("niska", "budget"), "middle": Text("średnia", "middle"), "premium": Text("wysoka", "premium")}),
        AnalysedTrait("wealth.drivers", Text("Co o tym przesądza", "What decides it"), "list",
            Text("Najsilniejsze znaki w {lines} kupionych pozycjach: {value}.", "The strongest signs in {lines} lines bought: {value}."), _DRIVERS),
    ),
    method=Text(
        "Miejsce we własnej bazie: kategorie kupowane przez płacących więcej, wartość koszyka, ceny w kategorii, rabaty, urządzenie; płaca w powiecie "
        "przesuwa wynik najwyżej o 5 punktów.",
        "The place in the own base: categories bought by those who pay more, value of a basket, prices within a category, discounts, device; the wage of "
        "the powiat moves it by 5 points at most.",
    ),
    purpose="profiling",
    schedule="nightly",
    min_evidence=FEWEST_LINES,
    half_life_days=180.0,
    legal_class="sensitive_inference",
    fit=Fit(facts, _learn),
    data="models 2026-11, GUS BDL 64428 (2024)",
)  # fmt: skip
