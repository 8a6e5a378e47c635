"""Who gets in, who may do what, and what a form from elsewhere gets."""

import re
from collections.abc import Callable

import httpx
import pytest

from cegla.console.routes import ONE_CLICK, PUBLIC, ROUTES, SIGNED_IN, Route
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from tests.console.conftest import HOME, PASSWORD, Visitor

WRITING = [route for route in ROUTES if route.method == "POST"]
WORDS = {"{id}": "1", "{person}": "p1", "{name}": "0001", "{token}": "forged"}


def address(route: Route) -> str:
    path = route.path
    for name, value in WORDS.items():
        path = path.replace(name, value)
    return path


@pytest.mark.parametrize("route", [route for route in WRITING if route.permission != ONE_CLICK], ids=lambda route: route.path)
def test_a_form_without_its_token_is_refused(route: Route, admin: Visitor) -> None:
    answer = admin.client.post(address(route), data={"csrf": "0" * 32}, headers={"origin": HOME})
    assert answer.status_code == 403
    assert "CEGLA-E0503" in answer.text


@pytest.mark.parametrize("header", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "null"}])
@pytest.mark.parametrize("route", [route for route in WRITING if route.permission != ONE_CLICK], ids=lambda route: route.path)
def test_a_form_from_another_site_is_refused_even_with_the_token(route: Route, header: dict[str, str], admin: Visitor) -> None:
    assert admin.post_from("/settings", address(route), header).status_code == 403


def test_one_click_needs_no_cookie_and_a_forged_one_changes_nothing(stranger: Visitor) -> None:
    answer = stranger.client.post("/u/forged", data={"List-Unsubscribe": "One-Click"}, headers={"origin": "https://mail.example"})
    assert answer.status_code == 404


@pytest.mark.parametrize("role", list(govern.ROLES))
def test_no_role_reaches_what_its_permissions_do_not_name(role: str, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(role)
    for route in ROUTES:
        if "." in route.permission and route.permission not in govern.ROLES[role].permissions:
            answer = visitor.get(address(route)) if route.method == "GET" else visitor.post("/settings", address(route))
            assert answer.status_code == 403, route.path
            assert "CEGLA-E0504" in answer.text, route.path


def test_every_permission_of_the_table_exists() -> None:
    assert {route.permission for route in ROUTES} <= {*govern.PERMISSIONS, PUBLIC, ONE_CLICK, SIGNED_IN}


@pytest.mark.parametrize("route", [route for route in ROUTES if route.permission not in (PUBLIC, ONE_CLICK) and route.method == "GET"], ids=lambda route: route.path)
def test_a_stranger_is_sent_to_the_sign_in(route: Route, stranger: Visitor) -> None:
    answer = stranger.get(address(route))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in"


def test_a_wrong_password_keeps_the_name_and_says_why(stranger: Visitor) -> None:
    answer = stranger.post("/sign-in", "/sign-in", name="test-dpo", password="wrong")
    assert answer.status_code == 401
    assert 'value="test-dpo"' in answer.text
    assert "CEGLA-E0501" in answer.text


def test_the_session_cookie_is_new_hidden_from_scripts_and_stays_on_this_site(stranger: Visitor) -> None:
    answer = stranger.post("/sign-in", "/sign-in", name="test-engineer", password=PASSWORD)
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("cegla_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert answer.headers["cache-control"] == "no-store"


def test_over_https_cookies_are_bound_to_the_host(stranger: Visitor) -> None:
    stranger.client.base_url = HOME.replace("http:", "https:")
    answer = stranger.get("/sign-in")
    assert answer.headers["set-cookie"].startswith("__Host-cegla_visit=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers


def test_signing_out_ends_the_session_on_the_server(door: httpx.BaseTransport) -> None:
    visitor = Visitor(door, "engineer")
    session = visitor.client.cookies["cegla_session"]
    visitor.post("/", "/sign-out")
    visitor.client.cookies.set("cegla_session", session)
    assert visitor.get("/people").headers["location"] == "/sign-in"


def test_listmonk_cve_2026_34828_other_sessions_end_with_the_password(shop: Workspace, door: httpx.BaseTransport) -> None:
    with shop.transaction() as conn:
        govern.set_password(conn, "changing", PASSWORD, shop.clock(), role="marketer")
    here, there = Visitor(door), Visitor(door)
    for visitor in (here, there):
        visitor.post("/sign-in", "/sign-in", name="changing", password=PASSWORD)
    answer = here.post("/people", "/settings/password", old=PASSWORD, new="zupelnie-nowe-haslo-9")
    assert answer.status_code == 303
    assert here.get("/people").status_code == 200
    assert there.get("/people").status_code == 303


@pytest.mark.parametrize("role", list(govern.ROLES))
def test_every_user_may_change_their_own_password_and_sees_a_menu_that_opens(role: str, visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(role)
    page = visitor.get("/settings")
    assert "/settings/password" in page.text
    assert not [path for path in re.findall(r'<a href="(/[a-z]*)" data-key', page.text) if visitor.get(path).status_code != 200]


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", ""])
def test_a_choice_never_leads_to_another_site(back: str, admin: Visitor) -> None:
    assert admin.post("/settings", "/appearance", theme="auto", back=back).headers["location"] == "/"
