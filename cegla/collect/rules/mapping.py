"""The mapping of a file to events, as a person writes it in YAML: what each column is, and what an event takes from it.

Text with `{Column}` in it is a template; a template that is one column alone keeps that column's type. Text without
braces, numbers and booleans are constants. `group_by` folds rows, such as the lines of an order, into one event.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cegla.vocabulary.consent import Basis
from cegla.vocabulary.errors.intake import ColumnUnknown, MappingFieldMissing, MappingFieldUnknown, MappingInvalid
from cegla.vocabulary.text import Text, misfit

IDENTIFY = "identify"
TOTAL = "total"
ADDRESSES = ("email", "phone")  #: traits that name a person by themselves
CONSENT_AT = "consent_at"
ACQUIRED = "acquired"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,48}\Z")
_PLACE = re.compile(r"\{([^{}]+)\}")

#: What our own checks say; the others are pydantic's.
SAID: dict[str, Text] = {
    "mapping": Text("to nie jest zbiór pól", "it is not a mapping of fields"),
    "encoding": Text("nie ma takiego kodowania", "there is no such encoding"),
    "zone": Text("nie ma takiej strefy czasowej", "there is no such time zone"),
    "ids": Text(
        "nie wiadomo, o kim to jest: potrzebny jest numer klienta (ids.user_id), e-mail lub telefon (traits.email, traits.phone) albo ids.otherwise",
        "it does not say who it is about: a customer number (ids.user_id), an e-mail or phone (traits.email, traits.phone) or ids.otherwise is needed",
    ),
    "condition": Text("potrzebne jest dokładnie jedno z: equals, starts_with, below, above", "exactly one of equals, starts_with, below, above is needed"),
    "name": Text("użyj 1 do 49 małych liter, cyfr, kropek, myślników i podkreśleń", "use 1 to 49 small letters, digits, dots, dashes and underscores"),
    "lines": Text("total: lines wymaga produktów z price i quantity", "total: lines needs products with price and quantity"),
    "time": Text(
        'to musi być jedna kolumna typu time lub date, na przykład "{InvoiceDate}"',
        'it must be one column of type time or date, such as "{InvoiceDate}"',
    ),
    "acquired": Text("time: acquired wymaga acquired.date", "time: acquired needs acquired.date"),
    "number": Text("tu potrzebna jest kolumna typu number lub integer", "a column of type number or integer is needed here"),
    "total": Text("total jest znane tylko z `total: lines`", "total is known only with `total: lines`"),
}

Constant = bool | int | float | str


class Form(BaseModel):
    """A frozen part of the mapping; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FileForm(Form):
    """How the file is written."""

    format: Literal["csv", "xlsx", "jsonl", "parquet", "asterisk_cdr", "asterisk_queue_log"] = Field(
        "csv", description="csv, xlsx, jsonl, parquet, or a switchboard's log: asterisk_cdr, asterisk_queue_log"
    )
    separator: str = Field(",", min_length=1, max_length=1, description="csv: the character between two fields")
    quote: str = Field('"', min_length=1, max_length=1, description="csv: the character around a field")
    encoding: str = Field("utf-8", description="csv, jsonl, logs: utf-8, cp1250, iso-8859-2, ...")
    header_row: int = Field(1, ge=0, le=50, description="csv, xlsx: the line with the columns' names; 0: there is none, and they are column_1, column_2, ...")
    sheet: str = Field("", max_length=100, description="xlsx: the sheet's name; empty: the first")

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError("encoding") from None
        return value


class ColumnForm(Form):
    """What the text of one column means. A column that is not listed is text."""

    type: Literal["text", "integer", "number", "boolean", "date", "time"] = Field("text", description="text, integer, number, boolean, date or time")
    empty: tuple[str, ...] = Field((), description="texts that mean nothing, such as N/A; blank always does")
    values: dict[str, str] = Field(default_factory=dict, description="text: exchange, such as EIRE for IE")
    otherwise: Literal["keep", "empty", "error"] = Field("keep", description="what to do with a text that `values` does not list")
    decimal: str = Field(".", min_length=1, max_length=1, description="number: the decimal mark")
    thousands: str = Field("", max_length=1, description="number: the mark between thousands")
    unit: str = Field("", max_length=20, description="number, integer: a unit written beside the number, such as zł")
    true_words: tuple[str, ...] = Field(("true", "yes", "tak", "1", "t", "y"), description="boolean: case does not matter")
    false_words: tuple[str, ...] = Field(("false", "no", "nie", "0", "f", "n"), description="boolean: case does not matter")
    format: str = Field("iso", description="date, time: iso, epoch_seconds, epoch_milliseconds, or as in strptime: %d.%m.%Y %H:%M")
    zone: str = Field("UTC", description="time: the zone of a wall clock that names none")
    region: str = Field("", pattern=r"^([A-Z]{2})?$", description="text: country of phone numbers written without one, such as DE; empty: the rules'")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("zone") from None
        return value


class AcquiredForm(Form):
    """Where the data come from and what allows to hold them: kept with the import, and as proof with each consent it brings."""

    source: str = Field(alias="from", min_length=2, max_length=500, description="where the list was obtained: the form, fair, system or company")
    day: date = Field(alias="date", description="the day it was obtained")
    notice: str = Field("", max_length=2_000, description="version or wording of what people were told or agreed to; needed with basis `consent`")
    proof: str = Field("", max_length=500, description="where the proof lies: a folder, contract or ticket number")


class IdsForm(Form):
    """Who did it. All may be left out where `traits` give `email` or `phone`: the address itself then says who it is.

    `otherwise` is for rows that have neither an id nor such an address, so that every guest order is somebody.
    """

    user_id: str | None = Field(None, description="the shop's own number of the person, a template")
    anonymous_id: str | None = Field(None, description="a device or guest, a template")
    otherwise: str | None = Field(None, description='an anonymous id such as "guest-{InvoiceNo}", for rows without id, e-mail and phone')


class WhenForm(Form):
    """Another event name for rows of a kind; the first that fits wins. In a group, one row that fits is enough.

    `column` may also be `total`, the computed total of the group.
    """

    column: str = Field(description="the column looked at, or `total`")
    event: str = Field(description="the event's name then, a template")
    equals: str | None = Field(None, description="fits the value that is exactly this")
    starts_with: str | None = Field(None, description="fits values that begin so")
    below: float | None = Field(None, description="fits smaller numbers")
    above: float | None = Field(None, description="fits larger numbers")

    @model_validator(mode="after")
    def _one_condition(self) -> "WhenForm":
        if sum(value is not None for value in (self.equals, self.starts_with, self.below, self.above)) != 1:
            raise ValueError("condition")
        return self


class Mapping(Form):
    """The whole mapping of one kind of file."""

    name: str = Field(description="the import's name; message ids begin with it, so the same name makes a re-run idempotent")
    source: str = Field(min_length=1, max_length=200, description="the name of the source the events belong to")
    basis: Basis = Field(description="the lawful basis of collecting them: with `consent`, an event is kept only when `consents` gives `analytics`")
    acquired: AcquiredForm | None = Field(None, description="where the data come from; without it nothing is imported, only tried")
    file: FileForm = Field(default_factory=lambda: FileForm.model_validate({}), description="how the file is written")
    columns: dict[str, ColumnForm] = Field(default_factory=dict, description="what columns are; `quantity: integer` is short for `quantity: {type: integer}`")
    event: str = Field(min_length=1, description="the event's name, a template, or `identify`")
    when: tuple[WhenForm, ...] = Field((), description="other names for rows of a kind; the first that fits wins")
    time: str = Field(description="a template of one column of type time or date; or `acquired`: the day the list was obtained")
    ids: IdsForm = Field(default_factory=lambda: IdsForm.model_validate({}), description="who did it; not needed with `email` or `phone` in `traits`")
    group_by: tuple[str, ...] = Field((), description="columns whose equal values make one event of several rows")
    properties: dict[str, Constant] = Field(default_factory=dict, description="of the event: name: template or constant; of a group, the first row's")
    products: dict[str, Constant] = Field(default_factory=dict, description="one entry of `products` for each row of the event")
    total: Constant | None = Field(None, description="`lines`: the exact sum of price × quantity of the products; or a template")
    currency: str | None = Field(None, description="ISO 4217 code, constant or template")
    traits: dict[str, Constant] = Field(default_factory=dict, description="what the person is; an identify call follows each change")
    consents: dict[str, Constant] = Field(default_factory=dict, description="category, such as marketing_email: true, false or a boolean column")
    consent_at: str | None = Field(None, description="a template of one column of type time or date: when it was agreed to; else `time`")

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not _NAME.match(value):
            raise ValueError("name")
        return value

    @field_validator("columns", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`Quantity: integer` is short for `Quantity: {type: integer}`."""
        if not isinstance(value, dict):
            return value
        return {key: {"type": column} if isinstance(column, str) else column for key, column in value.items()}  # pyright: ignore[reportUnknownVariableType]

    @model_validator(mode="after")
    def _about_somebody(self) -> "Mapping":
        if not (self.ids.user_id or self.ids.anonymous_id or self.ids.otherwise or self.traits.keys() & {*ADDRESSES}):
            raise ValueError("ids")
        return self

    @model_validator(mode="after")
    def _total_has_lines(self) -> "Mapping":
        if self.total == "lines" and not {"price", "quantity"} <= self.products.keys():
            raise ValueError("lines")
        return self


@dataclass(frozen=True)
class Template:
    """A text with columns in it: `parts` are constants and, where `columns` says so, column names."""

    parts: tuple[str, ...]
    is_column: tuple[bool, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it needs."""
        return tuple(part for part, column in zip(self.parts, self.is_column, strict=True) if column)

    @property
    def single(self) -> str | None:
        """The column's name when the template is that column alone."""
        return self.parts[0] if self.is_column == (True,) else None


def template(text: str) -> Template:
    """ "guest-{InvoiceNo}" taken apart."""
    pieces = [(piece, index % 2 == 1) for index, piece in enumerate(_PLACE.split(text)) if piece]
    return Template(tuple(piece for piece, _ in pieces), tuple(column for _, column in pieces))


def read_mapping(values: object, where: str) -> Mapping:
    """The mapping in `values`, as YAML gave it. `where` is the file, for messages. Raises MappingInvalid with the field and the value seen."""
    if not isinstance(values, dict):
        raise MappingInvalid(where=where, seen=values, detail=SAID["mapping"])
    try:
        return Mapping.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        place = f"{where}: {field}" if field else where
        if first["type"] == "missing":
            raise MappingFieldMissing(where=place, field=field) from None
        if first["type"] == "extra_forbidden":
            raise MappingFieldUnknown(where=place, seen=first.get("input", ""), field=field) from None
        raise MappingInvalid(where=place, seen=first.get("input", ""), detail=misfit(first, SAID)) from None


def read_file_form(values: dict[str, str]) -> FileForm:
    """How a file is written, from a form's fields. Raises MappingInvalid."""
    try:
        return FileForm.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise MappingInvalid(where=".".join(map(str, first["loc"])), seen=first.get("input", ""), detail=misfit(first, SAID)) from None


def check_columns(mapping: Mapping, found: list[str]) -> None:
    """Raise ColumnUnknown when the mapping names a column that the file does not have."""
    known = set(found)
    for place, column in named_columns(mapping):
        if column not in known:
            raise ColumnUnknown(where=place, seen=column, column=column, columns=", ".join(found))


def named_columns(mapping: Mapping) -> list[tuple[str, str]]:
    """Every column the mapping names, with the field that names it."""
    named = [(f"columns.{column}", column) for column in mapping.columns] + [("group_by", column) for column in mapping.group_by]
    named += [(f"when.{index}", row.column) for index, row in enumerate(mapping.when) if row.column != TOTAL]
    texts: list[tuple[str, object]] = [("event", mapping.event), ("time", mapping.time), ("total", mapping.total), ("currency", mapping.currency)]
    texts.append((CONSENT_AT, mapping.consent_at))
    texts += [(f"ids.{field}", getattr(mapping.ids, field)) for field in ("user_id", "anonymous_id", "otherwise")]
    for section in ("properties", "products", "traits", "consents"):
        texts += [(f"{section}.{key}", value) for key, value in getattr(mapping, section).items()]
    named += [(place, column) for place, text in texts if isinstance(text, str) for column in template(text).columns]
    named += [(f"when.{index}.event", column) for index, row in enumerate(mapping.when) for column in template(row.event).columns]
    return named
