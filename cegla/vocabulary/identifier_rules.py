"""The rules of an installation about identifiers: types with their limits, what is blocked, how addresses are read, and caps.

A document (YAML or JSON) says only what differs from the defaults; each saved document is a version. Patterns are plain:
`*` stands for any run of characters, `?` for one; they are matched in linear time, whatever their author or a visitor writes.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal

import msgspec

from cegla.vocabulary.errors.people import IdentityRulesInvalid
from cegla.vocabulary.text import Text

Window = Literal["ever", "yearly", "monthly", "weekly"]
WINDOWS: dict[str, timedelta | None] = {"ever": None, "yearly": timedelta(days=365), "monthly": timedelta(days=30), "weekly": timedelta(days=7)}
TYPE_KEY = re.compile(r"[a-z][a-z0-9_]{0,49}\Z")
PLACE = re.compile(r"(traits|properties|context\.traits)\.[A-Za-z_][A-Za-z0-9_]{0,49}\Z")
MOST_PATTERNS = 200
NOT_NAMED = Text("types to nazwy typów, a pod każdą jej pola", "types holds names of types, and under each its fields")
NO_TYPE = Text("nazwa typu to małe litery, cyfry i _, a pod nią są pola", "a type's name is small letters, digits and _, and it holds fields")
NO_FIELD = Text("pole to traits.NAZWA, properties.NAZWA albo context.traits.NAZWA", "a field is traits.NAME, properties.NAME or context.traits.NAME")
FIXED_FIELDS = Text("pola tego typu ustala kontrakt zdarzeń", "this type has its fields in the tracking contract")
TOO_MANY_PATTERNS = Text(f"najwyżej {MOST_PATTERNS} wzorców", f"at most {MOST_PATTERNS} patterns")
ALWAYS_UNIQUE = Text("user_id zawsze należy do jednej osoby", "a user id is always one person's")
Count = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Pattern = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class IdentifierType(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an identifier of this type may do when people are joined."""

    key: str
    priority: Count  #: 1 decides first; a refused join drops the identifier with the highest number
    limit: Count  #: how many values of this type one person may hold, or may gain within `window`
    window: Window = "ever"  #: yearly is 365 days, monthly 30, weekly 7, each counted back from the event, its first instant left out
    unique: bool = False  #: two people who each hold a value of this type are never joined
    personal: bool = True  #: names a human directly, so the value never leaves PostgreSQL
    blocked: tuple[Pattern, ...] = ()  #: patterns of values that are no identifiers
    found_in: tuple[str, ...] = ()  #: fields that carry it, such as traits.nip; externalIds with the type's name always do


DEFAULT_TYPES = (
    IdentifierType("user_id", 1, 1, unique=True),
    IdentifierType("email", 2, 5),
    IdentifierType("phone", 3, 5),
    IdentifierType("loyalty_card", 4, 5),
    IdentifierType("device_id", 5, 5),
    IdentifierType("anonymous_id", 6, 1_000, personal=False),
)
BUILT_IN = frozenset(row.key for row in DEFAULT_TYPES)
OTHER = IdentifierType("external_id", 7, 5)


class IdentifierRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """All rules, complete. Read them from a document with `read_rules`."""

    types: tuple[IdentifierType, ...] = DEFAULT_TYPES
    other: IdentifierType = OTHER  #: external ids of a type that is not listed
    phone_region: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] = "PL"  #: country of numbers written without one
    plus_addressing: Literal["keep", "drop"] = "keep"  #: drop: anna+shop@example.pl is anna@example.pl
    gmail_dots: Literal["keep", "drop"] = "keep"  #: drop: a.nna@gmail.com is anna@gmail.com
    blocked: tuple[Pattern, ...] = ()  #: patterns of values that are no identifiers of any type
    most_merges: Count = 100  #: of one person: joins of two people who each held two identifiers or more
    most_identifiers: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 1_000  #: of one person, all types together

    @cached_property
    def by_key(self) -> dict[str, IdentifierType]:
        """The types listed."""
        return {row.key: row for row in self.types}

    @cached_property
    def unique(self) -> tuple[str, ...]:
        """Types that never join two people who each hold one."""
        return tuple(row.key for row in self.types if row.unique)

    @cached_property
    def windows(self) -> dict[str, timedelta]:
        """Types whose limit counts within a window, with its length."""
        return {row.key: window for row in self.types if (window := WINDOWS[row.window]) is not None}

    @cached_property
    def fields(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Fields of events that carry an identifier: (type, path)."""
        return tuple((row.key, tuple(place.split("."))) for row in self.types for place in row.found_in)

    def type(self, key: str) -> IdentifierType:
        """The type of this name, or what holds for types not listed."""
        return self.by_key.get(key) or self.other

    def blocks(self, key: str, value: str) -> bool:
        """Whether a pattern says that this normalized value names nobody."""
        if not self._any_pattern:
            return False
        return any(_matcher(pattern).match(value) is not None for pattern in (*self.blocked, *self.type(key).blocked))

    @cached_property
    def _any_pattern(self) -> bool:
        return bool(self.blocked or self.other.blocked or any(row.blocked for row in self.types))


DEFAULT_RULES = IdentifierRules()


def read_rules(document: Mapping[str, Any]) -> IdentifierRules:
    """Rules from a document that says what differs from the defaults. Raises IdentityRulesInvalid with the place and what is wrong."""
    named = document.get("types", {})
    if not isinstance(named, Mapping):
        raise IdentityRulesInvalid(where="types", seen=type(named).__name__, detail=NOT_NAMED)
    fields: dict[str, Any] = {key: value for key, value in document.items() if key not in ("types", "other")}
    listed = {row.key: msgspec.to_builtins(row) for row in DEFAULT_TYPES}
    for key, given in named.items():
        if not isinstance(key, str) or not TYPE_KEY.match(key) or not isinstance(given, Mapping):
            raise IdentityRulesInvalid(where=f"types.{key}", seen=key, detail=NO_TYPE)
        listed[key] = {**listed.get(key, {"key": key, "priority": OTHER.priority, "limit": OTHER.limit}), **given, "key": key}
    fields["types"] = list(listed.values())
    if isinstance(other := document.get("other"), Mapping):
        fields["other"] = {**msgspec.to_builtins(OTHER), **other, "key": OTHER.key}
    try:
        rules = msgspec.convert(fields, IdentifierRules)
    except msgspec.ValidationError as error:
        raise IdentityRulesInvalid(where=_place(str(error), list(listed)), detail=str(error).partition(" - at ")[0]) from None
    _check(rules)
    return rules


def _check(rules: IdentifierRules) -> None:
    for row in (*rules.types, rules.other):
        wrong = next((place for place in row.found_in if not PLACE.match(place)), None)
        if wrong is not None:
            raise IdentityRulesInvalid(where=f"types.{row.key}.found_in", seen=wrong, detail=NO_FIELD)
        if row.key in BUILT_IN and row.found_in and row.key != "loyalty_card":
            raise IdentityRulesInvalid(where=f"types.{row.key}.found_in", seen=row.found_in, detail=FIXED_FIELDS)
        if len(row.blocked) > MOST_PATTERNS:
            raise IdentityRulesInvalid(where=f"types.{row.key}.blocked", seen=len(row.blocked), detail=TOO_MANY_PATTERNS)
    if len(rules.blocked) > MOST_PATTERNS:
        raise IdentityRulesInvalid(where="blocked", seen=len(rules.blocked), detail=TOO_MANY_PATTERNS)
    if not rules.by_key["user_id"].unique:
        raise IdentityRulesInvalid(where="types.user_id.unique", seen=False, detail=ALWAYS_UNIQUE)


def _place(message: str, names: list[str]) -> str:
    """The place in the document that msgspec names as `$.types[3].limit`."""
    place = message.partition("`$")[2].strip("`.")
    return re.sub(r"^types\[(\d+)\]", lambda found: f"types.{names[int(found.group(1))]}", place) or "rules"


@lru_cache(maxsize=1_024)
def _matcher(pattern: str) -> re.Pattern[str]:
    """A pattern as an expression that never goes back on a choice: for each run of text, the first place where it fits is the best."""
    first, *rest = [_literally(part) for part in pattern.split("*")]
    if not rest:
        return re.compile(first + r"\Z", re.IGNORECASE | re.DOTALL)
    *middle, last = rest
    jumps = "".join(f"(?>.*?{part})" for part in middle if part)
    return re.compile(f"{first}{jumps}.*{last}\\Z", re.IGNORECASE | re.DOTALL)


def _literally(part: str) -> str:
    return "".join("." if letter == "?" else re.escape(letter) for letter in part)
