"""Facts: the aggregates that all first traits rest on, as one Ibis expression over the history.

    events ──not bots──► seen ──by person──────────────► totals ─┐
                           └──by person and session──► visits ─┐ ├─► facts, one row a person
    order lines ──of what was seen──────────────────► choices ─┴─► favourites

The caller restricts the history to some people or to none; what comes out for a person is the same. Whose events are all
from bots has no row.
"""

from collections.abc import Collection, Sequence
from typing import Any

import ibis

from cegla.profile.rules.blocked import without_blocked
from cegla.profile.rules.commerce import LOOKED_AT, ORDERED, TAKEN_BACK

Table = Any  # an Ibis table: its published types are narrower than what it can do

HALF_LIFE_SECONDS = 21 * 86_400
HEAT_EPOCH_SECONDS = 1_577_836_800  # 2020-01-01 UTC
WEIGHTS = {"Order Completed": 10.0, "Checkout Started": 5.0, "Message Clicked": 5.0, "Email Link Clicked": 5.0, "Product Added": 3.0,
    "Signed Up": 3.0, "Unsubscribed": 0.0}  #: any other deed counts 1
FAVOURITES = ("hour", "device", "country", "language", "origin", "category", "product")
MOMENTS = ("first_seen", "last_seen", "first_order", "last_order")
MOST_CATEGORIES = 3
_LN2 = 0.6931471805599453
SEEN = (
    "person_id", "event_id", "name", "occurred_at", "local_at", "session_id", "order_id", "value_micros", "currency", "referrer_kind", "referrer_host",
    "campaign_source",
    "device_type", "country", "language",
)  # fmt: skip


def facts(events: Table, lines: Table, favourites: Collection[str] = FAVOURITES, *, counted: bool = True, blocked: tuple[str, ...] = ()) -> Table:
    """One row a person; `events` and `lines` are `history()` tables. No fact depends on when it is computed.

    With `favourites`, only these are looked for: each is a pass of its own. Without what is `counted`, only who has one has a row.
    What reveals a special category, or is among the controller's own words `blocked`, is nobody's favourite.
    """
    seen = events.filter(~events.is_bot).select(*SEEN)
    matters = [name for name in FAVOURITES if name in favourites]
    chosen = _favourites(_choices(seen, lines, matters, blocked), matters) if matters else None
    if chosen is not None and not counted:
        return chosen.rename(person_id="chooser")
    totals = _totals(seen)
    totals = totals.mutate(payments=totals.orders + totals.refunds)
    if chosen is None:
        return totals
    return totals.left_join(chosen, totals.person_id == chosen.chooser).drop("chooser")


def _totals(seen: Table) -> Table:
    """Counts, sums and moments."""
    acted = seen.session_id.notnull()
    ordered, refunded = seen.name == ORDERED, seen.name.isin(sorted(TAKEN_BACK))
    an_order = seen.order_id.fill_null(seen.event_id.cast("string"))
    return seen.group_by("person_id").agg(
        events=seen.count(),
        deeds=acted.cast("int64").sum().cast("int64"),
        visits=seen.session_id.nunique(),
        first_seen=seen.occurred_at.min(),
        last_seen=seen.occurred_at.max(where=acted),
        orders=an_order.nunique(where=ordered),
        first_order=seen.occurred_at.min(where=ordered),
        last_order=seen.occurred_at.max(where=ordered),
        gross_micros=seen.value_micros.sum(where=ordered).cast("int64").fill_null(0),
        refunds=an_order.nunique(where=refunded),
        refunded_micros=seen.value_micros.sum(where=refunded).cast("int64").fill_null(0),
        money_currency=seen.currency.max(where=ordered),
        currencies=seen.currency.nunique(where=ordered),
        heat=_heat(seen, acted),
    )


def _heat(seen: Table, acted: Any) -> Any:
    """The logarithm to base 2 of what a person's deeds weigh together, when a deed halves every 21 days.

    Counted from 2020 on, it does not change while nothing happens: see `traits.engagement`. Deeds of the far future count as of 2050.
    """
    seconds = seen.occurred_at.epoch_seconds() - HEAT_EPOCH_SECONDS
    half_lives: Any = ibis.least(seconds.cast("float64") / HALF_LIFE_SECONDS, 520.0)
    weight: Any = ibis.cases(*((seen.name == name, points) for name, points in WEIGHTS.items()), else_=1.0)
    return (weight * (half_lives * _LN2).exp()).sum(where=acted).nullif(0.0).log2().round(4)


def _choices(seen: Table, lines: Table, matters: Sequence[str], blocked: tuple[str, ...]) -> Table:
    """What people chose: one row a choice, with what it was about, what was chosen, its weight and when. A visit chooses once."""
    choices: list[Table] = []
    if of_visits := [name for name in FAVOURITES[:5] if name in matters]:
        visits = _visits(seen, of_visits, blocked)
        choices += [visits.select(chooser=visits.person_id, about=ibis.literal(name), chosen=visits[name], weight=ibis.literal(1),
            at=visits.at) for name in of_visits]  # fmt: skip
    if len(of_visits) < len(matters):
        choices += _bought(seen, lines, blocked)
    every = ibis.union(*choices) if len(choices) > 1 else choices[0]
    return every.filter(every.chosen.notnull())


def _visits(seen: Table, wanted: Sequence[str], blocked: tuple[str, ...]) -> Table:
    """One row a visit with what it says about each of these matters."""
    visits = seen.filter(seen.session_id.notnull())
    said = {
        "hour": lambda: visits.local_at.min().hour().cast("string"),
        "device": lambda: visits.device_type.max(where=~visits.device_type.isin(["unknown", "server", "bot"])),
        "country": visits.country.max,
        "language": visits.language.max,
        "origin": lambda: without_blocked(_origin(visits), blocked),
    }
    return visits.group_by("person_id", "session_id").agg(at=visits.occurred_at.min(), **{name: said[name]() for name in wanted})


def _bought(seen: Table, lines: Table, blocked: tuple[str, ...]) -> list[Table]:
    """What was bought, put into the cart or looked at: by category, and by product what was bought."""
    bought = lines.filter(lines.name.isin([ORDERED, *sorted(LOOKED_AT)]))
    bought = bought.semi_join(seen, "event_id")
    named = bought.category.fill_null("") + " " + ibis.coalesce(bought["product"], bought.product_id, "")
    bought = bought.filter(without_blocked(named, blocked).notnull())
    weight = ibis.cases((bought.name == ORDERED, 3), (bought.name == "Product Added", 2), else_=1)
    about_categories = bought.select(chooser=bought.person_id, about=ibis.literal("category"), chosen=bought.category, weight=weight, at=bought.occurred_at)
    paid = bought.filter(bought.name == ORDERED)
    about_products = paid.select(chooser=paid.person_id, about=ibis.literal("product"), chosen=paid.product.coalesce(paid.product_id),
        weight=ibis.literal(1), at=paid.occurred_at)  # fmt: skip
    return [about_categories, about_products]


def _origin(visits: Table) -> Any:
    """Where a visit came from: the campaign's source, else the referrer's host, else "direct"; pages of the shop itself say nothing."""
    outside = visits.referrer_kind.notnull() & (visits.referrer_kind != "internal")
    said: Any = ibis.coalesce(visits.campaign_source, visits.referrer_host, visits.referrer_kind)
    return said.argmin(visits.event_id, where=outside)


def _favourites(choices: Table, matters: Sequence[str]) -> Table:
    """The favourite of each person in each matter: most weight, then the most recent, then the last by alphabet.

    The greatest of (weight, last time, what) is one plain aggregate, where sorting within each group would take most of the time.
    """
    counted = choices.group_by("chooser", "about", "chosen").agg(score=choices.weight.sum(), times=choices.count(), last=choices.at.max())
    place: Any = ibis.struct({"score": counted.score, "last": counted.last, "chosen": counted.chosen})
    columns: dict[str, Any] = {}
    for name in matters:
        here = counted.about == name
        columns[name] = place.max(where=here)
        columns[f"{name}_of"] = counted.score.sum(where=here)
    if "category" in matters:
        columns["category_evidence"] = counted.times.sum(where=counted.about == "category")
        columns["categories"] = place.collect(where=counted.about == "category")
    grouped: Any = counted.group_by("chooser").agg(**columns)
    best = {name: grouped[name]["chosen"] for name in matters} | {f"{name}_hits": grouped[name]["score"] for name in matters}
    if "hour" in matters:
        best["hour"] = best["hour"].cast("int64")
    if "category" in matters:
        ranked = grouped.categories.sort()
        count = ranked.length()
        ordinals = [ibis.ifelse(count > number, ranked[count - 1 - number]["chosen"], ibis.null("string")) for number in range(MOST_CATEGORIES)]
        best["categories"] = ibis.array(ordinals).filter(lambda one: one.notnull())
    return grouped.mutate(**best)


def document(table: Table) -> Table:
    """`person_id` and all other columns as one JSON text: what is kept of each person."""
    fields = {name: table[name] for name in table.columns if name != "person_id"}
    as_struct: Any = ibis.struct(fields)
    return table.select(table.person_id, document=as_struct.cast("json").cast("string"))
