"""A start is not given up while events are accepted and the app is at work."""

import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from cegla.storage.settings import load_settings
from cegla.storage.workspace import DataDirectory
from cegla.vocabulary.errors import Broken
from cegla.worker import supervisor
from cegla.worker.supervisor import Child, Running


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Running]:
    """An installation whose minute is over: a collector listens, and the app is a process that has not said that it is up."""
    monkeypatch.setattr(supervisor, "START_SECONDS", 0.0)
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        app = Child("app", command, {}, tmp_path / "app.log", subprocess.Popen(command))
        settings = load_settings(environment={"CEGLA_DATA_DIR": str(tmp_path)})
        yield Running("", f"http://127.0.0.1:{door.getsockname()[1]}", None, settings, "", [app], None, DataDirectory(tmp_path))
        app.stop()


def test_a_start_goes_on_when_only_the_app_is_not_ready(running: Running) -> None:
    supervisor._wait_until_ready(running)  # pyright: ignore[reportPrivateUsage]
    assert running.app_is_busy


def test_a_start_is_given_up_when_the_app_is_gone(running: Running) -> None:
    running.children[0].stop()
    with pytest.raises(Broken, match="within a minute"):
        supervisor._wait_until_ready(running)  # pyright: ignore[reportPrivateUsage]
