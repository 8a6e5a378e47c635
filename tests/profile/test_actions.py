"""Profiles as a whole: events in, traits with reasons out."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cegla.profile import actions as profile
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.events import Event

ZONE = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"


def event(name: str, days_ago: float = 0, kind: str = "track", **rest: Any) -> Event:
    at = NOW - timedelta(days=days_ago)
    return Event(source_id=1, message_id="m", kind=kind, name=name, occurred_at=at, received_at=at, **rest)


def take_in(ws: Workspace, conn: Connection, events: Sequence[Event], people: Sequence[int], batch: int = 1) -> None:
    enriched = profile.enrich(conn, events, people, batch=batch, first_event_id=batch * 1_000, zone=ZONE)
    profile.declare(conn, enriched.declared)
    ws.warehouse.append(enriched.tables)


def order(number: str, total: float, days_ago: float, category: str = "kubki") -> Event:
    products = [{"product_id": "p1", "name": "Kubek", "category": category, "price": total, "quantity": 1}]
    return event("Order Completed", days_ago, properties={"order_id": number, "total": total, "currency": "PLN", "products": products, "country": "Poland"}, context={"userAgent": PHONE, "locale": "pl-PL"})


def known(ws: Workspace, conn: Connection, person: int) -> dict[str, profile.KnownTrait]:
    found = profile.profile_of(conn, ws.warehouse, person, [person], NOW, ZONE)
    return {one.trait.key: one for one in found.traits}


def test_a_buyer_has_traits_with_reasons(workspace: Workspace, conn: Connection) -> None:
    events = [order("A1", 100.0, 30), order("A2", 50.5, 10), order("A3", 20.0, 3), event("Order Refunded", 2, properties={"order_id": "A3", "total": 20.0})]
    take_in(workspace, conn, events, [7] * 4)
    profile.refresh(conn, workspace.warehouse, [7], NOW)
    traits = known(workspace, conn, 7)
    assert traits["order_count"].trait.value == 3
    assert traits["monetary_micros"].trait.value == 150_500_000
    assert traits["average_basket_micros"].trait.value == 56_833_333
    assert traits["refund_count"].trait.value == 1
    assert traits["device"].trait.value == "phone"
    assert traits["country"].trait.value == "PL"
    assert traits["language"].trait.value == "pl"
    assert traits["favourite_categories"].trait.value == ["kubki"]
    assert traits["usual_hour"].trait.value == 13
    assert traits["last_seen"].trait.value == NOW - timedelta(days=3)
    assert "170,50 PLN" in traits["monetary_micros"].why.pl
    assert "2026-11-17 (3 days ago)" in traits["last_order_at"].why.en
    assert 0 < traits["usual_hour"].trait.confidence < 0.6
    assert 0 < traits["engagement"].trait.value < 100
