"""The crawler of the shop's own site: polite, bounded, and unable to leave the hosts it was told.

    start, sitemaps ──► a queue of paths ──allowed by robots.txt?──► one request at a time, at its pace ──► what the page says ──► more paths

A host is fetched only when it is on the list of the settings and every address it has is a public one; the connection then goes to the very address
that was checked, so that a name cannot point elsewhere a moment later. Redirects are links like any other. Only HTML is read, only so much of it,
only for so long; nothing is run, no cookie is kept, and no link with a query is followed.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from cegla.reference.page_text import PageText, read_html

AGENT = "CeglaBot/1.0 (+own site only)"
LARGEST_BYTES, LARGEST_ROBOTS = 2_000_000, 500_000
SOCKET_SECONDS, PAGE_SECONDS = 10.0, 20.0
SLOWEST_DELAY = 30.0
MOST_SITEMAPS, MOST_QUEUED, MOST_FAILURES = 20, 50_000, 20
LONGEST_PATH = 500
#: Where only the visitor's own things are: never fetched, whatever robots.txt says.
PRIVATE = re.compile(
    r"/(?:koszyk|cart|checkout|zamowienie|kasa|logowanie|login|logout|wyloguj|konto|account|admin|wp-admin|panel|api|search|szukaj)(?:/|$)", re.IGNORECASE
)
_LOCATION = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]\s]{1,2000})", re.IGNORECASE)
#: IPv6 networks that hide an IPv4 address: NAT64, the one for local use, and the old compatible addresses (RFC 6052, 8215, 4291).
_DISGUISES = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
_QUERY = "/%:@!$&'()*+,;=~-._?"
_CHARSET = re.compile(rb"charset=[\"']?([\w\-]{1,20})", re.IGNORECASE)


@dataclass(frozen=True)
class Bounds:
    """What a crawl may do: hosts ("sklep.pl", with a port where it is not the usual one), pages a second, pages in all.

    `private_addresses` lets it reach addresses that are not public, for shops that are tried out on one machine.
    """

    hosts: tuple[str, ...]
    pages_per_second: float = 1.0
    most_pages: int = 2_000
    private_addresses: bool = False


class NotFetched(Exception):
    """A page that is not fetched, with the reason in a word: host, address, robots, type, size, status, slow, unreachable, redirect."""

    def __init__(self, reason: str, location: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.location = location


@dataclass(frozen=True)
class Crawled:
    """One page that was tried: its path, what it says (None: not read) and why not."""

    path: str
    page: PageText | None
    reason: str = ""


Sleep = Callable[[float], object]


def crawl(start: str, bounds: Bounds, sleep: Sleep = time.sleep, clock: Callable[[], float] = time.monotonic) -> Iterator[Crawled]:
    """Fetch the site from `start` (an address on one of the hosts) on, page by page. Raises NotFetched when the start itself may not be fetched."""
    origin = _origin(start, bounds)
    pace = _Pace(1.0 / max(bounds.pages_per_second, 0.01), sleep, clock)
    robots, sitemaps = _robots(origin, bounds, pace)
    if delay := robots.crawl_delay(AGENT):
        pace.seconds = min(max(pace.seconds, float(delay)), SLOWEST_DELAY)
    queue = deque(dict.fromkeys([_path(start), *_from_sitemaps(origin, sitemaps, bounds, pace)]))
    seen, fetched, failures = set(queue), 0, 0
    while queue and fetched < bounds.most_pages and failures < MOST_FAILURES:
        path = queue.popleft()
        if PRIVATE.search(path) or not robots.can_fetch(AGENT, origin + path):
            yield Crawled(path, None, "robots")
            continue
        fetched += 1
        found, links = _tried(origin, path, bounds, pace)
        failures = failures + 1 if found.reason in ("unreachable", "slow", "status") else 0
        yield found
        for link in links:
            if len(seen) < MOST_QUEUED and (further := _own_path(origin, link, bounds, origin + path)) and further not in seen:
                seen.add(further)
                queue.append(further)


class Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, that still says the host's name. `line` stays when the answer takes the socket over."""

    line: socket.socket | None = None

    def __init__(self, scheme: str, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=SOCKET_SECONDS)
        self._scheme, self._address = scheme, address

    def connect(self) -> None:
        """To the address, whatever the name says now."""
        self.sock = self.line = socket.create_connection((self._address, self.port), SOCKET_SECONDS)
        if self._scheme == "https":
            self.sock = self.line = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def fetch(url: str, bounds: Bounds, largest: int = LARGEST_BYTES, types: tuple[str, ...] = ("text/html", "application/xhtml+xml")) -> tuple[bytes, str]:
    """The body of an address and its content type. Raises NotFetched."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotFetched("host") from None
    host, port = allowed_host(parts, bounds)
    connection = Pinned(parts.scheme, host, port, checked_address(host, port, bounds))
    with cut_off(connection, PAGE_SECONDS):
        return _asked(connection, parts, largest, types)


def _asked(connection: Pinned, parts: Any, largest: int, types: tuple[str, ...]) -> tuple[bytes, str]:
    """One request and its answer. Raises NotFetched, and whatever a connection raises."""
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{quote(parts.query, safe=_QUERY)}" if parts.query else "")
    connection.request("GET", target, headers={"Host": parts.netloc, "User-Agent": AGENT, "Accept": "*/*", "Accept-Encoding": "identity",
        "Connection": "close"})  # fmt: skip
    answer = connection.getresponse()
    if answer.status in (301, 302, 303, 307, 308):
        raise NotFetched("redirect", urljoin(parts.geturl(), answer.getheader("Location") or ""))
    if answer.status != 200:
        raise NotFetched("status" if answer.status >= 500 else "absent")
    kind = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind not in types or (answer.getheader("Content-Encoding") or "identity").lower() != "identity":
        raise NotFetched("type")
    return _body(answer, largest), answer.getheader("Content-Type") or ""


@contextmanager
def cut_off(connection: Pinned, seconds: float) -> Generator[None]:
    """End the connection after so long. Raises NotFetched for what goes wrong."""
    try:
        with limited(lambda: connection.line, seconds) as is_late:
            try:
                yield
                if is_late.is_set():  # what looks like an end is the cut
                    raise NotFetched("slow")
            except NotFetched:
                if is_late.is_set():  # headers that were cut look like headers that lack something
                    raise NotFetched("slow") from None
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise NotFetched("slow" if is_late.is_set() or isinstance(error, TimeoutError) else "unreachable") from None
    finally:
        connection.close()


@contextmanager
def limited(line: Callable[[], socket.socket | None], seconds: float) -> Generator[threading.Event]:
    """Shut a line down after so long, however it trickles: a header a byte at a time as well as a body. The event says whether that came to be."""
    is_late = threading.Event()

    def end() -> None:
        is_late.set()
        if (held := line()) is not None:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()


def _tried(origin: str, path: str, bounds: Bounds, pace: "_Pace") -> tuple[Crawled, Iterable[str]]:
    pace.wait()
    try:
        body, kind = fetch(origin + path, bounds)
    except NotFetched as refused:
        return Crawled(path, None, refused.reason), [refused.location] if refused.location else []
    page = read_html(_decoded(body, kind))
    links = page.links if page.may_follow else ()
    return (Crawled(path, page) if page.may_index else Crawled(path, None, "robots")), links


def _body(answer: Any, largest: int) -> bytes:
    parts, size = list[bytes](), 0
    while part := answer.read1(65_536):
        size += len(part)
        if size > largest:
            raise NotFetched("size")
        parts.append(part)
    return b"".join(parts)


# where it may go -----------------------------------------------------------------------------------------------------------


def allowed_host(parts: Any, bounds: Bounds) -> tuple[str, int]:
    """Host and port of an address that is on the list. Raises NotFetched."""
    named, host, port = _place(parts)
    if named not in {one.lower() for one in bounds.hosts}:
        raise NotFetched("host")
    return host, port


def own_host(url: str) -> str:
    """The host of an address, as bounds name it. Raises NotFetched."""
    try:
        return _place(urlsplit(url))[0]
    except ValueError:
        raise NotFetched("host") from None


def _place(parts: Any) -> tuple[str, str, int]:
    """How bounds name where an address leads (with the port unless it is the usual one), the host and the port. Raises NotFetched."""
    try:
        host, port = (parts.hostname or "").rstrip(".").lower(), parts.port
    except ValueError:
        raise NotFetched("host") from None
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    if usual is None or parts.username is not None or parts.password is not None:
        raise NotFetched("host")
    return host if port in (None, usual) else f"{host}:{port}", host, port or usual


def checked_address(host: str, port: int, bounds: Bounds) -> str:
    """An address of the host, when all of them are public. Raises NotFetched."""
    try:
        found = {str(one[4][0]) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except UnicodeError:  # a name that no DNS could hold
        raise NotFetched("host") from None
    except OSError:
        raise NotFetched("unreachable") from None
    if not found or not all(bounds.private_addresses or is_public(address) for address in found):
        raise NotFetched("address")
    return min(found, key=lambda address: (":" in address, address))


def is_public(address: str) -> bool:
    """Whether an address is on the public internet: not of this machine, a private network, a link, a cloud's own service, or none of these in disguise."""
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(one, "ipv4_mapped", None) or getattr(one, "sixtofour", None)
    if getattr(one, "teredo", None) or any(one in network for network in _DISGUISES if network.version == one.version):
        return False
    return one.is_global and not one.is_multicast and (inner is None or (inner.is_global and not inner.is_multicast))


def _origin(start: str, bounds: Bounds) -> str:
    parts = urlsplit(start)
    allowed_host(parts, bounds)
    return f"{parts.scheme}://{parts.netloc}"


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _own_path(origin: str, link: str, bounds: Bounds, page: str = "") -> str:
    """The path of a link of a page that stays on this host; empty for any other, for one with a query, for what is no page and for what is no link."""
    try:
        parts = urlsplit(urljoin(page, link))
        allowed_host(parts, bounds)
    except (ValueError, NotFetched):
        return ""
    if parts.query or f"{parts.scheme}://{parts.netloc}" != origin or len(parts.path) > LONGEST_PATH:
        return ""
    path = parts.path or "/"
    return "" if re.search(r"\.(?:jpe?g|png|gif|webp|svg|pdf|zip|mp4|css|js|xml|json|ico|woff2?)\Z", path, re.IGNORECASE) else path


# manners -------------------------------------------------------------------------------------------------------------------


class _Pace:
    """At most one request in so many seconds."""

    def __init__(self, seconds: float, sleep: Sleep, clock: Callable[[], float]) -> None:
        self.seconds, self._sleep, self._clock = seconds, sleep, clock
        self._last: float | None = None

    def wait(self) -> None:
        """Until the next request may go."""
        if self._last is not None and (left := self._last + self.seconds - self._clock()) > 0:
            self._sleep(left)
        self._last = self._clock()


def _robots(origin: str, bounds: Bounds, pace: _Pace) -> tuple[RobotFileParser, list[str]]:
    """What robots.txt allows, and the sitemaps it names. None at all: everything; one that cannot be had: nothing (RFC 9309)."""
    rules = RobotFileParser()
    pace.wait()
    try:
        body, _ = fetch(f"{origin}/robots.txt", bounds, LARGEST_ROBOTS, ("text/plain", "text/html", "application/octet-stream", ""))
    except NotFetched as refused:
        if refused.reason in ("host", "address"):
            raise
        rules.parse([] if refused.reason in ("absent", "redirect", "type") else ["User-agent: *", "Disallow: /"])
        return rules, []
    rules.parse(body.decode("utf-8", "replace").splitlines())
    return rules, list(rules.site_maps() or [])


def _from_sitemaps(origin: str, sitemaps: list[str], bounds: Bounds, pace: _Pace) -> Iterator[str]:
    """Paths that the sitemaps name; a sitemap of sitemaps is followed."""
    waiting, read = deque(sitemaps or [f"{origin}/sitemap.xml"]), 0
    seen = set(waiting)
    while waiting and read < MOST_SITEMAPS:
        read += 1
        pace.wait()
        try:
            body, _ = fetch(waiting.popleft(), bounds, LARGEST_BYTES, ("application/xml", "text/xml", "text/plain"))
        except NotFetched:
            continue
        for url in _LOCATION.findall(body.decode("utf-8", "replace")):
            if url.endswith(".xml") and url not in seen:
                seen.add(url)
                waiting.append(url)
            elif path := _own_path(origin, url, bounds):
                yield path


def _decoded(body: bytes, kind: str) -> str:
    """The text of a page, by the charset it names."""
    found = _CHARSET.search(kind.encode()) or _CHARSET.search(body[:2_048])
    try:
        return body.decode(found.group(1).decode() if found else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def as_history_has_it(path: str) -> str:
    """A path as the history keeps it: readable, not percent-encoded."""
    return unquote(path)
