"""A proxy that spoils what passes: clients on one side, a real collector on the other, and a list of faults for each client.

It also writes down every event that a client sent, so that what is stored can be compared with it.
"""

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

PASS, SLOW_DOWN, BROKEN, DROPPED, LOST_ANSWER, RESTART = "pass", "429", "500", "dropped", "lost answer", "restart"
FAULTS = (PASS, SLOW_DOWN, BROKEN, DROPPED, LOST_ANSWER, RESTART)
ANSWERS = {
    SLOW_DOWN: b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 2\r\n",
    BROKEN: b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n",
}


@dataclass
class Proxy:
    """One client's way to the collector at `port`. `faults` happen to its POSTs in this order, then everything passes."""

    port: int
    restart: Callable[[], Awaitable[None]]
    faults: list[str] = field(default_factory=lambda: list(FAULTS))
    met: list[str] = field(default_factory=list)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    passed: dict[str, dict[str, Any]] = field(default_factory=dict)  #: events whose request was answered with 200

    async def open(self) -> tuple[asyncio.Server, int]:
        """Listen; returns the server and its port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**20)
        return server, server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_message(reader)) is not None:
                head, body = request
                answer = await self._answer(head, body)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes, body: bytes) -> bytes | None:
        fault = PASS
        if head.startswith(b"POST") and b"/m HTTP" not in head:
            self.sent.update(_events(body))
            fault = self.faults.pop(0) if self.faults else PASS
            self.met.append(fault)
        if fault in ANSWERS:
            return ANSWERS[fault] + _shared(head) + b"\r\n{}"
        if fault == RESTART:
            await self.restart()
        if fault in (DROPPED, RESTART):
            return None
        answer = await self._forward(head, body)
        if answer is not None and answer.startswith(b"HTTP/1.1 200") and fault != LOST_ANSWER and head.startswith(b"POST"):
            self.passed.update(_events(body))
        return None if fault == LOST_ANSWER else answer

    async def _forward(self, head: bytes, body: bytes) -> bytes | None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return None
        try:
            writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            answer = await read_message(reader)
            return None if answer is None else answer[0] + b"content-length: %d\r\n\r\n" % len(answer[1]) + answer[1]
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            writer.close()


def _events(body: bytes) -> dict[str, dict[str, Any]]:
    """The events of a request by message id."""
    value = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    return {event["messageId"]: event for event in value.get("batch", [value]) if "messageId" in event}


def _shared(head: bytes) -> bytes:
    """What a browser needs to be let read the answer."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b": ")
        if name.lower() == b"origin":
            return b"access-control-allow-origin: %b\r\naccess-control-expose-headers: retry-after\r\n" % value
    return b""


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes] | None:
    """Head (without its lengths) and body of one HTTP/1.1 message; None at the end."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[:-2]
    except asyncio.IncompleteReadError:
        return None
    length, chunked, kept = 0, False, []
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        elif name.lower() == b"transfer-encoding":
            chunked = True
        elif name.lower() != b"expect":
            kept.append(line)
    if not chunked:
        return b"\r\n".join([*kept, b""]), await reader.readexactly(length)
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return b"\r\n".join([*kept, b""]), body
