"""A person: what is known and why, what they did, what they allowed, what they got. Personal data is masked until revealed,
and every reveal is in the audit log."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from starlette.responses import Response

from cegla.account import actions as account
from cegla.activate import actions as activate
from cegla.console.screens.names import short_name
from cegla.console.views import events, states, traits
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.vocabulary.errors import FieldMissing, NotFound
from cegla.vocabulary.people import person_label

AT_ONCE = 60


def show(visit: Visit) -> Response:
    """The card, masked."""
    return visit.page("person.html", _card(visit, reveal=False))


def reveal(visit: Visit) -> Response:
    """The card in clear, for this answer only; who looked, at whom and why is noted first."""
    person, why = visit.person(), visit.required("why")
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "person.reveal", person_label(person), {"why": why[:200]}, visit.now)
    return visit.page("person.html", _card(visit, reveal=True))


def show_timeline(visit: Visit) -> Response:
    """More of the timeline: events before a moment."""
    person = visit.person()
    return visit.page("person_timeline.html", {"person": person, **_timeline(visit, person)}, block="timeline")


def export(visit: Visit) -> Response:
    """Everything held on the person as one file."""
    person = visit.person()
    held = govern.export_everything(visit.ws, _identities(visit, person), visit.holders, visit.actor, visit.now)
    body = json.dumps({"person": person_label(person), "held": held}, ensure_ascii=False, indent=1, default=_plain)
    return Response(body, media_type="application/json", headers={"content-disposition": f'attachment; filename="{person_label(person)}.json"'})


def show_erase(visit: Visit) -> Response:
    """What an erasure would remove, before anybody does it."""
    person = visit.person()
    counted = govern.erase_everything(visit.ws, _identities(visit, person), visit.holders, visit.actor, visit.now, dry_run=True)
    return visit.page("person_erase.html", {"person": person, "counted": counted})


def erase(visit: Visit) -> Response:
    """Erase from every holder; the box must be ticked."""
    person = visit.person()
    if visit.field("sure") != "yes":
        raise FieldMissing(where="sure", field="sure")
    govern.erase_everything(visit.ws, _identities(visit, person), visit.holders, visit.actor, visit.now)
    return see_other("/people", done="erased")


def _identities(visit: Visit, person: int) -> list[int]:
    with visit.ws.transaction() as conn:
        known = resolve.identifiers_of(conn, [person]).get(person, [])
    if not known:
        raise NotFound(where=visit.path, seen=person_label(person), thing=person_label(person))
    return [one.identity_id for one in known]


def _card(visit: Visit, *, reveal: bool) -> dict[str, Any]:
    person, ws = visit.person(), visit.ws
    ids = _identities(visit, person)
    with ws.transaction() as conn:
        known = resolve.identifiers_of(conn, [person])[person]
        found = profile.profile_of(conn, ws.warehouse, person, ids, visit.now, ws.settings.zone)
        model = {
            "segments": segment.segments_of(conn, [person]).get(person, []),
            "accounts": account.accounts_of(conn, [person])[person],
            "decisions": govern.decisions_of(conn, ids),
            "messages": activate.messages_of(conn, people=ids),
        }
    cards = traits.cards(found.traits, visit.tongue, reveal=reveal)
    computed = [card for card in cards if not card.declared]
    shown = {"person": person, "revealed": reveal, "name": short_name(known, reveal=reveal), "known": known, "purposes": govern.PURPOSES}
    words = {"states": states.DECISIONS, "outcomes": states.OUTCOMES, "links": states.LINKS, "kinds": states.IDENTIFIERS}
    words |= {"channels": states.CHANNELS, "told": states.DECLARED}
    split = {"computed": computed, "unknown": [card for card in computed if not card.shown], "declared": [card for card in cards if card.declared]}
    return {**shown, **words, **split, **_timeline(visit, person), **model}


def _timeline(visit: Visit, person: int) -> dict[str, Any]:
    before = _before(visit.query.get("before", ""))
    found: Sequence[Any] = profile.timeline(visit.ws.warehouse, person, before, AT_ONCE + 1)
    last = found[AT_ONCE - 1] if len(found) > AT_ONCE else None
    more = f"{last.occurred_at.timestamp():.6f}-{last.event_id}" if last else ""
    return {"days": events.by_day([events.line(one) for one in found[:AT_ONCE]], visit.tongue.zone), "more": more}


def _before(text: str) -> tuple[datetime, int] | None:
    """The place in the timeline that an address names."""
    moment, _, event_id = text.partition("-")
    try:
        return datetime.fromtimestamp(float(moment), UTC), int(event_id)
    except (ValueError, OverflowError):
        return None


def _plain(value: object) -> object:
    """Times and bytes as text, for the file."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
