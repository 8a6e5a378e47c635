"""Fields of a person's record: is what stands there usable, why not, and what was most likely meant?

    as written ──► repaired encoding ──► one check a field ──► checks across fields ──► Checked, one a field

A check never asks anybody: no DNS, no register. A repair is proposed only where one thing can have been meant.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from math import cos, hypot, radians
from typing import Any, NamedTuple

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from rapidfuzz.distance import OSA
from stdnum.pl import nip as polish_nip
from stdnum.pl import regon as polish_regon

from cegla.reference.places import Poland
from cegla.reference.words import WORDS
from cegla.vocabulary.folding import folded

#: Domains that people mean when they mistype one: the commonest of Polish and world mailboxes. Our own table.
COMMON_DOMAINS = tuple(
    "gmail.com wp.pl o2.pl onet.pl interia.pl op.pl vp.pl poczta.onet.pl gazeta.pl tlen.pl interia.eu poczta.fm onet.eu buziaczek.pl autograf.pl "
    "outlook.com hotmail.com yahoo.com icloud.com live.com me.com protonmail.com proton.me gmx.com aol.com mail.com yandex.com googlemail.com "
    "int.pl go2.pl spoko.pl amorki.pl neostrada.pl orange.pl vip.onet.pl poczta.pl hotmail.co.uk yahoo.co.uk gmx.de web.de seznam.cz zoho.com"
    .split()
)  # fmt: skip
_MISTAKEN_ENDINGS = dict.fromkeys(("con", "cmo", "ocm", "comm", "co", "cm", "om"), "com") | dict.fromkeys(("p", "lp", "pll", "ppl"), "pl")
_PLACEHOLDERS = frozenset("test testowy test1 brak xxx xx aaa abc asdf asd qwerty nie nd n/a na none null - . imie nazwisko imię unknown anonim klient".split())
_BROKEN = re.compile(r"[ÃÄÅĂĹ][^\x00-\x7f]")  #: the first of the two bytes that a Polish letter takes in UTF-8, as another encoding shows it
_PLAIN_MAILBOX = re.compile(r"[a-zA-Z0-9_%+\-]+(?:\.[a-zA-Z0-9_%+\-]+)*\Z")  #: what RFC 5321 allows without a second look
_POLISH = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")
_DIGITS, _LETTERS = re.compile(r"\d"), re.compile(r"[^\W\d_]")
_NAME = re.compile(r"[^\W\d_]+(?:[ '’\-.][^\W\d_]+)*\.?\Z")
_SURNAME_ENDINGS = ("ski", "ska", "cki", "cka", "dzki", "dzka", "wicz", "czyk", "owicz", "ewicz", "czak", "iak")
#: Men whose given names end in -a, and women whose do not; names that both bear tell nothing. Our own table.
_MEN, _WOMEN = frozenset("kuba barnaba bonawentura kosma jarema jona juda zawisza dyzma batista luca joshua mustafa ilia nikita misza".split()), frozenset(
    "ruth miriam beatrycze karmen noemi abigail esther ines inez nel nicole elisabeth carmen margaret jennifer sarah deborah rachel dagmar".split()
)  # fmt: skip
_EITHER = frozenset("sasza sasha alex andrea nikita nikola kim robin jessie maria dominique".split()) - {"maria"}
GENDERS = {"f": "f", "female": "f", "k": "f", "kobieta": "f", "woman": "f", "pani": "f", "ż": "f", "m": "m", "male": "m", "mężczyzna": "m", "mezczyzna": "m",
    "man": "m", "pan": "m"}
NEAR_KM = 40.0  #: a postcode this far from the city named belongs elsewhere
OLDEST_YEARS = 112


class Checked(NamedTuple):
    """One field: `reason` is empty when it is fine; `meant` is what most likely was meant, when that differs from what stands there."""

    valid: bool
    reason: str = ""
    meant: str | None = None


FINE = Checked(True)
Record = Mapping[str, str]  #: field → text as it was given; what is missing is absent


def checked(record: Record, today: date, poland: Poland) -> dict[str, Checked]:
    """Every field of a record that is there. Names of fields are those of `CHECKS`."""
    found: dict[str, Checked] = {}
    for name, text in record.items():
        whole = repaired_encoding(text)
        one = CHECKS[name](whole or text)
        found[name] = Checked(False, "encoding", one.meant or whole) if whole else Checked(False, "encoding") if "\ufffd" in text else one
    if "birthday" in record:
        found["birthday"] = check_birthday(record["birthday"], today)
    _check_swapped(record, found)
    _check_place(record, found, poland)
    _check_gender(record, found)
    return found


def repaired_encoding(text: str) -> str | None:
    """What a text was before UTF-8 was read as another encoding ("Å‚" for ł); None when it looks right."""
    if text.isascii() or not _BROKEN.search(text):
        return None
    found: list[str] = []
    for encoding in ("cp1252", "cp1250", "iso8859-2"):
        try:
            found.append(b"".join(_byte(letter, encoding) for letter in text).decode("utf-8"))
        except (UnicodeEncodeError, UnicodeDecodeError):
            continue  # as it should be: bytes of a right text are hardly ever UTF-8
    return max(found, key=lambda one: sum(letter in _POLISH for letter in one) - sum(not letter.isascii() for letter in one), default=None)


def _byte(letter: str, encoding: str) -> bytes:
    """A letter in an encoding; bytes it leaves undefined are kept by programs as control characters."""
    return letter.encode("latin-1") if "\x80" <= letter <= "\x9f" else letter.encode(encoding)


@lru_cache(maxsize=65_536)
def check_email(text: str) -> Checked:
    """Syntax by RFC 5321 and 5322 as `email-validator` reads them, then domains nobody has: mistyped and throw-away ones."""
    tidy = text.strip().removeprefix("mailto:").replace(" ", "").replace(",", ".").rstrip(".;")
    mailbox, at, domain = tidy.rpartition("@")
    domain = domain.lower()
    if not (at and _is_mailbox(mailbox) and _is_domain(domain)):
        return Checked(False, "phone_in_email" if _looks_like_phone(text) else "syntax", _meant_address(tidy))
    if mailbox.lower() in _PLACEHOLDERS or domain in ("example.com", "test.pl", "test.com", "brak.pl"):
        return Checked(False, "placeholder")
    if (meant := meant_domain(domain)) is not None:  # first: people who lie in wait for slips own such domains, and lists call them throw-away
        return Checked(False, "typo", f"{mailbox}@{meant}")
    if WORDS.is_disposable(domain):
        return Checked(False, "disposable")
    return FINE if tidy == text else Checked(False, "syntax", tidy)


def _is_mailbox(text: str) -> bool:
    """Whether a text may stand before the @."""
    return len(text) <= 64 and (bool(_PLAIN_MAILBOX.match(text)) or _is_address(f"{text}@wp.pl"))


@lru_cache(maxsize=8_192)
def _is_domain(text: str) -> bool:
    """Whether a text may stand behind the @."""
    return _is_address(f"a@{text}")


def _is_address(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


@lru_cache(maxsize=8_192)
def meant_domain(domain: str) -> str | None:
    """The common domain that a rare one is one slip of the finger away from; None for domains that are right or unlike any.

    A slip: a letter too many, too few, another, or two exchanged. Free mailboxes that are known are right by definition.
    """
    if domain in COMMON_DOMAINS or WORDS.is_free_mail(domain):
        return None
    name, _, ending = domain.rpartition(".")
    if ending in _MISTAKEN_ENDINGS and f"{name}.{_MISTAKEN_ENDINGS[ending]}" in COMMON_DOMAINS:
        return f"{name}.{_MISTAKEN_ENDINGS[ending]}"
    least = 5 if "." in domain else 4  # one slip in wp.pl gives another real domain
    near = [known for known in COMMON_DOMAINS if len(known) > least + 1 and OSA.distance(domain, known, score_cutoff=1) <= 1]
    return near[0] if len(near) == 1 else None


@lru_cache(maxsize=65_536)
def check_phone(text: str) -> Checked:
    """A number that exists in the numbering plan (libphonenumber); Polish unless it begins with + or 00."""
    if "@" in text:
        return Checked(False, "email_in_phone")
    try:
        number = phonenumbers.parse(text, "PL")
    except phonenumbers.NumberParseException:
        return Checked(False, "syntax")
    if not phonenumbers.is_valid_number(number):
        digits = len(re.sub(r"\D", "", text))
        return Checked(False, "length" if digits < 9 or digits > 15 else "unassigned")
    if len(set(str(number.national_number))) <= 2 or str(number.national_number) in ("123456789", "987654321"):
        return Checked(False, "placeholder")
    return FINE


@lru_cache(maxsize=65_536)
def check_name(text: str) -> Checked:
    """A person's given name or surname: letters, no digits, no placeholder, not shouted."""
    tidy = " ".join(text.split())
    if folded(tidy) in _PLACEHOLDERS or len(set(folded(tidy))) == 1:
        return Checked(False, "placeholder")
    if "@" in tidy:
        return Checked(False, "email_in_name")
    if _DIGITS.search(tidy):
        return Checked(False, "digits")
    if not _NAME.match(tidy):
        return Checked(False, "syntax")
    if len(tidy) > 2 and (tidy.isupper() or tidy.islower()):
        return Checked(False, "letter_case", "-".join(part.capitalize() for part in tidy.split("-")) if " " not in tidy else tidy.title())
    return FINE if tidy == text else Checked(False, "spaces", tidy)


def check_postcode(text: str) -> Checked:
    """Five digits, written 00-000. Whether it exists is asked together with the city."""
    digits = re.sub(r"[\s\-–]", "", text)
    if len(digits) != 5 or not digits.isdigit():
        return Checked(False, "syntax")
    shape = f"{digits[:2]}-{digits[2:]}"
    return FINE if text == shape else Checked(False, "spaces", shape)


def check_city(text: str) -> Checked:
    """A place: letters, no postcode in it."""
    tidy = " ".join(text.split())
    if found := re.match(r"(\d\d-\d{3})\s+(.+)", tidy):
        return Checked(False, "postcode_in_city", found[2])
    if folded(tidy) in _PLACEHOLDERS:
        return Checked(False, "placeholder")
    return Checked(False, "digits") if _DIGITS.search(tidy) else FINE if _LETTERS.search(tidy) else Checked(False, "syntax")


def check_nip(text: str) -> Checked:
    """Ten digits, the last a check digit (modulo 11)."""
    digits = re.sub(r"\D", "", text)
    return FINE if len(digits) == 10 and polish_nip.is_valid(digits) else Checked(False, "length" if len(digits) != 10 else "check_digit")


def check_regon(text: str) -> Checked:
    """Nine or fourteen digits, the last a check digit."""
    return FINE if polish_regon.is_valid(text) else Checked(False, "check_digit")


def check_gender(text: str) -> Checked:
    """One of the words for it in Polish and English."""
    return FINE if text.strip().lower() in GENDERS else Checked(False, "syntax")


def check_birthday(text: str, today: date) -> Checked:
    """A day in the past, of somebody who can be alive."""
    try:
        born = date.fromisoformat(text[:10])
    except ValueError:
        return Checked(False, "syntax")
    if born > today:
        return Checked(False, "future")
    if (today - born).days > OLDEST_YEARS * 365.25 or (born.month, born.day, born.year) in ((1, 1, 1900), (1, 1, 1970)):
        return Checked(False, "placeholder" if born.year in (1900, 1970) else "too_old")
    return FINE


def gender_of(given: str) -> str | None:
    """f or m by a Polish given name: women's end in -a, with few exceptions; None for names that tell nothing."""
    name = folded(given).split(" ")[0].split("-")[0]
    if len(name) < 2 or name in _EITHER:
        return None
    if name in _MEN or name in _WOMEN:
        return "m" if name in _MEN else "f"
    return "f" if name.endswith("a") else "m"


CHECKS: dict[str, Callable[[str], Checked]] = {
    "email": check_email, "phone": check_phone, "first_name": check_name, "last_name": check_name, "postcode": check_postcode, "city": check_city,
    "nip": check_nip, "regon": check_regon, "gender": check_gender, "birthday": lambda text: FINE, "company": lambda text: FINE,
}  # fmt: skip


# across fields -----------------------------------------------------------------------------------------------------------


def _check_swapped(record: Record, found: dict[str, Checked]) -> None:
    """A surname where the given name should be, an e-mail in the phone's place: each field gets what stands in the other."""
    given, surname = record.get("first_name", ""), record.get("last_name", "")
    if given and surname and _like_surname(given) and not _like_surname(surname) and WORDS.is_given_name(surname):
        found["first_name"], found["last_name"] = Checked(False, "swapped", surname), Checked(False, "swapped", given)
    email, phone = record.get("email", ""), record.get("phone", "")
    if "@" in phone and _looks_like_phone(email):
        found["email"], found["phone"] = Checked(False, "swapped", phone), Checked(False, "swapped", email)
    city, postcode = record.get("city", ""), record.get("postcode", "")
    if _LETTERS.search(postcode) and check_postcode(city).reason != "syntax":
        found["city"], found["postcode"] = Checked(False, "swapped", postcode), Checked(False, "swapped", city)


def _check_place(record: Record, found: dict[str, Checked], poland: Poland) -> None:
    """A postcode that exists, near the city of the record."""
    if not found.get("postcode", Checked(False)).valid:
        return
    place = poland.postcode(record["postcode"])
    if place is None:
        found["postcode"] = Checked(False, "unknown")
        return
    cities = poland.named(record["city"]) if "city" in record and found["city"].valid else []
    if cities and min(_km(place.latitude, place.longitude, city.latitude, city.longitude) for city in cities) > NEAR_KM:
        found["postcode"] = Checked(False, "city_mismatch")


def _check_gender(record: Record, found: dict[str, Checked]) -> None:
    told, by_name = GENDERS.get(record.get("gender", "").strip().lower()), gender_of(record.get("first_name", ""))
    if told and by_name and told != by_name and found["first_name"].valid:
        found["gender"] = Checked(False, "name_mismatch")


def _like_surname(text: str) -> bool:
    return folded(text.strip()).endswith(_SURNAME_ENDINGS)


def _looks_like_phone(text: str) -> bool:
    return len(re.sub(r"[\s\-+()]", "", text)) in range(9, 13) and not re.search(r"[^\d\s\-+()]", text)


def _meant_address(text: str) -> str | None:
    """An address with one sign wrong: no dot before a common ending, two @, (at) for @."""
    tidy = re.sub(r"\s*[\[(]?\bat\b[\])]?\s*|\s*\(at\)\s*|\s*\[at\]\s*", "@", text) if "@" not in text else re.sub(r"@{2,}", "@", text)
    tidy = re.sub(r"\.{2,}", ".", tidy).replace("@.", "@")
    mailbox, at, domain = tidy.partition("@")
    if at and "." not in domain:
        whole = {known.replace(".", ""): known for known in COMMON_DOMAINS}.get(domain.lower())
        tidy = f"{mailbox}@{whole}" if whole else tidy
    return tidy if _is_address(tidy) else None


def _km(one_latitude: float, one_longitude: float, latitude: float, longitude: float) -> float:
    return hypot(one_latitude - latitude, (one_longitude - longitude) * cos(radians(latitude))) * 111.2


def text_of(value: Any) -> str:
    """A declared value as text; empty for what is not one."""
    return str(value).strip("\0") if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
