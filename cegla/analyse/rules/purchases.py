"""What customers bought, a row a person: orders, what they came to, and what tells customers apart at a moment."""

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir

ORDER, TAKEN_BACK = "Order Completed", ("Order Refunded", "Order Cancelled")
AGES = (18, 25, 35, 45, 55, 65)  #: where bands begin
SEXES: Mapping[str, str] = {
    "f": "f", "k": "f", "female": "f", "woman": "f", "kobieta": "f", "w": "f", "m": "m", "male": "m", "man": "m", "mężczyzna": "m", "mezczyzna": "m",
}  # fmt: skip
CITY_SIZES = ("metropolis", "large", "medium", "small")


def bought(events: Any, since: Any, until: Any) -> ir.Table:
    """`person_id`, `orders` (different order numbers; without a number each is one) and `gross` in micros of everybody who ordered in a window."""
    inside = events.filter(events["name"] == ORDER, events["occurred_at"] > since, events["occurred_at"] <= until, ~events["is_bot"].fill_null(False))
    return inside.group_by("person_id").aggregate(
        orders=inside["order_id"].nunique() + inside["order_id"].isnull().sum().fill_null(0), gross=inside["value_micros"].sum().fill_null(0)
    )


def customers(events: Any, lines: Any, moment: Any, until: Any) -> ir.Table:
    """Of everybody with an order by `moment` what `clusters.FEATURES` want, and `later`: what they ordered from then `until`, in micros."""
    human = events.filter(~events["is_bot"].fill_null(False), events["name"].isin([ORDER, *TAKEN_BACK]), events["occurred_at"] <= until)
    ordered, before = human["name"] == ORDER, human["occurred_at"] <= moment
    seconds: Any = moment.epoch_seconds()
    counted: Any = human.group_by("person_id").aggregate(
        last=human["occurred_at"].max(where=ordered & before), first=human["occurred_at"].min(where=ordered & before),
        orders=human["order_id"].nunique(where=ordered & before) + human.count(where=ordered & before & human["order_id"].isnull()),
        gross=human["value_micros"].sum(where=ordered & before).fill_null(0),
        back=human["value_micros"].sum(where=~ordered & before).fill_null(0),
        later=human["value_micros"].sum(where=ordered & ~before).fill_null(0),
    )  # fmt: skip
    kinds = lines.filter(lines["name"] == ORDER, lines["occurred_at"] <= moment).group_by("person_id")
    kinds = kinds.aggregate(categories=lines["category"].nunique()).rename(owner="person_id")
    every = counted.filter(counted["orders"] > 0).left_join(kinds, counted["person_id"] == kinds["owner"])
    return every.select(
        "person_id", "orders", "later", categories=every["categories"].fill_null(0), recency_days=(seconds - every["last"].epoch_seconds()) / 86_400,
        tenure_days=(seconds - every["first"].epoch_seconds()) / 86_400, average_micros=every["gross"] / every["orders"],
        refund_share=ibis.ifelse(every["gross"] > 0, (-every["back"] / every["gross"]).clip(0, 1), 0.0),
    )  # fmt: skip


def by_group(bought: Any, groups: Any) -> ir.Table:
    """`group` (null: not known), `people` who ordered, `orders`, `gross` in micros and `median`, of people the median of their average baskets."""
    named = bought.left_join(groups.rename(owner="person_id"), bought["person_id"] == groups["person_id"])
    basket = named["gross"] / named["orders"]
    return named.group_by("group").aggregate(people=named.count(), orders=named["orders"].sum(), gross=named["gross"].sum(), median=basket.median())


def age_band(age: float) -> str | None:
    """The band of an age in years: "-17", "18-24", ..., "65+"; None for what is no age."""
    if not 0 <= age <= 120:
        return None
    reached = [least for least in AGES if age >= least]
    if not reached:
        return f"-{AGES[0] - 1}"
    following = next((least for least in AGES if least > reached[-1]), None)
    return f"{reached[-1]}+" if following is None else f"{reached[-1]}-{following - 1}"
