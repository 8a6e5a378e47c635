"""Text messages and web push as rules: parts and prices, gateways as data, and the vectors of RFC 8291."""

import json
import string
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import http_ece
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate.rules import gateways, push, sms
from cegla.activate.rules.destinations import wish_of
from cegla.activate.rules.providers import HTTP_SMS, PROVIDERS, SENDGRID, SERWERSMS, SMSAPI
from cegla.activate.rules.replies import meaning
from cegla.collect import actions as collect

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
POLISH = "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ"


@pytest.mark.parametrize(
    ("text", "encoding", "parts", "left"),
    [
        ("a" * 160, "gsm-7", 1, 0), ("a" * 161, "gsm-7", 2, 145), ("a" * 306, "gsm-7", 2, 0), ("a" * 307, "gsm-7", 3, 152), ("€" * 80, "gsm-7", 1, 0),
        ("a" * 152 + "€" + "a" * 10, "gsm-7", 2, 141), ("ą" * 70, "ucs-2", 1, 0), ("ą" * 71, "ucs-2", 2, 63), ("a" * 159 + "ą", "ucs-2", 3, 41),
        ("a" * 66 + "😀" + "a" * 10, "ucs-2", 2, 55), ("", "gsm-7", 1, 160),
    ],
)  # fmt: skip
def test_texts_are_cut_as_the_standard_says(text: str, encoding: str, parts: int, left: int) -> None:
    found = sms.cut(text)
    assert (found.encoding, found.parts, found.left) == (encoding, parts, left)


def test_every_polish_letter_forces_the_dear_alphabet_and_has_a_bare_one() -> None:
    assert sms.cut(POLISH).blamed == tuple(POLISH)
    assert sms.plain("Zażółć gęślą jaźń – „tak”…") == 'Zazolc gesla jazn - "tak"...'
    assert sms.plain("Za\u017co\u0301\u0142c\u0301 ga\u0328s\u0301le\u0328") == "Zazolc gasle"
    assert sms.cut(sms.plain("Zażółć gęślą jaźń")).price_micros(70_000) == 70_000


@given(st.text(max_size=800))
def test_parts_hold_the_whole_text_and_bare_letters_never_cost_more(text: str) -> None:
    found = sms.cut(text)
    room = sms.ALONE[found.encoding] if found.parts == 1 else sms.TOGETHER[found.encoding] * found.parts
    assert found.places <= room and 0 <= found.left < 160 + 1
    assert sms.cut(sms.plain(text)).parts <= found.parts or "…" in text


@pytest.mark.parametrize(("reply", "stops"), [("STOP", True), ("stop!", True), (" Koniec.", True), ("Nie", True), ("Niezły sklep", False), ("Nie mogę się doczekać!", False), ("STOP reklamom", True), ("Koniec świata, biorę", False), ("dziękuję", False), ("stopa", False)])
def test_replies_that_ask_to_stop(reply: str, stops: bool) -> None:
    assert sms.asks_to_stop(reply) is stops


@pytest.mark.parametrize(
    "reply",
    [
        "S T O P", "S.T.O.P.", "STÓP", "ＳＴＯＰ", "\u200bSTOP", "ST\u00adOP", "STOP\ufffd", "„STOP”", "Stop sms", "STOPSMS", "Proszę mnie wypisać", "prosze o wypisanie z listy",
        "Wypisuję się", "Chcę zrezygnować", "Rezygnuje\u0328", "REZYGNACJA", "wypiszcie mnie",
    ],
)  # fmt: skip
def test_a_wish_to_stop_is_understood_in_the_spellings_of_phones(reply: str) -> None:
    assert sms.asks_to_stop(reply)


@pytest.mark.parametrize("reply", ["Stopień", "Stoper kupię", "Proszę o fakturę", "Chcę się zapisać", "Proszę stopniowo", "Nie.. mogę", "s to pa", "Wypisane długopisy?", ""])
def test_other_words_are_no_wish_to_stop(reply: str) -> None:
    assert not sms.asks_to_stop(reply)


@pytest.mark.parametrize("gateway", PROVIDERS.values(), ids=lambda one: f"{one.channel}-{one.key}")
def test_a_gateway_is_told_everything_once_and_nothing_in_a_text_is_a_field(gateway: gateways.Gateway) -> None:
    words = "kod {token} 20%"
    values = {"to": "+48500100200", "to_digits": "48500100200", "from": "Sklep", "text": words, "key": "c1x7", "token": "secret"}
    letter = {"subject": words, "html": "<p>ą</p>", "letter_text": words, "headers": [], "header_map": {}, "from_name": "Sklep", "from_email": "a@b.pl"}
    headers, body = gateways.encoded(gateway, values | letter)
    told = body.decode() if gateway.form == "json" else json.dumps(dict(parse_qsl(body.decode())))
    assert words in told and "c1x7" in told and "secret" not in told and "secret" in json.dumps(headers)
    assert set(gateway.receipts.states.values()) >= {"delivered", "failed"} and gateway.receipts.scheme in collect.SCHEMES


def test_a_line_break_never_reaches_a_header() -> None:
    with pytest.raises(ValueError, match="line break"):
        gateways.encoded(HTTP_SMS, {"token": "a\r\nX: y", "key": "k", "to": "1", "from": "2", "text": "3"})


@pytest.mark.parametrize(
    ("status", "body", "means"),
    [
        (200, {"count": 1, "list": [{"id": "617"}]}, "accepted"), (200, {"error": 13, "message": "No valid numbers"}, "hard"),
        (200, {"error": 101, "message": "Authorisation failed"}, "server"), (200, {"error": 201, "message": "internal"}, "retry"),
        (200, {"error": 11, "message": "too long"}, "soft"), (200, {"error": 53, "message": "idx used"}, "accepted"), (429, {}, "retry"),
        (503, {}, "retry"), (500, {}, "retry"), (401, {}, "server"), (400, {}, "soft"),
    ],
)  # fmt: skip
def test_what_a_gateway_answers_is_understood_as_a_mail_servers_answer_is(status: int, body: dict[str, Any], means: str) -> None:
    read = gateways.answered(SMSAPI, status, {"content-type": "application/json"}, json.dumps(body).encode())
    assert read is not None and meaning(read[0]).value == means
    assert read[1] == ("617" if "list" in body else "")


def test_a_failure_inside_a_provider_that_may_have_taken_the_message_is_nobodys_guess() -> None:
    assert gateways.answered(SENDGRID, 500, {}, b"") is None
    taken = gateways.answered(SENDGRID, 202, {"x-message-id": "abc"}, b"")
    assert taken is not None and (taken[0].code, taken[1]) == (250, "abc")


def test_a_gateway_that_asks_to_wait_is_left_alone_for_as_long() -> None:
    read = gateways.answered(HTTP_SMS, 429, {"retry-after": "120"}, b"")
    wish = wish_of(read[0], NOW) if read else None
    assert wish is not None and wish.stop and (wish.until - NOW).total_seconds() == 120


def test_receipts_are_read_in_every_shape_that_providers_use() -> None:
    several = gateways.receipts(SMSAPI, {"MsgId": "1,2", "status": "404,405", "idx": "a,b", "status_name": "DELIVERED,UNDELIVERED"}, b"", "")
    assert [(one.key, one.state, one.words) for one in several] == [("a", "delivered", "DELIVERED"), ("b", "failed", "UNDELIVERED")]
    reply = gateways.receipts(SMSAPI, {}, b"sms_from=48500100200&sms_text=STOP&sms_to=3344", "application/x-www-form-urlencoded")
    assert [(one.sender, one.text) for one in reply] == [("48500100200", "STOP")]
    events = [{"event": "bounce", "cegla_key": "k", "status": "5.1.1", "reason": "550 user unknown"}, {"event": "open"}, 7, None]
    assert [(one.key, one.state, one.status) for one in gateways.receipts(SENDGRID, {}, json.dumps(events).encode(), "application/json")] == [("k", "failed", "5.1.1")]


@given(st.binary(max_size=400), st.sampled_from(list(PROVIDERS.values())), st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4))
def test_no_bytes_of_a_stranger_do_harm(body: bytes, gateway: gateways.Gateway, query: dict[str, str]) -> None:
    gateways.receipts(gateway, query, body, "")
    gateways.answered(gateway, 200, {}, body)


@pytest.mark.parametrize("gateway", PROVIDERS.values(), ids=lambda one: f"{one.channel}-{one.key}")
def test_a_form_of_a_thousand_fields_says_nothing(gateway: gateways.Gateway) -> None:
    assert gateways.receipts(gateway, {}, b"a=1&" * 1_000, "application/x-www-form-urlencoded") == []


def test_half_a_character_at_the_end_of_a_reply_does_not_lose_its_word() -> None:
    (reply,) = gateways.receipts(SMSAPI, {}, rb'{"sms_from": "48500100200", "sms_text": "STOP \ud83d\u0000"}', "application/json")
    assert reply.text == "STOP ?" and sms.asks_to_stop(reply.text)


def test_answers_are_read_by_path_and_never_fail() -> None:
    assert gateways.at({"list": [{"id": "617"}]}, "list.0.id") == "617"
    assert [gateways.at(odd, "list.0.id") for odd in (None, [], {"list": []}, {"list": "x"}, {"list": [{"id": {}}]})] == [""] * 5


# RFC 8291, section 5 and appendix A
TEXT = b"When I grow up, I want to be a watermelon"
OURS = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
THEIRS, SECRET, SALT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
PUBLISHED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def keypair(private: int | None = None) -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    key = ec.derive_private_key(private, ec.SECP256R1()) if private else ec.generate_private_key(ec.SECP256R1())
    return key, key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def closed(text: bytes, theirs: bytes, secret: bytes, own: tuple[ec.EllipticCurvePrivateKey, bytes], salt: bytes) -> bytes:
    shared = own[0].exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs))
    return push.closed(text, (theirs, secret), (own[1], shared), salt, lambda key, nonce, plain: AESGCM(key).encrypt(nonce, plain, None))


def test_the_vector_of_rfc_8291_comes_out_to_the_last_byte() -> None:
    own = keypair(int.from_bytes(push.decoded(OURS)))
    assert push.encoded(closed(TEXT, push.decoded(THEIRS), push.decoded(SECRET), own, push.decoded(SALT))) == PUBLISHED


@given(st.binary(max_size=300))
def test_another_implementation_opens_what_we_close(text: bytes) -> None:
    browser, theirs = keypair()
    body = closed(text, theirs, b"s" * 16, keypair(), b"t" * 16)
    assert http_ece.decrypt(body, private_key=browser, auth_secret=b"s" * 16, version="aes128gcm") == text


def test_a_long_push_is_refused() -> None:
    _, theirs = keypair()
    assert len(closed(b"x" * push.LONGEST_TEXT_BYTES, theirs, b"s" * 16, keypair(), b"t" * 16)) <= push.RECORD_BYTES
    with pytest.raises(ValueError, match="too long"):
        closed(b"x" * (push.LONGEST_TEXT_BYTES + 1), theirs, b"s" * 16, keypair(), b"t" * 16)


def test_the_senders_note_verifies_and_ends_within_a_day() -> None:
    key, public = keypair()
    signed = push.claims("https://push.example:443/x/y?z", "mailto:a@example.pl", NOW)
    r, s = utils.decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    made = push.headers(push.ticket(signed, r.to_bytes(32) + s.to_bytes(32), public), 3_600, "t" * 40)
    token = made["Authorization"].split("t=")[1].split(",")[0]
    head, body, signature = (push.decoded(part) for part in token.split("."))
    assert json.loads(head)["alg"] == "ES256" and json.loads(body)["aud"] == "https://push.example:443"
    assert 0 < json.loads(body)["exp"] - NOW.timestamp() <= 86_400 and made["TTL"] == "3600" and len(made["Topic"]) == 32
    both = utils.encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
    key.public_key().verify(both, token.rpartition(".")[0].encode(), ec.ECDSA(hashes.SHA256()))
    assert set(push.encoded(public)) <= set(string.ascii_letters + string.digits + "-_")


@pytest.mark.parametrize(
    ("body", "means", "number"),
    [
        ({"success": True, "queued": 1, "unsent": 0, "items": [{"id": "a1", "status": "queued"}]}, "accepted", "a1"),
        ({"success": True, "queued": 0, "unsent": 1, "items": [{"id": "", "status": "unsent", "error_code": 2001, "error_message": "x"}]}, "hard", ""),
        ({"success": True, "queued": 0, "unsent": 1, "items": [{"status": "unsent", "error_code": 2205}]}, "server", ""),
        ({"error": {"code": 1001, "type": "InvalidUser", "message": "Incorrect login or password"}}, "server", ""),
    ],
    ids=("taken", "no-number", "wrong-sender", "wrong-key"),
)  # fmt: skip
def test_a_request_that_succeeds_while_its_message_is_unsent_is_no_success(body: dict[str, Any], means: str, number: str) -> None:
    read = gateways.answered(SERWERSMS, 200, {"content-type": "application/json"}, json.dumps(body).encode())
    assert read is not None and (meaning(read[0]).value, read[1]) == (means, number)


def test_who_promises_nothing_about_repeats_is_not_asked_twice() -> None:
    assert gateways.answered(SERWERSMS, 500, {}, b"") is None


def test_a_receipt_that_nobody_knows_leaves_the_message_sent_and_our_own_text_is_no_reply() -> None:
    assert [one.state for one in gateways.receipts(SMSAPI, {"MsgId": "1", "status": "408", "idx": "a"}, b"", "")] == ["sent"]
    told = {"unique_id": "k", "id": "a1", "status": "undelivered", "reason": "wrong_number", "phone": "+48500100200", "text": "Odpisz STOP"}
    assert [(one.key, one.state, one.words, one.text) for one in gateways.receipts(SERWERSMS, told, b"", "")] == [("k", "failed", "wrong_number", "")]
    assert [one.state for one in gateways.receipts(SERWERSMS, {"smsid": "a1", "stan": "doreczono"}, b"", "")] == ["delivered"]
