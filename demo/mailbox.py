"""A mail server for the demonstration: takes every message into a folder, one .eml file each, and sends none anywhere.

Addresses in the shop's undeliverable domain are refused with 550, as a real server refuses an unknown mailbox.
"""

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from demo.population import BOUNCING_DOMAIN


class _Keeper:
    """The server's answers to RCPT and DATA."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(len(list(folder.glob("*.eml"))) + 1)

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]) -> str:  # noqa: N802  aiosmtpd's name
        if address.rpartition("@")[2].lower() == BOUNCING_DOMAIN:
            return "550 5.1.1 no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's name
        content = envelope.original_content or b""
        for _ in envelope.rcpt_tos:
            name = f"{next(self.numbers):06d}"
            half_written = self.folder / f".{name}"
            half_written.write_bytes(content)
            half_written.rename(self.folder / f"{name}.eml")
        return "250 2.0.0 kept"


class Mailbox:
    """The running server and the messages it took."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = _free_port()
        self._controller: Controller | None = None

    def start(self) -> None:
        """Listen on 127.0.0.1 at `port`."""
        self._controller = Controller(_Keeper(self.folder), hostname="127.0.0.1", port=self.port, ready_timeout=60)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; the messages stay."""
        if self._controller is not None:
            self._controller.stop()

    def files(self) -> list[Path]:
        """Every message, oldest first."""
        return sorted(self.folder.glob("*.eml"))

    def messages(self) -> list[EmailMessage]:
        """Every message read, oldest first."""
        return [read_message(path) for path in self.files()]


def read_message(path: Path) -> EmailMessage:
    """A kept message with its headers and parts."""
    found = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
