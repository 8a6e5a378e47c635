"""Text messages from the segment to the gateway and back: the same outbox, gate and promises as e-mail."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from cegla.activate import actions as activate
from cegla.activate.rules.gateways import answered
from cegla.activate.rules.replies import meaning
from cegla.activate.sending import Round
from cegla.activate.store import SQL
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.settings import Settings
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.channels import GatewayInvalid, ReceiptRefused, WordsMissing
from cegla.vocabulary.errors.messages import MailServerRefused
from cegla.vocabulary.identifiers import Identifier
from cegla.vocabulary.messages import MessageState
from tests.activate.conftest import Shop
from tests.activate.gateway import Gateway, Heard, listening

NUMBERS = {"anna": "+48500100201", "bartek": "+48500100202", "celina": "+48500100203"}


@pytest.fixture
def gateway() -> Generator[Gateway]:
    with listening() as found:
        yield found


@pytest.fixture
def settings(settings: Settings, gateway: Gateway) -> Settings:
    return settings.model_copy(update={"outbound": settings.outbound.model_copy(update={"private_hosts": (f"127.0.0.1:{gateway.port}",)})})


def set_up(shop: Shop, gateway: Gateway, **wish: Any) -> activate.carriers.Gateway:
    told = {"channel": "sms", "provider": "http", "url": gateway.url, "sender": "Sklep", "key": "s3cret", "part_micros": 90_000, "messages_per_minute": 60_000}
    with shop.ws.transaction() as conn:
        return activate.carriers.save(conn, shop.ws, told | wish, shop.now)


def launched(shop: Shop, *users: str, **draft: Any) -> int:
    for user in users:
        consents = {"marketing_sms": True, "marketing_email": True}
        shop.tell(
            {"type": "identify", "userId": user, "traits": {"first_name": user.title(), "phone": NUMBERS[user]}, "context": {"consent": {"categoryPreferences": consents}}},
            {"type": "track", "event": "Order Completed", "userId": user, "properties": {"order_id": f"o-{user}", "total": 120, "currency": "PLN"}},
        )
    campaign = shop.campaign(**{"channel": "sms", "text": "Cześć {{ person.first_name }}, -20% dziś", "subject": "", "mjml": "", **draft})
    activate.launch(shop.ws, campaign.id)
    return campaign.id


def told(shop: Shop, own: activate.carriers.Gateway, body: bytes = b"", query: dict[str, str] | None = None, **headers: str) -> str:
    return activate.receipts.take(shop.ws, own.path.rpartition("/")[2], activate.receipts.Told(query or {}, headers, body))


def verdict(shop: Shop, user: str) -> str:
    with shop.ws.transaction() as conn:
        person = resolve.look_up(conn, [Identifier("user_id", user)])[0]
        assert person is not None
        subject = govern.Subject(person, resolve.links.identities_by_person(conn, [person])[person], NUMBERS[user])
        return govern.allowed(conn, shop.ws.keys, [subject], "marketing", Channel.SMS, shop.now)[0].reason


def test_text_messages_go_to_whoever_agreed_under_one_key_and_their_receipts_come_back_as_events(shop: Shop, gateway: Gateway) -> None:
    own = set_up(shop, gateway)
    shop.person("darek", email="d@example.pl", marketing_sms=True)  # no number
    shop.tell({"type": "identify", "userId": "celina", "traits": {"phone": NUMBERS["celina"]}},
              {"type": "track", "event": "Order Completed", "userId": "celina", "properties": {"order_id": "o", "total": 1, "currency": "PLN"}})  # fmt: skip
    campaign = launched(shop, "anna", "bartek")
    with shop.ws.transaction() as conn:
        assert activate.campaign(conn, campaign).skipped == {"no_address": 1, "no_consent": 1}
    shop.deliver(2)
    assert sorted(heard.fields["to"] for heard in gateway.heard) == [NUMBERS["anna"], NUMBERS["bartek"]]
    first = next(heard for heard in gateway.heard if heard.fields["to"] == NUMBERS["anna"])
    assert first.fields == {"to": NUMBERS["anna"], "from": "Sklep", "text": "Cześć Anna, -20% dziś", "key": first.headers["idempotency-key"]}
    assert first.headers["authorization"] == "Bearer s3cret"
    assert len(shop.events("SMS Sent")) == 2 and not shop.events("Email Sent")
    assert told(shop, own, json.dumps({"key": first.fields["key"], "status": "delivered"}).encode()) == "OK"
    told(shop, own, json.dumps({"key": first.fields["key"], "status": "delivered"}).encode())
    told(shop, own, json.dumps({"key": "a" * 39, "status": "delivered"}).encode())
    assert len(shop.events("SMS Delivered")) == 1


def test_only_an_e_mail_is_accepted_by_a_mail_server() -> None:
    said = {channel: words[MessageState.SENT] for channel, words in activate.STATES_BY_CHANNEL.items()}
    assert said["email"] == activate.MESSAGE_STATES[MessageState.SENT]
    assert ("SMS" in said["sms"].pl, "SMS" in said["sms"].en, "push" in said["push"].pl, "push" in said["push"].en) == (True,) * 4


def test_what_a_gateway_says_decides_as_a_mail_servers_word_does(shop: Shop, gateway: Gateway) -> None:
    set_up(shop, gateway)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {
        NUMBERS["anna"]: (422, {}, b'{"error": "address", "message": "no such number"}'), NUMBERS["bartek"]: (503, {"Retry-After": "300"}, b"{}"),
    }  # fmt: skip
    gateway.says = lambda heard: answers.get(heard.fields["to"], (200, {}, b'{"id": "7"}'))
    campaign = launched(shop, "anna", "bartek", "celina")
    shop.deliver(2)
    assert shop.states(campaign) == {NUMBERS["anna"]: "bounced", NUMBERS["bartek"]: "decided", NUMBERS["celina"]: "sent"}
    assert verdict(shop, "anna") == "suppressed"
    answers.clear()
    shop.deliver(2)
    assert shop.states(campaign)[NUMBERS["bartek"]] == "decided"  # it asked to wait for five minutes
    shop.pass_time(minutes=6)
    shop.deliver(2)
    assert shop.states(campaign)[NUMBERS["bartek"]] == "sent"
    keys = [heard.fields["key"] for heard in gateway.heard if heard.fields["to"] == NUMBERS["bartek"]]
    assert len(keys) == 2 and len(set(keys)) == 1


def test_a_gateway_that_hangs_up_after_the_request_leaves_a_message_of_which_nobody_knows_until_its_receipt(shop: Shop, gateway: Gateway) -> None:
    own = set_up(shop, gateway)
    gateway.says = lambda heard: None
    campaign = launched(shop, "anna")
    shop.deliver(4)
    assert shop.states(campaign) == {NUMBERS["anna"]: "ambiguous"} and len(gateway.heard) == 1
    assert len(shop.events("SMS Ambiguous")) == 1
    told(shop, own, json.dumps({"key": gateway.heard[0].fields["key"], "status": "delivered"}).encode())
    assert shop.states(campaign) == {NUMBERS["anna"]: "sent"}


def test_a_sender_that_dies_during_the_hand_off_doubles_nothing(shop: Shop, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(shop, gateway)
    campaign = launched(shop, "anna")

    class Crash(BaseException):
        pass

    def die(self: Round, campaign: Any, most: int) -> None:
        if self.flying:
            raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Round, "land", die)
        with pytest.raises(Crash):
            shop.deliver(1)
    shop.deliver(3)
    assert shop.states(campaign) == {NUMBERS["anna"]: "ambiguous"} and len(gateway.heard) <= 1


def test_quiet_hours_hold_text_messages_and_the_cap_of_a_day_counts_its_channel_alone(shop: Shop, gateway: Gateway) -> None:
    set_up(shop, gateway)
    shop.pass_time(hours=11)  # 21:00 in Warsaw
    campaign = launched(shop, "anna")
    shop.deliver(2)
    assert shop.states(campaign) == {NUMBERS["anna"]: "decided"} and not gateway.heard
    shop.pass_time(hours=11)
    shop.deliver(2)
    assert shop.states(campaign) == {NUMBERS["anna"]: "sent"}
    second = shop.campaign(channel="sms", text="Jeszcze raz", subject="", mjml="")
    assert activate.audience(shop.ws, second.id).reasons == {"capped_today": 1}


def test_stop_ends_every_consent_to_text_messages_and_what_waits_is_not_sent(shop: Shop, gateway: Gateway) -> None:
    own = set_up(shop, gateway, provider="smsapi")
    gateway.says = lambda heard: (200, {}, b'{"count": 1, "list": [{"id": "617"}]}')
    launched(shop, "anna", "bartek")
    shop.deliver(1)
    assert gateway.heard[0].fields["format"] == "json" and gateway.heard[0].fields["to"].startswith("48")
    waiting = shop.campaign(channel="sms", text="Druga", subject="", mjml="")
    with shop.ws.transaction() as conn:
        activate.set_limits(conn, "sms", activate.Limits(0), shop.now)
    activate.launch(shop.ws, waiting.id)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert told(shop, own, b"sms_from=500%20100%20201&sms_text=Stop&sms_to=3344", **{"content-type": form["content-type"]}) == "OK"
    assert told(shop, own, b"sms_from=48500100202&sms_text=super%20oferta", **{"content-type": form["content-type"]}) == "OK"
    assert (verdict(shop, "anna"), verdict(shop, "bartek")) == ("withdrawn", "ok")
    shop.deliver(2)
    assert shop.states(waiting.id) == {NUMBERS["anna"]: "withdrawn", NUMBERS["bartek"]: "sent"}
    assert len(shop.events("SMS Replied")) == 2
    told(shop, own, query={"MsgId": "617", "status": "404", "idx": gateway.heard[0].fields["idx"]})
    assert len(shop.events("SMS Delivered")) == 1


def test_strangers_cannot_speak_for_a_gateway_and_gateways_are_no_way_into_the_own_network(shop: Shop, gateway: Gateway) -> None:
    own = set_up(shop, gateway)
    with pytest.raises(NotFound):
        activate.receipts.take(shop.ws, "A" * 32, activate.receipts.Told({}, {}, b"{}"))
    for url in ("http://127.0.0.1:1/", "http://10.0.0.1/", "ftp://gateway.example/", "https://user:p@gateway.example/", "http://gateway.example/", ""):
        with pytest.raises(GatewayInvalid):
            set_up(shop, gateway, url=url)
    set_up(shop, gateway, url="https://localhost:9/")
    campaign = launched(shop, "anna")
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        found = activate.campaign(conn, campaign)
        assert "public" in (found.trouble or "") and found.counts == {"decided": 1}
        assert SQL.gateway(conn, channel="sms")[4].find(b"s3cret") == -1
        standard = activate.carriers.save(
            conn, shop.ws, {"channel": "email", "provider": "http", "url": gateway.url, "key": "k", "receipt_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, shop.now
        )
    with pytest.raises(ReceiptRefused):
        told(shop, standard, b"{}")
    assert own.path != standard.path


def test_without_a_gateway_the_campaign_waits_and_says_so_and_words_are_asked_for(shop: Shop) -> None:
    campaign = launched(shop, "anna")
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        assert "nie ustawiono bramki" in (activate.campaign(conn, campaign).trouble or "")
    with pytest.raises(WordsMissing):
        shop.campaign(channel="sms", text=" ")
    with pytest.raises(InvalidInput, match="cannot decide"):
        shop.campaign(channel="sms", text="Cześć", goal="clicks")


def test_polish_letters_are_taken_out_where_that_was_chosen_and_a_trial_shows_it(shop: Shop, gateway: Gateway) -> None:
    set_up(shop, gateway)
    campaign = launched(shop, "anna", text="Zażółć gęślą jaźń, {{ person.first_name }}!", plain=True)
    assert activate.preview(shop.ws, campaign, outlet=shop.outlet).text
    activate.test_send(shop.ws, campaign, "500 100 299", shop.outlet)
    activate.test_send(shop.ws, campaign, "500 100 299", shop.outlet)
    shop.deliver(1)
    assert [heard.fields["text"] for heard in gateway.heard] == ["Zazolc gesla jazn, !", "Zazolc gesla jazn, !", "Zazolc gesla jazn, Anna!"]
    assert len({heard.fields["key"] for heard in gateway.heard}) >= 2
    gateway.says = lambda heard: (401, {}, b"{}")
    with pytest.raises(MailServerRefused):
        activate.test_send(shop.ws, campaign, "500 100 299", shop.outlet)


def test_an_email_can_leave_by_a_provider_with_its_headers_and_what_comes_back_is_judged_as_returned_mail_is(shop: Shop, gateway: Gateway) -> None:
    with shop.ws.transaction() as conn:
        own = activate.carriers.save(
            conn, shop.ws, {"channel": "email", "provider": "postmark", "url": gateway.url, "key": "pm", "receipt_secret": "cegla:tajne"}, shop.now
        )
    gateway.says = lambda heard: (200, {}, b'{"ErrorCode": 0, "Message": "OK", "MessageID": "m-1"}')
    for user in ("anna", "bartek", "celina"):
        shop.person(user, marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(2)
    assert not shop.postbox.letters
    by_name: dict[str, Heard] = {heard.fields["To"].partition("@")[0]: heard for heard in gateway.heard}
    letter = by_name["anna"].fields
    assert (letter["Subject"], letter["From"]) == ("Cześć Anna", "Sklep Żółw <sklep@example.pl>") and "Cześć Anna" in letter["HtmlBody"]
    names = {header["Name"]: header["Value"] for header in letter["Headers"]}
    assert names["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click" and "https://cegla.example/u/" in names["List-Unsubscribe"]

    def tell(user: str, **facts: str | bool) -> None:
        body = json.dumps({**facts, "Metadata": by_name[user].fields["Metadata"]}).encode()
        told(shop, own, body, authorization="Basic Y2VnbGE6dGFqbmU=")

    tell("anna", RecordType="Bounce", Details="smtp;550 5.1.1 The email account that you tried to reach does not exist")
    tell("bartek", RecordType="SpamComplaint")
    tell("celina", RecordType="Bounce", Details="smtp;552 5.2.2 mailbox full")
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"suppressed": 2}
    assert (len(shop.events("Email Bounced")), len(shop.events("Email Complained"))) == (2, 1)
    tell("celina", RecordType="SubscriptionChange", SuppressSending=False)
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"suppressed": 2}, "who is let in again has withdrawn nothing"
    tell("celina", RecordType="SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression")
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"suppressed": 2, "withdrawn": 1}


@pytest.mark.parametrize(("provider", "meant"), [(("sms", "http"), "retry"), (("email", "postmark"), None)])
def test_a_gateway_that_fails_inside_has_not_refused_the_message(provider: tuple[str, str], meant: str | None) -> None:
    """Where a second request is no second message it is tried again; elsewhere nobody knows."""
    row = activate.PROVIDERS[Channel(provider[0]), provider[1]]
    for body in (b'{"error": "internal", "ErrorCode": 9}', b"{}"):
        found = answered(row, 500, {"content-type": "application/json"}, body)
        assert (meaning(found[0]).value if found else None) == meant
