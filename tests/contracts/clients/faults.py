"""A proxy that spoils what passes: clients on one side, a real collector on the other, and a list of faults for each client.

It also writes down every event that a client sent, and how often, so that what is stored can be compared with it.
"""

import asyncio
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PASS, SLOW_DOWN, BROKEN, DROPPED, LOST_ANSWER, RESTART = "pass", "429", "500", "dropped", "lost answer", "restart"
#: One at a time, since most SDKs wait twice as long after each failure in a row.
FAULTS = (PASS, SLOW_DOWN, PASS, BROKEN, PASS, DROPPED, PASS, LOST_ANSWER, PASS, RESTART)
ANSWERS = {
    SLOW_DOWN: b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 2\r\n",
    BROKEN: b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n",
}


class Collector:
    """A collector process that any client's fault may kill and start again, one at a time."""

    def __init__(self, dsn: str, directory: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._environment = {**os.environ, "CEGLA_DSN": dsn, "CEGLA_DATA_DIR": str(directory), "CEGLA_COLLECTOR_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()
        self.up = asyncio.Event()

    async def start(self) -> None:
        """Start it, and wait until it can commit."""
        self._process = subprocess.Popen([sys.executable, "-m", "cegla.worker.collector"], env=self._environment, stderr=subprocess.DEVNULL)
        async with httpx.AsyncClient(timeout=60) as client:
            for _ in range(600):
                try:
                    if (await client.get(f"http://127.0.0.1:{self.port}/readyz")).status_code == 200:
                        self.up.set()
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.05)
        raise TimeoutError("the collector did not come up")

    async def restart(self) -> None:
        """kill -9, and a new process on the same port."""
        async with self._lock:
            assert self._process is not None
            self.up.clear()
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            await self.start()

    def stop(self) -> None:
        """Let it commit what waits and end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)


@dataclass
class Proxy:
    """One client's way to the collector. `faults` happen to its POSTs in this order, then everything passes.

    What comes while another client's fault restarts the collector waits, so that each client meets its own faults and few besides.
    """

    collector: Collector
    faults: list[str] = field(default_factory=lambda: list(FAULTS))
    met: list[str] = field(default_factory=list)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    arrivals: Counter[str] = field(default_factory=Counter)  #: how often each event came here
    lost: set[str] = field(default_factory=set)  #: events that the collector has while their sender never got the answer
    preflights: int = 0
    keys: set[str] = field(default_factory=set)  #: where the key was shown: "header", "body"
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
        if head.startswith(b"OPTIONS"):
            self.preflights += 1
        if not head.startswith(b"POST") or b"/m HTTP" in head:
            while (answer := await self._forward(head, body)) is None:  # no SDK starts without its settings
                pass
            return answer
        events = self._note(head, body)
        fault = self.faults.pop(0) if self.faults else PASS
        self.met.append(fault)
        if fault in ANSWERS:
            return ANSWERS[fault] + _shared(head) + b"\r\n{}"
        if fault == RESTART:
            await self.collector.restart()
        if fault in (DROPPED, RESTART):
            return None
        answer = await self._forward(head, body)
        while fault == LOST_ANSWER and not _committed(answer):  # another client's restart came between, so there was no answer to lose
            answer = await self._forward(head, body)
        if fault == LOST_ANSWER:
            self.lost.update(events)
            return None
        if _committed(answer):
            self.passed.update(events)
        return answer

    def _note(self, head: bytes, body: bytes) -> dict[str, dict[str, Any]]:
        """Write down what came; returns its events by message id."""
        value = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        events = {event["messageId"]: event for event in value.get("batch", [value])}
        self.sent.update(events)
        self.arrivals.update(events.keys())
        if b"\r\nauthorization:" in head.lower():
            self.keys.add("header")
        if "writeKey" in value:
            self.keys.add("body")
        return events

    async def _forward(self, head: bytes, body: bytes) -> bytes | None:
        await self.collector.up.wait()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.collector.port)
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


def _committed(answer: bytes | None) -> bool:
    return answer is not None and answer.startswith(b"HTTP/1.1 200")


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
