"""Ready-made groups: RFM (recency, frequency, monetary value) and the life cycle of a customer.

Scores go from 1 to 5 by the share of customers whose value is not larger (cume_dist), so equal customers get equal scores.
The shares are turned into the smallest value of each score (`Scale`) once over everybody; a person's scores then rest on
that person alone, and everybody at once and a few people get the same answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ibis
import ibis.expr.types as ir

from cegla.segment.rules.history import ORDER, REFUNDS, Ground, Measure, Rows, Scale, later
from cegla.segment.rules.language import Choice, Kind, Operator, Parameter, Past, Seen, Values
from cegla.segment.rules.traits import order_count, revenue
from cegla.vocabulary.text import Text

SCORES = 5
NEW_DAYS, ACTIVE_DAYS, LOST_DAYS = 30, 90, 180
NO_SCALE = Scale(datetime.fromtimestamp(0, UTC).replace(tzinfo=None), 0, (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))


@dataclass(frozen=True)
class Group:
    """One named group: the first row whose bounds a customer's scores fit."""

    key: str
    label: Text
    means: Text
    recency: tuple[int, int]
    frequency: tuple[int, int] = (1, 5)
    monetary: tuple[int, int] = (1, 5)
    orders: tuple[int, int | None] = (1, None)  #: so that ties in frequency never make a champion of a one-time buyer


#: every customer is in exactly one: the first that fits, and the last one fits all
GROUPS: tuple[Group, ...] = (
    Group(
        "champions", Text("mistrzowie", "champions"), Text("kupują niedawno, często i dużo", "buy recently, often and a lot"), (4, 5), (4, 5), (4, 5), (2, None)
    ),
    Group(
        "cannot_lose",
        Text("nie do stracenia", "cannot lose them"),
        Text("kupowali często i dużo, zniknęli na dobre", "bought often and a lot, then vanished"),
        (1, 1),
        (4, 5),
        (4, 5),
        (2, None),
    ),
    Group(
        "at_risk", Text("zagrożeni", "at risk"), Text("kupowali często, dawno ich nie było", "bought often, but not lately"), (1, 2), (4, 5), orders=(2, None)
    ),
    Group("loyal", Text("lojalni", "loyal"), Text("kupują często", "buy often"), (3, 5), (4, 5), orders=(2, None)),
    Group("new", Text("nowi", "new"), Text("jedno zamówienie, niedawno", "one order, recently"), (4, 5), orders=(1, 1)),
    Group("potential", Text("obiecujący", "potential loyalists"), Text("kupują od niedawna, mogą zostać na stałe", "recent buyers who may stay"), (4, 5)),
    Group("need_attention", Text("wymagający uwagi", "need attention"), Text("przeciętni, zaczynają się oddalać", "average, drifting away"), (3, 3)),
    Group("hibernating", Text("uśpieni", "hibernating"), Text("dawno nie kupowali", "have not bought for long"), (2, 2)),
    Group("lost", Text("utraceni", "lost"), Text("bardzo dawno nie kupowali", "have not bought for very long"), (1, 1)),
)
STAGES: tuple[Choice, ...] = (
    Choice("prospect", Text("jeszcze nie kupili", "have not bought yet")),
    Choice("new", Text(f"nowi: pierwsze zamówienie w ciągu {NEW_DAYS} dni", f"new: first order within {NEW_DAYS} days")),
    Choice("won_back", Text(f"odzyskani: kupili po co najmniej {LOST_DAYS} dniach ciszy", f"won back: bought after {LOST_DAYS} days of silence or more")),
    Choice("active", Text(f"aktywni: zamówienie w ciągu {ACTIVE_DAYS} dni", f"active: an order within {ACTIVE_DAYS} days")),
    Choice("at_risk", Text(f"zagrożeni: ostatnie zamówienie {ACTIVE_DAYS}–{LOST_DAYS} dni temu", f"at risk: last order {ACTIVE_DAYS} to {LOST_DAYS} days ago")),
    Choice("lost", Text(f"utraceni: ostatnie zamówienie dawniej niż {LOST_DAYS} dni temu", f"lost: last order more than {LOST_DAYS} days ago")),
)
DIMENSIONS = (Choice("recency", Text("świeżość", "recency")), Choice("frequency", Text("częstość", "frequency")), Choice("monetary", Text("wartość", "value")))


def measures(rows: Rows) -> dict[str, Measure]:
    """What the scores rest on: the last order, how many orders, the net revenue in micros."""
    ordered = rows["name"] == ORDER
    return {"last": rows.last(ordered), "orders": order_count(rows, ordered), "revenue": revenue(rows)}


def dimensions(seen: Any, ground: Ground) -> dict[str, Any]:
    """The three values that are scored, larger is better: minus whole days since the last order, orders, net revenue."""
    moment: Any = ground.ago(0)
    seconds = moment.epoch_seconds() - seen["last"].epoch_seconds()
    return {"recency": -(seconds // 86_400), "frequency": seen["orders"], "monetary": seen["revenue"].fill_null(0)}


def bounds(history: Any, now: datetime) -> ir.Table:
    """One row over everybody: `people`, and `recency2` .. `monetary5`, the smallest value with each score (null: nobody has it)."""
    past = history.filter(history["occurred_at"] <= ibis.literal(now, type="timestamp"), history["name"].isin([ORDER, *REFUNDS]))
    counted = past.group_by("person_id").aggregate(**{key: one.value for key, one in measures(Rows(past, Ground(now))).items()})
    customers = counted.filter(counted["orders"] > 0)
    scored = customers.select(**dimensions(customers, Ground(now)))
    shares = scored.mutate(**{f"{one.key}_share": ibis.cume_dist().over(order_by=scored[one.key]) for one in DIMENSIONS})
    smallest = {
        f"{one.key}{score}": shares[one.key].min(where=shares[f"{one.key}_share"] > (score - 1) / SCORES)
        for one in DIMENSIONS
        for score in range(2, SCORES + 1)
    }
    return shares.aggregate(people=shares.count(), **smallest)


def scale(row: dict[str, Any], now: datetime) -> Scale:
    """The scale from the one row of `bounds`."""
    values = {one.key: tuple(int(row[f"{one.key}{score}"] or 0) for score in range(2, SCORES + 1)) for one in DIMENSIONS}
    return Scale(now, int(row["people"]), values["recency"], values["frequency"], values["monetary"])


def groups_at(history: Any, by: Scale) -> ir.Table:
    """`person_id` and `group` of every customer at the moment of a scale, from what had happened by then."""
    past = history.filter(history["occurred_at"] <= ibis.literal(by.at, type="timestamp"), history["name"].isin([ORDER, *REFUNDS]))
    ground = Ground(by.at, by)
    counted = past.group_by("person_id").aggregate(**{key: one.value for key, one in measures(Rows(past, ground)).items()})
    customers = counted.filter(counted["orders"] > 0)
    return customers.select("person_id", group=group_of({name: customers[name] for name in ("last", "orders", "revenue")}, ground))


def movements(history: Any, first: Scale, second: Scale) -> ir.Table:
    """`person_id`, `was` and `is_now`: the group of each customer at two moments, the second later; `was` is null for who bought first in between."""
    later: Any = groups_at(history, second)
    earlier: Any = groups_at(history, first).rename(earlier="person_id", was="group")
    both: Any = later.left_join(earlier, later["person_id"] == earlier["earlier"])
    return both.select("person_id", "was", is_now=both["group"])


def score(value: Any, smallest: tuple[int, ...]) -> Any:
    """1 to 5: how many of the four bounds the value reaches, and one."""
    return 1 + sum((value >= bound).cast("int8") for bound in smallest)


def scores(seen: Seen, ground: Ground) -> dict[str, Any]:
    """The three scores of somebody with orders."""
    by = ground.scale or NO_SCALE
    values = dimensions(seen, ground)
    return {one.key: score(values[one.key], getattr(by, one.key)) for one in DIMENSIONS}


def group_of(seen: Seen, ground: Ground) -> Any:
    """The key of the group; null for people without orders."""
    branches = [(_fits(row, seen, ground), row.key) for row in GROUPS[:-1]]
    return ibis.cases((seen["orders"].fill_null(0) == 0, ibis.null("string")), *branches, else_=GROUPS[-1].key)


def _fits(row: Group, seen: Seen, ground: Ground) -> Any:
    fewest, most = row.orders
    inside: Any = seen["orders"] >= fewest
    if most is not None:
        inside &= seen["orders"] <= most
    for dimension, (lowest, highest) in (("recency", row.recency), ("frequency", row.frequency), ("monetary", row.monetary)):
        if lowest > 1:
            inside &= _reaches(dimension, lowest, seen, ground)
        if highest < SCORES:
            inside &= ~_reaches(dimension, highest + 1, seen, ground)
    return inside


def _reaches(dimension: str, wanted: int, seen: Seen, ground: Ground) -> Any:
    """Whether `scores` would be `wanted` or more, as one comparison: the bounds ascend, and written out nine times the sums are long."""
    bound = getattr(ground.scale or NO_SCALE, dimension)[wanted - 2]
    if dimension == "recency":  # minus whole days since the last order ≥ bound
        return seen["last"] > ground.ago(1 - bound)
    return seen["orders"] >= bound if dimension == "frequency" else seen["revenue"].fill_null(0) >= bound


def stage_measures(rows: Rows) -> dict[str, Measure]:
    """First and last order, and whether the customer was silent for long before the last `ACTIVE_DAYS`."""
    ordered = rows["name"] == ORDER
    rows.recent(ACTIVE_DAYS, ordered)  # what leaves this window comes into the silence
    silence = rows.recent(ACTIVE_DAYS + LOST_DAYS, ordered) & (rows["occurred_at"] <= rows.ground.ago(ACTIVE_DAYS))
    return {"first": rows.first(ordered), "last": rows.last(ordered), "in_silence": rows.count(silence)}


def stage_of(seen: Seen, ground: Ground) -> Any:
    """The key of the life-cycle stage everybody is in exactly one of."""
    first: Any = seen["first"]
    last: Any = seen["last"]
    returned = (last > ground.ago(ACTIVE_DAYS)) & (first <= ground.ago(ACTIVE_DAYS + LOST_DAYS)) & (seen["in_silence"] == 0)
    return ibis.cases(
        (first.isnull(), "prospect"),
        (first > ground.ago(NEW_DAYS), "new"),
        (returned, "won_back"),
        (last > ground.ago(ACTIVE_DAYS), "active"),
        (last > ground.ago(LOST_DAYS), "at_risk"),
        else_="lost",
    )


def stage_moments(values: Values, seen: Seen, ground: Ground) -> list[Any]:
    """The first order grows old, the last one recedes."""
    return [later(seen["first"], NEW_DAYS), later(seen["first"], ACTIVE_DAYS + LOST_DAYS), later(seen["last"], ACTIVE_DAYS), later(seen["last"], LOST_DAYS)]


def recency_moments(values: Values, seen: Seen, ground: Ground) -> list[Any]:
    """Each bound of recency that the last order falls behind: minus whole days, so the day after it is full."""
    bounds, last = (ground.scale or NO_SCALE).recency, seen["last"]
    return [moment for bound in bounds for moment in (later(last, 1 - bound), last.truncate("s") + ibis.interval(days=1 - bound))]


def _is_one_of(value: Callable[[Seen, Ground], Any]) -> Callable[[Values, Seen, Ground], Any]:
    return lambda values, seen, ground: value(seen, ground).isin(values["groups"])


def _orders(*days_ago: float, value: float = 100) -> tuple[Past, ...]:
    return tuple(Past(ORDER, one, value) for one in days_ago)


GROUP_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "rfm_group",
        "groups",
        Text("grupa RFM", "RFM group"),
        Text("są w grupie RFM: {groups}", "are in the RFM group: {groups}"),
        (Parameter("groups", Kind.CHOICES, Text("grupa", "group"), choices=tuple(Choice(row.key, row.label) for row in GROUPS)),),
        lambda values, rows: measures(rows),
        _is_one_of(group_of),
        lambda values: False,
        lambda values, seen, ground: group_of(seen, ground),
        {"op": "rfm_group", "groups": ["champions", "loyal"]},
        _orders(1, 30, 60, value=500),
        _orders(200),
        moments=recency_moments,
    ),
    Operator(
        "rfm_score",
        "groups",
        Text("ocena RFM co najmniej", "RFM score at least"),
        Text("mają ocenę RFM ({dimension}) co najmniej {at_least:number}", "have an RFM score ({dimension}) of {at_least:number} or more"),
        (
            Parameter("dimension", Kind.CHOICE, Text("wymiar", "dimension"), choices=DIMENSIONS),
            Parameter("at_least", Kind.TIMES, Text("co najmniej (1–5)", "at least (1 to 5)")),
        ),
        lambda values, rows: measures(rows),
        lambda values, seen, ground: (seen["orders"] > 0) & (scores(seen, ground)[values["dimension"]] >= values["at_least"]),
        lambda values: False,
        lambda values, seen, ground: scores(seen, ground)[values["dimension"]],
        {"op": "rfm_score", "dimension": "monetary", "at_least": 5},
        _orders(1, value=900),
        _orders(1, value=1),
        moments=recency_moments,
    ),
    Operator(
        "life_cycle",
        "groups",
        Text("etap życia klienta", "life-cycle stage"),
        Text("są na etapie: {groups:short}", "are at the stage: {groups:short}"),
        (Parameter("groups", Kind.CHOICES, Text("etap", "stage"), choices=STAGES),),
        lambda values, rows: stage_measures(rows),
        _is_one_of(stage_of),
        lambda values: "prospect" in values["groups"],
        lambda values, seen, ground: stage_of(seen, ground),
        {"op": "life_cycle", "groups": ["won_back"]},
        _orders(10, 300),
        _orders(10, 200),
        moments=stage_moments,
    ),
)
