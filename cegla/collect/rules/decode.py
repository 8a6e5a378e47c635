"""Requests become events: each is checked alone, so a broken one costs the others nothing.

    body ─► envelope ─► each raw event ─► typed fields ─► checks ─► Event
                                     └──────────────────────────► SetAside, with its reason

Runs for every event, so the common way is a typed decode and a few comparisons; only a bad event takes the slow way.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Protocol, cast

import msgspec

from cegla.collect.rules import envelope
from cegla.collect.rules.depth import depth
from cegla.collect.rules.merge import read_merge
from cegla.collect.rules.shared import Shown, object_or_nothing, read_context, read_properties, shared_context
from cegla.collect.rules.stamps import Stamp, happened, read_stamp
from cegla.collect.rules.trace import traceparent
from cegla.vocabulary.events import KINDS, Event, Reason, SetAside
from cegla.vocabulary.identifiers import normalized

DEEPEST = 32
MOST_FIELDS = 300
LONGEST_MESSAGE_ID = 100
LONGEST_NAME = 500
LARGEST_OWN_EVENT_BYTES = 16_000_000  # what this installation writes itself, such as an imported order of a thousand lines
EVENT_BYTES = 2_000  #: of a request's body, for which it weighs as much as an event does
LARGEST_HOOKED_BYTES = 500_000  # an order of a webhook, with all its lines
_ARRIVALS = frozenset({"page", "screen"})
NAMES = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "Identify", "group": "Group", "alias": "Alias"}

Id = str | int | float | None
_NOTHING = msgspec.Raw(b"")


class Limits(Protocol):
    """How much is taken at a time; CollectorSettings fits."""

    @property
    def largest_event_bytes(self) -> int: ...
    @property
    def most_events(self) -> int: ...


class Request(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One request as it lies in the inbox. Times are UTC."""

    writer: int
    number: int
    source_id: int
    events: int  #: as the door counted them
    kind: str | None  #: the call its path named; None for a batch
    trusted: bool
    gpc: bool
    received_at: datetime
    ip: str | None
    user_agent: str | None
    link: bytes
    body: bytes
    trace: str | None = None  #: the traceparent that came with it
    weight: int = 1  #: how many events of a batch it stands for: as many as it holds, and no fewer than its bytes would fill, so that large ones fit in memory


@dataclass(frozen=True)
class Origin:
    """What decoding must know of a source."""

    largest_event_bytes: int | None  #: None: the installation's limit
    client_side: bool  #: the request comes from the person's own device, so its address and user agent are theirs
    own: bool  #: this installation wrote it: an import or an internal event
    most_events: int | None = None  #: None: the installation's limit


@dataclass(frozen=True)
class Decoded:
    """What requests held. Every event of every request is in exactly one of the two.

    Requests of webhooks hold what their mappings make of them: `more` is what that is beyond the door's count, `ignored` the
    items left out on purpose, both by source.
    """

    events: list[Event]
    set_aside: list[SetAside]
    more: Mapping[int, int] = field(default_factory=dict[int, int])
    ignored: Mapping[int, int] = field(default_factory=dict[int, int])


class _Incoming(msgspec.Struct, gc=False, rename="camel"):
    type: str | None = None
    message_id: Id = None
    user_id: Id = None
    anonymous_id: Id = None
    previous_id: Id = None
    group_id: Id = None
    event: str | None = None
    name: str | None = None
    category: str | None = None
    timestamp: Stamp | None = None
    original_timestamp: Stamp | None = None
    sent_at: Stamp | None = None
    traits: dict[str, Any] | None = None
    properties: msgspec.Raw = _NOTHING  #: whoever looks at the same product says the same, so both are read once (`shared`)
    context: msgspec.Raw = _NOTHING
    integrations: msgspec.Raw = _NOTHING  # these three may be anything: they cost no event
    channel: msgspec.Raw = _NOTHING
    merge_properties: msgspec.Raw = _NOTHING


class _Bad(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class _Frame(msgspec.Struct, frozen=True):
    """What holds for all events of one request."""

    request: Request
    largest_event_bytes: int
    sent_at: datetime | None
    shown: Shown
    integrations: dict[str, Any]


_read_event = msgspec.json.Decoder(_Incoming).decode
_read_object = msgspec.json.Decoder(dict[str, Any]).decode
_read_value = msgspec.json.Decoder(Any).decode
_read_stamp = msgspec.json.Decoder(Stamp).decode


def decode(requests: Iterable[Request], origins: Mapping[int, Origin], limits: Limits) -> Decoded:
    """All events of the requests, in order. Never raises for what a client can send."""
    events: list[Event] = []
    aside: list[SetAside] = []
    for request in requests:
        origin = origins[request.source_id]
        try:
            parts = envelope.read(request.body)
        except envelope.NotJson as error:
            aside.append(_set_aside(request, 0, request.body, Reason.UNREADABLE_BODY, str(error)))
            continue
        frame = _frame(request, parts, origin, limits)
        most_events = len(parts.events) if origin.own else origin.most_events or limits.most_events
        for index, part in enumerate(parts.events):
            raw = bytes(part)
            try:
                if index >= most_events:
                    raise _Bad(Reason.TOO_MANY_EVENTS, f"the request holds {len(parts.events)} events; {most_events} are allowed")
                events.append(_event(raw, index, frame))
            except _Bad as bad:
                aside.append(_set_aside(request, index, _whole(raw, frame), bad.reason, bad.detail))
    return Decoded(events, aside)


def _frame(request: Request, parts: envelope.Envelope, origin: Origin, limits: Limits) -> _Frame:
    ip = user_agent = None
    if origin.client_side and not request.trusted:
        ip = request.ip or None
        if request.user_agent and request.user_agent.startswith("Mozilla"):  # else an HTTP library, which is not the person's device
            user_agent = request.user_agent
    shown = Shown(bytes(parts.context), request.gpc, ip, user_agent)
    largest = LARGEST_OWN_EVENT_BYTES if origin.own else origin.largest_event_bytes or limits.largest_event_bytes
    sent_at = None
    if parts.sent_at:
        try:
            sent_at = _moment_or_nothing(_read_stamp(parts.sent_at))
        except (msgspec.DecodeError, UnicodeDecodeError):
            sent_at = None
    return _Frame(request, largest, sent_at, shown, object_or_nothing(parts.integrations))


def _event(raw: bytes, index: int, frame: _Frame) -> Event:
    """One event, or _Bad with the reason."""
    request = frame.request
    fields = _fields(raw, frame.largest_event_bytes)
    kind = request.kind or fields.type
    if kind == "merge":
        kind = _merge(fields, request)
    if kind not in KINDS:
        raise _Bad(Reason.UNKNOWN_TYPE, f"type is {kind[:40]!r}" if kind else "there is no type")
    sent_at = _moment_or_nothing(fields.sent_at) if fields.sent_at is not None else frame.sent_at
    original_at, occurred_at = _times(fields, sent_at, request.received_at)
    context = _context_of(fields, frame.shown)
    integrations = fields.integrations
    if (integrations is not _NOTHING and bytes(integrations) != b"{}") or fields.channel is not _NOTHING or frame.integrations or "direct" in context:
        context = _completed(context, fields, frame)
    properties, traits = _properties_of(kind, fields), fields.traits or {}
    anonymous_id, user_id = _id(fields.anonymous_id), _id(fields.user_id)
    previous_id = None if fields.previous_id is None else _id(fields.previous_id)
    group_id = None if fields.group_id is None else _id(fields.group_id)
    if not ((anonymous_id and _names(anonymous_id)) or (user_id and _names(user_id)) or _named_elsewhere(traits, context, previous_id)) and not (
        kind in ("page", "track") and context.get("aggregate") is True  # about nobody on purpose, and only counted
    ):
        raise _Bad(Reason.MISSING_IDENTITY, "neither userId nor anonymousId, nor another identifier")
    return Event(
        source_id=request.source_id,
        message_id=_message_id(fields.message_id) or f"cegla-{request.writer}-{request.number}-{index}",
        kind=kind,
        name=_name(kind, fields),
        occurred_at=occurred_at,
        received_at=request.received_at,
        original_at=original_at,
        sent_at=sent_at,
        anonymous_id=anonymous_id,
        user_id=user_id,
        previous_id=_needed(previous_id, Reason.MISSING_PREVIOUS_ID, "previousId") if kind == "alias" else previous_id,
        group_id=_needed(group_id, Reason.MISSING_GROUP, "groupId") if kind == "group" else group_id,
        properties=properties,
        traits=traits,
        context=context,
        writer=request.writer,
        number=request.number,
        index=index,
        trusted=request.trusted,
        trace=(traceparent(context["traceparent"]) if "traceparent" in context else None) or request.trace,
    )


def _completed(context: dict[str, Any], fields: _Incoming, frame: _Frame) -> dict[str, Any]:
    """The context with what stands beside it in a call: destinations, the channel, and the sender when a server asks for it by `direct`."""
    integrations = {**frame.integrations, **object_or_nothing(fields.integrations)}
    beside: dict[str, Any] = {"integrations": integrations} if integrations else {}
    channel = _value_or_nothing(fields.channel)
    if isinstance(channel, str) and channel:
        beside["channel"] = channel
    if context.get("direct") is True:
        beside |= {"ip": frame.request.ip, "userAgent": frame.request.user_agent}
    return {**beside, **context} if beside else context


def _merge(fields: _Incoming, request: Request) -> str:
    """Put a merge into the fields of the call that says the same here, and return that; _Bad when it says nothing or may not."""
    if not request.trusted:
        raise _Bad(Reason.NEEDS_SECRET_KEY, "merge joins two people, and a write key is public")
    merge = read_merge(_value_or_nothing(fields.merge_properties))
    if merge is None:
        raise _Bad(Reason.FIELD_OF_WRONG_TYPE, "mergeProperties are not two identifiers, each with type and value")
    fields.user_id, fields.anonymous_id, fields.previous_id = merge.user_id, merge.anonymous_id, merge.previous_id
    if merge.external_ids:
        fields.context = msgspec.Raw(msgspec.json.encode({**object_or_nothing(fields.context), "externalIds": merge.external_ids}))
    return merge.kind


def _fields(raw: bytes, largest_event_bytes: int) -> _Incoming:
    """The typed fields of a raw event, within every limit."""
    if len(raw) > largest_event_bytes:
        raise _Bad(Reason.EVENT_TOO_LARGE, f"{len(raw)} bytes; {largest_event_bytes} are allowed")
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and depth(raw, DEEPEST) > DEEPEST:
        raise _Bad(Reason.TOO_DEEP, f"nested deeper than {DEEPEST} levels")
    try:
        fields = _read_event(raw)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise _unreadable(raw, error) from None
    if b"\\u0000" in raw and _holds_nul(raw):
        raise _Bad(Reason.UNREADABLE_TEXT, "the text holds the character NUL")
    if len(fields.traits or ()) > MOST_FIELDS:
        raise _too_many_fields()
    return fields


def _too_many_fields() -> _Bad:
    return _Bad(Reason.TOO_MANY_FIELDS, f"more than {MOST_FIELDS} properties or traits")


def _unreadable(raw: bytes, error: UnicodeDecodeError | msgspec.DecodeError, field: str = "") -> _Bad:
    """Why an event, or a field of it, cannot be read."""
    if isinstance(error, UnicodeDecodeError):
        return _Bad(Reason.UNREADABLE_TEXT, "the text is not valid UTF-8")
    if isinstance(error, msgspec.ValidationError):
        if raw.lstrip()[:1] != b"{":
            return _Bad(Reason.NOT_AN_OBJECT, "the event is no JSON object")
        return _Bad(Reason.FIELD_OF_WRONG_TYPE, f"{error}{field}")
    no_number = "invalid character" in str(error)
    return _Bad(Reason.UNREADABLE_TEXT, "NaN or Infinity stands for a number" if no_number else "the text holds half a surrogate pair")


def _properties_of(kind: str, fields: _Incoming) -> dict[str, Any]:
    """The event's properties; those of a page or screen with its own name and category among them, as the tracking contract has it."""
    name, category = (fields.name, fields.category) if kind in _ARRIVALS else (None, None)
    if fields.properties is _NOTHING and not name and not category:
        return {}
    try:
        properties = read_properties(bytes(fields.properties), name, category)
        if len(properties) > MOST_FIELDS:
            raise _too_many_fields()
        return properties
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise _unreadable(b"{", error, " - at `$.properties`") from None


def _context_of(fields: _Incoming, shown: Shown) -> dict[str, Any]:
    """The event's context over the batch's."""
    try:
        return read_context(bytes(fields.context), shown)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise _unreadable(b"{", error, " - at `$.context`") from None


@lru_cache(maxsize=65_536)
def _names(text: str) -> bool:
    """Whether an anonymousId or userId can name a person; the same ones come again and again."""
    return normalized("user_id", text) is not None


def _times(fields: _Incoming, sent_at: datetime | None, received_at: datetime) -> tuple[datetime | None, datetime]:
    """The client's stamp as it came, and the time to count with."""
    stamp = fields.timestamp if fields.timestamp is not None else fields.original_timestamp
    if stamp is None or stamp == "":
        return None, received_at
    try:
        original_at = read_stamp(stamp)
        return original_at, happened(original_at, sent_at, received_at)
    except ValueError:
        raise _Bad(Reason.UNREADABLE_TIME, f"timestamp is {str(stamp)[:40]!r}") from None


def _name(kind: str, fields: _Incoming) -> str:
    """The event's name."""
    if kind == "track":
        name = (fields.event or "").strip()
        if not name:
            raise _Bad(Reason.MISSING_EVENT_NAME, "a track call needs an event")
        if len(name) > LONGEST_NAME:
            raise _Bad(Reason.FIELD_OF_WRONG_TYPE, f"event is longer than {LONGEST_NAME} characters")
        return name
    return NAMES[kind]


def _id(value: Id) -> str | None:
    """An id as text; null, blank and whitespace are absent."""
    if value.__class__ is str:
        return None if not value or value.isspace() else value  # pyright: ignore[reportAttributeAccessIssue, reportReturnType]
    if value is None:
        return None
    return str(int(value)) if value == int(value) else str(value)


def _message_id(value: Id) -> str | None:
    text = _id(value)
    if text is not None and len(text) > LONGEST_MESSAGE_ID:
        raise _Bad(Reason.FIELD_OF_WRONG_TYPE, f"messageId is longer than {LONGEST_MESSAGE_ID} characters")
    return text


def _needed(value: str | None, reason: Reason, field: str) -> str:
    if value is None:
        raise _Bad(reason, f"{field} is missing")
    if len(value) > LONGEST_NAME:
        raise _Bad(Reason.FIELD_OF_WRONG_TYPE, f"{field} is longer than {LONGEST_NAME} characters")
    return value


def _named_elsewhere(traits: dict[str, Any], context: dict[str, Any], previous_id: str | None) -> bool:
    """Whether something other than the two ids says whose event this is."""
    if normalized("user_id", previous_id) or context.get("externalIds"):
        return True
    other = context.get("traits")
    places = (traits, cast("dict[str, Any]", other)) if isinstance(other, dict) else (traits,)
    return any(normalized(key, place.get(key)) for place in places for key in ("email", "phone"))


def _moment_or_nothing(stamp: Stamp) -> datetime | None:
    try:
        return read_stamp(stamp)
    except ValueError:
        return None


def _value_or_nothing(raw: msgspec.Raw) -> Any:
    try:
        return _read_value(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _holds_nul(raw: bytes) -> bool:
    """Whether an escape really means NUL, and is not an escaped backslash before "u0000"."""
    return b"\\u0000" in raw.replace(b"\\\\", b"")


def _whole(raw: bytes, frame: _Frame) -> bytes:
    """A bad event with what its batch said for all of them, so that it can be replayed alone; as it came when unreadable."""
    try:
        fields = _read_object(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
    context = fields.get("context")
    shared = shared_context(frame.shown)
    if shared and (context is None or isinstance(context, dict)):
        fields["context"] = {**shared, **(cast("dict[str, Any]", context) if context else {})}
    integrations = fields.get("integrations")
    if frame.integrations and (integrations is None or isinstance(integrations, dict)):
        fields["integrations"] = {**frame.integrations, **(cast("dict[str, Any]", integrations) if integrations else {})}
    if frame.sent_at is not None:
        fields.setdefault("sentAt", frame.sent_at.isoformat())
    if frame.request.kind is not None:
        fields["type"] = frame.request.kind
    fields.pop("writeKey", None)
    return msgspec.json.encode(fields)


def encode(event: Event) -> bytes:
    """A decoded event as it would be sent again alone."""
    fields: dict[str, Any] = {"type": event.kind, "messageId": event.message_id, "userId": event.user_id, "anonymousId": event.anonymous_id}
    if event.kind == "track":
        fields["event"] = event.name
    fields |= {"previousId": event.previous_id, "groupId": event.group_id, "timestamp": event.original_at, "sentAt": event.sent_at}
    fields |= {"properties": event.properties, "traits": event.traits, "context": event.context}
    return msgspec.json.encode({name: value for name, value in fields.items() if value not in (None, {})})


def named(payload: bytes, message_id: str) -> bytes:
    """A quarantined event that carries its message id; unchanged when it is no object, a whole batch, or has a usable id."""
    try:
        fields = _read_object(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload
    if "batch" in fields or _is_usable(fields.get("messageId")):
        return payload
    return msgspec.json.encode({**fields, "messageId": message_id})


def _is_usable(message_id: Any) -> bool:
    if isinstance(message_id, bool) or not isinstance(message_id, (str, int, float)):
        return False
    text = _id(message_id)
    return text is not None and len(text) <= LONGEST_MESSAGE_ID


def _set_aside(request: Request, index: int, payload: bytes, reason: Reason, detail: str) -> SetAside:
    return SetAside(
        source_id=request.source_id,
        reason=reason,
        detail=detail,
        payload=payload,
        message_id=_named_message(payload),
        received_at=request.received_at,
        writer=request.writer,
        number=request.number,
        index=index,
    )


class _Named(msgspec.Struct, rename="camel"):
    message_id: str | None = None


_read_named = msgspec.json.Decoder(_Named).decode


def _named_message(payload: bytes) -> str | None:
    """The id an unusable event is known by: its own, or a fingerprint of one that is too long, so that its repeats are known too."""
    try:
        message_id = (_read_named(payload).message_id or "").replace("\0", "")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if len(message_id) <= LONGEST_MESSAGE_ID:
        return message_id or None
    return f"long-{blake2b(message_id.encode('utf-8', 'replace'), digest_size=16).hexdigest()}"
