"""How personal a property looks, from its name and its values: a proposal for a plan, and a mask for samples."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, cast

from cegla.plan.rules.form import KEPT_APART, PersonalData
from cegla.vocabulary.masking import masked

LONGEST_SAMPLE = 80
_NAMES: dict[PersonalData, frozenset[str]] = {
    PersonalData.CONTACT: frozenset(
        "email emailaddress mail customeremail useremail phone phonenumber mobile mobilephone telephone telefon tel komorka msisdn fax address "
        "street ulica adres zip postcode postalcode kodpocztowy contact shippingaddress billingaddress deliveryaddress".split()
    ),
    PersonalData.IDENTIFIER: frozenset(
        "firstname lastname fullname surname givenname familyname imie nazwisko imieinazwisko customername username contactname recipient pesel nip "
        "ssn taxid passport idcard dowod iban bankaccount accountnumber cardnumber creditcard userid customerid ip ipaddress birthday birthdate dateofbirth "
        "dob dataurodzenia loyaltycard latitude longitude".split()
    ),
    PersonalData.FREE_TEXT: frozenset(
        "message comment comments note notes feedback review reviewbody body freetext uwagi wiadomosc komentarz description opis query search".split()
    ),
    PersonalData.SPECIAL: frozenset(
        "health illness disease disability religion wyznanie politicalviews sexualorientation ethnicity zdrowie choroba niepelnosprawnosc".split()
    ),
}
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")
_PHONE = re.compile(r"(?:\+|00)\d[\d \-()]{7,18}|(?:48 ?)?\d{3}[ \-]\d{3}[ \-]\d{3}")
_PESEL = re.compile(r"\d{11}")
_IBAN = re.compile(r"(?:PL)? ?\d{2}(?: ?\d{4}){6}")


def guess(name: str, values: Iterable[str]) -> PersonalData:
    """The class a property probably has. `values` are texts seen under it; a tenth that looks personal is enough."""
    by_name = _of_name(name)
    if by_name is not PersonalData.NONE:
        return by_name
    seen = list(values)[:1_000]
    looks = [_of_value(value) for value in seen]
    for kind in (PersonalData.IDENTIFIER, PersonalData.CONTACT):
        if looks and looks.count(kind) * 10 >= len(looks):
            return kind
    if seen and sum(len(value) > 120 and value.count(" ") > 8 for value in seen) * 10 >= len(seen):
        return PersonalData.FREE_TEXT
    return PersonalData.NONE


def shown(value: Any, name: str = "") -> Any:
    """A sample as it may be shown to everybody: what is or looks personal is masked, long texts are cut."""
    if isinstance(value, dict):
        return {key: shown(one, key) for key, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [shown(one, name) for one in cast("list[Any]", value)[:20]]
    if value is None or isinstance(value, bool):
        return value
    kind = _of_name(name)
    if kind is PersonalData.NONE:
        kind = _of_value(str(value))
    if kind in KEPT_APART:
        return masked(value, "phone" if kind is PersonalData.CONTACT and _PHONE.fullmatch(str(value).strip()) else "email")
    if isinstance(value, str):
        return value if len(value) <= LONGEST_SAMPLE else f"{value[:LONGEST_SAMPLE]}…"
    return value


def _of_name(name: str) -> PersonalData:
    folded = unicodedata.normalize("NFKD", name.replace("ł", "l").replace("Ł", "L")).encode("ascii", "ignore").decode().lower()
    bare = re.sub(r"[^a-z0-9]", "", folded)
    return next((kind for kind, names in _NAMES.items() if bare in names), PersonalData.NONE)


def _of_value(text: str) -> PersonalData:
    bare = text.strip()[:200]
    if _EMAIL.fullmatch(bare) or _PHONE.fullmatch(bare):
        return PersonalData.CONTACT
    if (_PESEL.fullmatch(bare) and _is_pesel(bare)) or (_IBAN.fullmatch(bare) and _is_iban(bare)):
        return PersonalData.IDENTIFIER
    return PersonalData.CONTACT if _EMAIL.search(bare) else PersonalData.NONE


def _is_pesel(digits: str) -> bool:
    """The weighted sum and the month within agree."""
    total = sum(int(digit) * weight for digit, weight in zip(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), strict=True))
    return total % 10 == 0 and 1 <= int(digits[2:4]) % 20 <= 12


def _is_iban(text: str) -> bool:
    """The check digits agree (ISO 7064 mod 97); "PL" is 2521."""
    digits = re.sub(r"\D", "", text)
    return int(digits[2:] + "2521" + digits[:2]) % 97 == 1
