"""Places where a trial lets the process die: before and after each step that two stores, or a store and the world, must agree on.

The variable FAILPOINT names a file; while that file names a point, the first process that passes the point removes the
file and is killed at once, as by kill -9. Without the variable a point costs one comparison.
"""

import os
import signal
from pathlib import Path

_FILE = os.environ.get("FAILPOINT")

POINTS = (
    "collector: before the commit",
    "collector: after the commit",
    "collector: after the head",
    "read: before the answer",
    "read: within the answer",
    "intake: before the append",
    "intake: within the append",
    "intake: after the append",
    "intake: before the commit",
    "intake: after the commit",
    "recover: after taking back",
    "recover: within the rebuild",
    "refresh: before the commit",
    "refresh: after the commit",
    "send: before the hand-off",
    "send: after the hand-off began",
    "send: after the content",
    "send: after the answer was kept",
    "tell: before the commit",
    "tell: after the commit",
    "erase: before the warehouse",
    "erase: after the warehouse",
    "erase: after the commit",
    "import: before the commit",
    "import: after the commit",
    "undo: before the history",
    "undo: after the history",
    "undo: after the commit",
    "launch: before the commit",
    "launch: after the commit",
    "replay: before the commit",
)  #: every point there is, in the order of the river


def passing(point: str) -> None:
    """Die here when a trial wants it."""
    if _FILE is not None:
        _die_if_named(Path(_FILE), point)


def _die_if_named(file: Path, point: str) -> None:
    try:
        if file.read_text() != point:
            return
        file.unlink()
    except OSError:  # nothing is armed, or another process was first
        return
    os.kill(os.getpid(), signal.SIGKILL)
