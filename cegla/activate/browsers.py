"""Browsers that may be written to: their subscriptions, found by the browser's identity. A person is written to at the one that subscribed last.

A push endpoint is a capability: who knows it may write there. So it stays in its table, and the outbox holds the subscription's number and
the push service's host: 17@push.example.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from cegla.activate.rules import push
from cegla.activate.store import SQL
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors.channels import SubscriptionRefused

LONGEST_ENDPOINT = 2_000
NAMES = {"anonymous_id": "anonymousId", "user_id": "userId"}  #: how events carry the identifiers that a browser goes by


def reached(conn: Connection, people: Sequence[int]) -> list[tuple[int, tuple[int, ...], int | None, str | None]]:
    """For each person, in their order: their identities, and the identity and address of the browser that subscribed last."""
    known = resolve.links.identities_by_person(conn, people)
    everyone = [one for identities in known.values() for one in identities]
    newest = {identity: (number, host) for identity, number, host in SQL.subscriptions_of(conn, ids=everyone)}
    found: list[tuple[int, tuple[int, ...], int | None, str | None]] = []
    for person in people:
        identities = tuple(dict.fromkeys((person, *known.get(person, ()))))
        own = max(((newest[one], one) for one in identities if one in newest), default=None)
        found.append((person, identities, own[1] if own else None, f"{own[0][0]}@{own[0][1]}" if own else None))
    return found


def owners(conn: Connection, addresses: Sequence[str]) -> list[int | None]:
    """For each address the person whose browser it is today; None when it is not subscribed any more."""
    numbers = [number_of(address) for address in addresses]
    identities = dict(SQL.identities_of_subscriptions(conn, ids=[one for one in numbers if one is not None]))
    people = resolve.reach.owners(conn, list(identities.values()))
    return [people.get(identities.get(number or 0, 0)) for number in numbers]


def number_of(address: str) -> int | None:
    """The subscription that an address of the outbox names."""
    number = address.partition("@")[0]
    return int(number) if number.isdigit() else None


@dataclass(frozen=True)
class Subscription:
    """Where a browser is written to, and the keys that only it can open messages with: a public point of 65 bytes, a secret of 16."""

    endpoint: str
    public: bytes
    secret: bytes


def read(endpoint: str, public: str, secret: str) -> Subscription:
    """A subscription as the browser wrote it, its keys in base64url. Raises SubscriptionRefused."""
    try:
        return Subscription(endpoint, push.decoded(public), push.decoded(secret))
    except ValueError:
        raise SubscriptionRefused(where="/keys") from None


def refuse_private(endpoint: str, private_hosts: Sequence[str]) -> None:
    """A browser names where we write to, so it may name no host that only our own settings open. Raises SubscriptionRefused."""
    try:
        parts = urlsplit(endpoint)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise SubscriptionRefused(where="/endpoint") from None
    if parts.scheme != "https" or any(one.rpartition(":")[0] == host or one in (host, f"{host}:{port}") for one in private_hosts):
        raise SubscriptionRefused(where="/endpoint")


def subscribe(conn: Connection, identity_id: int, wanted: Subscription, now: datetime) -> int:
    """Keep a browser's subscription; one that is known changes hands and keys. Returns its number. Raises SubscriptionRefused for anything that is none."""
    parts = urlsplit(wanted.endpoint)
    host = parts.netloc.lower()
    whole = len(wanted.public) == 65 and wanted.public[0] == 4 and len(wanted.secret) == 16
    if parts.scheme not in ("https", "http") or not host or "@" in host or len(wanted.endpoint) > LONGEST_ENDPOINT or not whole:
        raise SubscriptionRefused(where="/subscription")
    return int(SQL.subscribe(conn, identity_id=identity_id, endpoint=wanted.endpoint, public=wanted.public, secret=wanted.secret, host=host, now=now))


def unsubscribe(conn: Connection, endpoint: str) -> bool:
    """Forget the subscription with this endpoint. Returns whether there was one."""
    return bool(SQL.unsubscribe_browser(conn, endpoint=endpoint))


def subscription(conn: Connection, address: str) -> Subscription | None:
    """The subscription that an address of the outbox names; None when it is gone."""
    row = SQL.subscription(conn, id=number_of(address) or 0)
    return Subscription(row[0], bytes(row[1]), bytes(row[2])) if row is not None else None


def forget(conn: Connection, address: str) -> None:
    """The push service says that this browser is subscribed no more."""
    SQL.forget_subscription(conn, id=number_of(address) or 0)


def counted(conn: Connection) -> dict[str, int]:
    """How many browsers are subscribed at each push service."""
    return dict(SQL.count_subscriptions(conn))


def names_of(conn: Connection, identity_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """How events name these browsers: by the id that the browser itself uses."""
    found = resolve.reach.identifiers(conn, list(dict.fromkeys(identity_ids)))
    return {identity: {NAMES[one.type]: one.value} for identity, one in found.items() if one.type in NAMES}
