"""The simulated shop: the same seed gives the same bytes, and its truth holds in its stream."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo.population import people
from demo.simulator import BROKEN, Simulation, simulate, write_history
from demo.truth import load_truth
from demo.visits import WARSAW

START = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop() -> Simulation:
    return simulate(7, START, days=30, population=150)


def usable(shop: Simulation) -> list[Any]:
    broken = [event for _, event in BROKEN]
    return [sent for sent in shop.stream if sent.event not in broken]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    files = []
    for number, seed in enumerate((7, 7, 8)):
        files.append(tmp_path / f"{number}.gz")
        write_history(simulate(seed, START, days=5, population=40).stream, files[-1])
    first, second, other = (file.read_bytes() for file in files)
    assert first == second
    assert first != other


def test_a_longer_run_has_the_same_people() -> None:
    assert people(7, 30) == people(7, 60)[:30]


def test_true_orders_are_in_the_stream_once_or_as_known_repeats(shop: Simulation) -> None:
    sent = {item.event["messageId"]: item.event for item in usable(shop) if item.event.get("event") == "Order Completed"}
    assert {event["properties"]["order_id"]: round(event["properties"]["total"] * 100) for event in sent.values()} == {
        key: order.total for key, order in shop.truth.orders.items()
    }


def test_products_of_an_order_and_shipping_make_its_total(shop: Simulation) -> None:
    for item in usable(shop):
        if item.event.get("event") == "Order Completed":
            facts = item.event["properties"]
            assert round(sum(line["price"] * line["quantity"] for line in facts["products"]) + facts["shipping"], 2) == facts["total"]


def test_refunds_in_truth_are_those_in_the_stream(shop: Simulation) -> None:
    sent = {item.event["messageId"]: item.event["properties"] for item in usable(shop) if item.event.get("event") == "Order Refunded"}
    assert sum(round(facts["total"] * 100) for facts in sent.values()) == sum(order.refunded for order in shop.truth.orders.values())


def test_the_last_word_on_marketing_is_the_truth(shop: Simulation) -> None:
    said: dict[str, bool] = {}
    for item in usable(shop):
        consents = item.event["context"].get("consent", {}).get("categoryPreferences", {})
        if "marketing_email" in consents:
            said[item.event["context"]["traits"]["email"]] = consents["marketing_email"]
    assert said == {person.email: person.marketing_email for person in shop.truth.people.values() if person.marketing_email is not None}
    assert set(said.values()) == {True, False}


def test_repeats_and_broken_events_are_counted(shop: Simulation) -> None:
    ids = Counter(item.event["messageId"] for item in usable(shop))
    assert sum(count - 1 for count in ids.values()) == shop.truth.duplicates > 0
    assert len(shop.stream) - len(usable(shop)) == shop.truth.broken > 0
    assert len(ids) == shop.truth.events + shop.truth.without_consent


def test_devices_in_the_stream_belong_to_their_people(shop: Simulation) -> None:
    owners = {device: person for person in shop.truth.people.values() for device in person.own_devices}
    for item in usable(shop):
        device, user = item.event.get("anonymousId"), item.event.get("userId")
        if user and device in owners:
            assert owners[device].user_id == user


def test_people_on_a_shared_tablet_sign_in_before_anything_else(shop: Simulation) -> None:
    tablets = {device for person in shop.truth.people.values() for device in person.shared_devices}
    assert tablets
    for item in usable(shop):
        if item.event.get("anonymousId") in tablets and item.event["type"] == "page":
            assert "userId" in item.event


def test_every_address_belongs_to_nobody(shop: Simulation) -> None:
    assert all(person.email.endswith(("@example.com", ".test")) for person in shop.truth.people.values())


def test_the_shop_sleeps_at_night_in_warsaw(shop: Simulation) -> None:
    hours = Counter(item.at.astimezone(WARSAW).hour for item in shop.stream if "Googlebot" not in item.user_agent and "Headless" not in item.user_agent)
    assert sum(hours[hour] for hour in range(1, 6)) < 0.1 * sum(hours[hour] for hour in range(17, 22))


def test_the_stream_is_in_order_and_within_its_days(shop: Simulation) -> None:
    times = [item.at for item in shop.stream]
    assert times == sorted(times)
    assert times[0] >= START and times[-1] < START + timedelta(days=30)


def test_truth_survives_its_file(shop: Simulation, tmp_path: Path) -> None:
    shop.truth.save(tmp_path / "truth.json")
    assert load_truth(tmp_path / "truth.json") == shop.truth
