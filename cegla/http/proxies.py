"""Which proxies are believed when they say who asks and how: those on this machine, and those that the settings name.

Whoever else sends `X-Forwarded-For` is told apart from nobody: it could be anybody's word. That is said in the log, since a proxy that is not
named makes all its visitors look like one.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

LOOPBACK = frozenset({"127.0.0.1", "::1", ""})  #: "" is a Unix socket
WARNING = "X-Forwarded-For comes from a peer that is not trusted: if that is your proxy, name it in the settings"
WARN_EVERY_SECONDS = 3_600.0
Warn = Callable[[str], None]
Scope = dict[str, Any]
Network = IPv4Network | IPv6Network
AsgiApp = Callable[[Scope, Any, Any], Awaitable[None]]


class Proxies:
    """The proxies of one address of ours. `named` are addresses and networks; `warn` is told the peer that is not among them, once an hour."""

    def __init__(self, named: Iterable[str] = (), warn: Warn = lambda _: None) -> None:
        self._networks = [ip_network(one, strict=False) for one in named]
        self._warn, self._warned_at = warn, float("-inf")
        self.trusts = lru_cache(maxsize=1_024)(self._trusts)

    def client(self, peer: str, forwarded: str | None) -> str:
        """Who asks: the peer, or the last one that trusted proxies name who is none of them."""
        if forwarded is None:
            return peer
        if not self.trusts(peer):
            self._unbelieved(peer)
            return peer
        named = [one.strip() for one in forwarded.split(",")]
        return next((one for one in reversed(named) if not self.trusts(one)), named[0])

    def _trusts(self, address: str) -> bool:
        return address in LOOPBACK or any(_holds(network, address) for network in self._networks)

    def _unbelieved(self, peer: str) -> None:
        now = time.monotonic()
        if now - self._warned_at > WARN_EVERY_SECONDS:
            self._warned_at = now
            self._warn(peer)


class Believing:
    """An ASGI application that hears who asks from trusted proxies: the client's address, and whether it came over TLS."""

    def __init__(self, app: AsgiApp, proxies: Proxies) -> None:
        self._app, self._proxies = app, proxies

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await self._app(self._seen(scope) if scope["type"] == "http" else scope, receive, send)

    def _seen(self, scope: Scope) -> Scope:
        peer = (scope.get("client") or ("", 0))[0]
        headers: Mapping[bytes, bytes] = dict(scope["headers"])
        forwarded = headers.get(b"x-forwarded-for")
        client = self._proxies.client(peer, None if forwarded is None else forwarded.decode("latin-1"))
        told: Scope = {} if client == peer else {"client": (client, 0)}
        scheme = headers.get(b"x-forwarded-proto", b"").strip().lower()
        if scheme in (b"http", b"https") and self._proxies.trusts(peer):
            told["scheme"] = scheme.decode()
        return {**scope, **told} if told else scope


def _holds(network: Network, text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address in network
