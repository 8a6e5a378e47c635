"""What events of a sample hold: types, values and gaps of every property; and the plan that follows from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from cegla.plan.rules.form import EMPTY, MOST_EVENTS, MOST_PROPERTIES, NAMES, Mode, PersonalData, Plan, PlannedEvent, Property
from cegla.plan.rules.personal import guess, shown
from cegla.plan.rules.validator import is_date, is_time, json_type
from cegla.vocabulary.events import Event

ALWAYS = 0.999  #: present at least as often: required
FEW_VALUES = 12
FEWEST_FOR_A_LIST = 60  #: values seen before a short list of them is taken for all there are
FEWEST_FOR_REQUIRED = 20
MOST_VALUES = 1_000
DEEPEST = 4


@dataclass
class Field:
    """What was seen of one property. Counts are events, or elements of a list."""

    count: int = 0
    nulls: int = 0
    types: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)
    least: float | None = None
    most: float | None = None
    inner: "Fields | None" = None
    items: "Field | None" = None

    def add(self, value: Any, depth: int) -> None:
        """See one value."""
        self.count += 1
        kind = _type_of(value)
        self.types[kind] += 1
        if value is None:
            self.nulls += 1
        elif isinstance(value, dict):
            if depth < DEEPEST:
                self.inner = self.inner or Fields()
                self.inner.add(cast("dict[str, Any]", value), depth + 1)
        elif isinstance(value, list):
            for one in cast("list[Any]", value)[:50] if depth < DEEPEST else ():
                self.items = self.items or Field()
                self.items.add(one, depth + 1)
        else:
            self._note(value)

    def _note(self, value: Any) -> None:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            self.least = value if self.least is None else min(self.least, value)
            self.most = value if self.most is None else max(self.most, value)
        text = str(value).lower() if isinstance(value, bool) else str(value)[:200]
        if text in self.values or len(self.values) < MOST_VALUES:
            self.values[text] += 1

    def type(self) -> str:
        """The planned type that most values have."""
        seen = self.types.copy()
        del seen["null"]
        if seen["integer"] and seen["number"]:
            seen["number"] += seen.pop("integer")
        if (seen["date"] or seen["time"]) and seen["string"]:
            seen["string"] += seen.pop("date") + seen.pop("time")
        return seen.most_common(1)[0][0] if seen else "string"

    def personal(self, name: str) -> PersonalData:
        """The class it probably has."""
        return guess(name, (value for value in self.values if not value.replace(".", "").isdigit() or len(value) == 11))

    def as_property(self, name: str, of: int) -> Property:
        """What a plan would say of it, when `of` events could have had it."""
        kind, personal = self.type(), self.personal(name)
        made: dict[str, Any] = {"type": kind, "personal": personal}
        if of >= FEWEST_FOR_REQUIRED and (self.count - self.nulls) / of >= ALWAYS:
            made["required"] = True
        if kind == "string" and personal is PersonalData.NONE and (values := self._few_values()):
            made["enumeration"] = values
        if kind == "object" and self.inner and personal is PersonalData.NONE:
            made["properties"] = self.inner.as_properties()
        if kind == "array" and self.items and self.items.count > self.items.nulls:
            made["items"] = self.items.as_property(name, 0)
        return Property.model_validate(made)

    def _few_values(self) -> list[str]:
        total = sum(self.values.values())
        if not 1 < len(self.values) <= FEW_VALUES or total < FEWEST_FOR_A_LIST or min(self.values.values()) < 2:
            return []
        return sorted(self.values) if max(map(len, self.values)) <= 40 else []


@dataclass
class Fields:
    """What was seen of an object."""

    count: int = 0
    fields: dict[str, Field] = field(default_factory=dict)

    def add(self, value: dict[str, Any], depth: int = 0) -> None:
        """See one object."""
        self.count += 1
        for key, one in value.items():
            known = self.fields.get(key)
            if known is None:
                if len(self.fields) >= MOST_PROPERTIES:
                    continue
                known = self.fields[key] = Field()
            known.add(one, depth)

    def as_properties(self) -> dict[str, Property]:
        """What a plan would say of it: what is there most often comes first."""
        ordered = sorted(self.fields.items(), key=lambda row: (-row[1].count, row[0]))
        return {key: one.as_property(key, self.count) for key, one in ordered}


@dataclass(frozen=True)
class Observed:
    """One property as it is shown: shares are of the events seen; values are masked where they are personal."""

    path: str
    types: tuple[tuple[str, int], ...]
    present: float
    null: float
    top: tuple[tuple[str, int], ...]
    personal: PersonalData


def observe(events: Iterable[Event]) -> dict[str, Fields]:
    """What the events of each name hold; calls of alias hold nothing."""
    found: dict[str, Fields] = {}
    for event in events:
        if event.kind != "alias":
            found.setdefault(event.name, Fields()).add(event.traits if event.kind in ("identify", "group") else event.properties)
    return found


def rows(fields: Fields, prefix: str = "") -> list[Observed]:
    """Every property of an event, those inside objects after them."""
    listed: list[Observed] = []
    for key, one in sorted(fields.fields.items(), key=lambda row: (-row[1].count, row[0])):
        personal = one.personal(key)
        top = tuple((str(shown(value, key)), count) for value, count in one.values.most_common(5))
        listed.append(Observed(prefix + key, tuple(one.types.most_common()), one.count / fields.count, one.nulls / fields.count, top, personal))
        if one.inner:
            listed += rows(one.inner, f"{prefix}{key}.")
        if one.items and one.items.inner:
            listed += rows(one.items.inner, f"{prefix}{key}[].")
    return listed


def planned_event(name: str, fields: Fields) -> PlannedEvent:
    """The event of a plan that fits what was seen."""
    kind = next((kind for kind, fixed in NAMES.items() if fixed == name), "track")
    place = "traits" if kind in ("identify", "group") else "properties"
    return PlannedEvent.model_validate({"name": name, "type": kind, place: fields.as_properties()})


def inferred(seen: dict[str, Fields], title: str) -> tuple[Plan, dict[str, str]]:
    """The plan that fits what was seen, most frequent events first and no more than a plan may have, and a comment for each with the counts."""
    ordered = sorted(seen.items(), key=lambda row: (-row[1].count, row[0]))[:MOST_EVENTS]
    comments = {name: _comment(fields) for name, fields in ordered}
    events = tuple(planned_event(name, fields) for name, fields in ordered)
    return EMPTY.model_copy(update={"title": title, "mode": Mode.WARN, "events": events}), comments


def based_on(sample: Sequence[Event], most_requests: int) -> str:
    """A comment that says on how much a proposal rests, and over what time that was spread."""
    if not sample:
        return "# nothing of this source is kept: there is nothing to infer from\n"
    first, last = (f"{moment(event.received_at for event in sample):%Y-%m-%d %H:%M}" for moment in (min, max))
    return f"# inferred from {len(sample)} events that came between {first} and {last} UTC, of at most {most_requests} requests spread over that time\n"


def _comment(fields: Fields) -> str:
    lines = [f"seen {fields.count} times"]
    for key, one in sorted(fields.fields.items(), key=lambda row: (-row[1].count, row[0])):
        kinds = ", ".join(f"{kind} {count}" for kind, count in one.types.most_common())
        lines.append(f"{_on_one_line(key)}: in {one.count} of {fields.count} ({kinds})")
    return "\n".join(lines)


def _on_one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:100]


def _type_of(value: Any) -> str:
    kind = json_type(value)
    if kind == "string":
        return "date" if is_date(value) else "time" if is_time(value) else "string"
    return "integer" if kind == "number" and isinstance(value, int) else kind
