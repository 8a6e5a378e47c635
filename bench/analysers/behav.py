"""Behaviour: simulated visits of the four strategies, what comes next beside two baselines, and discounts that tell coupons to come.

Visits are drawn from the strategies of Moe (2003) with a fifth of their steps drawn from another one, so that no rule can tell all of them.
Coupons: households of Complete Journey (CC0); the discounts of a household's first baskets are its past, a redeemed coupon afterwards the truth.
"""

import random
from collections import Counter, defaultdict

import numpy as np

from bench.analysers._scores import auc, rows_of
from bench.result import Result
from cegla.profile.analysers.behav import sway
from cegla.profile.rules.succession import learn_succession, next_events
from cegla.profile.rules.visiting import KINDS, Visit, strategies

VISITS, NOISE = 4_000, 0.2
WALKS = 3_000
SPLIT = "2017-07-01"
WAYS = ("Page Viewed", "Product Viewed", "Products Searched", "Product Added", "Cart Viewed", "Checkout Started", "Product Compared", "Review Read")


def run() -> list[Result]:
    """Macro-F1 of visit types, hit rate of the next event, AUC of discount affinity."""
    return [_types(), _succession(), _coupons()]


def _types() -> Result:
    dice = random.Random(11)
    made = [(kind, _visit(dice, kind)) for kind in KINDS for _ in range(VISITS // len(KINDS))]
    said = [KINDS[place] if place >= 0 else "" for place in strategies(Visit(*(np.array([one[name] for _, one in made], float) for name in Visit._fields)))]
    scores = []
    for kind in KINDS:
        hits = sum(want == kind == got for (want, _), got in zip(made, said, strict=True))
        scores.append(2 * hits / max(sum(want == kind for want, _ in made) + said.count(kind), 1))
    macro = sum(scores) / len(scores)
    return Result("behaviour: types of visits, macro-F1", macro, "F1", ">= 0.90", macro >= 0.90,
        f"{VISITS:,} simulated visits, a fifth of the steps of another kind; {dict(zip(KINDS, (round(one, 2) for one in scores), strict=True))}")  # fmt: skip


def _visit(dice: random.Random, kind: str) -> dict[str, float]:
    """The measures of one visit, step by step."""
    searches = information = looks = buying = 0
    products, kinds = set[str](), set[str]()
    home = [f"k{dice.randrange(20)}" for _ in range(2)]
    for _ in range(dice.randrange(4, 14)):
        way = dice.choice(KINDS) if dice.random() < NOISE else kind
        draw = dice.random()
        if way == "knowledge" and draw < 0.8:
            information += 1
        elif way == "search" and draw < 0.45:
            searches += 1
        else:
            category = home[0] if way == "directed" else dice.choice(home) if way == "search" else f"k{dice.randrange(20)}"
            looks += 1
            kinds.add(category)
            products.add(f"{category}-{dice.randrange(2 if way == 'directed' else 60)}")
            buying += way == "directed" and dice.random() < 0.2
    return {"steps": searches + information + looks, "searches": searches, "information": information, "looks": looks, "products": len(products),
        "kinds": len(kinds), "buying": buying}  # fmt: skip


def _succession() -> Result:
    """Walks of a chain with a memory of two events, an eighth of the steps at random: the baselines see one event back, or none."""
    dice = random.Random(13)
    table = {(one, two): dice.sample(WAYS, 3) for one in WAYS for two in WAYS}
    walks = [_walk(dice, table) for _ in range(WALKS)]
    taught, asked = walks[: WALKS * 2 // 3], walks[WALKS * 2 // 3 :]
    long, short = learn_succession(taught), learn_succession(taught, 1)
    popular = {name for name, _ in Counter(name for walk in taught for name in walk).most_common(3)}
    hits, whole = Counter[str](), 0
    for walk in asked:
        for place in range(2, len(walk)):
            whole += 1
            hits["long"] += walk[place] in [name for name, _ in next_events(long, walk[:place])[:3]]
            hits["short"] += walk[place] in [name for name, _ in next_events(short, walk[:place], 1)[:3]]
            hits["popular"] += walk[place] in popular
    lead = hits["long"] / max(hits["short"], hits["popular"]) - 1
    shares = {name: round(times / whole, 3) for name, times in hits.items()}
    note = f"hit@3 {shares['long']}; first-order Markov {shares['short']}, most popular {shares['popular']}; {whole:,} events"
    return Result("behaviour: next event, hit@3 above the better baseline", 100 * lead, "%", ">= 10", lead >= 0.10, note)


def _walk(dice: random.Random, table: dict[tuple[str, str], list[str]]) -> list[str]:
    walk = [dice.choice(WAYS), dice.choice(WAYS)]
    while len(walk) < 12:
        walk.append(dice.choice(WAYS) if dice.random() < 0.125 else dice.choices(table[walk[-2], walk[-1]], (0.6, 0.3, 0.1))[0])
    return walk


def _coupons() -> Result:
    baskets: dict[str, dict[str, tuple[bool, bool]]] = defaultdict(dict)
    for row in rows_of("completejourney_transactions_sample.csv.gz"):
        if row["transaction_timestamp"] < SPLIT:
            coupon, reduced = baskets[row["household_id"]].get(row["basket_id"], (False, False))
            baskets[row["household_id"]][row["basket_id"]] = (coupon or float(row["coupon_disc"]) > 0, reduced or float(row["retail_disc"]) > 0)
    later = {row["household_id"] for row in rows_of("completejourney_coupon_redemptions.csv.gz") if row["redemption_date"] >= SPLIT}
    targeted = {row["household_id"] for row in rows_of("completejourney_campaigns.csv.gz")} & baskets.keys()
    past = [list(baskets[household].values()) for household in sorted(targeted)]
    outcomes = np.array([float(household in later) for household in sorted(targeted)])
    coupons = np.array([sum(coupon for coupon, _ in own) for own in past])
    reduced = np.array([sum(off and not coupon for coupon, off in own) for own in past])
    orders = np.array([len(own) for own in past])
    found = auc(sway(reduced, coupons), outcomes)
    alone, share = auc(orders, outcomes), auc((reduced + coupons) / orders, outcomes)
    note = f"{len(past):,} households that were sent coupons, {int(outcomes.sum())} redeemed one from July on; number of baskets alone {alone:.3f}, "
    note += f"share of baskets with a discount {share:.3f}"
    return Result("behaviour: discount affinity tells coupons to come", found, "AUC", ">= 0.70", found >= 0.70, note)
