"""Deliverability: the records of our domains, our servers' names and TLS, and what each destination makes of our mail."""

from typing import Any

from cegla.activate import actions as activate
from cegla.api.call import Opened


def shown(call: Opened) -> Any:
    """What was found when somebody last looked, and the rates of the last seven days against the providers' limits."""
    with call.ws.transaction() as conn:
        looked = activate.standing.last_look(conn)
        found = activate.standing.reputations(conn, call.now)
    return {"looked_at": looked.at if looked else None, "findings": looked.findings if looked else (), "destinations": [_shape(one) for one in found]}


def look(call: Opened) -> Any:
    """Look at DNS and the mail servers now; takes some seconds."""
    looked = activate.standing.look(call.ws)
    call.note("deliverability.look", "mail")
    return {"looked_at": looked.at, "findings": looked.findings}


def _shape(one: activate.standing.Reputation) -> dict[str, Any]:
    signals = one.signals
    return {
        "key": one.key, "label": one.label, "sent": signals.sent, "bounced": signals.bounced, "complained": signals.complained, "deferred": signals.deferred,
        "complaint_rate": signals.rate(signals.complained), "bounce_rate": signals.rate(signals.bounced), "complaints": signals.complaints,
        "bounces": signals.bounces, "deferrals": signals.deferrals, "alarm": signals.alarm, "said": one.said, "held_until": one.held_until,
    }  # fmt: skip
