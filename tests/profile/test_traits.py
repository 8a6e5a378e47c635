"""Traits: the same for a few people and for everybody, with words for every one of them."""

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cegla.profile.rules.enrichment import Batch, enriched_tables
from cegla.profile.rules.facts import document, facts
from cegla.profile.rules.memory import Memory
from cegla.profile.rules.sentences import ago, shown_country, shown_money, why
from cegla.profile.rules.sessions import Sessions
from cegla.profile.rules.traits import BY_KEY, TRAITS, TraitRow, readable, trait_columns
from cegla.reference.library import Library
from cegla.storage.warehouse import Warehouse, history
from cegla.vocabulary.events import Event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Warsaw")
WORLD = Library()
AGENTS = ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", "Mozilla/5.0 (Windows NT 10.0) Firefox/143.0", "Googlebot/2.1")

deeds = st.tuples(
    st.integers(1, 6), st.integers(0, 60 * 24 * 60), st.sampled_from(["Page Viewed", "Product Viewed", "Order Completed", "Order Refunded"]), st.sampled_from(AGENTS),
    st.sampled_from(["PL", "DE", None]), st.sampled_from(["Kubki", "Noże", None]), st.integers(1, 3),
)  # fmt: skip
batches = st.lists(st.tuples(st.lists(deeds, max_size=12), st.lists(st.tuples(st.integers(2, 6), st.integers(1, 6)), max_size=2)), max_size=4)


def made(deed: Any) -> Event:
    _, minutes, name, agent, country, category, number = deed
    product = {"product_id": f"p{number}", "name": f"Produkt {number}", "category": category, "price": number, "quantity": 1}
    properties = {"products": [product], "order_id": f"o{number}", "currency": "PLN"} if name.startswith("Order") else product
    at = NOW - timedelta(minutes=minutes)
    context = {"userAgent": agent, "locale": "pl", "location": {"country": country}}
    return Event(source_id=1, message_id="m", kind="page" if name == "Page Viewed" else "track", name=name, occurred_at=at, received_at=at, properties=properties, context=context)


def documents(warehouse: Warehouse, people: list[int] | None) -> dict[int, str]:
    if people is None:
        found = warehouse.run(document(facts(history("events"), history("order_lines"))))
    else:
        with warehouse.people(people) as asked:
            found = warehouse.run(document(facts(history("events", asked), history("order_lines", asked))))
    return dict(zip(found["person_id"].to_pylist(), found["document"].to_pylist(), strict=True))


@settings(max_examples=12, deadline=None)
@given(batches=batches)
def test_facts_of_the_people_each_batch_touched_equal_a_full_run(batches: Any) -> None:
    owner = {identity: identity for identity in range(1, 7)}
    sessions, kept = Sessions({}), dict[int, str]()
    with tempfile.TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder) / "w.duckdb")
        for number, (done, merged) in enumerate(batches, 1):
            events, identities = [made(deed) for deed in done], [deed[0] for deed in done]
            warehouse.append(enriched_tables(events, identities, Batch(number, number * 100, ZONE), sessions, Memory(WORLD)))
            before = dict(owner)
            owner |= {identity: min(owner[to], owner[identity]) for identity, to in merged}
            warehouse.set_people(owner.items())
            touched = {owner[identity] for identity in identities} | {person for identity in owner if owner[identity] != before[identity] for person in (owner[identity], before[identity])}
            kept = {person: text for person, text in kept.items() if person not in touched} | documents(warehouse, sorted(touched))
        assert kept == documents(warehouse, None)
        warehouse.close()


def test_a_trait_as_a_column_is_the_trait_of_one_person(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb")
    done = [(person, minute * 700 * person, name, AGENTS[person % 2], "PL", "Kubki", 1 + minute % 3) for person in (1, 2, 3) for minute, name in enumerate(["Page Viewed", "Order Completed"] * 3)]
    done += [(4, 5, "Page Viewed", AGENTS[0], None, None, 1), (5, 5, "Page Viewed", AGENTS[2], None, None, 1)]
    warehouse.append(enriched_tables([made(deed) for deed in done], [deed[0] for deed in done], Batch(1, 1, ZONE), Sessions({}), Memory(WORLD)))
    columns = {row["person_id"]: row for row in warehouse.run(trait_columns(facts(history("events"), history("order_lines")), NOW)).to_pylist()}
    assert sorted(columns) == [1, 2, 3, 4]  # the robot has no traits
    for person, text in documents(warehouse, None).items():
        known = readable(json.loads(text))
        for row in TRAITS:
            value, column = row.of(known, NOW, NOW).value, columns[person][row.key]
            column = column.replace(tzinfo=UTC) if isinstance(column, datetime) else column
            assert value == (pytest.approx(column) if isinstance(value, float) else column), row.key
    warehouse.close()


BUYER = {
    "events": 5, "deeds": 4, "visits": 4, "orders": 2, "payments": 3, "refunds": 1, "gross_micros": 30_000_000, "refunded_micros": -5_000_000, "money_currency": "PLN", "currencies": 1,
    "first_seen": NOW - timedelta(days=40), "last_seen": NOW - timedelta(days=1), "first_order": NOW - timedelta(days=40), "last_order": NOW - timedelta(days=1), "heat": 120.5,
    "categories": ["Kubki"], "category": "Kubki", "hour": 18, "device": "phone", "country": "PL", "language": "pl", "origin": "direct", "product": "Kubek",
    **{f"{name}_{what}": 4 for name in ("hour", "device", "country", "language", "origin", "category", "product") for what in ("hits", "of", "evidence")},
}  # fmt: skip


@pytest.mark.parametrize("row", TRAITS, ids=lambda row: row.key)
def test_every_trait_has_a_reason_in_both_languages(row: TraitRow) -> None:
    trait = row.of(BUYER, NOW, NOW)
    assert trait.value is not None
    assert 0 < trait.confidence <= 1
    said = why(row, trait, NOW, ZONE)
    assert said.pl != said.en
    assert "{" not in said.pl + said.en
    assert "None" not in said.pl + said.en


@pytest.mark.parametrize("row", TRAITS, ids=lambda row: row.key)
def test_without_evidence_a_trait_is_unknown_or_zero_and_says_so(row: TraitRow) -> None:
    trait = row.of({}, NOW, NOW)
    assert trait.value == row.otherwise
    assert trait.n_evidence == 0
    assert all(why(row, trait, NOW, ZONE))


def test_two_sessions_are_too_little_for_a_usual_hour() -> None:
    trait = BY_KEY["usual_hour"].of({**BUYER, "hour_of": 2, "hour_hits": 2}, NOW, NOW)
    assert (trait.value, trait.confidence, trait.n_evidence) == (None, 0.0, 2)
    assert why(BY_KEY["usual_hour"], trait, NOW, ZONE) == ("Za mało danych: 2 z potrzebnych 3.", "Too little evidence: 2 of the 3 needed.")


def test_sums_of_different_currencies_are_half_trusted_and_say_so() -> None:
    trait = BY_KEY["monetary_micros"].of({**BUYER, "currencies": 2}, NOW, NOW)
    assert trait.confidence == 0.5
    assert "Different currencies (2)" in why(BY_KEY["monetary_micros"], trait, NOW, ZONE).en


def test_engagement_fades_by_itself() -> None:
    row = BY_KEY["engagement"]
    values = [row.of(BUYER, NOW, NOW + timedelta(days=days)).value for days in (0, 21, 42, 400)]
    assert values == sorted(values, reverse=True)
    assert 0 < values[-1] < 1


def test_amounts_moments_and_countries_are_shown_as_people_write_them() -> None:
    assert shown_money(1_234_567_890_000, "PLN", "pl") == "1 234 567,89 PLN"
    assert shown_money(1_234_567_890_000, None, "en") == "1,234,567.89"
    assert ago(NOW - timedelta(hours=23), NOW) == ("dzisiaj", "today")
    assert ago(NOW - timedelta(days=1), NOW) == ("wczoraj", "1 day ago")
    assert (shown_country("DE", "pl"), shown_country("DE", "en"), shown_country("XX", "en")) == ("Niemcy", "Germany", "XX")
