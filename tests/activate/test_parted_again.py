"""Whoever was joined and is parted again is as if never joined: events, traits, segments, consents and messages, whatever was done before."""

from datetime import timedelta
from itertools import combinations
from random import Random
from typing import Any

import pytest

from cegla.activate import actions as activate
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.regrouping import take_link_back
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.warehouse import history
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.identifiers import Identifier
from tests.activate.conftest import Shop

CITIES = ("Hel", "Łódź", "Sopot", "")
ANSWERS = (True, False, None)


def a_life(chance: Random) -> dict[str, Any]:
    """What one person did and said: orders, a city at some minute, a browser, an answer for each channel."""
    return {
        "orders": [chance.randrange(50) for _ in range(chance.randrange(4))], "city": (chance.randrange(50), chance.choice(CITIES)),
        "browser": chance.random() < 0.5, "answers": (chance.choice(ANSWERS), chance.choice(ANSWERS)),
    }  # fmt: skip


def told(shop: Shop, user: str, life: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of a life."""
    def at(minute: int) -> dict[str, str]:
        return {"timestamp": (shop.now - timedelta(hours=3) + timedelta(minutes=minute)).isoformat(), "userId": user}

    asked = {name: answer for name, answer in zip(("marketing_email", "marketing_sms"), life["answers"], strict=True) if answer is not None}
    minute, city = life["city"]
    calls: list[dict[str, Any]] = [
        {"type": "identify", "traits": {"email": f"{user}@example.pl"}, "context": {"consent": {"categoryPreferences": asked}} if asked else {}, **at(0)},
        {"type": "identify", "traits": {"city": city}, **at(minute)},
    ]  # fmt: skip
    calls += [{"type": "track", "event": "Order Completed", "properties": {"order_id": f"{user}-{n}", "total": 10}, **at(n)} for n in life["orders"]]
    return [*calls, {"type": "page", "anonymousId": f"b-{user}", **at(1)}] if life["browser"] else calls


def stand(shop: Shop, users: list[str], campaign: int) -> dict[str, Any]:
    """All that is known of each user, by name."""
    rows: Any = history()
    owners = shop.ws.warehouse.run(rows.filter(rows.kind != "alias").group_by("person_id").agg(events=rows.event_id.nunique(), orders=rows.order_id.nunique()))
    events = {row.pop("person_id"): row for row in owners.to_pylist()}
    found: dict[str, Any] = {}
    with shop.ws.transaction() as conn:
        for user, person in zip(users, resolve.look_up(conn, [Identifier("user_id", user) for user in users]), strict=True):
            known = resolve.identifiers_of(conn, [person or 0])[person or 0]
            ids = [one.identity_id for one in known]
            names = {(one.type, one.value) for one in known if not (one.type == "anonymous_id" and one.value in users)}  # an alias speaks of a browser, too
            traits = {key: value for key, value in profile.profiles_of(conn, {person or 0: ids})[person or 0].items() if not key.startswith("engage")}
            may = [govern.allowed(conn, shop.ws.keys, [govern.Subject(person or 0, ids)], "marketing", channel, shop.now)[0] for channel in (Channel.EMAIL, Channel.SMS)]
            stays = sorted((one.name, one.entered_at) for one in segment.segments_of(conn, [person or 0])[person or 0])
            letters = sorted((one.address, one.state.value, one.campaign_id) for one in activate.messages_of(conn, people=ids))
            found[user] = (names, events.get(person or 0), traits, stays, [(one.allowed, one.reason) for one in may], letters)
    audience = activate.audience(shop.ws, campaign)
    return found | {"audience": (audience.reachable, audience.reasons)}


@pytest.mark.parametrize("seed", [1, 2])
def test_people_joined_and_parted_again_were_never_joined(shop: Shop, seed: int) -> None:
    chance = Random(seed)
    users = [f"user-{number}" for number in range(4)]
    began = (shop.now - timedelta(hours=3)).isoformat()  # a call that says who is who stays in the history, so it changes no first and last moment
    shop.tell(*(call for user in users for call in told(shop, user, a_life(chance))))
    shop.take_in()
    activate.launch(shop.ws, shop.campaign().id)
    shop.deliver(2)
    shop.take_in(analysed=True)  # what the sender tells of its letters
    capped = shop.campaign(cap=1).id
    before = stand(shop, users, capped)
    pairs = chance.sample(list(combinations(users, 2)), 2)
    joins = [{"type": "alias", "userId": one, "previousId": other, "timestamp": began} for one, other in pairs]
    shop.tell(*joins)
    shop.take_in(analysed=True)
    joined = stand(shop, users, capped)
    assert all(joined[one][0] == joined[other][0] != before[one][0] for one, other in pairs)
    with shop.ws.transaction() as conn:
        people = resolve.look_up(conn, [Identifier("user_id", user) for user in users])
        edges = {edge.edge_id for one in people for edge in resolve.links.edges_of(conn, one or 0) if edge.rule == "alias" and edge.strong.type == edge.weak.type}
    for edge in chance.sample(sorted(edges), len(edges)):
        take_link_back(shop.ws, edge, "ola")
    assert stand(shop, users, capped) == before
    shop.tell(*joins)
    shop.take_in(analysed=True)
    assert stand(shop, users, capped) == before, "also when the same is said again"
