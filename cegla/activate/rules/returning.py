"""What happened to messages, as events of the source "cegla": they come back through the same door as everything else."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cegla.activate.rules.channels import KINDS
from cegla.vocabulary.consent import Channel

SOURCE, KIND = "cegla", "internal"
EVENTS_PER_REQUEST = 200

SENT, BOUNCED, SKIPPED = "Email Sent", "Email Bounced", "Email Skipped"
COMPLAINED, DELIVERED, AUTO_REPLIED = "Email Complained", "Email Delivered", "Email Answered Automatically"
REPLIED = "Email Replied"
CLICKED, UNSUBSCRIBED, AMBIGUOUS, FAILED = "Email Link Clicked", "Unsubscribed", "Email Ambiguous", "Email Failed"


def whose(address: str, channel: Channel = Channel.EMAIL) -> dict[str, Any]:
    """How an event names the person behind an address."""
    return {"context": {"traits": {KINDS[channel].identifier: address}}}


def within(whom: Mapping[str, Any], trace: str | None) -> Mapping[str, Any]:
    """The same person, named within a trace."""
    return whom if trace is None else {**whom, "context": {**whom.get("context", {}), "traceparent": trace}}


def event(
    name: str, message_id: int, whom: Mapping[str, Any], at: datetime, facts: Mapping[str, Any], key: str = ""
) -> dict[str, Any]:
    """One event about a message, for the person that `whom` names (see `whose`). Its own id follows from the message, so telling it twice counts once."""
    slug = name.lower().replace(" ", "-")
    return {
        "type": "track",
        "event": name,
        "messageId": f"cegla-{message_id}-{slug}{key}",
        "timestamp": at.isoformat(),
        **whom,
        "context": {**whom.get("context", {}), "channel": "server"},
        "properties": {"message_id": message_id, **facts},
    }


def stranger(message_id: int, address: str, at: datetime, trace: str | None = None) -> dict[str, Any]:
    """Word of an address that a message is asked for and that belongs to nobody yet."""
    traits = {"email": address}
    return {
        "type": "identify", "messageId": f"cegla-{message_id}-stranger", "timestamp": at.isoformat(), "traits": traits,
        **within({"context": {"traits": traits, "channel": "server"}}, trace),
    }  # fmt: skip


def requests(events: Iterable[dict[str, Any]]) -> list[bytes]:
    """Bodies for the inbox."""
    rows = list(events)
    return [json.dumps({"batch": rows[start : start + EVENTS_PER_REQUEST]}, ensure_ascii=False).encode() for start in range(0, len(rows), EVENTS_PER_REQUEST)]
