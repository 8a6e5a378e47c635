"""E-mail: letters go to the mail servers over a handful of open connections, pipelined; what the servers said comes back as outcomes.

    submit ──► letters that wait ──► connections to the relays, those that are not away ──► outcomes

Everything here runs in one thread with an event loop of its own. A relay that refuses or does not answer is left alone for a while, and
the others take its letters; when none is left, letters come back as they were, with what the last server said.
"""

import asyncio
import queue
import ssl
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import cast

import uvloop

from cegla.activate.rules.dialog import Dialog, Letter, Login, Outcome
from cegla.activate.rules.pace import server_retry
from cegla.activate.rules.replies import Meaning, Reply, meaning
from cegla.storage.settings import RelaySettings, SmtpSettings
from cegla.vocabulary.errors.messages import MailServerRefused
from cegla.vocabulary.text import Text

ANSWER_SECONDS = 60.0  # RFC 5321 allows servers more, and would let one stuck server hold a campaign for ten minutes
CONNECT_SECONDS = 15.0
MOST_SILENT = 3
AHEAD = 2  #: letters that a connection holds: one on the way, and the next to ride in its write


@dataclass
class Relay:
    """A mail server, and how it is: `until` is when it may be tried again, `said` its last refusal, `silent` how many letters in a row it let hang."""

    wanted: RelaySettings
    failures: int = 0
    silent: int = 0
    until: datetime | None = None
    said: str = ""

    def away(self, said: str, now: datetime) -> None:
        """Leave it alone for a while, longer each time."""
        self.failures += 1
        self.said = said
        self.until = server_retry(self.failures, now)

    def back(self) -> None:
        """It answers."""
        self.failures, self.silent, self.until, self.said = 0, 0, None, ""


class Mailer:
    """The connections to the mail servers of the settings, opened when there is something to send. `outcomes` may be read by one thread."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self.now = datetime.now(UTC)  #: as the sender's round has it; what is away comes back by this clock
        self.outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.relays = [Relay(wanted) for wanted in settings.all_relays()]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._waiting: deque[Letter] = deque()
        self._lines: list[_Line] = []
        self._ending = False

    def submit(self, letters: Sequence[Letter]) -> None:
        """Let letters leave; each comes back as exactly one outcome."""
        self._run().call_soon_threadsafe(self._take, list(letters))

    def hand_off(self, letter: Letter) -> Outcome:
        """Give one letter to a server and wait for what becomes of it. Only while nobody else uses the mailer."""
        self.submit([letter])
        return self.outcomes.get()

    @property
    def trouble(self) -> str:
        """What the servers said, when none of them may be tried now; else empty."""
        return "" if self._usable() else next((relay.said for relay in self.relays if relay.said), "")

    def _usable(self) -> list[Relay]:
        return [relay for relay in self.relays if relay.until is None or relay.until <= self.now]

    def refused(self) -> MailServerRefused:
        """Why nothing can leave."""
        return refusal(self.settings, self.trouble)

    def close(self) -> None:
        """End the connections; letters on the way come back as outcomes."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        done: Future[None] = asyncio.run_coroutine_threadsafe(self._end(), loop)
        done.result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
        self._loop = self._thread = None
        for relay in self.relays:
            relay.back()

    def _run(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._ending = False
            self._loop = uvloop.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="mailer", daemon=True)
            self._thread.start()
        return self._loop

    def time(self) -> float:
        """The clock of the loop, in seconds."""
        return self._run().time()

    # in the thread of the loop -------------------------------------------------------------------------------------------

    def _take(self, letters: list[Letter]) -> None:
        self._waiting += letters
        self.spread()

    def spread(self) -> None:
        """Give waiting letters to connections with room, open more while there is reason to, and give back what nobody takes."""
        for line in self._lines:
            line.fill(self._waiting)
        while self._waiting and not self._ending:
            opening = sum(line.room for line in self._lines)
            relay = min(self._usable(), key=self._connections_of, default=None)
            if relay is None:
                if not self._lines:
                    self._give_back()
                return
            if opening >= len(self._waiting) or self._connections_of(relay) >= relay.wanted.connections:
                return
            self._lines.append(_Line(self, relay))

    def _connections_of(self, relay: Relay) -> int:
        return sum(line.relay is relay for line in self._lines)

    def _give_back(self) -> None:
        while self._waiting:
            self.outcomes.put(Outcome(self._waiting.popleft(), None))

    def ended(self, line: "_Line", outcomes: list[Outcome], said: str) -> None:
        """A connection is gone. Letters it did not begin wait again; the relay is away when it refused us before it took anything."""
        if line in self._lines:
            self._lines.remove(line)
        hung = any(outcome.unanswered for outcome in outcomes)
        if said and not hung:
            line.relay.away(said, self.now)
        if hung:
            line.relay.silent += 1
            if line.relay.silent >= MOST_SILENT:
                line.relay.away("the connection ended before the reply, again and again", self.now)
        for outcome in outcomes:
            if outcome.reply is None and not outcome.unanswered:
                self._waiting.appendleft(outcome.letter)
            else:
                self.outcomes.put(outcome)
        self.spread()

    def told(self, line: "_Line", outcomes: list[Outcome]) -> None:
        """Servers answered about letters; one that refuses us altogether is away."""
        for outcome in outcomes:
            self.outcomes.put(outcome)
            if outcome.reply is not None and meaning(outcome.reply) is Meaning.SERVER:
                line.relay.away(f"{outcome.reply.code} {outcome.reply.text}", self.now)
            else:
                line.relay.back()
                line.answered += 1
        line.fill(self._waiting)

    async def _end(self) -> None:
        self._ending = True
        gone = [line.gone for line in self._lines]
        for line in list(self._lines):
            line.close()
        self._give_back()
        if gone:
            await asyncio.wait(gone, timeout=2)
        await asyncio.sleep(0)


class _Line(asyncio.Protocol):
    """One connection: bytes between a socket and a `Dialog`."""

    def __init__(self, mailer: Mailer, relay: Relay) -> None:
        self.mailer, self.relay = mailer, relay
        name = parseaddr(mailer.settings.sender)[1].rpartition("@")[2] or "localhost"
        wanted = relay.wanted
        self.dialog = Dialog(Login(name, wanted.user, wanted.password, wanted.tls == "starttls"))
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0  #: by the loop's clock; the timer looks at it when it rings, since setting one anew cost as much as a reply
        self._over = False
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answered = 0  #: letters this connection brought an answer for
        self._task = asyncio.get_running_loop().create_task(self._connect())

    @property
    def room(self) -> int:
        """How many more letters it may hold now."""
        left = self.relay.wanted.messages_per_connection - self.dialog.accepted
        return 0 if self._over else max(0, min(AHEAD - self.dialog.load, left))

    def fill(self, waiting: deque[Letter]) -> None:
        """Take letters on, as many as there is room for."""
        while waiting and self.room and self.dialog.ready:
            self.dialog.give(waiting.popleft())
            self._wait()
        self._write()
        if self.dialog.accepted >= self.relay.wanted.messages_per_connection and self.dialog.load == 0 and not self._over:
            self.dialog.quit()
            self._write()
            self.close()

    async def _connect(self) -> None:
        wanted, loop = self.relay.wanted, asyncio.get_running_loop()
        secure = ssl.create_default_context() if wanted.tls == "implicit" else None
        try:
            opening = loop.create_connection(lambda: self, wanted.host, wanted.port, ssl=secure, server_hostname=wanted.host if secure else None)
            await asyncio.wait_for(opening, CONNECT_SECONDS)
        except (OSError, TimeoutError, ValueError) as error:  # nothing was opened
            self._ended(str(error) or type(error).__name__)

    async def _secure(self) -> None:
        assert self._transport is not None
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, ssl.create_default_context(), server_hostname=self.relay.wanted.host, ssl_handshake_timeout=CONNECT_SECONDS
            )
        except (OSError, TimeoutError) as error:
            self._ended(str(error) or type(error).__name__)
            return
        self._transport = cast(asyncio.Transport, transport)
        self.dialog.secured()
        self._write()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open; the server speaks first."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class
        self._wait()

    def data_received(self, data: bytes) -> None:
        """The server said something."""
        was_ready = self.dialog.ready
        outcomes = self.dialog.receive(data)
        if outcomes:
            self.mailer.told(self, outcomes)
        refused = self.dialog.refused
        if refused is not None:
            self._ended(f"{refused.code} {refused.text}" if self.answered == 0 else "")
        elif self.dialog.wants_tls:
            self._task = asyncio.get_running_loop().create_task(self._secure())
        else:
            if self.dialog.ready and not was_ready:
                self.relay.back()
                self.mailer.spread()
            self._write()
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server hung up, or nobody listens."""
        if not self.gone.done() and not self.dialog.wants_tls:
            self.gone.set_result(None)
        if not (self.dialog.wants_tls and exc is None):
            blameless = self.answered > 0 or (self.dialog.ready and self.dialog.load == 0)
            self._ended("" if blameless else (str(exc) if exc else "the server hung up"))

    def close(self) -> None:
        """Hang up; what the server did not answer for comes back."""
        self._ended("")

    def _write(self) -> None:
        data = self.dialog.outgoing()
        if data and self._transport is not None and not self._over:
            self._transport.write(data)

    def _wait(self) -> None:
        self._deadline = self.mailer.time() + ANSWER_SECONDS
        if self._timer is None and not self._over:
            self._timer = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self._late)

    def _late(self) -> None:
        """The time for an answer is over, unless something came in the meantime or nothing is asked."""
        self._timer = None
        left = self._deadline - self.mailer.time()
        if self._over or self.dialog.idle:
            return
        if left > 0:
            self._timer = asyncio.get_running_loop().call_later(left, self._late)
        else:
            self._ended("the server does not answer")

    def _ended(self, said: str) -> None:
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is None:
            self._task.cancel()
            self.gone.set_result(None)
        else:
            self._transport.abort()
        self.mailer.ended(self, self.dialog.lost(), said)


def raise_when_refused(reply: Reply) -> None:
    """Raise MailServerRefused for any answer that is not a yes: for a message somebody waits for."""
    if meaning(reply) is not Meaning.ACCEPTED:
        raise MailServerRefused(where=reply.stage, seen=f"{reply.code}", detail=f"{reply.code} {reply.text}")


def refusal(settings: SmtpSettings, said: str) -> MailServerRefused:
    """The error for a letter that no server took."""
    if not settings.host:
        return MailServerRefused(where="smtp.host", detail=Text("nie ustawiono serwera poczty", "no mail server is set"))
    return MailServerRefused(where="smtp", seen=said[:60], detail=said or "no answer")
