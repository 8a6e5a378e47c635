"""The shop's telephone: who ordered is called, or calls, as the telephone system would tell the shop's server. Nobody's truth depends on it."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.visits import WARSAW, Sent

CALLED_SHARE = 0.3  #: of orders
NOTES = ("pytanie o dostawę, paczka się spóźnia", "chce zwrócić kubek, pęknięty przy dostawie", "bardzo zadowolony, pyta o nowe wzory", "pytanie o fakturę",
    "reklamacja: zły kolor talerza")  # fmt: skip
OUTCOMES = (("answered", 6), ("no_answer", 3), ("busy", 1))


def calls_about(history: Iterable[Sent], seed: int, until: datetime) -> Iterator[Sent]:
    """Calls on a working day after orders of a history, none later than `until`."""
    dice = Random(f"{seed}/calls")
    for order in history:
        if order.place != "server" or not isinstance(order.event, dict) or order.event.get("event") != "Order Completed" or dice.random() > CALLED_SHARE:
            continue
        local = (order.at + timedelta(days=dice.randint(1, 5))).astimezone(WARSAW)
        at = local.replace(hour=dice.choice((10, 11, 13, 15, 17)), minute=dice.randrange(60))
        at += timedelta(days=2 if at.weekday() > 4 else 0)
        if at < until:
            yield _call(order, at, dice)


def _call(order: Sent, at: datetime, dice: Random) -> Sent:
    outcome = dice.choices([name for name, _ in OUTCOMES], [often for _, often in OUTCOMES])[0]
    direction = dice.choice(("inbound", "outbound"))
    told: dict[str, Any] = {"call_id": f"call-{order.event['messageId']}", "direction": direction, "outcome": outcome}
    if outcome == "answered":
        told |= {"seconds": dice.randrange(20, 400), "notes": dice.choice(NOTES)}
    kept = {name: order.event[name] for name in ("anonymousId", "userId") if name in order.event}
    event = kept | {"type": "track", "event": "Call Ended", "messageId": told["call_id"], "properties": told, "timestamp": at.isoformat(),
        "context": {"traits": order.event["context"]["traits"]}}  # fmt: skip
    return Sent(at, "server", event, order.user_agent)
