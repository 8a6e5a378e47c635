"""Accounts in the console: the list, the search, one account with its people, the condition in the form of a segment."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cegla.account import actions as account
from cegla.app import HOLDERS
from cegla.collect import actions as collect
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from cegla.vocabulary.identifiers import Identifier

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def acme(shop: Workspace) -> Any:
    """An account above another, with one more human in both, gone after the tests."""
    now = shop.clock()
    groups = ({"groupId": "holding", "traits": {"name": HOSTILE}}, {"groupId": "acme", "traits": {"name": "ACME Łódź", "parentId": "holding", "seats": 25, "tags": ["a"]}})
    with shop.transaction() as conn:
        source = next(one for one in collect.sources(conn) if one.kind == "server")
        for number, group in enumerate(groups):
            told = {"type": "group", "userId": "worker", "messageId": f"acc{number}", "context": {"membership": {"role": "kupiec"}}, **group}
            collect.write_down(conn, source.id, [json.dumps(told).encode()], now)
    Intake(shop).drain()
    with shop.transaction() as conn:
        found = account.accounts(conn, "acme")[0].id
    yield found
    with shop.transaction() as conn:
        [person] = resolve.look_up(conn, [Identifier("user_id", "worker")])
        ids = [one.identity_id for one in resolve.identifiers_of(conn, [person or 0])[person or 0]]
    govern.erase_everything(shop, ids, HOLDERS, "test", now)
    with shop.transaction() as conn:
        assert account.count(conn) == 0


@pytest.mark.parametrize(("language", "words"), [("pl", ("kupiec", "Razem", "Rola")), ("en", ("kupiec", "Together", "Role"))])
def test_an_account_shows_its_people_traits_and_place(acme: int, visitors: Callable[..., Any], language: str, words: tuple[str, ...]) -> None:
    page = visitors("administrator", language).get(f"/accounts/{acme}").text
    assert all(word in page for word in (*words, "ACME Łódź", "Serwer sklepu", "25"))
    assert HOSTILE not in page


def test_accounts_are_listed_and_found(acme: int, admin: Any) -> None:
    assert f'href="/accounts/{acme}"' in admin.get("/accounts").text
    assert f'href="/accounts/{acme}"' in admin.post("/accounts", "/accounts", q="lodz").text
    assert "Nie ma takiej firmy" in admin.post("/accounts", "/accounts", q="nobody").text
    assert admin.get("/accounts/99999").status_code == 404


def test_a_person_shows_where_they_belong(acme: int, admin: Any) -> None:
    person = re.findall(r'href="/people/(\d+)"', admin.get(f"/accounts/{acme}").text)[0]
    assert f'href="/accounts/{acme}"' in admin.get(f"/people/{person}").text


def test_the_form_of_a_segment_knows_the_figures_of_accounts(acme: int, admin: Any) -> None:
    fields = {"kind-0": "all", "kind-0.0": "leaf", "op-0.0": "in_account", "w-0.0-0-place": "property", "w-0.0-0-key": "people", "w-0.0-0-compare": "over", "w-0.0-0-value": "0"}
    page = admin.post("/segments/new", "/segments/form", name="x", **fields).text
    assert "należą do firmy (gdzie liczba osób to więcej niż 0)" in page
    assert 'value="silent_days"' in page
