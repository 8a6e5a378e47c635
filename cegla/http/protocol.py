"""HTTP/1.1 for hot paths: requests are read within limits and handed over whole, answers are written in the order of the requests.

    bytes ─► llhttp ─► Request ─► application.handle ─► ... ─► request.answer ─► bytes

A protocol of our own, since on the hot path a general server's task, events and messages cost three times as much as
everything else a request needs (docs/decisions/0014-the-door-speaks-http-itself.md). Each connection is given up to another protocol on wish
between two requests (`give_up`). What a body may hold in memory is bounded per request and in all.
"""

import asyncio
import socket
import time
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Protocol, cast

import httptools

from cegla.http import answer as answers
from cegla.http.answer import Answer

IDLE_SECONDS = 65.0  # between two requests of a connection; longer than the 60 s of common proxies, so that they end it
RECEIVING_SECONDS = 60.0  # from the first byte of a request to its last
STOPPING_SECONDS = 5.0
LARGEST_HEAD_BYTES = 32_768
MOST_HELD_BYTES = 64_000_000  # of bodies that are not answered yet, in all connections together
MOST_CONNECTIONS = 10_000
MOST_PIPELINED = 16
DRAINED_TIMES = 8  # a body this many times too large is still read to its end, so that its sender sees the 413
BACKLOG = 2_048
FOREVER = float("inf")
FRAMING = (b"content-length", b"transfer-encoding")


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

    __slots__ = ("_connection", "body", "close", "headers", "held_bytes", "method", "path", "peer", "query", "trouble")

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.headers: dict[bytes, bytes] = {}
        self.peer = connection.peer
        self.body = b""
        self.method = self.path = self.query = b""
        self.close = False
        self.held_bytes = 0  # what it counts for in the server's
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
        """Accept connections on bound sockets; without any, only look after connections that somebody else accepts."""
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

    __slots__ = (
        "_arrived", "_declined", "_feeding", "_kept", "_parser", "_paused", "_pieces", "_pumping", "_queued", "_receiving", "_refused", "_server", "_size",
        "_stuck", "_transport", "_url", "current", "deadline", "peer",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._queued: deque[Request] = deque()
        self._receiving: Request | None = None
        self._pieces: list[bytes] = []
        self._kept = 0  # bytes in `_pieces`
        self._size = 0  # bytes of the body, also those not kept
        self._feeding = 0  # bytes the parser is reading now
        self._arrived = 0  # bytes of this request on the wire after the read it began in: with its head, chunk sizes and trailers
        self._url = b""
        self._declined = False  # the request offers another protocol, and the parser stopped behind its head
        self._pumping = False
        self._stuck = False  # the other end does not read its answers
        self._refused = False  # nothing more is read
        self._paused = False
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
        if self._refused or self._transport is None or self._transport.is_closing():
            return
        self._feeding = len(data)
        self._arrived += len(data)
        rest: bytes | memoryview = data
        while True:
            try:
                self._parser.feed_data(rest)
                break
            except httptools.HttpParserUpgrade as upgrade:
                rest = memoryview(rest)[upgrade.args[0] :]
                self._decline()
            except httptools.HttpParserError:
                self._refuse(answers.NOT_HTTP)
                break
        if self._receiving is not None and not self._refused:
            if self._receiving.method == b"":
                if self._arrived > LARGEST_HEAD_BYTES:
                    self._refuse(answers.HEAD_TOO_LARGE)
            elif self._arrived > LARGEST_HEAD_BYTES + self._server.application.largest_body_bytes * DRAINED_TIMES:
                self._refuse(answers.TOO_LARGE)  # endless trailers, or sizes of chunks longer than the chunks
        self._pump()

    def _decline(self) -> None:
        """Go on as if HTTP/2 or WebSocket had not been offered. Java's client offers it with every POST, whose body still follows."""
        self._parser = httptools.HttpRequestParser(self)
        if self._declined and self._receiving is not None:
            lines = (b"%b: %b\r\n" % (name, self._receiving.headers[name]) for name in FRAMING if name in self._receiving.headers)
            self._parser.feed_data(b"".join((b"POST / HTTP/1.1\r\n", *lines, b"\r\n")))

    def eof_received(self) -> bool:
        """The other end sends no more; what it sent whole is still answered. False closes the connection."""
        self._refuse(None)
        return self.current is not None or bool(self._queued)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        for request in (*self._queued, self.current):
            self._forget(request)
        self._queued.clear()
        self._receiving = self.current = self._transport = None
        self._server.connections.discard(self)

    def pause_writing(self) -> None:
        """Who does not read its answers gets no more of them, and sends no more requests."""
        self._stuck = True
        self._read_or_not()

    def resume_writing(self) -> None:
        self._stuck = False
        self._pump()

    def _read_or_not(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        paused = self._stuck or self._refused or len(self._queued) > MOST_PIPELINED
        if paused is not self._paused:
            self._paused = paused
            (self._transport.pause_reading if paused else self._transport.resume_reading)()

    # the parser ------------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self._declined or self._refused:
            return
        self._receiving = Request(self)
        self._url = b""
        self._arrived = 0
        self._size = 0
        self.deadline = self._server.now + RECEIVING_SECONDS

    def on_url(self, url: bytes) -> None:
        if not self._declined:
            self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._receiving is not None and self._receiving.method == b"":  # else a trailer: whoever adds it saw the body, not the head
            self._receiving.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        request = self._receiving
        if request is None:
            return
        if self._declined:  # the head that `_decline` made
            self._declined = False
            return
        if self._arrived + self._feeding > LARGEST_HEAD_BYTES and _head_bytes(self._url, request.headers) > LARGEST_HEAD_BYTES:
            self._refuse(answers.HEAD_TOO_LARGE)
            return
        request.method = self._parser.get_method()
        target = self._url if self._url.startswith(b"/") else _target(self._url)
        request.path, _, request.query = target.partition(b"?")
        request.close = request.method == b"CONNECT" or not self._parser.should_keep_alive()  # what follows CONNECT is no HTTP
        self._declined = self._parser.should_upgrade() and not request.close
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
        if request is None or self._declined:  # refused, or handed over before its body was read to the end
            return
        self._receiving = None
        request.trouble = trouble or request.trouble
        request.body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        request.held_bytes, self._kept, self._pieces = self._kept, 0, []
        self._queued.append(request)

    # the answers -----------------------------------------------------------------------------------------------------

    def reply(self, request: Request, answer: Answer, lines: bytes) -> None:
        """Write the answer of the current request and go on with the next."""
        if self.current is not request or self._transport is None:
            return
        self.current = None
        self._forget(request)
        close = request.close or self._server.ending
        self._transport.write(answer.written(lines, close=close, head_only=request.method == b"HEAD"))
        self.deadline = self._server.now + IDLE_SECONDS
        if close:
            self._refused = True
            self._let_go()
            for unanswered in self._queued:
                self._forget(unanswered)
            self._queued.clear()
            self._transport.close()
        elif self._queued and not self._pumping:  # later, since the caller is the committer with answers for others
            asyncio.get_running_loop().call_soon(self._pump)

    @property
    def idle(self) -> bool:
        """Whether no request is under way, not even its first byte."""
        return self.current is None and self._receiving is None and not self._queued and not self._refused

    def give_up(self) -> asyncio.Transport | None:
        """Hand the socket over to another protocol, while `idle`; None when it is gone."""
        transport, self._transport = self._transport, None
        self._server.connections.discard(self)
        return transport

    def close_when_idle(self) -> None:
        """Close unless a request is under way."""
        if self.idle and self._transport is not None:
            self._transport.close()

    def time_out(self) -> None:
        """Nothing came for too long."""
        if self._transport is None:
            return
        if self._transport.is_closing():  # and whoever is at the other end does not read the last answer
            self._transport.abort()
        elif self._receiving is not None:
            self._refuse(answers.TOO_SLOW)
        else:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _pump(self) -> None:
        """Hand over what has arrived, one request at a time. A loop, since answers may come within the call."""
        if self._pumping:
            return
        self._pumping, handled = True, False
        try:
            while self._queued and self.current is None and not self._stuck and self._transport is not None:
                self.current = self._queued.popleft()
                self.deadline = FOREVER
                self._server.application.handle(self.current)
            handled = True
        finally:
            self._pumping = False
            if not handled:
                self.abort()
        self._read_or_not()

    def _refuse(self, answer: Answer | None) -> None:
        """Read no more. The last words are only said when no good request before is still to be answered, and then the connection closes."""
        self._refused = True
        self._receiving = None
        self._let_go()
        if self._transport is None or self._transport.is_closing():
            return
        owed = self._queued[-1] if self._queued else self.current
        if owed is not None:
            owed.close = True
            self._read_or_not()
        else:
            if answer is not None:
                self._transport.write(answer.written(b"", close=True, head_only=False))
            self._transport.close()

    def _let_go(self) -> None:
        """Forget the body that was arriving."""
        self._server.held_bytes -= self._kept
        self._kept = 0
        self._pieces = []

    def _forget(self, request: Request | None) -> None:
        if request is not None:
            self._server.held_bytes -= request.held_bytes
            request.held_bytes = 0


def _head_bytes(url: bytes, headers: dict[bytes, bytes]) -> int:
    return len(url) + sum(len(name) + len(value) + 4 for name, value in headers.items())


def _target(url: bytes) -> bytes:
    """The path and query of an address given in full, as some proxies do."""
    _, found, rest = url.partition(b"://")
    return b"/" + rest.partition(b"/")[2] if found else b"/" + url
