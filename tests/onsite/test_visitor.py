"""What a page's own script is told of its visitor, by the real API on another origin: nothing before consent, then what is marked for the site, and nothing again."""

from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from cegla.api.app import build_api
from cegla.app import HOLDERS
from cegla.defining import define_traits
from cegla.flow import Intake, refresh
from cegla.segment import actions as segment
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from tests.api.test_profiles import OWNER, TRAITS, fronted
from tests.onsite.site import Answers, Collector

NOTHING = {"traits": {}, "segments": []}
CONSENT_EVENT = "Segment Consent Preference Updated"
HUMAN = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
ASK = "() => cegla('visitor')"


@pytest.fixture
def behind(inbox: Collector, tmp_path: Path) -> Generator[Workspace]:
    """The app's side of the collector."""
    workspace = Workspace(Settings.model_validate({"data_dir": tmp_path}), inbox.dsn, pool_size=4)
    yield workspace
    workspace.close()


@pytest.fixture
def profiles(behind: Workspace, inbox: Collector, site: Answers) -> Generator[str]:
    """The address to ask at, where the site's origin is listed and two traits are defined, one of them marked for the site."""
    define_traits(behind, segment.computed.read(TRAITS), "test")
    with behind.transaction() as conn:
        conn.execute("update collect.sources set origins = %s where key = %s", [[f"http://127.0.0.1:{site.server_port}"], inbox.key])
        segment.save(conn, "Kupujący", {"op": "did", "event": "Order Completed", "at_least": 1}, datetime.now(UTC))
        segment.marks.mark(conn, 1, visible=True)
    built = build_api(behind, HOLDERS, OWNER)
    with fronted(Starlette(routes=[Mount("/api/v1", built)]), built) as address:
        yield f"{address}/api/v1/visitor"


def take_in(workspace: Workspace) -> None:
    intake = Intake(workspace)
    intake.recover()
    intake.drain()
    refresh(workspace, hurried=True)


def test_a_page_learns_what_is_marked_of_its_own_visitor_while_that_visitor_agrees(
    visit: Callable[..., Any], profiles: str, behind: Workspace, inbox: Collector
) -> None:
    someone = visit(f'data-profiles="{profiles}"')
    someone.page.add_init_script("Object.defineProperty(navigator, 'webdriver', {get: () => false})")  # machines count for nothing
    someone.context.set_extra_http_headers({"user-agent": HUMAN, "sec-ch-ua": '"Chromium";v="140"'})
    someone.asked = []
    someone.page.on("request", lambda request: someone.asked.append(request.url) if request.url == profiles else None)
    someone.go()
    assert someone.page.evaluate(ASK) == NOTHING and someone.asked == [], "before consent nobody is asked"
    someone.run("cegla('consent', {analytics: true, profiling: true, marketing_site: true}); cegla('track', 'Order Completed', {order_id: 'o1', total: 12.5})")
    inbox.wait_for("Order Completed")
    take_in(behind)
    assert someone.page.evaluate(ASK) == {"traits": {"shown": 1}, "segments": [{"id": 1, "name": "Kupujący"}]}
    someone.run("cegla('consent', {analytics: true, profiling: true, marketing_site: false})")
    inbox.wait_for(CONSENT_EVENT, 2)
    take_in(behind)
    assert someone.page.evaluate(ASK) == NOTHING, "the gate refuses"
    someone.run("cegla('consent', {analytics: false})")
    asked = len(someone.asked)
    assert someone.page.evaluate(ASK) == NOTHING and len(someone.asked) == asked == 2, "and who agrees to nothing is not asked about"
