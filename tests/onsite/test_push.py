"""Web push in the visitor's browser: asked only after consent, told to us, taken back with the consent; and the worker that shows what comes.

Debian's Chromium has no push service, so `subscribe` is refused there: one test sees that, the others put an answer of a push service in its place.
What comes after it, the worker and its notification, is the browser's own.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

ANSWERS = "http://127.0.0.1:9/visitor/push"
KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
YES, NO = (f"cegla('consent', {{analytics: true, marketing_push: {said}}})" for said in ("true", "false"))
SERVICE = """
const made = {endpoint: 'https://push.example/1', toJSON() { return {endpoint: this.endpoint, keys: {p256dh: 'p', auth: 'a'}} }, unsubscribe: async () => true};
PushManager.prototype.subscribe = async (wish) => { window.wished = wish; return made };
PushManager.prototype.getSubscription = async () => made;
"""


@pytest.fixture
def visitor(visit: Callable[..., Any]) -> Callable[..., Any]:
    """A visitor whose site asks for web push, and what the script told us about it."""

    def make(*scripts: str, granted: bool = True) -> Any:
        someone = visit(f'data-push="{ANSWERS}"')
        someone.told = []
        someone.page.route(ANSWERS, lambda route: (someone.told.append(json.loads(route.request.post_data)), route.fulfill(json={"key": KEY, "kept": True}))[1])
        if granted:
            someone.context.grant_permissions(["notifications"], origin=someone.home)
        for script in scripts:
            someone.page.add_init_script(script)
        someone.go()
        return someone

    return make


def asked(someone: Any) -> str:
    return someone.page.evaluate("() => cegla('push')")


def test_nobody_is_asked_before_the_consent_and_nobody_is_subscribed_against_the_browsers_word(visitor: Callable[..., Any]) -> None:
    someone = visitor("Notification.requestPermission = async () => 'denied'", granted=False)
    assert asked(someone) == "no consent"
    someone.run(YES)
    assert asked(someone) == "denied" and someone.told == []


def test_a_browser_without_a_push_service_says_so(visitor: Callable[..., Any]) -> None:
    someone = visitor()
    someone.run(YES)
    assert asked(someone) == "unsupported"
    assert [list(one) for one in someone.told] == [["write_key", "anonymous_id"]], "only the key was asked for"
    someone.wrong = [wrong for wrong in someone.wrong if "support the Push API" not in wrong]  # the browser's own word on it


def test_a_subscription_is_told_with_its_keys_and_taken_back_with_the_consent(visitor: Callable[..., Any]) -> None:
    someone = visitor(SERVICE)
    someone.run(YES)
    assert asked(someone) == "subscribed"
    assert someone.page.evaluate("() => wished.userVisibleOnly && wished.applicationServerKey") == KEY
    facts = {"write_key": someone.inbox.key, "anonymous_id": someone.told[0]["anonymous_id"]}
    assert someone.told == [facts, facts | {"endpoint": "https://push.example/1", "keys": {"p256dh": "p", "auth": "a"}}]
    with someone.page.expect_response(ANSWERS):
        someone.run(NO)
    assert someone.told[2] == facts | {"endpoint": "https://push.example/1", "gone": True}


def test_the_worker_shows_what_comes(visitor: Callable[..., Any]) -> None:
    someone = visitor(SERVICE)
    someone.run(YES)
    asked(someone)
    desk = someone.context.new_cdp_session(someone.page)
    registered: list[str] = []
    desk.on("ServiceWorker.workerRegistrationUpdated", lambda said: registered.extend(one["registrationId"] for one in said["registrations"]))
    desk.send("ServiceWorker.enable")
    for _ in range(600):  # the browser tells of its workers in its own time
        if registered:
            break
        someone.page.wait_for_timeout(100)
    words = {"title": "Nowości", "body": "Zobacz", "url": "https://cegla.example/r/x", "tag": "c7"}
    desk.send("ServiceWorker.deliverPushMessage", {"origin": someone.home, "registrationId": registered[0], "data": json.dumps(words)})
    shown = "async () => { const all = await (await navigator.serviceWorker.getRegistration()).getNotifications(); return all.map((one) => [one.title, one.body, one.tag, one.data.url]) }"
    for _ in range(600):  # the worker shows it in its own time, and a function to wait for is not asked for what it promises
        if someone.page.evaluate(shown):
            break
        someone.page.wait_for_timeout(100)
    assert someone.page.evaluate(shown) == [["Nowości", "Zobacz", "c7", "https://cegla.example/r/x"]]
