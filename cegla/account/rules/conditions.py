"""Conditions on an account, such as {"property": "industry", "is": "retail"} or {"field": "revenue", "over": 10000}.

A property is a trait that group calls told; a field is what the people of the account, and of those below it, come to. The
comparisons are those of the segment language (docs/reference/segments.md): what is not known compares to nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from cegla.vocabulary.money import from_micros

SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Figures:
    """What the people of an account come to, with all accounts below it. Money in micros; `engagement` 0 to 100, None when nobody's is known."""

    people: int = 0
    orders: int = 0
    revenue_micros: int = 0
    last_seen_at: datetime | None = None
    engagement: float | None = None


@dataclass(frozen=True)
class Facts:
    """All that a condition may ask about an account."""

    key: str
    traits: Mapping[str, Any] = field(default_factory=dict[str, Any])
    figures: Figures = field(default_factory=Figures)


def meets(facts: Facts, conditions: Sequence[Mapping[str, Any]], now: datetime) -> bool:
    """Whether an account meets every condition."""
    return all(_passes(facts, one, now) for one in conditions)


def _passes(facts: Facts, condition: Mapping[str, Any], now: datetime) -> bool:
    known = _text(facts.traits.get(condition["property"])) if "property" in condition else _field(facts, condition["field"], now)
    compare, wanted = next((key, value) for key, value in condition.items() if key not in ("property", "field"))
    return _holds(compare, known, wanted)


def _field(facts: Facts, name: str, now: datetime) -> str | None:
    figures = facts.figures
    match name:
        case "account":
            return facts.key
        case "people":
            return str(figures.people)
        case "orders":
            return str(figures.orders)
        case "revenue":
            return str(from_micros(figures.revenue_micros))
        case "engagement":
            return None if figures.engagement is None else str(figures.engagement)
        case "silent_days":
            return None if figures.last_seen_at is None else str((now - figures.last_seen_at).total_seconds() / SECONDS_A_DAY)
        case _:
            return None


def _text(value: Any) -> str | None:
    """A trait as the segment language compares it: "red", "2.5", "true"; lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return msgspec.json.encode(value).decode() if isinstance(value, (list, dict)) else str(value)


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _same(known: str, wanted: Any) -> bool:
    if isinstance(wanted, bool):
        return known == ("true" if wanted else "false")
    return known == wanted if isinstance(wanted, str) else _number(known) == float(wanted)


def _holds(compare: str, known: str | None, wanted: Any) -> bool:
    if compare == "known":
        return (known is not None) == wanted
    if known is None:
        return False
    match compare:
        case "is":
            return _same(known, wanted)
        case "is_not":
            return not _same(known, wanted) and (isinstance(wanted, (str, bool)) or _number(known) is not None)
        case "in":
            return any(_same(known, one) for one in wanted)
        case "contains":
            return wanted.lower() in known.lower()
        case "starts_with":
            return known.lower().startswith(wanted.lower())
        case _:
            value = _number(known)
            return value is not None and (value > wanted if compare == "over" else value < wanted)
