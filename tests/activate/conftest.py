"""A small shop with people, a campaign and a mail server that answers as it is told."""

import json
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from cegla.activate import actions as activate
from cegla.activate.renderer import Renderer
from cegla.collect import actions as collect
from cegla.flow import Intake, refresh
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
LETTER = """<mjml><mj-head><mj-preview>W środku</mj-preview></mj-head><mj-body><mj-section><mj-column>
<mj-text>Cześć {{ person.first_name | default: "dzień dobry" }}!</mj-text>
<mj-button href="https://sklep.example/nowosci?a=1&amp;b=2">Zobacz</mj-button>
<mj-text><a href="{{ unsubscribe_url }}">Wypisz się</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


@dataclass
class Postbox:
    """Takes mail and answers RCPT and the content with whatever `answers` and `verdicts` say for an address."""

    letters: list[tuple[str, bytes]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    envelopes: list[tuple[str, str]] = field(default_factory=list)  #: to, from

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        address = envelope.rcpt_tos[0]
        verdict = self.verdicts.get(address, "250 OK")
        if verdict.startswith("2") or verdict == "die":
            assert isinstance(envelope.original_content, bytes)
            self.letters.append((address, envelope.original_content))
            self.envelopes.append((address, envelope.mail_from or ""))
        if verdict == "die":
            server.transport.abort()  # type: ignore[union-attr]
        return verdict

    @property
    def recipients(self) -> list[str]:
        """Who got something, in order."""
        return [address for address, _ in self.letters]

    def letter(self, address: str) -> EmailMessage:
        """The one letter to an address, read by the standard library."""
        (content,) = [content for to, content in self.letters if to == address]
        return message_from_bytes(content, policy=default)  # type: ignore[return-value]


@dataclass
class Shop:
    """A workspace at a clock that stands still until it is moved."""

    ws: Workspace
    postbox: Postbox
    outlet: activate.Outlet
    now: datetime = NOW
    told: int = 0
    waiting: bool = False

    def pass_time(self, **step: float) -> None:
        """Move the clock."""
        self.now += timedelta(**step)

    def tell(self, *events: dict[str, Any]) -> None:
        """Put events of the shop into the inbox."""
        stamped = [{"messageId": f"t{self.told + number}", "timestamp": (self.now - timedelta(hours=1)).isoformat(), **row} for number, row in enumerate(events)]
        self.told += len(events)
        with self.ws.transaction() as conn:
            source, _ = collect.add_source(conn, "shop", "server", Basis.CONTRACT, self.now)
            collect.write_down(conn, source.id, [json.dumps({"batch": stamped}).encode()], self.now)
        self.waiting = True

    def take_in(self, *, analysed: bool = False) -> None:
        """What waits in the inbox reaches everybody's history, profiles and segments; analysers, whom few tests here ask, would take half of a test's time."""
        taking = Intake(self.ws)
        if analysed:
            taking.drain()
        else:
            while taking.apply() is not None:
                continue
            refresh(self.ws, hurried=True)
        self.waiting = False

    def person(self, user: str, *, email: str | None = "", **consents: bool) -> None:
        """A customer with an order and consents."""
        address = f"{user}@example.pl" if email == "" else email
        traits = {"first_name": user.title(), **({"email": address} if address else {})}
        context = {"consent": {"categoryPreferences": consents}} if consents else {}
        self.tell(
            {"type": "identify", "userId": user, "traits": traits, "context": context},
            {"type": "track", "event": "Order Completed", "userId": user, "properties": {"order_id": f"o-{user}", "total": 120, "currency": "PLN"}},
        )

    def campaign(self, **draft: Any) -> activate.Campaign:
        """A draft to everybody who ordered."""
        if self.waiting:
            self.take_in()
        with self.ws.transaction() as conn:
            buyers = segment.save(conn, "Kupujący", {"op": "did", "event": "Order Completed", "at_least": 1, "days": 90}, self.now, key="buyers")
            words = {"name": "Jesień", "segment_id": buyers.id, "subject": "Cześć {{ person.first_name | default: 'Ty' }}", "mjml": LETTER, "holdout_percent": 0}
            return activate.save_campaign(conn, words | draft, self.now, self.outlet)

    def deliver(self, rounds: int = 20) -> None:
        """Rounds of the sender, a second apart."""
        if self.waiting:
            self.take_in()
        for _ in range(rounds):
            self.pass_time(seconds=1)
            activate.deliver(self.ws, self.now, self.outlet)

    def states(self, campaign_id: int) -> dict[str, str]:
        """What became of everybody's message."""
        with self.ws.transaction() as conn:
            rows = activate.messages_of(conn, campaign_id=campaign_id, limit=1_000)
        return {(row.address or "?").partition("@")[0]: row.reason.value if row.reason else row.state.value for row in rows}

    def events(self, name: str) -> list[str]:
        """Message ids of the events of this name that reached the inbox."""
        with self.ws.transaction() as conn:
            bodies = [bytes(row[0]) for row in conn.execute("select body from collect.inbox").fetchall()]
        rows = [row for body in bodies for row in json.loads(body).get("batch", [])]
        return [row["messageId"] for row in rows if row.get("event") == name]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postbox(free_port: int) -> Generator[Postbox]:
    """A real SMTP server on a port of its own."""
    box = Postbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port, decode_data=False, ready_timeout=60)
    controller.start()
    yield box
    controller.stop(no_assert=True)


@pytest.fixture
def settings(settings: Settings, free_port: int) -> Settings:
    """With mail, and a public address."""
    return settings.model_copy(update={
        "smtp": settings.smtp.model_copy(update={"host": "127.0.0.1", "port": free_port, "sender": "Sklep Żółw <sklep@example.pl>", "messages_per_minute": 60_000}),
        "app": settings.app.model_copy(update={"public_url": "https://cegla.example"}),
    })


@pytest.fixture(scope="module")
def renderer() -> Generator[Renderer]:
    """One template worker for the tests of a file: its start takes longer than most of them."""
    with Renderer() as shared:
        yield shared


@pytest.fixture
def shop(workspace: Workspace, postbox: Postbox, renderer: Renderer) -> Generator[Shop]:
    renderer.forget()  # campaigns have the same numbers in every test
    with activate.Outlet(workspace) as outlet:
        outlet.renderer = renderer
        made = Shop(workspace, postbox, outlet)
        clock: Callable[[], datetime] = lambda: made.now  # noqa: E731
        workspace.clock = clock
        yield made
        outlet.renderer = Renderer()  # what the outlet closes
