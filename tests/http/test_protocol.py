"""The door's own HTTP/1.1 among hostile clients: one meaning of a body, bounds on everything, answers in order."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import uvloop

from cegla.collect import answers
from cegla.http import protocol as http
from cegla.http.answer import Answer
from cegla.http.protocol import Request, Server, Trouble

BODY = b"POST /v1/t HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
GET = b"GET /healthz HTTP/1.1\r\n\r\n"
LARGEST = 100_000


@dataclass
class Noting:
    """An application that remembers what it was asked; while `late`, answers are given by `settle`, as after a commit."""

    largest_body_bytes: int = LARGEST
    late: bool = False
    asked: list[Request] = field(default_factory=list)
    waiting: list[Request] = field(default_factory=list)

    def handle(self, request: Request) -> None:
        if request.path == b"/bug":
            raise ZeroDivisionError
        self.asked.append(request)
        if self.late:
            self.waiting.append(request)
        else:
            request.answer(_about(request))

    def settle(self) -> None:
        for request in self.waiting:
            request.answer(_about(request))
        self.waiting.clear()

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.asked]


def _about(request: Request) -> Answer:
    return {None: answers.DONE, Trouble.TOO_LARGE: answers.TOO_LARGE, Trouble.NO_ROOM: answers.BUSY}[request.trouble]


@dataclass
class Line:
    """A client's connection, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer; status 0 when the connection ended instead."""
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 60)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, b"", b""
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        return int(head.split(b" ", 2)[1]), head, await self.reader.readexactly(length)

    async def status(self) -> int:
        return (await self.answer())[0]

    async def ended(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), 60) == b""
        except ConnectionError:
            return True


Dial = Callable[[], Awaitable[Line]]
Conversation = Callable[[Server, Noting, Dial], Awaitable[None]]


def talk(conversation: Conversation, **more: object) -> None:
    async def go() -> None:
        application = Noting(**more)  # type: ignore[arg-type]
        server = Server(application)
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        await server.listen([listening])

        lines: list[Line] = []

        async def dial() -> Line:
            lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
            return lines[-1]

        try:
            await conversation(server, application, dial)
        finally:
            for line in lines:
                line.writer.transport.abort()
            await server.stop()
            await asyncio.sleep(0)  # the aborted ends notice it
        assert server.held_bytes == 0
        assert not server.connections

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(go())


def chunked(*pieces: bytes, trailers: bytes = b"") -> bytes:
    head = b"POST /v1/t HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-First: 1\r\n\r\n"
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"


POST = b"POST /v1/t HTTP/1.1\r\n"
SMUGGLED = [
    POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nabc",
    POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nabc",
    POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    *(POST + b"Content-Length: " + length + b"\r\n\r\nabc" for length in (b"-3", b"+3", b"3, 3", b"0x3", b"3 3", b"", b"9" * 30, b"three")),
    POST + b"Content-Length : 3\r\n\r\nabc",
    *(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n" for coding in (b"xchunked", b"chunked, gzip", b"identity")),
    POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    *(POST + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\nabc\r\n0\r\n\r\n" for size in (b"-3", b"zz", b"", b"f" * 17, b"3 3", b"0x3")),
    POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
]
NO_HTTP = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"BREW /v1/t HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/3.7\r\n\r\n",
    b"GET /a b HTTP/1.1\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
    b"GET /healthz HTTP/1.1\nHost: a\n\n",
    b"GET /healthz HTTP/1.1\r\nA\0: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nA: b\0c\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nA: b\rc\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
    bytes(200),
]


@pytest.mark.parametrize("data", SMUGGLED + NO_HTTP)
def test_a_request_that_can_be_read_in_two_ways_or_none_gets_400_and_the_end(data: bytes) -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(data + GET)
        status, head, _body = await line.answer()
        assert (status, b"connection: close" in head) == (400, True)
        assert await line.ended()
        assert application.asked == []

    talk(conversation)


def test_what_came_before_a_bad_request_is_answered_in_order() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(BODY + BODY + b"nonsense\r\n\r\n" + BODY)
        while len(application.waiting) < 1:
            await asyncio.sleep(0.001)
        application.settle()
        assert await line.status() == 200
        while len(application.waiting) < 1:
            await asyncio.sleep(0.001)
        application.settle()
        assert await line.status() == 200
        assert await line.ended()
        assert application.bodies == [b"abc"] * 2

    talk(conversation, late=True)


def test_chunks_make_one_body_and_trailers_are_no_headers() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        for byte in chunked(b"ab", b"c" * 300, b"d", trailers=b"X-First: 2\r\nAuthorization: Basic eA==\r\n"):
            line.writer.write(bytes([byte]))
            await line.writer.drain()
        assert await line.status() == 200
        (request,) = application.asked
        assert request.body == b"ab" + b"c" * 300 + b"d"
        assert request.headers == {b"transfer-encoding": b"chunked", b"x-first": b"1"}

    talk(conversation)


def test_pipelined_requests_are_answered_in_their_order_however_they_are_cut() -> None:
    sent = b"".join(POST + b"Content-Length: %d\r\n\r\n%b" % (len(b"%d" % number), b"%d" % number) for number in range(300))

    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        for start in range(0, len(sent), 997):
            await line.send(sent[start : start + 997])
        assert [await line.status() for _ in range(300)] == [200] * 300
        assert application.bodies == [b"%d" % number for number in range(300)]

    talk(conversation)


def test_who_never_reads_answers_is_read_no_further_and_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "IDLE_SECONDS", 0.5)

    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        before = -1
        while len(application.asked) != before:
            before = len(application.asked)
            for _ in range(200):
                line.writer.write(GET * 100)
            await asyncio.sleep(0.1)
        while server.connections:
            await asyncio.sleep(0.05)
        line.writer.transport.abort()

    talk(conversation)


def test_expect_is_answered_before_the_body_or_refused_without_it() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert await line.status() == 100
        await line.send(b"abc")
        assert await line.status() == 200
        await line.send(POST + b"Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n")
        assert await line.status() == 413
        assert await line.ended()
        assert application.bodies == [b"abc", b""]

    talk(conversation)


def test_head_gets_no_body_and_the_connection_goes_on() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(GET.replace(b"GET", b"HEAD"))
        head = await line.reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 17" in head
        await line.send(GET)
        assert await line.status() == 200

    talk(conversation)


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_head_beyond_its_limit_is_431_in_one_piece_or_many(pieces: int) -> None:
    head = b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: %b\r\n" % (number, b"x" * 900) for number in range(40)) + b"\r\n"
    size = (len(head) + len(BODY)) // pieces

    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        sent = head + BODY  # what follows is not read either
        with contextlib.suppress(ConnectionError):
            for start in range(0, len(sent), size):
                await line.send(sent[start : start + size])
                await asyncio.sleep(0)
        assert await line.status() in (431, 0)  # 0: the end came before all was sent, so the kernel says no more
        assert application.asked == []

    talk(conversation)


def test_a_body_too_large_is_read_to_its_end_and_the_connection_stays_usable() -> None:
    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(POST + b"Content-Length: %d\r\n\r\n" % (LARGEST * 3) + b"x" * LARGEST * 3)
        assert await line.status() == 413
        await line.send(BODY)
        assert await line.status() == 200
        assert max(map(len, application.bodies)) <= LARGEST

    talk(conversation)


@pytest.mark.parametrize("endless", [b"x" * 65_536, b"1;" + b"a" * 8_000 + b"\r\nx\r\n", b"0\r\n" + b"T: " + b"t" * 30_000 + b"\r\n"])
def test_a_request_without_end_is_ended(endless: bytes) -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        plain = endless.startswith(b"x")
        await line.send(POST + (b"Content-Length: 999999999\r\n\r\n" if plain else b"Transfer-Encoding: chunked\r\n\r\n"))
        rest = endless
        with pytest.raises(ConnectionError):
            while True:
                await line.send(rest)
                rest = endless.removeprefix(b"0\r\n")
                await asyncio.sleep(0)

    talk(conversation)


@pytest.mark.parametrize("begun", [b"POST /v1", POST + b"Content-Length: 3\r\n\r\na", b""])
def test_what_does_not_arrive_in_time_gets_408_or_just_the_end(begun: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "RECEIVING_SECONDS", 0.2)

    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(begun)
        assert await line.status() == (408 if begun else 0)
        assert await line.ended()
        assert application.asked == []

    talk(conversation)


def test_one_connection_too_many_is_told_so_and_the_others_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_CONNECTIONS", 3)

    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        lines = [await dial() for _ in range(3)]
        for line in lines:
            await line.send(BODY)
            assert await line.status() == 200
        status, head, _body = await (await dial()).answer()
        assert (status, b"retry-after: 1" in head) == (503, True)
        await lines[0].send(BODY)
        assert await lines[0].status() == 200

    talk(conversation)


def test_bodies_in_memory_are_bounded_over_all_connections_until_they_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_HELD_BYTES", 250_000)

    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        whole = POST + b"Content-Length: 90000\r\n\r\n" + b"x" * 90_000
        lines = [await dial() for _ in range(4)]
        for place, line in enumerate(lines):
            await line.send(whole)
            while len(application.waiting) <= place:
                await asyncio.sleep(0.001)
        assert server.held_bytes <= 250_000
        application.settle()
        assert [await line.status() for line in lines] == [200, 200, 429, 429]
        assert server.held_bytes == 0

    talk(conversation, late=True)


def test_who_goes_away_leaves_nothing_behind() -> None:
    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(BODY + BODY + POST + b"Content-Length: 30000\r\n\r\n" + b"x" * 20_000)
        while server.held_bytes < 20_000:
            await asyncio.sleep(0.001)
        line.writer.transport.abort()
        while server.held_bytes > len(b"abcabc"):  # the half of a request goes at once, whole ones may still be committed
            await asyncio.sleep(0.001)
        while server.connections:
            application.settle()
            await asyncio.sleep(0.001)
        assert server.held_bytes == 0

    talk(conversation, late=True)


def test_who_says_that_nothing_more_comes_still_gets_the_answers() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(BODY + BODY)
        line.writer.write_eof()
        for _ in range(2):
            while not application.waiting:
                await asyncio.sleep(0.001)
            application.settle()
            assert await line.status() == 200
        assert await line.ended()

    talk(conversation, late=True)


@pytest.mark.parametrize("cut", [False, True])
def test_an_offer_to_change_the_protocol_is_declined_and_its_body_read(cut: bool) -> None:
    offer = POST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
    sent = offer + b"Content-Length: 30\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n1234" + offer + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + offer + b"\r\n" + BODY

    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        for piece in [sent[place : place + 1] for place in range(len(sent))] if cut else [sent]:
            await line.send(piece)
        assert [await line.status() for _ in range(4)] == [200] * 4
        assert application.bodies == [b"GET /smuggled HTTP/1.1\r\n\r\n1234", b"abc", b"", b"abc"]
        assert {request.path for request in application.asked} == {b"/v1/t"}

    talk(conversation)


def test_thousands_of_offers_at_once_are_thousands_of_requests() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" * 3_000)
        assert [await line.status() for _ in range(3_000)] == [200] * 3_000

    talk(conversation)


def test_a_tunnel_is_refused_with_whatever_comes_through_it() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        tunnel = await dial()
        await tunnel.send(b"CONNECT evil.test:80 HTTP/1.1\r\nContent-Length: 3\r\n\r\n" + BODY)
        assert await tunnel.status() == 200
        assert await tunnel.ended()
        assert len(application.asked) == 1

    talk(conversation)


def test_http_1_0_and_connection_close_end_after_one_answer() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        for request in (BODY.replace(b"1.1", b"1.0"), BODY.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)):
            line = await dial()
            await line.send(request)
            status, head, _body = await line.answer()
            assert (status, b"connection: close" in head) == (200, True)
            assert await line.ended()

    talk(conversation)


def test_an_address_in_full_is_read_as_its_path() -> None:
    async def conversation(_: Server, application: Noting, dial: Dial) -> None:
        line = await dial()
        await line.send(BODY.replace(b"/v1/t", b"http://shop.test/v1/t?a=1"))
        assert await line.status() == 200
        assert (application.asked[0].path, application.asked[0].query) == (b"/v1/t", b"a=1")

    talk(conversation)


def test_a_mistake_of_our_own_costs_one_connection_only() -> None:
    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        other, line = await dial(), await dial()
        await line.send(b"GET /bug HTTP/1.1\r\n\r\n")
        assert await line.ended()
        await other.send(BODY + b"GET /bug HTTP/1.1\r\n\r\n")  # the second is handled when the first is settled
        while not application.waiting:
            await asyncio.sleep(0.001)
        application.settle()
        await other.ended()
        third = await dial()
        await third.send(BODY)
        while not application.waiting:
            await asyncio.sleep(0.001)
        application.settle()
        assert await third.status() == 200

    talk(conversation, late=True)


def test_the_end_answers_what_it_took_and_takes_nothing_more() -> None:
    async def conversation(server: Server, application: Noting, dial: Dial) -> None:
        idle, line, slow = await dial(), await dial(), await dial()
        await line.send(BODY)
        await slow.send(BODY[:-1])
        while not application.waiting or len(server.connections) < 3:
            await asyncio.sleep(0.001)
        ending = asyncio.create_task(server.stop())
        assert await idle.ended()
        with pytest.raises(OSError):
            await dial()
        application.settle()
        status, head, _body = await line.answer()
        assert (status, b"connection: close" in head) == (200, True)
        await slow.send(b"c")
        while not application.waiting:
            await asyncio.sleep(0.001)
        application.settle()
        assert await slow.status() == 200
        await ending

    talk(conversation, late=True)
