"""The demonstration's mail server keeps what it gets and refuses whom it should."""

import smtplib
from collections.abc import Generator
from email.message import EmailMessage
from pathlib import Path

import pytest

from demo.mailbox import Mailbox


@pytest.fixture
def mailbox(tmp_path: Path) -> Generator[Mailbox]:
    box = Mailbox(tmp_path / "mails")
    box.start()
    yield box
    box.stop()


def letter(to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", to, "Zażółć gęślą"
    message.set_content("Dzień dobry!")
    return message


def test_a_message_becomes_a_file_that_reads_back(mailbox: Mailbox) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=60) as server:
        server.send_message(letter("anna@example.com"))
    [kept] = mailbox.messages()
    assert (kept["To"], kept["Subject"], kept.get_content().strip()) == ("anna@example.com", "Zażółć gęślą", "Dzień dobry!")


def test_an_undeliverable_address_gets_550_and_no_file(mailbox: Mailbox) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.port, timeout=60) as server, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.send_message(letter("nikt@niedostarczalne.test"))
    assert refused.value.recipients["nikt@niedostarczalne.test"][0] == 550
    assert mailbox.files() == []
