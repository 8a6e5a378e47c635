"""The mappings that come with the product: each sample, in the shape its provider documents, gives exactly the events written beside it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.collect import actions as collect
from cegla.collect.rules import hooked
from cegla.collect.rules.frame import Framed
from cegla.collect.rules.signatures import SCHEMES
from cegla.collect.webhooks import parse_mapping

SAMPLES = [(key, sample) for key, row in collect.ready_made().items() for sample in row.samples]
WANTED = {"call_center", "asterisk_cdr", "asterisk_queue_log", "thulium", "aircall", "thulium_chat", "contact_form", "woocommerce", "shopify", "shoper", "sendgrid", "mailgun", "postmark", "ses"}


def made(key: str, sample: collect.Sample) -> list[dict[str, Any]]:
    mapped = collect.try_webhook(collect.ready_made()[key].mapping, sample.framed)
    assert not mapped.problem
    assert [problem for item in mapped.items for problem in item.problems] == []
    return [event for item in mapped.items for event in item.events]


def test_every_kind_of_provider_has_a_mapping() -> None:
    assert set(collect.ready_made()) >= WANTED
    assert {row.scheme for row in collect.ready_made().values()} <= set(SCHEMES)


@pytest.mark.parametrize(("key", "sample"), SAMPLES, ids=[f"{key}: {sample.name}" for key, sample in SAMPLES])
def test_a_sample_gives_the_events_beside_it(key: str, sample: collect.Sample) -> None:
    events = made(key, sample)
    assert [{name: event.get(name) for name in wanted} for event, wanted in zip(events, sample.events, strict=True)] == [dict(wanted) for wanted in sample.events]


@pytest.mark.parametrize(("key", "sample"), SAMPLES, ids=[f"{key}: {sample.name}" for key, sample in SAMPLES])
def test_a_sample_sent_again_has_the_same_message_ids(key: str, sample: collect.Sample) -> None:
    assert [event["messageId"] for event in made(key, sample)] == [event["messageId"] for event in made(key, sample)]
    assert len({event["messageId"] for event in made(key, sample)}) == len(sample.events)


@pytest.mark.parametrize(("key", "sample"), SAMPLES, ids=[f"{key}: {sample.name}" for key, sample in SAMPLES])
def test_every_item_alone_gives_what_it_gives_among_the_others(key: str, sample: collect.Sample) -> None:
    mapping = parse_mapping(collect.ready_made()[key].mapping)
    for item in hooked.map_request(mapping, sample.framed).items:
        alone = Framed(msgspec.json.encode(item.alone), {**sample.framed.headers, "content-type": "application/json"})
        assert [one.events for one in hooked.map_request(mapping, alone).items] == [item.events]


def test_a_subscription_to_confirm_waits_for_a_person_and_no_address_is_fetched() -> None:
    body = {"Type": "SubscriptionConfirmation", "MessageId": "1", "Token": "t", "TopicArn": "arn", "Message": "You have chosen to subscribe", "SubscribeURL": "http://169.254.169.254/"}
    (item,) = collect.try_webhook(collect.ready_made()["ses"].mapping, Framed(json.dumps(body).encode(), {"content-type": "text/plain"})).items
    assert not item.events
    assert item.problems == ["confirm: event: there is no value at confirm-the-subscription"]


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["id", "event", "Message", "type", "result", "data", "line_items"]) | st.text(max_size=8), inner, max_size=5), max_leaves=20)  # fmt: skip


@given(key=st.sampled_from(sorted(collect.ready_made())), value=JSON)
def test_no_json_however_strange_breaks_a_mapping(key: str, value: Any) -> None:
    mapped = hooked.map_request(parse_mapping(collect.ready_made()[key].mapping), Framed(json.dumps(value).encode(), {"content-type": "application/json"}))
    for item in mapped.items:
        assert item.events or item.problems or item.ignored
        msgspec.json.encode(item.events)


@given(key=st.sampled_from(sorted(collect.ready_made())), body=st.binary(max_size=200), content=st.sampled_from(["text/csv", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]))
def test_no_bytes_however_strange_break_a_mapping(key: str, body: bytes, content: str) -> None:
    hooked.map_request(parse_mapping(collect.ready_made()[key].mapping), Framed(body, {"content-type": content}))


def test_a_form_whose_parts_lie_within_one_another_without_an_end_is_a_problem_and_no_fault() -> None:
    parts = b"".join(b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (one, one + 1) for one in range(2_000))
    mapping = parse_mapping("body: form\nrules: [{name: one, event: Form, id: '{id}'}]")
    assert "nested" in hooked.map_request(mapping, Framed(parts, {"content-type": "multipart/form-data; boundary=b0"})).problem
