"""What came of a campaign, as expressions over the events that its messages brought back and the orders after them."""

from datetime import datetime, timedelta
from typing import Any

import ibis
import ibis.expr.types as ir

from cegla.analyse.rules.sales import ORDER, of_humans

SENT, BOUNCED, CLICKED, UNSUBSCRIBED = "Email Sent", "Email Bounced", "Email Link Clicked", "Unsubscribed"
DAYS_AFTER = 7


@ibis.udf.scalar.builtin(name="json_extract_string")
def _text_at(document: str, pointer: str) -> str:  # pyright: ignore[reportReturnType]
    """The text of a JSON value at an RFC 6901 pointer."""


def answers(history: ir.Table, campaign_id: int, now: datetime) -> ir.Table:
    """One row: `sent`, `bounced`, `clicked`, `unsubscribed`, each counted in people; `clicks` in clicks. Clicks of machines do not count."""
    mine = _of_campaign(history, campaign_id, now)
    people = {name: mine.person_id.nunique(where=mine.name == event) for name, event in EVENTS.items()}
    return mine.aggregate(**people, clicks=mine.count(where=mine.name == CLICKED))


def orders_after(history: ir.Table, campaign_id: int, now: datetime) -> ir.Table:
    """One row: `buyers`, `orders` and `value_micros` of orders within seven days after the person's message was sent."""
    mine = _of_campaign(history, campaign_id, now)
    sent = mine.filter(mine.name == SENT)
    sent = sent.group_by(receiver=sent.person_id).aggregate(sent_at=sent.occurred_at.min())
    past = of_humans(history, now)
    ordered = past.filter(past.name == ORDER)
    window = ibis.literal(timedelta(days=DAYS_AFTER))
    after = ordered.join(sent, [ordered.person_id == sent.receiver, ordered.occurred_at > sent.sent_at, ordered.occurred_at <= sent.sent_at + window])
    return after.aggregate(
        buyers=after.person_id.nunique(),
        orders=after.order_id.nunique() + after.order_id.isnull().sum().fill_null(0),
        value_micros=after.value_micros.sum().fill_null(0).cast("int64"),
    )


EVENTS = {"sent": SENT, "bounced": BOUNCED, "clicked": CLICKED, "unsubscribed": UNSUBSCRIBED}


def _of_campaign(history: ir.Table, campaign_id: int, now: datetime) -> Any:
    past = of_humans(history, now)
    named = past.filter(past.name.isin(list(EVENTS.values())), _text_at(past["properties"], "/machine").fill_null("") != "true")  # pyright: ignore[reportArgumentType]
    return named.filter(_text_at(named["properties"], "/campaign_id") == str(campaign_id))  # pyright: ignore[reportArgumentType]
