"""Where returned mail comes in: an SMTP listener for our own return addresses, and a mailbox that is looked into over IMAP.

The listener says yes to nobody but the holders of a token (550 otherwise), takes a megabyte at most, and answers 250 after the commit.
End of data is CR LF dot CR LF and nothing else: aiosmtpd from 1.4.5 on refuses the smuggling of CVE-2024-27305.
"""

import asyncio
import imaplib
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from cegla.activate.returns import LARGEST_BYTES, expected, take_back
from cegla.storage.settings import ReturnSettings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors.messages import ReturnMailboxAway

LOG = structlog.get_logger("returns")
IMAP_SECONDS = 30.0
MOST_AT_ONCE = 200


class Listener:
    """The SMTP listener on the address of the settings; it runs in a thread of its own until it is closed."""

    def __init__(self, ws: Workspace) -> None:
        wanted = ws.settings.returns
        door, name = _Door(ws), wanted.domain or "localhost"
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server = self._loop.run_until_complete(
            self._loop.create_server(
                lambda: SMTP(door, hostname=name, ident="ESMTP", decode_data=False, data_size_limit=LARGEST_BYTES, loop=self._loop), wanted.host, wanted.port
            )
        )
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._thread = threading.Thread(target=self._loop.run_forever, name="returns", daemon=True)
        self._thread.start()
        LOG.info("waiting for returned mail", host=wanted.host, port=self.port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; mail that is being taken is finished by its sender later."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class _Door:
    """What the listener says."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802
        if not expected(self._ws, address):
            return "550 5.1.1 no such address"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.original_content or b""
        taken = await asyncio.get_running_loop().run_in_executor(None, take_back, self._ws, raw, envelope.rcpt_tos[0])
        LOG.info("mail came back", kind=taken.kind.value, messages=len(taken.message_ids), again=taken.again)
        return "250 2.0.0 taken"

    async def handle_exception(self, error: Exception) -> str:
        """The other side keeps the mail and tries again, whatever happened here."""
        LOG.error("returned mail was not taken", error=type(error).__name__)
        return "451 4.3.0 try again later"


def look_into_mailbox(ws: Workspace) -> int:
    """Take what is unread in the mailbox of the settings, mark it as read after the commit, and return how many mails were taken.

    Raises ReturnMailboxAway.
    """
    wanted = ws.settings.returns
    try:
        with _signed_in(wanted) as box:
            _, found = box.uid("SEARCH", "UNSEEN")
            numbers = found[0].split() if found and found[0] else []
            for number in numbers[:MOST_AT_ONCE]:
                _, parts = box.uid("FETCH", number, f"(BODY.PEEK[]<0.{LARGEST_BYTES}>)")
                raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
                taken = take_back(ws, raw, _delivered_to(raw), "imap")
                box.uid("STORE", number, "+FLAGS", r"(\Seen)")
                LOG.info("mail came back", kind=taken.kind.value, messages=len(taken.message_ids), again=taken.again)
            return len(numbers[:MOST_AT_ONCE])
    except (OSError, imaplib.IMAP4.error) as error:
        raise ReturnMailboxAway(where="returns.imap_host", seen=type(error).__name__, detail=_harmless(error)) from None


def _signed_in(wanted: ReturnSettings) -> imaplib.IMAP4:
    if wanted.imap_tls == "implicit":
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(wanted.imap_host, wanted.imap_port, ssl_context=ssl.create_default_context(), timeout=IMAP_SECONDS)
    else:
        box = imaplib.IMAP4(wanted.imap_host, wanted.imap_port, timeout=IMAP_SECONDS)
        if wanted.imap_tls == "starttls":
            _or_hang_up(box, lambda: box.starttls(ssl.create_default_context()))
    _or_hang_up(box, lambda: (box.login(wanted.imap_user, wanted.imap_password), box.select(wanted.imap_folder)))
    return box


def _or_hang_up(box: imaplib.IMAP4, work: Callable[[], object]) -> None:
    """Do the work; a server that refuses it keeps no connection."""
    try:
        work()
    except (OSError, imaplib.IMAP4.error):
        box.shutdown()
        raise


def _delivered_to(raw: bytes) -> str:
    """The addresses that the mail came to, as the mailbox's server wrote them on top."""
    head = raw[:20_000].partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    names = ("delivered-to:", "x-original-to:", "envelope-to:", "to:")
    return " ".join(line.partition(":")[2] for line in head.splitlines() if line.lower().startswith(names))


def _harmless(error: Any) -> str:
    return " ".join(str(error).split())[:200]
