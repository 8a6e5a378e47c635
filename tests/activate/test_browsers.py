"""Web push to a push service of the test's own, which opens what it gets as the browser would."""

import json
import socket
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cegla.activate import actions as activate
from cegla.activate.rules import push
from cegla.analyse import actions as analyse
from cegla.http import outward
from cegla.resolve import actions as resolve
from cegla.storage.settings import Settings
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.channels import SubscriptionRefused, WordsMissing
from cegla.vocabulary.identifiers import Identifier
from tests.activate.conftest import Shop
from tests.activate.gateway import Gateway, listening

SECRET = b"s" * 16


@pytest.fixture
def service() -> Generator[Gateway]:
    with listening() as found:
        found.says = lambda heard: (201, {}, b"")
        yield found


@pytest.fixture
def settings(settings: Settings, service: Gateway) -> Settings:
    return settings.model_copy(update={"outbound": settings.outbound.model_copy(update={"private_hosts": (f"127.0.0.1:{service.port}",)})})


def visitor(shop: Shop, service: Gateway, user: str, *browsers: str, agreed: bool = True) -> ec.EllipticCurvePrivateKey:
    """A customer who uses these browsers, each of them subscribed under one key."""
    key = ec.generate_private_key(ec.SECP256R1())
    consent = {"context": {"consent": {"categoryPreferences": {"marketing_push": agreed}}}}
    shop.tell(*({"type": "identify", "userId": user, "anonymousId": browser, "traits": {"first_name": user.title()}, **consent} for browser in browsers))
    shop.tell({"type": "track", "event": "Order Completed", "userId": user, "properties": {"order_id": f"o-{user}", "total": 120, "currency": "PLN"}})
    shop.take_in()
    public = key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    for browser in browsers:
        with shop.ws.transaction() as conn:
            identity = resolve.links.identity_of(conn, Identifier("anonymous_id", browser))
            assert identity is not None
            wanted = activate.browsers.read(f"http://127.0.0.1:{service.port}/{browser}", push.encoded(public), push.encoded(SECRET))
            activate.browsers.subscribe(conn, identity, wanted, shop.now)
    return key


def launched(shop: Shop, **draft: Any) -> int:
    words = {"channel": "push", "subject": "Cześć {{ person.first_name }}", "text": "Nowości już są", "url": "https://sklep.example/nowosci", "mjml": ""}
    campaign = shop.campaign(**(words | draft))
    activate.launch(shop.ws, campaign.id)
    return campaign.id


def states(shop: Shop, campaign: int) -> list[str]:
    with shop.ws.transaction() as conn:
        rows = activate.messages_of(conn, campaign_id=campaign)
    return sorted(row.reason.value if row.reason else row.state.value for row in rows)


def test_a_push_message_is_closed_for_the_browser_signed_with_our_key_and_told_as_an_event(shop: Shop, service: Gateway) -> None:
    key = visitor(shop, service, "anna", "browser-of-anna-000001")
    visitor(shop, service, "bartek", "browser-of-bartek-0001", agreed=False)
    campaign = launched(shop)
    shop.deliver(2)
    assert states(shop, campaign) == ["no_consent" if "no_consent" in states(shop, campaign) else "withdrawn", "sent"]
    (heard,) = service.heard
    told = opened(heard, key)
    link = told.pop("url")
    assert told == {"title": "Cześć Anna", "body": "Nowości już są", "tag": f"c{campaign}"}
    assert activate.open_link(shop.ws, link.rpartition("/r/")[2]) == "https://sklep.example/nowosci"
    assert heard.headers["content-encoding"] == "aes128gcm" and heard.headers["ttl"] == "86400" and heard.headers["urgency"] == "normal"
    assert heard.headers["topic"] == f"c{campaign}"
    with shop.ws.transaction() as conn:
        public = activate.pushing.public_key(conn, shop.ws.keys, shop.now)
    assert heard.headers["authorization"].endswith(f"k={public}") and len(push.decoded(public)) == 65
    assert len(shop.events("Push Sent")) == 1 and not shop.events("Email Sent")


def opened(heard: Any, key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    return json.loads(http_ece.decrypt(heard.body, private_key=key, auth_secret=SECRET, version="aes128gcm"))


def test_clicks_on_notifications_are_somebodys_only_where_that_was_agreed_to(shop: Shop, service: Gateway) -> None:
    keys = [visitor(shop, service, user, f"browser-of-{user}-000001") for user in ("anna", "bartek")]
    agreed = {"context": {"consent": {"categoryPreferences": {"marketing_push": True, "push_tracking": True}}}}
    shop.tell({"type": "identify", "userId": "bartek", "anonymousId": "browser-of-bartek-000001", **agreed})
    shop.take_in()
    campaign = launched(shop)
    shop.deliver(2)
    by_path = {heard.path.split("-")[2]: heard for heard in service.heard}
    tokens = [opened(by_path[user], key)["url"].rpartition("/r/")[2] for user, key in zip(("anna", "bartek"), keys, strict=True)]
    for token in tokens:
        assert activate.open_link(shop.ws, token, agent="Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/141") == "https://sklep.example/nowosci"
        activate.open_link(shop.ws, token, count=False)
        with pytest.raises(NotFound):
            activate.open_link(shop.ws, f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}")
    activate.open_link(shop.ws, tokens[0], agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    shop.take_in()
    with shop.ws.transaction() as conn:
        assert [(url, clicks) for _, url, clicks in activate.reporting.links(conn, campaign)] == [("https://sklep.example/nowosci", 1)]
    assert len(shop.events("Push Link Clicked")) == 1
    report = analyse.campaign_report(shop.ws, campaign, shop.now)
    assert (report.clicked, report.clicks) == (1, 1)


def test_a_browser_that_is_gone_is_forgotten_and_the_persons_other_one_is_written_to_next_time(shop: Shop, service: Gateway) -> None:
    visitor(shop, service, "anna", "browser-of-anna-000001", "browser-of-anna-000002")
    service.says = lambda heard: (410 if heard.path.endswith("2") else 201, {}, b"")
    first = launched(shop)
    shop.deliver(2)
    assert states(shop, first) == ["bounced"]
    with shop.ws.transaction() as conn:
        browsers = {f"browser-of-anna-00000{number}" for number in (1, 2)}
        known = {resolve.links.identity_of(conn, Identifier("anonymous_id", browser)): {"anonymousId": browser} for browser in browsers}
        assert activate.browsers.names_of(conn, [one for one in known if one]) == known, "each by its own id, not by another of the person's"
        assert sum(activate.browsers.counted(conn).values()) == 1
        activate.set_limits(conn, "push", activate.Limits(0), shop.now)
    second = launched(shop)
    shop.deliver(2)
    assert states(shop, second) == ["sent"] and service.heard[-1].path.endswith("1")
    service.says = lambda heard: (429, {"Retry-After": "60"}, b"")
    third = launched(shop)
    shop.deliver(2)
    assert states(shop, third) == ["decided"]
    service.says = lambda heard: None
    shop.pass_time(minutes=2)
    shop.deliver(2)
    assert states(shop, third) == ["ambiguous"]


def test_a_browser_that_names_a_push_service_that_is_none_holds_nobody_up(shop: Shop, service: Gateway) -> None:
    visitor(shop, service, "anna", "browser-of-anna-000001")
    visitor(shop, service, "mallory", "browser-of-mallory-001")
    with shop.ws.transaction() as conn:  # first in the outbox, and not a public address
        conn.execute("update activate.push_subscriptions set endpoint = 'https://127.0.0.1:1/x', host = '127.0.0.1:1' where endpoint like %s", ["%mallory%"])
    campaign = launched(shop)
    shop.deliver(2)
    assert states(shop, campaign) == ["decided", "sent"]
    with shop.ws.transaction() as conn:
        found = activate.campaign(conn, campaign)
        assert found.trouble is None and found.state == "sending"
    for _ in range(8):
        shop.pass_time(days=1)
        shop.deliver(1)
    assert states(shop, campaign) == ["failed", "sent"]


def test_a_push_service_that_trickles_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outward, "WHOLE_SECONDS", 0.2)

    def trickle(door: socket.socket) -> None:
        line, _ = door.accept()
        with line, suppress(OSError):
            line.recv(65_536)
            for letter in b"HTTP/1.1 201 Created\r\nX-Slow: " + b"." * 40 + b"\r\nContent-Length: 0\r\n\r\n":
                line.send(bytes([letter]))
                time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=trickle, args=[door], daemon=True).start()
        place = f"127.0.0.1:{door.getsockname()[1]}"
        with pytest.raises(outward.Unanswered):
            outward.Outward((place,)).post(f"http://{place}/", {}, b"x")


@pytest.mark.parametrize("endpoint", ["http://push.example/1", "https://gateway.lan/send", "https://GATEWAY.lan.:8443/x", "https://10.0.0.7:8025/", "https://["])
def test_a_visitors_browser_opens_no_way_to_the_hosts_that_the_settings_allow(endpoint: str) -> None:
    activate.browsers.refuse_private("https://push.example/1", ("gateway.lan", "10.0.0.7:8025"))
    with pytest.raises(SubscriptionRefused):
        activate.browsers.refuse_private(endpoint, ("gateway.lan", "10.0.0.7:8025"))


def test_subscriptions_and_words_that_are_none_are_refused_and_people_see_and_erase_theirs(shop: Shop, service: Gateway) -> None:
    for endpoint, public, secret in (("ftp://x", "A" * 87, "B" * 22), ("https://push.example/1", "A" * 87, "B" * 22), ("https://u:p@push.example/1", "B" + "A" * 86, "B" * 22)):
        with shop.ws.transaction() as conn, pytest.raises(SubscriptionRefused):
            activate.browsers.subscribe(conn, 1, activate.browsers.read(endpoint, public, secret), shop.now)
    visitor(shop, service, "anna", "browser-of-anna-000001")
    with pytest.raises(WordsMissing):
        shop.campaign(channel="push", subject="", text="x", mjml="")
    with pytest.raises(InvalidInput):
        shop.campaign(channel="push", subject="T", text="x", url="javascript:alert(1)", mjml="")
    with shop.ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", "anna")])[0]
        assert person is not None
        ids = resolve.links.identities_by_person(conn, [person])[person]
        assert len(activate.export_person(conn, ids)["browsers"]) == 1
        activate.erase_person(conn, ids)
        assert activate.browsers.counted(conn) == {}
