"""A campaign from the segment to the postbox and back."""

import re
from datetime import datetime
from typing import Any

import pytest

from cegla.activate import actions as activate
from cegla.activate.letters import signed
from cegla.activate.rules import tokens
from cegla.activate.rules.clicks import TRAP
from cegla.activate.rules.returning import CLICKED, SENT, SKIPPED, UNSUBSCRIBED
from cegla.analyse import actions as analyse
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import CampaignNotReady, HeaderRefused, TemplateInvalid
from cegla.vocabulary.messages import MessageState
from tests.activate.conftest import LETTER, NOW, Shop


def link_in(shop: Shop, user: str, path: str, place: int = 1) -> str:
    html = shop.postbox.letter(f"{user}@example.pl").get_body(("html",)).get_content()
    return html.split(f"https://cegla.example/{path}/")[place].split('"')[0]


def test_the_dry_run_gives_one_reason_a_person_and_the_launch_does_what_it_said(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.person("bartek")
    shop.person("celina", marketing_email=False)
    shop.person("darek", email=None, marketing_email=True)
    shop.person("ewa", marketing_email=True)
    shop.person("feliks", marketing_email=True, profiling=False)
    with shop.ws.transaction() as conn:
        govern.suppress(conn, shop.ws.keys, "ewa@example.pl", Channel.EMAIL, "manual", NOW)
    campaign = shop.campaign()
    dry = activate.audience(shop.ws, campaign.id)
    assert (dry.members, dry.reachable) == (6, 1)
    assert dry.reasons == {"no_consent": 2, "no_address": 1, "suppressed": 1, "withdrawn": 1}
    assert shop.postbox.letters == [] and shop.states(campaign.id) == {}
    launched = activate.launch(shop.ws, campaign.id)
    assert launched.count() == 6 and launched.count(MessageState.DECIDED) == 1
    shop.deliver(2)
    assert shop.postbox.recipients == ["anna@example.pl"]
    assert len(shop.events(SENT)) == 1 and len(shop.events(SKIPPED)) == 4  # who has no address cannot be told of
    with shop.ws.transaction() as conn:
        assert activate.campaign(conn, campaign.id).state == "sent"


def test_a_letter_carries_names_fallbacks_a_text_part_and_one_click_headers(shop: Shop) -> None:
    shop.person("żaneta", email="zaneta@example.pl", marketing_email=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    letter = shop.postbox.letter("zaneta@example.pl")
    assert letter["Subject"] == "Cześć Żaneta" and letter["From"] == "Sklep Żółw <sklep@example.pl>"
    text, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Cześć Żaneta!" in text and "Zobacz (https://sklep.example/nowosci?a=1&b=2)" in text and "<" not in text
    assert "Cześć Żaneta!" in html and "https://cegla.example/r/" in html
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Unsubscribe"].startswith("<https://cegla.example/u/") and letter["List-Unsubscribe"].strip("<>").rpartition("/")[2] in html


def test_a_letter_knows_the_segments_of_its_reader(shop: Shop) -> None:
    said = '<mj-text>Segmenty: {{ person.segments | join: "," }}.</mj-text>'
    campaign = shop.campaign(mjml=LETTER.replace("<mj-button", f"{said}<mj-button"))
    shop.person("anna", marketing_email=True)
    shop.take_in()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(1)
    assert f"Segmenty: {campaign.segment_id}." in shop.postbox.letter("anna@example.pl").get_body(("html",)).get_content()


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def counted(shop: Shop, campaign: int) -> list[int]:
    shop.pass_time(minutes=1)
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        return [clicks for _, _, clicks in activate.reporting.links(conn, campaign)]


def test_without_consent_to_measuring_clicks_are_counted_and_are_nobodys(shop: Shop) -> None:
    for user in ("anna", "celina"):
        shop.person(user, marketing_email=True)
    own = '<mj-text><a href="https://sklep.example/kosz/{{ person.first_name }}">Twój koszyk</a><a href="https://sklep.example/inne">Inne</a></mj-text>'
    campaign = shop.campaign(mjml=LETTER.replace("<mj-button", f"{own}<mj-button")).id
    activate.launch(shop.ws, campaign)
    shop.deliver(1)
    letters = [shop.postbox.letter(f"{user}@example.pl").get_body(("html",)).get_content() for user in ("anna", "celina")]
    found = [re.findall(r"/r/([\w-]+)", html) for html in letters]
    assert found[0] == found[1] and len(found[0]) == 3, "the same for everybody: two links and the one that nobody sees"
    assert "https://sklep.example/kosz/Anna" in letters[0], "clicks on what one person alone was given would be theirs"
    other, shared, trap = found[0]
    assert activate.open_link(shop.ws, shared, agent=FIREFOX, network="198.51.100.7") == "https://sklep.example/nowosci?a=1&b=2"
    activate.open_link(shop.ws, shared, agent=FIREFOX.replace("140", "141"), network="198.51.100.7")
    activate.open_link(shop.ws, shared, count=False)
    activate.open_link(shop.ws, other, agent="Mozilla/5.0 (compatible; BarracudaCentral)")
    assert counted(shop, campaign) == [0, 2]
    for token in (other, shared, trap):
        activate.open_link(shop.ws, token, agent=FIREFOX, network="203.0.113.1")
    activate.open_link(shop.ws, other, agent=FIREFOX, network="203.0.113.2")
    assert counted(shop, campaign) == [1, 2], "who follows the link that nobody sees is a scanner, whatever else it opens"
    with shop.ws.transaction() as conn:
        assert conn.execute("select count(*) from activate.passers_by").fetchone() == (0,)
    assert shop.events(CLICKED) == []


def test_links_are_plain_where_no_clicks_are_to_be_counted(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    plain = shop.ws.settings.app.model_copy(update={"count_clicks": False})
    object.__setattr__(shop.ws, "settings", shop.ws.settings.model_copy(update={"app": plain}))
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    assert "/r/" not in shop.postbox.letter("anna@example.pl").get_body(("html",)).get_content()


def test_with_consent_to_measuring_clicks_return_as_events(shop: Shop) -> None:
    shop.person("bartek", marketing_email=True, email_tracking=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    token = link_in(shop, "bartek", "r")
    assert activate.open_link(shop.ws, token, count=False) == activate.open_link(shop.ws, token) == "https://sklep.example/nowosci?a=1&b=2"
    assert shop.events(CLICKED) == [], "who clicked is seen when others had time to come"
    with shop.ws.transaction() as conn:
        [row] = activate.messages_of(conn)
        assert [one["link"] for one in activate.export_person(conn, [row.identity_id or 0])["clicks"]] == [1], "but it is theirs already"
    shop.pass_time(minutes=5)
    shop.deliver(1)
    assert len(shop.events(CLICKED)) == 1
    for agent in (FIREFOX, "Mozilla/5.0 (compatible; BarracudaCentral)", ""):
        activate.open_link(shop.ws, token, agent=agent)
        shop.pass_time(minutes=1)
        shop.deliver(1)
    trap = link_in(shop, "bartek", "r", place=-1)
    assert activate.open_link(shop.ws, token) != activate.open_link(shop.ws, trap) and "/p/" in activate.open_link(shop.ws, trap)
    shop.pass_time(minutes=1)
    shop.deliver(1)
    shop.take_in()
    report = analyse.campaign_report(shop.ws, 1, shop.now)
    assert (report.clicked, report.clicks) == (1, 1), "of five, one was too soon, two were machines' by name, and one came with the link that nobody sees"
    with pytest.raises(NotFound):
        activate.open_link(shop.ws, token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1])


def test_clicks_of_an_hour_in_which_no_sender_worked_are_no_sweep_of_a_scanner(shop: Shop) -> None:
    shop.person("bartek", marketing_email=True, email_tracking=True)
    second = '<mj-text><a href="https://sklep.example/inne">Inne</a></mj-text>'
    activate.launch(shop.ws, shop.campaign(mjml=LETTER.replace("<mj-button", f"{second}<mj-button")).id)
    shop.deliver(1)
    for place in (1, 2):  # both links of the letter
        shop.pass_time(minutes=20)
        activate.open_link(shop.ws, link_in(shop, "bartek", "r", place))
    shop.pass_time(minutes=1)
    shop.deliver(2)
    shop.take_in()
    report = analyse.campaign_report(shop.ws, 1, shop.now)
    assert (report.clicked, report.clicks) == (1, 2)


def test_a_click_after_the_consent_to_measuring_was_withdrawn_leads_on_and_leaves_no_event(shop: Shop) -> None:
    shop.person("bartek", marketing_email=True, email_tracking=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    shop.pass_time(hours=3)
    shop.person("bartek", email_tracking=False)
    shop.take_in()
    assert activate.open_link(shop.ws, link_in(shop, "bartek", "r")).startswith("https://sklep.example")
    shop.pass_time(minutes=5)  # what is told of a click is told after a while
    shop.deliver(1)
    assert shop.events(CLICKED) == []


def test_a_link_that_one_person_alone_was_given_is_counted_for_nobody_leads_nobody_else_there_and_goes_with_them(shop: Shop) -> None:
    shop.person("anna", marketing_email=True, email_tracking=True)
    shop.person("bartek", marketing_email=True, email_tracking=True)
    own = '<mj-text><a href="https://sklep.example/kosz/{{ person.first_name }}">Twój koszyk</a>'
    town = '<a href="https://sklep.example/miasto/{{ person.city | default: "x" }}">Blisko</a></mj-text>'
    campaign = shop.campaign(mjml=LETTER.replace("<mj-button", f"{own}{town}<mj-button")).id
    activate.launch(shop.ws, campaign)
    shop.deliver(1)
    shop.pass_time(minutes=1)
    shop.person("anna", email_tracking=False)
    shop.person("celina", marketing_email=True)
    shop.take_in()
    for place in (1, 2, 3):
        activate.open_link(shop.ws, link_in(shop, "anna", "r", place), agent=FIREFOX, network=f"203.0.113.{place}")
    shop.pass_time(minutes=1)
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        clicks = {url: count for _, url, count in activate.reporting.links(conn, campaign)}
        [row] = [one for one in activate.messages_of(conn) if one.address == "anna@example.pl"]
        theirs = activate.export_person(conn, [row.identity_id or 0])["links"]
        trap = signed(shop.ws.keys, tokens.TALLY, campaign, TRAP)
    shared = {"https://sklep.example/miasto/x": 1, "https://sklep.example/nowosci?a=1&b=2": 1}
    assert clicks == {"https://sklep.example/kosz/Anna": 0, "https://sklep.example/kosz/Bartek": 0, **shared}
    assert [one["url"] for one in theirs] == ["https://sklep.example/kosz/Anna"]
    assert activate.open_link(shop.ws, trap) in shared
    with shop.ws.transaction() as conn:
        activate.erase_person(conn, [row.identity_id or 0])
        assert {url for _, url, _ in activate.reporting.links(conn, campaign)} == {"https://sklep.example/kosz/Bartek", *shared}
        assert "Anna" not in str(conn.execute("select * from activate.links").fetchall())


def test_scanners_that_fetch_the_link_never_unsubscribe_and_one_post_does(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    token = link_in(shop, "anna", "u")
    assert not any(activate.unsubscribe(shop.ws, token, act=False).done for _ in range(50))
    shop.pass_time(minutes=1)
    done = activate.unsubscribe(shop.ws, token, act=True)
    assert (done.done, done.address) == (True, "a***@example.pl")
    activate.unsubscribe(shop.ws, token, act=True)
    shop.take_in()
    assert len(shop.events(UNSUBSCRIBED)) == 1
    assert activate.audience(shop.ws, shop.campaign().id).reasons == {"withdrawn": 1}
    with pytest.raises(NotFound):
        activate.unsubscribe(shop.ws, "A" * len(token), act=True)


def test_a_token_for_clicking_does_not_unsubscribe(shop: Shop) -> None:
    shop.person("bartek", marketing_email=True, email_tracking=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    with pytest.raises(NotFound):
        activate.unsubscribe(shop.ws, link_in(shop, "bartek", "r"), act=True)


def test_who_unsubscribes_and_agrees_again_gets_messages_again(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    shop.pass_time(minutes=1)
    activate.unsubscribe(shop.ws, link_in(shop, "anna", "u"), act=True)
    shop.pass_time(days=1)
    shop.person("anna", marketing_email=True)
    assert activate.audience(shop.ws, shop.campaign().id).reachable == 1


def test_consent_withdrawn_while_a_message_waits_stops_it(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    shop.person("bartek", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.pass_time(hours=2)
    shop.person("anna", marketing_email=False)
    shop.deliver(2)
    assert shop.states(campaign.id) == {"anna": "withdrawn", "bartek": "sent"}


def test_the_address_of_today_decides_after_two_people_became_one(shop: Shop) -> None:
    shop.tell({"type": "identify", "anonymousId": "b1", "traits": {"email": "anna@example.pl"}, "context": {"consent": {"categoryPreferences": {"marketing_email": True}}}})
    shop.tell({"type": "track", "event": "Order Completed", "anonymousId": "b1", "properties": {"order_id": "1", "total": 9}})
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.person("anna", marketing_email=False)
    shop.deliver(2)
    assert shop.states(campaign.id) == {"anna": "no_consent"}


def test_the_cap_counts_messages_of_other_campaigns_in_seven_days(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(1)
    second = shop.campaign(cap=1)
    assert activate.audience(shop.ws, second.id).reasons == {"capped": 1}
    shop.pass_time(days=8)
    assert activate.audience(shop.ws, second.id).reachable == 1


def test_the_holdout_is_the_same_people_each_time(shop: Shop) -> None:
    for user in ("anna", "bartek", "celina", "darek", "ewa", "feliks"):
        shop.person(user, marketing_email=True)
    campaign = shop.campaign(holdout_percent=50)
    first, second = activate.audience(shop.ws, campaign.id), activate.audience(shop.ws, campaign.id)
    assert first.rows == second.rows and 0 < first.reasons.get("holdout", 0) < 6


def test_speed_in_messages_per_minute_is_what_it_says(shop: Shop) -> None:
    for user in ("anna", "bartek", "celina", "darek"):
        shop.person(user, marketing_email=True)
    activate.launch(shop.ws, shop.campaign(messages_per_minute=60).id)
    sent: list[int] = []
    for _ in range(3):
        shop.pass_time(seconds=1)
        activate.deliver(shop.ws, shop.now, shop.outlet)
        activate.deliver(shop.ws, shop.now, shop.outlet)
        sent.append(len(shop.postbox.letters))
    assert sent == [1, 2, 3]


def test_a_paused_campaign_waits_goes_on_and_can_be_cancelled(shop: Shop) -> None:
    users = ("anna", "bartek", "celina", "darek", "ewa", "feliks")
    for user in users:
        shop.person(user, marketing_email=True)
    campaign = shop.campaign(messages_per_minute=60, holdout_percent=0)
    activate.launch(shop.ws, campaign.id)
    shop.deliver(1)
    assert activate.pause(shop.ws, campaign.id).state == "paused"
    shop.deliver(2)
    assert len(shop.postbox.letters) == 1
    assert activate.launch(shop.ws, campaign.id).state == "sending"
    shop.deliver(1)
    sent = len(shop.postbox.letters)
    assert 1 < sent < len(users)
    assert activate.cancel(shop.ws, campaign.id).count(MessageState.SKIPPED) == len(users) - sent
    shop.deliver(2)
    assert len(shop.postbox.letters) == sent
    for order in (activate.launch, activate.pause, activate.cancel):
        with pytest.raises(CampaignNotReady):
            order(shop.ws, campaign.id)


def test_launching_twice_is_refused_and_doubles_nothing(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    with pytest.raises(CampaignNotReady) as refused:
        activate.launch(shop.ws, campaign.id)
    assert "szkic" in refused.value.say("pl") and "draft" in refused.value.say("en")
    shop.deliver(3)
    assert shop.postbox.recipients == ["anna@example.pl"]


def test_a_message_says_why_it_was_sent(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(1)
    with shop.ws.transaction() as conn:
        row = activate.messages_of(conn, campaign_id=campaign.id)[0]
    why = activate.message(shop.ws, row.id)
    assert why.segment_name == "Kupujący" and why.segment_sentence.pl and why.segment_sentence.en
    assert why.facts and why.facts["holds"] and why.facts["sentence"]["pl"]
    assert why.decision and why.decision.record_id == row.consent_record_id and why.decision.at == row.consent_at
    with shop.ws.transaction() as conn:
        kept = conn.execute("select facts from activate.messages").fetchone()
    assert kept and kept[0] == why.facts
    with pytest.raises(NotFound):
        activate.message(shop.ws, 999)


def test_a_changed_draft_is_a_new_version_and_a_launched_campaign_cannot_change(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    assert shop.campaign(id=campaign.id, subject="Inny temat").version == 2
    activate.launch(shop.ws, campaign.id)
    with pytest.raises(CampaignNotReady):
        shop.campaign(id=campaign.id)
    shop.deliver(1)
    assert shop.postbox.letter("anna@example.pl")["Subject"] == "Inny temat"


def test_a_preview_shows_the_person_and_warns_its_author(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    bare = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ person.first_name }} {{ prsn.name }}</mj-text></mj-column></mj-section></mj-body></mjml>"
    campaign = shop.campaign(mjml=bare)
    person = activate.audience(shop.ws, campaign.id).rows[0].person_id
    seen = activate.preview(shop.ws, campaign.id, person, shop.outlet)
    assert (seen.subject, "Anna" in seen.html, "Anna" in seen.text) == ("Cześć Anna", True, True)
    assert len(seen.warnings) == 3
    assert activate.preview(shop.ws, campaign.id).subject == "Cześć Ty"


@pytest.mark.parametrize("mjml", ["<mjml><mj-body>", "<mjml><mj-body><mj-foo/></mj-body></mjml>", "<mjml><mj-body><mj-text>{% if %}</mj-text></mj-body></mjml>"])
def test_a_broken_template_is_refused_when_it_is_saved(shop: Shop, mjml: str) -> None:
    with pytest.raises(TemplateInvalid):
        shop.campaign(mjml=mjml)


@pytest.mark.parametrize("wrong", [{"purpose": "dreams"}, {"holdout_percent": 90}, {"nonsense": 1}, {"cap": -1}, {"send_at": datetime(1, 1, 1)}, {"send_at": datetime(9999, 12, 31, 23)},
                                   {"sender": "Sklep"}, {"sender": "a@"}, {"sender": "Ż <żółw@example.pl>"}, {"sender": "a@example.pl, b@example.pl"}])  # fmt: skip
def test_a_wrong_draft_is_refused(shop: Shop, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        shop.campaign(**wrong)


def test_a_line_break_in_a_name_costs_its_own_message_only(shop: Shop) -> None:
    shop.tell({"type": "identify", "userId": "zły", "traits": {"first_name": "Zły\r\nBcc: all@example.pl", "email": "zly@example.pl"},
               "context": {"consent": {"categoryPreferences": {"marketing_email": True}}}})  # fmt: skip
    shop.tell({"type": "track", "event": "Order Completed", "userId": "zły", "properties": {"order_id": "1", "total": 9}})
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    shop.deliver(2)
    assert shop.states(campaign.id) == {"zly": "rendering_failed", "anna": "sent"}


def test_a_trial_goes_to_one_address_and_counts_nowhere(shop: Shop) -> None:
    campaign = shop.campaign()
    activate.test_send(shop.ws, campaign.id, "Author@example.pl")
    letter = shop.postbox.letter("author@example.pl")
    assert letter["Subject"] == "[test] Cześć Ty" and letter["List-Unsubscribe"] is None
    assert shop.states(campaign.id) == {} and shop.events(SENT) == []
    with pytest.raises(InvalidInput):
        activate.test_send(shop.ws, campaign.id, "no address")


def test_each_variant_can_be_seen_and_tried_before_it_is_sent(shop: Shop) -> None:
    campaign = shop.campaign(variants=[{"key": "B", "subject": "Drugi {{ person.first_name }}"}])
    seen = activate.preview(shop.ws, campaign.id, outlet=shop.outlet, variant="B")
    assert seen.subject == "Drugi " and any("first_name" in warning.pl for warning in seen.warnings)
    activate.test_send(shop.ws, campaign.id, "author@example.pl", shop.outlet, variant="B")
    assert shop.postbox.letter("author@example.pl")["Subject"].strip() == "[test] Drugi"
    for refused in (lambda: activate.preview(shop.ws, campaign.id, variant="C"), lambda: activate.test_send(shop.ws, campaign.id, "a@example.pl", variant="")):
        with pytest.raises(NotFound):
            refused()


def test_a_senders_domain_is_kept_as_servers_write_it(shop: Shop) -> None:
    assert shop.campaign(sender="Żółw <listy@żółw.pl>").sender == "Żółw <listy@xn--w-uga1v8h.pl>"
    assert shop.campaign(sender="").sender == ""
    assert shop.campaign(sender='"Sklep @ Dom" <hello@localhost>').sender == '"Sklep @ Dom" <hello@localhost>'


def test_a_person_gets_their_messages_and_can_be_erased_from_the_outbox(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    campaign = shop.campaign()
    activate.launch(shop.ws, campaign.id)
    with shop.ws.transaction() as conn:
        row = activate.messages_of(conn, campaign_id=campaign.id)[0]
        names = [one.identity_id for one in resolve.identifiers_of(conn, [row.person_id])[row.person_id]]
        assert activate.export_person(conn, names)["messages"][0]["address"] == "anna@example.pl"
        assert activate.erase_person(conn, names) == 1
        assert activate.export_person(conn, names) == {"messages": [], "returned_mail": [], "clicks": [], "links": [], "browsers": []}
        assert "anna" not in str(conn.execute("select * from activate.messages").fetchall())
        assert activate.campaign(conn, campaign.id).count() == 1
    shop.deliver(2)
    assert shop.postbox.letters == []


def test_ready_made_templates_compile_and_fill_for_anybody(shop: Shop) -> None:
    shop.person("anna", marketing_email=True)
    assert activate.templates()
    for mjml in activate.templates().values():
        seen = activate.preview(shop.ws, shop.campaign(mjml=mjml).id)
        assert not [warning for warning in seen.warnings if "zapasowej" in warning.pl] and "Wypisz" in seen.text and "{{" not in seen.html


@pytest.mark.parametrize("part", [{"subject": "x\r\nBcc: e@example.com"}, {"sender": "Shop <a@example.com>\nBcc: e@example.com"}])
def test_a_header_with_a_line_break_is_refused_when_the_draft_is_saved(shop: Any, part: dict[str, str]) -> None:
    with pytest.raises(HeaderRefused):
        shop.campaign(**part)
