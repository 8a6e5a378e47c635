"""Each event of a request is judged alone: good ones become events, bad ones get a reason from the closed list."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.collect.rules import envelope
from cegla.collect.rules.decode import Decoded, Origin, Request, decode
from cegla.storage.settings import CollectorSettings
from cegla.vocabulary.events import Event, Reason, SetAside

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = CollectorSettings.model_validate({"most_events": 5})
WEBSITE, SERVER, OWN = Origin(None, True, False), Origin(None, False, False), Origin(None, False, True)


def request(body: bytes, **more: Any) -> Request:
    facts = {"kind": None, "trusted": False, "gpc": False, "ip": "203.0.113.0", "user_agent": "Mozilla", **more}
    return Request(writer=3, number=4, source_id=1, events=1, received_at=NOW, link=b"", body=body, **facts)


def decoded(body: bytes, origin: Origin = WEBSITE, **more: Any) -> Decoded:
    return decode([request(body, **more)], {1: origin}, LIMITS)


def batch(*events: object, **more: object) -> bytes:
    return json.dumps({"batch": events, **more}).encode()


def good(**fields: object) -> dict[str, object]:
    return {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u-1", **fields}


def only(result: Decoded) -> Event:
    assert result.set_aside == []
    (event,) = result.events
    return event


def refused(result: Decoded) -> SetAside:
    assert result.events == []
    (row,) = result.set_aside
    return row


BAD: list[tuple[Reason, object]] = [
    (Reason.NOT_AN_OBJECT, [1]),
    (Reason.NOT_AN_OBJECT, 5),
    (Reason.NOT_AN_OBJECT, None),
    (Reason.UNKNOWN_TYPE, good(type="teleport")),
    (Reason.UNKNOWN_TYPE, {"event": "x", "userId": "u"}),
    (Reason.MISSING_EVENT_NAME, good(event="  ")),
    (Reason.MISSING_IDENTITY, good(userId=None)),
    (Reason.MISSING_IDENTITY, good(userId=" ", anonymousId="")),
    (Reason.MISSING_IDENTITY, good(userId="null", anonymousId="00000000-0000-0000-0000-000000000000")),
    (Reason.MISSING_GROUP, good(type="group")),
    (Reason.MISSING_PREVIOUS_ID, good(type="alias")),
    (Reason.NEEDS_SECRET_KEY, good(type="merge", mergeProperties=[{"type": "email", "value": "a@example.pl"}, {"type": "user_id", "value": "u-2"}])),
    (Reason.FIELD_OF_WRONG_TYPE, good(properties=[1])),
    (Reason.FIELD_OF_WRONG_TYPE, good(userId={"id": 1})),
    (Reason.FIELD_OF_WRONG_TYPE, good(messageId="m" * 101)),
    (Reason.EVENT_TOO_LARGE, good(properties={"text": "x" * 40_000})),
    (Reason.TOO_MANY_FIELDS, good(properties={f"k{number}": 1 for number in range(301)})),
    (Reason.UNREADABLE_TEXT, good(properties={"text": "a\0b"})),
    (Reason.UNREADABLE_TEXT, good(properties={"text": "\ud800"})),
    (Reason.UNREADABLE_TIME, good(timestamp="yesterday")),
    (Reason.UNREADABLE_TIME, good(timestamp="+99999-01-01T00:00:00Z")),
    (Reason.UNREADABLE_TIME, good(timestamp="0001-01-01T00:00:00Z")),
    (Reason.UNREADABLE_TIME, good(timestamp=1e300)),
]


@pytest.mark.parametrize(("reason", "event"), BAD)
def test_a_bad_event_is_set_aside_alone_with_its_reason(reason: Reason, event: object) -> None:
    result = decoded(batch(good(messageId="before"), event, good(messageId="after")))
    assert [row.reason for row in result.set_aside] == [reason]
    assert [event.message_id for event in result.events] == ["before", "after"]
    assert result.set_aside[0].index == 1


@pytest.mark.parametrize("body", [json.dumps(good()).encode(), batch(good())])
def test_a_byte_order_mark_before_a_body_is_no_obstacle(body: bytes) -> None:
    assert only(decoded(b"\xef\xbb\xbf" + body)) == only(decoded(body))
    assert envelope.read(b"\xef\xbb\xbf" + json.dumps({"writeKey": "k"}).encode()).write_key == "k"


@pytest.mark.parametrize("poison", [b"\xff\xfe", b'\xf0\x9f"', b"\xed\xa0\x80"])
def test_text_that_is_no_utf8_is_set_aside_alone(poison: bytes) -> None:
    body = batch(good(), good(properties={"text": "POISON"})).replace(b"POISON", poison.replace(b'"', b""))
    result = decoded(body)
    assert [row.reason for row in result.set_aside] == [Reason.UNREADABLE_TEXT]
    assert len(result.events) == 1


@pytest.mark.parametrize("number", [b"1e400", b"9" * 5_000])
def test_numbers_nobody_can_hold_are_set_aside_alone(number: bytes) -> None:
    result = decoded(batch(good(), good(properties={"n": 77})).replace(b"77", number))
    assert [row.reason for row in result.set_aside] == [Reason.FIELD_OF_WRONG_TYPE]
    assert len(result.events) == 1


def test_numbers_nobody_can_hold_do_not_add_up_to_a_lost_batch() -> None:
    result = decoded(batch(good(), good(properties={"n": 77}), good(properties={"n": 88})).replace(b"77", b"9" * 5_000).replace(b"88", b"NaN"))
    assert len(result.events) == 1
    assert len(result.set_aside) == 2


def test_nesting_is_counted_without_brackets_in_strings() -> None:
    def deep(levels: int) -> dict[str, object]:
        nested: Any = "end"
        for _ in range(levels):
            nested = [nested]
        return good(properties={"a": nested, "note": "[{" * 100})

    assert only(decoded(batch(deep(30)))).properties["note"] == "[{" * 100
    assert refused(decoded(batch(deep(40)))).reason is Reason.TOO_DEEP


def test_nesting_that_breaks_the_parser_costs_its_own_event_only() -> None:
    deep = b'{"a":' + b"[" * 2_000 + b"]" * 2_000 + b"}"
    assert refused(decoded(deep)).reason is Reason.TOO_DEEP
    found = decoded(b'{"context":{"x":[1]},"batch":[' + json.dumps(good()).encode() + b"," + deep + b"," + json.dumps(good()).encode() + b"]}")
    assert [aside.payload for aside in found.set_aside] == [deep]
    assert [event.context["x"] for event in found.events] == [[1], [1]]


def test_deep_nesting_that_is_no_event_is_an_unreadable_body() -> None:
    assert refused(decoded(b'{"batch":' + b"[" * 2_000)).reason is Reason.UNREADABLE_BODY


def test_quotes_after_deep_nesting_are_looked_at_once() -> None:
    """Looking anew at each of them, with hundreds of thousands, would not end within the suite's time."""
    assert refused(decoded(b'{"a":' + b"[" * 2_000 + b'"' + b'\\"' * 240_000)).reason is Reason.UNREADABLE_BODY


def test_one_byte_order_mark_is_passed_over_and_a_file_of_them_is_no_json() -> None:
    mark = b"\xef\xbb\xbf"
    assert only(decoded(mark + json.dumps(good()).encode())).message_id == "m-1"
    assert refused(decoded(mark * 160_000)).reason is Reason.UNREADABLE_BODY


@pytest.mark.parametrize("field", [{"-0": -0.0}, {"__proto__": {"polluted": True}}, {"": "empty key"}, {"big": 2**70}, {"text": "żółć 😀 \\u0000"}])
def test_odd_but_valid_content_is_kept(field: dict[str, object]) -> None:
    assert only(decoded(batch(good(properties=field)))).properties == field


def test_events_beyond_the_limit_are_set_aside() -> None:
    result = decoded(batch(*(good(messageId=f"m-{number}") for number in range(7))))
    assert len(result.events) == 5
    assert [row.reason for row in result.set_aside] == [Reason.TOO_MANY_EVENTS] * 2


def test_what_this_installation_writes_itself_may_be_large() -> None:
    lines = [{"sku": f"s-{number}", "price": 1.5} for number in range(2_000)]
    result = decoded(batch(*(good(properties={"products": lines}) for _ in range(7))), OWN)
    assert len(result.events) == 7


def test_the_path_names_the_call() -> None:
    event = only(decoded(json.dumps({"userId": "u", "name": "Cennik", "category": "Oferta"}).encode(), kind="page"))
    assert (event.kind, event.name, event.properties) == ("page", "Page Viewed", {"name": "Cennik", "category": "Oferta"})


def test_the_batch_gives_its_context_and_time_to_every_event() -> None:
    body = batch(good(context={"locale": "pl"}), context={"locale": "en", "timezone": "Europe/Warsaw"}, sentAt="2026-11-20T11:59:59Z")
    event = only(decoded(body, SERVER))
    assert event.context == {"locale": "pl", "timezone": "Europe/Warsaw"}
    assert event.sent_at == datetime(2026, 11, 20, 11, 59, 59, tzinfo=UTC)


def test_a_browser_is_known_by_its_headers_and_a_server_is_not() -> None:
    assert only(decoded(batch(good()), gpc=True)).context == {"gpc": True, "ip": "203.0.113.0", "userAgent": "Mozilla"}
    assert "userAgent" not in only(decoded(batch(good()), user_agent="curl/8.9")).context  # a server, not the person's device
    assert only(decoded(batch(good()), SERVER)).context == {}


def test_a_server_that_asks_for_it_gets_the_sender_of_the_request() -> None:
    asked = only(decoded(batch(good(context={"direct": True})), SERVER, user_agent="Mozilla/5.0"))
    assert asked.context == {"direct": True, "ip": "203.0.113.0", "userAgent": "Mozilla/5.0"}
    own = {"direct": True, "ip": "198.51.100.7", "userAgent": "App/1"}
    assert only(decoded(batch(good(context=own)), SERVER)).context == {**own, "ip": "198.51.100.0"}
    assert only(decoded(batch(good(context={"direct": "yes"})), SERVER)).context == {"direct": "yes"}


def test_destinations_and_channel_are_kept_with_the_event() -> None:
    body = batch(good(messageId="1", integrations={"Mixpanel": True}, channel="server"), good(messageId="2"), integrations={"All": False, "Mixpanel": False})
    first, second = decoded(body, SERVER).events
    assert first.context == {"channel": "server", "integrations": {"All": False, "Mixpanel": True}}
    assert second.context == {"integrations": {"All": False, "Mixpanel": False}}


@pytest.mark.parametrize("odd", [5, [1], None, {}, False, ""])
def test_odd_destinations_and_channels_cost_no_event(odd: object) -> None:
    assert only(decoded(batch(good(integrations=odd, channel=odd)), SERVER)).context == {}


def test_what_a_batch_says_about_destinations_is_set_aside_with_a_bad_event() -> None:
    row = refused(decoded(batch(good(event="", integrations={"A": True}), integrations={"All": False}), SERVER))
    assert json.loads(row.payload or b"")["integrations"] == {"All": False, "A": True}


MERGES = [
    ([("email", "anna@example.pl"), ("user_id", "u-2")], "identify", "u-2", None, [{"type": "email", "id": "anna@example.pl"}]),
    ([("userId", "u-2"), ("anonymousId", "a-1")], "identify", "u-2", None, None),
    ([("email", "anna@example.pl"), ("mobile", "+48600100200")], "identify", None, None, [{"type": "email", "id": "anna@example.pl"}, {"type": "phone", "id": "+48600100200"}]),
    ([("user_id", "u-1"), ("user_id", "u-2")], "alias", "u-1", "u-2", None),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "kind", "user_id", "previous_id", "external_ids"), MERGES)
def test_a_merge_becomes_the_call_that_says_the_same(pairs: Any, kind: str, user_id: str | None, previous_id: str | None, external_ids: Any) -> None:
    body = json.dumps({"messageId": "m", "mergeProperties": [{"type": name, "value": value} for name, value in pairs]}).encode()
    event = only(decoded(body, SERVER, kind="merge", trusted=True))
    assert (event.kind, event.user_id, event.previous_id, event.context.get("externalIds")) == (kind, user_id, previous_id, external_ids)


@pytest.mark.parametrize("properties", [None, [], {}, "x", [1, 2], [{"type": "email", "value": "a@example.pl"}], [{"type": "email", "value": "nobody"}, {"type": "user_id", "value": 1.5}]])
def test_a_merge_of_anything_but_two_identifiers_is_set_aside(properties: object) -> None:
    assert refused(decoded(json.dumps({"mergeProperties": properties}).encode(), SERVER, kind="merge", trusted=True)).reason is Reason.FIELD_OF_WRONG_TYPE


def test_addresses_in_the_context_are_shortened() -> None:
    assert only(decoded(batch(good(context={"ip": "198.51.100.77"})))).context["ip"] == "198.51.100.0"
    assert only(decoded(batch(good(context={"ip": "2001:db8:1:2:3::4"})))).context["ip"] == "2001:db8:1::"
    assert only(decoded(batch(good(context={"ip": "no address"})))).context["ip"] is None


def test_ids_are_text_and_blank_ones_absent() -> None:
    event = only(decoded(batch(good(userId=17, anonymousId=" ", groupId=None))))
    assert (event.user_id, event.anonymous_id, event.group_id) == ("17", None, None)


def test_an_event_without_a_message_id_gets_the_same_one_each_time() -> None:
    body = batch(good(messageId=None))
    assert only(decoded(body)).message_id == only(decoded(body)).message_id == "cegla-3-4-0"


def test_an_email_alone_names_somebody() -> None:
    assert only(decoded(batch(good(userId=None, context={"traits": {"email": "anna@example.pl"}})))).user_id is None


def test_a_set_aside_event_carries_what_its_batch_said() -> None:
    row = refused(decoded(batch(good(event=""), context={"locale": "pl"}, sentAt="2026-11-20T10:00:00Z"), SERVER))
    assert json.loads(row.payload or b"") == {**good(event=""), "context": {"locale": "pl"}, "sentAt": "2026-11-20T10:00:00+00:00"}
    assert row.message_id == "m-1"


def test_one_half_surrogate_does_not_cost_the_batch_its_key_or_its_other_events() -> None:
    body = json.dumps({"writeKey": "wk_1", "batch": [good(), good(event="\ud83d")]}).encode()
    assert envelope.read(body).write_key == "wk_1"
    assert len(decoded(body).events) == 1


@given(st.binary(max_size=200))
def test_no_bytes_ever_raise(body: bytes) -> None:
    result = decoded(body)
    assert len(result.events) + len(result.set_aside) == 1 or body.lstrip().startswith(b"{")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = ["type", "event", "messageId", "userId", "anonymousId", "timestamp", "sentAt", "properties", "traits", "context", "groupId", "previousId", "name"]


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=8) | JSON_VALUES, max_size=5), st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES, max_size=3))
def test_every_event_of_a_request_is_accounted_for(events: list[object], more: dict[str, object]) -> None:
    body = json.dumps({"batch": events, **more}).encode()
    result = decoded(body)
    assert len(result.events) + len(result.set_aside) == len(envelope.read(body).events) == len(events)


@pytest.mark.parametrize("context", ['"text"', "[1]", "5", '{"a": NaN}', '{"a": "\\ud800"}', '{"a": "\\u0000"}'])
def test_a_context_that_cannot_be_read_costs_its_own_event_only(context: str) -> None:
    bad, fine = json.dumps(good()).replace("}", f', "context": {context}}}', 1), json.dumps(good(context={"a": 1}))
    result = decoded(f'{{"batch": [{bad}, {fine}]}}'.encode(), SERVER)
    assert [event.context for event in result.events] == [{"a": 1}]
    assert [aside.reason for aside in result.set_aside] == [Reason.FIELD_OF_WRONG_TYPE if context[0] != "{" else Reason.UNREADABLE_TEXT]


contexts = st.dictionaries(st.sampled_from(["locale", "gpc", "page", "userAgent"]), st.sampled_from([None, True, "pl-PL", {"path": "/a"}]), max_size=3)


@given(contexts, st.lists(contexts, min_size=1, max_size=5), st.booleans())
def test_an_event_has_its_own_context_over_its_batchs_whoever_had_the_same_before(shared: dict[str, object], own: list[dict[str, object]], gpc: bool) -> None:
    body = batch(*[good(context=context) for context in own], context=shared)
    result = decoded(body, Origin(None, False, False), gpc=gpc)
    assert [event.context for event in result.events] == [{**shared, **({"gpc": True} if gpc else {}), **context} for context in own]


def test_events_of_one_page_share_their_context() -> None:
    first, second = decoded(batch(good(context={"locale": "pl-PL"}), good(context={"locale": "pl-PL"}))).events
    assert first.context is second.context
