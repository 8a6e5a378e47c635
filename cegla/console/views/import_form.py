"""The form of an import: what each column of a file is, between what was guessed and the mapping that comes of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from starlette.datastructures import FormData

from cegla.collect import actions as collect
from cegla.vocabulary.errors.intake import FieldMissing, MappingInvalid
from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

#: What a column can be: its place in the mapping, in words. "traits" and "properties" take a name of one's own.
PLACES: dict[str, Text] = {
    "": Text("pomiń", "leave out"),
    "ids.user_id": Text("numer klienta", "customer number"),
    "ids.anonymous_id": Text("numer urządzenia albo gościa", "device or guest number"),
    "traits.email": Text("adres e-mail", "e-mail address"),
    "traits.phone": Text("telefon", "phone"),
    "traits.first_name": Text("imię", "given name"),
    "traits.last_name": Text("nazwisko", "surname"),
    "traits.name": Text("imię i nazwisko", "full name"),
    "traits.birthday": Text("data urodzenia", "date of birth"),
    "traits.gender": Text("płeć", "sex"),
    "traits.street": Text("ulica", "street"),
    "traits.postal_code": Text("kod pocztowy", "postcode"),
    "traits.city": Text("miejscowość", "town"),
    "traits.country": Text("kraj", "country"),
    "traits.company": Text("firma", "company"),
    "traits.tax_id": Text("NIP", "tax number"),
    "time": Text("kiedy to było", "when it happened"),
    "event": Text("nazwa zdarzenia", "name of the event"),
    "order": Text("numer zamówienia", "order number"),
    "total": Text("wartość zamówienia", "order total"),
    "currency": Text("waluta", "currency"),
    "products.product_id": Text("kod produktu", "product code"),
    "products.sku": Text("SKU", "SKU"),
    "products.name": Text("nazwa produktu", "product name"),
    "products.category": Text("kategoria", "category"),
    "products.price": Text("cena", "price"),
    "products.quantity": Text("ilość", "quantity"),
    "consents.analytics": Text("zgoda: analiza", "consent: analytics"),
    "consents.marketing_email": Text("zgoda: e-mail", "consent: e-mail"),
    "consents.marketing_sms": Text("zgoda: SMS", "consent: SMS"),
    "consents.profiling": Text("zgoda: profilowanie", "consent: profiling"),
    "consent_at": Text("data zgody", "date of the consent"),
    "traits": Text("inna cecha osoby…", "another trait of the person…"),
    "properties": Text("inna cecha zdarzenia…", "another property of the event…"),
}
TYPES: dict[str, tuple[Text, dict[str, Any]]] = {
    "text": (Text("tekst", "text"), {"type": "text"}),
    "integer": (Text("liczba całkowita", "whole number"), {"type": "integer"}),
    "number": (Text("liczba 1234.50", "number 1234.50"), {"type": "number"}),
    "comma": (Text("liczba 1 234,50", "number 1 234,50"), {"type": "number", "decimal": ",", "thousands": " "}),
    "dotted": (Text("liczba 1.234,50", "number 1.234,50"), {"type": "number", "decimal": ",", "thousands": "."}),
    "boolean": (Text("tak / nie", "yes / no"), {"type": "boolean"}),
    "iso": (Text("data 2026-12-31", "date 2026-12-31"), {"type": "date"}),
    "dots": (Text("data 31.12.2026", "date 31.12.2026"), {"type": "date", "format": "%d.%m.%Y"}),
    "day_first": (Text("data 31/12/2026 (dzień pierwszy)", "date 31/12/2026 (day first)"), {"type": "date", "format": "%d/%m/%Y"}),
    "month_first": (Text("data 12/31/2026 (miesiąc pierwszy)", "date 12/31/2026 (month first)"), {"type": "date", "format": "%m/%d/%Y"}),
    "moment": (Text("czas 2026-12-31 15:30:00", "time 2026-12-31 15:30:00"), {"type": "time"}),
    "moment_dots": (Text("czas 31.12.2026 15:30", "time 31.12.2026 15:30"), {"type": "time", "format": "%d.%m.%Y %H:%M"}),
}
GUESSES = {
    "text": Text("tekst", "text"),
    "integer": Text("liczba całkowita", "whole number"),
    "number": Text("liczba", "number"),
    "boolean": Text("tak / nie", "yes / no"),
    "date": Text("data", "date"),
    "time": Text("czas", "time"),
}
EPOCHS = {"epoch_seconds": "1798731000", "epoch_milliseconds": "1798731000000"}
FORMATS = {
    "csv": "CSV", "xlsx": "Excel (XLSX)", "jsonl": "JSON Lines", "parquet": "Parquet", "asterisk_cdr": "Asterisk CDR",
    "asterisk_queue_log": "Asterisk queue_log",
}  # fmt: skip
ENCODINGS = {"utf-8": "UTF-8", "cp1250": "Windows-1250", "iso-8859-2": "ISO-8859-2", "utf-16": "UTF-16", "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE"}
SEPARATORS = {",": Text("przecinek ,", "comma ,"), ";": Text("średnik ;", "semicolon ;"), "\t": Text("tabulator", "tab"), "|": Text("kreska |", "bar |")}
KINDS = {
    "people": Text("lista osób: jeden wiersz to jedna osoba", "a list of people: a row is a person"),
    "orders": Text("zamówienia: wiersz to pozycja albo całe zamówienie", "orders: a row is a line or a whole order"),
    "events": Text("zdarzenia: jeden wiersz to jedno zdarzenie", "events: a row is an event"),
}
FILE_FIELDS = ("format", "separator", "quote", "encoding", "header_row", "sheet")
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
GUESSED = "guessed"
FIELDS = ("name", "source", "basis", "from", "date", "notice", "proof", "event", "currency")  #: those of the form that stand alone
TWICE = Text("dwie kolumny mają to samo miejsce", "two columns have the same place")
NO_CURRENCY = Text("waluta to trzy litery, jak PLN albo EUR", "a currency is three letters, such as PLN or EUR")
PHONE = "traits.phone"
NEIGHBOURS = "PL DE CZ SK UA LT GB AT NL FR IT ES SE NO DK IE US".split()  #: countries whose numbers a list is most likely to hold


@dataclass(frozen=True)
class Column:
    """One column as the form shows it."""

    number: int
    guess: collect.ColumnGuess
    place: str
    own_name: str
    type: str
    region: str  #: country of telephone numbers written without one; "" for the installation's

    @property
    def seems(self) -> Text:
        """What the column seems to be, with an example of how it is written."""
        form = self.guess.form
        example = {"integer": "", "number": f" 1{form.thousands}234{form.decimal}50", "date": _moment(form), "time": _moment(form)}.get(form.type, "")
        return Text(GUESSES[form.type].pl + example, GUESSES[form.type].en + example)


@dataclass(frozen=True)
class Shown:
    """The values of the whole form."""

    kind: str
    columns: list[Column]
    values: Mapping[str, str]  #: the fields that stand alone, FIELDS
    names: str  #: a print of the columns' names: what a form says of columns holds for these alone


def file_form(form: FormData) -> collect.FileForm | None:
    """How the file is to be read, as the form says; None when it says nothing. Raises MappingInvalid."""
    told = {field: str(form[field]) for field in FILE_FIELDS if form.get(field) not in (None, "")}
    return collect.read_file_form(told) if told else None


def is_of(form: FormData, examined: collect.Examined) -> bool:
    """Whether the columns that a form speaks of are those of the file as it is read now: another separator makes others."""
    return form.get("names", print_of(examined)) == print_of(examined)


def print_of(examined: collect.Examined) -> str:
    """A short print of the names of a file's columns."""
    return blake2b("\0".join(column.name for column in examined.columns).encode(), digest_size=8).hexdigest()


def shown(examined: collect.Examined, form: FormData | None, file_name: str) -> Shown:
    """The form's values: as sent, or as guessed for a form that nobody filled in yet; of columns that it does not speak of, as guessed."""
    proposed = {one.column: one.place for one in reversed(examined.proposals)}  # the first says what a column is before all
    guessed = [Column(number, guess, *_split(proposed.get(guess.name, "")), GUESSED, "") for number, guess in enumerate(examined.columns)]
    if form is None:
        stem = _slug(file_name.rpartition(".")[0] or file_name) or "import"
        values = {"name": stem[:49], "source": stem, "basis": "", "from": "", "date": "", "notice": "", "proof": "", "event": "Imported", "currency": ""}
        if "{" not in (currency := examined.mapping.get("currency") or ""):
            values["currency"] = currency
        if "{" not in (event := examined.mapping.get("event", "{")) and examined.mapping.get("group_by") and examined.kind == "events":
            values |= {"event": event, "name": examined.mapping["name"]}  # a known log: under one name, a call is one event however often it comes
        return Shown(examined.kind, guessed, values, print_of(examined))
    values = {key: str(form.get(key, "")) for key in FIELDS}
    if not is_of(form, examined):
        return Shown(examined.kind, guessed, values, print_of(examined))
    columns = [
        Column(
            number, guess, str(form.get(f"place_{number}", "")), str(form.get(f"own_{number}", "")), str(form.get(f"type_{number}", GUESSED)),
            str(form.get(f"region_{number}", "")),
        )
        for number, guess in enumerate(examined.columns)
    ]
    return Shown(str(form.get("kind", examined.kind)), columns, values, print_of(examined))


def mapping(form: FormData, examined: collect.Examined, import_id: int) -> collect.FileMapping:
    """The mapping that the form describes. Raises FieldMissing, MappingInvalid and its kin with the field that is wrong."""
    told = shown(examined, form, "")
    for needed in ("name", "source", "basis", "from", "date"):
        if not told.values[needed].strip():
            raise FieldMissing(where=needed, field=needed)
    acquired = {key: value for key in ("from", "date", "notice", "proof") if (value := told.values[key].strip())}
    base: dict[str, Any] = {
        "name": told.values["name"].strip(), "source": told.values["source"].strip(), "basis": told.values["basis"], "acquired": acquired,
        "file": examined.form.model_dump(exclude_defaults=True), "columns": {column.guess.name: _form_of(column) for column in told.columns if column.place},
    }  # fmt: skip
    return collect.read_mapping(base | _body(told, examined), f"import {import_id}")


def _body(told: Shown, examined: collect.Examined) -> dict[str, Any]:
    """Event, time, ids and what an event takes from the columns, by the kind of file."""
    at = {column.place: column.guess.name for column in told.columns if column.place not in ("", "traits", "properties")}
    taken: set[str] = set()
    sections: dict[str, dict[str, Any]] = {"traits": {}, "properties": {}, "products": {}, "consents": {}}
    for column in told.columns:
        section, _, key = column.place.partition(".")
        if column.place in ("traits", "properties"):
            key = _slug(column.own_name) or _slug(column.guess.name) or f"column_{column.number + 1}"
        place = f"{section}.{key}" if key else section
        if place and place in taken:
            raise MappingInvalid(where=place, seen=column.guess.name, detail=TWICE)
        taken.add(place)
        if section in sections:
            sections[section][key] = f"{{{column.guess.name}}}"
    proposed: Mapping[str, Any] = examined.mapping
    body: dict[str, Any] = {
        "time": f"{{{at['time']}}}" if "time" in at else proposed.get("time", ""),
        "ids": {key: f"{{{at[f'ids.{key}']}}}" for key in ("user_id", "anonymous_id") if f"ids.{key}" in at},
        "event": "identify" if told.kind == "people" else told.values["event"].strip() or "Imported",
    }
    if told.kind == "orders":
        body["event"] = "Order Completed"
        if "order" in at:
            body["group_by"] = [at["order"]]
            body["ids"]["otherwise"] = f"guest-{{{at['order']}}}"  # an order without a customer has a guest
            sections["properties"]["order_id"] = f"{{{at['order']}}}"
        products = sections["products"]
        if "price" in products and "total" not in at:
            products.setdefault("quantity", 1)  # the value of a whole line
        lines = "price" in products and "total" not in at
        body["when"] = [row for row in proposed.get("when", ()) if row["column"] in {"total", *at.values()}] or None
        body["total"] = "lines" if lines else f"{{{at['total']}}}" if "total" in at else None
        body["currency"] = f"{{{at['currency']}}}" if "currency" in at else _currency(told.values["currency"]) or None
        if body["total"] and not body["currency"]:  # no guess: whoever took the column away would not see it
            raise FieldMissing(where="currency", field="currency")
    elif "event" in at and told.kind == "events":
        body["event"] = f"{{{at['event']}}}"
    elif told.kind == "events":
        body["group_by"] = proposed.get("group_by")
    if "consent_at" in at:
        body["consent_at"] = f"{{{at['consent_at']}}}"
    return {key: value for key, value in (body | {key: rows for key, rows in sections.items() if rows}).items() if value is not None}


def _currency(text: str) -> str:
    """A currency's code as somebody typed it, "" for none. Raises MappingInvalid."""
    code = text.strip().upper()
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise MappingInvalid(where="currency", seen=text, detail=NO_CURRENCY)
    return code


def _form_of(column: Column) -> dict[str, Any]:
    form = TYPES[column.type][1] if column.type in TYPES else column.guess.form.model_dump(exclude_defaults=True) | {"type": column.guess.form.type}
    return form | {"region": column.region} if column.region and column.place == PHONE else form


def _moment(form: collect.ColumnForm) -> str:
    """A day or a moment as this form writes it."""
    if form.format == "iso":
        return f" {collect.EXAMPLE:%Y-%m-%d}" if form.type == "date" else f" {collect.EXAMPLE:%Y-%m-%d %H:%M}"
    return " " + EPOCHS.get(form.format, collect.EXAMPLE.strftime(form.format))


def _split(place: str) -> tuple[str, str]:
    """A place as the list of the form knows it, and the name of one's own for a trait or property that is not in the list."""
    place = "order" if place == "group_by" else place
    if place in PLACES:
        return place, ""
    section, _, key = place.partition(".")
    return (section, key) if section in ("traits", "properties") else ("", "")


def _slug(text: str) -> str:
    return _NOT_PLAIN.sub("_", folded(text)).strip("_")
