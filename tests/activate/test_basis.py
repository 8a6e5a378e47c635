"""Could we send this on that day, on what basis, with which proof?"""

import csv
import io
from datetime import timedelta

from cegla.activate import actions as activate
from cegla.govern import actions as govern
from cegla.vocabulary.consent import Channel, Decision, State
from tests.activate.conftest import Shop


def told(shop: Shop, user: str, agrees: bool, ago: timedelta) -> None:
    at = (shop.now - ago).isoformat()
    consent = {"categoryPreferences": {"marketing_email": agrees}, "noticeVersion": "=3", "form": "newsletter"}
    shop.tell({"type": "track", "event": "Segment Consent Preference Updated", "userId": user, "timestamp": at, "context": {"consent": consent}})
    shop.take_in()


def rows_of(shop: Shop, campaign: int) -> list[dict[str, str]]:
    with shop.ws.transaction() as conn:
        return list(csv.DictReader(io.StringIO("".join(activate.basis.as_csv(activate.basis.everybody(conn, shop.ws, campaign))))))


def test_everybody_of_a_campaign_is_answered_for_with_proof_and_no_address(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.person("bartek")
    shop.person("celina", marketing_email=True)
    told(shop, "anna", True, timedelta(minutes=30))
    shop.postbox.answers["celina@example.pl"] = "550 5.1.1 no such user"
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(4)
    shop.pass_time(days=1)
    told(shop, "anna", False, timedelta(minutes=1))
    with shop.ws.transaction() as conn:
        found = {one.message.address: one for one in activate.basis.recipients(conn, shop.ws, campaign.id)}
        later = {one.message.address: one for one in activate.basis.recipients(conn, shop.ws, campaign.id, at=shop.now)}
    answers = {str(address).partition("@")[0]: (one.message.state.value, one.answer.then.reason if one.answer else "", one.wrong) for address, one in found.items()}
    assert answers == {"anna": ("sent", "ok", False), "bartek": ("skipped", "no_consent", False), "celina": ("bounced", "ok", False)}
    assert {str(address)[0]: one.answer.then.reason for address, one in later.items() if one.answer} == {"a": "withdrawn", "b": "no_consent", "c": "suppressed"}
    rows = rows_of(shop, campaign.id)
    anna = next(row for row in rows if row["state"] == "sent")
    assert (anna["could"], anna["basis"], anna["method"], anna["page"], anna["notice"]) == ("yes", "consent", "preference_event", "newsletter", "'=3")
    assert len(anna["link"]) == 64 and "@" not in str(rows)


def test_a_withdrawal_that_came_late_is_told_apart_from_what_we_knew(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(3)
    shop.pass_time(hours=5)
    told(shop, "anna", False, timedelta(hours=5, minutes=30))
    with shop.ws.transaction() as conn:
        [one] = activate.basis.recipients(conn, shop.ws, campaign.id)
    assert one.answer is not None and one.answer.then.allowed and one.answer.hindsight.reason == "withdrawn" and not one.wrong


def test_who_had_objected_to_profiling_could_get_no_campaign_and_one_that_left_all_the_same_is_shown(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.person("bartek", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(3)
    with shop.ws.transaction() as conn:
        sent = {str(row.address)[0]: row for row in activate.messages_of(conn)}
        before, after = (shop.now + timedelta(minutes=step) for step in (-30, 30))
        objections = [("a", before), ("b", after)]
        said = [Decision(sent[who].person_id, "profiling", Channel.NONE, State.REFUSED, at, 1, "event", {}) for who, at in objections]
        govern.record(conn, said, before)
        found = {str(one.message.address)[0]: one for one in activate.basis.recipients(conn, shop.ws, campaign.id)}
        asked = [activate.basis.could_send(conn, shop.ws, sent["b"].person_id, "marketing", Channel.EMAIL, at).then.allowed for at in (shop.now, after)]
        service = activate.basis.could_send(conn, shop.ws, sent["a"].person_id, "service", Channel.EMAIL, shop.now)
    assert {who: (one.wrong, one.answer and one.answer.then.reason) for who, one in found.items()} == {"a": (True, "objected"), "b": (False, "ok")}
    assert asked == [True, False] and service.then.allowed


def test_a_person_is_asked_about_at_any_moment_and_an_erased_one_no_more(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    with shop.ws.transaction() as conn:
        [row] = activate.messages_of(conn)
        moments = [shop.now - timedelta(days=1), shop.now]
        assert [activate.basis.could_send(conn, shop.ws, row.person_id, "marketing", Channel.EMAIL, one).then.reason for one in moments] == ["no_consent", "ok"]
        activate.erase_person(conn, [row.identity_id or 0])
        [gone] = activate.basis.recipients(conn, shop.ws, campaign.id)
    assert gone.answer is None and rows_of(shop, campaign.id)[0]["person"] == "erased"


def test_a_receipt_has_every_field_of_the_standard(shop: Shop) -> None:
    with shop.ws.transaction() as conn:
        govern.record(conn, [Decision(7, "marketing", Channel.EMAIL, State.GIVEN, shop.now, 1, "event", {"form": "f", "language": "pl"})], shop.now)
        [number] = [one.record_id for one in govern.decisions_of(conn, [7])]
        found = govern.receipts.receipt(govern.receipts.record(conn, number), "p7")
    assert found["header"] == {"schema_version": "ISO/IEC TS 27560:2023", "record_id": number, "pii_principal_id": "p7"}
    needed = "privacy_notice language purposes pii_information pii_controllers storage_locations retention_period recipient_third_parties withdrawal_method privacy_rights"
    assert set(needed.split()) <= set(found["processing"])
    assert {"event_type", "event_state", "event_time", "validity_duration", "entity_id"} <= set(found["events"][0])
    assert {"party_id", "name", "role", "contact"} <= set(found["parties"][0]) and found["proof"]["link"]
