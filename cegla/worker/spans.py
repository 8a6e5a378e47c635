"""What became of traced events, told to an OpenTelemetry collector when the setting `tracing.otlp_address` names one.

OTLP over HTTP in its JSON form, which every collector takes: one POST, and no package of theirs (docs/decisions/0035-spans-without-a-package.md).
Nothing waits for it and nothing depends on it: what cannot be told is dropped, and everything stays followable here by its trace.
"""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import httpx
import structlog

from cegla.vocabulary.events import Event

LOG = structlog.get_logger("spans")
MOST_WAITING = 10_000
AT_ONCE = 500
PAUSE_SECONDS, PAUSE_WHEN_AWAY_SECONDS = 1.0, 30.0
CONSUMER = 5  #: the kind of a span that goes on where a request was left
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Spans:
    """Spans on their way; `note` and `send` may be called by different threads."""

    def __init__(self, address: str, client: httpx.Client | None = None) -> None:
        self.address = address
        self._client = client or httpx.Client(timeout=5)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)

    def note(self, events: Iterable[Event], now: datetime) -> None:
        """These events were just taken in."""
        self._waiting.extend(span(event, now) for event in events if is_recorded(event))

    def send(self) -> float:
        """Tell what waits; the answer is after how many seconds to come again."""
        part = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
        if not part:
            return PAUSE_SECONDS
        try:
            self._client.post(self.address, json=document(part)).raise_for_status()
        except httpx.HTTPError as error:
            LOG.warning("spans could not be told and are dropped", spans=len(part), error=type(error).__name__)
            return PAUSE_WHEN_AWAY_SECONDS
        return 0.0


def is_recorded(event: Event) -> bool:
    """Whether the event came with a trace that its maker records, as the last flag says."""
    return event.trace is not None and int(event.trace[-2:], 16) & 1 == 1


def span(event: Event, now: datetime) -> dict[str, Any]:
    """From the acknowledged request to the history. Its own id follows from the event's place, so the same event is always the same span."""
    _, trace_id, parent, _ = (event.trace or "").split("-")
    place = f"{event.writer}-{event.number}-{event.index}"
    told = {"cegla.place": place, "cegla.event": event.name, "cegla.source_id": event.source_id}
    return {
        "traceId": trace_id, "spanId": blake2b(f"{trace_id}/{place}".encode(), digest_size=8).hexdigest(), "parentSpanId": parent,
        "name": "cegla intake", "kind": CONSUMER,
        "startTimeUnixNano": _nanoseconds(event.received_at), "endTimeUnixNano": _nanoseconds(max(now, event.received_at)),
        "attributes": [_attribute(key, value) for key, value in told.items()],
    }  # fmt: skip


def document(spans: list[dict[str, Any]]) -> dict[str, Any]:
    """The body of a POST to /v1/traces."""
    resource = {"attributes": [_attribute("service.name", "cegla")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "cegla"}, "spans": spans}]}]}


def _attribute(key: str, value: str | int) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}


def _nanoseconds(at: datetime) -> str:
    return str((at - _EPOCH) // _MICROSECOND * 1_000)
