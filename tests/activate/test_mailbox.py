"""The mailbox that returned mail lies in, over IMAP: a server that keeps to the letter of what is asked of it."""

import re
import socketserver
import threading
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

from cegla.activate import actions as activate
from cegla.activate.letters import return_address
from cegla.activate.rules.bounces import failures
from cegla.govern import actions as govern
from cegla.storage.settings import Settings
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors.messages import ReturnMailboxAway
from tests.activate.conftest import Shop
from tests.activate.others import files

DOMAIN = "bounce.example.pl"
HARD = next(raw for _, raw in sorted(files("sisimai-bounces").items()) if (found := failures(raw)) and found[0].hard and len(found) == 1)


@dataclass
class Mailbox(socketserver.ThreadingTCPServer):
    """A mailbox: mails by number, those that were read, and what was asked (RFC 3501, of which it knows what the reader uses)."""

    mails: dict[int, bytes] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    password: str = "secret"
    allow_reuse_address = True
    daemon_threads = True

    def __post_init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)


class Conversation(socketserver.StreamRequestHandler):
    """One connection."""

    server: Mailbox

    def handle(self) -> None:
        """Greet, and answer line by line."""
        self.say("* OK ready")
        for line in self.rfile:
            tag, _, wish = line.decode().strip().partition(" ")
            word = wish.split()[0].upper()
            if word == "UID":
                word = wish.split()[1].upper()
            self.say(f"{tag} {self.answer(word, wish)}")
            if word == "LOGOUT":
                return

    def answer(self, word: str, wish: str) -> str:
        """Do what is asked, say what it brings, and how it ended."""
        box = self.server
        numbers = [int(one) for one in re.findall(r"UID \w+ (\d+)", wish)]
        match word:
            case "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1")
            case "LOGIN" if box.password not in wish:
                return "NO [AUTHENTICATIONFAILED] wrong"
            case "SELECT":
                self.say(f"* {len(box.mails)} EXISTS")
            case "SEARCH":
                self.say("* SEARCH " + " ".join(str(one) for one in box.mails if one not in box.seen))
            case "FETCH":
                raw = box.mails[numbers[0]][: int(re.findall(r"<0\.(\d+)>", wish)[0])]
                self.wfile.write(f"* 1 FETCH (UID {numbers[0]} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
            case "STORE":
                box.seen.add(numbers[0])
                self.say("* 1 FETCH (FLAGS (\\Seen))")
            case "LOGOUT":
                self.say("* BYE")
            case _:
                pass
        return "OK done"

    def say(self, line: str) -> None:
        """One line."""
        self.wfile.write(line.encode() + b"\r\n")


@pytest.fixture
def mailbox() -> Generator[Mailbox]:
    with Mailbox() as box:
        threading.Thread(target=box.serve_forever, daemon=True).start()
        yield box
        box.shutdown()


@pytest.fixture
def settings(settings: Settings, mailbox: Mailbox) -> Settings:
    wishes = {"domain": DOMAIN, "imap_host": "127.0.0.1", "imap_port": mailbox.server_address[1], "imap_tls": "none", "imap_user": "returns", "imap_password": "secret"}
    return settings.model_copy(update={"returns": settings.returns.model_copy(update=wishes)})


def test_unread_mail_is_taken_once_and_a_hard_bounce_ends_the_address(shop: Shop, mailbox: Mailbox) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(2)
    with shop.ws.transaction() as conn:
        (row,) = activate.messages_of(conn, campaign_id=campaign.id)
    bounce = HARD.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    mailbox.mails = {7: f"Delivered-To: {return_address(shop.ws.keys, row.id, DOMAIN)}\r\n".encode() + bounce, 9: b"Subject: hello\r\n\r\nnothing of ours\r\n"}
    assert activate.look_into_mailbox(shop.ws) == 2
    assert mailbox.seen == {7, 9} and activate.look_into_mailbox(shop.ws) == 0
    with shop.ws.transaction() as conn:
        assert activate.messages_of(conn, campaign_id=campaign.id)[0].state.value == "bounced"
        assert govern.suppressed_for(conn, shop.ws.keys, ["anna@example.pl"], Channel.EMAIL, shop.now)
    assert len(shop.events("Email Bounced")) == 1


def test_a_mailbox_that_refuses_us_is_said_and_nothing_is_marked(shop: Shop, mailbox: Mailbox) -> None:
    mailbox.password, mailbox.mails = "another", {1: b"Subject: x\r\n\r\n"}
    with pytest.raises(ReturnMailboxAway):
        activate.look_into_mailbox(shop.ws)
    assert mailbox.seen == set()
