"""What is decoded in one process is the same in another: equal, and shared as it was."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cegla.collect.rules import parcel
from cegla.collect.rules.decode import Decoded, Origin, Request, decode
from cegla.storage.settings import CollectorSettings
from cegla.vocabulary.events import Event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = CollectorSettings.model_validate({})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8,
)  # fmt: skip
MOMENTS = st.datetimes(timezones=st.just(UTC))
EVENTS = st.builds(
    Event, source_id=st.integers(0, 2**31 - 1), message_id=st.text(), kind=st.sampled_from(["track", "page", "identify"]), name=st.text(),
    occurred_at=MOMENTS, received_at=MOMENTS, original_at=st.none() | MOMENTS, sent_at=st.none() | MOMENTS, anonymous_id=st.none() | st.text(),
    properties=st.dictionaries(st.text(), JSON, max_size=3), traits=st.dictionaries(st.text(), JSON, max_size=3), number=st.integers(0, 2**62),
)  # fmt: skip


def request(number: int, body: bytes) -> Request:
    return Request(
        writer=1, number=number, source_id=7, events=2, kind=None, trusted=False, gpc=True, received_at=NOW, ip="203.0.113.9", user_agent="Mozilla/5.0",
        link=bytes(32), body=body,
    )  # fmt: skip


def decoded(*bodies: bytes) -> tuple[list[Request], Decoded]:
    requests = [request(number, body) for number, body in enumerate(bodies)]
    return requests, decode(requests, {7: Origin(None, client_side=True, own=False)}, LIMITS)


@given(st.lists(EVENTS, max_size=4))
def test_any_events_arrive_as_they_were_sent(events: list[Event]) -> None:
    assert parcel.unpacked(parcel.packed([], Decoded(events, []))) == ([], Decoded(events, []))


def test_requests_and_what_was_set_aside_arrive_with_their_reasons() -> None:
    told = decoded(b'{"batch":[{"type":"track","event":"E","anonymousId":"a"},{"type":"nonsense"}]}', b"no json", b'{"batch":[{"type":"page","userId":"\xff"}]}')
    assert len(told[1].set_aside) == 3
    assert parcel.unpacked(parcel.packed(*told)) == ([msgspec.structs.replace(one, body=b"") for one in told[0]], told[1])


def test_events_that_share_their_context_and_stamps_share_them_afterwards() -> None:
    event = b'{"type":"track","event":"E","anonymousId":"a","timestamp":"2026-11-20T11:59:00Z","context":{"locale":"pl"},"properties":{"sku":"1"}}'
    first, second = parcel.unpacked(parcel.packed(*decoded(b'{"batch":[' + event + b"," + event + b"]}")))[1].events
    assert first.context is second.context
    assert first.properties is second.properties
    assert first.original_at is first.occurred_at


def test_a_stamp_that_was_corrected_stays_apart_from_the_one_that_came() -> None:
    late = b'{"sentAt":"2026-11-20T10:00:00Z","batch":[{"type":"track","event":"E","anonymousId":"a","timestamp":"2026-11-20T09:59:00Z"}]}'
    (event,) = parcel.unpacked(parcel.packed(*decoded(late)))[1].events
    assert event.original_at == NOW - timedelta(hours=2, minutes=1)
    assert event.occurred_at == NOW - timedelta(minutes=1)
