"""What every campaign's form has, whatever its channel: who gets it, how often, when, and the variants it compares; read into a draft and back."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cegla.activate import actions as activate
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.vocabulary.errors.intake import FieldMissing

COMMON = ("name", "segment_id", "purpose", "sender", "cap", "holdout_percent", "messages_per_minute", "priority", "offer", "offer_days", "goal")
WHEN = ("send_at", "clock", "test_percent", "test_hours")
NUMBERS = ("segment_id", "cap", "holdout_percent", "messages_per_minute", "priority", "offer_days", "test_percent", "test_hours")
USUAL = {"cap": "2", "holdout_percent": "5", "priority": "5", "offer_days": "30", "test_percent": "0", "test_hours": "24", "purpose": "marketing"}
PARTS: Mapping[str, tuple[str, ...]] = {"email": ("subject", "mjml"), "sms": ("text",), "push": ("subject", "text")}  #: what a variant says of its own


def names_of(channel: str) -> list[str]:
    """The fields of a channel's form but for the channel's own."""
    return [*COMMON, *WHEN, *PARTS[channel], *(f"{part}_{key.lower()}" for key in activate.VARIANT_KEYS for part in (*PARTS[channel], "share"))]


def values_of(found: activate.Campaign) -> dict[str, str]:
    """A campaign as its form shows it."""
    values = {name: "" if getattr(found, name) is None else str(getattr(found, name)) for name in (*COMMON, *WHEN, *PARTS[found.channel])}
    values["send_at"] = found.send_at.isoformat(timespec="minutes") if found.send_at else ""
    for one in found.variants:
        values |= {f"{part}_{one.key.lower()}": getattr(one, part) for part in PARTS[found.channel]} | {f"share_{one.key.lower()}": str(one.share)}
    return values


def shown_variants(values: Mapping[str, str], channel: str) -> list[str]:
    """The variants that a form has rows for: those that say something, and one more."""
    used = [key for key in activate.VARIANT_KEYS if any(values.get(f"{part}_{key.lower()}") for part in PARTS[channel])]
    return [key.lower() for key in activate.VARIANT_KEYS[: 1 + (activate.VARIANT_KEYS.index(used[-1]) + 1 if used else 0)]]


def typed(values: Mapping[str, str], channel: str, number: int) -> dict[str, Any]:
    """The form as the action takes it: numbers as numbers, what is empty left out, variants in their order. Raises FieldMissing."""
    made: dict[str, Any] = {name: values[name] for name in (*COMMON, *WHEN, *PARTS[channel]) if values.get(name)}
    made |= {name: _number(name, made[name]) for name in NUMBERS if name in made}
    if "send_at" in made:
        made["send_at"] = _moment(made["send_at"])
    if "segment_id" not in made:
        raise FieldMissing(where="segment_id", field="segment_id")
    said = [
        {part: values.get(f"{part}_{key.lower()}", "") for part in PARTS[channel]} | {"share": _number("share", values.get(f"share_{key.lower()}") or "1")}
        for key in activate.VARIANT_KEYS
    ]
    others = [one for one in said if any(one[part] for part in PARTS[channel])]
    made["variants"] = [{"key": key, **one} for key, one in zip(activate.VARIANT_KEYS, others, strict=False)]
    return made | {"channel": channel} | ({"id": number} if number else {})


def read(field: Callable[[str], str], names: list[str]) -> tuple[int, dict[str, str]]:
    """The number of the campaign that a form is about (0: a new one), and what was typed."""
    return (whole(field("id")) or 0), {name: field(name) for name in names}


def _number(name: str, text: str) -> int:
    if (number := whole(text, MOST_OF_INTEGER)) is None:
        raise FieldMissing(where=name, seen=text, field=name)
    return number


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise FieldMissing(where="send_at", seen=text, field="send_at") from None
