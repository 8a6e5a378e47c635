"""Health and readiness say what is: ready only where something can be committed, alive also where PostgreSQL is not."""

from collections.abc import Generator

import httpx
import pytest

from cegla.api import system
from cegla.api.inside import Inside
from cegla.app import build_app
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace


@pytest.fixture
def root(workspace: Workspace) -> Generator[httpx.Client]:
    with httpx.Client(transport=Inside(build_app(workspace, "token")), base_url="http://cegla.test", timeout=60) as client:
        yield client


def test_a_ready_app_says_so_at_the_root_and_in_the_api(root: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "LEAST_FREE_SHARE", 0.0)
    for path in ("/readyz", "/api/v1/ready"):
        answer = root.get(path)
        assert (answer.status_code, answer.json()["ready"], answer.json()["migrations"]) == (200, True, "done")
    assert root.get("/healthz").json() == {"alive": True}


def test_an_app_whose_postgresql_stopped_lives_and_is_not_ready(settings: Settings) -> None:
    stopped = Workspace(settings, EmbeddedPostgres(settings.data_dir / "postgres").dsn)
    with httpx.Client(transport=Inside(build_app(stopped, "token")), base_url="http://cegla.test", timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
    stopped.close()


def test_an_app_is_not_ready_while_migrations_are_missing(root: httpx.Client, workspace: Workspace) -> None:
    with workspace.transaction() as conn:
        conn.execute("delete from storage.migrations where name = (select max(name) from storage.migrations)")
    assert root.get("/readyz").status_code == 503


def test_a_nearly_full_disk_is_not_ready(root: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "LEAST_FREE_SHARE", 1.1)
    assert root.get("/readyz").status_code >= 500
