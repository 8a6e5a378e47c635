"""Identifiers: the names by which a person shows up, and the one normalization each type has.

The same normalization holds at intake, import, look-up and suppression, so a value means the same person
everywhere. Types, limits and priorities start from Segment's defaults; blocked values join the lists that
Segment and PostHog publish, with look-alikes added.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

LONGEST_IDENTIFIER = 500


class Identifier(NamedTuple):
    """A typed, normalized name of a person, such as ("email", "anna@example.pl")."""

    type: str
    value: str


@dataclass(frozen=True)
class IdentifierType:
    """What an identifier of this type may do when people are joined."""

    key: str
    priority: int  #: 1 decides first; a refused join drops the identifier with the highest number
    limit: int  #: how many values of this type one person may hold
    unique: bool = False  #: two people who each hold a value of this type are never joined
    personal: bool = True  #: names a human directly, so the value never leaves PostgreSQL


TYPES: dict[str, IdentifierType] = {
    row.key: row
    for row in (
        IdentifierType("user_id", 1, 1, unique=True),
        IdentifierType("email", 2, 5),
        IdentifierType("phone", 3, 5),
        IdentifierType("loyalty_card", 4, 5),
        IdentifierType("device_id", 5, 5),
        IdentifierType("anonymous_id", 6, 1_000, personal=False),
    )
}
OTHER_TYPE = IdentifierType("external_id", 7, 5)

_BLOCKED_FOLDED = frozenset(
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false null none nan nil n/a -1 (null) <null>".split()
) | {"[object object]"}
_ZEROS = re.compile(r"[0\-]*\Z")
_INVISIBLE = dict.fromkeys([0x00AD, 0x061C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF])
_EMAIL = re.compile(r"[^@\s<>,;:\"'()\[\]\\]{1,64}@[a-z0-9](?:[a-z0-9\-]{0,62})(?:\.[a-z0-9](?:[a-z0-9\-]{0,62})){1,8}\Z")
_NOT_DIGITS = re.compile(r"[^\d+]")


def normalized(type_key: str, value: object) -> str | None:
    """The one form of `value` as an identifier of this type, or None when it must never become one.

    None covers absent, blank, blocked (see `is_blocked`), too long (over 500 characters) and, for e-mail and
    phone, malformed values. Integers count as their decimal text, so userId 1 and "1" are the same.
    """
    if value is None or isinstance(value, (bool, dict, list, float)):
        return None
    text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    text = text.strip()
    if not text or len(text) > LONGEST_IDENTIFIER or is_blocked(text):
        return None
    if type_key == "email":
        text = text.lower()
        return text if _EMAIL.match(text) else None
    if type_key == "phone":
        return _phone(text)
    return text


def is_blocked(text: str) -> bool:
    """Whether a value is a placeholder that many people share ("null", "guest", "0000-0000", '"undefined"')."""
    bare = text.strip("\"'` ")
    return not bare or _ZEROS.match(bare) is not None or bare.lower() in _BLOCKED_FOLDED


def _phone(text: str) -> str | None:
    """E.164 with a Polish default: nine digits are a Polish number."""
    digits = _NOT_DIGITS.sub("", text)
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not digits.startswith("+"):
        digits = "+48" + digits if len(digits) == 9 else "+" + digits
    bare = digits[1:]
    return digits if bare.isdigit() and 8 <= len(bare) <= 15 and not bare.startswith("0") else None
