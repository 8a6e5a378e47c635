"""An event as it travels from the door to the warehouse, the closed list of why one is set aside, and the names of traits."""

from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

import msgspec

from cegla.vocabulary.text import Text

KINDS = ("identify", "track", "page", "screen", "group", "alias")


class Reason(StrEnum):
    """Why an event went to quarantine instead of into the history. The list is closed; each has its label in `REASONS`."""

    NOT_AN_OBJECT = "not_an_object"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_EVENT_NAME = "missing_event_name"
    MISSING_IDENTITY = "missing_identity"
    MISSING_GROUP = "missing_group"
    MISSING_PREVIOUS_ID = "missing_previous_id"
    NEEDS_SECRET_KEY = "needs_secret_key"
    FIELD_OF_WRONG_TYPE = "field_of_wrong_type"
    EVENT_TOO_LARGE = "event_too_large"
    TOO_MANY_EVENTS = "too_many_events"
    TOO_MANY_FIELDS = "too_many_fields"
    TOO_DEEP = "too_deep"
    UNREADABLE_TEXT = "unreadable_text"
    UNREADABLE_TIME = "unreadable_time"
    UNREADABLE_BODY = "unreadable_body"
    MAPPING_FAILED = "mapping_failed"
    INTAKE_FAILED = "intake_failed"
    UNPLANNED_EVENT = "unplanned_event"
    PLAN_VIOLATION = "plan_violation"
    NO_CONSENT = "no_consent"
    SUPPRESSED = "suppressed"


REASONS: dict[Reason, Text] = {
    Reason.NOT_AN_OBJECT: Text("zdarzenie nie jest obiektem JSON", "the event is not a JSON object"),
    Reason.UNKNOWN_TYPE: Text("nieznany typ zdarzenia", "unknown event type"),
    Reason.MISSING_EVENT_NAME: Text("brak nazwy zdarzenia", "the event's name is missing"),
    Reason.MISSING_IDENTITY: Text("brak identyfikatora osoby", "no identifier of a person"),
    Reason.MISSING_GROUP: Text("brak identyfikatora grupy", "the group's id is missing"),
    Reason.MISSING_PREVIOUS_ID: Text("brak poprzedniego identyfikatora", "the previous id is missing"),
    Reason.NEEDS_SECRET_KEY: Text("wolno tylko z kluczem tajnym", "allowed with the secret key only"),
    Reason.FIELD_OF_WRONG_TYPE: Text("pole ma zły typ", "a field has the wrong type"),
    Reason.EVENT_TOO_LARGE: Text("zdarzenie jest za duże", "the event is too large"),
    Reason.TOO_MANY_EVENTS: Text("za dużo zdarzeń w żądaniu", "too many events in a request"),
    Reason.TOO_MANY_FIELDS: Text("za dużo pól", "too many fields"),
    Reason.TOO_DEEP: Text("za głęboko zagnieżdżone", "nested too deeply"),
    Reason.UNREADABLE_TEXT: Text("nieczytelny tekst", "unreadable text"),
    Reason.UNREADABLE_TIME: Text("nieczytelny czas", "unreadable time"),
    Reason.UNREADABLE_BODY: Text("nieczytelna treść żądania", "unreadable request body"),
    Reason.MAPPING_FAILED: Text("mapowanie webhooka nie pasuje", "the webhook's mapping does not fit"),
    Reason.INTAKE_FAILED: Text("przyjęcie nie powiodło się", "intake failed"),
    Reason.UNPLANNED_EVENT: Text("zdarzenia nie ma w planie", "the tracking plan does not know the event"),
    Reason.PLAN_VIOLATION: Text("zdarzenie łamie plan", "the event breaks the tracking plan"),
    Reason.NO_CONSENT: Text("brak zgody na analizę", "no consent to analytics"),
    Reason.SUPPRESSED: Text("osoba została usunięta", "the person was erased"),
}


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One validated event. Times are UTC and aware; ids are as sent (normalization happens in `resolve`).

    `occurred_at` is the time to count with; the other three stamps are kept as they came. `writer`, `number` and
    `index` say where in the inbox the event lies, so it can be found again and replayed. Nobody changes `context` and
    `properties`: events may share them.
    """

    source_id: int
    message_id: str
    kind: str
    name: str
    occurred_at: datetime
    received_at: datetime
    original_at: datetime | None = None
    sent_at: datetime | None = None
    anonymous_id: str | None = None
    user_id: str | None = None
    previous_id: str | None = None
    group_id: str | None = None
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}
    context: dict[str, Any] = {}
    writer: int = 0
    number: int = 0
    index: int = 0
    trusted: bool = False  #: came with a secret key or from this installation: may link two known people
    trace: str | None = None  #: the W3C traceparent that came with it


class SetAside(msgspec.Struct, frozen=True, kw_only=True):
    """An event that could not be used, with its reason, as it came. `payload` is None when keeping it needs a consent that is missing."""

    source_id: int
    reason: Reason
    detail: str
    payload: bytes | None
    message_id: str | None
    received_at: datetime
    writer: int
    number: int
    index: int
    remembered: bool = False  #: its (source, messageId) was marked as seen on its behalf
    kind: str | None = None  #: of a webhook's request, which is replayed as one


@lru_cache(maxsize=4_096)
def trait_key(raw: str) -> str:
    """One style for the names of traits: firstName, FirstName and first-name are first_name."""
    letters: list[str] = []
    for letter in raw.strip()[:100]:
        if letter.isupper() and letters and letters[-1] not in "_" and not letters[-1].isupper():
            letters.append("_")
        letters.append(letter if letter.isalnum() else "_")
    return "".join(letters).lower().strip("_") or "_"
