"""The shop of campaigns without its mail, for those who are told of its segments."""

from collections.abc import Generator

import pytest

from cegla.activate import actions as activate
from cegla.storage.workspace import Workspace
from tests.activate.conftest import Postbox, Shop


@pytest.fixture
def shop(workspace: Workspace) -> Generator[Shop]:
    with activate.Outlet(workspace) as outlet:
        made = Shop(workspace, Postbox(), outlet)
        workspace.clock = lambda: made.now
        yield made
