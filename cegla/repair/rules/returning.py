"""What a quarantined event becomes when it goes through the door again, or why it cannot."""

from enum import StrEnum
from typing import Any, cast

import msgspec

from cegla.repair.rules.fix import Fix, Unfixable
from cegla.vocabulary.text import Text

LONGEST_NAME = 500


class Obstacle(StrEnum):
    """Why an event stays in quarantine. The list is closed; each has its words in `OBSTACLES`."""

    WITHHELD = "withheld"
    ERASED = "erased"
    UNREADABLE = "unreadable"
    NOT_FIXED = "not_fixed"


OBSTACLES: dict[Obstacle, Text] = {
    Obstacle.WITHHELD: Text("treści nie zachowano, bo nie było na to zgody", "its content was not kept, since nobody agreed to it"),
    Obstacle.ERASED: Text("treść usunięto razem z danymi osoby", "its content was erased with the person's data"),
    Obstacle.UNREADABLE: Text("treść nie jest JSON-em, więc naprawa nie ma czego zmienić", "its content is no JSON, so a fix has nothing to change"),
    Obstacle.NOT_FIXED: Text("naprawa nie pasuje do tego zdarzenia", "the fix does not fit this event"),
}


class CannotReturn(Exception):
    """The event stays where it is. `detail` says more, without values."""

    def __init__(self, obstacle: Obstacle, detail: str = "") -> None:
        super().__init__(obstacle.value)
        self.obstacle = obstacle
        self.detail = detail


class _Named(msgspec.Struct):
    event: Any = None
    type: Any = None


class _Traced(msgspec.Struct):
    context: Any = None


_read_named = msgspec.json.Decoder(_Named).decode
_read_traced = msgspec.json.Decoder(_Traced).decode
_read = msgspec.json.Decoder(Any).decode
_OF_KIND = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "Identify", "group": "Group", "alias": "Alias"}


def own_traceparent(payload: bytes | None) -> Any:
    """What an event itself names as its trace, unchecked; None when it names none, and is then of its request's."""
    if payload is None or b"traceparent" not in payload:
        return None
    try:
        context = _read_traced(payload).context
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return context.get("traceparent") if isinstance(context, dict) else None


def event_name(payload: bytes | None) -> str | None:
    """The name an event goes by, as far as it can be read."""
    if payload is None:
        return None
    try:
        named = _read_named(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    name = named.event if isinstance(named.event, str) else None
    kind = _OF_KIND.get(named.type) if isinstance(named.type, str) else None
    return (kind or name or "").replace("\0", "")[:LONGEST_NAME] or None


def returning(payload: bytes | None, erased: bool, fix: Fix | None) -> bytes:
    """The content with which an event comes back. Raises CannotReturn with the obstacle.

    A request that was set aside whole is fixed event by event.
    """
    if payload is None:
        raise CannotReturn(Obstacle.ERASED if erased else Obstacle.WITHHELD)
    if fix is None:
        return payload
    try:
        content = _read(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise CannotReturn(Obstacle.UNREADABLE) from None
    if not isinstance(content, dict):
        raise CannotReturn(Obstacle.UNREADABLE)
    event = cast("dict[str, Any]", content)
    try:
        batch = event.get("batch")
        if isinstance(batch, list):
            return msgspec.json.encode({**event, "batch": [fix.applied(one) if isinstance(one, dict) else one for one in cast("list[Any]", batch)]})
        return msgspec.json.encode(fix.applied(event))
    except Unfixable as error:
        raise CannotReturn(Obstacle.NOT_FIXED, str(error)) from None
