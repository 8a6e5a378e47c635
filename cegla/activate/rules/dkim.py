"""DKIM (RFC 6376, RFC 8463): what is hashed and signed of a message, and how the signature is written down.

The key stays outside: a signer comes with a function that signs bytes. Our own letters go out as relaxed/simple, since a body of
base64 lines has no blanks to forgive; the other forms are here for keys and messages that others made.
"""

import functools
import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

Fields = Sequence[tuple[str, str]]

RSA, ED25519 = "rsa-sha256", "ed25519-sha256"
SIGNED = frozenset(
    "from to cc subject date message-id reply-to in-reply-to references mime-version content-type content-transfer-encoding "
    "list-id list-help list-unsubscribe list-unsubscribe-post list-subscribe list-post list-owner list-archive feedback-id".split()
)
OVERSIGNED = ("from",)  #: named once more than it occurs, so that nobody adds a second one
LINE = 72
_BLANKS = re.compile(r"[ \t\r\n]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_RUNS = re.compile(rb"[ \t]+")


@dataclass(frozen=True)
class Signer:
    """A key at work: `sign` makes the raw signature of the bytes given (RSA: PKCS #1 v1.5 over SHA-256; Ed25519: over their SHA-256)."""

    domain: str
    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes]
    private: bytes = field(default=b"", repr=False)  #: the key itself, for a process that signs in our place


class Wanted(NamedTuple):
    """A signature that is to be made: its field as far as it is written, and the bytes to be signed."""

    signer: Signer
    unsigned: str
    content: bytes


def wanted(fields: Fields, body: bytes, signers: Sequence[Signer], at: datetime) -> list[Wanted]:
    """What each signer has to sign of a message that is about to leave."""
    if not signers:
        return []
    chosen = [(name, value) for header, value in fields if (name := header.lower()) in SIGNED]
    names = (*OVERSIGNED, *[name for name, _ in chosen])
    if len(set(names)) == len(chosen) and names[0] == names[1]:  # each field once and From first, as in all our own: then they are covered as they stand
        covered = "".join([f"{name}:{value}\r\n" if _plain(value) else relaxed(name, value) for name, value in chosen])
    else:
        covered = signing_input(fields, names, ("", ""), "relaxed").decode("utf-8", "surrogateescape").removesuffix(":")
    digest, second = b64encode(body_hash(body, "simple")).decode(), int(at.timestamp())
    made: list[Wanted] = []
    for signer in signers:
        tags, own = _tags(signer.algorithm, signer.domain, signer.selector, second, names)
        content = f"{covered}{own} bh={digest}; b=".encode("utf-8", "surrogateescape")
        made.append(Wanted(signer, f"{tags}\r\n\tbh={digest};\r\n\tb=", content))
    return made


def _plain(value: str) -> bool:
    """Whether a value is the same when "relaxed"."""
    return "\n" not in value and "  " not in value and "\t" not in value and value[:1] != " " and value[-1:] != " "


@functools.lru_cache(16)  # of a group of letters nothing in it changes but the hash of the body and what is signed
def _tags(algorithm: str, domain: str, selector: str, second: int, names: tuple[str, ...]) -> tuple[str, str]:
    """Our field up to the hash of the body, and the same with its name as "relaxed" sees it."""
    tags = f"v=1; a={algorithm}; c=relaxed/simple;\r\n\td={domain}; s={selector}; t={second};\r\n\t{_named(names)}"
    return tags, relaxed("DKIM-Signature", tags).removesuffix("\r\n")


def signatures(wishes: Sequence[Wanted], made: Sequence[bytes]) -> list[tuple[str, str]]:
    """The DKIM-Signature fields, to be put before the others: `made` are the raw signatures of what was wanted."""
    return [("DKIM-Signature", one.unsigned + folded(b64encode(raw).decode())) for one, raw in zip(wishes, made, strict=True)]


def signing_input(fields: Fields, names: Sequence[str], own: tuple[str, str], form: str) -> bytes:
    """What the signature covers: each field named, from the last of its name upwards, then the signature's own field with an empty b=.

    A name that occurs more often than its field stands for "and no other". `form` is simple or relaxed.
    """
    canonical = relaxed if form == "relaxed" else simple
    left: dict[str, list[tuple[str, str]]] = {}
    for one in fields:
        left.setdefault(one[0].lower(), []).append(one)
    asked = [left.get(name.strip().lower()) for name in names]
    chosen = [canonical(*of_name.pop()) for of_name in asked if of_name]
    return "".join([*chosen, canonical(*own).removesuffix("\r\n")]).encode("utf-8", "surrogateescape")


def relaxed(name: str, value: str) -> str:
    """A field as "relaxed" sees it: name in small letters, unfolded, every run of blanks one blank (section 3.4.2)."""
    if "  " in value or "\n" in value or "\t" in value or "\r" in value:  # most have none, and the expression costs ten times the question
        value = _BLANKS.sub(" ", value)
    return f"{name.strip().lower()}:{value.strip(' ')}\r\n"


def simple(name: str, value: str) -> str:
    """A field as it is (section 3.4.1); `value` begins with whatever stood behind the colon."""
    return f"{name}:{value}\r\n"


def body_hash(body: bytes, form: str) -> bytes:
    """SHA-256 of the body: empty lines at its end do not count; "relaxed" forgives blanks, too (sections 3.4.3 and 3.4.4)."""
    if form == "relaxed":
        body = _RUNS.sub(b" ", _TRAILING.sub(b"", body))
    if body.endswith(b"\r\n\r\n") or body == b"\r\n":
        body = body.rstrip(b"\r\n") + b"\r\n"
        body = b"" if body == b"\r\n" else body
    if form == "simple" or body:
        body = body if body.endswith(b"\r\n") else body + b"\r\n"
    return sha256(body).digest()


@functools.lru_cache(64)  # the letters of a campaign have the same headers
def _named(names: tuple[str, ...]) -> str:
    """The tag that says which fields are signed."""
    return folded("h=" + ":".join(names) + ";", ":")


def folded(text: str, after: str = "") -> str:
    """Text broken into lines for a header: anywhere, or only behind the character `after`."""
    if not after:
        return "\r\n\t ".join(text[start : start + LINE] for start in range(0, len(text), LINE))
    lines, line = list[str](), ""
    for piece in re.split(f"(?<={re.escape(after)})", text):
        if line and len(line) + len(piece) > LINE:
            lines.append(line)
            line = ""
        line += piece
    return "\r\n\t ".join([*lines, line])


def record(algorithm: str, public: bytes) -> str:
    """The TXT record to publish at SELECTOR._domainkey.DOMAIN: RSA as SubjectPublicKeyInfo, Ed25519 as its 32 bytes (RFC 8463, 4.2)."""
    kind = "ed25519" if algorithm == ED25519 else "rsa"
    return f"v=DKIM1; k={kind}; p={b64encode(public).decode()}"


def in_zone_file(domain: str, selector: str, text: str) -> str:
    """The record as a line of a zone file, in strings of at most 255 characters."""
    strings = " ".join(f'"{text[start : start + 250]}"' for start in range(0, len(text), 250))
    return f"{selector}._domainkey.{domain}. IN TXT ( {strings} )"
