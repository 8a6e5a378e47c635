"""What the collector does with a request to a webhook's address: whose it is, whether it is genuine, and how it lies in the inbox.

The mapping to events happens in intake, so a mistake in a mapping loses nothing. The address alone is a secret of 192 bits;
most providers sign as well (rules/signatures.py).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from cegla.collect import log
from cegla.collect.rules import frame, signatures
from cegla.collect.rules.door import Grant
from cegla.collect.rules.frame import Framed
from cegla.collect.rules.signatures import Refusal, Scheme, Secrets
from cegla.storage.keys import Keys

SEALED_FOR = "webhook"


@dataclass(frozen=True)
class Hook:
    """One webhook as the door knows it. Without `scheme` its secrets cannot be opened here."""

    grant: Grant
    scheme: Scheme | None
    secrets: Secrets


@dataclass(frozen=True)
class Judged:
    """What the door says. `stored` is what goes into the inbox; without it `status` and `text` are the answer."""

    status: int
    text: bytes = b""
    stored: bytes | None = None
    refusal: Refusal | None = None


class _Sealed(msgspec.Struct):
    token: str = ""
    secret: str = ""
    header: str = ""
    prefix: str = ""
    verify_token: str = ""


def token_hash(token: str) -> bytes:
    """By what a webhook is found: the token itself lies sealed."""
    return hashlib.sha256(token.encode()).digest()


def seal(keys: Keys, token: str, secrets: Secrets) -> bytes:
    """Token and secrets as the database may hold them."""
    told = _Sealed(token, secrets.secret, secrets.header, secrets.prefix, secrets.verify_token)
    return keys.seal(SEALED_FOR, msgspec.json.encode(told))


def unseal(keys: Keys, sealed: bytes) -> tuple[str, Secrets]:
    """Token and secrets. Raises ValueError when another installation's key sealed them."""
    told = msgspec.json.decode(keys.unseal(SEALED_FOR, sealed), type=_Sealed)
    return told.token, Secrets(told.secret, told.header, told.prefix, told.verify_token)


def read_hooks(rows: Sequence[Sequence[Any]], key_directory: Path) -> dict[bytes, Hook]:
    """The webhooks by the hash of their token."""
    keys = Keys(key_directory) if rows else None
    hooks: dict[bytes, Hook] = {}
    for source_id, write_key, mark, scheme, sealed, trusted, enabled in rows:
        grant = Grant(source_id, write_key, trusted, enabled, ())
        try:
            secrets = unseal(keys, bytes(sealed))[1] if keys is not None else Secrets()
            hooks[bytes(mark)] = Hook(grant, signatures.SCHEMES[scheme], secrets)
        except (ValueError, KeyError):
            log.error("a webhook's secrets cannot be opened; its requests get 503", source=source_id)
            hooks[bytes(mark)] = Hook(grant, None, Secrets())
    return hooks


def judge(hook: Hook, method: str, headers: Mapping[bytes, bytes], query: bytes, body: bytes, now_seconds: float) -> Judged:  # the request in its parts
    """What to do with a request to this webhook."""
    asked = query.decode("latin-1")
    if method in ("GET", "HEAD"):
        answer = signatures.challenge_answer(hook.secrets, frame.parse_query(asked))
        return Judged(200, answer.encode() if answer is not None else b"")
    if method != "POST":
        return Judged(405)
    if hook.scheme is None:
        return Judged(503)
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers.items()}
    refusal = signatures.check(hook.scheme, hook.secrets, named, body, now_seconds, _holds)
    if refusal is not None:
        return Judged(401, refusal=refusal)
    return Judged(200, stored=frame.write(Framed(body, *frame.to_keep(named, asked))))


def _holds(algorithm: str, key: str, signed: bytes, signature: bytes) -> bool:
    from cegla.collect import public_keys  # not at the start: see there

    return public_keys.holds(algorithm, key, signed, signature)
