"""Traced events are told to an OpenTelemetry collector as OTLP's JSON has it, and nothing depends on whether it is there."""

import json
from datetime import UTC, datetime, timedelta

import httpx

from cegla.vocabulary.events import Event
from cegla.worker.spans import PAUSE_SECONDS, PAUSE_WHEN_AWAY_SECONDS, Spans, is_recorded

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def event(index: int = 0, flags: str = "01", trace: bool = True) -> Event:
    return Event(
        source_id=3, message_id="m", kind="track", name="Order Completed", occurred_at=NOW, received_at=NOW, writer=1, number=7, index=index,
        user_id="jan@example.pl", trace=f"00-{TRACE}-{SPAN}-{flags}" if trace else None,
    )  # fmt: skip


def test_a_span_goes_from_the_request_to_the_history_below_the_span_of_its_maker() -> None:
    bodies: list[bytes] = []

    def collector(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, json={})

    spans = Spans("http://collector/v1/traces", httpx.Client(transport=httpx.MockTransport(collector)))
    spans.note([event(0), event(1)], NOW + timedelta(seconds=2))
    assert (spans.send(), spans.send()) == (0.0, PAUSE_SECONDS)
    (scope,) = json.loads(bodies[0])["resourceSpans"][0]["scopeSpans"]
    first, second = scope["spans"]
    assert (first["traceId"], first["parentSpanId"], len(first["spanId"])) == (TRACE, SPAN, 16)
    assert first["spanId"] != second["spanId"]
    assert int(first["endTimeUnixNano"]) - int(first["startTimeUnixNano"]) == 2_000_000_000
    assert {one["key"]: next(iter(one["value"].values())) for one in first["attributes"]} == {
        "cegla.place": "1-7-0", "cegla.event": "Order Completed", "cegla.source_id": "3",
    }  # fmt: skip
    assert b"jan@example.pl" not in bodies[0]
    assert len(bodies) == 1


def test_what_its_maker_does_not_record_is_not_told() -> None:
    assert [is_recorded(one) for one in (event(), event(flags="00"), event(flags="03"), event(trace=False))] == [True, False, True, False]


def test_a_collector_that_is_away_costs_its_spans_and_nothing_else() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    spans = Spans("http://collector/v1/traces", httpx.Client(transport=httpx.MockTransport(away)))
    spans.note([event()], NOW)
    assert (spans.send(), spans.send()) == (PAUSE_WHEN_AWAY_SECONDS, PAUSE_SECONDS)
