"""Forms: what is wrong comes back with what was typed; what is right happens, and personal data never gets into an address."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cegla.activate import actions as activate
from cegla.collect import actions as collect
from cegla.console.language import Tongue
from cegla.govern import actions as govern
from cegla.repair import actions as repair
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Channel
from tests.console.conftest import Visitor

RULE = {"kind-0": "all", "kind-0.0": "leaf", "op-0.0": "did", "p-0.0-event": "Order Completed", "p-0.0-at_least": "2", "p-0.0-days": "90"}


def test_the_segment_form_counts_without_saving(admin: Visitor) -> None:
    answer = admin.post("/segments/new", "/segments/form", name="x", do="count", **RULE)
    assert answer.status_code == 200
    assert segment.sentence({"op": "did", "event": "Order Completed", "at_least": 2, "days": 90}, "pl") in answer.text
    assert re.search(r'class="figure">\d+ os', answer.text)


def test_a_button_adds_a_condition_and_keeps_the_others(admin: Visitor) -> None:
    text = admin.post("/segments/new", "/segments/form", do="add:0", **RULE).text
    assert 'name="op-0.1"' in text
    assert 'name="p-0.0-at_least" value="2"' in text


def test_an_incomplete_rule_comes_back_with_its_problem_and_its_fields(admin: Visitor) -> None:
    answer = admin.post("/segments/new", "/segments/form", name="Moje osoby", do="save", **{**RULE, "p-0.0-at_least": "dużo"})
    assert answer.status_code == 422
    assert "CEGLA-E0320" in answer.text
    assert 'value="dużo"' in answer.text
    assert 'value="Moje osoby"' in answer.text


def test_a_segment_is_saved_counted_and_edited_in_place(admin: Visitor, shop: Workspace) -> None:
    saved = admin.post("/segments/new", "/segments/form", name="Wierni", do="save", **RULE)
    assert saved.status_code == 303
    number = re.findall(r"/segments/(\d+)", saved.headers["location"])[0]
    admin.post("/segments/new", "/segments/form", name="Wierni", key=number, do="save", **{**RULE, "p-0.0-at_least": "3"})
    with shop.transaction() as conn:
        found = [row for row in segment.segments(conn) if row.name == "Wierni"]
    assert len(found) == 1
    assert found[0].rule["at_least"] == 3
    assert found[0].members > 0


def test_a_search_travels_in_the_form_and_an_exact_hit_opens_the_person(admin: Visitor) -> None:
    assert re.fullmatch(r"/people/\d+", admin.post("/people", "/people", q="OSOBA1@example.pl").headers["location"])
    found = admin.post("/people", "/people", q="osoba1")
    assert found.status_code == 200
    assert "o***@example.pl" in found.text
    assert 'method="post"' in found.text


def test_nobody_found_says_what_to_do(admin: Visitor) -> None:
    assert "Nikogo takiego nie ma" in admin.post("/people", "/people", q="zzzz-nobody").text


def test_personal_data_is_masked_until_it_is_revealed_and_the_reveal_is_noted(admin: Visitor, shop: Workspace) -> None:
    masked = admin.get("/people/1").text
    assert "osoba0@example.pl" not in masked and "600 000 000" not in masked and "600000000" not in masked
    revealed = admin.post("/people/1", "/people/1", why="prośba klienta").text
    assert "osoba0@example.pl" in revealed and "600000000" in revealed.replace(" ", "")
    with shop.transaction() as conn:
        row = govern.audit(conn, 1)[0]
    assert (row.actor, row.action, row.target) == ("test-administrator", "person.reveal", "p1")


def test_revealing_needs_a_reason(admin: Visitor) -> None:
    answer = admin.post("/people/1", "/people/1", why=" ")
    assert answer.status_code == 422
    assert "CEGLA-E0341" in answer.text


def test_a_new_source_shows_its_secret_once(admin: Visitor) -> None:
    answer = admin.post("/sources", "/sources", name="Nowy sklep", kind="server", basis="contract")
    assert "sk_" in answer.text
    number = re.search(r'hx-get="/sources/(\d+)"', answer.text)
    assert number
    page = admin.get(f"/sources/{number.group(1)}").text
    assert "sk_" not in page
    assert "wk_" in page


def test_a_source_without_a_name_keeps_the_choice(admin: Visitor) -> None:
    answer = admin.post("/sources", "/sources", name="", kind="server", basis="contract")
    assert answer.status_code == 422
    assert '<option value="server" selected>' in answer.text


def test_quarantined_events_are_replayed_and_noted(admin: Visitor, shop: Workspace) -> None:
    with shop.transaction() as conn:
        ids = [str(row.id) for row in repair.listed(conn)]
    answer = admin.post("/events/quarantine", "/events/quarantine/replay", id=ids)
    assert answer.headers["location"] == "/events/quarantine?done=replayed"
    with shop.transaction() as conn:
        assert not repair.listed(conn)
        assert govern.audit(conn, 1)[0].detail == {"events": len(ids)}


@pytest.mark.parametrize(("part", "seen"), [("since", "2026-13-01"), ("until", "wczoraj"), ("source", "x"), ("reason", "typo"), ("state", "gone")])
def test_all_of_a_filter_that_cannot_be_read_is_refused_and_not_all_of_a_wider_one(part: str, seen: str, admin: Visitor, shop: Workspace) -> None:
    with shop.transaction() as conn:
        before = repair.runs(conn)
    answer = admin.post("/events/quarantine", "/events/quarantine/replay", scope="all", do="discard", why="x", **{part: seen})
    with shop.transaction() as conn:
        assert (answer.status_code, repair.runs(conn)) == (422, before) and seen in answer.text


def test_a_webhook_does_not_take_the_place_of_another_of_its_name(admin: Visitor, shop: Workspace) -> None:
    asked = {"name": "Infolinia druga", "ready": "call_center", "basis": "consent"}
    made = admin.post("/sources/webhooks/new", "/sources/webhooks/new", **asked).headers["location"]
    number = int(made.split("/")[2])
    with shop.transaction() as conn:
        first = collect.webhook_of(conn, shop.keys, number)
    again = admin.post("/sources/webhooks/new", "/sources/webhooks/new", **asked)
    assert again.status_code == 422 and "tę nazwę ma już inne źródło" in again.text
    with shop.transaction() as conn:
        assert collect.webhook_of(conn, shop.keys, number) == first


def test_the_content_of_quarantine_is_for_those_who_may_see_personal_data(visitors: Callable[..., Any]) -> None:
    assert "&#34;userId&#34;" in visitors("administrator").get("/events/quarantine/1").text
    assert "&#34;userId&#34;" not in visitors("engineer").get("/events/quarantine/1").text


def test_a_weak_password_is_told_and_nothing_changes(admin: Visitor) -> None:
    answer = admin.post("/settings", "/settings/users", name="nowa", role="marketer", password="krótkie")
    assert answer.status_code == 422
    assert "CEGLA-E0340" in answer.text
    assert 'value="nowa"' in answer.text


LETTER = "<mjml><mj-body><mj-section><mj-column><mj-text>Cześć! {{ unsubscribe_url }}</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.fixture
def campaign(admin: Visitor) -> str:
    """The address of a saved draft."""
    text = admin.get("/campaigns/new?segment=1").text
    subject = "Witaj, {{ person.first_name | default: 'Kliencie' }}"
    assert "<mjml>" in text.replace("&lt;", "<").replace("&gt;", ">")
    saved = admin.post("/campaigns/new", "/campaigns/form", name="Próba", segment_id="1", subject=subject, mjml=LETTER, cap="2")
    assert saved.status_code == 303
    return saved.headers["location"].partition("?")[0]


def test_a_template_that_does_not_compile_comes_back_as_typed(admin: Visitor) -> None:
    answer = admin.post("/campaigns/new", "/campaigns/form", name="Zła", segment_id="1", subject="s", mjml="<mjml><oops>")
    assert answer.status_code == 422
    assert "CEGLA-E0330" in answer.text
    assert "&lt;oops&gt;" in answer.text
    assert 'value="Zła"' in answer.text


def test_a_campaign_is_previewed_in_a_frame_that_can_do_nothing(admin: Visitor, campaign: str, shop: Workspace) -> None:
    with shop.transaction() as conn:
        person = segment.membership(conn, 1, 0, 1)[0].person_id
    page = admin.post(campaign, f"{campaign}/preview", person=f"p{person}")
    assert 'sandbox=""' in page.text
    body = admin.get(f"{campaign}/preview/p{person}")
    assert "Cześć!" in body.text
    assert "sandbox" in body.headers["content-security-policy"]


def test_every_variant_of_a_campaign_is_previewed(admin: Visitor, shop: Workspace) -> None:
    words = {"name": "Próba", "segment_id": "1", "subject": "Pierwszy", "mjml": LETTER, "mjml_b": LETTER.replace("Cześć", "Drugi list")}
    address = admin.post("/campaigns/new", "/campaigns/form", **words, subject_b="Drugi temat").headers["location"].partition("?")[0]
    with shop.transaction() as conn:
        person = segment.membership(conn, 1, 0, 1)[0].person_id
    page = admin.post(address, f"{address}/preview", person=f"p{person}", variant="B").text
    assert f"/preview/p{person}?variant=B" in page and '<option value="B" selected>' in page and "B: Drugi temat" in page
    assert "Drugi list" in admin.get(f"{address}/preview/p{person}?variant=B").text
    assert admin.get(f"{address}/preview/p{person}?variant=H").status_code == 404


def test_a_text_messages_page_says_the_speed_of_its_channel(admin: Visitor, shop: Workspace) -> None:
    words = {"channel": "sms", "name": "Rabat", "segment_id": "1", "text": "Rabat do piatku"}
    address = admin.post("/campaigns/new/sms", "/campaigns/short", **words).headers["location"].partition("?")[0]
    with shop.transaction() as conn:
        speed = activate.carriers.speed_of(conn, Channel.SMS)
    page = admin.get(address).text
    assert speed != shop.settings.smtp.messages_per_minute and Tongue("pl", shop.settings.zone, "PLN").number(speed) + " na minutę" in page
    assert "Wiadomości marketingowe" in page


def test_a_text_message_is_scheduled_and_compared_as_a_letter_is(admin: Visitor, shop: Workspace) -> None:
    words = {"channel": "sms", "name": "Rabat", "segment_id": "1", "text": "Rabat do piatku", "send_at": "2027-01-04T10:00", "clock": "usual"}
    wrong = admin.post("/campaigns/new/sms", "/campaigns/short", **words | {"test_percent": "jutro"}, text_b="Ostatnie dni")
    assert wrong.status_code == 422 and "Ostatnie dni" in wrong.text
    saved = admin.post("/campaigns/new/sms", "/campaigns/short", **words, text_b="Ostatnie dni", share_b="3", text_c="Koniec", test_percent="40")
    number = saved.headers["location"].partition("?")[0].rpartition("/")[2]
    with shop.transaction() as conn:
        found = activate.campaign(conn, int(number))
    assert (found.clock, found.test_percent, found.goal, [(one.key, one.text, one.share) for one in found.variants]) == (
        "usual", 40, "orders", [("B", "Ostatnie dni", 3), ("C", "Koniec", 1)],
    )  # fmt: skip
    form = admin.get(f"/campaigns/{number}/words").text
    assert 'value="2027-01-04T10:00"' in form and "Koniec" in form and 'name="text_d"' in form


def test_the_dry_run_adds_up_and_sending_asks_for_the_number(admin: Visitor, campaign: str, shop: Workspace) -> None:
    figures = [int(number) for number in re.findall(r'class="figure">(\d+)<', admin.get(f"{campaign}/audience").text)]
    assert figures[0] == sum(figures[1:])
    assert admin.post(f"{campaign}/send", f"{campaign}/send", count=str(figures[1])).status_code == 422
    assert admin.post(f"{campaign}/send", f"{campaign}/send", count="999", sure="yes").status_code == 422
    sent = admin.post(f"{campaign}/send", f"{campaign}/send", count=str(figures[1]), sure="yes")
    assert sent.status_code == 303
    assert admin.get(campaign).status_code == 200
    report = admin.get(f"{campaign}/report").text
    message = re.search(r'href="/messages/(\d+)"', report)
    assert message
    assert "brak zgody" in report or "wysłanie" in report
    assert admin.get(f"/messages/{message.group(1)}").status_code == 200
    assert admin.post("/settings", f"{campaign}/steer", do="cancel").status_code in (303, 409)


def test_a_campaign_for_later_is_in_the_calendar_and_its_report_leads_to_people(admin: Visitor, campaign: str, shop: Workspace) -> None:
    number = campaign.rpartition("/")[2]
    with shop.transaction() as conn:
        largest = str(max(segment.segments(conn), key=lambda one: one.members or 0).id)
    later = (shop.clock() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    words = dict.fromkeys(("subject", "name"), "Na później") | {"id": number, "segment_id": largest, "mjml": LETTER, "send_at": later, "clock": "person"}
    assert admin.post(f"{campaign}/edit", "/campaigns/form", **words | {"send_at": "kiedyś"}).status_code == 422
    assert admin.post(f"{campaign}/edit", "/campaigns/form", **words, subject_b="Inny", test_percent="40").status_code == 303
    count = re.findall(r'class="figure">(\d+)<', admin.get(f"{campaign}/audience").text)[1]
    assert admin.post(f"{campaign}/send", f"{campaign}/send", count=count, sure="yes").status_code == 303
    assert "Ruszy" in admin.get(campaign).text and "Na później" in admin.get("/campaigns/calendar").text
    assert admin.post(campaign, f"{campaign}/steer", do="cancel").status_code == 303
    assert admin.post(f"{campaign}/edit", "/campaigns/form", **words | {"send_at": ""}, subject_b="Inny", test_percent="40").status_code == 303
    assert admin.post(f"{campaign}/send", f"{campaign}/send", count=count, sure="yes").status_code == 303
    assert int(count) > 0 and "Wyślij reszcie B" in admin.get(campaign).text
    assert admin.post(campaign, f"{campaign}/choose", key="B").status_code == 303
    assert "Wybrany wariant: B" in admin.get(campaign).text
    for query in ("?state=chosen", "?reason=no_consent", "?arm=A", "?step=clicked", "?step=ordered", "?state=skipped&reason=no_consent&before=999999"):
        assert admin.get(f"{campaign}/report{query}").status_code == 200
    map_of_links = admin.get(f"{campaign}/map/B")
    assert "sandbox" in map_of_links.headers["content-security-policy"] and "Inny" not in map_of_links.text
    assert "zapis szkicu" in admin.get(f"{campaign}/report").text, "who did what"
    assert admin.post(campaign, f"{campaign}/choose", key="nobody").status_code == 303


WRONG_CHOICES = [
    ("/analysers", "/analysers", {"analyser": "os", "on": "true"}), ("/analysers", "/analysers", {"analyser": "os"}), ("/syncs", "/syncs/1", {"do": "stop"}),
    ("/campaigns/1", "/campaigns/1/steer", {"do": "halt"}), ("/sources/1", "/sources/1/keys", {"do": "rotate"}), ("/feeds", "/feeds/1", {"do": ""}),
    ("/events/volumes", "/events/amend", {"source": "1", "event": "Order Completed", "do": "aprove"}),
]  # fmt: skip


def test_what_a_form_may_not_say_is_refused_and_changes_nothing(admin: Visitor, shop: Workspace) -> None:
    def noted() -> Any:
        with shop.transaction() as conn:
            return conn.execute("select count(*) from govern.audit").fetchone()

    before = noted()
    answers = [admin.post(page, path, **form) for page, path, form in WRONG_CHOICES]
    assert [(answer.status_code, "CEGLA-E0342" in answer.text) for answer in answers] == [(422, True)] * len(WRONG_CHOICES)
    assert noted() == before
