"""The register as a document that people write (docs/reference/purposes.md): read with the place of each mistake, and written back."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cegla.govern.rules.purposes import Controller, Country, Notice, Purpose, Register, repeated
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.errors.access import RegisterInvalid
from cegla.vocabulary.text import Text

MOST_PURPOSES, MOST_NOTICES, LONGEST_NOTICE = 60, 500, 20_000
PROFILING = "profiling"  #: segments and scores ask about this one by name, so it can change but not go
PURPOSE_FIELDS = {
    "label": "what it is called: `{pl, en}`", "about": "what we do or send, for the person: `{pl, en}`",
    "frequency": "how often, for the person: `{pl, en}`",
    "basis": "consent, contract, legal_obligation or legitimate_interest", "channels": "none (no message), email, sms, push, site",
    "retention_days": "how long data for it are kept", "commercial": "its messages are marketing, so the law of the person's country may ask for consent",
    "double_opt_in": "a yes to e-mail counts once its mailbox confirmed it", "confirm_hours": "how long the link to confirm works",
    "valid_days": "a consent ends after so many days; 0: until it is withdrawn", "listed": "people see it on their preference page",
    "recipients": "to whom data goes beside the controller", "categories": "which personal data it needs",
    "assessment": "where the impact assessment or balancing test is",
}  # fmt: skip
COUNTRY_FIELDS = {
    "prior_consent": "channels on which commercial messages need consent given before, whatever the purpose's basis",
    "companies_too": "companies must be asked too",
    "law": "which law says so: `{pl, en}`", "authority": "whom a person can complain to",
}  # fmt: skip
NOTICE_FIELDS = {
    "purpose": "the purpose asked about", "version": "its name, as events say it in `noticeVersion`", "language": "pl, en or another",
    "text": "the words; they never change",
    "channels": "the channels that the words name",
}  # fmt: skip
CONTROLLER_FIELDS = {
    "name": "who decides about the data", "address": "where", "email": "how to write to them", "url": "their site",
    "officer": "how to reach the data-protection officer",
}  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NO_ROOM = Text("za dużo wierszy", "too many rows")


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a document has; Text is written as {pl, en}."""

    purposes: dict[str, dict[str, Any]]
    countries: dict[str, dict[str, Any]] = {}
    notices: list[Notice] = []
    controller: Controller = Controller()
    default_country: str = "PL"


def read(document: object, number: int = 0) -> Register:
    """The register that a document says. Raises RegisterInvalid with a JSON pointer in `where`."""
    whole = _convert(document, _Written, "")
    purposes = {key: _convert({"key": key, **body}, Purpose, f"/purposes/{key}") for key, body in whole.purposes.items()}
    countries = {code: _convert({"code": code, **body}, Country, f"/countries/{code}") for code, body in whole.countries.items()}
    for key, purpose in purposes.items():
        _check_purpose(key, purpose)
    for code in countries:
        if not _COUNTRY.fullmatch(code):
            raise _invalid(f"/countries/{code}", code, "kod kraju to dwie wielkie litery, jak PL", "a country is two capital letters, such as PL")
    if whole.default_country not in countries:
        raise _invalid("/default_country", whole.default_country, "nie ma reguły dla tego kraju", "there is no rule for this country")
    if PROFILING not in purposes:
        raise _invalid("/purposes", PROFILING, "tego celu nie można usunąć: pytają o niego segmenty", "this purpose cannot go: segments ask about it")
    if len(purposes) > MOST_PURPOSES or len(whole.notices) > MOST_NOTICES:
        raise RegisterInvalid(where="/", seen=len(purposes), detail=_NO_ROOM)
    _check_notices(whole.notices, purposes)
    return Register(purposes, countries, tuple(whole.notices), whole.controller, whole.default_country, number)


def write(register: Register) -> dict[str, Any]:
    """The document that `read` reads."""
    purposes = {key: _plain(one, "key") for key, one in register.purposes.items()}
    countries = {code: _plain(one, "code") for code, one in register.countries.items()}
    notices = [_plain(one) for one in register.notices]
    return {
        "controller": _plain(register.controller), "default_country": register.default_country,
        "purposes": purposes, "countries": countries, "notices": notices,
    }  # fmt: skip


def _check_purpose(key: str, purpose: Purpose) -> None:
    at = f"/purposes/{key}"
    if not _KEY.fullmatch(key):
        raise _invalid(at, key, "klucz to małe litery, cyfry i podkreślenia", "a key is small letters, digits and underscores")
    if not purpose.label.pl.strip() or not purpose.label.en.strip():
        raise _invalid(f"{at}/label", "", "potrzebna jest nazwa w obu językach", "it needs a name in both languages")
    if not purpose.channels or len(set(purpose.channels)) != len(purpose.channels):
        raise _invalid(f"{at}/channels", "", "potrzebny jest co najmniej jeden kanał, każdy raz", "it needs at least one channel, each once")
    if purpose.retention_days < 1 or purpose.valid_days < 0 or not 1 <= purpose.confirm_hours <= 720:
        raise _invalid(at, "", "czas poza zakresem", "a time out of range")
    if purpose.commercial and purpose.by_contract:
        raise _invalid(f"{at}/basis", purpose.basis.value, "marketing nie może opierać się na umowie", "marketing cannot rest on a contract")


def _check_notices(notices: list[Notice], purposes: Mapping[str, Purpose]) -> None:
    again = repeated(notices)
    if again is not None:
        raise _invalid("/notices", again.version, "ta wersja jest dwa razy", "this version is there twice")
    for place, one in enumerate(notices):
        at = f"/notices/{place}"
        if one.purpose not in purposes:
            raise _invalid(f"{at}/purpose", one.purpose, "nie ma takiego celu", "there is no such purpose")
        if not 1 <= len(one.text.strip()) <= LONGEST_NOTICE or not one.version.strip():
            raise _invalid(at, one.version, "potrzebna jest wersja i treść", "it needs a version and a text")
        if not set(one.channels) <= set(purposes[one.purpose].channels):
            raise _invalid(f"{at}/channels", ", ".join(one.channels), "cel nie ma takiego kanału", "the purpose has no such channel")


def _convert(value: object, kind: type[Any], at: str) -> Any:
    try:
        return msgspec.convert(_with_texts(value), kind, strict=True)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at `$")
        raise RegisterInvalid(where=at + _pointer(place.rstrip("`")) or "/", detail=message) from None


def _with_texts(value: object) -> Any:
    """{pl, en} as a Text."""
    if isinstance(value, Mapping):
        parts: dict[str, Any] = {str(name): _with_texts(part) for name, part in value.items()}  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return (parts["pl"], parts["en"]) if parts.keys() == {"pl", "en"} else parts
    return [_with_texts(one) for one in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]


def _pointer(place: str) -> str:
    return re.sub(r"[.\[]+", "/", place.replace("]", "").replace("...", "*"))


def _plain(value: Any, *without: str) -> dict[str, Any]:
    """A row as plain values, without what is empty or as it would be anyway."""
    told: dict[str, Any] = {}
    for name in value.__dataclass_fields__:
        field, part = value.__dataclass_fields__[name], getattr(value, name)
        if name in without or part == field.default:
            continue
        told[name] = {"pl": part.pl, "en": part.en} if isinstance(part, Text) else [str(one) for one in part] if isinstance(part, tuple) else _simple(part)  # pyright: ignore[reportUnknownVariableType]
    return told


def _simple(part: Any) -> Any:
    return part.value if isinstance(part, (Basis, Channel)) else part


def _invalid(where: str, seen: object, pl: str, en: str) -> RegisterInvalid:
    return RegisterInvalid(where=where, seen=seen, detail=Text(pl, en))
