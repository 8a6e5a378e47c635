"""Identifiers: the names by which a person shows up, and the one normalization each type has.

The same normalization holds at intake, import, look-up and suppression, so a value means the same person
everywhere. Types, limits and priorities start from Segment's defaults; blocked values join the lists that
Segment and PostHog publish, with look-alikes added. What an installation changes is in `vocabulary/identifier_rules.py`.
"""

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from cegla.vocabulary.folding import INVISIBLE
from cegla.vocabulary.identifier_rules import DEFAULT_RULES, IdentifierRules

LONGEST_IDENTIFIER = 500
UNSTORABLE = "\0"  #: no text of PostgreSQL holds it; intake refuses events with it


class Identifier(NamedTuple):
    """A typed, normalized name of a person, such as ("email", "anna@example.pl")."""

    type: str
    value: str


class Borne(NamedTuple):
    """An identifier for the time in which one person bears it; None: from the beginning, or for good."""

    identifier: Identifier
    since: datetime | None = None
    until: datetime | None = None  #: from then on it is somebody else's

    def at(self, moment: datetime) -> bool:
        """Whether it named the person at that moment."""
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


_BLOCKED_FOLDED = frozenset(
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false null none nan nil n/a -1 (null) <null>".split()
) | {"[object object]"}
_LONGEST_BLOCKED = max(map(len, _BLOCKED_FOLDED))
_EMAIL = re.compile(r"[^@\s<>,;:\"'()\[\]\\]{1,64}@[a-z0-9](?:[a-z0-9\-]{0,62})(?:\.[a-z0-9](?:[a-z0-9\-]{0,62})){1,8}\Z")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_LONGEST_PHONE = 40
_LONGEST_LABEL = 63


def normalized(type_key: str, value: object, rules: IdentifierRules = DEFAULT_RULES) -> str | None:
    """The one form of `value` as an identifier of this type, or None when it must never become one.

    None covers absent, blank, blocked (see `is_blocked` and the rules' own patterns), too long (over 500 characters), with a NUL in it and, for
    e-mail and phone, malformed values. Integers count as their decimal text, so userId 1 and "1" are the same.
    """
    if type(value) is str:
        text = value
    elif value is None or isinstance(value, (bool, dict, list, float)):
        return None
    else:
        text = str(value)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(INVISIBLE)
    text = text.strip()
    if not text or len(text) > LONGEST_IDENTIFIER or UNSTORABLE in text or is_blocked(text):
        return None
    if type_key == "email":
        text = text.lower()
        if not text.isascii():
            local, at, domain = text.rpartition("@")
            text = f"{local}{at}{ascii_domain(domain) or ''}"
        if not _EMAIL.match(text):
            return None
        text = _mailbox(text, rules)
    elif type_key == "phone":
        number = _phone(text, rules.phone_region)
        if number is None:
            return None
        text = number
    return None if rules.blocks(type_key, text) else text


def is_blocked(text: str) -> bool:
    """Whether a value is a placeholder that many people share ("null", "guest", "0000-0000", '"undefined"')."""
    bare = text.strip("\"'` ")
    return not bare.strip("0-") or (len(bare) <= _LONGEST_BLOCKED and bare.lower() in _BLOCKED_FOLDED)


@lru_cache(maxsize=1_000)  # most addresses share a few domains
def ascii_domain(domain: str) -> str | None:
    """The domain as servers know it: "żółw.pl" is "xn--w-uga1v8h.pl" (IDNA 2008, RFC 5891, read as browsers read it, UTS 46). None when no server would."""
    if domain.isascii():
        labels = domain.removesuffix(".").split(".")
        return domain if all(1 <= len(label) <= _LONGEST_LABEL for label in labels) else None
    import idna  # here, not above: few addresses need its tables

    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError:  # idna.IDNAError is one
        return None


def _mailbox(address: str, rules: IdentifierRules) -> str:
    """The address under which its owner reads, as far as the rules ask for it: without "+shop", and at Gmail without dots."""
    if rules.plus_addressing == "keep" and rules.gmail_dots == "keep":
        return address
    local, _, domain = address.rpartition("@")
    if rules.plus_addressing == "drop":
        local = local.partition("+")[0] or local
    if rules.gmail_dots == "drop" and domain in _GMAIL:
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}"


@lru_cache(maxsize=65_536)  # reading a number takes as long as the rest of an event's way to its person
def _phone(text: str, region: str) -> str | None:
    """E.164; a number without a country belongs to `region`. None when no number of that country is so long or so short."""
    import phonenumbers  # here, not above: a collector normalizes nothing and need not pay for the tables

    if len(text) > _LONGEST_PHONE:
        return None
    if text.startswith("00"):
        text = "+" + text[2:]
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
