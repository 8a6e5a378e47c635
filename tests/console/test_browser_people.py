"""The pages about who is who in a real browser: a person with links and facts, two likely duplicates, traits, an account; with axe, on desk and phone."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from cegla.collect import actions as collect
from cegla.defining import correct, define_traits, rank_sources
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.night import look_for_duplicates
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from tests.console.conftest import PASSWORD, console_served
from tests.console.test_browser import LOOKS, WIDER, Seat, browser, pytestmark

__all__ = ["browser", "pytestmark"]

TRAITS = "traits:\n  orders_90d: {label: {pl: Zamówienia w 90 dni, en: Orders in 90 days}, compute: count, event: Order Completed, days: 90}\n"
PATHS = (
    "/people/1", "/people/1/links", "/links/1/undo", "/people/1/timeline?kind=track", "/people/1/timeline", "/duplicates", "/duplicates/1", "/traits", "/traits/new", "/traits/orders_90d/edit", "/accounts", "/accounts/1",
    "/identity",
)  # fmt: skip

OPEN_ALL = "() => document.querySelectorAll('main details').forEach(one => { one.open = true })"


def told(ws: Workspace, source: int, *calls: dict[str, Any]) -> None:
    at = ws.clock().isoformat()
    with ws.transaction() as conn:
        bodies = [json.dumps({"timestamp": at, "messageId": f"m{source}-{number}", **one}).encode() for number, one in enumerate(calls)]
        collect.write_down(conn, source, bodies, ws.clock())


@pytest.fixture
def address(workspace: Workspace) -> Generator[str]:
    """A console over two people who are likely one, one of them with a refused link, an order, a corrected trait and a company."""
    gosia = {"first_name": "Małgorzata", "last_name": "Święcka", "phone": "+48600900100", "city": "Kraków", "birthday": "1980-05-05"}
    with workspace.transaction() as conn:
        govern.set_password(conn, "test-administrator", PASSWORD, workspace.clock(), role="administrator")
        crm, _ = collect.add_source(conn, "CRM", "server", Basis.CONTRACT, workspace.clock())
        shop, _ = collect.add_source(conn, "Sklep", "server", Basis.CONTRACT, workspace.clock())
    told(
        workspace, crm.id, {"type": "identify", "userId": "u1", "anonymousId": "b1", "traits": {**gosia, "email": "gosia@example.pl", "plan": "gold"}},
        {"type": "identify", "userId": "u1", "traits": {"email": "m.swiecka@example.pl"}},
        {"type": "track", "event": "Order Completed", "userId": "u1", "properties": {"order_id": "o1", "total": 129.9, "currency": "PLN"}},
        {"type": "group", "userId": "u1", "groupId": "acme", "context": {"membership": {"role": "kupiec"}}, "traits": {"name": "ACME Łódź", "seats": 25}},
    )  # fmt: skip
    told(
        workspace, shop.id, {"type": "identify", "userId": "u2", "traits": {**gosia, "first_name": "Gosia", "last_name": "Swiecka"}},
        {"type": "track", "event": "Product Viewed", "userId": "u2", "anonymousId": "b1"}, {"type": "page", "userId": "u1", "name": "Start"},
    )  # fmt: skip
    Intake(workspace).drain()
    define_traits(workspace, segment.computed.read(TRAITS), "test")
    rank_sources(workspace, [crm.id], "test")
    correct(workspace, 1, "city", "Łódź", "test")
    look_for_duplicates(workspace, workspace.clock())
    with workspace.transaction() as conn:
        assert match.proposals(conn), "the control: there is a pair to compare"
    with console_served(workspace) as served:
        yield served


def test_pages_about_who_is_who_are_accessible_and_fit(browser: Any, address: str) -> None:
    wrong: list[str] = []
    for look in LOOKS:
        seat = Seat(browser, address, look)
        seat.sign_in()
        for path in PATHS:
            answer = seat.page.goto(address + path)
            if answer.status != 200:
                wrong.append(f"{path} {answer.status}")
            seat.page.evaluate(OPEN_ALL)
            wrong += [f"{path} {look} {rule}" for rule in seat.broken_rules()]
            if seat.page.evaluate(WIDER) > 0:
                wrong.append(f"{path} {look} scrolls sideways")
        wrong += seat.heard
        seat.context.close()
    assert not wrong
