"""Could we send this on that day, on what basis, with which proof? For everybody of a campaign, and for one person with their whole ledger."""

import json
from datetime import datetime
from typing import Any

from starlette.responses import Response, StreamingResponse

from cegla.activate import actions as activate
from cegla.console.digits import whole
from cegla.console.screens.links import source_names
from cegla.console.views import states
from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text

MOST_RECORDS = 200


def show_campaign(visit: Visit) -> Response:
    """A page of a campaign's people with what allowed each message."""
    number, at = visit.number("id"), _moment(visit)
    with visit.ws.transaction() as conn:
        campaign = activate.campaign(conn, number)
        found = activate.basis.recipients(conn, visit.ws, number, at=at, before=visit.asked_number("before") or None)
        purpose = govern.register.label(conn, campaign.purpose)
    more = found[-1].message.id if len(found) == activate.basis.PAGE else None
    model = {"campaign": campaign, "rows": found, "purpose": purpose, "at": visit.query.get("at", ""), "more": more, "first": not visit.query.get("before")}
    return visit.page("campaign_basis.html", model | _words())


def campaign_file(visit: Visit) -> Response:
    """Everybody as CSV, with nothing that names a person; the audit log remembers."""
    number, at = visit.number("id"), _moment(visit)
    with visit.ws.transaction() as conn:
        activate.campaign(conn, number)
        govern.note(conn, visit.actor, "campaign.basis", f"campaign {number}", {}, visit.now)

    def rows() -> Any:
        with visit.ws.transaction() as conn:
            yield from activate.basis.as_csv(activate.basis.everybody(conn, visit.ws, number, at))

    headers = {"content-disposition": f'attachment; filename="campaign-{number}-basis.csv"'}
    return StreamingResponse(rows(), media_type="text/csv; charset=utf-8", headers=headers)


def show_person(visit: Visit) -> Response:
    """The question for one person, and every decision of theirs with its proof, but network and browser."""
    person = visit.person()
    at = _moment(visit) or visit.now
    purpose, channel = visit.query.get("purpose", "marketing"), visit.query.get("channel", "email")
    if channel not in list(Channel):
        raise InvalidInput(where="channel", seen=channel, detail=Text("nie ma takiego kanału", "there is no such channel"))
    with visit.ws.transaction() as conn:
        ids = resolve.links.identity_ids(conn, person)
        if not ids:
            raise NotFound(where=visit.path, seen=person_label(person), thing=person_label(person))
        answer = activate.basis.could_send(conn, visit.ws, person, purpose, Channel(channel), at)
        decided = [one.record_id for one in govern.decisions_of(conn, ids)[:MOST_RECORDS]]
        records = govern.receipts.records(conn, decided)
        sources = source_names(conn)
    model = {"person": person, "answer": answer, "records": [records[one] for one in decided], "sources": sources, "at": visit.query.get("at", "")}
    return visit.page("person_consent.html", model | {"purposes": visit.purposes, "purpose": purpose, "channel": channel} | _words())


def receipt(visit: Visit) -> Response:
    """One consent record in full as a file; who took it and why is noted first."""
    person, why = visit.person(), visit.required("why")
    number = visit.field("record")
    with visit.ws.transaction() as conn:
        ids = resolve.links.identity_ids(conn, person)
        found = govern.receipts.record(conn, whole(number) or 0)
        if found.identity_id not in ids:
            raise NotFound(where="record", seen=number, thing=number)
        govern.note(conn, visit.actor, "consent.receipt", person_label(person), {"record": found.record_id, "why": why[:200]}, visit.now)
    body = json.dumps(govern.receipts.receipt(found, person_label(person)), ensure_ascii=False, indent=2, default=str)
    headers = {"content-disposition": f'attachment; filename="consent-{found.record_id}.json"'}
    return Response(body, media_type="application/json", headers=headers)


def _words() -> dict[str, Any]:
    return {
        "channels": states.CHANNELS, "bases": states.BASES, "verdicts": states.VERDICTS, "decisions": states.DECISIONS, "outcomes": states.OUTCOMES,
        "ways": govern.METHODS, "all_channels": list(Channel),
    }  # fmt: skip


def _moment(visit: Visit) -> datetime | None:
    """The moment asked about, as a field of date and time gives it, in the shop's zone; None when there is none."""
    text = visit.query.get("at", "") or visit.field("at")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(where="at", seen=text, detail=Text("to nie jest data i godzina", "this is no date and time")) from None
    return found if found.tzinfo else found.replace(tzinfo=visit.ws.settings.zone)
