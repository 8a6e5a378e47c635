"""Who is who in the console: what was refused, a trial of rules, and undoing a link."""

import re
from collections.abc import Callable

import pytest

from cegla.api.inside import Inside
from cegla.collect import actions as collect
from cegla.console.app import build_console
from cegla.flow import agree
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis
from cegla.vocabulary.identifiers import Identifier
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
        assert resolve.links.count_people(conn) == 3


def edge_to(workspace: Workspace, value: str) -> tuple[int, resolve.links.Edge]:
    """The person u1, and the link that holds an identifier."""
    with workspace.transaction() as conn:
        anna = person(conn, user("u1"))
        return anna, next(edge for edge in resolve.links.edges_of(conn, anna) if edge.weak.value == value)


def test_a_link_is_undone_after_a_look_and_with_a_reason_and_stays_visible_as_undone(visitors: Visitors, workspace: Workspace) -> None:
    anna, edge = edge_to(workspace, "b@x.pl")
    page, ask = f"/people/{anna}/links", f"/links/{edge.edge_id}/undo"
    officer = visitors("dpo")
    assert f'href="{ask}?person={anna}"' in officer.get(page).text
    assert "/undo" not in visitors("salesperson").get(page).text
    assert visitors("salesperson").get(ask).status_code == 403
    assert "Osobę zmieni 1 identyfikator." in officer.get(f"{ask}?person={anna}").text
    assert f'href="/people/{anna}/links"' in officer.get(f"{ask}?person=²").text, "an address that names nobody leads back to the person"
    assert edge_to(workspace, "b@x.pl")[1].retracted_at is None, "a look changes nothing"
    assert officer.post(ask, ask, person=str(anna)).status_code == 422, "a reason is asked for"
    assert officer.post(ask, ask, person=str(anna), why="dwie osoby, jeden adres").status_code == 303
    assert "cofnięte" in officer.get(page).text
    assert "dwie osoby, jeden adres" in officer.get(page).text
    assert "cofnięcie powiązania" in officer.get(page).text
    assert officer.get(ask).status_code == 404
    with workspace.transaction() as conn:
        noted = next(row for row in govern.audit(conn) if row.action == "link.retract")
    assert "dwie osoby" not in str(noted.detail), "what a person wrote stays where it is erased with the people"


def test_an_address_is_released_from_a_day_on_with_a_reason_and_that_is_taken_back(visitors: Visitors, workspace: Workspace) -> None:
    anna, edge = edge_to(workspace, "b@x.pl")
    page, officer = f"/people/{anna}/links", visitors("dpo")
    given = {"identity": str(edge.weak_id), "since": "2026-11-01", "reason": "skrzynka firmowa"}
    assert visitors("salesperson").post(page, f"/people/{anna}/release", **given).status_code == 403
    assert officer.post(page, f"/people/{anna}/release", **{**given, "since": "wczoraj"}).status_code == 422
    assert officer.post(page, f"/people/{anna}/release", **given).status_code == 303
    shown = officer.get(page).text
    assert "skrzynka firmowa" in shown
    assert "1 lis 2026" in shown
    with workspace.transaction() as conn:
        assert resolve.look_up(conn, [Identifier("email", "b@x.pl")]) == [None]
        release = resolve.releasing.releases_of(conn, [edge.weak_id])[0]
        resolve.find_people(conn, [identify(40 * 24 * 60, "u7", email="b@x.pl")])
    assert officer.post(page, f"/people/{anna}/release", **{**given, "since": "2026-11-02"}).status_code == 404, "by now it is not hers to give away"
    assert officer.post(page, f"/releases/{release.release_id}/undo", person=str(anna)).status_code == 303
    with workspace.transaction() as conn:
        assert resolve.look_up(conn, [Identifier("email", "b@x.pl")]) == [anna]


def test_a_graph_shows_identifiers_by_type_and_refused_links_with_their_reason(visitors: Visitors, workspace: Workspace) -> None:
    anna, _ = edge_to(workspace, "a@x.pl")
    shown = visitors("salesperson").get(f"/people/{anna}/links").text
    graph = shown[shown.index('<svg class="graph"') : shown.index("</svg>", shown.index('<svg class="graph"'))]
    assert 'role="img"' in graph
    assert "e-mail · 2" in graph
    assert "a***@x.pl" in graph
    assert graph.count("arc-joins") == 3
    assert graph.count("arc-refused") == 1, "the other user of the browser"
    assert "b@x.pl" not in shown


def test_a_person_who_became_part_of_another_is_found_there(visitors: Visitors, workspace: Workspace) -> None:
    anna, edge = edge_to(workspace, "b@x.pl")
    moved = visitors("salesperson").get(f"/people/{edge.weak_id}")
    assert (moved.status_code, moved.headers["location"]) == (303, f"/people/{anna}")


def test_what_a_person_had_corrected_holds_until_it_is_taken_back(visitors: Visitors, workspace: Workspace) -> None:
    anna, _ = edge_to(workspace, "b@x.pl")
    page, officer = f"/people/{anna}", visitors("dpo")
    assert officer.post(page, f"{page}/correct", trait="city", value="Łódź").status_code == 303
    corrected = officer.get(page).text
    assert "correction@1" in corrected
    assert "Wycofaj sprostowanie" in corrected
    with workspace.transaction() as conn:
        assert profile.profiles_of(conn, {anna: [anna]})[anna]["city"] == "Łódź"
        assert "person.correct" in [row.action for row in govern.audit(conn)]
    assert visitors("salesperson").get(page).text.count("/correct") == 0
    assert officer.post(page, f"{page}/correct", trait="city", do="take_back").status_code == 303
    assert "correction@1" not in officer.get(page).text
    assert officer.post(page, f"{page}/correct", trait="city", do="take_back").status_code == 404


def test_sources_are_ranked_by_places(visitors: Visitors, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        crm, _ = collect.add_source(conn, "CRM", "server", Basis.CONTRACT, workspace.clock())
        shop, _ = collect.add_source(conn, "Sklep", "server", Basis.CONTRACT, workspace.clock())
    marketer = visitors("administrator")
    assert marketer.post("/traits", "/traits/ranking", **{f"place_{shop.id}": "1", f"place_{crm.id}": "2"}).status_code == 303
    with workspace.transaction() as conn:
        assert profile.declared.ranking(conn) == [shop.id, crm.id]
    assert marketer.post("/traits", "/traits/ranking", **{f"place_{crm.id}": "1"}).status_code == 303
    with workspace.transaction() as conn:
        assert profile.declared.ranking(conn) == [crm.id]
    assert marketer.post("/traits", "/traits/ranking", **{f"place_{crm.id}": "pierwszy"}).status_code == 422
    assert f"place_{crm.id}" not in visitors("salesperson").get("/traits").text
