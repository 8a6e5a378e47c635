"""One collector, one website and one Chromium for all tests of the browser script."""

import shutil
from collections.abc import Callable, Generator
from typing import Any

import psycopg
import pytest

from cegla.storage.postgres import EmbeddedPostgres
from tests.onsite.site import Answers, Collector, collector, website

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CONSENT = "cegla('consent', {analytics: true, profiling: true})"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that ask for a visitor need Chromium."""
    for item in items:
        if "visit" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path (Debian: apt install chromium)"))


@pytest.fixture(scope="module")
def chromium() -> Generator[Any]:
    """Debian's Chromium; not for the whole run, since while Playwright stands no other test may have an event loop."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def running(server: EmbeddedPostgres) -> Generator[Collector]:
    """A collector."""
    keeper = server.dsn.replace("dbname=cegla", "dbname=postgres")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("create database onsite template cegla strategy file_copy")
    dsn = server.dsn.replace("dbname=cegla", "dbname=onsite")
    with collector(dsn) as opened:
        yield opened
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("drop database onsite with (force)")


@pytest.fixture(scope="session")
def site() -> Generator[Answers]:
    """The website."""
    with website() as opened:
        yield opened


@pytest.fixture
def inbox(running: Collector) -> Collector:
    """The collector with a new source, nothing in its inbox and a good mood."""
    running.forget()
    return running


class Visit:
    """One visitor's browser at the website. `sent` are the bodies it sent, whoever took them."""

    def __init__(self, chromium: Any, site: Answers, inbox: Collector, options: str) -> None:
        self.inbox = inbox
        self.home = f"http://127.0.0.1:{site.server_port}"
        self.sent: list[str] = []
        self.wrong: list[str] = []
        site.line = f'<script async src="{inbox.address}/c.js" data-key="{inbox.key}" {options}></script>'
        self.context = chromium.new_context()
        self.page = self.open()

    def open(self) -> Any:
        """Another tab."""
        page = self.context.new_page()
        page.on("request", lambda request: self.sent.append(request.post_data or "") if request.method == "POST" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        return page

    def go(self, path: str = "/skarpety", page: Any = None) -> Any:
        """Open a page of the site and wait until the script stands."""
        page = page or self.page
        page.goto(self.home + path)
        page.wait_for_function("() => window.cegla && cegla('state')")
        return page

    def run(self, script: str) -> Any:
        """Run a line in the page."""
        return self.page.evaluate(f"() => {{ {script} }}")

    def agree(self) -> None:
        """Say yes to analytics and profiling."""
        self.run(CONSENT)

    def state(self) -> dict[str, Any]:
        """What the script says of itself."""
        return self.page.evaluate("() => cegla('state')")

    def stored(self) -> dict[str, Any]:
        """Everything this origin keeps in the browser."""
        return self.page.evaluate(
            "async () => ({cookies: document.cookie, local: {...localStorage}, session: {...sessionStorage},"
            " databases: (await indexedDB.databases()).length, caches: 'caches' in self ? (await caches.keys()).length : 0})"
        )


@pytest.fixture
def visit(chromium: Any, site: Answers, inbox: Collector) -> Generator[Callable[..., Visit]]:
    """Makes visitors; whatever the browser complained about fails the test."""
    made: list[Visit] = []

    def visitor(options: str = "") -> Visit:
        made.append(Visit(chromium, site, inbox, options))
        return made[-1]

    yield visitor
    for one in made:
        one.context.close()
    assert not [wrong for one in made for wrong in one.wrong if "net::ERR_" not in wrong and "status of" not in wrong]
