"""Mail that comes back: who it is about, why, and what follows; told by real bounces of sixty mail systems."""

import base64
import smtplib
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.activate import actions as activate
from cegla.activate.letters import return_address
from cegla.activate.returns import LARGEST_BYTES, messages_named
from cegla.activate.rules import returned, returning
from cegla.activate.rules.bounces import Failure, failures
from cegla.activate.rules.returned import Kind
from cegla.storage.settings import Settings
from tests.activate.conftest import Shop
from tests.activate.others import files, rows

DOMAIN = "bounce.example.pl"
BOUNCES = files("sisimai-bounces")
VERDICTS = [row for row in rows("sisimai-bounces", "verdicts.jsonl") if row["verdicts"]]
ONCE = [row for row in VERDICTS if "same_as" not in row]

#: Where ours gives an address up on purpose and Sisimai does not, and why.
ON_PURPOSE = {
    "lf/lhost-x2-02.eml": "Yahoo's “This user doesn't have an account” speaks of the address, whatever filter said it",
    "lf/rfc3464-42.eml": "“The email account that you tried to reach does not exist” is Google's word for an unknown user",
    "lf/rfc3464-01.eml": "the machine-readable part says 5.1.1 User Unknown; a local auto-reply in front of it does not make the address good",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"returns": settings.returns.model_copy(update={"domain": DOMAIN})})


def judged(row: dict[str, Any]) -> list[Failure | None]:
    found = failures(BOUNCES[row["file"]])
    return [found[place] if place < len(found) else None for place in range(len(row["verdicts"]))]


def test_the_bounces_of_sixty_mail_systems_are_judged_as_their_students_judge_them() -> None:
    pairs = [(verdict, failure) for row in ONCE for verdict, failure in zip(row["verdicts"], judged(row), strict=True)]
    assert len(pairs) == 301
    hard = sum(failure is not None and failure.hard == verdict["hard"] for verdict, failure in pairs)
    reason = sum(failure is not None and failure.reason == verdict["reason"] for verdict, failure in pairs)
    assert hard >= 0.95 * len(pairs), f"hard or soft: {hard} of {len(pairs)}"
    assert reason >= 0.85 * len(pairs), f"reason: {reason} of {len(pairs)}"


def test_an_address_is_given_up_only_where_the_student_says_so_or_for_a_reason_of_ours() -> None:
    wrongly = {row["file"] for row in ONCE for verdict, failure in zip(row["verdicts"], judged(row), strict=True) if failure and failure.hard and not verdict["hard"]}
    assert len(wrongly - ON_PURPOSE.keys()) <= 8, wrongly


@pytest.mark.parametrize("row", [row for row in VERDICTS if "same_as" in row], ids=lambda row: row["file"])
def test_line_endings_do_not_matter(row: dict[str, Any]) -> None:
    assert failures(BOUNCES[row["file"]]) == failures(BOUNCES[row["same_as"]])


def test_what_is_no_bounce_yields_nothing() -> None:
    (name,) = [name for name in BOUNCES if name.startswith("not/")]
    assert failures(BOUNCES[name]) == [] and returned.read(BOUNCES[name]).kind is Kind.OTHER


def test_the_person_is_found_by_the_token_in_every_bounce(shop: Shop) -> None:
    keys = shop.ws.keys
    found = 0
    for number, row in enumerate(ONCE, 1):
        planted = BOUNCES[row["file"]] + f"\nReturn-Path: <{return_address(keys, number, DOMAIN)}>\n".encode()
        by_envelope = messages_named(shop.ws, b"", return_address(keys, number, DOMAIN).upper())
        by_copy = messages_named(shop.ws, planted, "postmaster@example.pl")
        found += by_envelope == by_copy == [number]
    assert found >= 0.99 * len(ONCE)


@pytest.mark.parametrize("row", rows("sisimai-arf", "verdicts.jsonl"), ids=lambda row: row["file"])
def test_complaint_reports_are_complaints_and_dmarc_reports_are_not(row: dict[str, Any]) -> None:
    read = returned.read(files("sisimai-arf")[row["file"]])
    kinds = {"abuse": Kind.COMPLAINT, "auth-failure": Kind.AUTHENTICATION, "opt-out": Kind.OPT_OUT}
    assert read.kind is kinds[row["verdicts"][0]["feedback_type"]]
    assert read.kind is not Kind.COMPLAINT or read.complaints == len(row["verdicts"])


@pytest.mark.parametrize("name", ["aol.eml", "yahoo.eml"])
def test_the_complaints_of_aol_and_yahoo_are_complaints(name: str) -> None:
    (raw,) = [content for path, content in files("flanker-complaints").items() if path.endswith(name)]
    assert returned.read(raw).kind is Kind.COMPLAINT


@given(st.binary(max_size=3_000))
def test_any_bytes_are_read_without_harm(raw: bytes) -> None:
    assert returned.read(raw).kind in Kind
    assert len(returned.tokens_in(raw, raw.decode("latin-1"))) <= returned.MOST_TOKENS


@pytest.mark.parametrize("subject", ["unsubscribe", "=?utf-8?Q?Rezygnuj=C4=99?=", "=?iso-8859-2?Q?rezygnuj=EA?=", "=?utf-8?B?V3lwaXN6IG1uaWU=?=", "=?utf-8?q?Wypisz?=\n mnie", "Rezygnuję"])
def test_a_mail_program_asks_out_by_its_subject_however_it_is_encoded(subject: str) -> None:
    assert returned.read(f"From: a@b.pl\nAuto-Submitted: auto-replied\nSubject: {subject}\n\n".encode()).kind is Kind.OPT_OUT
    assert returned.read(b"Auto-Submitted: auto-replied\nSubject: =?utf-8?B?broken?= =?nope?q?x?=\n\n").kind is Kind.AUTO_REPLY


@pytest.mark.parametrize("subject", ["Automatyczna odpowiedź: Jesień", "Odpowiedź automatyczna", "Nieobecność", "Autoodpowiedź: Re: Jesień", "Poza biurem"])
def test_a_polish_note_of_absence_is_no_bounce_whatever_it_quotes(subject: str) -> None:
    raw = f"From: anna@firma.pl\nSubject: =?utf-8?B?{base64.b64encode(subject.encode()).decode()}?=\n\nJestem na urlopie.\n\nTo: anna@firma.pl\n"
    assert returned.read(raw.encode()).kind is Kind.AUTO_REPLY


SES = b'{"notificationType": "Bounce", %s}'


@pytest.mark.parametrize(
    "hostile",
    [
        b"\n\n" + SES % b'"Message": "5"', b"\n\n" + SES % b'"bounce": "x"', b"\n\n" + SES % b'"bounce": {"bouncedRecipients": 5}',
        b"\n\n" + SES % b'"bounce": {"bouncedRecipients": ["x"]}', b"\n\n" + SES % b'"delivery": {"recipients": 7}', b"\n\n" + SES % (b"[" * 50_000),
        b'Content-Type: text/plain; charset="\0"\n\nx', b"Content-Type: text/plain; charset=punycode\n\n\xff--\xff",
        b"Content-Type: text/plain; charset=idna\nContent-Transfer-Encoding: base64\n\nYWFhYQ==", b"Content-Type: message/rfc822\n\n" * 2_000,
    ],
    ids=["number", "text", "no-list", "no-rows", "delivery", "deep-json", "nul-charset", "punycode", "idna", "deep-mail"],
)  # fmt: skip
def test_a_hostile_mail_says_nothing_and_bars_the_mailbox_to_no_other(hostile: bytes) -> None:
    assert returned.read(hostile).kind is Kind.OTHER


@pytest.mark.parametrize("unit", [b"a@", b"user ", b"<a@b>\n", b"said: 550 ", b"unknown " * 3, b"\n\n", b"4.4.", b"Final-Recipient: x;a@b\n", b"=?utf-8?b?", b"To:" * 9])
def test_a_monstrous_mail_costs_little(unit: bytes) -> None:
    raw = b"From: MAILER-DAEMON\nReturn-Path: <>\n\n" + unit * (LARGEST_BYTES // len(unit))
    assert returned.read(raw).kind in Kind  # the suite's time limit is the judge


def bounce(address: str, diagnosis: str = "550 5.1.1 user unknown", action: str = "failed") -> bytes:
    return (
        f"From: MAILER-DAEMON@mx.example.com\r\nTo: x\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n--B\r\nContent-Type: text/plain\r\n\r\nSorry\r\n'
        f"--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; {address}\r\nAction: {action}\r\n"
        f"Status: {diagnosis.split()[1]}\r\nDiagnostic-Code: smtp; {diagnosis}\r\n\r\n--B--\r\n"
    ).encode()


def complaint() -> bytes:
    return b'Content-Type: multipart/report; report-type=feedback-report; boundary="B"\r\n\r\n--B\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--B--\r\n'


@pytest.fixture
def sent(shop: Shop) -> int:
    """The message that went to Anna."""
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign().id
    activate.launch(shop.ws, campaign)
    shop.deliver(2)
    with shop.ws.transaction() as conn:
        (row,) = activate.messages_of(conn, campaign_id=campaign)
    return row.id


@pytest.fixture
def door(shop: Shop) -> Generator[activate.Listener]:
    with activate.Listener(shop.ws) as listener:
        yield listener


def deliver(door: activate.Listener, to: str, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", door.port) as smtp:
        smtp.sendmail("", [to], raw)


def reachable(shop: Shop) -> dict[str, int]:
    return activate.audience(shop.ws, shop.campaign().id).reasons


def test_the_envelope_of_each_message_is_its_own_return_address(shop: Shop, sent: int) -> None:
    ((_, envelope),) = shop.postbox.envelopes
    assert envelope == return_address(shop.ws.keys, sent, DOMAIN)
    header = shop.postbox.letter("anna@example.pl")["List-Unsubscribe"]
    assert header.count("<https://") == 1 and f"<mailto:{return_address(shop.ws.keys, sent, DOMAIN, 'unsub')}>" in "".join(header.split())


def test_a_hard_bounce_ends_the_address_and_returns_as_one_event(shop: Shop, door: activate.Listener, sent: int) -> None:
    for _ in range(2):
        deliver(door, return_address(shop.ws.keys, sent, DOMAIN), bounce("anna@example.pl"))
    assert len(shop.events(returning.BOUNCED)) == 1
    assert reachable(shop) == {"suppressed": 1}
    with shop.ws.transaction() as conn:
        (row,) = activate.messages_of(conn, limit=1)
        assert (row.state, row.bounce) == ("bounced", "hard")


def test_a_soft_bounce_and_a_warning_leave_the_address_good(shop: Shop, door: activate.Listener, sent: int) -> None:
    deliver(door, return_address(shop.ws.keys, sent, DOMAIN), bounce("anna@example.pl", "452 4.2.2 mailbox full", "delayed"))
    assert shop.events(returning.BOUNCED) == []
    deliver(door, return_address(shop.ws.keys, sent, DOMAIN), bounce("anna@example.pl", "552 5.2.2 mailbox full"))
    assert len(shop.events(returning.BOUNCED)) == 1 and reachable(shop) == {}


def test_a_complaint_suppresses_at_once(shop: Shop, door: activate.Listener, sent: int) -> None:
    deliver(door, return_address(shop.ws.keys, sent, DOMAIN), complaint())
    assert reachable(shop) == {"suppressed": 1} and len(shop.events(returning.COMPLAINED)) == 1


def test_a_redacted_complaint_is_known_by_the_token_in_the_copy(shop: Shop, sent: int) -> None:
    token = shop.postbox.letter("anna@example.pl")["List-Unsubscribe"]
    raw = complaint().replace(b"--B--", b"--B\r\nContent-Type: message/rfc822\r\n\r\nList-Unsubscribe: " + token.encode() + b"\r\n\r\n--B--")
    assert activate.take_back(shop.ws, raw, "fbl@example.pl", "imap").message_ids == (sent,)
    assert reachable(shop) == {"suppressed": 1}


def test_mail_to_the_unsubscribe_mailbox_withdraws_the_consent(shop: Shop, door: activate.Listener, sent: int) -> None:
    deliver(door, return_address(shop.ws.keys, sent, DOMAIN, "unsub"), b"From: anna@example.pl\r\nSubject: x\r\n\r\n\r\n")
    shop.take_in()
    assert reachable(shop) == {"withdrawn": 1} and len(shop.events(returning.UNSUBSCRIBED)) == 1


def test_strangers_and_forged_tokens_are_refused_at_the_door_and_change_nothing(shop: Shop, door: activate.Listener, sent: int) -> None:
    real = return_address(shop.ws.keys, sent, DOMAIN)
    forged = real.replace("b+", "unsub+")
    for address in ("anna@example.pl", f"b+{'a' * 39}@{DOMAIN}", forged, "postmaster"):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            deliver(door, address, bounce("anna@example.pl"))
    assert activate.take_back(shop.ws, bounce("anna@example.pl"), "anybody@example.pl").message_ids == ()
    assert reachable(shop) == {}


def test_an_end_of_data_that_is_none_smuggles_nothing_in(shop: Shop, door: activate.Listener, sent: int) -> None:
    """postal_cve_2024_27938"""
    to = return_address(shop.ws.keys, sent, DOMAIN)
    smuggled = b"Subject: a\r\n\r\nhello\n.\nMAIL FROM:<>\r\nRCPT TO:<" + to.encode() + b">\r\nDATA\r\n" + complaint() + b"\r\n.\r\n"
    with smtplib.SMTP("127.0.0.1", door.port) as smtp:
        smtp.ehlo()
        smtp.mail("")
        smtp.rcpt(to)
        smtp.docmd("DATA")
        smtp.send(smuggled)
        smtp.getreply()
    assert shop.events(returning.COMPLAINED) == [] and reachable(shop) == {}


def test_a_mail_of_more_than_a_megabyte_is_refused(shop: Shop, door: activate.Listener, sent: int) -> None:
    with pytest.raises(smtplib.SMTPResponseException):
        deliver(door, return_address(shop.ws.keys, sent, DOMAIN), bounce("anna@example.pl") + b"x" * 1_100_000)


def test_what_came_back_belongs_to_the_person_and_goes_with_them(shop: Shop, sent: int) -> None:
    activate.take_back(shop.ws, bounce("anna@example.pl"), return_address(shop.ws.keys, sent, DOMAIN))
    with shop.ws.transaction() as conn:
        (row,) = activate.messages_of(conn, limit=1)
        assert "user unknown" in activate.export_person(conn, [row.identity_id])["returned_mail"][0]["words"]
        activate.erase_person(conn, [row.identity_id])
        assert conn.execute("select words from activate.returns").fetchall() == [("",)]
