"""Who asks, when proxies stand between: whoever is trusted is believed, and the word of anybody else counts for nothing and is said to have come."""

import asyncio
from typing import Any

import pytest

from cegla.http.proxies import Believing, Proxies


@pytest.mark.parametrize(
    ("named", "peer", "forwarded", "client"),
    [
        ((), "198.51.100.7", None, "198.51.100.7"),
        ((), "127.0.0.1", "203.0.113.4, 198.51.100.7", "198.51.100.7"),
        ((), "::1", "198.51.100.7", "198.51.100.7"),
        ((), "", "198.51.100.7", "198.51.100.7"),
        ((), "10.0.0.2", "198.51.100.7", "10.0.0.2"),
        (("10.0.0.0/8",), "10.0.0.2", "203.0.113.4, 198.51.100.7, 10.1.1.1", "198.51.100.7"),
        (("10.0.0.0/8",), "::ffff:10.0.0.2", "198.51.100.7", "198.51.100.7"),
        (("10.0.0.0/8",), "10.0.0.2", "10.0.0.9, 10.0.0.3", "10.0.0.9"),
        (("10.0.0.2",), "10.0.0.3", "198.51.100.7", "10.0.0.3"),
        (("fd00::/8",), "fd00::1", "unknown", "unknown"),
        (("10.0.0.0/8",), "nonsense", "198.51.100.7", "nonsense"),
    ],
)
def test_the_last_who_is_not_trusted_asks(named: tuple[str, ...], peer: str, forwarded: str | None, client: str) -> None:
    assert Proxies(named).client(peer, forwarded) == client


def test_a_peer_that_is_not_trusted_is_told_once_and_not_for_each_request() -> None:
    heard: list[str] = []
    proxies = Proxies((), heard.append)
    for _ in range(3):
        proxies.client("10.0.0.2", "198.51.100.7")
    assert heard == ["10.0.0.2"]
    proxies.client("10.0.0.3", None)
    assert heard == ["10.0.0.2"]


@pytest.mark.parametrize(("peer", "client", "scheme"), [("10.0.0.2", "198.51.100.7", "https"), ("10.9.0.2", "10.9.0.2", "http")])
def test_the_app_hears_of_client_and_scheme_from_trusted_proxies_alone(peer: str, client: str, scheme: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    headers = [(b"x-forwarded-for", b"198.51.100.7"), (b"x-forwarded-proto", b"HTTPS")]
    scope = {"type": "http", "scheme": "http", "client": (peer, 1), "headers": headers}
    believing = Believing(app, Proxies(["10.0.0.0/16"]))
    asyncio.run(believing(scope, None, None))
    asyncio.run(believing({"type": "lifespan"}, None, None))
    assert (seen[0]["client"][0], seen[0]["scheme"], seen[1]) == (client, scheme, {"type": "lifespan"})
