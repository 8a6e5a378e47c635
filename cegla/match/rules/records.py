"""What a person looks like to the comparison: one row of normalized fields, empty where nothing is known.

Rows live in memory for the length of one run and are never stored: they are personal data.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

from cegla.match.rules.names import full_form, root, words
from cegla.vocabulary.folding import folded
from cegla.vocabulary.identifiers import Identifier, normalized

_GIVEN = ("first_name", "given_name", "imie")
_FAMILY = ("last_name", "family_name", "surname", "nazwisko")
_WHOLE = ("name", "full_name", "imie_i_nazwisko")
_BIRTH = ("birthday", "birth_date", "date_of_birth", "data_urodzenia")
_STREET = ("street", "address_line1", "line1", "ulica")
_POSTCODE = ("postal_code", "postcode", "zip", "kod_pocztowy")
_CITY = ("city", "town", "miasto")
_SHARED_BOXES = frozenset("info biuro kontakt sklep office contact admin sekretariat hello poczta mail".split())
_STREET_WORDS = frozenset("ul ulica al aleja aleje os osiedle pl plac m lok mieszkanie".split())
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)|(\d\d?)[./](\d\d?)[./](\d{4})")
_PARTS = re.compile(r"[^\w]+")
_SIGNS = re.compile(r"[._-]")
_SHORTEST_BOX = 5


class Row(NamedTuple):
    """One person. Lists are None when empty, so that the comparison sees "unknown" and not "different"."""

    person_id: int
    given: str | None
    given_full: str | None
    surname: str | None
    surname_root: str | None
    surname_parts: list[str] | None
    birth: str | None  #: YYYYMMDD
    phones: list[str] | None
    emails: list[str] | None
    boxes: list[str] | None  #: what stands before the @, when it could name a person
    home: str | None  #: postcode, street and house number
    postcode: str | None
    city: str | None


def row(person_id: int, identifiers: Sequence[Identifier], declared: Mapping[str, Any]) -> Row:
    """The row of a person with these identifiers and declared traits."""
    given, surname = _names(declared)
    own = {*(given, full_form(given) if given else None), *(surname or "").split(" ")} - {None, ""}
    emails = sorted({one.value for one in identifiers if one.type == "email"})
    phones = {one.value for one in identifiers if one.type == "phone"}
    if (told := normalized("phone", declared.get("phone"))) is not None:
        phones.add(told)
    street, postcode, city = _address(declared)
    return Row(
        person_id=person_id,
        given=given,
        given_full=full_form(given) if given else None,
        surname=surname,
        surname_root=root(surname) if surname else None,
        surname_parts=[root(part) for part in surname.split(" ")] if surname else None,
        birth=_birth(declared),
        phones=sorted(phones) or None,
        emails=emails or None,
        boxes=sorted({box for email in emails if (box := _box(email, own))}) or None,
        home=f"{postcode or city} {street}" if street and (postcode or city) else None,
        postcode=postcode,
        city=city,
    )


def comparable(one: Row) -> bool:
    """Whether enough is known to compare this person with anybody: a name and something beside it."""
    return one.surname is not None and one.given is not None and any((one.birth, one.phones, one.boxes, one.home))


def _first(declared: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((str(declared[key]) for key in keys if declared.get(key) not in (None, "")), "")


def _names(declared: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The first given name, and the surname with its parts apart."""
    given, family = words(_first(declared, _GIVEN)), words(_first(declared, _FAMILY))
    if not (given and family):
        whole = words(_first(declared, _WHOLE))
        if len(whole) > 1:
            given, family = given or whole[:1], family or whole[-1:]
    return (given[0] if given else None), (" ".join(family) if family else None)


def _birth(declared: Mapping[str, Any]) -> str | None:
    found = _DATE.search(_first(declared, _BIRTH))
    if not found:
        return None
    year, month, day, day_first, month_second, year_last = found.groups()
    try:
        return date(int(year or year_last), int(month or month_second), int(day or day_first)).strftime("%Y%m%d")
    except ValueError:
        return None


def _address(declared: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Street with number, postcode, city, from an address object or from plain traits."""
    address = declared.get("address")
    told = {**declared, **cast("dict[str, Any]", address)} if isinstance(address, dict) else declared
    street = " ".join(part for part in _PARTS.split(folded(_first(told, _STREET))) if part and part not in _STREET_WORDS)
    postcode = re.sub(r"\W", "", folded(_first(told, _POSTCODE))) or None
    city = " ".join(_PARTS.split(folded(_first(told, _CITY)))).strip() or None
    return street, postcode, city


def _box(email: str, own: set[Any]) -> str:
    """What stands before the @ without a +tag and dots; empty when many could share it, as a role or the bare name of a person."""
    box = _SIGNS.sub("", email.partition("@")[0].partition("+")[0])
    rest = box
    for name in own:
        rest = rest.replace(name, "")
    return box if len(box) >= _SHORTEST_BOX and box not in _SHARED_BOXES and len(rest) > 1 else ""
