"""Receivers of segments: who else is told who entered and left, and what they did not take."""

from typing import Any

from cegla.api.call import Opened
from cegla.api.plain import plain
from cegla.api.shapes import After, Enabled, Limit, NewReceiver
from cegla.sync import actions as sync


def listed(call: Opened) -> Any:
    """All receivers: where, of which segments, for which purpose, whom they were told of, what waits and what was refused."""
    with call.ws.transaction() as conn:
        return {"receivers": [_shape(one) for one in sync.receivers(conn)]}


def add(call: Opened, body: NewReceiver) -> Any:
    """A new receiver. The answer holds the secret that messages are signed with; it is never shown again."""
    with call.ws.transaction() as conn:
        made, secret = sync.add(call.ws, conn, body.name, body.url, (body.segments, body.purpose, body.channel), call.now)
    call.note("sync.add", f"receiver {made.id}", segments=", ".join(map(str, made.segments)), purpose=made.purpose, channel=made.channel)
    return _shape(made) | {"secret": secret}


def switch(call: Opened, receiver_id: int, body: Enabled) -> Any:
    """Tell a receiver again, or not any more. Raises NotFound."""
    with call.ws.transaction() as conn:
        found = sync.switch(conn, receiver_id, enabled=body.enabled, now=call.now)
    call.note("sync.switch", f"receiver {receiver_id}", enabled=body.enabled)
    return _shape(found)


def remove(call: Opened, receiver_id: int) -> Any:
    """A receiver goes, with what was not sent yet. Raises NotFound."""
    with call.ws.transaction() as conn:
        sync.remove(conn, receiver_id)
    call.note("sync.remove", f"receiver {receiver_id}")
    return {"removed": receiver_id}


def messages(call: Opened, receiver_id: int, after: After = 0, limit: Limit = 100) -> Any:
    """Messages of a receiver, newest first; `after` is the number of the last one already seen. Raises NotFound."""
    with call.ws.transaction() as conn:
        rows = sync.messages(conn, receiver_id, limit, after or None)
    return {"receiver": receiver_id, "messages": rows, "next_after": rows[-1].id if len(rows) == limit else None}


def again(call: Opened, receiver_id: int, message_id: int) -> Any:
    """Send a refused message once more, under its own key. Raises NotFound."""
    with call.ws.transaction() as conn:
        sync.again(conn, receiver_id, message_id)
    call.note("sync.again", f"receiver {receiver_id}", message=message_id)
    return {"receiver": receiver_id, "message": message_id, "state": "waiting"}


def _shape(one: sync.Receiver) -> dict[str, Any]:
    kept = ("id", "name", "url", "segments", "purpose", "channel", "enabled", "problem", "tries", "next_at", "told", "waiting", "refused")
    return {name: plain(getattr(one, name)) for name in kept}
