"""What came of a campaign, as expressions over the events that its messages brought back and the orders after them."""

from datetime import datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from cegla.analyse.rules.sales import ORDER, of_humans

SENT, BOUNCED = ("Email Sent", "SMS Sent", "Push Sent"), ("Email Bounced", "SMS Bounced", "Push Bounced")
CLICKED, UNSUBSCRIBED = ("Email Link Clicked", "Push Link Clicked"), ("Unsubscribed",)
DAYS_AFTER = 7
DAYS_BEFORE = 60
UNIT = 1_000_000  #: micros of a unit of money


@ibis.udf.scalar.builtin(name="json_extract_string")
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value at an RFC 6901 pointer."""


def answers(history: ir.Table, campaign_id: int, now: datetime) -> ir.Table:
    """One row: `sent`, `bounced`, `clicked`, `unsubscribed`, each counted in people; `clicks` in clicks. Clicks of machines do not count."""
    mine = _of_campaign(history, campaign_id, now)
    people = {name: mine.person_id.nunique(where=mine.name.isin(event)) for name, event in EVENTS.items()}
    return mine.aggregate(**people, clicks=mine.count(where=mine.name.isin(CLICKED)))


def orders_after(history: ir.Table, campaign_id: int, now: datetime) -> ir.Table:
    """One row: `buyers`, `orders` and `value_micros` of orders within seven days after the person's message was sent."""
    after = _after(history, _of_campaign(history, campaign_id, now), now)
    return after.aggregate(
        buyers=after.person_id.nunique(),
        orders=after.order_id.nunique() + after.order_id.isnull().sum().fill_null(0),
        value_micros=after.value_micros.sum().fill_null(0).cast("int64"),
    )


def _after(history: ir.Table, mine: Any, now: datetime) -> Any:
    """Orders within seven days after the person's message of a campaign, whose events are `mine`."""
    sent = mine.filter(mine.name.isin(SENT))
    sent = sent.group_by(receiver=sent.person_id).aggregate(sent_at=sent.occurred_at.min())
    past = of_humans(history, now)
    ordered = past.filter(past.name == ORDER)
    window = ibis.literal(timedelta(days=DAYS_AFTER))
    return ordered.join(sent, [ordered.person_id == sent.receiver, ordered.occurred_at > sent.sent_at, ordered.occurred_at <= sent.sent_at + window])


def outcomes(history: ir.Table, drawn: Any, launched: datetime, now: datetime) -> ir.Table:
    """By `arm` of the table `drawn` (`person_id`, `arm`): buyers, orders, and the sums that an experiment is judged by.

    `y` is the value of a person's orders within seven days of the launch in units of money, `x` that of the sixty days before; `o` and `x_o`
    are numbers of orders. Doubled letters are squares, pairs are products. Who ordered nothing adds nothing, and is in no row.
    """
    past = of_humans(history, now)
    since, start, until = (ibis.literal(moment) for moment in (launched - timedelta(days=DAYS_BEFORE), launched, launched + timedelta(days=DAYS_AFTER)))
    ordered = past.filter(past.name == ORDER, past.occurred_at > since, past.occurred_at <= until)
    after = ordered.occurred_at > start
    value = ordered.value_micros.fill_null(0).cast("float64") / UNIT
    one = ordered.group_by("person_id").aggregate(
        y=value.sum(where=after).fill_null(0), x=value.sum(where=~after).fill_null(0),
        o=after.sum().cast("float64"), x_o=(~after).sum().cast("float64"),
    )  # fmt: skip
    both = one.inner_join(drawn, "person_id")
    pairs = {"yy": ("y", "y"), "xx": ("x", "x"), "xy": ("x", "y"), "oo": ("o", "o"), "xx_o": ("x_o", "x_o"), "xo": ("x_o", "o")}
    sums = {name: both[name].sum() for name in ("y", "x", "o", "x_o")} | {name: (both[one] * both[other]).sum() for name, (one, other) in pairs.items()}
    return both.group_by("arm").aggregate(buyers=(both.o > 0).sum(), orders=both.o.sum().cast("int64"), **sums)


def clickers(history: ir.Table, drawn: Any, campaign_id: int, now: datetime) -> ir.Table:
    """By `arm`: `clicked`, people of those `measured` who followed a link of the campaign, machines left out."""
    mine = _of_campaign(history, campaign_id, now)
    who = mine.filter(mine.name.isin(CLICKED)).select("person_id").distinct()
    both = who.inner_join(drawn.filter(drawn.measured), "person_id")
    return both.group_by("arm").aggregate(clicked=both.count())


def reached(history: ir.Table, campaign_id: int, step: str, now: datetime) -> ir.Table:
    """One row a person: `person_id` of those who did a step after a message (a key of `EVENTS`, or "ordered")."""
    mine = _of_campaign(history, campaign_id, now)
    if step != "ordered":
        return mine.filter(mine.name.isin(EVENTS[step])).select("person_id").distinct().order_by("person_id")
    return _after(history, mine, now).select("person_id").distinct().order_by("person_id")


def links(history: ir.Table, campaign_id: int, now: datetime) -> ir.Table:
    """By `link`, its number: `clicks` and `people`, machines left out."""
    mine = _of_campaign(history, campaign_id, now)
    clicks = mine.filter(mine.name.isin(CLICKED)).mutate(link=_text_at(mine["properties"], "/link"))  # pyright: ignore[reportArgumentType]
    return clicks.group_by("link").aggregate(clicks=clicks.count(), people=clicks.person_id.nunique())


EVENTS = {"sent": SENT, "bounced": BOUNCED, "clicked": CLICKED, "unsubscribed": UNSUBSCRIBED}


def _of_campaign(history: ir.Table, campaign_id: int, now: datetime) -> Any:
    past = of_humans(history, now)
    named = past.filter(past.name.isin([name for names in EVENTS.values() for name in names]), _text_at(past["properties"], "/machine").fill_null("") != "true")  # pyright: ignore[reportArgumentType]
    return named.filter(_text_at(named["properties"], "/campaign_id") == str(campaign_id))  # pyright: ignore[reportArgumentType]
