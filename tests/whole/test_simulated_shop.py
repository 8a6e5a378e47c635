"""The simulated shop through the whole river: what Cegla knows in the end is what is true."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.repair import actions as repair
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.identifiers import Identifier
from demo.installation import SOURCES
from demo.simulator import Simulation, simulate
from demo.truth import TruePerson

START = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 21
pytestmark = pytest.mark.whole


@pytest.fixture
def shop() -> Simulation:
    return simulate(7, START, DAYS, population=120)


@pytest.fixture
def ws(workspace: Workspace, shop: Simulation) -> Workspace:
    """A workspace that took in the shop's whole stream."""
    now = START + timedelta(days=DAYS)
    workspace.clock = lambda: now
    with workspace.transaction() as conn:
        keys = {place: collect.add_source(conn, name, kind, Basis(basis), now)[0].id for place, (name, kind, basis) in SOURCES.items()}
        for start in range(0, len(shop.stream), 100):
            for place, key in keys.items():
                if events := [sent.event for sent in shop.stream[start : start + 100] if sent.place == place]:
                    collect.write_down(conn, key, [msgspec.json.encode({"batch": events})], now)
    Intake(workspace).drain()
    return workspace


def person_of(ws: Workspace, person: TruePerson) -> int | None:
    with ws.transaction() as conn:
        return resolve.look_up(conn, [Identifier("email", person.email)])[0]


def test_every_event_is_accounted_for(ws: Workspace, shop: Simulation) -> None:
    with ws.transaction() as conn:
        standings = collect.standing(conn)
        reasons = Counter(str(row.reason) for row in repair.listed(conn, limit=10_000))
    assert all(one.adds_up for one in standings)
    assert sum(one.applied for one in standings) == shop.truth.events
    assert sum(one.repeated for one in standings) == shop.truth.duplicates
    assert reasons.pop("no_consent") == shop.truth.without_consent
    assert reasons.total() == shop.truth.broken


def test_people_and_their_orders_are_the_true_ones(ws: Workspace, shop: Simulation) -> None:
    true = Counter(order.person for order in shop.truth.orders.values())
    buyers = [shop.truth.people[number] for number in true]
    found = [person_of(ws, person) for person in buyers]
    assert len(set(found)) == len(buyers)
    with ws.transaction() as conn:
        profiles = profile.profiles_of(conn, [person for person in found if person is not None])
    counted = {person.number: profiles[key]["order_count"] for person, key in zip(buyers, found, strict=True) if key is not None}
    assert counted == dict(true)


def test_the_gate_says_what_people_last_said(ws: Workspace, shop: Simulation) -> None:
    asked = [person for person in shop.truth.people.values() if person.marketing_email is not None]
    people = [person_of(ws, person) or 0 for person in asked]
    with ws.transaction() as conn:
        known = resolve.identifiers_of(conn, people)
        subjects = [govern.Subject(key, tuple(one.identity_id for one in known[key]), person.email) for key, person in zip(people, asked, strict=True)]
        verdicts = govern.allowed(conn, ws.keys, subjects, "marketing", Channel.EMAIL, ws.clock())
    assert [verdict.allowed for verdict in verdicts] == [person.marketing_email for person in asked]
