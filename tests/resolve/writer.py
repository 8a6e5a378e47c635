"""A process that resolves events beside others, and may be killed at a step: `python -m tests.resolve.writer DSN ORDER STEP`.

ORDER is a seed for the order of its batches; STEP names a function of the slice ("store.add_edges") or is "none".
"""

import importlib
import os
import random
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cegla.resolve import actions as resolve
from cegla.storage.settings import Settings
from cegla.storage.workspace import Workspace
from cegla.vocabulary.events import Event
from tests.resolve.known import alias, event, identify

BATCH = 7


def story() -> list[Event]:
    """Twelve users on shared browsers, with addresses, aliases both ways and late events."""
    chance = random.Random(17)
    rows: list[Event] = []
    for n in range(120):
        user, browser = f"u{chance.randrange(12)}", f"b{chance.randrange(20)}"
        rows.append(event(n, user if n % 3 else None, browser))
        if n % 5 == 0:
            rows.append(identify(n, user, browser, email=f"e{chance.randrange(15)}@x.pl"))
    return [*rows, alias(130, "u1", "u2"), alias(131, "u2", "u1"), alias(132, "u3", "u4"), alias(133, "u5", "u3")]


def die_at(step: str, after: int) -> None:
    """Let this process be killed when it has done a step for the `after`-th time, before it commits."""
    module, _, name = step.partition(".")
    owner: Any = importlib.import_module(f"cegla.resolve.{module}")
    honest = getattr(owner, name)
    calls = 0

    def deadly(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        result = honest(*args, **kwargs)
        calls += 1
        if calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)


def main(arguments: Sequence[str]) -> None:
    dsn, order, step = arguments
    rows = story()
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    random.Random(order).shuffle(batches)
    if step != "none":
        die_at(step, 1 + int(order) % 3)
    ws = Workspace(Settings.model_validate({"data_dir": Path(os.devnull).parent / "none"}), dsn, pool_size=1)
    cache = resolve.IdentityCache()
    for batch in batches:
        with ws.transaction() as conn:
            resolve.find_people(conn, batch, cache)
    ws.close()


if __name__ == "__main__":
    main(sys.argv[1:])
