"""Events become rows: in the warehouse's columns, and without personal data."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.profile.rules.enrichment import Batch, declared_traits, enriched_tables
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sessions import Sessions
from cegla.reference.library import Library
from cegla.storage.warehouse import EVENTS, ORDER_LINES
from cegla.vocabulary.events import Event, trait_key

AT = datetime(2026, 7, 1, 22, 30, 0, 123456, tzinfo=UTC)
WARSAW = ZoneInfo("Europe/Warsaw")
WORLD = Library()


def event(kind: str = "track", name: str = "Played", at: datetime = AT, **rest: Any) -> Event:
    return Event(source_id=3, message_id="m1", kind=kind, name=name, occurred_at=at, received_at=at + timedelta(seconds=1), **rest)


def tables(events: list[Event], identities: list[int] | None = None) -> dict[str, pa.Table]:
    return enriched_tables(events, identities or [1] * len(events), Batch(5, 100, WARSAW), Sessions({}), Memory(WORLD))


def row(one: Event) -> dict[str, Any]:
    return tables([one])["events"].to_pylist()[0]


@pytest.mark.parametrize("events", [[], [event()]])
def test_the_tables_have_the_warehouses_columns(events: list[Event]) -> None:
    made = tables(events)
    assert made["events"].schema == EVENTS
    assert made["order_lines"].schema == ORDER_LINES


def test_rows_carry_their_numbers_and_times() -> None:
    rows = tables([event(), event()], [7, 8])["events"].to_pylist()
    assert [(one["batch"], one["event_id"], one["identity_id"], one["source_id"]) for one in rows] == [(5, 100, 7, 3), (5, 101, 8, 3)]
    assert rows[0]["occurred_at"] == AT.replace(tzinfo=None)
    assert rows[0]["local_at"] == datetime(2026, 7, 2, 0, 30, 0, 123456)


@pytest.mark.parametrize(("utc", "hour"), [((2026, 3, 29, 0, 59), 1), ((2026, 3, 29, 1, 0), 3), ((2026, 10, 25, 0, 59), 2), ((2026, 10, 25, 1, 0), 2), ((1969, 6, 1, 12, 0), 13)])
def test_local_time_follows_the_clocks_of_the_zone(utc: tuple[int, ...], hour: int) -> None:
    assert row(event(at=datetime(*utc, tzinfo=UTC)))["local_at"].hour == hour  # type: ignore[misc]


def test_a_page_is_known_by_columns_and_its_json_is_empty() -> None:
    page = {"url": "https://shop.example/kubki?utm_source=news&email=anna@example.pl", "referrer": "https://www.bing.com/", "title": "Kubki anna@example.pl", "path": "/x", "search": "?x"}
    found = row(event("page", "Page Viewed", properties=page, context={"locale": "pl-PL", "location": {"country": "Polska"}}))
    expected = {
        "page_path": "/kubki", "page_title": "Kubki [e-mail]", "referrer_kind": "search", "referrer_host": "bing.com", "campaign_source": "news", "country": "PL", "language": "pl", "properties": None,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected


def test_the_page_of_other_events_comes_from_the_context() -> None:
    found = row(event(context={"page": {"path": "/koszyk", "referrer": "https://google.com/"}}))
    assert found["page_path"] == "/koszyk"
    assert found["referrer_kind"] is None  # only arrivals say where a visit came from


def test_an_identify_call_leaves_only_plain_traits_in_the_warehouse() -> None:
    found = row(event("identify", "Identify", traits={"email": "anna@example.pl", "firstName": "Anna", "plan": "gold", "address": {"country": "DE", "street": "Długa"}}))
    assert json.loads(found["properties"]) == {"plan": "gold", "country": "DE"}
    assert found["country"] == "DE"


def test_an_order_has_lines_and_no_products_in_its_json() -> None:
    products = [{"product_id": "p1", "name": "Kubek", "price": 2.55, "quantity": 2}]
    made = tables([event(), event(name="Order Completed", properties={"order_id": "A1", "currency": "pln", "products": products, "coupon": "X"})])
    order, line = made["events"].to_pylist()[1], made["order_lines"].to_pylist()[0]
    assert (order["order_id"], order["value_micros"], order["currency"], json.loads(order["properties"])) == ("A1", 5_100_000, "PLN", {"order_id": "A1", "currency": "pln", "coupon": "X"})
    assert (line["event_id"], line["product"], line["quantity"], line["value_micros"]) == (101, "Kubek", 2.0, 5_100_000)


@pytest.mark.parametrize("name", ["Email Sent", "Email Bounced", "Order Refunded", "Segment Consent Preference Updated"])
def test_what_happens_to_a_person_begins_no_session(name: str) -> None:
    assert row(event(name=name))["session_id"] is None


def test_declarations_keep_the_newest_value_whatever_the_order() -> None:
    events = [event("identify", "Identify", at=AT, traits={"firstName": "Anna", "plan": None}), event("identify", "Identify", at=AT - timedelta(days=1), traits={"first_name": "Ania", "city": "Łódź"})]
    found = {one.key: (one.value, one.declared_at) for one in declared_traits(events, [1, 1])}
    assert found == {"first_name": ("Anna", AT), "plan": (None, AT), "city": ("Łódź", AT - timedelta(days=1))}


@pytest.mark.parametrize(("raw", "key"), [("firstName", "first_name"), ("FirstName", "first_name"), ("first-name", "first_name"), ("URL", "url"), ("plan", "plan"), (" ", "_"), ("Imię", "imię")])
def test_names_of_traits_have_one_style(raw: str, key: str) -> None:
    assert trait_key(raw) == key


json_values = st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4), max_leaves=10)
told = st.dictionaries(st.sampled_from(["url", "path", "title", "referrer", "products", "total", "currency", "order_id", "country", "price", "name", "x"]), json_values, max_size=6)
contexts = st.dictionaries(st.sampled_from(["page", "userAgent", "campaign", "locale", "location", "os", "device", "userAgentData", "referrer", "active", "webdriver"]), json_values, max_size=6)


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(["track", "page", "screen", "identify", "group", "alias"]), name=st.sampled_from(["Order Completed", "Order Refunded", "Product Viewed", "x"]), properties=told, traits=told, context=contexts)
def test_no_valid_event_breaks_enrichment(kind: str, name: str, properties: dict[str, Any], traits: dict[str, Any], context: dict[str, Any]) -> None:
    assert tables([event(kind, name, properties=properties, traits=traits, context=context)])["events"].num_rows == 1


@pytest.mark.parametrize("strange", [["x"], {"x": 1}, 5, True, None, "x"], ids=str)
def test_strange_words_where_names_belong_break_no_batch(strange: Any) -> None:
    opened = event(name="Email Opened", properties={"machine_why": strange}, context={"userAgent": "Mail"})
    visited = event("page", "Page Viewed", context={"library": {"name": strange}, "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"})
    found = tables([opened, visited])["events"].to_pylist()
    assert [one["machine_reason"] for one in found] == [None, None]
    told = event(name="Email Opened", properties={"machine_why": "trap"}, context={"userAgent": "Mail"})
    assert row(told)["machine_reason"] == "trap"
