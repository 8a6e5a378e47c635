"""Likely duplicates in the console: the list, two people side by side, the decision."""

import json
from collections.abc import Callable, Generator
from itertools import count
from typing import Any

import pytest

from cegla.app import HOLDERS
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.match import actions as match
from cegla.night import look_for_duplicates
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace

NUMBERS = count(100)


@pytest.fixture
def pair(shop: Workspace) -> Generator[match.Proposal]:
    """One more human who is in the shop twice, and gone after the test."""
    now, number = shop.clock(), next(NUMBERS)
    phone, birthday = f"+48600900{number}", f"1980-05-{number % 28 + 1:02d}"
    records = (("Małgorzata", "Święcka"), ("Gosia", "Swiecka"))
    with shop.transaction() as conn:
        source = next(one for one in collect.sources(conn) if one.kind == "server")
        for given, surname in records:
            traits = {"first_name": given, "last_name": surname, "phone": phone, "city": "Kraków", "birthday": birthday}
            told = {"type": "identify", "userId": f"{given}-{number}", "messageId": f"{given}-{number}", "traits": traits}
            collect.write_down(conn, source.id, [json.dumps(told).encode()], now)
    Intake(shop).drain()
    look_for_duplicates(shop, now)
    with shop.transaction() as conn:
        found = max(match.proposals(conn), key=lambda one: one.high_person)
    yield found
    with shop.transaction() as conn:
        known = resolve.identifiers_of(conn, [found.low_person, found.high_person])
    govern.erase_everything(shop, [one.identity_id for rows in known.values() for one in rows], HOLDERS, "test", now)


@pytest.mark.parametrize(("language", "words"), [("pl", "Czy to jedna osoba?"), ("en", "Is this one person?")])
def test_two_people_stand_side_by_side_masked(pair: match.Proposal, visitors: Callable[..., Any], language: str, words: str) -> None:
    page = visitors("administrator", language).get(f"/duplicates/{pair.id}").text
    assert words in page
    assert "100%" not in page.partition('class="compare"')[0], "a proposal is never certain"
    assert "Święcka" not in page
    assert "+48600900" not in page


def test_revealing_needs_a_reason_and_shows_both(pair: match.Proposal, visitors: Callable[..., Any]) -> None:
    admin = visitors("administrator", "pl")
    assert admin.post(f"/duplicates/{pair.id}", f"/duplicates/{pair.id}", why="").status_code == 422
    assert "Święcka" in admin.post(f"/duplicates/{pair.id}", f"/duplicates/{pair.id}", why="sprawdzam").text
    assert "Święcka" not in admin.get(f"/duplicates/{pair.id}").text


def test_a_decision_is_remembered_on_its_page(pair: match.Proposal, visitors: Callable[..., Any]) -> None:
    admin = visitors("administrator", "pl")
    assert admin.post(f"/duplicates/{pair.id}", f"/duplicates/{pair.id}/decide", answer="maybe").status_code == 422
    assert admin.post(f"/duplicates/{pair.id}", f"/duplicates/{pair.id}/decide", answer="different").status_code == 303
    assert "Dwie osoby" in admin.get(f"/duplicates/{pair.id}").text
    assert f"/duplicates/{pair.id}" in admin.get("/duplicates?state=refused").text


def test_a_marketer_sees_the_pairs_and_decides_nothing(pair: match.Proposal, visitors: Callable[..., Any]) -> None:
    marketer = visitors("marketer", "pl")
    assert "To jedna osoba" not in marketer.get(f"/duplicates/{pair.id}").text
    assert marketer.post("/segments", f"/duplicates/{pair.id}/decide", answer="same").status_code == 403
