"""Operators about order in time: A then B within 3 days, without C between; A and then no B.

"Then" means later: two events of one moment do not follow each other, so the order in which they arrived does not matter. A pass of its
own looks, at each event, at the last one of each kind before it (or the next one after it) of the same person:

    A        A   C      B        the last A before B is 2 days old, the last C before B is younger than that A: not without C
"""

from collections.abc import Mapping
from typing import Any

import ibis

from cegla.segment.rules.events import AT_LEAST, EVENT, WHERE, WINDOW
from cegla.segment.rules.history import Column, Ground, Rows
from cegla.segment.rules.language import Kind, Operator, Parameter, Past, Seen, Values
from cegla.segment.rules.products import span_minutes
from cegla.vocabulary.text import Text

THEN = Parameter("then", Kind.EVENT, Text("a potem", "and then"))
THEN_WHERE = Parameter("then_where", Kind.FILTERS, Text("warunki tego, co potem", "conditions on what follows"), required=False, default=())
WITHIN = Parameter("within", Kind.SPAN, Text("w ciągu", "within"))
WITHOUT = Parameter("without", Kind.EVENT, Text("bez zdarzenia pomiędzy", "without this event between"), required=False)
NEVER = "9999-01-01"


def _marked(values: Values, events: Any, ground: Ground) -> tuple[Any, Rows]:
    """The events a sequence is about with their moment in whole microseconds, and the flags first, then_, between.

    What is older than the window and the time that may lie between the two decides nothing.
    """
    if values["days"] is not None:
        events = events.filter(events["occurred_at"] > ground.ago(values["days"] + span_minutes(values["within"]) / 1_440))
    rows = Rows(events, ground)
    first = rows.named(values["event"], {"where": values["where"]})
    then = rows.named(values["then"], {"where": values["then_where"]})
    between = rows.named(values["without"]) if values.get("without") else ibis.literal(False)
    marked = events.select("person_id", "occurred_at", is_first=first, is_then=then, is_between=between, micros=_micros(rows["occurred_at"]))
    kept = marked.filter(marked["is_first"] | marked["is_then"] | marked["is_between"])
    return kept, Rows(kept, ground)


def _micros(moment: Any) -> Any:
    return moment.epoch_seconds() * 1_000_000 + moment.microsecond()


def _before(rows: Any, flag: str) -> Column:
    """The moment of the person's last row with this flag before each row; null when there is none."""
    earlier = ibis.window(group_by="person_id", order_by="micros", range=(None, -1))
    marked: Any = ibis.ifelse(rows[flag], rows["micros"], ibis.null("int64"))
    return marked.max().over(earlier)


def _after(rows: Any, flag: str) -> Column:
    following = ibis.window(group_by="person_id", order_by="micros", range=(1, None))
    marked: Any = ibis.ifelse(rows[flag], rows["micros"], ibis.null("int64"))
    return marked.min().over(following)


def _followed(values: Values, events: Any, ground: Ground) -> Any:
    """How often B came within the time after A; and when the first B that counts in the window did."""
    kept, _ = _marked(values, events, ground)
    seen = kept.mutate(start=_before(kept, "is_first"), broken=_before(kept, "is_between"))
    rows = Rows(seen, ground)
    fits = rows["is_then"] & (rows["micros"] - rows["start"] <= span_minutes(values["within"]) * 60_000_000)
    fits = fits & (rows["broken"].isnull() | (rows["broken"] <= rows["start"])).fill_null(False)
    counted = rows.windowed(fits, values).fill_null(False)
    return seen.group_by("person_id").aggregate(times=seen.count(where=counted), oldest=rows["occurred_at"].min(where=counted))


def _unfollowed(values: Values, events: Any, ground: Ground) -> Any:
    """How often A stayed without B for the time, and the first A that still waits."""
    kept, _ = _marked(values, events, ground)
    seen = kept.mutate(next_then=_after(kept, "is_then"))
    rows = Rows(seen, ground)
    minutes = span_minutes(values["within"])
    alone = rows["is_first"] & (rows["next_then"].isnull() | (rows["next_then"] - rows["micros"] > minutes * 60_000_000))
    alone = rows.windowed(alone, values).fill_null(False)
    over = rows["occurred_at"] <= ground.ago(minutes / 1_440)
    return seen.group_by("person_id").aggregate(
        times=seen.count(where=alone & over),
        oldest=rows["occurred_at"].min(where=alone),
        waits=rows["occurred_at"].min(where=alone & ~over),
    )


def _leaves(values: Values, seen: Seen, ground: Ground) -> list[Column]:
    """The oldest that counts leaves the window."""
    return [] if values["days"] is None else [seen["oldest"] + ibis.interval(days=values["days"])]


def _waits(values: Values, seen: Seen, ground: Ground) -> list[Column]:
    return [*_leaves(values, seen, ground), seen["waits"] + ibis.interval(minutes=span_minutes(values["within"]))]


def _often(values: Values, seen: Mapping[str, Any], ground: Ground) -> Column:
    return seen["times"].fill_null(0) >= values["at_least"]


SEQUENCE_OPERATORS: tuple[Operator, ...] = (
    Operator(
        "did_then",
        "sequences",
        Text("zrobiły …, a potem …", "did … and then …"),
        Text(
            "{event}{where}, a potem w ciągu {within:of} {then}{then_where}{without:without}, co najmniej {at_least}{days}{since}{until}",
            "{event}{where} and then within {within:of} {then}{then_where}{without:without}, at least {at_least}{days}{since}{until}",
        ),
        (EVENT, WHERE, WITHIN, THEN, THEN_WHERE, WITHOUT, AT_LEAST, *WINDOW),
        lambda values, rows: {},
        _often,
        lambda values: False,
        lambda values, seen, ground: seen["times"].fill_null(0),
        {"op": "did_then", "event": "Product Viewed", "within": "3d", "then": "Order Completed", "without": "Product Added"},
        (Past("Product Viewed", 9), Past("Product Added", 8), Past("Product Viewed", 7), Past("Order Completed", 4)),
        (Past("Product Viewed", 9), Past("Order Completed", 5), Past("Product Viewed", 3), Past("Product Added", 2), Past("Order Completed", 1)),
        apart=_followed,
        moments=_leaves,
    ),
    Operator(
        "did_without_then",
        "sequences",
        Text("zrobiły …, a potem nie …", "did … and then not …"),
        Text(
            "{event}{where}, a potem przez {within} {then:not}{then_where}, co najmniej {at_least}{days}{since}{until}",
            "{event}{where} and then for {within} {then:not}{then_where}, at least {at_least}{days}{since}{until}",
        ),
        (EVENT, WHERE, WITHIN, THEN, THEN_WHERE, AT_LEAST, *WINDOW),
        lambda values, rows: {},
        _often,
        lambda values: False,
        lambda values, seen, ground: seen["times"].fill_null(0),
        {"op": "did_without_then", "event": "Checkout Started", "within": "2h", "then": "Order Completed", "days": 30},
        (Past("Checkout Started", 9), Past("Order Completed", 8.5), Past("Checkout Started", 7), Past("Order Completed", 6.99)),
        (Past("Checkout Started", 9), Past("Order Completed", 8.95), Past("Checkout Started", 0.05), Past("Checkout Started", 31)),
        apart=_unfollowed,
        moments=_waits,
    ),
)
