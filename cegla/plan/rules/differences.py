"""What differs between two plans, in words, and which differences break senders that were right before."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cegla.plan.rules.form import EMPTY, Mode, Plan, PlannedEvent, Property
from cegla.vocabulary.text import Text


@dataclass(frozen=True)
class Difference:
    """One difference. `breaking`: an event that was as planned may not be so any more."""

    where: str
    what: Text
    breaking: bool


_WIDER = {("integer", "number"), ("date", "string"), ("time", "string")}  #: the second holds every value of the first
ADDED, REMOVED = Text("dodano", "added"), Text("usunięto", "removed")


def differences(old: Plan, new: Plan) -> list[Difference]:
    """Every difference, in the order of the new plan, what is gone last."""
    return list(_plan(old, new))


def first_differences(new: Plan) -> list[Difference]:
    """What the first plan of a source says. Nothing is broken by it: until now there was nothing to be as planned."""
    return [replace(one, breaking=False) for one in differences(EMPTY, new)]


def _plan(old: Plan, new: Plan) -> Iterator[Difference]:
    yield from _changed("", "title", old.title, new.title, breaking=False)
    yield from _changed("", "mode", old.mode, new.mode, _is_stricter(old.mode, new.mode))
    yield from _changed("", "unplanned_events", old.unplanned_events, new.unplanned_events, _is_stricter(old.mode_of_unplanned, new.mode_of_unplanned))
    strange = [plan.unplanned_properties or plan.mode for plan in (old, new)]
    yield from _changed("", "unplanned_properties", old.unplanned_properties, new.unplanned_properties, _is_stricter(*strange))
    before = {(event.name, event.version): event for event in old.events}
    after = {(event.name, event.version): event for event in new.events}
    for key, event in after.items():
        if key in before:
            yield from _event(old, new, before[key], event)
        else:
            newer = old.newest(event.name)
            yield Difference(_place(event), ADDED, newer is not None and newer.version < event.version)
    for key, event in before.items():
        if key not in after:
            yield Difference(_place(event), REMOVED, breaking=True)


def _event(before: Plan, after: Plan, old: PlannedEvent, new: PlannedEvent) -> Iterator[Difference]:
    place = _place(new)
    yield from _changed(place, "type", old.type, new.type, breaking=True)
    yield from _changed(place, "mode", old.mode, new.mode, _is_stricter(before.mode_of(old), after.mode_of(new)))
    strange = (before.unplanned_properties_of(old), after.unplanned_properties_of(new))
    yield from _changed(place, "unplanned_properties", old.unplanned_properties, new.unplanned_properties, _is_stricter(*strange))
    yield from _changed(place, "refused", old.refused, new.refused, new.refused)
    for name in ("label", "about"):
        yield from _changed(place, name, _words(getattr(old, name)), _words(getattr(new, name)), breaking=False)
    yield from _properties(place, old.properties, new.properties)
    yield from _properties(f"{place} traits", old.traits, new.traits)


def _properties(place: str, old: dict[str, Property], new: dict[str, Property]) -> Iterator[Difference]:
    for key, one in new.items():
        if key not in old:
            words = Text("dodano jako wymaganą", "added as required") if one.required else ADDED
            yield Difference(f"{place}.{key}", words, one.required)
        else:
            yield from _property(f"{place}.{key}", old[key], one)
    for key in old:
        if key not in new:
            yield Difference(f"{place}.{key}", REMOVED, breaking=True)


def _property(place: str, old: Property, new: Property) -> Iterator[Difference]:
    yield from _changed(place, "type", old.type, new.type, (old.type, new.type) not in _WIDER)
    yield from _changed(place, "required", old.required, new.required, new.required)
    gone = set(old.enumeration or ()) - set(new.enumeration or ())
    yield from _changed(place, "enumeration", old.enumeration, new.enumeration, new.enumeration is not None and (old.enumeration is None or bool(gone)))
    yield from _changed(place, "pattern", old.pattern, new.pattern, new.pattern is not None)
    for name in ("min", "min_length"):
        low, lower = getattr(old, name), getattr(new, name)
        yield from _changed(place, name, low, lower, lower is not None and (low is None or lower > low))
    for name in ("max", "max_length"):
        high, higher = getattr(old, name), getattr(new, name)
        yield from _changed(place, name, high, higher, higher is not None and (high is None or higher < high))
    yield from _changed(place, "unit", old.unit, new.unit, old.unit is not None)
    yield from _changed(place, "personal", old.personal, new.personal, breaking=False)
    yield from _changed(place, "about", _words(old.about), _words(new.about), breaking=False)
    if old.items is not None and new.items is not None:
        yield from _property(f"{place}[]", old.items, new.items)
    else:
        yield from _changed(place, "items", old.items and old.items.type, new.items and new.items.type, new.items is not None)
    if old.properties is not None and new.properties is not None:
        yield from _properties(place, old.properties, new.properties)
    elif old.properties != new.properties:
        yield Difference(place, Text("zmieniono properties", "properties changed"), new.properties is not None)


def _changed(place: str, name: str, old: object, new: object, breaking: bool) -> Iterator[Difference]:
    if old != new:
        was, now = _shown(old), _shown(new)
        yield Difference(place, Text(f"{name}: {was} → {now}", f"{name}: {was} → {now}"), breaking)


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value[:12])) + (", …]" if len(value) > 12 else "]")
    return "–" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _words(value: object) -> str | None:
    return None if value is None else " / ".join(filter(None, (getattr(value, "pl", ""), getattr(value, "en", ""))))


def _is_stricter(old: Mode, new: Mode) -> bool:
    """Of modes as they work out: what a plan or an event leaves unsaid is said by what stands above it."""
    order = list(Mode)
    return order.index(new) > order.index(old)


def _place(event: PlannedEvent) -> str:
    return event.name if event.version == 1 else f"{event.name} ({event.version})"
