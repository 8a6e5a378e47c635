"""Messages about segments: signed as Standard Webhooks, tried again less and less often."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate.lists import hash_of
from cegla.sync.rules import letters
from cegla.vocabulary.consent import Channel

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_signature_is_that_of_the_published_example() -> None:
    """The example of Standard Webhooks' own libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = letters.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_whoever_knows_the_secret_can_check_what_was_sent(secret: bytes, body: bytes) -> None:
    headers = letters.headers_of("cegla-1-7", secret, body, NOW)
    expected = hmac.new(base64.b64decode(letters.shown(secret).removeprefix("whsec_")), b"cegla-1-7." + headers["webhook-timestamp"].encode() + b"." + body, sha256)
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected.digest()).decode()


def test_a_body_says_who_did_what_and_names_no_address_but_its_hash() -> None:
    line = letters.Line(3, "p12", True, "entered", NOW, hash_of(Channel.EMAIL, " Anna@WP.pl"))
    said = msgspec.json.decode(letters.body_of([line, letters.Line(3, "p13", False, "consent", NOW)], {3: "Lojalni"}, "email_sha256", NOW))
    first, second = said["data"]["changes"]
    assert (said["type"], first["change"], first["segment_name"]) == ("segment.changed", "entered", "Lojalni")
    assert first["email_sha256"] == sha256(b"anna@wp.pl").hexdigest()
    assert (second["change"], second["reason"]) == ("left", "consent") and "email_sha256" not in second


def test_a_number_is_hashed_as_digits_with_the_country_code() -> None:
    assert hash_of(Channel.SMS, "+48 601 202 303") == sha256(b"48601202303").hexdigest()


def test_tries_grow_apart_up_to_an_hour_and_as_long_as_the_other_side_asks() -> None:
    waits = [letters.wait(tries) for tries in range(1, 30)]
    assert waits == sorted(waits) and waits[0] == timedelta(seconds=10) and waits[-1] == timedelta(hours=1)
    assert letters.wait(1, 120) == timedelta(seconds=120) and letters.wait(1, 10**6) == timedelta(days=1)


@pytest.mark.parametrize(("status", "refused"), [(0, False), (200, False), (301, True), (400, True), (404, True), (408, False), (410, True), (429, False), (503, False)])
def test_only_an_answer_about_the_message_counts_against_it(status: int, refused: bool) -> None:
    assert letters.is_refusal(status) is refused
