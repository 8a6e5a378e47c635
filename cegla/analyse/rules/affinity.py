"""Affinity: who is drawn to a category, brand, colour or topic more than others are, by shrunken log-odds with a half-life.

What a person did with a value counts by kind (a view 1, into the cart 3, bought 5) and halves with age. With w of a person's W for a value that has the
share π of everybody's weight, and α of prior weight that behaves like everybody:

    log-odds   ln((w + απ) / (W − w + α(1 − π))) − ln(π / (1 − π))        0: like everybody; ln 2: twice the odds
    error²     1 / (w + απ) + 1 / (W − w + α(1 − π))

after Monroe, Colaresi and Quinn, "Fightin' Words" (Political Analysis 16, 2008), with the informative Dirichlet prior. Little weight shrinks to 0. An
affinity is clear when the odds are at least twice everybody's, the lower end of 90 % is above 0, and it weighs as much as three views of today: of a
value that nobody else looks at, one view would seem a lot.
"""

from collections.abc import Mapping
from math import log
from typing import Any

import ibis
import ibis.expr.types as ir

PRIOR, HALF_LIFE_DAYS = 10.0, 60.0
CLEAR, ONE_SIDED_95, LEAST_WEIGHT = log(2), 1.645, 3.0
WEIGHTS: Mapping[str, float] = {"Product Viewed": 1.0, "Page Viewed": 1.0, "Product Added": 3.0, "Order Completed": 5.0}
KINDS: Mapping[str, tuple[str, ...]] = {  #: by kind the properties of events that tell it
    "category": ("category",), "brand": ("brand",), "colour": ("color", "colour"), "topic": ("topic",),
}  # fmt: skip


def told(events: Any, lines: Any, kind: str, moment: Any) -> ir.Table:
    """`person_id`, `value` and `weight` of every event, or order line, that tells something of this kind up to the moment."""
    known = events.filter(events["occurred_at"] <= moment, events["name"].isin(list(WEIGHTS)), ~events["is_bot"].fill_null(False))
    texts = [_text(known["properties"], name) for name in KINDS[kind]]
    rows = known.select("person_id", "occurred_at", "name", value=ibis.coalesce(*texts, ibis.null("string")))
    if kind == "category":
        human = known.select("event_id").distinct()
        bought = lines.filter(lines["occurred_at"] <= moment, lines["name"] == "Order Completed").semi_join(human, "event_id")
        rows = rows.filter(rows["name"] != "Order Completed").union(bought.select("person_id", "occurred_at", "name", value=bought["category"]))
    kept: Any = rows.filter(rows["value"].notnull(), rows["value"] != "")
    age_days = (ibis.literal(1.0) * (moment.epoch_seconds() - kept["occurred_at"].epoch_seconds())) / 86_400
    weight = ibis.cases(*((kept["name"] == name, value) for name, value in WEIGHTS.items()), else_=0.0)
    return kept.select("person_id", "value", weight=weight * (-log(2) / HALF_LIFE_DAYS * age_days).exp())


def affinities(rows: Any) -> ir.Table:
    """For each person and value told: `weight`, `share` (of everybody's weight), `odds` (log-odds), `error`, and whether it is `clear`."""
    each = rows.group_by("person_id", "value").aggregate(weight=rows["weight"].sum())
    all_weight: Any = ibis.window()
    by_person, by_value = ibis.window(group_by="person_id"), ibis.window(group_by="value")
    summed = each.mutate(own=each["weight"].sum().over(by_person), of_value=each["weight"].sum().over(by_value), whole=each["weight"].sum().over(all_weight))
    shared = summed.mutate(share=(summed["of_value"] / summed["whole"]).clip(1e-9, 1 - 1e-9))
    inside = shared["weight"] + PRIOR * shared["share"]
    outside = shared["own"] - shared["weight"] + PRIOR * (1 - shared["share"])
    odds = (inside / outside).ln() - (shared["share"] / (1 - shared["share"])).ln()
    found = shared.select("person_id", "value", "weight", "share", odds=odds, error=(1 / inside + 1 / outside).sqrt())
    certain = found["odds"] - ONE_SIDED_95 * found["error"] > 0
    return found.mutate(clear=(found["weight"] >= LEAST_WEIGHT) & (found["odds"] >= CLEAR) & certain)


def by_value(found: Any) -> ir.Table:
    """For each value: its `share`, how many `people` did anything with it, and how many are `drawn` to it clearly; those with the most drawn first."""
    table = found.group_by("value").aggregate(share=found["share"].max(), people=found.count(), drawn=found.count(where=found["clear"]))
    return table.order_by(table["drawn"].desc(), table["people"].desc(), table["value"])


@ibis.udf.scalar.builtin(name="json_extract_string")
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value at a pointer."""


def _text(document: Any, name: str) -> Any:
    return _text_at(document, f"/{name}")
