"""Several processes resolve the same events at once, in orders of their own, and are killed in between.

Deaths between any two statements, in any interleaving, are in `test_interleavings`; here they are those of whole processes.
"""

import signal
import subprocess
import sys

import pytest

from cegla.resolve import actions as resolve
from cegla.storage.workspace import Workspace
from tests.resolve.known import check_books, clusters
from tests.resolve.test_properties import expected
from tests.resolve.writer import story
from tests.shape.tree import ROOT


def start(ws: Workspace, order: int, step: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.resolve.writer", ws.dsn, str(order), step], cwd=ROOT, stderr=subprocess.PIPE)


@pytest.mark.whole
@pytest.mark.parametrize(
    "steps",
    [
        ("none", "none", "none"),
        ("store.add_identities", "linking.rederive", "pointing.point"),
    ],
)
def test_processes_that_work_at_once_and_are_killed_at_any_step_end_with_the_people_of_the_model(workspace: Workspace, steps: tuple[str, str, str]) -> None:
    running = [start(workspace, order, step) for order, step in enumerate(steps)]
    killed = 0
    for order, process in enumerate(running):
        _, said = process.communicate(timeout=120)
        assert process.returncode in (0, -signal.SIGKILL), said.decode()[-2_000:]
        if process.returncode:
            killed += 1
            again = start(workspace, order, "none")
            _, said = again.communicate(timeout=120)
            assert again.returncode == 0, said.decode()[-2_000:]
    assert killed or set(steps) == {"none"}
    with workspace.transaction() as conn:
        check_books(conn)
        assert clusters(conn) == expected(story())
        assert resolve.ruling.unsettled(conn) == []
