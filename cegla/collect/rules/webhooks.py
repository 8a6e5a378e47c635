"""The mapping of a webhook to events, as a person writes it in YAML: no code, a closed set of words.

Text with `{path}` in it is a template; a template that is one place alone keeps that value's type, and one whose place is
empty is empty. Text without braces, numbers and booleans are constants. A path is names joined by dots: `data.items.0.sku`;
`meta[key=vat].value` picks from a list; `$headers.x-topic`, `$query.id` and `$body.total` look beside the item.
Each rule that holds for an item makes one event.
"""

import re
from collections.abc import Mapping as Pairs
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cegla.vocabulary.errors.intake import WebhookMappingInvalid
from cegla.vocabulary.text import Text, misfit

MOST_RULES, MOST_FIELDS, MOST_ITEMS = 60, 200, 5_000
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}\Z")
SAID: dict[str, Text] = {
    "mapping": Text("to nie jest zbiór pól", "it is not a mapping of fields"),
    "zone": Text("nie ma takiej strefy czasowej", "there is no such time zone"),
    "rule name": Text("użyj 1 do 40 małych liter, cyfr, myślników i podkreśleń", "use 1 to 40 small letters, digits, dashes and underscores"),
    "names": Text("dwie reguły mają tę samą nazwę", "two rules have the same name"),
    "event": Text("reguła track wymaga pola event", "a track rule needs an event"),
    "condition": Text(
        "warunek to wartość, lista wartości albo jedno z: exists, not, starts_with, above, below",
        "a condition is a value, a list of values, or one of: exists, not, starts_with, above, below",
    ),
    "columns": Text("body: lines wymaga listy columns", "body: lines needs a list of columns"),
}

Constant = bool | int | float | str | None
Cast = Literal["text", "lower", "integer", "number", "boolean", "minor", "time", "unix", "unix_ms"]
CASTS: dict[str, Text] = {
    "text": Text("tekst", "text"),
    "lower": Text("tekst małymi literami", "text in small letters"),
    "integer": Text("liczba całkowita", "a whole number"),
    "number": Text("liczba, także z przecinkiem dziesiętnym", "a number, also with a decimal comma"),
    "boolean": Text("tak albo nie: true, false, 1, 0, yes, no, tak, nie, on, off", "yes or no: true, false, 1, 0, yes, no, tak, nie, on, off"),
    "minor": Text("kwota w groszach, centach: 1250 to 12,50 (digits: ile cyfr)", "an amount in minor units: 1250 is 12.50 (digits: how many)"),
    "time": Text("czas ISO 8601 albo według format; bez strefy: zone", "a time in ISO 8601, or by `format`; without a zone: `zone`"),
    "unix": Text("sekundy od 1970 roku", "seconds since 1970"),
    "unix_ms": Text("milisekundy od 1970 roku", "milliseconds since 1970"),
}


class Form(BaseModel):
    """A frozen part of the mapping; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _known_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("zone") from None
    return value


class Taken(Form):
    """A value with more than a template can say."""

    source: str | tuple[str, ...] = Field(alias="from", description="a path, or several: the first that holds something")
    table: dict[str, Constant] | None = Field(None, description="exchange: value seen to value meant")
    empty: tuple[Constant, ...] = Field((), description="values that mean nothing, such as a customer 0")
    default: Constant = Field(None, description="when nothing is found, or the table does not list it")
    cast: Cast | None = Field(None, alias="as", description="what to make of it; see below")
    digits: int = Field(2, ge=0, le=6, description="minor: how many digits stand behind the mark")
    format: str = Field("", max_length=60, description="time: as in strptime, %d.%m.%Y %H:%M:%S; empty: ISO 8601")
    zone: str = Field("", description="time: the zone of a wall clock that names none; empty: the mapping's")
    required: bool = Field(False, description="without a value the item goes to quarantine")

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return _known_zone(value) if value else value


class Lines(Form):
    """A list of objects, such as the lines of an order."""

    each: str = Field(description="the path of the list")
    fields: "dict[str, Constant | Taken]" = Field(description="what each line holds; paths begin at the line")


class Condition(Form):
    """More than equality; exactly one word."""

    exists: bool | None = Field(None, description="whether there is a value at all")
    not_: Constant | tuple[Constant, ...] = Field(None, alias="not", description="none of these")
    starts_with: str | None = Field(None, description="how the text begins")
    above: float | None = Field(None, description="a larger number")
    below: float | None = Field(None, description="a smaller number")

    @model_validator(mode="after")
    def _one(self) -> "Condition":
        if len(self.model_fields_set) != 1:
            raise ValueError("condition")
        return self


Value = Annotated[Constant | Taken | Lines, Field(union_mode="left_to_right")]
Wanted = Constant | tuple[Constant, ...] | Condition


class Rule(Form):
    """One event from one item."""

    name: str = Field(description="small letters; part of each message id, so do not change it later")
    when: dict[str, Wanted] = Field(default_factory=dict, description="path to wanted value, list of values or condition; all must hold")
    skip: bool = Field(False, description="recognized and left out on purpose; no event")
    type: Literal["track", "identify", "page", "group"] = Field("track", description="the call")
    event: Value = Field(None, description="the event's name, for track")
    id: Value = Field(None, description="the provider's own id of the event, so that a repeat is known; else made from the content")
    time: Value = Field(None, description="when it happened; else when it came")
    user_id: Value = Field(None, description="the shop's number of the person")
    anonymous_id: Value = Field(None, description="a device or visitor")
    group_id: Value = Field(None, description="the account, for group")
    external_ids: dict[str, Value] = Field(default_factory=dict, description="other identifiers by type, such as loyalty_card")
    traits: dict[str, Value] = Field(default_factory=dict, description="about the person: email, phone, first_name, ...")
    properties: dict[str, Value] = Field(default_factory=dict, description="about the event")
    context: dict[str, Value] = Field(default_factory=dict, description="other parts of the context")
    consent: dict[str, Value] = Field(default_factory=dict, description="true or false by category: marketing_email, analytics, ...")

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not NAME.match(value):
            raise ValueError("rule name")
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Rule":
        if not self.skip and self.type == "track" and self.event is None:
            raise ValueError("event")
        return self


class WebhookMapping(Form):
    """A whole mapping."""

    body: Literal["auto", "json", "jsonl", "form", "csv", "lines"] = Field("auto", description="how the body is written; auto: by its content type")
    columns: tuple[str, ...] = Field((), max_length=MOST_FIELDS, description="csv, lines: names of the columns; csv without them has a header")
    separator: str = Field(",", min_length=1, max_length=1, description="csv, lines: the character between two fields")
    each: str = Field("", description="the path of a list whose items become events; empty: the body itself, or its items when it is a list")
    unpack: str = Field("", description="the path of a text that is JSON itself, as SNS wraps it; it is read in its place")
    zone: str = Field("UTC", description="the zone of times that name none")
    otherwise: Literal["quarantine", "ignore"] = Field("quarantine", description="what happens to an item that no rule fits")
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=MOST_RULES, description="each that holds makes one event")

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return _known_zone(value)

    @model_validator(mode="after")
    def _consistent(self) -> "WebhookMapping":
        if len({rule.name for rule in self.rules}) < len(self.rules):
            raise ValueError("names")
        if self.body == "lines" and not self.columns:
            raise ValueError("columns")
        return self


def read_mapping(values: Any, where: str = "") -> WebhookMapping:
    """The mapping in what a YAML or JSON file holds. Raises WebhookMappingInvalid with the place and the value seen."""
    if not isinstance(values, Pairs):
        raise WebhookMappingInvalid(where=where or "/", seen=type(values).__name__, detail=SAID["mapping"])
    try:
        return WebhookMapping.model_validate(values)
    except ValidationError as error:
        first = max(error.errors(), key=lambda one: len(one["loc"]))
        place = "".join(f"/{part}" for part in first["loc"] if str(part) not in ("Taken", "Lines", "Condition", "str", "int", "float", "bool"))
        seen = first.get("input", "")
        raise WebhookMappingInvalid(where=f"{where}{place}" or "/", seen="" if isinstance(seen, (dict, list)) else seen, detail=misfit(first, SAID)) from None
