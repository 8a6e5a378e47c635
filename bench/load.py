"""A load generator that costs little: raw HTTP/1.1 on uvloop, requests rendered beforehand, one in flight a connection.

Without a rate each connection sends again as soon as it is answered (a closed loop). With one, requests are due at their times whatever
the answers do (an open loop): the next free connection sends, and a latency counts from the moment the request was due.
"""

import asyncio
import json
import random
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import cast

import uvloop


@dataclass(frozen=True)
class Load:
    """What came back. `seconds` is the measured time; the latencies of what was accepted and of what was not are sorted, in seconds."""

    answered: int
    refused: int
    seconds: float
    latencies: list[float]
    refusals: list[float]
    refused_otherwise: int  #: not by 429 with Retry-After

    @property
    def per_second(self) -> float:
        """Answers of 200 a second."""
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        """A latency of what was accepted, in milliseconds."""
        return _percentile(self.latencies, share)


def _percentile(ascending: list[float], share: float) -> float:
    return ascending[min(len(ascending) - 1, int(len(ascending) * share))] * 1_000 if ascending else 0.0


def rendered(key: str, events: int, variants: int, seed: int = 1) -> list[bytes]:
    """Whole HTTP requests of a shop's website, one event each (as browsers send them) or a batch."""
    rng = random.Random(seed)
    path = "/v1/t" if events == 1 else "/v1/b"
    requests: list[bytes] = []
    for number in range(variants):
        batch = [_event(rng, f"{seed}-{number}-{index}") for index in range(events)]
        body = json.dumps(
            {**batch[0], "writeKey": key} if events == 1 else {"batch": batch, "writeKey": key, "sentAt": "2026-11-23T20:00:00.000Z"}, separators=(",", ":")
        )
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/154.0.0.0 Safari/537.36\r\n"
            f"Origin: https://sklep.test\r\nReferer: https://sklep.test/\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        requests.append((head + body).encode())
    return requests


def _event(rng: random.Random, key: str) -> dict[str, object]:
    product = rng.randrange(500)
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"ajs-next-1763900000000-{key}",
        "anonymousId": f"{rng.getrandbits(128):032x}",
        "timestamp": "2026-11-23T20:00:00.000Z",
        "properties": {"product_id": str(product), "price": rng.randrange(1_000, 90_000) / 100, "currency": "PLN", "category": "Kubki"},
        "context": {
            "page": {"path": f"/p/{product}", "url": f"https://sklep.test/p/{product}", "referrer": "", "title": f"Produkt {product}"},
            "locale": "pl-PL",
        },
    }


class _Connection(asyncio.Protocol):
    def __init__(self, run: "_Run", first: int) -> None:
        self.run = run
        self.place = first
        self.sent_at = 0.0
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class
        self.run.free(self)

    def send(self, due_at: float) -> None:
        self.place = (self.place + self.run.connections) % len(self.run.requests)
        self.sent_at = due_at
        self.transport.write(self.run.requests[self.place])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        self.buffer = b""
        self.run.answered(head, self.sent_at)
        self.run.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.run.ended()


class _Run:
    def __init__(self, requests: list[bytes], connections: int, warm_up: float, seconds: float) -> None:
        self.requests = requests
        self.connections = connections
        self.open = connections
        self.starts = time.perf_counter() + warm_up
        self.ends = self.starts + seconds
        self.seconds = seconds
        self.latencies: list[float] = []
        self.refusals: list[float] = []
        self.refused_otherwise = 0
        self.done = asyncio.get_running_loop().create_future()

    def free(self, connection: _Connection) -> None:
        """A connection may send."""
        now = time.perf_counter()
        if now < self.ends:
            connection.send(now)
        else:
            connection.transport.close()

    def answered(self, head: bytes, since: float) -> None:
        """Count an answer to a request that was sent, or due, at a moment."""
        now = time.perf_counter()
        if self.starts <= now < self.ends:
            if head.startswith(b"HTTP/1.1 200"):
                self.latencies.append(now - since)
            else:
                self.refusals.append(now - since)
                self.refused_otherwise += not (head.startswith(b"HTTP/1.1 429") and b"retry-after" in head.lower())

    def ended(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)

    def load(self) -> Load:
        """What came back."""
        return Load(len(self.latencies), len(self.refusals), self.seconds, sorted(self.latencies), sorted(self.refusals), self.refused_otherwise)


class _Paced(_Run):
    """Requests are due `rate` times a second; one that finds no free connection waits for one, and its latency grows."""

    def __init__(self, requests: list[bytes], connections: int, warm_up: float, seconds: float, rate: float) -> None:
        super().__init__(requests, connections, warm_up, seconds)
        self.rate = rate
        self._idle = deque[_Connection]()  # the one that waited longest sends next, so that none is closed as idle
        self._sent = 0

    def free(self, connection: _Connection) -> None:
        if time.perf_counter() < self.ends:
            self._idle.append(connection)
        else:
            connection.transport.close()

    async def keep_pace(self) -> None:
        """Send what is due, until the end."""
        began = time.perf_counter()
        while (now := time.perf_counter()) < self.ends:
            due = int((now - began) * self.rate)
            while self._sent < due and self._idle:
                self._idle.popleft().send(began + self._sent / self.rate)
                self._sent += 1
            await asyncio.sleep(0.002)
        for connection in self._idle:
            connection.transport.close()


async def _load(port: int, requests: list[bytes], connections: int, warm_up: float, seconds: float, rate: float) -> Load:
    loop = asyncio.get_running_loop()
    run = _Paced(requests, connections, warm_up, seconds, rate) if rate else _Run(requests, connections, warm_up, seconds)
    for number in range(connections):
        await loop.create_connection(lambda number=number: _Connection(run, number), "127.0.0.1", port)
    if isinstance(run, _Paced):
        await run.keep_pace()
    await asyncio.wait_for(run.done, warm_up + seconds + 30)
    return run.load()


def load(port: int, requests: list[bytes], connections: int, warm_up: float, seconds: float, rate: float = 0) -> Load:
    """Send for `warm_up` seconds and then count for `seconds`; `rate` requests a second, 0: as fast as answers come. Blocks."""
    return uvloop.run(_load(port, requests, connections, warm_up, seconds, rate))


def main() -> None:
    """`python -m bench.load PORT KEY EVENTS CONNECTIONS SECONDS [RATE]`: the generator as a process of its own; the result as JSON."""
    port, key, events, connections, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    rate = float(sys.argv[6]) if len(sys.argv) > 6 else 0.0
    started = time.process_time()
    requests = rendered(key, events, 4_096 if events == 1 else 128)
    rendering = time.process_time() - started
    result = load(port, requests, connections, 1.0, seconds, rate)
    print(
        json.dumps(
            {
                "answered": result.answered, "refused": result.refused, "seconds": result.seconds, "per_second": result.per_second,
                "p50": result.percentile(0.5), "p99": result.percentile(0.99), "p999": result.percentile(0.999),
                "refused_p99": _percentile(result.refusals, 0.99), "refused_otherwise": result.refused_otherwise,
                "cpu": time.process_time() - started - rendering,
                "request_bytes": sum(map(len, requests)) / len(requests),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
