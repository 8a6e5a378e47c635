"""The register of purposes: as a document, in versions, and as the gate and intake read it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cegla.govern import actions as govern
from cegla.govern.rules import register_document
from cegla.govern.rules.purposes import SHIPPED, Country, Notice, Purpose, Register
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.consent import Basis, Channel, Decision, State
from cegla.vocabulary.errors.access import NoticeKept, RegisterInvalid, RegisterUnreadable
from cegla.vocabulary.events import Event
from cegla.vocabulary.text import Text

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OFFERS = Purpose(
    key="offers", label=Text("Oferty dla klientów", "Offers for customers"), basis=Basis.LEGITIMATE_INTEREST, channels=(Channel.EMAIL,),
    retention_days=365, commercial=True,
)  # fmt: skip


def put(conn: Connection, *purposes: Purpose, at: datetime = NOW, countries: dict[str, Country] | None = None) -> None:
    held = govern.register.current(conn)
    wanted = replace(held, purposes={**held.purposes, **{one.key: one for one in purposes}}, countries={**held.countries, **(countries or {})})
    govern.register.apply(conn, wanted, "anna", "test", at)


def reason(ws: Workspace, conn: Connection, purpose: str, at: datetime = NOW, **subject: object) -> str:
    asked = govern.Subject(7, [7], "anna@example.pl", **subject)  # type: ignore[arg-type]
    return govern.allowed(conn, ws.keys, [asked], purpose, Channel.EMAIL, at)[0].reason


def yes(purpose: str, at: datetime = NOW - DAY) -> Decision:
    return Decision(7, purpose, Channel.EMAIL, State.GIVEN, at, 1, "event", {})


def test_what_ships_is_a_document_that_reads_back_as_itself() -> None:
    assert govern.register.read(govern.register.text_of(SHIPPED)) == SHIPPED


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"purposes": {}}, "/purposes"),
        ({"default_country": "DE"}, "/default_country"),
        ({"countries": {"PL": {"prior_consent": ["pigeon"]}}}, "/countries/PL/prior_consent/0"),
        ({"notices": [{"purpose": "dreams", "version": "1", "language": "pl", "text": "Zgoda"}]}, "/notices/0/purpose"),
        ({"notices": [{"purpose": "marketing", "version": "1", "language": "pl", "text": " "}]}, "/notices/0"),
        ({"surprise": 1}, "/"),
    ],
    ids=["profiling-gone", "no-country", "no-channel", "no-purpose", "no-words", "unknown-field"],
)
def test_a_mistake_is_told_with_its_place(change: dict[str, object], where: str) -> None:
    with pytest.raises(RegisterInvalid) as told:
        register_document.read(register_document.write(SHIPPED) | change)
    assert told.value.where == where


def test_a_mistake_is_told_in_both_languages() -> None:
    with pytest.raises(RegisterInvalid) as told:
        govern.register.read(govern.register.text_of(SHIPPED) + "surprise: 1\n")
    assert told.value.say("pl") == "Rejestr celów jest nieprawidłowy: nie ma pola „surprise”"
    assert told.value.say("en") == "The register of purposes is not valid: there is no field “surprise”"


def test_marketing_cannot_be_declared_a_part_of_the_contract(conn: Connection) -> None:
    with pytest.raises(RegisterInvalid):
        govern.register.put_purpose(conn, replace(OFFERS, basis=Basis.CONTRACT), "anna", "", NOW)


def test_a_purpose_of_ones_own_is_asked_about_like_one_that_ships(workspace: Workspace, conn: Connection) -> None:
    assert reason(workspace, conn, "offers") == "no_consent"
    put(conn, replace(OFFERS, basis=Basis.CONSENT, channels=(Channel.EMAIL, Channel.SMS)))
    said = Event(source_id=2, message_id="a", kind="track", name="", occurred_at=NOW, received_at=NOW, context={"consent": {"categoryPreferences": {"offers_email": True}}})
    govern.ask(conn, [said], [7], {2: Basis.CONTRACT}, NOW)
    assert reason(workspace, conn, "offers") == "ok"


def test_intake_hears_of_a_new_purpose_with_the_next_batch(conn: Connection) -> None:
    memory = govern.LedgerMemory()
    said = Event(source_id=2, message_id="a", kind="track", name="", occurred_at=NOW, received_at=NOW, context={"consent": {"categoryPreferences": {"club": True}}})
    assert govern.ask(conn, [said], [7], {2: Basis.CONTRACT}, NOW, memory).decisions == 0
    put(conn, replace(OFFERS, key="club", basis=Basis.CONSENT))
    assert govern.ask(conn, [said], [7], {2: Basis.CONTRACT}, NOW, memory).decisions == 1


def test_poland_asks_for_prior_consent_whatever_basis_was_written_and_from_companies_too(workspace: Workspace, conn: Connection) -> None:
    put(conn, OFFERS, countries={"DE": Country(code="DE", prior_consent=(Channel.SMS,)), "GB": Country(code="GB", prior_consent=(Channel.EMAIL,), companies_too=False)})
    assert [reason(workspace, conn, "offers", country=one) for one in (None, "PL", "XX", "DE", "GB")] == ["no_consent", "no_consent", "no_consent", "ok", "no_consent"]
    assert [reason(workspace, conn, "offers", country=one, company=True) for one in ("PL", "GB")] == ["no_consent", "ok"]


def test_a_question_about_the_past_is_answered_by_the_register_of_then(workspace: Workspace, conn: Connection) -> None:
    put(conn, replace(OFFERS, basis=Basis.CONSENT), at=NOW)
    govern.record(conn, [yes("offers")], NOW)
    put(conn, replace(OFFERS, basis=Basis.CONSENT, channels=(Channel.SMS,)), at=NOW + DAY)
    assert [reason(workspace, conn, "offers", NOW + DAY * number) for number in (-0.5, 0, 1)] == ["no_consent", "ok", "no_consent"]


def test_a_consent_with_a_term_expires(workspace: Workspace, conn: Connection) -> None:
    put(conn, replace(OFFERS, basis=Basis.CONSENT, valid_days=30), at=NOW - DAY)
    govern.record(conn, [yes("offers", NOW)], NOW)
    assert [reason(workspace, conn, "offers", NOW + DAY * number) for number in (29, 30)] == ["ok", "expired"]


def test_words_people_agreed_to_never_change(conn: Connection) -> None:
    notice = Notice(purpose="marketing", version="3", language="pl", text="Zgadzam się na e-maile.", channels=(Channel.EMAIL,))
    govern.register.add_notice(conn, notice, "anna", NOW)
    with pytest.raises(NoticeKept):
        govern.register.add_notice(conn, replace(notice, text="Zgadzam się na wszystko."), "anna", NOW)
    with pytest.raises(NoticeKept):
        govern.register.apply(conn, SHIPPED, "anna", "", NOW)
    found = govern.register.current(conn).notice("marketing", "3", "pl")
    assert found is not None and found.digest == notice.digest


def test_the_same_register_once_more_is_no_version_and_each_version_can_be_seen(conn: Connection) -> None:
    put(conn, OFFERS)
    put(conn, OFFERS)
    assert [(one.number, one.made_by) for one in govern.register.versions(conn)] == [(1, "anna")]
    assert "offers" not in govern.register.version(conn, 0).purposes and "offers" in govern.register.version(conn, 1).purposes
    assert govern.first_broken_audit(conn) is None


def test_a_register_that_cannot_be_read_lets_nothing_through(workspace: Workspace, conn: Connection) -> None:
    conn.execute("insert into govern.register values (1, '{\"purposes\": 7}', '\\x07', %s, 'nobody', '')", [NOW - DAY])
    with pytest.raises(RegisterUnreadable):
        reason(workspace, conn, "service")


def test_who_paused_gets_no_marketing_but_their_order_confirmation(workspace: Workspace, conn: Connection) -> None:
    govern.record(conn, [yes("marketing")], NOW)
    govern.pauses.pause(conn, [7], NOW + DAY, "preference_page", {}, NOW)
    assert [reason(workspace, conn, one) for one in ("marketing", "service")] == ["paused", "ok"]
    assert [reason(workspace, conn, "marketing", moment) for moment in (NOW - DAY / 2, NOW + DAY)] == ["ok", "ok"]
    govern.pauses.pause(conn, [7], NOW + DAY / 4, "preference_page", {}, NOW + DAY / 4)
    assert reason(workspace, conn, "marketing", NOW + DAY / 3) == "ok"


def test_a_yes_to_double_opt_in_is_a_request_and_who_confirmed_once_is_not_asked_again(workspace: Workspace, conn: Connection) -> None:
    put(conn, replace(SHIPPED.purposes["marketing"], double_opt_in=True), at=NOW - DAY)

    def says(minute: int, **more: object) -> list[str]:
        consent = {"categoryPreferences": {"marketing_email": True, "marketing_sms": True}, **more}
        moment = NOW + timedelta(minutes=minute)
        event = Event(source_id=2, message_id=f"m{minute}", kind="track", name="", occurred_at=moment, received_at=moment, context={"consent": consent})
        govern.ask(conn, [event], [7], {2: Basis.CONTRACT}, moment)
        return sorted(f"{row.channel} {row.state}" for row in govern.decisions_of(conn, [7]))

    assert says(0) == ["email requested", "sms given"] == says(1)
    assert reason(workspace, conn, "marketing", NOW + DAY) == "unconfirmed"
    assert says(2, doubleOptIn=True) == ["email given", "email requested", "sms given"] == says(3)
    assert reason(workspace, conn, "marketing", NOW + DAY) == "ok"


def test_the_ledger_shows_a_changed_row_a_missing_one_and_an_end_cut_off(conn: Connection) -> None:
    for identity in (7, 7, 7, 8):
        govern.record(conn, [yes("marketing")._replace(identity_id=identity)], NOW)
    assert govern.ledger.seal(conn, NOW) == 4 and govern.ledger.seal(conn, NOW) == 0
    govern.erase_person(conn, [8])
    assert govern.ledger.check(conn).holds
    _first, second, third = sorted(row.record_id for row in govern.decisions_of(conn, [7]))
    conn.execute("alter table govern.decisions disable trigger append_only")
    broken = {}
    for name, harm in (("changed", "update govern.decisions set state = 'refused' where record_id = %s"), ("missing", "delete from govern.decisions where record_id = %s")):
        with conn.transaction(force_rollback=True):
            conn.execute(harm, [second])
            broken[name] = govern.ledger.check(conn).broken_record
    assert broken == {"changed": second, "missing": third}
    conn.execute("delete from govern.decisions where record_id = %s", [third])
    found = govern.ledger.check(conn)
    assert (found.broken_record, found.broken_seal) == (None, 1)


def test_a_purpose_with_one_channel_is_a_category_by_its_own_name() -> None:
    assert Register(SHIPPED.purposes, SHIPPED.countries).categories["email_tracking"] == ("email_tracking", Channel.EMAIL)
