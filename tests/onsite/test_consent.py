"""Consent comes first: nothing stored and nothing that identifies on the wire before it, and nothing left after a withdrawal."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

NOTHING = {"cookies": "", "local": {}, "session": {}, "databases": 0, "caches": 0}
IDENTIFIER = re.compile(r'"(?:anonymousId|userId|traits|userAgentData)":|[0-9a-f]{8}-[0-9a-f]{4}')


def roam(visit: Any) -> None:
    """Everything that could make an event."""
    visit.go()
    visit.run("cegla('identify', 'u1', {email: 'anna@example.pl'}); cegla('track', 'Product Viewed', {product_id: 7}); cegla('group', 'g1')")
    visit.page.click("#buy")
    visit.run("history.pushState({}, '', '/szukaj?q=czapka'); window.scrollTo(0, 900)")
    visit.page.wait_for_timeout(200)
    visit.go("/next")
    visit.page.wait_for_timeout(1_300)


@pytest.mark.parametrize("options", ["", 'data-before="drop"', 'data-consent="gtag"', 'data-consent="tcf"', 'data-consent="cmp.ask"'])
def test_before_consent_nothing_is_stored_and_nothing_is_sent(options: str, visit: Callable[..., Any]) -> None:
    someone = visit(options)
    roam(someone)
    assert someone.stored() == NOTHING
    assert someone.sent == []
    assert someone.context.cookies() == []


def test_the_same_walk_with_consent_stores_and_sends(visit: Callable[..., Any]) -> None:
    someone = visit('data-consent="granted"')
    roam(someone)
    someone.inbox.wait_for("page")
    assert "cegla" in someone.stored()["local"]
    assert any(IDENTIFIER.search(body) for body in someone.sent)


def test_what_was_held_back_is_sent_in_order_once_somebody_agrees(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.go()
    someone.run("cegla('track', 'Product Viewed', {}); cegla('identify', 'u1', {plan: 'pro'}); cegla('track', 'Product Added', {})")
    someone.agree()
    someone.inbox.wait_for("Segment Consent Preference Updated")
    events = someone.inbox.events()
    assert [event.get("event", event["type"]) for event in events] == ["page", "Product Viewed", "identify", "Product Added", "Segment Consent Preference Updated"]
    assert len({event["anonymousId"] for event in events}) == 1
    assert [event.get("userId") for event in events] == [None, None, "u1", "u1", "u1"]
    assert all(event["context"]["consent"] == {"categoryPreferences": {"analytics": True, "profiling": True}} for event in events)


def test_with_drop_only_what_follows_the_consent_is_sent(visit: Callable[..., Any]) -> None:
    someone = visit('data-before="drop"')
    someone.go()
    someone.run("cegla('track', 'Product Viewed', {})")
    someone.agree()
    someone.inbox.wait_for("page")
    assert "Product Viewed" not in [event.get("event") for event in someone.inbox.events()]


def test_consent_lasts_over_pages_and_tabs_without_being_asked_again(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.go()
    someone.agree()
    anonymous = someone.inbox.wait_for("page")[0]["anonymousId"]
    someone.go("/next")
    someone.go("/other", someone.open())
    assert [event["anonymousId"] for event in someone.inbox.wait_for("page", 3)] == [anonymous] * 3
    assert len(someone.inbox.wait_for("Segment Consent Preference Updated")) == 1


def test_a_refusal_stores_and_sends_nothing(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.go()
    someone.run("cegla('track', 'Product Viewed', {}); cegla('consent', {analytics: false}); cegla('track', 'Product Added', {})")
    someone.page.wait_for_timeout(1_300)
    assert (someone.stored(), someone.sent) == (NOTHING, [])


def test_a_withdrawal_deletes_ids_and_queue_and_tells_the_server_last(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.go()
    someone.agree()
    anonymous = someone.inbox.wait_for("page")[0]["anonymousId"]
    someone.inbox.wait_for("Segment Consent Preference Updated")
    someone.run("cegla('track', 'Never Sent', {}); cegla('consent', {analytics: false}); cegla('track', 'Neither', {})")
    told = someone.inbox.wait_for("Segment Consent Preference Updated", 2)[-1]
    assert told["anonymousId"] == anonymous
    assert told["context"]["consent"]["categoryPreferences"]["analytics"] is False
    assert someone.stored() == NOTHING
    assert not {"Never Sent", "Neither"} & {event.get("event") for event in someone.inbox.events()}
    assert someone.state()["anonymousId"] is None
    someone.agree()
    assert someone.inbox.wait_for("Segment Consent Preference Updated", 3)[-1]["anonymousId"] != anonymous


def test_a_withdrawal_in_one_tab_holds_in_the_others(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.go()
    someone.agree()
    someone.inbox.wait_for("page")
    other = someone.go("/other", someone.open())
    someone.run("cegla('consent', {analytics: false})")
    other.wait_for_function("() => cegla('state').level === 'nothing'")
    other.evaluate("() => cegla('track', 'Never Sent', {})")
    other.wait_for_timeout(1_300)
    assert someone.stored() == NOTHING
    assert "Never Sent" not in [event.get("event") for event in someone.inbox.events()]


GTAG = "window.dataLayer = window.dataLayer || []; window.gtag = function () { dataLayer.push(arguments) };"


@pytest.mark.parametrize("early", [True, False])
def test_googles_consent_mode_is_heard_before_and_after_the_script(early: bool, visit: Callable[..., Any]) -> None:
    someone = visit('data-consent="gtag"')
    update = "gtag('consent', 'update', {analytics_storage: 'granted', ad_personalization: 'denied'});"
    someone.page.add_init_script(GTAG + "gtag('consent', 'default', {analytics_storage: 'granted'});" + (update if early else ""))
    someone.go()
    if not early:
        assert someone.state()["level"] == "nothing"  # nobody agreed by a default
        someone.run(update)
    consent = someone.inbox.wait_for("page")[0]["context"]["consent"]
    assert consent == {"categoryPreferences": {"analytics": True, "profiling": False}, "form": "gtag"}


def test_a_tcf_string_is_heard_and_kept_as_proof(visit: Callable[..., Any]) -> None:
    someone = visit('data-consent="tcf"')
    someone.go()
    someone.run(
        "window.__tcfapi = (command, version, hear) => setTimeout(() => hear({eventStatus: 'useractioncomplete', tcString: 'CPX', purpose: {consents: {1: true, 8: true}}}, true), 10)"
    )
    consent = someone.inbox.wait_for("page")[0]["context"]["consent"]
    assert consent == {"categoryPreferences": {"analytics": True, "profiling": False}, "form": "tcf", "tcString": "CPX"}


def test_a_function_of_the_page_may_say_it(visit: Callable[..., Any]) -> None:
    someone = visit('data-consent="cmp.ask"')
    someone.page.add_init_script("window.cmp = {ask(say) { setTimeout(say, 50, {analytics: true, marketing_email: false}) }}")
    someone.go()
    assert someone.inbox.wait_for("page")[0]["context"]["consent"] == {"categoryPreferences": {"analytics": True, "marketing_email": False}}


def test_global_privacy_control_is_an_objection_to_profiling_that_can_be_shown(visit: Callable[..., Any]) -> None:
    someone = visit()
    someone.page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    someone.go()
    someone.agree()
    context = someone.inbox.wait_for("page")[0]["context"]
    assert context["gpc"] is True
    assert context["consent"]["categoryPreferences"] == {"analytics": True, "profiling": False}
    assert someone.state()["gpc"] is True


def test_cookieless_knows_a_visitor_for_one_page_load_and_stores_nothing(visit: Callable[..., Any]) -> None:
    someone = visit('data-mode="cookieless"')
    someone.go()
    someone.run("cegla('identify', 'u1', {email: 'anna@example.pl'}); cegla('track', 'Product Viewed', {})")
    someone.inbox.wait_for("Product Viewed")
    someone.go("/next")
    someone.inbox.wait_for("page", 2)
    events = someone.inbox.events()
    assert someone.stored() == NOTHING
    assert all(event["context"]["cookieless"] is True and "userId" not in event for event in events)
    assert "identify" not in [event["type"] for event in events]
    assert len({event["anonymousId"] for event in events}) == 2
    assert "anna@example.pl" not in json.dumps(events)


def test_cookieless_is_silent_after_a_refusal_and_knows_people_after_consent(visit: Callable[..., Any]) -> None:
    someone = visit('data-mode="cookieless"')
    someone.go()
    someone.agree()
    someone.run("cegla('identify', 'u1', {})")
    assert someone.inbox.wait_for("identify")[0]["userId"] == "u1"
    assert someone.stored() == NOTHING
    someone.run("cegla('consent', {analytics: false}); cegla('track', 'Never Sent', {})")
    someone.page.wait_for_timeout(1_300)
    assert "Never Sent" not in [event.get("event") for event in someone.inbox.events()]


def test_counting_before_consent_stores_nothing_and_sends_nothing_two_visits_share(visit: Callable[..., Any]) -> None:
    someone = visit('data-before="aggregate"')
    for path in ("/skarpety?email=anna@example.pl", "/next"):
        someone.go(path)
        someone.run("cegla('identify', 'u1', {email: 'anna@example.pl'}); cegla('track', 'Product Viewed', {secret: 1})")
        someone.page.wait_for_timeout(1_200)
    events = someone.inbox.wait_for("Product Viewed", 2)
    assert someone.stored() == NOTHING
    assert not re.search(r'"(anonymousId|userId|traits|userAgentData|locale|secret)"|anna', "".join(someone.sent))
    chances = [re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", json.dumps(event)) for event in someone.inbox.events()]
    assert len({one for found in chances for one in found}) == len(chances)
    assert all(event["context"]["aggregate"] is True for event in events)
    someone.agree()
    assert someone.inbox.wait_for("Segment Consent Preference Updated")[0]["anonymousId"]
