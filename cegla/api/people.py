"""People: list, search, look up, profile, timeline, export, erase. Identifiers are masked unless the caller may and asks to see them."""

from typing import Annotated, Any

from fastapi import Query

from cegla.account import actions as account
from cegla.api.accounts import belonging_shape
from cegla.api.call import Call, Opened, not_found, person_number, timeline_place
from cegla.api.plain import plain
from cegla.api.profiles import LOOKS
from cegla.api.shapes import After, Correction, Erase, Limit, LookUp, Search
from cegla.defining import correct as correct_trait
from cegla.defining import take_correction_back
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.identifiers import Identifier, normalized
from cegla.vocabulary.masking import masked
from cegla.vocabulary.people import person_label

Reveal = Annotated[bool, Query(description="show identifiers in clear; needs people.reveal and is written to the audit log")]


def listed(call: Opened, after: After = 0, limit: Limit = 50) -> Any:
    """People in the order in which they were first seen."""
    return _page(call, "", after, limit)


def search(call: Opened, body: Search) -> Any:
    """People whose number or identifier fits the text; diacritics do not matter."""
    return _page(call, body.text, body.after, body.limit)


def look_up(call: Opened, body: LookUp) -> Any:
    """The person who holds exactly this identifier. Raises NotFound."""
    with call.ws.transaction() as conn:
        rules = current_rules(conn)
        types = [body.type] if body.type else list(rules.by_key)
        wanted = [Identifier(key, value) for key in types if (value := normalized(key, body.value, rules)) is not None]
        found = next((person for person in resolve.look_up(conn, wanted) if person is not None), None)
    if found is None:
        raise NotFound(where="value", seen=masked(body.value), thing=masked(body.value))
    return {"person": person_label(found)}


def shown(call: Opened, person: str, reveal: Reveal = False) -> Any:
    """Everything known about a person: identifiers, traits with the reason for each, segments, decisions on consent."""
    if reveal and not call.may("people.reveal"):
        raise NotPermitted(where="reveal", permission="people.reveal")
    with call.ws.transaction() as conn:
        number, known = _known(conn, person)
        ids = [one.identity_id for one in known]
        if reveal:
            govern.note(conn, call.caller.name, "person.reveal", person_label(number), {"identifiers": len(known)}, call.now)
        return {
            "person": person_label(number),
            "identifiers": [_identifier(one, reveal) for one in known],
            "traits": profile.profile_of(conn, call.ws.warehouse, number, ids, call.now, call.ws.settings.zone).traits,
            "segments": segment.segments_of(conn, [number]).get(number, []),
            "accounts": [belonging_shape(one) for one in account.accounts_of(conn, [number])[number]],
            "decisions": govern.decisions_of(conn, ids),
        }


def timeline(call: Opened, person: str, before: str = "", limit: Limit = 50) -> Any:
    """What the person did, newest first; `before` is the `next_before` of the page before."""
    with call.ws.transaction() as conn:
        number, _ = _known(conn, person)
    events = profile.past.timeline(call.ws.warehouse, number, timeline_place(before), limit)
    last = events[-1] if len(events) == limit else None
    return {"person": person_label(number), "events": events, "next_before": last and f"{plain(last.occurred_at)}_{last.event_id}"}


def correct(call: Opened, person: str, body: Correction) -> Any:
    """Write down what the person had corrected (GDPR art. 16): it counts more than any source; or take such a correction back."""
    with call.ws.transaction() as conn:
        number, _ = _known(conn, person)
    if body.take_back:
        take_correction_back(call.ws, number, body.trait, call.caller.name)
    else:
        correct_trait(call.ws, number, body.trait, body.value, call.caller.name)
    return {"person": person_label(number), "trait": body.trait}


def export(call: Opened, person: str) -> Any:
    """Everything held on the person, by holder (GDPR art. 15 and 20). The audit log remembers it."""
    number, ids = _identity_ids(call, person)
    return {"person": person_label(number), "held": govern.export_everything(call.ws, ids, call.holders, call.caller.name, call.now)}


def erase(call: Opened, person: str, body: Erase) -> Any:
    """Erase the person everywhere (GDPR art. 17); with `dry_run`, which is the default, only say how many rows would go."""
    number, ids = _identity_ids(call, person)
    done = govern.erase_everything(call.ws, ids, call.holders, call.caller.name, call.now, dry_run=body.dry_run)
    return {"person": person_label(number), "rows": done.rows, "addresses_suppressed": done.addresses, "dry_run": done.dry_run}


def _page(call: Call, text: str, after: int, limit: int) -> Any:
    with call.ws.transaction() as conn:
        rows = resolve.find(conn, text, after, limit)
    return {"people": [_row(row) for row in rows], "next_after": rows[-1].id if len(rows) == limit else None}


def _row(row: resolve.PersonRow) -> dict[str, Any]:
    return {"person": person_label(row.id), "first_seen_at": row.first_seen_at, "identifiers": [_identifier(one, reveal=False) for one in row.identifiers]}


def _identifier(one: Identifier | resolve.KnownIdentifier, reveal: bool) -> dict[str, Any]:
    """An identifier as JSON, its value masked unless revealed."""
    shape: dict[str, Any] = plain(one)
    return shape if reveal else shape | {"value": masked(shape["value"], shape["type"])}


def _known(conn: Connection, label: str) -> tuple[int, list[resolve.KnownIdentifier]]:
    """The person a label means today, with the identifiers: p12 may have been joined into p3 since it was written down, or just while being looked for."""
    number = person_number(label)
    for _ in range(LOOKS):
        person = resolve.reach.owners(conn, [number]).get(number)
        if person is not None and (known := resolve.identifiers_of(conn, [person]).get(person)):
            return person, known
    raise not_found("person", number)


def _identity_ids(call: Call, person: str) -> tuple[int, list[int]]:
    with call.ws.transaction() as conn:
        number, known = _known(conn, person)
    return number, [one.identity_id for one in known]
