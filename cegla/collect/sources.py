"""Sources: the places that events come from, their keys, and what each may do. `conn` is the caller's transaction throughout; times are UTC."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg import Connection

from cegla.collect import store
from cegla.collect.rules import limits
from cegla.vocabulary.consent import Basis

SOURCE_LIMITS = limits.LIMITS  #: what a source may have as its own, a row each


@dataclass(frozen=True)
class Source:
    """A place events come from. `key` is the public write key; `kind` one of website, server, import, internal."""

    id: int
    key: str
    secret_hash: bytes | None
    name: str
    kind: str
    basis: Basis
    enabled: bool
    largest_event_bytes: int | None  #: None: the installation's limit
    origins: tuple[str, ...]  #: web origins that may use the key; empty: any
    largest_request_bytes: int | None = None  #: None in any limit: the installation's
    most_events: int | None = None  #: of one batch
    requests_per_second: float | None = None


def add_source(conn: Connection, name: str, kind: str, basis: Basis, now: datetime) -> tuple[Source, str]:
    """The source of this name, made when it is new, and its secret key, which cannot be shown again ("" for an old source)."""
    known = store.SQL.source_named(conn, name=name)
    if known:
        return _source(known), ""
    secret = f"sk_{secrets.token_urlsafe(24)}"
    made = store.SQL.add_source(
        conn, key=f"wk_{secrets.token_urlsafe(18)}", secret_hash=hashlib.sha256(secret.encode()).digest(),
        name=name, kind=kind, basis=str(basis), created_at=now,
    )  # fmt: skip
    return _source(store.SQL.source_named(conn, name=name)), secret if made else ""


def secret_holder(conn: Connection, secret: str) -> Source | None:
    """The source of a secret key, also of one that was replaced and not revoked."""
    row = store.SQL.secret_holder(conn, secret_hash=hashlib.sha256(secret.encode()).digest())
    return _source(row) if row else None


def sources(conn: Connection) -> list[Source]:
    """All sources, oldest first."""
    return [_source(row) for row in store.SQL.sources(conn)]


def change_source(conn: Connection, source: Source) -> Source:
    """Save what a source may do and how much: `enabled`, `origins` and the four limits. Collectors follow within two seconds.

    Returns it as saved. Raises LimitOutOfRange or NotAnOrigin.
    """
    for limit in limits.LIMITS:
        limits.checked_limit(limit, getattr(source, limit.key))
    saved = replace(source, origins=limits.checked_origins(source.origins))
    store.SQL.change_source(
        conn, id=saved.id, enabled=saved.enabled, origins=list(saved.origins), largest_event_bytes=saved.largest_event_bytes,
        largest_request_bytes=saved.largest_request_bytes, most_events=saved.most_events, requests_per_second=saved.requests_per_second,
    )  # fmt: skip
    return saved


def rotate_key(conn: Connection, source_id: int, now: datetime, *, secret: bool = False) -> str:
    """A new write key (or secret key) for a source, which the caller shows. The old one sends events on until `revoke_former_keys`."""
    made = f"sk_{secrets.token_urlsafe(24)}" if secret else f"wk_{secrets.token_urlsafe(18)}"
    store.SQL.keep_former_key(conn, id=source_id, secret=secret, now=now)
    store.SQL.replace_key(conn, id=source_id, key=None if secret else made, secret_hash=hashlib.sha256(made.encode()).digest() if secret else None)
    return made


def revoke_former_keys(conn: Connection, source_id: int, now: datetime) -> int:
    """No key that a source had before works any more; returns how many that were. From then on their senders get 401 and give up."""
    return store.SQL.revoke_former_keys(conn, id=source_id, now=now)


def _source(row: Sequence[Any]) -> Source:
    source = Source(*row)
    return replace(source, basis=Basis(source.basis), origins=tuple(source.origins))
