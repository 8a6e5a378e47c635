"""A load generator that costs little: raw HTTP/1.1 on uvloop, requests rendered beforehand, one in flight a connection."""

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass
from typing import cast

import uvloop


@dataclass(frozen=True)
class Load:
    """What came back. `seconds` is the measured time, `latencies` sorted, in seconds."""

    answered: int
    refused: int
    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Answers of 200 a second."""
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        """A latency in milliseconds."""
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))] * 1_000 if self.latencies else 0.0


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
        self.send()

    def send(self) -> None:
        self.place = (self.place + self.run.connections) % len(self.run.requests)
        self.sent_at = time.perf_counter()
        self.transport.write(self.run.requests[self.place])

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        self.buffer = b""
        now = time.perf_counter()
        if self.run.starts <= now < self.run.ends:
            if head.startswith(b"HTTP/1.1 200"):
                self.run.latencies.append(now - self.sent_at)
            else:
                self.run.refused += 1
        if now < self.run.ends:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
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
        self.refused = 0
        self.done = asyncio.get_running_loop().create_future()

    def ended(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


async def _load(port: int, requests: list[bytes], connections: int, warm_up: float, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    run = _Run(requests, connections, warm_up, seconds)
    for number in range(connections):
        await loop.create_connection(lambda number=number: _Connection(run, number), "127.0.0.1", port)
    await asyncio.wait_for(run.done, warm_up + seconds + 30)
    return Load(len(run.latencies), run.refused, run.seconds, sorted(run.latencies))


def load(port: int, requests: list[bytes], connections: int, warm_up: float, seconds: float) -> Load:
    """Send for `warm_up` seconds and then count for `seconds`. Blocks."""
    return uvloop.run(_load(port, requests, connections, warm_up, seconds))


def main() -> None:
    """`python -m bench.load PORT KEY EVENTS CONNECTIONS SECONDS`: the generator as a process of its own; the result as JSON."""
    port, key, events, connections, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
    started = time.process_time()
    requests = rendered(key, events, 4_096 if events == 1 else 128)
    rendering = time.process_time() - started
    result = load(port, requests, connections, 1.0, seconds)
    print(
        json.dumps(
            {
                "answered": result.answered, "refused": result.refused, "seconds": result.seconds, "per_second": result.per_second,
                "p50": result.percentile(0.5), "p99": result.percentile(0.99), "p999": result.percentile(0.999),
                "cpu": time.process_time() - started - rendering,
                "request_bytes": sum(map(len, requests)) / len(requests),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
