"""The form of a tracking plan, as a person writes it in YAML: which events a source sends, and what they hold.

A mode says what happens to an event that is not as planned. `allow` lets it pass and counts it; `warn` also marks it; `omit`
takes out what does not belong and keeps it apart; `block` puts the event into quarantine. The nearest word decides: of the
property's event, else of the plan.
"""

from enum import StrEnum
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, field_validator, model_validator
from pydantic_core import SchemaError

from cegla.vocabulary.text import Text

MOST_EVENTS = 2_000
MOST_PROPERTIES = 300
DEEPEST = 8


class Mode(StrEnum):
    """What happens to an event that is not as planned, from mild to strict."""

    ALLOW = "allow"
    WARN = "warn"
    OMIT = "omit"
    BLOCK = "block"


class PersonalData(StrEnum):
    """How personal a property is. All but `none` and `behavioural` stay out of the warehouse."""

    NONE = "none"
    BEHAVIOURAL = "behavioural"
    IDENTIFIER = "identifier"
    CONTACT = "contact"
    SPECIAL = "special"
    FREE_TEXT = "free_text"


MODES: dict[Mode, Text] = {
    Mode.ALLOW: Text("przepuść i policz", "let it pass and count it"),
    Mode.WARN: Text("przepuść, policz i oznacz", "let it pass, count it and mark it"),
    Mode.OMIT: Text("wyjmij to, co niezgodne, i przechowaj osobno", "take out what does not belong and keep it apart"),
    Mode.BLOCK: Text("odłóż zdarzenie do kwarantanny", "put the event into quarantine"),
}
PERSONAL: dict[PersonalData, Text] = {
    PersonalData.NONE: Text("nie mówi o osobie", "says nothing of a person"),
    PersonalData.BEHAVIOURAL: Text("zachowanie osoby", "what a person does"),
    PersonalData.IDENTIFIER: Text("wskazuje osobę", "points at a person"),
    PersonalData.CONTACT: Text("adres lub numer, pod którym można osobę zastać", "where a person can be reached"),
    PersonalData.SPECIAL: Text("dane szczególnej kategorii (art. 9 RODO)", "a special category (GDPR art. 9)"),
    PersonalData.FREE_TEXT: Text("dowolny tekst, w którym może być wszystko", "free text, which may hold anything"),
}
KEPT_APART = frozenset({PersonalData.IDENTIFIER, PersonalData.CONTACT, PersonalData.SPECIAL, PersonalData.FREE_TEXT})

#: What our own checks say; the others are pydantic's.
SAID: dict[str, Text] = {
    "pattern": Text(
        "wzorzec jest błędny albo zbyt złożony (składnia biblioteki regex języka Rust, bez odwołań wstecz)",
        "the pattern is wrong or too complex (the syntax of Rust's regex library, without backreferences)",
    ),
    "only_text": Text("pattern, min_length i max_length są dla tekstu", "pattern, min_length and max_length are for text"),
    "only_numbers": Text("min i max są dla liczb", "min and max are for numbers"),
    "finite": Text("NaN i Infinity nie są liczbami, z którymi da się porównać", "NaN and Infinity are no numbers to compare with"),
    "only_objects": Text("properties są dla obiektów, a items dla list", "properties are for objects, items for arrays"),
    "bounds": Text("najmniejsza wartość jest większa od największej", "the smallest value is larger than the largest"),
    "enumeration": Text("wartość enumeration ma inny typ niż właściwość", "a value of enumeration has another type than the property"),
    "twice": Text("to samo zdarzenie w tej samej wersji jest dwa razy", "the same event in the same version is there twice"),
    "name": Text("zdarzenie track musi mieć nazwę", "a track event needs a name"),
    "fixed_name": Text("zdarzenia page, screen, identify i group mają stałe nazwy", "page, screen, identify and group events have fixed names"),
    "traits": Text("cechy (traits) mają tylko zdarzenia identify i group", "only identify and group events have traits"),
    "deep": Text(f"plan jest zagnieżdżony głębiej niż {DEEPEST} poziomów", f"the plan is nested deeper than {DEEPEST} levels"),
    "plan": Text("to nie jest zbiór pól", "it is not a mapping of fields"),
}

Kind = Literal["track", "page", "screen", "identify", "group"]
NAMES: dict[str, str] = {"page": "Page Viewed", "screen": "Screen Viewed", "identify": "Identify", "group": "Group"}
Type = Literal["string", "integer", "number", "boolean", "date", "time", "object", "array"]
Scalar = bool | int | float | str


class Form(BaseModel):
    """A frozen part of the plan; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Form):
    """A text in both languages; either may be left out."""

    pl: str = Field("", max_length=1_000, description="in Polish")
    en: str = Field("", max_length=1_000, description="in English")


class Property(Form):
    """One property or trait. A property that is null counts as not sent."""

    type: Type = Field(description="string, integer, number, boolean, date (2026-11-25), time (RFC 3339: 2026-11-25T10:00:00Z), object or array")
    about: Words | None = Field(None, description="what it means, in one or both languages")
    required: bool = Field(False, description="whether every such event has it")
    enumeration: tuple[Scalar, ...] | None = Field(None, min_length=1, max_length=1_000, description="the only values it may have")
    pattern: str | None = Field(
        None, min_length=1, max_length=500, description="string: what a part of it must look like; `^` and `$` mean the whole; matched in linear time"
    )
    min: float | None = Field(None, description="number, integer: the smallest value")
    max: float | None = Field(None, description="number, integer: the largest value")
    min_length: int | None = Field(None, ge=0, description="string: characters; array: elements")
    max_length: int | None = Field(None, ge=0, description="string: characters; array: elements")
    unit: str | None = Field(None, max_length=40, description="what a number counts: PLN, kg, s")
    personal: PersonalData = Field(
        PersonalData.NONE, description="none, behavioural, identifier, contact, special or free_text; the last four never reach the warehouse"
    )
    items: "Property | None" = Field(None, description="array: what each element is")
    properties: "dict[str, Property] | None" = Field(None, max_length=MOST_PROPERTIES, description="object: its own properties; without them, any")

    @field_validator("pattern")
    @classmethod
    def _linear(cls, value: str | None) -> str | None:
        if value is not None:
            matcher(value)
        return value

    @field_validator("min", "max", "enumeration")
    @classmethod
    def _finite(cls, value: float | tuple[Scalar, ...] | None) -> float | tuple[Scalar, ...] | None:
        if any(isinstance(one, float) and not isfinite(one) for one in (value if isinstance(value, tuple) else (value,))):
            raise ValueError("finite")
        return value

    @model_validator(mode="after")
    def _fits_its_type(self) -> "Property":
        if self.pattern is not None and self.type != "string":
            raise ValueError("only_text")
        if (self.min_length is not None or self.max_length is not None) and self.type not in ("string", "array"):
            raise ValueError("only_text")
        if (self.min is not None or self.max is not None) and self.type not in ("integer", "number"):
            raise ValueError("only_numbers")
        if (self.items is not None and self.type != "array") or (self.properties is not None and self.type != "object"):
            raise ValueError("only_objects")
        if any(low is not None and high is not None and low > high for low, high in ((self.min, self.max), (self.min_length, self.max_length))):
            raise ValueError("bounds")
        if any(not _is_of(value, self.type) for value in self.enumeration or ()):
            raise ValueError("enumeration")
        return self


class PlannedEvent(Form):
    """One event of the plan, or one version of it."""

    name: str = Field(
        "", max_length=500, description='track: the event\'s name; the others are named for you: "Page Viewed", "Screen Viewed", "Identify", "Group"'
    )
    type: Kind = Field("track", description="track, page, screen, identify or group")
    version: int = Field(1, ge=1, le=10_000, description="an event says by `context.protocols.event_version` which version it is; without it, the newest")
    label: Words | None = Field(None, description="how the console names it, in one or both languages")
    about: Words | None = Field(None, description="what it means and when it is sent")
    refused: bool = Field(False, description="whether every such event goes to quarantine")
    mode: Mode | None = Field(None, description="for this event; else that of the plan")
    unplanned_properties: Mode | None = Field(None, description="for properties that are not listed; else `mode` of the event, else that of the plan")
    properties: dict[str, Property] = Field(default_factory=dict, max_length=MOST_PROPERTIES, description="what it holds")
    traits: dict[str, Property] = Field(default_factory=dict, max_length=MOST_PROPERTIES, description="identify, group: what is said of the person or account")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"] in NAMES:
            if value.get("name") not in (None, "", NAMES[value["type"]]):
                raise ValueError("fixed_name")
            return {**value, "name": NAMES[value["type"]]}
        return value

    @model_validator(mode="after")
    def _complete(self) -> "PlannedEvent":
        if not self.name.strip():
            raise ValueError("name")
        if self.traits and self.type not in ("identify", "group"):
            raise ValueError("traits")
        return self

    @property
    def fields(self) -> dict[str, Property]:
        """Traits of identify and group, properties of the others."""
        return self.traits if self.type in ("identify", "group") else self.properties


class Plan(Form):
    """The tracking plan of one source."""

    title: str = Field("", max_length=200, description="a name for people")
    mode: Mode = Field(Mode.WARN, description="what happens to events that are not as planned: allow, warn, omit or block")
    unplanned_events: Mode | None = Field(None, description="for events that are not listed: allow, warn or block; else `mode` (omit counts as warn)")
    unplanned_properties: Mode | None = Field(None, description="for properties that are not listed; else `mode`")
    events: tuple[PlannedEvent, ...] = Field((), max_length=MOST_EVENTS, description="the events, in any order")

    @model_validator(mode="after")
    def _each_once(self) -> "Plan":
        keys = [(event.name, event.version) for event in self.events]
        if len(set(keys)) != len(keys):
            raise ValueError("twice")
        if any(_depth(one) > DEEPEST for event in self.events for one in (*event.properties.values(), *event.traits.values())):
            raise ValueError("deep")
        return self

    def mode_of(self, event: PlannedEvent) -> Mode:
        """What a broken event of this name meets."""
        return event.mode or self.mode

    def unplanned_properties_of(self, event: PlannedEvent) -> Mode:
        """What a property that is not listed meets."""
        return event.unplanned_properties or event.mode or self.unplanned_properties or self.mode

    @property
    def mode_of_unplanned(self) -> Mode:
        """What an event that is not listed meets; there is nothing to omit from it."""
        mode = self.unplanned_events or self.mode
        return Mode.WARN if mode is Mode.OMIT else mode

    def newest(self, name: str) -> PlannedEvent | None:
        """The newest version of an event, if it is planned."""
        return max((event for event in self.events if event.name == name), key=lambda event: event.version, default=None)


EMPTY = Plan.model_validate({})


def matcher(pattern: str) -> Any:
    """Whether a text holds a pattern, in linear time: Rust's regex library knows no backtracking. Raises ValueError for a bad pattern."""
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)]).validator.isinstance_python
    except SchemaError as error:
        raise ValueError("pattern") from error


def _depth(one: Property) -> int:
    inner = [*(one.properties or {}).values(), *([one.items] if one.items else [])]
    return 1 + max(map(_depth, inner), default=0)


def _is_of(value: Scalar, kind: Type) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str):
        return kind in ("string", "date", "time")
    return kind == "number" or (kind == "integer" and value == int(value))
