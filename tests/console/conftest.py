"""One seeded shop for all of the console's tests, and visitors to look at it with."""

import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn

from cegla.api.inside import Inside
from cegla.console.app import build_console
from cegla.govern import actions as govern
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from tests.console.seed import fill

PASSWORD = "murowana-zaloga-44"
TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')
HOME = "http://console.test"


@contextmanager
def console_served(ws: Workspace) -> Generator[str]:
    """The console of a workspace on a free port, for a browser; its address."""
    server = uvicorn.Server(uvicorn.Config(build_console(ws), host="127.0.0.1", port=0, log_level="error"))
    running = threading.Thread(target=server.run, daemon=True)
    running.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    running.join(10)


@pytest.fixture(scope="session")
def shop(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Generator[Workspace]:
    """A workspace with a month of a small shop, one user of each role, and a message in the demo's mailbox."""
    data = tmp_path_factory.mktemp("console")
    keeper = server.dsn.replace("dbname=cegla", "dbname=postgres")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("create database console_shop template cegla strategy file_copy")
    ws = Workspace(Settings.model_validate({"data_dir": data}), server.dsn.replace("dbname=cegla", "dbname=console_shop"), pool_size=4)
    fill(ws)
    with ws.transaction() as conn:
        for role in govern.ROLES:
            govern.set_password(conn, f"test-{role}", PASSWORD, ws.clock(), role=role)
    _put_letter(data / "demo-mailbox")
    yield ws
    ws.close()
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("drop database console_shop with (force)")


def _put_letter(folder: Path) -> None:
    folder.mkdir()
    letter = "From: Sklep <sklep@example.pl>\nTo: jan@example.pl\nSubject: Witaj\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nContent-Type: text/html; charset=utf-8\n\n"
    (folder / "0001.eml").write_text(letter + "<p>List <script>alert(1)</script></p>", encoding="utf-8")


class Visitor:
    """A browser without JavaScript: cookies, forms, nothing else."""

    def __init__(self, door: httpx.BaseTransport, role: str = "", language: str = "pl") -> None:
        self.client = httpx.Client(transport=door, base_url=HOME, timeout=60)
        self.client.cookies.set("cegla_language", language)
        if role:
            self.post("/sign-in", "/sign-in", name=f"test-{role}", password=PASSWORD)

    def get(self, path: str, **headers: str) -> httpx.Response:
        """The answer to a link."""
        return self.client.get(path, headers=headers)

    def token(self, page: str) -> str:
        """The protection token of the forms on a page."""
        found = TOKEN.search(self.client.get(page).text)
        assert found, f"{page} has no form"
        return found.group(1)

    def post(self, page: str, path: str, **fields: str | list[str]) -> httpx.Response:
        """The answer to a form found on `page` and sent to `path`."""
        return self.post_from(page, path, {}, **fields)

    def post_from(self, page: str, path: str, came_from: dict[str, str], /, **fields: str | list[str]) -> httpx.Response:
        """The same with headers that say where the form came from."""
        return self.client.post(path, data={"csrf": self.token(page), **fields}, headers={"origin": HOME, "sec-fetch-site": "same-origin", **came_from})


@pytest.fixture(scope="session")
def door(shop: Workspace) -> Generator[httpx.BaseTransport]:
    """The console, reached without a socket."""
    inside = Inside(build_console(shop))
    yield inside
    inside.close()


@pytest.fixture(scope="session")
def visitors(door: httpx.BaseTransport) -> Callable[..., Visitor]:
    """Makes visitors, and keeps one of each kind, since a sign-in is slow on purpose."""
    kept: dict[tuple[str, str], Visitor] = {}

    def visitor(role: str = "administrator", language: str = "pl") -> Visitor:
        if (role, language) not in kept:
            kept[role, language] = Visitor(door, role, language)
        return kept[role, language]

    return visitor


@pytest.fixture
def stranger(door: httpx.BaseTransport) -> Visitor:
    """Somebody who did not sign in."""
    return Visitor(door)


@pytest.fixture
def admin(visitors: Callable[..., Visitor]) -> Visitor:
    """The administrator, in Polish."""
    return visitors()
