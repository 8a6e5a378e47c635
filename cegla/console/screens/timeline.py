"""A person's timeline on a page of its own: by kind, event, source and dates, a page at a time, under its days."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.screens.links import source_names
from cegla.console.views import events, states
from cegla.console.visit import Visit
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.events import KINDS
from cegla.vocabulary.people import person_label

AT_ONCE = 60
MOST_NAMES = 200
FILTERS = ("kind", "name", "source", "since", "until")


def show(visit: Visit) -> Response:
    """The events wanted, newest first; without a filter all of them."""
    person = visit.person()
    with visit.ws.transaction() as conn:
        if resolve.reach.owners(conn, [person]).get(person) is None:
            raise NotFound(where=visit.path, seen=person_label(person), thing=person_label(person))
        sources = source_names(conn)
    known = profile.past.kinds_of_events(visit.ws.warehouse, person)
    chosen = {name: visit.query.get(name, "") for name in FILTERS}
    model = {"person": person, "chosen": chosen, "whole": sum(number for *_, number in known), **_choices(visit, known, sources)}
    return visit.page("person_timeline.html", {**model, **page(visit, person, chosen)}, block="timeline")


def page(visit: Visit, person: int, chosen: dict[str, str]) -> dict[str, Any]:
    """One page of a timeline and the address of the next; `chosen` are the filters as typed, blank or unreadable ones count as open."""
    wanted = _wanted(visit, chosen)
    found: Sequence[Any] = profile.past.timeline(visit.ws.warehouse, person, visit.asked_place("before"), AT_ONCE + 1, wanted)
    last = found[AT_ONCE - 1] if len(found) > AT_ONCE else None
    asked = {name: value for name, value in chosen.items() if value}
    more = urlencode({**asked, "before": f"{last.occurred_at.timestamp():.6f}-{last.event_id}"}) if last else ""
    return {"days": events.by_day([events.line(one) for one in found[:AT_ONCE]], visit.tongue.zone), "more": more}


def _choices(visit: Visit, known: list[tuple[str, str, int, int]], sources: dict[int, str]) -> dict[str, Any]:
    """What the filters offer: only what this person's events are."""
    names: dict[str, int] = {}
    for _, name, _, number in known:
        names[name] = names.get(name, 0) + number
    say, number = visit.tongue.say, visit.tongue.number
    frequent = sorted(names.items(), key=lambda row: -row[1])[:MOST_NAMES]
    return {
        "kinds": [(kind, visit.tongue.text(states.KINDS[kind])) for kind in KINDS if any(kind == row[0] for row in known)],
        "names": [(name, f"{say(events.event_name(name))} ({number(count)})") for name, count in frequent],
        "sources": [(str(key), sources.get(key, "–")) for key in sorted({source for _, _, source, _ in known})],
    }


def _wanted(visit: Visit, chosen: dict[str, str]) -> profile.past.Wanted:
    source, until = chosen.get("source", ""), _midnight(visit, chosen.get("until", ""), 1)
    known_source = whole(source, MOST_OF_INTEGER)
    return profile.past.Wanted(chosen.get("kind") or None, chosen.get("name") or None, known_source, _midnight(visit, chosen.get("since", "")), until)


def _midnight(visit: Visit, text: str, days_later: int = 0) -> datetime | None:
    """The beginning of a day in the shop's zone, or of one after it."""
    try:
        return datetime.combine(date.fromisoformat(text) + timedelta(days=days_later), time(), visit.tongue.zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
