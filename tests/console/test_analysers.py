"""The analysers' page: switches, a trait's distribution, and the people behind a value."""

from typing import Any

import pytest

from cegla.night import analyse
from cegla.profile import actions as profile
from cegla.storage.workspace import Workspace


@pytest.fixture
def looked_at(shop: Workspace) -> Workspace:
    worker = profile.runs.Worker()
    with shop.transaction() as conn:
        profile.runs.ask(conn, ["os"], "anna", shop.clock(), everybody=True)
    while analyse(shop, worker):
        pass
    return shop


def test_a_distribution_leads_to_the_people_behind_a_value(admin: Any, looked_at: Workspace) -> None:
    with looked_at.transaction() as conn:
        value, people = profile.runs.summaries(conn)["os.family"].values[0]
        person = profile.runs.people_with(conn, "os.family", value)[0][0]
    page = admin.get("/analysers/os.family").text
    assert value in page
    assert f"/analysers/os.family?value={value}" in page
    assert f'href="/people/{person}"' in admin.get(f"/analysers/os.family?value={value}").text
    assert people > 0


def test_a_sensitive_analyser_is_off_until_it_has_a_purpose(admin: Any, shop: Workspace) -> None:
    assert admin.post("/analysers", "/analysers", analyser="place", on="yes", purpose="").status_code == 422
    assert admin.post("/analysers", "/analysers", analyser="place", on="yes", purpose="profiling").status_code == 303
    with shop.transaction() as conn:
        assert next(one for one in profile.runs.overview(conn) if one.analyser.key == "place").switch.is_on
    assert admin.post("/analysers", "/analysers", analyser="place", on="no").status_code == 303


def test_a_person_is_shown_as_a_consumer_with_a_reason_at_each_line(admin: Any, looked_at: Workspace) -> None:
    with looked_at.transaction() as conn:
        person = profile.runs.people_with(conn, "contact.plan", "orders")[0][0]
    page = admin.get(f"/people/{person}").text
    card = page[page.index("Profil konsumenta") : page.index("Co wiemy i skąd")]
    assert "zamówienia i obsługa" in card
    assert card.count("<details") == card.count("Dlaczego?") + card.count("Jeszcze nie wiadomo")
    assert f'href="/people/{person}"' in admin.get("/analysers/contact.plan?value=orders").text


def test_an_unknown_trait_is_not_found(admin: Any) -> None:
    assert admin.get("/analysers/os.horoscope").status_code == 404


def test_an_analyser_that_failed_says_so_and_when_it_is_tried_again(admin: Any, shop: Workspace) -> None:
    with shop.transaction() as conn:
        profile.findings.note_failure(conn, "os", ("ConversionException", "os:40"), [1, 2], shop.clock())
    page = admin.get("/analysers").text
    row = page[page.index("ConversionException") - 200 : page.index("ConversionException") + 400]
    assert "nie udał się" in row
    assert "os:40" in row
    assert "<time" in row
