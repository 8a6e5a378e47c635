"""Delivery: speeds of destinations, warm-up plans, and the operator's word on messages of which nobody knows."""

from typing import Any

from cegla.activate import actions as activate
from cegla.api.call import Opened
from cegla.api.message_shapes import DestinationSpeed, NewWarmUp, SettleAmbiguous


def shown(call: Opened) -> Any:
    """Where mail went in 30 days, at which speed, what came back, and the warm-up plans."""
    with call.ws.transaction() as conn:
        return {"destinations": activate.delivery.destinations(conn, call.now), "warm_ups": activate.delivery.plans(conn)}


def set_speed(call: Opened, body: DestinationSpeed) -> Any:
    """Set how fast a destination may be written to, and forget what it asked for."""
    with call.ws.transaction() as conn:
        activate.delivery.set_speed(conn, body.destination, body.messages_per_minute, call.now)
    call.note("delivery.speed", body.destination)
    return shown(call)


def warm_up(call: Opened, body: NewWarmUp) -> Any:
    """Begin, change or, without a first day, end the warm-up of a sender's domain."""
    with call.ws.transaction() as conn:
        if body.first_day is None:
            activate.delivery.end_warm_up(conn, body.domain)
        else:
            plan = activate.delivery.Plan(body.domain, body.first_day, body.growth_percent, body.most, call.now.date())
            activate.delivery.warm_up(conn, plan)
    call.note("delivery.warm_up", body.domain)
    return shown(call)


def settle(call: Opened, campaign_id: int, body: SettleAmbiguous) -> Any:
    """Take the ambiguous messages of a campaign as sent, or send them again."""
    with call.ws.transaction() as conn:
        settled = activate.delivery.settle_ambiguous(conn, campaign_id, call.now, again=body.again)
    call.note("campaign.settle", f"campaign {campaign_id}")
    return {"campaign": campaign_id, "settled": settled, "again": body.again}
