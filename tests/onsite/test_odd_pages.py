"""Pages that do odd things: values that cannot be written, calls that fail, a changed clock, names of other people, a page that comes back."""

import json
from collections.abc import Callable
from typing import Any

QUIET = 'data-consent="granted" data-auto=""'
STUB = "window.cegla = window.cegla || function () { (cegla.q = cegla.q || []).push(arguments) };"
CHOICE = "window.choice = (say) => ({analytics: localStorage.getItem('refused') === null})"


def test_what_cannot_be_written_costs_nothing_but_itself(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.page.add_init_script(STUB + "const round = {}; round.self = round; cegla('track', 'Round', round); cegla('track', 'Large', {number: 10n}); cegla('track', 'After', {price: 1})")
    someone.go()
    someone.run("const basket = {price: 2}; cegla('track', 'Changed', basket); basket.price = 3; cegla('identify', null, {plan: 'pro'})")
    someone.inbox.wait_for("identify")
    events = {event.get("event", event["type"]): event for event in someone.inbox.events()}
    assert set(events) == {"After", "Changed", "identify"}
    assert (events["Changed"]["properties"], events["identify"]["traits"]) == ({"price": 2}, {"plan": "pro"})


def test_what_was_called_before_a_reset_belongs_to_who_was_there(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.go()
    someone.run("cegla('identify', 'u1'); cegla('alias', 'u2', 'u1')")
    someone.page.add_init_script(STUB + "cegla('track', 'Signed Out', {}); cegla('reset'); cegla('track', 'Stranger', {})")
    someone.go("/next")
    (out,), (stranger,) = someone.inbox.wait_for("Signed Out"), someone.inbox.wait_for("Stranger")
    assert (out["userId"], out["anonymousId"]) == ("u1", someone.inbox.wait_for("identify")[0]["anonymousId"])
    assert "userId" not in stranger
    assert stranger["anonymousId"] != out["anonymousId"]


def test_ids_that_meet_before_consent_are_those_of_after_it(visit: Callable[..., Any]) -> None:
    someone = visit('data-auto=""')
    someone.go()
    someone.run("cegla('alias', 'u2')")
    someone.agree()
    (alias,) = someone.inbox.wait_for("alias")
    assert (alias["userId"], alias["previousId"]) == ("u2", alias["anonymousId"])


def test_a_refusal_that_another_tool_tells_on_a_later_page_is_a_withdrawal(visit: Callable[..., Any]) -> None:
    someone = visit('data-consent="choice" data-auto="page"')
    someone.page.add_init_script(CHOICE)
    someone.go()
    anonymous = someone.inbox.wait_for("page")[0]["anonymousId"]
    someone.inbox.wait_for("Segment Consent Preference Updated")
    someone.run("localStorage.setItem('refused', '1'); localStorage.setItem('ceglarnia', 'theirs')")
    someone.go("/next")
    told = someone.inbox.wait_for("Segment Consent Preference Updated", 2)[-1]
    assert (told["anonymousId"], told["context"]["consent"]["categoryPreferences"]["analytics"]) == (anonymous, False)
    assert someone.stored()["local"] == {"refused": "1", "ceglarnia": "theirs"}


def test_a_page_that_comes_back_knows_what_was_withdrawn_meanwhile(visit: Callable[..., Any]) -> None:
    someone = visit('data-auto="page"')
    someone.go()
    someone.agree()
    someone.inbox.wait_for("Segment Consent Preference Updated")
    someone.run("const turn = (name) => dispatchEvent(new PageTransitionEvent(name, {persisted: true})); turn('pagehide'); localStorage.clear(); turn('pageshow')")
    assert (someone.state()["level"], someone.state()["anonymousId"]) == ("nothing", None)
    someone.page.wait_for_timeout(1_200)
    assert (len(someone.inbox.wait_for("page")), someone.stored()["local"]) == (1, {})


def test_a_wait_from_a_clock_that_was_wrong_holds_nobody_up(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.page.add_init_script("localStorage.setItem('cegla.wait', Date.now() + 63072000000)")
    someone.go()
    someone.run("cegla('track', 'Sent', {})")
    someone.inbox.wait_for("Sent", seconds=5)


def test_elements_with_odd_names_and_halved_letters_are_told(visit: Callable[..., Any]) -> None:
    someone = visit('data-consent="granted" data-auto="page clicks search"')
    someone.go("/szukaj?q=" + "x" * 199 + "%F0%9F%A7%A6&hasło=tajne&state=" + "x" * 6_000)
    someone.run("document.body.innerHTML = '<main id=\"words\"><o:p>Raz</o:p><o:p>Dwa</o:p></main>'")
    someone.page.click("main > :nth-child(2)")
    (click,), (search,) = someone.inbox.wait_for("Element Clicked"), someone.inbox.wait_for("Site Searched")
    assert someone.page.evaluate("(path) => document.querySelector(path).textContent", click["properties"]["element"]) == "Dwa"
    assert json.dumps(search["properties"]["query"]) == json.dumps("x" * 199)
    assert "tajne" not in "".join(someone.sent)
