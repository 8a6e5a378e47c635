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
import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import load_pem_x509_certificate

from cegla.collect.rules import frame, signatures
from cegla.collect.rules.door import Grant
from cegla.collect.rules.frame import Framed
from cegla.collect.rules.signatures import Refusal, Scheme, Secrets
from cegla.storage.keys import Keys

LOG = structlog.get_logger("collector")
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
            LOG.error("a webhook's secrets cannot be opened; its requests get 503", source=source_id)
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
    refusal = signatures.check(hook.scheme, hook.secrets, named, body, now_seconds, public_key_holds)
    if refusal is not None:
        return Judged(401, refusal=refusal)
    return Judged(200, stored=frame.write(Framed(body, *frame.to_keep(named, asked))))


def public_key_holds(algorithm: str, key: str, signed: bytes, signature: bytes) -> bool:
    """Whether the signature was made with the private half of `key`: a PEM certificate, a PEM key, or base64 of a DER key."""
    try:
        public = _public_key(key)
        if isinstance(public, ec.EllipticCurvePublicKey) and algorithm == "ecdsa_sha256":
            public.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
            return True
        if isinstance(public, rsa.RSAPublicKey) and algorithm.startswith("rsa_"):
            digest = hashes.SHA256() if algorithm == "rsa_sha256" else hashes.SHA1()  # SNS version 1 signs with SHA-1
            public.verify(signature, signed, padding.PKCS1v15(), digest)
            return True
    except (InvalidSignature, ValueError, TypeError):
        pass
    return False


def _public_key(text: str) -> Any:
    """The key in a text. Raises ValueError."""
    text = text.strip()
    if "BEGIN CERTIFICATE" in text:
        return load_pem_x509_certificate(text.encode()).public_key()
    if "BEGIN" not in text:
        text = f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----"
    return serialization.load_pem_public_key(text.encode())


def is_public_key(text: str) -> bool:
    """Whether a text holds a key or certificate that can be used."""
    try:
        _public_key(text)
    except (ValueError, TypeError):
        return False
    return True
