"""How a webhook proves that its provider sent it: one row per scheme, checked in constant time and within a window against replays.

A scheme says what is signed ("{id}.{timestamp}.{body}"), where signature and stamp are found, and how they are written.
Public keys are checked by the caller's function, since that needs more than this language's standard library.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha1
from typing import Any, cast

from cegla.vocabulary.text import Text

PublicKeyCheck = Callable[[str, str, bytes, bytes], bool]  #: algorithm, key as given, signed bytes, signature

_FIVE_MINUTES = 300
_A_DAY_OF_RETRIES = 26 * 3_600  # providers that sign once and try again for a day send the first stamp each time
_STAMP = re.compile(r"\d{9,13}")
_SNS_FIELDS = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


class Refusal(StrEnum):
    """Why a request to a webhook was not taken. A closed list."""

    NO_SIGNATURE = "no_signature"
    WRONG_SIGNATURE = "wrong_signature"
    TOO_OLD = "too_old"
    NO_SECRET = "no_secret"


REFUSALS: dict[Refusal, Text] = {
    Refusal.NO_SIGNATURE: Text("żądanie nie ma podpisu", "the request carries no signature"),
    Refusal.WRONG_SIGNATURE: Text("podpis nie pasuje do treści lub sekretu", "the signature does not fit the body or the secret"),
    Refusal.TOO_OLD: Text("podpis jest spoza dozwolonego czasu", "the signature is outside the time allowed"),
    Refusal.NO_SECRET: Text("webhook nie ma jeszcze sekretu", "the webhook has no secret yet"),
}


@dataclass(frozen=True)
class Scheme:
    """One way to sign. `kind` picks the check; the other fields say where things are and how they are written."""

    key: str
    label: Text
    kind: str  #: path, hmac, sha1, equal, basic, bearer, public_key, sns
    header: str = ""  #: where the signature is; "" when the shop chooses it
    signed: str = "{body}"
    digest: str = "sha256"
    encoding: str = "hex"  #: hex, base64
    prefix: str = ""
    stamp_header: str = ""
    id_header: str = ""
    tolerance_seconds: int = 0  #: 0: no stamp
    secret: Text = field(default=Text("sekret podpisu", "signing secret"))


PATH_ONLY = Scheme("path", Text("tylko tajny adres", "the secret address alone"), "path")
SCHEMES: dict[str, Scheme] = {
    row.key: row
    for row in (
        PATH_ONLY,
        Scheme("hmac_hex", Text("HMAC-SHA256 treści, szesnastkowo", "HMAC-SHA256 of the body, hex"), "hmac"),
        Scheme("hmac_base64", Text("HMAC-SHA256 treści, base64", "HMAC-SHA256 of the body, base64"), "hmac", encoding="base64"),
        Scheme(
            "standard", Text("Standard Webhooks", "Standard Webhooks"), "hmac", "webhook-signature", "{id}.{timestamp}.{body}", encoding="base64",
            prefix="v1,", stamp_header="webhook-timestamp", id_header="webhook-id", tolerance_seconds=_FIVE_MINUTES,
        ),
        Scheme(
            "stripe", Text("Stripe i podobne (t=…,v1=…)", "Stripe and the like (t=…,v1=…)"), "hmac", "stripe-signature", "{timestamp}.{body}",
            prefix="v1=", tolerance_seconds=_FIVE_MINUTES,
        ),
        Scheme("github", Text("GitHub, Meta i podobne", "GitHub, Meta and the like"), "hmac", "x-hub-signature-256", prefix="sha256="),
        Scheme("shopify", Text("Shopify", "Shopify"), "hmac", "x-shopify-hmac-sha256", encoding="base64"),
        Scheme("woocommerce", Text("WooCommerce", "WooCommerce"), "hmac", "x-wc-webhook-signature", encoding="base64"),
        Scheme("chatwoot", Text("Chatwoot", "Chatwoot"), "hmac", "x-chatwoot-signature", "{timestamp}.{body}", prefix="sha256=",
            stamp_header="x-chatwoot-timestamp", tolerance_seconds=_FIVE_MINUTES),
        Scheme("mailgun", Text("Mailgun", "Mailgun"), "hmac", "body", "{timestamp}{id}", tolerance_seconds=_A_DAY_OF_RETRIES,
            secret=Text("klucz podpisywania webhooków", "webhook signing key")),
        Scheme("shoper", Text("Shoper", "Shoper"), "sha1", "x-webhook-sha1", "{id}:{secret}:{body}", id_header="x-webhook-id"),
        Scheme(
            "sendgrid", Text("SendGrid (klucz publiczny)", "SendGrid (public key)"), "public_key", "x-twilio-email-event-webhook-signature",
            "{timestamp}{body}", encoding="base64", stamp_header="x-twilio-email-event-webhook-timestamp", tolerance_seconds=_A_DAY_OF_RETRIES,
            secret=Text("klucz publiczny", "public key"),
        ),
        Scheme("sns", Text("Amazon SNS (certyfikat)", "Amazon SNS (certificate)"), "sns", "body", secret=Text("certyfikat PEM", "certificate, PEM")),
        Scheme("header", Text("sekret w nagłówku", "a secret in a header"), "equal", secret=Text("wartość nagłówka", "the header's value")),
        Scheme("basic", Text("login i hasło (Basic)", "user and password (Basic)"), "basic", "authorization", secret=Text("login:hasło", "user:password")),
        Scheme("bearer", Text("token (Bearer)", "token (Bearer)"), "bearer", "authorization", secret=Text("token", "token")),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Secrets:
    """What a webhook needs to check a request. `header` and `prefix` stand in for those of a scheme that leaves them open."""

    secret: str = ""
    header: str = ""
    prefix: str = ""
    verify_token: str = ""  #: what a GET challenge must show


def check(scheme: Scheme, secrets: Secrets, headers: Mapping[str, str], body: bytes, now_seconds: float, public_key: PublicKeyCheck) -> Refusal | None:
    """None when the request is genuine, else why not. Header names are lower case."""
    if scheme.kind == "path":
        return None
    if not secrets.secret:
        return Refusal.NO_SECRET
    if scheme.kind == "sns":
        return _check_sns(secrets.secret, body, public_key)
    found = _found(scheme, secrets, headers, body)
    if not found.signatures:
        return Refusal.NO_SIGNATURE
    if scheme.tolerance_seconds and not _recent(found.stamp, now_seconds, scheme.tolerance_seconds):
        return Refusal.TOO_OLD if found.stamp else Refusal.NO_SIGNATURE
    return None if _genuine(scheme, secrets.secret, found, body, public_key) else Refusal.WRONG_SIGNATURE


@dataclass(frozen=True)
class _Found:
    """What the request shows."""

    signatures: list[str]
    stamp: str = ""
    identity: str = ""


def _found(scheme: Scheme, secrets: Secrets, headers: Mapping[str, str], body: bytes) -> _Found:
    if scheme.header == "body":
        return _found_in_body(body)
    shown = headers.get((scheme.header or secrets.header).lower(), "").strip()
    prefix = scheme.prefix or secrets.prefix
    if scheme.key == "stripe":
        parts = [part.strip() for part in shown.split(",")][:20]
        stamp = next((part[2:] for part in parts if part.startswith("t=")), "")
        return _Found([part[len(prefix) :] for part in parts if part.startswith(prefix)], stamp)
    several = shown.split(" ")[:20] if scheme.key == "standard" else [shown]  # keys that are being changed sign twice
    signatures = [one.removeprefix(prefix) for one in several if one and one.startswith(prefix)]
    return _Found(signatures, headers.get(scheme.stamp_header, ""), headers.get(scheme.id_header, ""))


def _found_in_body(body: bytes) -> _Found:
    """Mailgun signs within the body: {"signature": {"timestamp", "token", "signature"}}."""
    part = _object(_json(body).get("signature"))
    return _Found([str(part["signature"])] if part.get("signature") else [], str(part.get("timestamp", "")), str(part.get("token", "")))


def _recent(stamp: str, now_seconds: float, tolerance_seconds: int) -> bool:
    if not _STAMP.fullmatch(stamp):
        return False
    seconds = int(stamp) / (1_000 if len(stamp) == 13 else 1)
    return abs(now_seconds - seconds) <= tolerance_seconds


def _genuine(scheme: Scheme, secret: str, found: _Found, body: bytes, public_key: PublicKeyCheck) -> bool:
    if scheme.kind in ("equal", "basic", "bearer"):
        return any(hmac.compare_digest(_as_shown(scheme.kind, secret), one.encode()) for one in found.signatures)
    signed = _signed(scheme, found, secret, body)
    if scheme.kind == "public_key":
        return any(public_key("ecdsa_sha256", secret, signed, _decoded(one, scheme.encoding)) for one in found.signatures)
    expected = _digest(scheme, secret, signed)
    return any(hmac.compare_digest(expected, _decoded(one, scheme.encoding)) for one in found.signatures)


def _as_shown(kind: str, secret: str) -> bytes:
    if kind == "basic":
        return b"Basic " + base64.b64encode(secret.encode())
    return f"Bearer {secret}".encode() if kind == "bearer" else secret.encode()


def _signed(scheme: Scheme, found: _Found, secret: str, body: bytes) -> bytes:
    parts = {"id": _bytes(found.identity), "timestamp": found.stamp.encode(), "secret": secret.encode(), "body": body}
    pieces = re.split(r"\{(\w+)\}", scheme.signed)
    return b"".join(parts[piece] if place % 2 else piece.encode() for place, piece in enumerate(pieces))


def _digest(scheme: Scheme, secret: str, signed: bytes) -> bytes:
    if scheme.kind == "sha1":
        return _sha1(signed)
    key = secret.encode()
    if scheme.key == "standard":
        key = _decoded(secret.removeprefix("whsec_"), "base64") or key
    return hmac.digest(key, signed, scheme.digest)


def _sha1(signed: bytes) -> bytes:
    return sha1(signed, usedforsecurity=False).digest()  # the provider's choice; the secret within is what protects


def _decoded(text: str, encoding: str) -> bytes:
    try:
        return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _check_sns(certificate: str, body: bytes, public_key: PublicKeyCheck) -> Refusal | None:
    """Amazon SNS signs chosen fields with the key of a certificate, which is given here and never fetched from an address in a request."""
    fields = _json(body)
    names = _SNS_FIELDS.get(str(fields.get("Type")))
    signature = _decoded(str(fields.get("Signature", "")), "base64")
    if names is None or not signature:
        return Refusal.NO_SIGNATURE
    text = "".join(f"{name}\n{fields[name]}\n" for name in names if fields.get(name) is not None)
    algorithm = "rsa_sha256" if fields.get("SignatureVersion") == "2" else "rsa_sha1"
    return None if public_key(algorithm, certificate, _bytes(text), signature) else Refusal.WRONG_SIGNATURE


def challenge_answer(secrets: Secrets, query: Mapping[str, str]) -> str | None:
    """What to answer to a provider that asks with GET whether the address is meant: its challenge when it knows our token (WebSub, Meta), else None."""
    asked, token = query.get("hub.challenge", ""), query.get("hub.verify_token", "")
    if not asked or not secrets.verify_token or not hmac.compare_digest(token.encode(), secrets.verify_token.encode()):
        return None
    return asked if re.fullmatch(r"[\w.\-]{1,200}", asked, re.ASCII) else None


def _bytes(text: str) -> bytes:
    """As it was signed; half a character, which JSON can hold, is in nothing that anybody signed."""
    return text.encode("utf-8", "replace")


def _json(body: bytes) -> dict[str, Any]:
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _object(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
