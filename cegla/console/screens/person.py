"""A person: what is known and why, what they did, what they allowed, what they got. Personal data is masked until revealed,
and every reveal is in the audit log."""

import json
from datetime import date, datetime
from typing import Any

from starlette.responses import Response

from cegla.account import actions as account
from cegla.activate import actions as activate
from cegla.console.screens import timeline
from cegla.console.screens.links import source_names
from cegla.console.screens.names import short_name
from cegla.console.views import states, traits
from cegla.console.views.identity_graph import drawing
from cegla.console.visit import Visit, see_other
from cegla.defining import correct as correct_trait
from cegla.defining import take_correction_back
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.people import person_label

JOINED = profile.ANALYSED["consumer.side"][0].label  #: shown as a card of its own
EACH = 4  #: identifiers drawn of each type
MOST_DECISIONS = 20
MOST_MESSAGES = 20


def show(visit: Visit) -> Response:
    """The card, masked. Who became part of somebody else is found there."""
    person = visit.person()
    with visit.ws.transaction() as conn:
        owner = resolve.reach.owners(conn, [person]).get(person, person)
    return visit.page("person.html", _card(visit, person, reveal=False)) if owner == person else see_other(f"/people/{owner}")


def reveal(visit: Visit) -> Response:
    """The card in clear, for this answer only; who looked, at whom and why is noted first."""
    person, why = visit.person(), visit.required("why")
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "person.reveal", person_label(person), {"why": why[:200]}, visit.now)
    return visit.page("person.html", _card(visit, person, reveal=True))


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


def correct(visit: Visit) -> Response:
    """Write down what the person had corrected, or let the sources speak again about it. Who became part of somebody else is found there."""
    person, trait = visit.person(), visit.required("trait")
    _identities(visit, person)
    if visit.field("do") == "take_back":
        take_correction_back(visit.ws, person, trait, visit.actor)
    else:
        correct_trait(visit.ws, person, trait, None if visit.field("untrue") else visit.field("value"), visit.actor)
    return see_other(f"/people/{person}", done="saved")


def _identities(visit: Visit, person: int) -> list[int]:
    with visit.ws.transaction() as conn:
        return _identities_of(conn, visit, person)


def _identities_of(conn: Connection, visit: Visit, person: int) -> list[int]:
    ids = resolve.links.identity_ids(conn, person)
    if not ids:
        raise NotFound(where=visit.path, seen=person_label(person), thing=person_label(person))
    return ids


def _card(visit: Visit, person: int, *, reveal: bool) -> dict[str, Any]:
    ws = visit.ws
    with ws.transaction() as conn:
        ids = _identities_of(conn, visit, person)
        graph = resolve.links.graph_of(conn, person, EACH)
        sources = source_names(conn)
        found = profile.profile_of(conn, ws.warehouse, person, ids, visit.now, ws.settings.zone)
        model = {
            "segments": segment.segments_of(conn, [person]).get(person, []),
            "accounts": account.accounts_of(conn, [person])[person],
            "consents": _consents(conn, visit, person, ids),
            "decisions": govern.decisions_of(conn, ids)[:MOST_DECISIONS],
            "messages": activate.messages_of(conn, people=ids, limit=MOST_MESSAGES),
            "proposals": match.proposals_of(conn, person),
            "named": {one.identity_id: one for one in resolve.identifiers_of(conn, [person]).get(person, [])},
        }
    cards = traits.cards(found.traits, visit.tongue, reveal=reveal)
    computed = [card for card in cards if not card.declared]
    drawn = drawing(graph, sources, visit.tongue, reveal=reveal)
    shown = {"person": person, "revealed": reveal, "name": short_name(graph.nodes, reveal=reveal), "graph": graph, "drawn": drawn, "purposes": visit.purposes}
    words = {"states": states.DECISIONS, "outcomes": states.OUTCOMES, "links": states.LINKS, "kinds": states.IDENTIFIERS, "sources": sources}
    words |= {"channels": states.CHANNELS, "told": states.DECLARED, "verdicts": states.VERDICTS, "bases": states.BASES}
    by_origin = traits.groups(computed)
    analysed = [one for one in by_origin if not one.counted and one.label != JOINED]
    split: dict[str, Any] = {"counted": [one for one in by_origin if one.counted], "analysed": analysed}
    split["declared"] = [card for card in cards if card.declared]
    return {"story": found.story, **shown, **words, **split, **timeline.page(visit, person, {}), **model}


def _consents(conn: Connection, visit: Visit, person: int, ids: list[int]) -> list[tuple[Any, list[tuple[str, Any]]]]:
    """What the gate says today, without an address: each purpose with its channels and their verdicts."""
    asked = [govern.Subject(person, ids)]

    def verdict(purpose: str, channel: Channel) -> Any:
        return govern.allowed(conn, visit.ws.keys, asked, purpose, channel, visit.now)[0]

    return [(purpose, [(channel.value, verdict(purpose.key, channel)) for channel in purpose.channels]) for purpose in govern.register.purposes(conn).values()]


def _plain(value: object) -> object:
    """Times and bytes as text, for the file."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
