"""HTTP/1.1 for the door: requests are read within limits and handed over whole, answers are written in the order of the requests.

    bytes ─► llhttp ─► Request ─► application.handle ─► ... ─► request.answer ─► bytes

A protocol of our own, since on the hot path a general server's task, events and messages cost three times as much as
everything else a request needs (docs/decisions/0013-the-door-speaks-http-itself.md). What a body may hold in memory is bounded per request and in all.
"""

import asyncio
import socket
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Protocol, cast

import httptools

from cegla.collect import answers
from cegla.collect.answers import Answer

IDLE_SECONDS = 65.0  # between two requests of a connection; longer than the 60 s of common proxies, so that they end it
RECEIVING_SECONDS = 60.0  # from the first byte of a request to its last
STOPPING_SECONDS = 5.0
LARGEST_HEAD_BYTES = 32_768
MOST_HELD_BYTES = 64_000_000  # of bodies on their way in, in all connections together
MOST_CONNECTIONS = 10_000
MOST_PIPELINED = 16
DRAINED_TIMES = 8  # a body this many times too large is still read to its end, so that its sender sees the 413
BACKLOG = 2_048
FOREVER = float("inf")


class Trouble(Enum):
    """Why a request has only the beginning of its body."""

    TOO_LARGE = "too large"
    NO_ROOM = "no room"


class Application(Protocol):
    """Who answers."""

    @property
    def largest_body_bytes(self) -> int: ...

    def handle(self, request: "Request") -> None:
        """Answer the request, now or later, by its `answer`. An exception closes the connection."""


class Request:
    """One request. Header names are in lower case; `peer` is the address of the other end."""

    __slots__ = ("_connection", "body", "close", "headers", "method", "path", "peer", "query", "trouble")

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.headers: dict[bytes, bytes] = {}
        self.peer = connection.peer
        self.body = b""
        self.method = self.path = self.query = b""
        self.close = False
        self.trouble: Trouble | None = None

    def answer(self, answer: Answer, lines: bytes = b"") -> None:
        """Send the answer with more header lines; nothing happens when the sender is gone or was answered before."""
        self._connection.reply(self, answer, lines)


class Server:
    """All connections of one process. Everything runs in the loop in which it is made."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.connections: set[Connection] = set()
        self.held_bytes = 0
        self.now = time.monotonic()  # set anew once a second, which is exact enough for time-outs
        self.ending = False
        self._listening: list[asyncio.Server] = []
        self._sweeping: asyncio.Task[None] | None = None

    async def listen(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections on bound sockets."""
        loop = asyncio.get_running_loop()
        self._sweeping = asyncio.create_task(self._sweep())
        for bound in sockets:
            self._listening.append(await loop.create_server(lambda: Connection(self), sock=bound, backlog=BACKLOG))

    async def stop(self) -> None:
        """Accept nothing more, answer what is under way, close."""
        self.ending = True
        for listening in self._listening:
            listening.close()
        deadline = time.monotonic() + STOPPING_SECONDS
        while self.connections and time.monotonic() < deadline:
            for connection in list(self.connections):
                connection.close_when_idle()
            await asyncio.sleep(0.01)
        for connection in list(self.connections):
            connection.abort()
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.now = time.monotonic()
            for connection in [one for one in self.connections if one.deadline < self.now]:
                connection.time_out()


class Connection(asyncio.Protocol):
    """One connection; the `on_` methods are called by the parser."""

    __slots__ = ("_kept", "_parser", "_pieces", "_pumping", "_queued", "_receiving", "_server", "_size", "_transport", "_url", "current", "deadline", "peer")

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._queued: deque[Request] = deque()
        self._receiving: Request | None = None
        self._pieces: list[bytes] = []
        self._kept = 0  # bytes in `_pieces`
        self._size = 0  # bytes of the head while it arrives, then of the body, also those not kept
        self._url = b""
        self._pumping = False
        self.current: Request | None = None
        self.deadline = server.now + RECEIVING_SECONDS
        self.peer = ""

    # the socket ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        self._server.connections.add(self)
        if len(self._server.connections) > MOST_CONNECTIONS:
            self._refuse(answers.CROWDED)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:  # an offer of HTTP/2 or WebSocket: declined by going on
            self._parser = httptools.HttpRequestParser(self)
            if rest := data[upgrade.args[0] :]:
                self.data_received(rest)
        except httptools.HttpParserError:
            self._pump()
            self._refuse(answers.NOT_HTTP)
            return
        if self._receiving is not None and self._receiving.method == b"":
            self._size += len(data)
            if self._size > LARGEST_HEAD_BYTES:
                self._refuse(answers.HEAD_TOO_LARGE)
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        self._queued.clear()
        self._receiving = self.current = self._transport = None
        self._server.connections.discard(self)

    def pause_writing(self) -> None:
        """Who does not read its answers sends no more requests."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # the parser ------------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._receiving = Request(self)
        self._url = b""
        self._size = 0
        self.deadline = self._server.now + RECEIVING_SECONDS

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._receiving is not None:
            self._receiving.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        request = self._receiving
        if request is None:
            return
        self._size = 0
        request.method = self._parser.get_method()
        target = self._url if self._url.startswith(b"/") else _target(self._url)
        request.path, _, request.query = target.partition(b"?")
        request.close = not self._parser.should_keep_alive()
        if b"expect" in request.headers and self._transport is not None:
            announced = request.headers.get(b"content-length", b"0")
            if announced.isdigit() and int(announced) > self._server.application.largest_body_bytes:
                request.close = True  # its body will not be read
                self.on_message_complete(Trouble.TOO_LARGE)
            elif not self._queued and self.current is None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        request = self._receiving
        if request is None:
            return
        self._size += len(body)
        if request.trouble is None:
            if self._size > self._server.application.largest_body_bytes:
                request.trouble = Trouble.TOO_LARGE
            elif self._server.held_bytes + len(body) > MOST_HELD_BYTES:
                request.trouble = Trouble.NO_ROOM
            else:
                self._pieces.append(body)
                self._kept += len(body)
                self._server.held_bytes += len(body)
        elif self._size > self._server.application.largest_body_bytes * DRAINED_TIMES:
            request.close = True
            self.on_message_complete(request.trouble)

    def on_message_complete(self, trouble: Trouble | None = None) -> None:
        request = self._receiving
        if request is None:  # answered before its body was read to the end
            return
        self._receiving = None
        request.trouble = trouble or request.trouble
        request.body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._let_go()
        self._queued.append(request)
        if len(self._queued) > MOST_PIPELINED and self._transport is not None:
            self._transport.pause_reading()

    # the answers -----------------------------------------------------------------------------------------------------

    def reply(self, request: Request, answer: Answer, lines: bytes) -> None:
        """Write the answer of the current request and go on with the next."""
        if self.current is not request or self._transport is None:
            return
        self.current = None
        close = request.close or self._server.ending
        self._transport.write(answer.written(lines, close=close, head_only=request.method == b"HEAD"))
        self.deadline = self._server.now + IDLE_SECONDS
        if close:
            self._queued.clear()
            self._transport.close()
        elif not self._pumping:
            self._pump()

    def close_when_idle(self) -> None:
        """Close unless a request is under way."""
        if self.current is None and self._receiving is None and not self._queued and self._transport is not None:
            self._transport.close()

    def time_out(self) -> None:
        """Nothing came for too long."""
        if self._receiving is not None:
            self._refuse(answers.TOO_SLOW)
        elif self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _pump(self) -> None:
        """Hand over what has arrived, one request at a time. A loop, since answers may come within the call."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._queued and self.current is None and self._transport is not None:
                if len(self._queued) == MOST_PIPELINED:
                    self._transport.resume_reading()
                self.current = self._queued.popleft()
                self.deadline = FOREVER
                self._server.application.handle(self.current)
        finally:
            self._pumping = False

    def _refuse(self, answer: Answer) -> None:
        """The last words to somebody who does not keep to the rules; there are none when a good request before is still to be answered."""
        self._receiving = None
        self._let_go()
        if self._transport is None or self._transport.is_closing():
            return
        owed = self._queued[-1] if self._queued else self.current
        if owed is not None:
            owed.close = True
            self._transport.pause_reading()
        else:
            self._transport.write(answer.written(b"", close=True, head_only=False))
            self._transport.close()

    def _let_go(self) -> None:
        self._server.held_bytes -= self._kept
        self._kept = 0
        self._pieces = []


def _target(url: bytes) -> bytes:
    """The path and query of an address given in full, as some proxies do."""
    _, found, rest = url.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if found else b"/" + url
