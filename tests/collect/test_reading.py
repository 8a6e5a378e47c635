"""The reader beside the app: it says what the app would read itself, and whoever cannot have it reads for himself."""

import json
import marshal
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cegla.child import framed
from cegla.collect import actions as collect
from cegla.collect import reading
from cegla.collect.reading import MODULE, Reader
from cegla.storage.settings import CollectorSettings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LIMITS = CollectorSettings.model_validate({})


@contextmanager
def reader(ws: Workspace) -> Generator[Reader]:
    beside = Reader(ws.dsn, LIMITS)
    try:
        yield beside
    finally:
        beside.close()


def waiting(ws: Workspace) -> None:
    with ws.transaction() as conn:
        source, _ = collect.add_source(conn, "shop", "website", Basis.CONTRACT, NOW)
        bodies = [json.dumps({"batch": [{"type": "track", "event": "E", "messageId": f"m{n}", "anonymousId": "a"}, {}]}).encode() for n in range(5)]
        collect.write_down(conn, source.id, bodies, NOW)


def when_there(beside: Reader, after: collect.Taken) -> tuple[collect.Taken, object]:
    """Its answer, once its process has come up."""
    for _ in range(600):
        if (found := beside.read(after.position, 4)) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError("the reader did not come up")


def test_it_reads_on_where_the_app_will_stand_and_says_what_the_app_would_say(workspace: Workspace) -> None:
    waiting(workspace)
    with reader(workspace) as beside, workspace.transaction() as conn:
        first = collect.take(conn, 4)
        expected = collect.take(conn, 4, first.position)
        taken, decoded = when_there(beside, first)
        assert decoded == collect.decode(expected, {source.id: source for source in collect.sources(conn)}, LIMITS)
        assert taken.position == expected.position
        assert taken.requests == [msgspec.structs.replace(one, body=b"") for one in expected.requests]
        assert [one.weight for one in taken.requests] == [2, 2]
        assert taken.given_up(conn) == expected.given_up(conn)  # what nobody can use is kept whole, whoever read it
        assert all(one.payload for one in taken.given_up(conn))


def test_one_that_is_gone_leaves_the_app_to_read_for_itself(workspace: Workspace) -> None:
    waiting(workspace)
    with reader(workspace) as beside:
        when_there(beside, collect.Taken([], {}))
        assert beside.process_id is not None
        os.kill(beside.process_id, signal.SIGKILL)
        assert beside.read({}, 4) is None
        assert beside.read({}, 4) is None
        assert beside.process_id is None  # it is not started again at once


def test_one_that_hangs_holds_the_app_up_for_a_while_only(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(workspace)
    with reader(workspace) as beside:
        when_there(beside, collect.Taken([], {}))
        assert beside.process_id is not None
        os.kill(beside.process_id, signal.SIGSTOP)
        monkeypatch.setattr(reading, "ANSWER_SECONDS", 0.05)
        assert beside.read({}, 4) is None
        assert beside.process_id is None


HALF_AN_ANSWER = """
import os, pathlib, time
os.write(0, bytes([0] * 7 + [5]) + b"there" + bytes([0] * 7 + [9]) + b"half")
pathlib.Path(__file__).with_name("said").touch()
time.sleep(3)
os.write(0, b" late")
"""


def test_one_that_hangs_within_its_answer_holds_the_app_up_no_longer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "half_an_answer.py").write_text(HALF_AN_ANSWER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(reading, "MODULE", "half_an_answer")
    monkeypatch.setattr(reading, "ANSWER_SECONDS", 0.05)
    beside = Reader("", LIMITS)
    try:
        assert beside.read({}, 4) is None
        while beside.process_id is not None:  # until it was there, and is given up
            assert beside.read({}, 4) is None
    finally:
        beside.close()
    assert (tmp_path / "said").exists()


@pytest.mark.parametrize("point", ["read: before the answer", "read: within the answer"])
def test_one_that_dies_with_its_answer_said_in_half_leaves_the_app_to_read_for_itself(
    point: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waiting(workspace)
    monkeypatch.setenv("FAILPOINT", str(tmp_path / "armed"))
    with reader(workspace) as beside:
        when_there(beside, collect.Taken([], {}))
        (tmp_path / "armed").write_text(point)
        assert beside.read({}, 4) is None
        assert beside.process_id is None
    assert not (tmp_path / "armed").exists()


def test_requests_of_webhooks_are_left_to_the_app(workspace: Workspace) -> None:
    waiting(workspace)
    with reader(workspace) as beside:
        when_there(beside, collect.Taken([], {}))
        with workspace.transaction() as conn:
            conn.execute("update collect.sources set kind = 'webhook'")
            conn.execute("update collect.inbox set kind = 'webhook'")
        assert beside.read({}, 4) is None
        assert beside.process_id is not None


def test_one_that_had_nothing_to_do_and_ended_is_started_again_at_once(workspace: Workspace) -> None:
    waiting(workspace)
    with reader(workspace) as beside:
        when_there(beside, collect.Taken([], {}))
        assert beside._child is not None
        first = beside.process_id
        beside._child._socket.shutdown(socket.SHUT_WR)  # so it ends by itself
        assert beside._child.process.wait(30) == 0
        assert beside.read({}, 4) is None
        assert beside.process_id not in (first, None)


def test_it_may_be_closed_while_another_thread_waits_for_its_answer(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with reader(workspace) as beside:
        when_there(beside, collect.Taken([], {}))
        assert beside._child is not None
        with monkeypatch.context() as patched:
            ended = beside._child.process.wait

            def wait_and_lose() -> None:  # the other thread heard of the end, and came first
                patched.undo()
                ended()
                beside.close()

            patched.setattr(beside._child.process, "wait", wait_and_lose)
            beside.close()
        assert beside.process_id is None


def test_what_it_failed_of_is_logged_without_the_words_of_the_failure() -> None:
    told = framed(marshal.dumps(("host=/nowhere-anna", 1, 1)))
    ended = subprocess.run([sys.executable, "-m", MODULE], input=told, capture_output=True, check=False)
    line = json.loads(ended.stdout)
    assert (ended.returncode, ended.stderr, line["error"]) == (1, b"", "OperationalError")
    assert b"anna" not in ended.stdout
