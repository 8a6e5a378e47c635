"""A gateway that listens: a real HTTP server on this machine that answers as it is told, and keeps what it heard."""

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

Answer = tuple[int, dict[str, str], bytes] | None  #: None: hang up without a word


@dataclass
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """Its body, a form or JSON."""
        return json.loads(self.body) if self.body.startswith(b"{") else dict(parse_qsl(self.body.decode()))


@dataclass
class Gateway:
    """`says` decides the answer to each request."""

    port: int = 0
    says: Callable[[Heard], Answer] = lambda heard: (200, {}, b'{"id": "g1"}')
    heard: list[Heard] = field(default_factory=list[Heard])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/sms"


@contextmanager
def listening() -> Generator[Gateway]:
    """A gateway at work."""
    gateway = Gateway()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            heard = Heard(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            gateway.heard.append(heard)
            answer = gateway.says(heard)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(answer[2])), **answer[1]}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer[2])

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield gateway
    server.shutdown()
    server.server_close()
