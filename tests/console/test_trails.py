"""An event on its page: found by its id, hidden until somebody says why, and the reveal is noted."""

from collections.abc import Callable
from typing import Any

from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace

ADDRESS = "osoba1@example.pl"


def found(visitor: Any, **fields: str) -> Any:
    return visitor.post("/events/find", "/events/find", **fields)


def test_a_message_id_leads_to_its_event_and_on_to_the_person(admin: Any) -> None:
    answer = found(admin, id="m-1-identify-3", what="message")
    assert answer.status_code == 303
    page = admin.get(answer.headers["location"]).text
    assert "jest w historii" in page
    assert 'href="/people/' in page
    assert "Podało cechy" in page


def test_what_came_is_hidden_until_somebody_says_why_and_that_is_noted(admin: Any, shop: Workspace) -> None:
    address = found(admin, id="m-1-identify-3", what="message").headers["location"]
    assert ADDRESS not in admin.get(address).text
    assert admin.post(address, address).status_code == 422
    assert ADDRESS in admin.post(address, address, why="reklamacja 12").text
    with shop.transaction() as conn:
        row = next(row for row in govern.audit(conn) if row.action == "event.reveal")
        assert row.detail["why"] == "reklamacja 12"
        assert govern.first_broken_audit(conn) is None
        assert conn.execute("select count(*) from govern.audit where action = 'event.reveal' and detail ? 'why'").fetchone() == (0,), "words of people are no part of the chain"


def test_who_may_not_see_personal_data_cannot_reveal(visitors: Callable[..., Any], admin: Any) -> None:
    address = found(admin, id="m-1-identify-3", what="message").headers["location"]
    engineer = visitors("engineer")
    assert engineer.get(address).status_code == 200
    assert engineer.post("/settings", address, why="x").status_code == 403


def test_a_quarantined_event_and_a_batch_are_found_by_number(admin: Any, shop: Workspace) -> None:
    with shop.transaction() as conn:
        source = next(one for one in collect.sources(conn) if one.kind == "server")
        collect.write_down(conn, source.id, [b'{"type": "nonsense", "userId": "u1", "messageId": "broken-trail"}'], shop.clock())
    Intake(shop).drain()
    assert "nieznany typ zdarzenia" in admin.get(found(admin, id="broken-trail").headers["location"]).text
    assert found(admin, id="q1", what="quarantine").headers["location"] == "/events/q1"
    assert "/events/e1" in found(admin, id="1", what="batch").text


def test_everything_of_a_trace_is_found_by_its_id_or_its_header(admin: Any, shop: Workspace) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    with shop.transaction() as conn:
        source = next(one for one in collect.sources(conn) if one.kind == "server")
        body = b'{"type": "track", "event": "Traced", "userId": "u1", "messageId": "traced", "context": {"traceparent": "00-%b-00f067aa0ba902b7-01"}}'
        collect.write_down(conn, source.id, [body % trace.encode()], shop.clock())
    Intake(shop).drain()
    for text in (trace, f"00-{trace}-00f067aa0ba902b7-01"):
        page = found(admin, id=text, what="trace").text
        assert "Traced" in page and "/events/e" in page
    assert trace in admin.get(page.partition('href="/events/e')[2].partition('"')[0].join(["/events/e", ""])).text
    assert "Nie ma takiego zdarzenia" in found(admin, id="f" * 32, what="trace").text


def test_what_is_not_there_is_said_not_to_be(admin: Any) -> None:
    assert "Nie ma takiego zdarzenia" in found(admin, id="no-such-id").text
    assert found(admin, id="999999", what="event").status_code == 404
