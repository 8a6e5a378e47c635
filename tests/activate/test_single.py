"""Messages to one person: once for a key, whatever happens; held back by a dead address and by nothing that is for marketing."""

from typing import Any

import pytest

from cegla import trail
from cegla.activate import actions as activate
from cegla.govern import actions as govern
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import MessageKeyUsed, TemplateInvalid
from tests.activate.conftest import Shop

MJML = """<mjml><mj-body><mj-section><mj-column><mj-text>Zamówienie {{ data.order_id }} przyjęte, {{ person.first_name | default: "dzień dobry" }}.
{% for line in data.lines %}{{ line.name }}: {{ line.price | money }}{% endfor %}</mj-text></mj-column></mj-section></mj-body></mjml>"""
DATA = {"order_id": "A-1", "lines": [{"name": "Kubek <biały>", "price": 39.9}]}


@pytest.fixture
def template(shop: Shop) -> str:
    shop.person("anna", marketing_email=False)
    shop.take_in()
    with shop.ws.transaction() as conn:
        activate.single.save_template(conn, {"name": "order", "subject": "Zamówienie {{ data.order_id }}", "mjml": MJML}, shop.now)
    return "order"


def ask(shop: Shop, template: str, key: str = "k1", **changed: Any) -> activate.single.Asked:
    with shop.ws.transaction() as conn:
        return activate.single.send(conn, {"template": template, "to": "anna@example.pl", "key": key, "data": DATA} | changed, shop.now)


def test_a_confirmation_leaves_though_its_reader_refused_marketing_and_a_retry_sends_nothing(shop: Shop, template: str) -> None:
    first = ask(shop, template)
    assert (first.state, first.again) == ("decided", False)
    shop.deliver(2)
    again = ask(shop, template)
    assert (again.id, again.state, again.again) == (first.id, "sent", True)
    shop.deliver(2)
    letter = shop.postbox.letter("anna@example.pl")
    assert letter["Subject"] == "Zamówienie A-1" and letter["List-Unsubscribe"] is None
    html = letter.get_body(("html",))
    assert html is not None
    assert "Anna" in html.get_content() and "Kubek &lt;biały&gt;: 39,90\u00a0zł" in html.get_content()


def test_one_person_may_get_several_under_several_keys_from_the_versions_they_were_asked_of(shop: Shop, template: str) -> None:
    ask(shop, template)
    with shop.ws.transaction() as conn:
        activate.single.save_template(conn, {"name": template, "subject": "Nowy temat", "mjml": MJML}, shop.now)
    ask(shop, template, "k2", data={})
    shop.deliver(3)
    assert shop.postbox.recipients == ["anna@example.pl"] * 2
    subjects = [content.split(b"Subject: ")[1].split(b"\r\n")[0] for _, content in shop.postbox.letters]
    assert subjects[1] == b"Nowy temat" != subjects[0]


def test_a_link_that_the_shop_gave_for_one_message_goes_as_it_is_and_is_kept_nowhere(shop: Shop, template: str) -> None:
    shop.person("anna", email_tracking=True)
    shop.take_in()
    links = '<a href="{{ data.way }}">Hasło</a><a href="https://sklep.example/pomoc">Pomoc</a>'
    with shop.ws.transaction() as conn:
        activate.single.save_template(conn, {"name": template, "subject": "Hasło", "mjml": MJML.replace("{% for", links + "{% for")}, shop.now)
    ask(shop, template, data={"way": "https://sklep.example/haslo/TAJNE?a=1&b=2"})
    shop.deliver(2)
    html = shop.postbox.letter("anna@example.pl").get_body(("html",))
    assert html is not None and 'href="https://sklep.example/haslo/TAJNE?a=1&amp;b=2"' in html.get_content()
    with shop.ws.transaction() as conn:
        assert [url for (url,) in conn.execute("select url from activate.links").fetchall()] == ["https://sklep.example/pomoc"]


def test_a_message_stays_in_the_trace_of_its_call_and_so_does_what_becomes_of_it(shop: Shop, template: str) -> None:
    known, unknown = (f"00-{sign * 32}-00f067aa0ba902b7-01" for sign in "ab")
    with shop.ws.transaction() as conn:
        asked = activate.single.send(conn, {"template": template, "to": "anna@example.pl", "key": "k", "data": DATA}, shop.now, known)
        activate.single.send(conn, {"template": template, "to": "nobody@example.pl", "key": "k2", "data": DATA}, shop.now, unknown)
    ask(shop, template, "k3")
    for _ in range(2):  # the stranger is known after the first
        shop.deliver(3)
        shop.take_in()
    found = trail.find_trace(shop.ws, "a" * 32)
    assert ([one.id for one in found.messages], [row.name for row in found.history]) == ([asked.id], ["Email Sent"])
    assert {row.name for row in trail.find_trace(shop.ws, "b" * 32).history} == {"Identify", "Email Sent"}


def test_a_key_stands_for_one_message(shop: Shop, template: str) -> None:
    ask(shop, template)
    with pytest.raises(MessageKeyUsed):
        ask(shop, template, data={"order_id": "A-2"})


def test_a_dead_address_gets_nothing_and_a_complaint_stops_no_order(shop: Shop, template: str) -> None:
    with shop.ws.transaction() as conn:
        govern.suppress(conn, shop.ws.keys, "anna@example.pl", Channel.EMAIL, "complained", shop.now)
    ask(shop, template, "complained")
    shop.deliver(2)
    with shop.ws.transaction() as conn:
        govern.suppress(conn, shop.ws.keys, "anna@example.pl", Channel.EMAIL, "bounced", shop.now)
    shop.pass_time(seconds=1)
    ask(shop, template, "bounced")
    shop.deliver(2)
    assert ask(shop, template, "complained").state == "sent"
    assert (ask(shop, template, "bounced").state, ask(shop, template, "bounced").reason) == ("skipped", "suppressed")


def test_a_stranger_becomes_known_and_gets_it_and_can_be_forgotten(shop: Shop, template: str) -> None:
    ask(shop, template, to="Nowa@Example.pl")
    shop.deliver(2)
    assert shop.postbox.recipients == []
    rounds = [activate.deliver(shop.ws, shop.now, shop.outlet).more for _ in range(3)]
    assert not all(rounds), "a sender that waits for somebody rests meanwhile"
    shop.pass_time(seconds=2)
    shop.take_in()
    shop.deliver(2)
    assert [address.lower() for address in shop.postbox.recipients] == ["nowa@example.pl"]
    with shop.ws.transaction() as conn:
        (row,) = [row for row in activate.messages_of(conn) if row.address]
        assert row.identity_id is not None and row.person_id > 0
        assert [one["given"] for one in activate.export_person(conn, [row.identity_id])["messages"]] == [DATA]
        activate.erase_person(conn, [row.identity_id])
        assert conn.execute("select address, given from activate.messages").fetchall() == [(None, None)]


def test_what_cannot_be_sent_is_said_at_once(shop: Shop, template: str) -> None:
    with pytest.raises(InvalidInput):
        ask(shop, template, to="nobody")
    for broken in ({"data": {"a": "\0"}}, {"data": {"a": float("nan")}}, {"data": {"\ud800": 1}}, {"key": "k\0"}):
        with pytest.raises(InvalidInput):
            ask(shop, template, **broken)
    with pytest.raises(NotFound):
        ask(shop, "other")
    with pytest.raises(TemplateInvalid), shop.ws.transaction() as conn:
        activate.single.save_template(conn, {"name": "broken", "subject": "x", "mjml": MJML.replace("endfor", "endif")}, shop.now)


def test_templates_are_no_campaigns(shop: Shop, template: str) -> None:
    with shop.ws.transaction() as conn:
        assert activate.campaigns(conn) == [] and [one.name for one in activate.single.templates(conn)] == [template]
