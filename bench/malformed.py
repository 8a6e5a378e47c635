"""Malformed requests at a running collector, made from good ones by a seeded generator; then intake takes in whatever was accepted.

    good call ─► broken as JSON ─► broken as bytes ─► packed, often wrongly ─► head and path, often odd ─► collector ─► intake

No answer may be 5xx, no event may end as one that intake could not stand, and every accepted event must be applied, a repeat
or in quarantine with its reason.
"""

import argparse
import asyncio
import base64
import gzip
import json
import random
import zlib
from collections import Counter
from collections.abc import Generator, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import psutil
import psycopg
import uvloop

from bench.installation import collectors_running
from bench.result import Result
from cegla.collect import actions as collect
from cegla.collect.rules.door import PATHS, Does
from cegla.flow import Intake
from cegla.storage.settings import load_settings
from cegla.storage.workspace import open_workspace
from cegla.vocabulary.events import Reason

CLIENTS = 16
ANSWER_SECONDS = 20.0
GROWTH_BYTES = 24_000_000  # what a collector may weigh more after all of it than after the first fifth

CALLS: list[dict[str, Any]] = [
    {
        "type": "track",
        "event": "Order Completed",
        "userId": "u-17",
        "properties": {"order_id": "o-1", "total": 99.5, "currency": "PLN", "products": [{"sku": "k-1", "price": 9.5}]},
    },
    {"type": "track", "event": "Product Viewed", "anonymousId": "a-1", "userId": None, "properties": {"product_id": "7"}, "integrations": {"All": True}},
    {"type": "identify", "userId": "u-17", "traits": {"email": "anna@example.pl", "phone": "+48600100200", "address": {"city": "Łódź"}}},
    {"type": "page", "anonymousId": "a-1", "name": "Cennik", "category": "Oferta", "properties": {"url": "https://shop.test/p?q=1", "title": "Żółć"}},
    {"type": "screen", "anonymousId": "a-2", "name": "Start", "context": {"device": {"type": "ios"}, "os": {"name": "iOS"}}},
    {"type": "group", "userId": "u-17", "groupId": "g-1", "traits": {"name": "Spółka"}},
    {"type": "alias", "userId": "u-18", "previousId": "a-1"},
    {"type": "merge", "mergeProperties": [{"type": "email", "value": "jan@example.pl"}, {"type": "user_id", "value": "u-19"}]},
]
CONTEXT = {
    "ip": "203.0.113.9",
    "locale": "pl-PL",
    "page": {"url": "https://shop.test/"},
    "campaign": {"source": "x"},
    "consent": {"categoryPreferences": {"analytics": True}},
    "externalIds": [{"id": "c-1", "type": "loyalty_card", "collection": "users", "encoding": "none"}],
    "traits": {"email": "anna@example.pl"},
    "userAgent": "Mozilla/5.0",
}
NESTED: Any = 0
for _ in range(60):
    NESTED = [NESTED]
HOSTILE: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    -0.0,
    1e308,
    2**63,
    2**64,
    -(2**70),
    10**400,
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "null",
    "undefined",
    "NaN",
    "[object Object]",
    "x" * 600,
    "ż" * 5_000,
    "😀" * 300,
    "\u202e\u200b",
    "' or 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "2026-13-45",
    "+99999-01-01T00:00:00Z",
    1e18,
    -1e18,
    1764000000,
    [],
    {},
    [[]],
    [None],
    {"": ""},
    {"__proto__": {"a": 1}},
    NESTED,
    {f"k{number}": number for number in range(400)},
    list(range(2_000)),
    {"id": {"id": 1}},
    "a@b",
    "@",
    "anna@example.pl\r\nBcc: x@y.pl",
    "+480000000000000000000",
]
TOKENS = (
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"\\",
    b",",
    b":",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\\u0000",
    b"\\ud83d",
    b"NaN",
    b"Infinity",
    b"1e9999",
    b"//",
    b"\xef\xbb\xbf",
)
KEYWORDS = (
    "type",
    "event",
    "userId",
    "anonymousId",
    "messageId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "properties",
    "traits",
    "context",
    "groupId",
    "previousId",
    "name",
    "batch",
    "writeKey",
    "integrations",
    "channel",
    "mergeProperties",
)


class Sent(NamedTuple):
    """One request. Beyond its `end` no answer need come: the client says that nothing follows."""

    data: bytes
    stored: bool  #: a 200 means that it lies in the inbox
    end: bool


def requests(count: int, key: str, seed: int) -> Generator[Sent]:
    """Malformed requests, the same for the same seed."""
    rng = random.Random(seed)
    taking = [row for row in PATHS if row.does is Does.TAKE]
    drawing = [row for row in PATHS if row.does is Does.DRAW]
    for number in range(count):
        if rng.random() < 0.12:
            yield _drawn(rng, rng.choice(drawing).path, key, number)
            continue
        row = rng.choice(taking)
        body = _broken_bytes(rng, _as_json(rng, _broken_json(rng, _call(rng, number, batch=row.call is None)), key))
        headers, body = _packed(rng, body)
        yield _request(rng, row.path, headers, body, key)


def _call(rng: random.Random, number: int, *, batch: bool) -> dict[str, Any]:
    def one(index: int) -> dict[str, Any]:
        call = json.loads(json.dumps(rng.choice(CALLS)))
        call.update({"messageId": f"m-{number}-{index}", "timestamp": "2026-11-25T10:00:00.000Z", "sentAt": "2026-11-25T10:00:01.000Z"})
        if rng.random() < 0.6:
            call["context"] = json.loads(json.dumps(CONTEXT))
        return call

    if not batch:
        return one(0)
    return {
        "batch": [one(index) for index in range(rng.choice((0, 1, 2, 5)))],
        "context": {"locale": "pl"},
        "integrations": {"All": False},
        "sentAt": "2026-11-25T10:00:02Z",
    }


def _places(value: Any) -> Generator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    inner: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in list(inner):
        yield value, key
        yield from _places(child)


def _hostile(rng: random.Random) -> Any:
    return deepcopy(rng.choice(HOSTILE))


def _broken_json(rng: random.Random, call: dict[str, Any]) -> Any:
    """The call with some values, names or parts exchanged, lost or added."""
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        places = list(_places(call))
        if not places:
            break
        container, key = rng.choice(places)
        change = rng.random()
        if change < 0.6:
            container[key] = _hostile(rng)
        elif change < 0.75:
            del container[key]
        elif change < 0.9 and isinstance(container, dict):
            container[rng.choice(KEYWORDS)] = container.pop(key)
        else:
            call[rng.choice(KEYWORDS)] = _hostile(rng)
    return _hostile(rng) if rng.random() < 0.03 else call


def _as_json(rng: random.Random, call: Any, key: str) -> bytes:
    if isinstance(call, dict) and rng.random() < 0.3:
        call["writeKey"] = key if rng.random() < 0.8 else _hostile(rng)
    text = json.dumps(call, ensure_ascii=rng.random() < 0.5, allow_nan=True, indent=rng.choice((None, None, 1)))
    if rng.random() < 0.05:  # the same name twice
        text = text.replace("{", '{"type": "track", "userId": 5, ', 1)
    encoding = rng.choices(("utf-8", "utf-16", "utf-32", "cp1250"), (94, 2, 2, 2))[0]
    return text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace")


def _broken_bytes(rng: random.Random, body: bytes) -> bytes:
    if rng.random() < 0.55:
        return body
    data = bytearray(body)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(data) + 1)
        change = rng.random()
        if change < 0.3 and data:
            data[place % len(data)] = rng.randrange(256)
        elif change < 0.6:
            data[place:place] = rng.choice(TOKENS)
        elif change < 0.75:
            del data[place:]
        elif change < 0.9:
            del data[place : place + rng.randrange(1, 30)]
        else:
            data[place:place] = data[: rng.randrange(1, 200)]
    return bytes(data)


def _packed(rng: random.Random, body: bytes) -> tuple[list[bytes], bytes]:
    """The body with a content encoding, true or not."""
    shape = rng.random()
    if shape < 0.6:
        return [], body
    said = rng.choice(([], [b"Content-Encoding: gzip"], [b"Content-Encoding: GZIP "], [b"Content-Encoding: br"], [b"Content-Encoding: gzip, gzip"]))
    if shape < 0.8:
        return said, gzip.compress(body, mtime=0)
    packed = gzip.compress(body, mtime=0)
    damaged = (
        packed[: len(packed) // 2],
        packed[:-4],
        b"\x1f\x8b" + body,
        packed[:12] + bytes([rng.randrange(256)]) + packed[13:],
        gzip.compress(packed, mtime=0),
        packed + packed,
        zlib.compress(body),
    )
    return said, rng.choice((*damaged, BOMB))


BOMB = gzip.compress(b'{"a":"' + b"x" * 30_000_000 + b'"}', mtime=0)


def _request(rng: random.Random, path: str, headers: list[bytes], body: bytes, key: str) -> Sent:
    target = rng.choices(
        (path, path + "/", "/" + path, path.upper(), path + "%00", path + "/../v1/t", path + "?writeKey=%ff&writeKey[]=1", path + "x" * 3_000),
        (80, 5, 5, 2, 2, 2, 2, 2),
    )[0]
    shown = rng.choices(
        (
            b"Basic " + base64.b64encode(f"{key}:".encode()),
            b"Basic " + base64.b64encode(key.encode()),
            b"Basic " + base64.b64encode(b"\xff\xfe:"),
            b"Basic !!!",
            b"Bearer x",
            b"basic  ",
            b"A" * 3_000,
        ),
        (75, 15, 2, 2, 2, 2, 2),
    )[0]
    lines = [b"Host: 127.0.0.1", b"Authorization: " + shown, *headers]
    odd = (
        b"Content-Type: " + rng.choice((b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"\xff/\xfe", b"")),
        b"User-Agent: " + rng.choice((b"Mozilla/5.0", b"\xff\xfe\xc3", b"M" * 9_000, b"")),
        b"X-Forwarded-For: " + rng.choice((b"198.51.100.7", b"::ffff:1.2.3.4, fe80::1%eth0", b"unknown", b"," * 500, b"\xe9")),
        b"Origin: " + rng.choice((b"https://shop.test", b"null", b"https://\xc5\xbc.test", b"x" * 300)),
        b"Sec-GPC: 1",
        b"X-Retry-Count: -9",
    )
    lines += rng.sample(odd, rng.randrange(len(odd)))
    framing = rng.random()
    if framing < 0.9:
        lines.append(b"Content-Length: %d" % len(body))
        return Sent(_head(b"POST", target, lines) + body, True, False)
    if framing < 0.94:
        lines.append(b"Transfer-Encoding: chunked")
        cut = rng.randrange(len(body) + 1)
        pieces = [piece for piece in (body[:cut], body[cut:]) if piece]
        return Sent(_head(b"POST", target, lines) + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n", True, False)
    lies = (
        [b"Content-Length: %d" % (len(body) + 5)],
        [b"Content-Length: -1"],
        [b"Content-Length: 1", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked"],
        [b"\0: x"],
        [b"no colon"],
    )
    return Sent(_head(b"POST", target, [*lines, *rng.choice(lies)]) + body, True, True)


def _drawn(rng: random.Random, path: str, key: str, number: int) -> Sent:
    call = _broken_json(rng, _call(rng, number, batch=False))
    packed = base64.b64encode(_broken_bytes(rng, json.dumps(call).encode())).decode()
    fields = (
        f"&data={quote(packed)}"
        if rng.random() < 0.5
        else "".join(f"&{quote(str(name))}={quote(str(value)[:200], errors='replace')}" for name, value in (call.items() if isinstance(call, dict) else ()))
    )
    target = f"{path}?writeKey={key}{_broken_bytes(rng, fields.encode()).decode('latin-1')}"[:20_000]
    return Sent(_head(b"GET", target, [b"Host: 127.0.0.1"]), True, rng.random() < 0.1)


def _head(method: bytes, target: str, lines: list[bytes]) -> bytes:
    return b"\r\n".join((method + b" " + target.replace(" ", "%20").encode("latin-1", "replace") + b" HTTP/1.1", *lines, b"", b""))


@dataclass
class Told:
    """What the collector said: answers by status (0: the connection ended without one), and requests that lie in the inbox."""

    by_status: Counter[int] = field(default_factory=Counter[int])
    stored: int = 0
    silent: list[bytes] = field(default_factory=list[bytes])  #: whole requests that got no answer at all

    @property
    def broken(self) -> int:
        """Answers of 5xx, and silence where an answer was owed."""
        return sum(count for status, count in self.by_status.items() if status >= 500) + len(self.silent)


async def send(port: int, malformed: Iterable[Sent], told: Told) -> None:
    """All of it, over a few connections that are used again as long as they live."""
    each = iter(malformed)

    async def client() -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        for sent in each:
            line = line or await asyncio.open_connection("127.0.0.1", port)
            status, closed = await _exchange(*line, sent)
            told.by_status[status] += 1
            told.stored += sent.stored and status == 200
            if status == 0 and not sent.end:
                told.silent.append(sent.data)
            if closed:
                line[1].close()
                line = None
        if line is not None:
            line[1].close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: Sent) -> tuple[int, bool]:
    """Status, and whether the connection is done for."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            writer.write(sent.data)
            if sent.end:
                writer.write_eof()
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0))
            return int(head[9:12]), sent.end or b"connection: close" in head
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return 0, True


def taken_in(conn: psycopg.Connection[Any]) -> tuple[dict[str, int], bool]:
    """Events by reason of their quarantine, and whether every source adds up with nothing waiting."""
    reasons = dict(conn.execute("select reason, count(*) from repair.quarantine group by reason").fetchall())
    return reasons, all(one.adds_up and not one.waiting for one in collect.standing(conn))


def main(argv: list[str] | None = None) -> list[Result]:
    """`python -m bench malformed [--count 10000] [--seed 1]`."""
    options = argparse.ArgumentParser(prog="bench malformed", description=__doc__)
    options.add_argument("--count", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(argv)
    told = Told()
    with collectors_running(1) as running:
        process = psutil.Process(running.collectors[0].pid)
        every = requests(chosen.count, running.write_key, chosen.seed)
        weights: list[int] = []
        for _ in range(5):
            uvloop.run(send(running.port, islice(every, chosen.count // 5), told))
            weights.append(process.memory_info().rss)
        reasons, applied, adds_up = _drained(running.dsn, running.directory)
        alive = process.is_running()
    growth = weights[-1] - weights[0]
    unhandled = reasons.get(Reason.INTAKE_FAILED, 0)
    note = f"seed {chosen.seed}, {CLIENTS} connections, one collector; answers " + ", ".join(
        f"{status}: {count:,}" for status, count in sorted(told.by_status.items())
    )
    kept = f"{told.stored:,} requests accepted; {applied:,} events applied, {sum(reasons.values()):,} in quarantine for {len(reasons)} reasons"
    return [
        Result(f"answers of 5xx to {chosen.count:,} malformed requests", told.broken, "", "0", told.broken == 0 and alive, note),
        Result(
            "  memory of the collector, from the first fifth to the last",
            growth / 1e6,
            "MB",
            f"≤ {GROWTH_BYTES / 1e6:.0f}",
            growth <= GROWTH_BYTES,
            f"{weights[-1] / 1e6:.0f} MB at the end",
        ),
        Result(
            "  events that intake could not stand",
            unhandled,
            "",
            "0",
            unhandled == 0 and adds_up,
            kept + (", all accounted for" if adds_up else "; THE COUNTS DO NOT ADD UP"),
        ),
    ]


def _drained(dsn: str, directory: Path) -> tuple[dict[str, int], int, bool]:
    settings = load_settings(environment={"CEGLA_DATA_DIR": str(directory / "app"), "CEGLA_DSN": dsn})
    (directory / "app").mkdir()
    with open_workspace(settings) as ws:
        applied = Intake(ws).drain()
        with ws.transaction() as conn:
            reasons, adds_up = taken_in(conn)
    return reasons, applied, adds_up


if __name__ == "__main__":
    main()
