"""Scrubbing: personal data stays out of the warehouse.

Three nets, one behind the other: keys that name personal data are left out; values that look like an e-mail address, a
phone number, a PESEL, a bank account or a payment card are replaced by a word in brackets; of `identify` and `group` calls only a
list of plain traits passes at all. Most events hold nothing of the kind, so one look at the encoded JSON
lets them through, and only the others are walked value by value.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any

import msgspec

from cegla.reference.polish import POLISH
from cegla.reference.words import WORDS
from cegla.vocabulary.folding import INVISIBLE, folded

LONGEST_TEXT = 2_000
LONGEST_REMEMBERED = 200
LONGEST_PATH = 500
LONGEST_NAMING = 120  #: of a text somebody searched for
NAMED = "[person]"  #: stands in the history where somebody searched for a person
_MARKED = re.compile(r"\[[a-zA-Z\- ]+\]|@|(?<!\d)(?:\d[ \-]?){9,}(?!\d)|(?<!\d)\d{2}-\d{3}(?!\d)")
_SURNAME = re.compile(r"(?:sk|ck|dzk)(?:i|a|iego|iej|iemu|im)\Z|(?:wicz|czyk|czak|niak|czuk|ewski|owski)(?:a|owi|em|owa)?\Z|(?:ow|ew)(?:na|ny)\Z")
_STREET = re.compile(r"(?<!\w)(?:ul|ulica|al|aleja|os|osiedle|pl|plac)\.?\s+\w+", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]+")
DEEPEST = 6

# Letters only, lower case, whatever style the sender writes in: first_name, firstName and FirstName are one.
_PERSONAL_KEYS = frozenset(
    "email emailaddress mail customeremail useremail phone phonenumber mobile mobilephone telephone telefon tel komorka msisdn fax contact "
    "firstname lastname fullname surname givenname familyname middlename maidenname imie nazwisko imieinazwisko customername username contactname "
    "recipient recipientname "
    "address addressline street streetaddress ulica adres shippingaddress billingaddress deliveryaddress address1 address2 line1 line2 housenumber flatnumber "
    "zip zipcode postcode postalcode kodpocztowy latitude longitude lat lng lon gps coordinates "
    "pesel nip regon ssn taxid vatid vatnumber passport passportnumber idcard idnumber dowod iban bankaccount accountnumber card cardnumber creditcard cvv cvc "
    "birthday birthdate dateofbirth dob dataurodzenia avatar photo ip ipaddress useragent password passwd secret token accesstoken refreshtoken "
    "authorization sessiontoken "
    "message comment comments note notes feedback review reviewbody body freetext uwagi wiadomosc komentarz opisproblemu signature".split()
)
# Numbers under these keys are codes of things or amounts, never a phone number.
_CODE_KEY = re.compile(
    r"(?:^|[_\-.]|(?<=[a-z]))(?:id|ids|sku|ean|ean13|gtin|upc|isbn|barcode|code|number|no|nr|hash|uuid|guid|version|time|timestamp|at|date|price|"
    r"total|revenue|value|amount|tax|shipping|discount|"
    r"quantity|count|size|duration|width|height|bytes|index|position|rank|score|micros|cents|path|url|href|referrer)$",
    re.IGNORECASE,
)
PLAIN_TRAITS = frozenset(
    "city country region state language locale plan tier segment industry employees gender birthyear birth_year age_group createdat created_at "
    "customer_type company_type newsletter currency timezone "
    "loyalty_level source".split()
)  # fmt: skip

_EMAIL = re.compile(r"(?<![\w.+'\-])[\w.+'\-]*\s?(?:@|%40|&#64;|&#x40;)\s?[^\s@/?#&,;:<>\"'()\[\]]+\.[\w\-]{2,}", re.IGNORECASE)
_DIGIT_RUN = re.compile(r"(?:\+|%2B)?\(?(?<!\d)\d(?:[ \u00a0\-./()]{0,2}\d){6,33}(?!\d)", re.IGNORECASE)
_PHONE_GROUPS = frozenset([(3, 3, 3), (2, 3, 2, 2), (3, 2, 2, 2), (2, 7), (2, 3, 4), (1, 3, 3, 3)])
_DATE = re.compile(
    r"(?:19|20)\d\d[\-./ ](?:0[1-9]|1[0-2])[\-./ ](?:0[1-9]|[12]\d|3[01])(?:[ T].*)?|"
    r"(?:0[1-9]|[12]\d|3[01])[\-./ ](?:0[1-9]|1[0-2])[\-./ ](?:19|20)\d\d(?:[ T].*)?"
)
_NOT_DIGIT = re.compile(r"\D")
_ODD = re.compile("[^\x00-\x7f\u00c0-\u024f]")
_POLISH_PREFIXES = frozenset(
    "12 13 14 15 16 17 18 22 23 24 25 29 32 33 34 41 42 43 44 45 46 47 48 50 51 52 53 54 55 56 57 58 59 60 61 62 63 65 "
    "66 67 68 69 71 72 73 74 75 76 "
    "77 78 79 80 81 82 83 84 85 86 87 88 89 91 94 95".split()
)  # fmt: skip

_MARKS = bytes(0x30 if byte in b"0123456789" else 0x40 if byte in b"%&" else byte for byte in range(256))  # digits become 0, % and & become @
_SEPARATORS = b" -./()"
_encode = msgspec.json.Encoder(enc_hook=str).encode


def scrubbed_json(properties: dict[str, Any]) -> bytes | None:
    """The properties as JSON without personal data; None when nothing is left."""
    if not properties:
        return None
    if _keys_are_clean(tuple(properties)):
        encoded = _encode(properties)
        if _looks_clean(encoded) and _nested_keys_are_clean(properties, encoded):
            return encoded
    kept = _scrub_object(properties, 0)
    return _encode(kept) if kept else None


def plain_traits(traits: dict[str, Any]) -> dict[str, Any]:
    """The traits of an identify or group call that say nothing of who the person is; null, which takes one back, is kept."""
    kept = {key: value for key, value in traits.items() if key.lower() in PLAIN_TRAITS and (value is None or isinstance(value, (str, int, float, bool)))}
    address = traits.get("address")
    if isinstance(address, dict):
        kept |= {key: address[key] for key in ("city", "country", "region", "state") if isinstance(address.get(key), str) and key not in kept}
    return kept


@lru_cache(maxsize=16_384)
def scrubbed_label(text: str) -> str:
    """A title or name, at most 200 characters of it, with what looks like personal data replaced by a word in brackets."""
    return _scrub(text[:LONGEST_REMEMBERED], False)


@lru_cache(maxsize=16_384)
def scrubbed_title(text: str) -> str:
    """A page's title, cleaned like a label and without names of persons: "Konto: Jan Kowalski" is "Konto: [person]"."""
    return without_names(_scrub(text[:LONGEST_REMEMBERED], False))


@lru_cache(maxsize=16_384)
def scrubbed_path(text: str) -> str:
    """A page's path, cleaned like a label, and its segments that are a person's name; plain digits are taken for article numbers, unless they are a PESEL."""
    return "/".join(NAMED if _is_name(segment) else segment for segment in _scrub(text[:LONGEST_PATH], True).split("/"))


def scrubbed_code(text: str) -> str:
    """A code by which a sender names an order or a product: any digits may stand in it, but no e-mail address."""
    return _EMAIL.sub("[e-mail]", text) if "@" in text or "%" in text or "&" in text else text


def is_personal_key(key: str) -> bool:
    """Whether a property of this name is left out, whatever it holds."""
    return _bare_key(key) in _PERSONAL_KEYS


# the quick look ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16_384)
def _keys_are_clean(keys: tuple[str, ...]) -> bool:
    return not any(is_personal_key(key) or _holds_pattern(key) for key in keys)


def _nested_keys_are_clean(value: Any, encoded: bytes) -> bool:
    """Whether no object further in has a personal key; an encoded object with one brace holds none."""
    if encoded.count(b"{") == 1:
        return True
    return all(_value_is_clean(one) for one in value.values())


def _value_is_clean(value: Any) -> bool:
    if isinstance(value, dict):
        return _keys_are_clean(tuple(value)) and all(_value_is_clean(one) for one in value.values())
    return all(_value_is_clean(one) for one in value) if isinstance(value, list) else True


def _looks_clean(encoded: bytes) -> bool:
    """Whether there is no at sign, plain or escaped, no seven digits in a row (separators aside), no long text and no unusual letter."""
    marked = encoded.translate(_MARKS, _SEPARATORS)
    if b"@" in marked or b"0000000" in marked or len(encoded) > LONGEST_TEXT:
        return False
    return encoded.isascii() or _ODD.search(encoded.decode("utf-8", "replace")) is None


# the walk ----------------------------------------------------------------------------------------------------------------


def _scrub_object(value: dict[str, Any], depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, one in value.items():
        if not is_personal_key(key):
            kept[_scrub_text(key, False)] = _scrub_value(one, _is_code_key(key), depth + 1)
    return kept


def _scrub_value(value: Any, is_code: bool, depth: int) -> Any:
    if isinstance(value, str):
        return _scrub_text(value[:LONGEST_TEXT], is_code)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return _scrub_number(value, is_code)
    if depth > DEEPEST:
        return None
    if isinstance(value, dict):
        return _scrub_object(value, depth)
    return [_scrub_value(one, is_code, depth + 1) for one in value] if isinstance(value, list) else _scrub_text(str(value)[:LONGEST_TEXT], is_code)


def _scrub_number(value: float, is_code: bool) -> Any:
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        return value
    digits = str(int(value))
    if len(digits) < 9 or digits.startswith("-"):
        return value
    if not is_code and len(digits) < 11 and is_pesel(digits.zfill(11)):
        return "[pesel]"  # who is born from 2000 to 2009 has a zero in front, which a number loses
    found = _named(digits, is_code, False)
    return value if found is None else found


def _scrub_text(text: str, is_code: bool) -> str:
    return _scrub_short(text, is_code) if len(text) <= LONGEST_REMEMBERED else _scrub(text, is_code)


@lru_cache(maxsize=32_768)
def _scrub_short(text: str, is_code: bool) -> str:
    return _scrub(text, is_code)


def _scrub(text: str, is_code: bool) -> str:
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", text).translate(INVISIBLE)
        if folded != text and _holds_pattern(folded):
            text = folded
    if "@" in text or "%" in text or "&" in text:
        text = _EMAIL.sub("[e-mail]", text)
    return _DIGIT_RUN.sub(lambda match: _named(match[0], is_code, True) or match[0], text)


def _holds_pattern(text: str) -> bool:
    return _EMAIL.search(text) is not None or any(_named(match[0], False, True) for match in _DIGIT_RUN.finditer(text))


def _named(run: str, is_code: bool, written: bool) -> str | None:
    """What a run of digits is, in brackets; None when it is nothing personal. `written`: it stood in a text."""
    digits = _NOT_DIGIT.sub("", run.replace("%2B", "+").replace("%2b", "+"))
    plus = run[0] == "+" or run[:3].lower() == "%2b"
    bare = len(digits) == len(run)
    if len(digits) == 11 and not plus and is_pesel(digits):
        return "[pesel]"
    if len(digits) == 26 and is_iban("PL" + digits):
        return "[iban]"
    if 13 <= len(digits) <= 19 and not plus and _is_card(digits) and not (is_code and bare):
        return "[card]"
    if not bare and _DATE.fullmatch(run):
        return None
    if is_code and not plus:
        return "[phone]" if _is_grouped_phone(run) else None
    return "[phone]" if plus or _is_phone(digits, written) else None


def _is_phone(digits: str, written: bool) -> bool:
    """Nine digits, with 48, 0048 or 0 in front or not; in a text also ten to fifteen that are no article code and no time.

    A plain number must begin with an area that exists in Poland.
    """
    if digits.startswith("00"):
        return 10 <= len(digits) <= 17
    national = digits[2:] if len(digits) == 11 and digits.startswith("48") else digits
    if len(national) == 9 and national[0] != "0":
        return written or national[:2] in _POLISH_PREFIXES
    return written and 10 <= len(digits) <= 15 and not _is_article(digits) and not (digits[0] == "1" and len(digits) in (10, 13))


def _is_grouped_phone(run: str) -> bool:
    """Whether digits under a key of codes are still written the way phone numbers are: 601 234 567, 22 123 45 67."""
    groups = [group for group in _NOT_DIGIT.split(run) if group]
    if groups[0] in ("48", "0048"):
        groups = groups[1:]
    return tuple(len(group) for group in groups) in _PHONE_GROUPS and "".join(groups)[:2] in _POLISH_PREFIXES and "/" not in run and "." not in run


def _is_article(digits: str) -> bool:
    """Whether the check digit of an EAN, UPC or GTIN agrees."""
    if len(digits) not in (12, 13, 14):
        return False
    total = sum(int(digit) * (3 if index % 2 else 1) for index, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def is_pesel(digits: str) -> bool:
    """Whether eleven digits are a PESEL: the weighted sum and the date within agree."""
    weights = (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)
    if sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 10:
        return False
    return 1 <= int(digits[2:4]) % 20 <= 12 and 1 <= int(digits[4:6]) <= 31


def is_iban(text: str) -> bool:
    """Whether the check digits of a bank account agree (ISO 7064 mod 97)."""
    turned = text[4:] + text[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1


def _is_card(digits: str) -> bool:
    """A payment card by its issuer's range and the Luhn sum; article numbers of 13 digits are none."""
    first_two, first_four = int(digits[:2]), int(digits[:4])
    length = len(digits)
    known = (digits[0] == "4" and length in (16, 19)) or (length == 16 and (51 <= first_two <= 55 or 2221 <= first_four <= 2720 or first_two in (60, 64,
        65, 35))) or (length == 15 and first_two in (34, 37))
    if not known:
        return False
    doubled = [int(digit) * 2 if index % 2 else int(digit) for index, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


@lru_cache(maxsize=16_384)
def _bare_key(key: str) -> str:
    folded = unicodedata.normalize("NFKD", key.replace("ł", "l").replace("Ł", "L")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", folded)


@lru_cache(maxsize=16_384)
def _is_code_key(key: str) -> bool:
    return _CODE_KEY.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)) is not None


@lru_cache(maxsize=65_536)
def is_personal(text: str) -> bool:
    """Whether a query may name a person: an address, a number that long, or a given name beside what is no thing.

    Rather too often than once too seldom: what is left out is only not shown.
    """
    if _MARKED.search(text) or _STREET.search(text):
        return True
    words = _LETTERS.findall(text)
    for place, word in enumerate(words):
        if WORDS.is_given_name(word) or (word[:1].isupper() and POLISH.is_given_name(word)):
            beside = [words[near] for near in (place - 1, place + 1) if 0 <= near < len(words)]
            if any(_may_be_surname(one) for one in beside):
                return True
    return len(words) == 2 and all(word[:1].isupper() for word in words) and any(_SURNAME.search(folded(word)) for word in words)


def without_person(text: str) -> str:
    """A query as it may be kept: one that may name a person is a word in brackets, as in scrubbing."""
    return NAMED if is_personal(text[:LONGEST_NAMING]) else text


def without_names(text: str) -> str:
    """A text in which a given name beside a surname is a word in brackets. A surname behind it is any word with a capital that the dictionary has as one or
    does not know; before it, or in small letters, one that ends as surnames do: "Fotel Anna" stays.
    """
    words = list(_LETTERS.finditer(text))
    spans: list[tuple[int, int]] = []
    for place, word in enumerate(words):
        if not _is_given_name(word[0]):
            continue
        last = place
        while last + 1 < len(words) and last < place + 3 and _side_by_side(text, words[last], words[last + 1]) and _follows_as_surname(words[last + 1][0]):
            last += 1
        first = place - 1 if last == place and place and _side_by_side(text, words[place - 1], word) and _ends_as_surname(words[place - 1][0]) else place
        if first < last and (not spans or spans[-1][1] <= words[first].start()):
            spans.append((words[first].start(), words[last].end()))
    for start, end in reversed(spans):
        text = text[:start] + NAMED + text[end:]
    return text


def _is_name(segment: str) -> bool:
    """Whether a segment of a path is a given name and a surname, and nothing else."""
    words = _LETTERS.findall(segment)
    return 2 <= len(words) <= 3 and _is_given_name(words[0].capitalize()) and all(_follows_as_surname(word.capitalize()) for word in words[1:])


def _side_by_side(text: str, one: re.Match[str], other: re.Match[str]) -> bool:
    return text[one.end() : other.start()] in (" ", "-", "_", ".", "\u00a0", " - ")


@lru_cache(maxsize=16_384)
def _is_given_name(word: str) -> bool:
    return WORDS.is_given_name(word) or (word[:1].isupper() and POLISH.is_given_name(word))


@lru_cache(maxsize=16_384)
def _follows_as_surname(word: str) -> bool:
    if len(word) < 3 or not word[:1].isupper():
        return _ends_as_surname(word)
    if WORDS.is_given_name(word):
        return False
    return not POLISH.knows_forms or POLISH.is_surname(word) or _ends_as_surname(word) or POLISH.looked_up(word.lower()) is None


def _ends_as_surname(word: str) -> bool:
    return len(word) > 4 and _SURNAME.search(folded(word)) is not None


def _may_be_surname(word: str) -> bool:
    """A surname of the dictionary, a word that ends as surnames do, or one with a capital beside a given name; without a dictionary any word."""
    if len(word) < 3:
        return False
    if not POLISH.knows_forms:
        return True
    if POLISH.is_surname(word):
        return True
    if _SURNAME.search(folded(word)) and (word[:1].isupper() or POLISH.looked_up(word.lower()) is None):
        return True
    return word[:1].isupper() and not WORDS.is_given_name(word)
