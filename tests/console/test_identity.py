"""Who is who in the console: what was refused, a trial of rules, and undoing a link."""

import re
from collections.abc import Callable

import pytest

from cegla.api.inside import Inside
from cegla.console.app import build_console
from cegla.flow import agree
from cegla.govern import actions as govern
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from tests.console.conftest import PASSWORD, Visitor
from tests.resolve.known import event, identify, person, user

Visitors = Callable[[str], Visitor]


@pytest.fixture
def visitors(workspace: Workspace) -> Visitors:
    """Users of a workspace in which two people share a browser, and one of them has two addresses."""
    with workspace.transaction() as conn:
        for role in ("administrator", "dpo", "salesperson"):
            govern.set_password(conn, f"test-{role}", PASSWORD, workspace.clock(), role=role)
        resolve.find_people(conn, [identify(0, "u1", "b1", email="a@x.pl"), identify(1, "u1", email="b@x.pl"), event(2, "u2", "b1")])
    agree(workspace)
    return lambda role: Visitor(Inside(build_console(workspace)), role)


def test_a_refused_link_is_listed_with_its_reason(visitors: Visitors) -> None:
    page = visitors("salesperson").get("/identity").text
    assert resolve.links.WARNINGS["unique"].pl in page
    assert "b1" in page
    assert "a@x.pl" not in page


def test_a_trial_shows_its_figures_and_changes_nothing(visitors: Visitors, workspace: Workspace) -> None:
    tried = visitors("dpo").post("/identity", "/identity", rules="types:\n  email: {limit: 1}\n", do="try")
    assert tried.status_code == 200
    assert re.search(r"Osoby do rozdzielenia</span>\s*<span class=\"figure\">1<", tried.text)
    assert "types:" in tried.text
    with workspace.transaction() as conn:
        assert resolve.ruling.rule_versions(conn) == []


@pytest.mark.parametrize(("typed", "place"), [("types: {email: {limit: 0}}", "types.email.limit"), ("types: [", "CEGLA-E0380"), ("- a", "CEGLA-E0380")])
def test_wrong_rules_are_shown_with_their_place_and_what_was_typed(visitors: Visitors, typed: str, place: str) -> None:
    answer = visitors("dpo").post("/identity", "/identity", rules=typed, do="try")
    assert answer.status_code == 422
    assert place in answer.text
    assert typed in answer.text


def test_rules_are_applied_once_and_only_by_who_may_change_settings(visitors: Visitors, workspace: Workspace) -> None:
    form = {"rules": "types: {email: {limit: 1}}", "version": "0", "do": "apply"}
    assert visitors("dpo").post("/identity", "/identity", **form).status_code == 403
    admin = visitors("administrator")
    assert admin.post("/identity", "/identity", **form).status_code == 303
    assert admin.post("/identity", "/identity", **form).status_code == 409, "tried on rules that are no longer in force"
    assert "wersja 1" in admin.get("/identity").text
    with workspace.transaction() as conn:
        assert resolve.count(conn) == 3


def test_a_link_is_undone_by_its_button_and_stays_visible_as_undone(visitors: Visitors, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        anna = person(conn, user("u1"))
        edge = next(edge for edge in resolve.links.edges_of(conn, anna) if edge.weak.value == "b@x.pl")
    page = f"/people/{anna}/links"
    officer = visitors("dpo")
    assert f'action="/links/{edge.edge_id}/undo"' in officer.get(page).text
    assert not re.search(r'action="/links/\d+/undo"', visitors("salesperson").get(page).text)
    assert officer.post(page, f"/links/{edge.edge_id}/undo", person=str(anna)).status_code == 303
    assert "cofnięte" in officer.get(page).text
    assert "cofnięcie powiązania" in officer.get(page).text
    assert officer.post(page, f"/links/{edge.edge_id}/undo", person=str(anna)).status_code == 404
