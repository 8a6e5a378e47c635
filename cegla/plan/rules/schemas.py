"""A planned event as JSON Schema (draft 2020-12), and back, as far as a plan can say it."""

from typing import Any, cast

from cegla.plan.rules.form import PlannedEvent, Property

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"date": "string", "time": "string"}
_FORMATS = {"date": "date", "time": "date-time"}


def to_schema(event: PlannedEvent) -> dict[str, Any]:
    """The schema of an event's properties (of traits for identify and group). Optional ones may be null, as they may be left out."""
    schema = _object(event.fields)
    return {"$schema": DIALECT, "title": event.name, **({"description": event.about.en or event.about.pl} if event.about else {}), **schema}


def _object(fields: dict[str, Property]) -> dict[str, Any]:
    required = [key for key, one in fields.items() if one.required]
    properties = {key: _property(one, may_be_null=not one.required) for key, one in fields.items()}
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), "additionalProperties": False}


def _property(one: Property, may_be_null: bool) -> dict[str, Any]:
    kind = _TYPES.get(one.type, one.type)
    schema: dict[str, Any] = _object(one.properties) if one.properties is not None else {}
    schema["type"] = [kind, "null"] if may_be_null else kind
    if one.type in _FORMATS:
        schema["format"] = _FORMATS[one.type]
    if one.enumeration is not None:
        schema["enum"] = [*one.enumeration, None] if may_be_null else list(one.enumeration)
    if one.items is not None:
        schema["items"] = _property(one.items, may_be_null=False)
    short, long = ("minItems", "maxItems") if one.type == "array" else ("minLength", "maxLength")
    words = one.about and (one.about.en or one.about.pl)
    more = {"pattern": one.pattern, "minimum": one.min, "maximum": one.max, short: one.min_length, long: one.max_length, "description": words,
        "x-unit": one.unit, "x-personal": None if one.personal == "none" else str(one.personal)}  # fmt: skip
    return schema | {key: value for key, value in more.items() if value is not None}


def from_schema(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """An event of a plan from a schema, as a person would write it. What a plan cannot say is left out; a union of types is refused.

    Raises ValueError with the place.
    """
    return {"name": name, "properties": _fields(schema, "")}


def _fields(schema: dict[str, Any], place: str) -> dict[str, Any]:
    required = set(cast("list[str]", schema.get("required", [])))
    properties = cast("dict[str, Any]", schema.get("properties", {}))
    return {key: _back(one, f"{place}/{key}") | ({"required": True} if key in required else {}) for key, one in properties.items()}


def _back(schema: Any, place: str) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise ValueError(place)
    one = cast("dict[str, Any]", schema)
    named = one.get("type")
    kinds = [kind for kind in (cast("list[Any]", named) if isinstance(named, list) else [named]) if kind != "null"]
    if len(kinds) != 1 or kinds[0] not in ("string", "integer", "number", "boolean", "object", "array"):
        raise ValueError(place)
    kind = {"date": "date", "date-time": "time"}.get(one.get("format", ""), "string") if kinds[0] == "string" else kinds[0]
    made: dict[str, Any] = {"type": kind}
    names = {"enum": "enumeration", "pattern": "pattern", "minimum": "min", "maximum": "max", "minLength": "min_length", "maxLength": "max_length",
        "minItems": "min_length", "maxItems": "max_length", "x-unit": "unit", "x-personal": "personal"}  # fmt: skip
    made |= {ours: one[theirs] for theirs, ours in names.items() if theirs in one}
    if "enumeration" in made:
        made["enumeration"] = [value for value in made["enumeration"] if value is not None]
    if "description" in one:
        made["about"] = {"en": str(one["description"])}
    if "items" in one:
        made["items"] = _back(one["items"], f"{place}[]")
    if "properties" in one:
        made["properties"] = _fields(one, place)
    return made
