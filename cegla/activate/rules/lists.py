"""Lists of people in the forms others take, and the normalization that each of them asks for before SHA-256.

    Google Customer Match   Email, Phone: trimmed, lower case; at gmail.com and googlemail.com without dots and without what follows a plus; +E.164
                            (support.google.com/google-ads/answer/7659867 and /7476159)
    Meta custom audiences   email, phone: trimmed, lower case; digits with the country code, no plus, no zeros in front
                            (facebook.com/business/help/2082575038703844)
    CSV, spreadsheets       as they are, and no cell can run as a formula: what could begin one follows an apostrophe
    CSV, exact              as they are, for programs that would read the apostrophe; only who names this form gets it
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from cegla.vocabulary.text import Text

PLAIN = ("person", "email", "phone")
GMAIL = ("gmail.com", "googlemail.com")
_DIGITS = re.compile(r"\D+")


@dataclass(frozen=True)
class Contact:
    """A person and the addresses that may be handed over; None: not known, or not allowed."""

    person: str
    email: str | None
    phone: str | None


@dataclass(frozen=True)
class Form:
    """One form of a list: its columns and what stands in them. `purpose` is the purpose asked for unless another is named.

    `exact`: cells are written as they are; in every other CSV what a spreadsheet would run is made harmless.
    """

    key: str
    label: Text
    columns: tuple[str, ...]
    row: Callable[[Contact], tuple[str, ...]]
    purpose: str
    suffix: str = "csv"
    exact: bool = False


def hashed(text: str) -> str:
    """SHA-256 of UTF-8 in lower-case hexadecimal; nothing of nothing."""
    return sha256(text.encode()).hexdigest() if text else ""


def meta_hash(email: str | None, phone: str | None) -> tuple[str, str]:
    """The hashes of both, as Meta compares them."""
    return hashed(meta_email(email or "")), hashed(meta_phone(phone or ""))


def google_email(email: str) -> str:
    """As Google compares it."""
    name, at, domain = email.strip().lower().rpartition("@")
    if domain in GMAIL:
        name = name.partition("+")[0].replace(".", "")
    return f"{name}{at}{domain}"


def google_phone(phone: str) -> str:
    """E.164 with its plus."""
    digits = meta_phone(phone)
    return f"+{digits}" if digits else ""


def meta_email(email: str) -> str:
    """As Meta compares it."""
    return email.strip().lower()


def meta_phone(phone: str) -> str:
    """Digits with the country code; a number without one stays as it is and matches nobody."""
    return _DIGITS.sub("", phone).lstrip("0")


def _plain(one: Contact) -> tuple[str, ...]:
    return one.person, one.email or "", one.phone or ""


FORMS: dict[str, Form] = {
    row.key: row
    for row in (
        Form("csv", Text("CSV", "CSV"), PLAIN, _plain, "marketing"),
        Form("sheets", Text("arkusz (Google Sheets, Excel)", "spreadsheet (Google Sheets, Excel)"), PLAIN, _plain, "marketing"),
        Form("exact", Text("CSV dla programów: komórki bez zmian, nie do arkusza", "CSV for programs: cells as they are, not for spreadsheets"),
            PLAIN, _plain, "marketing", exact=True),
        Form("parquet", Text("Parquet", "Parquet"), PLAIN, _plain, "marketing", "parquet"),
        Form("google", Text("Google Customer Match (SHA-256)", "Google Customer Match (SHA-256)"), ("Email", "Phone"),
            lambda one: (hashed(google_email(one.email or "")), hashed(google_phone(one.phone or ""))), "ads"),
        Form("meta", Text("Meta: grupa niestandardowa (SHA-256)", "Meta custom audience (SHA-256)"), ("email", "phone"),
            lambda one: meta_hash(one.email, one.phone), "ads"),
    )
}  # fmt: skip


def rows_of(form: Form, contacts: Iterable[Contact]) -> Iterator[tuple[str, ...]]:
    """The rows of a list. Who has no address to hand over is left out."""
    return (form.row(one) for one in contacts if one.email or one.phone)
