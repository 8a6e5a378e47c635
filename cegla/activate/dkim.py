"""The keys that messages are signed with: made here, sealed in the database, taken into work once their DNS record is out, and replaced without a gap.

A rotation is: make a key under a new selector, publish its record, let it sign; the record of the one before stays published
for `KEEP_PUBLISHED`, since mail on the way is still checked against it.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from cegla.activate.rules import dkim as rules
from cegla.activate.rules.mime import mailbox_of
from cegla.activate.rules.records import in_dns
from cegla.activate.signing import signer
from cegla.activate.store import SQL
from cegla.storage.keys import Keys
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.messages import DkimKeyRefused
from cegla.vocabulary.text import Text

ALGORITHMS = {"rsa": rules.RSA, "ed25519": rules.ED25519}
RSA_BITS = 2048
KEEP_PUBLISHED = timedelta(days=7)
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


@dataclass(frozen=True)
class DkimKey:
    """A key by its selector. `state` is new, signing or retired; `name` and `record` are what to publish as TXT; times are UTC."""

    domain: str
    selector: str
    algorithm: str
    state: str
    name: str
    record: str
    zone_line: str
    made_at: datetime
    signing_since: datetime | None
    retired_at: datetime | None
    record_needed_until: datetime | None  #: when the record of a retired key may leave DNS


def keys_of(conn: Connection, domain: str | None = None) -> list[DkimKey]:
    """The keys of all domains, or of one, those at work first. Private parts stay where they are."""
    return [_shown(*row[:8]) for row in SQL.dkim_keys(conn, domain=domain)]


def make(conn: Connection, keys: Keys, domain: str, now: datetime, kind: str = "rsa", selector: str = "") -> DkimKey:
    """Make a key for a domain, under a selector that says the algorithm and the day when none is given. It signs nothing before `use`.

    Raises DkimKeyRefused for a name that DNS would not take, an unknown algorithm, or a selector that exists.
    """
    place = in_dns(domain.strip().lower().rstrip("."))
    named = selector.strip().lower() or _free_selector(conn, place, kind, now)
    if not _DOMAIN.match(place) or not _SELECTOR.match(named) or kind not in ALGORITHMS:
        raise DkimKeyRefused(where="dkim", seen=f"{named} {place} {kind}", detail=Text("nieprawidłowa nazwa lub algorytm", "an invalid name or algorithm"))
    if any(key.selector == named for key in keys_of(conn, place)):
        raise DkimKeyRefused(where="selector", seen=named, detail=Text("taki selektor już jest", "there is such a selector already"))
    private, public = _generated(kind)
    sealed = keys.seal(_purpose(place, named), private)
    SQL.add_dkim_key(conn, domain=place, selector=named, algorithm=ALGORITHMS[kind], public=public, sealed=sealed, now=now)
    return _one(conn, place, named)


def use(conn: Connection, domain: str, selector: str, now: datetime) -> DkimKey:
    """Sign with this key from now on; the one of the same algorithm before it is retired. Its record must be published by now. Raises NotFound."""
    key = _one(conn, domain, selector)
    if key.state != "signing":
        SQL.retire_dkim_keys(conn, domain=domain, algorithm=key.algorithm, now=now)
        SQL.let_dkim_key_sign(conn, domain=domain, selector=selector, now=now)
    return _one(conn, domain, selector)


def drop(conn: Connection, domain: str, selector: str) -> None:
    """Forget a key that does not sign. Raises NotFound, and DkimKeyRefused for one at work."""
    if _one(conn, domain, selector).state == "signing":
        raise DkimKeyRefused(where="selector", seen=selector, detail=Text("tym kluczem podpisujemy", "messages are signed with it"))
    SQL.delete_dkim_key(conn, domain=domain, selector=selector)


def signers(conn: Connection, keys: Keys, sender: str) -> list[rules.Signer]:
    """The keys at work for the domain of this From header, RSA first; none when there is no key, so the mail server may sign instead.

    Raises ValueError when a key was sealed with another installation's secret.
    """
    domain = in_dns(mailbox_of(sender)[1].rpartition("@")[2].lower())
    rows = [row for row in SQL.dkim_keys(conn, domain=domain) if row[4] == "signing"]
    found = [signer(domain, selector, keys.unseal(_purpose(domain, selector), bytes(sealed))) for _, selector, _, _, _, _, _, _, sealed in rows]
    return sorted(found, key=lambda one: one.algorithm != rules.RSA)


def _generated(kind: str) -> tuple[bytes, bytes]:
    """A new private key as PKCS #8, and the public part as DNS wants it."""
    made = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    private = made.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    if isinstance(made, ed25519.Ed25519PrivateKey):
        return private, made.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return private, made.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _free_selector(conn: Connection, domain: str, kind: str, now: datetime) -> str:
    taken = {key.selector for key in keys_of(conn, domain)}
    name = f"cegla-{kind[:3]}-{now:%Y%m%d}"
    return next(one for one in (name, *(f"{name}-{number}" for number in range(2, 1_000))) if one not in taken)


def _one(conn: Connection, domain: str, selector: str) -> DkimKey:
    found = next((key for key in keys_of(conn, domain) if key.selector == selector), None)
    if found is None:
        raise NotFound(where="dkim", seen=f"{selector} {domain}", thing=Text(f"klucz {selector} domeny {domain}", f"key {selector} of {domain}"))
    return found


def _shown(domain: str, selector: str, algorithm: str, public: bytes, state: str, *times: datetime | None) -> DkimKey:
    text = rules.record(algorithm, bytes(public))
    made_at, signing_since, retired_at = times
    assert made_at is not None
    name = f"{selector}._domainkey.{domain}"
    zone_line, needed_until = rules.in_zone_file(domain, selector, text), retired_at + KEEP_PUBLISHED if retired_at else None
    return DkimKey(domain, selector, algorithm, state, name, text, zone_line, made_at, signing_since, retired_at, needed_until)


def _purpose(domain: str, selector: str) -> str:
    return f"dkim {selector} {domain}"
