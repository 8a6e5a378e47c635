"""A batch of events against the plans of their sources: what passes, what is marked or thinned out, what is set aside, what is counted."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec

from cegla.plan.rules.form import Mode
from cegla.plan.rules.validator import Compiled, Found, Ready, Taking, Violation, pruned, violations
from cegla.vocabulary.events import Event, Reason

MOST_KEYS = 1_000  #: different violations counted in one batch; the rest count under `REST`
LONGEST_KEY = 200
REST = "…"
_DIVIDES = re.compile(r'[,:;"]').search

Key = tuple[int, str, str, Violation]  #: source, event, path, kind


@dataclass
class Tally:
    """How often one violation came in a batch, how many of those events were set aside, and the JSON type that stood there last."""

    count: int = 0
    blocked: int = 0
    seen: str = ""


@dataclass
class Matched:
    """What became of a batch. `refused` are (event, reason, detail); `apart` are values taken out of events."""

    events: list[Event] = field(default_factory=list)
    refused: list[tuple[Event, Reason, str]] = field(default_factory=list)
    apart: list[tuple[Event, dict[str, Any]]] = field(default_factory=list)
    tallies: dict[Key, Tally] = field(default_factory=dict)

    def count(self, event: Event, found: Found, blocked: bool) -> None:
        """Count one violation."""
        key = (event.source_id, event.name[:LONGEST_KEY], found.path[:LONGEST_KEY], found.kind)
        tally = self.tallies.get(key)
        if tally is None:
            if len(self.tallies) >= MOST_KEYS:
                key = (event.source_id, REST, REST, found.kind)
            tally = self.tallies.setdefault(key, Tally())
        tally.count += 1
        tally.blocked += blocked
        tally.seen = found.seen


def match(events: Sequence[Event], plans: Mapping[int, Ready]) -> Matched:
    """Check each event of a source that has a plan. Calls of alias are no events of a plan."""
    matched = Matched()
    keep = matched.events.append
    for event in events:
        ready = plans.get(event.source_id)
        if ready is None or event.kind == "alias":
            keep(event)
            continue
        planned = ready.newest.get(event.name)
        if planned is None:
            _unplanned(event, ready, matched)
            continue
        if "protocols" in event.context and (version := _version(event)) is not None:
            planned = ready.versions.get((event.name, version), planned)
            if planned.event.version != version:
                _broken(event, planned, [Found("context.protocols.event_version", Violation.UNKNOWN_VERSION, "number")], matched)
                continue
        if planned.event.refused:
            matched.count(event, Found("", Violation.UNPLANNED_EVENT, ""), blocked=True)
            matched.refused.append((event, Reason.UNPLANNED_EVENT, f"{event.name[:LONGEST_KEY]} is refused by the tracking plan"))
            continue
        fields = event.properties if event.kind not in ("identify", "group") else event.traits
        if planned.is_clean(fields):
            keep(event if not planned.personal else _thinned(event, planned, Taking(False, False, True), matched))
        else:
            _broken(event, planned, violations(fields, planned), matched)
    return matched


def _version(event: Event) -> int | None:
    protocols = event.context["protocols"]
    version = cast("dict[str, Any]", protocols).get("event_version") if isinstance(protocols, dict) else None
    if isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 6:
        return int(version)
    return version if type(version) is int else None


def _unplanned(event: Event, ready: Ready, matched: Matched) -> None:
    found = Found("", Violation.UNPLANNED_EVENT, "")
    mode = ready.unplanned_events
    matched.count(event, found, mode is Mode.BLOCK)
    if mode is Mode.BLOCK:
        matched.refused.append((event, Reason.UNPLANNED_EVENT, f"{event.name[:LONGEST_KEY]} is not in the tracking plan"))
    else:
        matched.events.append(event if mode is Mode.ALLOW else _marked(event, [found], {}))


def _broken(event: Event, planned: Compiled, found: list[Found], matched: Matched) -> None:
    """An event that is planned, and perhaps not as it is."""
    strange = any(one.kind is Violation.UNPLANNED_PROPERTY for one in found)
    wrong = any(one.kind is not Violation.UNPLANNED_PROPERTY for one in found)
    blocked = (strange and planned.unplanned is Mode.BLOCK) or (wrong and planned.mode is Mode.BLOCK)
    for one in found:
        matched.count(event, one, blocked)
    if blocked:
        matched.refused.append((event, Reason.PLAN_VIOLATION, _in_words(found)))
        return
    known = found[0].kind is not Violation.UNKNOWN_VERSION
    taking = Taking(strange and planned.unplanned is Mode.OMIT, known and wrong and planned.mode is Mode.OMIT, planned.personal)
    loud = (strange and planned.unplanned is not Mode.ALLOW) or (wrong and planned.mode is not Mode.ALLOW)
    if any(taking):
        event = _thinned(event, planned, taking, matched)
    matched.events.append(_marked(event, found, {}) if loud else event)


def _in_words(found: list[Found]) -> str:
    """What broke the plan, in a sentence that repair/rules/details.py reads back."""
    told = ", ".join(f"{_path(one.path)}: {one.kind}" + (f" ({one.seen})" if one.seen else "") for one in found[:3])
    return told + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _path(path: str) -> str:
    """A path in a sentence: in quotation marks when its own signs would divide the sentence."""
    short = path[:LONGEST_KEY]
    return json.dumps(short, ensure_ascii=False) if _DIVIDES(short) else short


def _thinned(event: Event, planned: Compiled, taking: Taking, matched: Matched) -> Event:
    """The event without what is taken out of it; that is kept apart, whole."""
    person = event.kind in ("identify", "group")
    stays, out = pruned(event.traits if person else event.properties, planned.fields, taking)
    if not out:
        return event
    matched.apart.append((event, out))
    thin = msgspec.structs.replace(event, traits=stays) if person else msgspec.structs.replace(event, properties=stays)
    return _marked(thin, [], out)


def _marked(event: Event, found: list[Found], out: dict[str, Any]) -> Event:
    """The event with what the plan says of it in `context.protocols`."""
    known = event.context.get("protocols")
    protocols: dict[str, Any] = dict(cast("dict[str, Any]", known)) if isinstance(known, dict) else {}
    if found:
        protocols["violations"] = [{"path": one.path, "kind": str(one.kind)} for one in found]
    if out:
        protocols["omitted"] = out
    return msgspec.structs.replace(event, context={**event.context, "protocols": protocols})


def without(event: Event, out: dict[str, Any]) -> Event:
    """An event without what was taken out of it once (see `validator.pruned`)."""
    if event.kind in ("identify", "group"):
        return msgspec.structs.replace(event, traits=_without(event.traits, out))
    return msgspec.structs.replace(event, properties=_without(event.properties, out))


def _without(value: dict[str, Any], out: dict[str, Any]) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for key, one in value.items():
        gone = out.get(key, _LEFT)
        if gone is _LEFT:
            left[key] = one
        elif one != gone and isinstance(gone, dict):
            parts = cast("dict[str, Any]", gone)
            if isinstance(one, dict):
                left[key] = _without(cast("dict[str, Any]", one), parts)
            elif isinstance(one, list):
                rows = _without({str(index): row for index, row in enumerate(cast("list[Any]", one))}, parts)
                left[key] = list(rows.values())
    return left


_LEFT: Any = object()
