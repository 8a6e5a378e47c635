"""Python's search for cycles among values, put off where a million values are made that form none."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def no_search_for_cycles() -> Generator[None]:
    """While values are made by the million, Python's collector would look through all of them again and again, for cycles that they do not have:
    it took a tenth of a run. Holds for all threads of the process, so it is for seconds, not for minutes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
