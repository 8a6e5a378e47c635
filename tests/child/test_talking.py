"""A process beside this one: what it says arrives whole, and whatever it does instead is told apart and ends it."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cegla import child
from cegla.child import Child, Ended, Hung, Lost, NotStarted, Overlong

PATIENCE = 30.0
ECHO = """
from cegla.child import Caller
caller = Caller()
print("this is no answer")
while (asked := caller.asks()) is not None:
    caller.answer(asked[::-1], at_once=len(asked) < 3)
"""
Start = Callable[[str], Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a child of this source; the longest message it may send has a million bytes."""
    children: list[Child] = []

    def one(source: str) -> Child:
        (tmp_path / "told.py").write_text(source)
        children.append(Child("told", 1_000_000, child.PLAIN | {"PYTHONPATH": str(tmp_path)}))
        return children[-1]

    yield one
    for made in children:
        made.close()


@contextmanager
def losing(beside: Child, how: type[Lost]) -> Generator[None]:
    with pytest.raises(how):
        yield
    assert beside.process.returncode is not None


def saying(raw: str) -> str:
    return f"import os, time; os.write(0, {raw}); time.sleep(60)"


def test_messages_come_back_whole_and_in_their_order(start: Start) -> None:
    beside, long = start(ECHO), bytes(range(256)) * 3_000
    for message in (long, b"", b"xy"):
        beside.send(message, PATIENCE)
    assert [beside.receive(PATIENCE) for _ in range(3)] == [long[::-1], b"", b"yx"]
    assert beside.is_running


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("", Ended),
        (saying("(9).to_bytes(8)"), Hung),
        (saying("(9).to_bytes(8) + b'half'"), Hung),
        (saying("(9).to_bytes(8) + b'half'").replace("time.sleep(60)", ""), Ended),
        (saying("(1_000_001).to_bytes(8)"), Overlong),
        (saying("b'\\xff' * 8"), Overlong),
        ("import os; os.write(0, bytes([0] * 3))", Ended),
        ("raise SystemExit(3)", Ended),
    ],
)  # fmt: skip
def test_what_is_no_message_ends_the_child_and_is_told_apart(start: Start, source: str, how: type[Lost]) -> None:
    beside = start(source)
    if how is Hung:
        while not beside.has_spoken:
            assert beside.is_running
    with losing(beside, how):
        beside.receive(0.05 if how is Hung else PATIENCE)
    with losing(beside, Ended):
        beside.receive(PATIENCE)
    with losing(beside, Ended):
        beside.send(b"", PATIENCE)


def test_one_that_takes_nothing_is_not_waited_for(start: Start) -> None:
    beside = start(ECHO)
    beside.process.send_signal(signal.SIGSTOP)
    with losing(beside, Hung):
        beside.send(bytes(5_000_000), 0.05)


def test_one_that_is_held_up_is_waited_for(start: Start) -> None:
    beside = start(ECHO)
    beside.send(b"ab", PATIENCE)
    assert beside.receive(PATIENCE) == b"ba"  # from here on it has nothing to do but what it is asked
    beside.process.send_signal(signal.SIGSTOP)
    beside.send(b"xy", PATIENCE)
    assert not beside.speaks(0.01, 0.05), "the control, and so long it may be held up at most"
    going_on = threading.Timer(0.3, beside.process.send_signal, [signal.SIGCONT])
    going_on.start()
    assert beside.speaks(0.1, 10 * PATIENCE)
    assert beside.receive(PATIENCE) == b"yx"
    going_on.join()


def test_one_that_works_on_and_on_is_not_waited_for(start: Start) -> None:
    assert not start("while True: pass").speaks(0.05, 100 * PATIENCE)


def test_it_is_seen_whether_an_answer_is_there(start: Start) -> None:
    beside = start(ECHO)
    assert not beside.has_spoken
    beside.send(b"xy", PATIENCE)
    while not beside.has_spoken:
        assert beside.is_running
    assert beside.receive(PATIENCE) == b"yx"
    beside.close()
    assert beside.has_spoken  # its end is


def test_a_child_whose_caller_is_gone_ends(start: Start) -> None:
    beside = start(ECHO)
    beside._socket.close()
    assert beside.process.wait(PATIENCE) == 0


def test_nothing_of_this_machine_is_told_unless_it_is_given(start: Start) -> None:
    beside = start("import os; from cegla.child import Caller; Caller().answer(' '.join(os.environ).encode())")
    assert set(beside.receive(PATIENCE).decode().split()) <= {"LANG", "PYTHONPATH", "LC_CTYPE"}


def test_where_there_is_no_room_for_a_process_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotStarted):
        Child("told", 1)
    assert before in (0, len(os.listdir("/proc/self/fd")))
