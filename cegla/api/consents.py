"""Purposes and consents: the register, the as-of question for a person and for a whole campaign, receipts, whether the ledger is whole."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse

from cegla.activate import actions as activate
from cegla.api.call import Opened, not_found, person_number
from cegla.api.shapes import ChangeRegister
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text

Moment = Annotated[str, Query(description="a moment, 2026-11-02T09:00:00Z, or a day, which means its end in UTC; empty: now")]
NO_TIME = Text("to nie jest czas, jak 2026-11-26T10:00:00Z", "this is no time, such as 2026-11-26T10:00:00Z")
LAST_MINUTE = "T23:59:59.999999"


def purposes(call: Opened, version: Annotated[int | None, Query(ge=0)] = None) -> Any:
    """The register in force, or one version of it: purposes, countries and notices, and all of it as one YAML text."""
    with call.ws.transaction() as conn:
        held = govern.register.current(conn) if version is None else govern.register.version(conn, version)
        versions = govern.register.versions(conn)
    shown = {"purposes": list(held.purposes.values()), "countries": list(held.countries.values()), "notices": held.notices, "controller": held.controller}
    return {"version": held.number, **shown, "default_country": held.default_country, "versions": versions, "text": govern.register.text_of(held)}


def change(call: Opened, body: ChangeRegister) -> Any:
    """Put a register in force as a new version; with `dry_run` only check it. Raises RegisterInvalid, NoticeKept."""
    wanted = govern.register.read(body.text)
    with call.ws.transaction() as conn:
        if body.dry_run:
            return {"version": None, "changed": govern.register.text_of(govern.register.current(conn)) != govern.register.text_of(wanted), "dry_run": True}
        number = govern.register.apply(conn, wanted, call.caller.name, body.why, call.now)
    return {"version": number, "changed": number is not None, "dry_run": False}


def could(call: Opened, person: str, purpose: str = "marketing", channel: Channel = Channel.EMAIL, at: Moment = "") -> Any:
    """Could we send this to the person at that moment, on what basis, with which proof? `then` by what we knew, `hindsight` by what we know."""
    with call.ws.transaction() as conn:
        number = resolve.reach.owners(conn, [person_number(person)]).get(person_number(person))
        if number is None:
            raise not_found("person", person_number(person))
        return {"person": person_label(number), **_answer(activate.basis.could_send(conn, call.ws, number, purpose, channel, moment(at, call.now)))}


def campaign(call: Opened, campaign_id: int, at: Moment = "", before: Annotated[int | None, Query(ge=1)] = None) -> Any:
    """The same for a page of a campaign's people, newest first: when each message left or was decided or, with `at`, at that moment."""
    asked = moment(at, call.now) if at else None
    with call.ws.transaction() as conn:
        found = activate.basis.recipients(conn, call.ws, campaign_id, at=asked, before=before)
    rows = [
        {"message": one.message.id, "person": person_label(one.message.person_id) if one.answer else "", "state": one.message.state, "wrong": one.wrong,
         "channel": one.message.channel,
         **(_answer(one.answer) if one.answer else {"erased": True})}
        for one in found
    ]  # fmt: skip
    return {"campaign": campaign_id, "people": rows, "next_before": found[-1].message.id if len(found) == activate.basis.PAGE else None}


def campaign_csv(call: Opened, campaign_id: int, at: Moment = "") -> StreamingResponse:
    """The same for everybody, as CSV with the proof and nothing that names a person."""
    asked = moment(at, call.now) if at else None
    with call.ws.transaction() as conn:
        activate.campaign(conn, campaign_id)
    call.note("campaign.basis", f"campaign {campaign_id}")

    def rows() -> Any:
        with call.ws.transaction() as conn:
            yield from activate.basis.as_csv(activate.basis.everybody(conn, call.ws, campaign_id, asked))

    headers = {"content-disposition": f'attachment; filename="campaign-{campaign_id}-basis.csv"', "cache-control": "no-store"}
    return StreamingResponse(rows(), media_type="text/csv; charset=utf-8", headers=headers)


def receipt(call: Opened, record: int) -> Any:
    """One consent record in full (ISO/IEC TS 27560), with network and browser; the audit log remembers who looked."""
    with call.ws.transaction() as conn:
        found = govern.receipts.record(conn, record)
        person = person_label(resolve.reach.owners(conn, [found.identity_id]).get(found.identity_id, found.identity_id))
    call.note("consent.receipt", person, record=record)
    return govern.receipts.receipt(found, person)


def check(call: Opened) -> Any:
    """Whether the ledger of consents is what it was: every chain, every seal."""
    with call.ws.transaction() as conn:
        found = govern.ledger.check(conn)
    return {"holds": found.holds, "broken_record": found.broken_record, "broken_seal": found.broken_seal, "sealed_at": found.sealed_at, "sealed": found.sealed}


def moment(text: str, now: datetime) -> datetime:
    """A moment as written. Raises InvalidInput."""
    if not text:
        return now
    try:
        found = datetime.fromisoformat(text + LAST_MINUTE if len(text) == 10 else text)
    except ValueError:
        raise InvalidInput(where="at", seen=text, detail=NO_TIME) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _answer(one: activate.basis.Answer) -> dict[str, Any]:
    record = one.record
    proof = None if record is None else {
        "record": record.record_id, "state": record.state, "at": record.at, "recorded_at": record.recorded_at, "method": record.method, "page": record.page,
        "notice": record.notice_version, "words_match": record.words_match, "valid_until": record.valid_until, "link": record.link.hex(),
    }  # fmt: skip
    return {
        "at": one.at, "purpose": one.purpose_key, "channel": one.channel, "basis": one.purpose.basis if one.purpose else None, "register": one.register,
        "then": one.then, "hindsight": one.hindsight, "proof": proof,
    }  # fmt: skip
