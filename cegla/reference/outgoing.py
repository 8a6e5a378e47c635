"""What is sent to somebody else's address: one POST, by the crawler's rules of where a connection may go.

The host is on the list of the settings, every address it has is public, and the connection goes to the very address that was checked, at each
sending anew. A redirect is an answer like any other, and is not followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from cegla.reference.crawling import Bounds, NotFetched, Pinned, allowed_host, checked_address, cut_off

AGENT = "Cegla/1.0"
SECONDS = 15.0
LONGEST_URL = 2_000


@dataclass(frozen=True)
class Answered:
    """What the other side said: the status, and for how many seconds it asks to wait (None: it does not say)."""

    status: int
    wait_seconds: int | None = None


def may_go(url: str, bounds: Bounds) -> str | None:
    """Why nothing may be sent to an address, in a word ("host", "address", "scheme", "unreachable"); None: it may. The name is looked up."""
    try:
        host, port = allowed_host(_parts(url, bounds), bounds)
        checked_address(host, port, bounds)
    except NotFetched as refused:
        return refused.reason
    return None


def post(url: str, body: bytes, headers: Mapping[str, str], bounds: Bounds) -> Answered:
    """Send one body and read the status. Raises NotFetched: host, address, scheme, unreachable, slow."""
    parts = _parts(url, bounds)
    host, port = allowed_host(parts, bounds)
    connection = Pinned(parts.scheme, host, port, checked_address(host, port, bounds))
    with cut_off(connection, SECONDS):
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else "")
        connection.request("POST", target, body, {"Host": parts.netloc, "User-Agent": AGENT, "Connection": "close", **headers})
        answer = connection.getresponse()
        return Answered(answer.status, _seconds(answer.getheader("Retry-After")))


def _parts(url: str, bounds: Bounds) -> Any:
    """The parts of an address; only https, but to one's own machine when that is tried out. Raises NotFetched."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotFetched("host") from None
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable():
        raise NotFetched("host")
    if parts.scheme != "https" and not bounds.private_addresses:
        raise NotFetched("scheme")
    return parts


def _seconds(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 7 else None
