"""The history's page: what damage was met, what is too old, and nothing goes that was not shown first."""

import re
from collections.abc import Callable, Generator
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from cegla import forgetting
from cegla.storage.workspace import Workspace


@pytest.fixture
def strict(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Behaviour is kept for a day, so most of the shop's month is too old; how many rows that are, by class."""
    monkeypatch.setattr(shop, "settings", shop.settings.model_copy(update={"retention": shop.settings.retention.model_copy(update={"behaviour_days": 1})}))
    return {one.key: one.rows for one in forgetting.due(shop, shop.clock())}


@pytest.fixture
def damaged(shop: Workspace) -> Generator[Path]:
    """A folder as a damaged file leaves it."""
    folder = shop.settings.data_dir / "warehouse" / "set-aside" / "20261126T100000Z"
    folder.mkdir(parents=True)
    yield folder
    rmtree(folder)


def test_the_page_says_how_many_rows_would_go_before_they_can(admin: Any, strict: dict[str, int], visitors: Callable[..., Any]) -> None:
    assert strict["behaviour"]
    assert not strict["merges"]
    asked = admin.get("/settings/history?class=behaviour").text
    assert re.search(rf"{strict['behaviour']} wierszy? sprzed|{strict['behaviour']} wiersze sprzed", asked)
    assert 'action="/settings/history/forget"' in asked
    for other in (admin.get("/settings/history"), admin.get("/settings/history?class=merges"), admin.get("/settings/history?class=nonsense")):
        assert 'action="/settings/history/forget"' not in other.text
    assert 'href="/settings/history?class=behaviour"' not in visitors("engineer").get("/settings/history").text


def test_only_who_may_change_settings_removes_and_only_a_class_there_is(admin: Any, visitors: Callable[..., Any]) -> None:
    assert visitors("engineer").post("/settings/history", "/settings/history/forget", **{"class": "merges"}).status_code == 403
    assert admin.post("/settings/history", "/settings/history/forget", **{"class": "nonsense"}).status_code == 404
    assert admin.post("/settings/history", "/settings/history/forget", **{"class": "merges"}).status_code == 303


def test_a_check_reads_everything_and_says_what_it_found(admin: Any) -> None:
    found = admin.post("/settings/history", "/settings/history/check").text
    assert "Hurtownia czyta się w całości" in found


def test_damage_is_said_on_the_first_page_and_on_the_history_page(admin: Any, damaged: Path) -> None:
    assert "Plik historii był uszkodzony" in admin.get("/").text
    assert damaged.name in admin.get("/settings/history").text


def test_without_damage_nothing_is_said(admin: Any) -> None:
    assert "Plik historii był uszkodzony" not in admin.get("/").text
