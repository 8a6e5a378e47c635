"""What the script sends arrives once each: through reloads, time without a network, refusals, closed pages and several tabs."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from cegla.flow import Intake
from cegla.storage.settings import Settings
from cegla.storage.warehouse import table
from cegla.storage.workspace import Workspace

GRANTED = 'data-consent="granted"'
QUIET = 'data-consent="granted" data-auto=""'
WAITING = "() => Object.keys(localStorage).filter((name) => name.startsWith('cegla.q.')).length"


def emptied(visit: Any) -> None:
    """Wait until nothing waits."""
    visit.page.wait_for_function(f"() => ({WAITING})() === 0")


def answered(visit: Any) -> None:
    """Wait until the collector has answered something, whatever it was."""
    while not visit.inbox.moody.seen:
        visit.page.wait_for_timeout(50)


def test_one_line_on_another_origin_under_a_strict_policy_is_enough(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.go()
    (view,) = someone.inbox.wait_for("page")
    (request,) = someone.inbox.requests()
    assert request["writeKey"] == someone.inbox.key
    assert request["sentAt"] >= view["timestamp"]
    assert someone.inbox.address not in someone.home
    emptied(someone)


def test_calls_before_the_script_came_are_done_in_their_order(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.page.add_init_script("window.cegla = window.cegla || function () { (cegla.q = cegla.q || []).push(arguments) }; cegla('identify', 'u1'); cegla('track', 'Early', {})")
    someone.go()
    someone.inbox.wait_for("Early")
    assert [event["type"] for event in someone.inbox.events()] == ["identify", "track"]


def test_the_queue_survives_a_time_without_a_network_and_a_reload(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.go()
    someone.context.set_offline(True)
    someone.run("for (let n = 0; n < 3; n++) cegla('track', 'Offline ' + n, {})")
    someone.page.wait_for_timeout(1_200)
    assert someone.page.evaluate(WAITING) == 3
    someone.inbox.moody.moods = [(503, {})] * 99  # back on the network, but the collector has trouble of its own
    someone.context.set_offline(False)
    someone.go("/next")
    answered(someone)
    assert (someone.page.evaluate(WAITING), someone.inbox.events()) == (3, [])
    someone.inbox.moody.moods.clear()
    someone.inbox.wait_for("Offline 2")
    emptied(someone)
    tried = [event["messageId"] for body in someone.sent for event in json.loads(body)["batch"]]
    assert len(tried) > 3
    assert len(set(tried)) == len(someone.inbox.events()) == 3


def test_retry_after_is_kept_by_all_tabs_and_nothing_is_lost(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.go()
    someone.inbox.moody.moods = [(429, {"Retry-After": "3"}), (503, {"Retry-After": "1"})]
    someone.run("cegla('track', 'First', {})")
    other = someone.go("/other", someone.open())
    other.wait_for_timeout(1_500)
    other.evaluate("() => cegla('track', 'Second', {})")
    someone.inbox.wait_for("Second")
    someone.inbox.wait_for("First")
    times = [at for at, _ in someone.inbox.moody.seen]
    assert [status for _, status in someone.inbox.moody.seen[:3]] == [429, 503, 0]
    assert times[1] - times[0] >= 3
    assert times[2] - times[1] >= 1
    assert set(Counter(event["messageId"] for event in someone.inbox.events()).values()) == {1}


def test_a_tab_that_gets_its_turn_when_the_other_was_just_told_to_wait_waits_too(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.page.add_init_script(
        "const honest = LockManager.prototype.request; LockManager.prototype.request = function (...asked) {"
        f" if (!window.until && ({WAITING})()) localStorage.setItem('cegla.wait', window.until = Date.now() + 2500); return honest.apply(this, asked) }}"
    )
    someone.go()
    someone.run("cegla('track', 'Patient', {})")
    someone.inbox.wait_for("Patient")
    until = someone.page.evaluate("() => window.until")
    assert datetime.fromisoformat(json.loads(someone.sent[0])["sentAt"]).timestamp() * 1_000 >= until


def test_a_wrong_key_stops_sending_and_keeps_the_events(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.go()
    someone.inbox.moody.moods = [(401, {})]
    someone.run("cegla('track', 'Kept', {})")
    answered(someone)
    someone.run("cegla('track', 'Kept Too', {})")
    someone.page.wait_for_timeout(1_400)
    assert len(someone.inbox.moody.seen) == 1
    someone.go("/next")
    someone.inbox.wait_for("Kept Too")
    someone.inbox.wait_for("Kept")


def test_a_batch_that_is_too_large_is_halved(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.go()
    someone.inbox.moody.moods = [(413, {})]
    someone.run("for (let n = 0; n < 9; n++) cegla('track', 'Large ' + n, {text: 'x'.repeat(6000)})")
    for number in range(9):
        someone.inbox.wait_for(f"Large {number}")
    assert len(someone.inbox.requests()) >= 2


def test_a_page_that_is_left_sends_its_last_words_in_small_pieces(visit: Callable[..., Any]) -> None:
    someone = visit(GRANTED)
    someone.go()
    someone.inbox.wait_for("page")
    someone.run("for (let n = 0; n < 12; n++) cegla('track', 'Last ' + n, {text: 'x'.repeat(9000)})")
    someone.page.goto("about:blank")
    assert someone.inbox.wait_for("Last 0")
    assert all(len(body) <= 65_536 for body in someone.sent)
    someone.go("/next")  # what the browser did not let out comes with the next page
    for number in range(12):
        someone.inbox.wait_for(f"Last {number}")


def test_without_storage_a_page_that_is_left_still_tells(visit: Callable[..., Any]) -> None:
    someone = visit('data-mode="cookieless"')
    someone.go()
    someone.inbox.wait_for("page")
    someone.page.wait_for_timeout(1_100)
    someone.run("cegla('track', 'Last Words', {})")
    someone.page.goto("about:blank")
    someone.inbox.wait_for("Last Words")
    someone.inbox.wait_for("Page Left")


def test_two_tabs_share_a_queue_and_every_event_is_stored_once(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    first, second = someone.go(), someone.go("/other", someone.open())
    for number in range(10):
        for name, page in (("Left", first), ("Right", second)):
            page.evaluate(f"() => cegla('track', '{name} {number}', {{}})")
    someone.inbox.wait_for("Left 9")
    someone.inbox.wait_for("Right 9")
    emptied(someone)
    names = Counter(event["event"] for event in someone.inbox.events())
    assert names == Counter(f"{name} {number}" for name in ("Left", "Right") for number in range(10))
    assert len({event["anonymousId"] for event in someone.inbox.events()}) == 1


def test_reset_and_another_user_begin_a_new_person_in_this_browser(visit: Callable[..., Any]) -> None:
    someone = visit(QUIET)
    someone.go()
    someone.run(
        "cegla('identify', 'u1', {plan: 'pro'}); cegla('group', 'g1', {name: 'Firma'}); cegla('alias', 'u2'); cegla('reset');"
        "cegla('track', 'Stranger', {}); cegla('identify', 'u3'); cegla('identify', 'u4')"
    )
    someone.inbox.wait_for("identify", 3)
    events = someone.inbox.events()
    first, group, alias, stranger, third, fourth = events
    assert (first["userId"], first["traits"]) == ("u1", {"plan": "pro"})
    assert (group["groupId"], group["traits"]) == ("g1", {"name": "Firma"})
    assert (alias["userId"], alias["previousId"]) == ("u2", "u1")
    assert "userId" not in stranger
    assert first["anonymousId"] == group["anonymousId"] == alias["anonymousId"] != stranger["anonymousId"] == third["anonymousId"] != fourth["anonymousId"]
    assert someone.state()["userId"] == "u4"


def test_what_the_script_sends_is_in_the_history_once(visit: Callable[..., Any], tmp_path: Path) -> None:
    someone = visit(GRANTED)
    someone.go("/szukaj?q=czapka")
    someone.page.click("#buy")
    someone.run("cegla('track', 'Product Added', {product_id: 'S-1', price: 19.99})")
    someone.page.wait_for_timeout(1_200)
    someone.go("/next")
    someone.inbox.wait_for("page", 2)
    someone.inbox.wait_for("Page Left")
    sent = Counter({"page": "Page Viewed"}.get(event["type"], event.get("event", "")) for event in someone.inbox.events())
    ws = Workspace(Settings.model_validate({"data_dir": tmp_path}), someone.inbox.dsn, pool_size=2)
    Intake(ws).drain()
    rows = ws.warehouse.run(table("events")).to_pylist()
    ws.close()
    assert Counter(row["name"] for row in rows) == sent
    assert all(row["original_at"] == row["occurred_at"] <= row["sent_at"] for row in rows)
    assert {row["page_path"] for row in rows} == {"/szukaj", "/next"}
    assert {json.loads(row["properties"])["query"] for row in rows if row["name"] == "Site Searched"} == {"czapka"}
