"""Purchase intent: how likely a person orders within seven days, in which categories, and how far on the way.

Views weigh 1, searches 2, comparisons 3, baskets 6, checkouts 10, and lose half their weight every 7 days; what came before the last order is
settled and counts no more. The chance is learnt from the own base, by who ordered in the week after a moment seven days ago: a logistic curve
of the points, and from 500 orders on boosted trees with isotonic calibration. Until then there is a stage and an interest, but no chance.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.guards import Seen, Table, gathered, half_life, joined_facts
from cegla.profile.rules.learning import boosted, boosted_odds, calibrated, isotonic, log_odds, logistic, sigmoid
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 7.0
AHEAD_DAYS = 7.0
LEAST_OUTCOMES = 30  #: orders, and people without, for a curve
LEAST_FOR_TREES = 500
MOST_CATEGORIES = 3
ORDERED = "Order Completed"
WEIGHTS = {
    "Product Viewed": 1.0, "Product List Viewed": 1.0, "Products Searched": 2.0, "Product Compared": 3.0, "Price Drop Clicked": 3.0,
    "Message Clicked": 2.0, "Email Link Clicked": 2.0, "Product Added to Wishlist": 3.0, "Product Added": 6.0, "Cart Viewed": 6.0,
    "Checkout Started": 10.0, "Payment Info Entered": 10.0,
}  # fmt: skip
DECIDING = ("Checkout Started", "Payment Info Entered", "Product Added", "Cart Viewed")
CONSIDERING = ("Products Searched", "Product Compared", "Price Drop Clicked", "Product Added to Wishlist")
FEATURES = ("points", "deeds", "looks", "considers", "decides", "visits", "last_days", "orders", "order_days")
STAGES = {
    "aware": Text("poznaje", "aware"), "consider": Text("rozważa", "considers"), "decide": Text("decyduje", "decides"),
    "post": Text("po zakupie", "has bought"),
}  # fmt: skip


def facts(seen: Seen) -> Table:
    """The features now, and the decayed interest in categories since the last order."""
    return joined_facts(_features(seen, 0.0), gathered(_interest(seen), "categories"))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The chance where one was learnt; stage, categories and recency from the features."""
    deeds, last, since = facts.counts("deeds"), facts.numbers("last_days"), facts.numbers("order_days")
    bought = since <= AHEAD_DAYS
    known = np.where((deeds > 0) | bought, np.maximum(deeds, 1), 0)
    chance = np.where(bought & (deeds == 0), np.nan, _chance(facts, params))
    decides, considers = facts.counts("decides"), facts.counts("considers")
    stages = [
        None if not any_ else "decide" if one and age <= 14.0 else "post" if after and not deed else "consider" if two or deed > 4 else "aware"
        for any_, one, two, deed, after, age in zip(known, decides, considers, deeds, bought, np.nan_to_num(last, nan=1e9), strict=True)
    ]  # fmt: skip
    shown = {"deeds": deeds, "points": np.round(np.nan_to_num(facts.numbers("points")), 1), "last_days": np.round(last, 1)}
    return {
        "intent.score": Found(np.round(chance, 3), known / (known + 3.0), np.where(np.isnan(chance), 0, known), shown),
        "intent.category": Found([_best(found, params) for found in facts.pairs("categories")], known / (known + 5.0), deeds, {"deeds": deeds}),
        "intent.stage": Found(stages, known / (known + 3.0), known, {"deeds": deeds, "decides": decides, "last_days": np.round(last, 1)}),
        "intent.recency": Found(np.round(last, 2), np.where(deeds > 0, 1.0, 0.0), deeds, {"last_days": np.round(last, 1)}),
    }  # fmt: skip


def _chance(facts: Facts, params: Params) -> Any:
    """The chance of an order in a week; NaN before anything was learnt."""
    values = _matrix(facts)
    if "trees" in params:
        return calibrated(params["steps"], boosted_odds(params["trees"], values))
    if "curve" in params:
        return sigmoid(log_odds(params["curve"], np.log1p(values[:, :1])))
    return np.full(len(facts), np.nan)


def _matrix(facts: Facts, suffix: str = "") -> Any:
    """The features as numbers; of who never ordered the last order is long ago."""
    columns = [facts.numbers(f"{name}{suffix}") for name in FEATURES]
    absent = [999.0 if name in ("last_days", "order_days") else 0.0 for name in FEATURES]
    return np.column_stack([np.nan_to_num(column, nan=otherwise) for column, otherwise in zip(columns, absent, strict=True)])


def _best(found: list[tuple[Any, float]], params: Params) -> list[str] | None:
    """The categories with most interest, weighed by how often interest in them ends in an order."""
    lift = params.get("lift", {})
    ranked = sorted(found, key=lambda one: (-one[1] * lift.get(one[0], 1.0), one[0]))
    return [str(name) for name, _ in ranked[:MOST_CATEGORIES]] or None


def _features(seen: Seen, back: float) -> Table:
    """The features of each person as they were `back` days ago."""
    events = seen.events
    past = events.filter((events.age_days >= back) & (events.session_id.notnull() | (events.name == ORDERED)))
    orders = past.filter(past.name == ORDERED)
    last = orders.group_by(buyer=orders.person_id).agg(order_days=orders.age_days.min() - back, orders=orders.count())
    deeds = past.left_join(last, past.person_id == last.buyer)
    fresh: Any = deeds.order_days.isnull() | (deeds.age_days - back < deeds.order_days)
    weighs: Any = deeds.name.isin(list(WEIGHTS)) & fresh
    weight: Any = ibis.cases(*((deeds.name == name, points) for name, points in WEIGHTS.items()), else_=0.0)
    left: Any = weight * deeds.weight * half_life(deeds.age_days - back, HALF_LIFE_DAYS)
    return deeds.group_by("person_id").agg(
        points=left.sum(where=weighs).fill_null(0.0).round(6), deeds=deeds.count(where=weighs),
        looks=deeds.count(where=weighs & deeds.name.startswith("Product ")),
        considers=deeds.count(where=weighs & deeds.name.isin(CONSIDERING)), decides=deeds.count(where=weighs & deeds.name.isin(DECIDING)),
        visits=deeds.session_id.nunique(where=deeds.age_days - back < 14.0), last_days=(deeds.age_days - back).min(where=weighs),
        orders=deeds.orders.max().fill_null(0), order_days=deeds.order_days.min(),
    )  # fmt: skip


def _interest(seen: Seen) -> Table:
    """(person, category, decayed weight) of looks and baskets since the last order."""
    lines = seen.lines
    bought = lines.filter(lines.name == ORDERED)
    last = bought.group_by(buyer=bought.person_id).agg(order_days=bought.age_days.min())
    looked = lines.filter(lines.name.isin(["Product Viewed", "Product Added"]) & lines.category.notnull())
    joined = looked.left_join(last, looked.person_id == last.buyer)
    open_ = joined.filter(joined.order_days.isnull() | (joined.age_days < joined.order_days))
    weight: Any = ibis.ifelse(open_.name == "Product Added", 6.0, 1.0) * open_.weight * half_life(open_.age_days, HALF_LIFE_DAYS)
    return open_.select("person_id", what=open_.category, weight=weight)


def _learn_from(seen: Seen) -> Table:
    """The features of a week ago, whether an order came since, and what was looked at and bought by category."""
    events, lines = seen.events, seen.lines
    then = _features(seen, AHEAD_DAYS)
    outcome = events.group_by("person_id").agg(outcome=((events.name == ORDERED) & (events.age_days < AHEAD_DAYS)).any())
    told = lines.filter(lines.category.notnull()).mutate(one=ibis.literal(1.0))
    looked = told.filter(told.name.isin(["Product Viewed", "Product Added"])).select("person_id", what="category", weight="one")
    bought = told.filter(told.name == ORDERED).select("person_id", what="category", weight="one")
    return joined_facts(then, outcome, gathered(looked, "looked"), gathered(bought, "bought"))


def _learn(facts: Facts, now: datetime) -> Params:
    asked = facts.counts("deeds") > 0
    outcome = (facts.numbers("outcome") > 0)[asked]
    values = _matrix(facts)[asked]
    learnt: dict[str, Any] = {"lift": _lift(facts)}
    if min(int(outcome.sum()), int((~outcome).sum())) < LEAST_OUTCOMES:
        return learnt
    learnt["curve"] = logistic(np.log1p(values[:, :1]), outcome)
    if outcome.sum() >= LEAST_FOR_TREES:
        fold = np.arange(len(outcome)) % 5
        apart = np.zeros(len(outcome))
        for part in range(5):
            apart[fold == part] = boosted_odds(boosted(values[fold != part], outcome[fold != part]), values[fold == part])
        learnt |= {"trees": boosted(values, outcome), "steps": isotonic(apart, outcome)}
    return learnt


def _lift(facts: Facts) -> dict[str, float]:
    """How much more often than usual looking at a category ends in buying from it: (bought + k · usual) / (looked + k), over the usual share."""
    looked, bought = dict[str, float](), dict[str, float]()
    for kept, found in ((looked, facts.pairs("looked")), (bought, facts.pairs("bought"))):
        for person in found:
            for category, _ in person:
                kept[category] = kept.get(category, 0.0) + 1.0
    usual = sum(bought.values()) / sum(looked.values()) if looked and bought else 0.0
    return {name: round((bought.get(name, 0.0) + 10 * usual) / (people + 10) / usual, 3) for name, people in sorted(looked.items())[:500]} if usual else {}


ANALYSER = Analyser(
    key="intent",
    label=Text("Zamiar zakupu", "Purchase intent"),
    promise=Text("Jak prawdopodobny jest zakup w 7 dni, czego i na jakim etapie.", "How likely an order within 7 days is, of what, and how far on the way."),
    inputs=("line.category",),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("intent.score", Text("Szansa zakupu w 7 dni", "Chance of an order in 7 days"), "share",
            Text("Działania od ostatniego zamówienia: {deeds}, punktów: {points}, dni od ostatniego: {last_days}; w tej bazie to szansa {value}.",
                "Actions since the last order: {deeds}, points: {points}, days since the last: {last_days}; in this base that is a chance of {value}.")),
        AnalysedTrait("intent.category", Text("Czym się interesuje", "Interested in"), "list",
            Text("Najwięcej wagi działań ({deeds}) mają: {value}.", "Of the weight of {deeds} actions most is on: {value}.")),
        AnalysedTrait("intent.stage", Text("Etap zakupu", "Stage of buying"), "word",
            Text("Działań od ostatniego zamówienia: {deeds}, w tym koszyk lub kasa: {decides}; dni od ostatniego: {last_days}.",
                "Actions since the last order: {deeds}, of them basket or checkout: {decides}; days since the last: {last_days}."), STAGES),
        AnalysedTrait("intent.recency", Text("Dni od oznaki zamiaru", "Days since a sign of intent"), "number",
            Text("Dni od ostatniego oglądania, szukania lub koszyka: {last_days}.", "Days since the last look, search or basket: {last_days}.")),
    ),
    method=Text(
        "Punkty działań z półokresem 7 dni od ostatniego zamówienia; szansa z krzywej logistycznej, od 500 zamówień z drzew z kalibracją izotoniczną.",
        "Points of actions since the last order with a half-life of 7 days; the chance by a logistic curve, from 500 orders on by calibrated trees.",
    ),
    purpose="profiling",
    schedule="on_event",
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    fit=Fit(_learn_from, _learn),
)  # fmt: skip
