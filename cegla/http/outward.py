"""The way out over HTTP for messages: one request to an address that is public, checked where the connection is made, and nowhere else.

    host ─► every address it has is public? ─► connected to the very one that was checked ─► TLS for the name ─► request ─► answer, bounded

No redirect is followed and no proxy asked. What matters to whoever sends: `NotBegun` means nothing left this machine, `Unanswered` that
the request may have arrived. Connections stay open for a moment; one that the other side may have closed is not used again. An answer
that trickles is cut off: each byte may be in time and the whole never end.
"""

import http.client
import select
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cegla.reference.crawling import Bounds, NotFetched, checked_address, limited

CONNECT_SECONDS, ANSWER_SECONDS, KEPT_SECONDS = 10.0, 30.0, 4.0
WHOLE_SECONDS = 40.0  #: for a request and all of its answer
LARGEST_ANSWER_BYTES = 1_000_000
Place = tuple[str, str, int]  #: scheme, host, port


class NotBegun(Exception):
    """Nothing was sent: the address is not allowed, the host is unknown, or it does not listen."""


class Unanswered(Exception):
    """The request left and no whole answer came back: nobody knows what became of it."""


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Outward:
    """The way out. `private_hosts` ("gateway.lan", "127.0.0.1:8025") may be reached though their addresses are not public, and without TLS.

    Safe for many threads; `close` gives back the connections that are kept.
    """

    private_hosts: tuple[str, ...] = ()
    _kept: "dict[Place, list[tuple[http.client.HTTPConnection, float]]]" = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """End what is kept open."""
        with self._lock:
            for connections in self._kept.values():
                for connection, _ in connections:
                    connection.close()
            self._kept.clear()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One POST. Raises NotBegun or Unanswered."""
        scheme, host, port, path = self.parts(url)
        connection = self._connection(scheme, host, port)
        begun, line = False, connection.sock
        with limited(lambda: line, WHOLE_SECONDS) as late:
            try:
                connection.putrequest("POST", path, skip_accept_encoding=True)
                for name, value in {**headers, "Content-Length": str(len(body)), "User-Agent": "Cegla"}.items():
                    connection.putheader(name, value)
                begun = True
                connection.endheaders(body)
                answer, ends = _read(connection)
            except (OSError, http.client.HTTPException, ValueError) as error:
                connection.close()
                if not begun:
                    raise NotBegun(type(error).__name__) from None
                raise Unanswered(type(error).__name__) from None
        if ends or late.is_set():
            connection.close()
        else:
            self._keep((scheme, host, port), connection)
        if late.is_set():  # what looks like the end of an answer is the cut
            raise Unanswered("slow")
        return answer

    def parts(self, url: str) -> tuple[str, str, int, str]:
        """Scheme, host, port and path of an address that may be asked at all. Raises NotBegun; who the host is, is seen when it is connected to."""
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
        except ValueError:
            raise NotBegun("the address is malformed") from None
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        if usual is None or not host or parts.username is not None or parts.password is not None or any(sign <= " " for sign in url):
            raise NotBegun("the address is not a plain https address")
        if parts.scheme == "http" and not self._private(host, port or usual):
            raise NotBegun("without TLS only hosts of outbound.private_hosts are asked")
        return parts.scheme, host, port or usual, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _private(self, host: str, port: int) -> bool:
        return host in self.private_hosts or f"{host}:{port}" in self.private_hosts

    def _connection(self, scheme: str, host: str, port: int) -> http.client.HTTPConnection:
        while (found := self._one_kept((scheme, host, port))) is not None:
            connection, used_at = found
            if time.monotonic() - used_at < KEPT_SECONDS and connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._connected(scheme, host, port)
        return connection

    def _one_kept(self, place: Place) -> tuple[http.client.HTTPConnection, float] | None:
        with self._lock:
            kept = self._kept.get(place)
            return kept.pop() if kept else None

    def _connected(self, scheme: str, host: str, port: int) -> socket.socket:
        try:
            address = checked_address(host, port, Bounds((host,), private_addresses=self._private(host, port)))
        except NotFetched as refused:
            raise NotBegun("the host is unknown" if refused.reason == "unreachable" else "the host's address is not a public one") from None
        try:
            line = socket.create_connection((address, port), CONNECT_SECONDS)
            line = _secured(line, host) if scheme == "https" else line
            line.settimeout(ANSWER_SECONDS)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError) as error:
            raise NotBegun(f"no connection: {type(error).__name__}") from None
        return line

    def _keep(self, place: Place, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._kept.setdefault(place, []).append((connection, time.monotonic()))


def _read(connection: http.client.HTTPConnection) -> tuple[Answer, bool]:
    """The answer, and whether the connection ends with it."""
    found = connection.getresponse()
    body = found.read(LARGEST_ANSWER_BYTES + 1)
    if len(body) > LARGEST_ANSWER_BYTES:
        raise ValueError("the answer is too long")
    return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, body), bool(found.will_close)


def _secured(line: socket.socket, host: str) -> socket.socket:
    try:
        return ssl.create_default_context().wrap_socket(line, server_hostname=host)
    except OSError:
        line.close()
        raise
