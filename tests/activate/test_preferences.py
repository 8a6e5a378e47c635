"""What recipients decide themselves: the preference center, pauses, and double opt-in."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from cegla.activate import actions as activate
from cegla.activate.letters import preferences_url, signed
from cegla.activate.rules import tokens
from cegla.activate.rules.content import language_of, text_with_preferences, with_preferences
from cegla.govern import actions as govern
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import NotFound
from tests.activate.conftest import LETTER, Shop

MARKETING, PROFILING = "marketing.email", "profiling.none"


def sent(shop: Shop, user: str = "anna") -> str:
    """A message reached the person; the token of the link in it."""
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(3)
    body = shop.postbox.letter(f"{user}@example.pl").get_body(("plain",))
    assert body is not None
    return re.findall(r"/p/([\w-]{38})", body.get_content())[0]


def prefer(shop: Shop, token: str, on: set[str], **wish: object) -> activate.Preferences:
    shown = activate.preferences(shop.ws, token, "pl")
    return activate.prefer(shop.ws, token, activate.Wish(was=frozenset(shown.on), on=frozenset(on), **wish))  # type: ignore[arg-type]


def test_every_campaign_letter_carries_the_link_and_the_page_says_what_why_and_since_when(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shown = activate.preferences(shop.ws, sent(shop), "pl")
    assert shown.on == [MARKETING, PROFILING] and shown.address == "a***@example.pl" and shown.lately == 1
    marketing = next(offer for offer in shown.offers if offer.purpose.key == "marketing")
    assert marketing.choices[0].since is not None and marketing.consent and marketing.purpose.frequency.pl
    assert [offer.choices for offer in shown.offers if offer.purpose.key == "service"] == [()]


def test_looking_changes_nothing_and_a_no_stops_the_message_that_already_waits(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    token = sent(shop)
    waiting = shop.campaign(name="druga")
    activate.launch(shop.ws, waiting.id)
    activate.preferences(shop.ws, token, "en")
    prefer(shop, token, {PROFILING})
    shop.deliver(3)
    assert shop.states(waiting.id) == {"anna": "withdrawn"}


def test_a_yes_takes_the_same_form_and_is_proved_by_the_message_and_the_words_shown(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    token = sent(shop)
    notice = govern.Notice(purpose="marketing", version="7", language="pl", text="Zgadzam się na e-maile.", channels=(Channel.EMAIL,))
    with shop.ws.transaction() as conn:
        govern.register.add_notice(conn, notice, "anna", shop.now)
    prefer(shop, token, set())
    shop.pass_time(minutes=1)
    shown = prefer(shop, token, {MARKETING, PROFILING})
    assert shown.on == [MARKETING, PROFILING]
    decision = next(choice.decision for offer in shown.offers for choice in offer.choices if offer.name(choice) == MARKETING)
    assert decision is not None
    with shop.ws.transaction() as conn:
        found = govern.receipts.record(conn, decision.record_id)
    assert (found.method, found.notice_version, found.words_match) == ("preference_page", "7", True)
    assert govern.receipts.receipt(found, "p1")["processing"]["privacy_notice_text"] == notice.text


def test_a_second_no_holds_against_a_yes_that_was_on_its_way(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        token = signed(shop.ws.keys, tokens.UNSUBSCRIBE, activate.messages_of(conn, campaign_id=campaign.id)[0].id)
    activate.unsubscribe(shop.ws, token, act=True)
    shop.pass_time(hours=2)
    shop.person("anna", marketing_email=True)  # an hour before it comes in, and before the second no
    assert activate.unsubscribe(shop.ws, token, act=True).done
    shop.take_in()
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"withdrawn": 1}


def test_an_objection_to_profiling_takes_the_person_out_of_segments(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shown = prefer(shop, sent(shop), {MARKETING})
    assert shown.on == [MARKETING]
    with shop.ws.transaction() as conn:
        assert govern.objectors(conn)


def test_a_form_that_is_old_by_now_gives_no_consent_that_was_withdrawn_meanwhile(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    token = sent(shop)
    old = frozenset(activate.preferences(shop.ws, token, "pl").on)
    prefer(shop, token, {PROFILING})
    assert MARKETING not in activate.prefer(shop.ws, token, activate.Wish(was=old, on=old)).on


def test_a_pause_holds_messages_back_and_changes_no_consent(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    token = sent(shop)
    shown = prefer(shop, token, {MARKETING, PROFILING}, pause_days=30)
    assert shown.on == [MARKETING, PROFILING] and shown.paused_until == shop.now + timedelta(days=30)
    assert activate.audience(shop.ws, shop.campaign(name="druga").id).reasons == {"paused": 1}
    prefer(shop, token, {MARKETING, PROFILING}, pause_days=0)
    assert activate.audience(shop.ws, shop.campaign(name="trzecia").id).reachable == 1


def test_not_at_all_ends_every_message_but_those_of_the_contract(shop: Shop) -> None:
    shop.person("anna", marketing_email=True, marketing_sms=True, email_tracking=True)
    token = sent(shop)
    assert prefer(shop, token, set(), nothing=True).on == [PROFILING]
    with shop.ws.transaction() as conn:
        [person] = {row.person_id for row in activate.messages_of(conn)}
        answers = [activate.basis.could_send(conn, shop.ws, person, purpose, Channel.SMS, shop.now).then.reason for purpose in ("marketing", "service")]
    assert answers == ["withdrawn", "ok"]


def test_a_link_works_for_nobody_else_and_not_after_erasure(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    token = sent(shop)
    keys = shop.ws.keys
    other = [signed(keys, tokens.UNSUBSCRIBE, 1), signed(keys, tokens.PREFERENCES, 999), token[:-2] + "AA", "x" * 38, preferences_url(shop.ws, None)[-1]]
    with shop.ws.transaction() as conn:
        activate.erase_person(conn, [row.identity_id for row in activate.messages_of(conn) if row.identity_id is not None])
    for one in (*other, token):
        with pytest.raises(NotFound):
            activate.preferences(shop.ws, one, "pl")


def test_a_template_that_has_the_link_gets_no_second_one() -> None:
    html = with_preferences("<html><body>Hej</body></html>", "https://a/p/x", "Zgody")
    text = text_with_preferences("Hej\n", "https://a/p/x", "Zgody")
    assert html.count("https://a/p/x") == 1 and html.endswith("</body></html>") and text == "Hej\n\nZgody: https://a/p/x\n"
    assert with_preferences(html, "https://a/p/x", "Zgody") == html
    assert text_with_preferences(text, "https://a/p/x", "Zgody") == text


@pytest.mark.parametrize(("said", "language"), [("<html lang='pl'>", "pl"), ('<!doctype html><HTML class="a" lang="pl-PL">', "pl"), ("<html lang=en>", "en"), ('<html lang="de">', None), ("<html>", None), ('<html data-x="1"><p lang="pl">', None)])
def test_a_letter_says_its_language(said: str, language: str | None) -> None:
    assert language_of(said) == language


def test_the_link_to_the_preferences_speaks_the_letters_language_and_else_the_installations(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    for begun, words in (('<mjml lang="en">', "Your messages and consents"), ('<mjml lang="pl">', "Twoje wiadomości i zgody"), ("<mjml>", "Twoje wiadomości i zgody")):
        shop.pass_time(days=2)
        shop.postbox.letters.clear()
        activate.launch(shop.ws, shop.campaign(mjml=re.sub("<mjml[^>]*>", begun, LETTER), name=begun).id)
        shop.deliver(3)
        letter = shop.postbox.letter("anna@example.pl")
        for part in ("plain", "html"):
            body = letter.get_body((part,))
            assert body is not None and words in body.get_content()


def double(shop: Shop) -> None:
    with shop.ws.transaction() as conn:
        govern.register.put_purpose(conn, replace(govern.SHIPPED.purposes["marketing"], double_opt_in=True), "anna", "", shop.now - timedelta(days=1))


def test_double_opt_in_sends_one_letter_and_only_the_button_makes_it_a_consent(shop: Shop) -> None:
    double(shop)
    shop.person("anna", marketing_email=True)
    shop.take_in()
    shop.deliver(3)
    letter = shop.postbox.letter("anna@example.pl")
    body = letter.get_body(("plain",))
    assert body is not None and letter["Auto-Submitted"] == "auto-replied" and "List-Unsubscribe" not in letter
    token = re.findall(r"/c/([\w-]{38})", body.get_content())[0]
    assert activate.confirmation(shop.ws, token, act=False).standing is govern.optin.Standing.WAITING
    assert activate.audience(shop.ws, shop.campaign().id).reachable == 0
    assert activate.confirmation(shop.ws, token, act=True, seen={"user_agent": "Firefox"}).standing is govern.optin.Standing.CONFIRMED
    assert activate.audience(shop.ws, shop.campaign(name="druga").id).reachable == 1
    assert activate.confirmation(shop.ws, token, act=True).standing is govern.optin.Standing.CONFIRMED
    with shop.ws.transaction() as conn:
        given = conn.execute("select proof ->> 'requested' from govern.decisions where method = 'double_opt_in'").fetchall()
    assert len(given) == 1


def test_an_old_link_confirms_nothing_after_its_hours_or_a_withdrawal(shop: Shop) -> None:
    double(shop)
    shop.person("anna", marketing_email=True)
    shop.person("bartek", marketing_email=True)
    shop.take_in()
    shop.deliver(3)
    with shop.ws.transaction() as conn:
        records = dict(conn.execute("select identity_id, record_id from govern.decisions where state = 'requested' order by record_id").fetchall())
    first, second = (signed(shop.ws.keys, tokens.CONFIRM, record) for record in records.values())
    shop.tell({"type": "track", "event": "Segment Consent Preference Updated", "userId": "anna", "timestamp": shop.now.isoformat(), "context": {"consent": {"categoryPreferences": {"marketing_email": False}}}})
    shop.take_in()
    assert activate.confirmation(shop.ws, first, act=True).standing is govern.optin.Standing.OVERTAKEN
    shop.pass_time(hours=73)
    assert activate.confirmation(shop.ws, second, act=True).standing is govern.optin.Standing.TOO_LATE


def test_who_is_signed_up_over_and_over_gets_three_letters_at_most(shop: Shop) -> None:
    double(shop)
    shop.person("anna")
    for _ in range(6):
        shop.tell({"type": "track", "event": "Segment Consent Preference Updated", "userId": "anna", "timestamp": shop.now.isoformat(), "context": {"consent": {"categoryPreferences": {"marketing_email": True}}}})
        shop.take_in()
        shop.deliver(1)
        shop.deliver(1)
        shop.pass_time(minutes=11)
    assert len(shop.postbox.recipients) == govern.optin.LETTERS
