"""A website and a collector for the browser script to work between: two origins, real sockets, real PostgreSQL."""

import asyncio
import json
import shutil
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg

from cegla.collect import actions as collect
from cegla.collect.shelf import FILES
from cegla.collect.wire import Door
from cegla.http.answer import Answer
from cegla.http.protocol import Request
from cegla.storage.settings import CollectorSettings
from cegla.vocabulary.consent import Basis

LIMITS = CollectorSettings.model_validate({"group_milliseconds": 0})
SHOP = """<!doctype html><html lang="pl"><head><title>Skarpety wełniane</title>
<link rel="canonical" href="/skarpety?utm_source=x"><meta name="description" content="Ciepłe skarpety. Pytania: jan@example.pl">
<meta name="keywords" content="skarpety, wełna"><meta property="article:tag" content="zima"><meta property="og:type" content="product">
<script type="application/ld+json">{"@graph": [{"@type": "Organization", "name": "Sklep"}, {"@type": "Product", "name": "Skarpety", "category": "Odzież > Skarpety"},
{"@type": "BreadcrumbList", "itemListElement": [null, {"name": "Odzież"}, {"item": {"name": "Skarpety"}}]}]}</script>
LINE</head><body style="margin:0;height:3000px">
<nav><a id="next" href="/next">Dalej</a> <a id="out" href="https://other.test/a?b=c">Gdzie indziej</a> <a id="file" href="/cennik.pdf">Cennik</a></nav>
<button id="buy" onclick="this.dataset.n = 1 + (this.dataset.n | 0)" style="position:absolute;left:100px;top:100px;width:200px;height:100px">Do koszyka</button>
<button id="broken" style="position:absolute;left:100px;top:300px;width:200px;height:100px">Nic</button>
<form name="newsletter" action="/thanks" style="position:absolute;top:450px"><input id="mail" name="email" value="anna@example.pl"><button>Zapisz</button></form>
<div id="private" data-cegla-mask style="position:absolute;top:600px"><a id="account" href="/konto/anna-kowalska">Anna Kowalska</a></div>
</body></html>"""


class Answers(ThreadingHTTPServer):
    """The website: every path is the same page; `line` is its <script> line."""

    line = ""


class _Page(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        worker = self.path == "/cegla-push.js"
        body = FILES["/push-worker.js"].body if worker else SHOP.replace("LINE", self.server.line).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if worker else "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline' http://127.0.0.1:*; style-src 'unsafe-inline'; connect-src http://127.0.0.1:*; worker-src 'self'; form-action *")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Moody(Door):
    """The collector's door, with answers put in front of it: each of `moods` is (status, headers) for one POST with `key`."""

    def __init__(self, dsn: str, directory: Path) -> None:
        super().__init__(dsn, LIMITS, directory)
        self.key = ""
        self.moods: list[tuple[int, dict[str, str]]] = []
        self.seen: list[tuple[float, int]] = []

    def handle(self, request: Request) -> None:
        if request.method == b"POST" and self.key.encode() in request.body:
            status, headers = self.moods.pop(0) if self.moods else (0, {})
            self.seen.append((time.monotonic(), status))
            if status:
                shared = b"access-control-allow-origin: %b\r\naccess-control-expose-headers: Retry-After\r\n"
                request.answer(Answer(status, b"", *headers.items()), shared % request.headers.get(b"origin", b"*"))
                return
        super().handle(request)


@dataclass
class Collector:
    """A running collector and what lies in its inbox."""

    dsn: str
    address: str
    moody: Moody
    key: str = ""

    def forget(self) -> None:
        """From now on only requests of a new source count: what the pages of before say while they close may still be on its way."""
        with psycopg.connect(self.dsn) as conn:
            conn.execute("delete from collect.inbox")
            self.key = collect.add_source(conn, f"shop {uuid.uuid4()}", "website", Basis.CONSENT, datetime.now(UTC))[0].key
        self.moody.key = self.key
        self.moody.moods.clear()
        self.moody.seen.clear()

    def requests(self) -> list[dict[str, Any]]:
        """The bodies in the inbox."""
        with psycopg.connect(self.dsn) as conn:
            return [json.loads(body) for (body,) in conn.execute("select body from collect.inbox where source_id = (select id from collect.sources where key = %s) order by writer, number", [self.key])]

    def events(self) -> list[dict[str, Any]]:
        """Their events, each messageId once, as the intake keeps them."""
        found = {event["messageId"]: event for request in self.requests() for event in request["batch"]}
        return sorted(found.values(), key=lambda event: event["messageId"])

    def wait_for(self, name: str, number: int = 1, seconds: float = 60) -> list[dict[str, Any]]:
        """The events of a name, or of a type, once so many are there."""
        end = time.monotonic() + seconds
        while True:
            found = [event for event in self.events() if name in (event.get("event"), event["type"])]
            if len(found) >= number or time.monotonic() > end:
                assert len(found) >= number, f"{len(found)} of {number} {name}; there are {[event.get('event', event['type']) for event in self.events()]}"
                return found
            time.sleep(0.05)


@contextmanager
def website() -> Generator[Answers]:
    """The shop's website on a port of its own."""
    server = Answers(("127.0.0.1", 0), _Page)
    running = threading.Thread(target=server.serve_forever, daemon=True)
    running.start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def collector(dsn: str) -> Generator[Collector]:
    """A collector on a port of its own, committing into `dsn`."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    directory = Path(tempfile.mkdtemp(prefix="cegla-site-"))
    loop, standing = asyncio.new_event_loop(), threading.Event()
    moody = Moody(dsn, directory)
    ending = asyncio.Event()

    async def stay() -> None:
        await moody.open([listening])
        standing.set()
        await moody.serve(ending)

    running = threading.Thread(target=loop.run_until_complete, args=(stay(),), daemon=True)
    running.start()
    standing.wait(60)
    while not (moody.committer.ready and moody.keyring.fresh):
        time.sleep(0.02)
    yield Collector(dsn, f"http://127.0.0.1:{listening.getsockname()[1]}", moody)
    loop.call_soon_threadsafe(ending.set)
    running.join(10)
    loop.close()
    shutil.rmtree(directory)
