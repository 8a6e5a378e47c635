"""Profiles as a whole: events in, traits with reasons out."""

import random
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
    enriched = profile.enrich(conn, events, people, profile.Numbers(batch, batch * 1_000, ZONE))
    profile.declared.keep(conn, enriched.declared)
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
    assert "17 Nov 2026 (3 days ago)" in traits["last_order_at"].why.en
    assert 0 < traits["usual_hour"].trait.confidence < 0.6
    assert 0 < traits["engagement"].trait.value < 100


def test_a_person_nobody_refreshed_is_known_all_the_same(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [order("A1", 100.0, 30)], [7])
    assert known(workspace, conn, 7)["order_count"].trait.value == 1
    assert profile.profile_of(conn, workspace.warehouse, 8, [8], NOW, ZONE).computed_at is None


def test_a_refresh_of_everybody_equals_one_of_the_touched_and_forgets_the_absorbed(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [order(f"A{number}", 10.0 * number, number) for number in range(1, 7)], [1, 2, 3, 1, 2, 3])
    profile.refresh(conn, workspace.warehouse, [1, 2, 3], NOW)
    touched = profile.profiles_of(conn, [1, 2, 3])
    profile.refresh(conn, workspace.warehouse, None, NOW)
    assert profile.profiles_of(conn, [1, 2, 3]) == touched
    workspace.warehouse.set_people([(3, 1)])
    profile.forget_people(conn, [3])
    profile.refresh(conn, workspace.warehouse, [1], NOW)
    joined = profile.profiles_of(conn, [1, 3])
    assert (joined[1]["order_count"], joined[3]) == (4, {})


def identify(days_ago: float, **traits: Any) -> Event:
    return event("Identify", days_ago, kind="identify", traits=traits)


def test_the_newest_declaration_wins_whatever_the_order_of_arrival(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [identify(1, firstName="Anna", plan="gold")], [7], batch=1)
    take_in(workspace, conn, [identify(9, firstName="Ania", city="Łódź", plan="free")], [8], batch=2)
    take_in(workspace, conn, [identify(5, firstName="Hania"), identify(0, plan=None)], [7, 7], batch=3)
    assert profile.profiles_of(conn, {7: [7, 8]})[7] == {"first_name": "Anna", "city": "Łódź"}
    shown = {one.trait.key: one for one in profile.profile_of(conn, workspace.warehouse, 7, [7, 8], NOW, ZONE).traits}
    assert shown["first_name"].trait.source == "1"
    assert "19 lis 2026" in shown["first_name"].why.pl
    assert "plan" not in shown


def test_sessions_remembered_between_batches_are_those_that_are_stored(workspace: Workspace, conn: Connection) -> None:
    chance, memory = random.Random(4), profile.SessionMemory()
    for batch in range(1, 12):
        at = [chance.randrange(-600, 0) / 1_440 for _ in range(6)]
        events, who = [event("Played", days) for days in at], [chance.randrange(4) for _ in at]
        fast = profile.enrich(conn, events, [100 + one for one in who], profile.Numbers(batch, 1, ZONE), memory)
        if batch % 3 == 0:
            memory = profile.SessionMemory()
        stored = profile.enrich(conn, events, [200 + one for one in who], profile.Numbers(batch, 1, ZONE))
        places = [table.tables["events"]["session_id"].to_pylist() for table in (fast, stored)]
        assert len(set(zip(*places, strict=True))) == len(set(places[0])) == len(set(places[1]))


def test_sessions_go_on_over_batches(workspace: Workspace, conn: Connection) -> None:
    minutes = (0, 10, 45, 100)
    for batch, minute in enumerate(minutes, 1):
        take_in(workspace, conn, [event("Played", -minute / 1_440)], [7], batch)
    sessions = [one.session_id for one in profile.past.timeline(workspace.warehouse, 7)]
    assert sessions[3] == sessions[2] != sessions[1] != sessions[0]
    late = profile.enrich(conn, [event("Played", -20 / 1_440)], [7], profile.Numbers(9, 9_000, ZONE))
    assert late.tables["events"]["session_id"].to_pylist() == [sessions[1]]


def test_the_timeline_goes_back_page_by_page(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [event("Played", days, properties={"days": days, "email": "anna@example.pl"}) for days in (3, 1, 2, 2)], [7] * 4)
    first = profile.past.timeline(workspace.warehouse, 7, limit=2)
    rest = profile.past.timeline(workspace.warehouse, 7, (first[-1].occurred_at, first[-1].event_id))
    assert [one.properties["days"] for one in first + rest] == [1, 2, 2, 3]
    assert all(one.occurred_at.tzinfo is UTC for one in first)
    assert "anna" not in repr(first + rest)


def test_the_latest_events_are_the_last_taken_in(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [event("Played", 9), event("Paused", 50)], [7, 8])
    newest = profile.past.latest_events(workspace.warehouse)
    assert [(one.name, one.person_id) for one in newest] == [("Paused", 8), ("Played", 7)]
    assert profile.past.latest_events(workspace.warehouse, after_event_id=newest[0].event_id) == []


def test_volumes_count_events_and_people_since_a_moment(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [event("Played", 1), event("Played", 2), event("Paused", 3), event("Played", 99)], [7, 8, 7, 7])
    found = profile.past.event_volumes(workspace.warehouse, NOW - timedelta(days=30))
    assert [(one.name, one.count, one.people) for one in found] == [("Played", 2, 2), ("Paused", 1, 1)]
    assert found[0].last_at == NOW - timedelta(days=1)


def test_nul_characters_and_quotes_stay_harmless(workspace: Workspace, conn: Connection) -> None:
    odd = 'a\0b\\u0000"\\\t\n\N{ESCAPE}ż'
    landing = {"url": "https://shop.example/?utm_source=a%00b", "referrer": ""}
    take_in(workspace, conn, [order(odd, 1.0, 1, category=odd), order("A2", 1.0, 1, category=odd), order("A3", 1.0, 1, category=odd), identify(0, **{odd: odd}), event("Page Viewed", 0, kind="page", properties=landing)], [7] * 5)
    profile.refresh(conn, workspace.warehouse, [7], NOW)
    assert profile.profiles_of(conn, [7])[7]["favourite_categories"] == [odd.replace("\0", "")]


def test_a_person_gets_everything_out_and_nothing_stays_after_erasure(workspace: Workspace, conn: Connection) -> None:
    take_in(workspace, conn, [order("A1", 100.0, 30), identify(1, firstName="Anna")], [7, 8])
    profile.refresh(conn, workspace.warehouse, [7], NOW)
    held = profile.export_person(conn, [7, 8])
    assert held["declared_traits"][0]["value"] == "Anna"
    assert held["computed_facts"][0]["facts"]["orders"] == 1
    assert profile.erase_person(conn, [7, 8]) == 4
    assert not any(profile.export_person(conn, [7, 8]).values())
