"""The rate limit of sources, shared by all collector processes of a machine through a small mapped file.

Two processes that admit a request of the same source in the same microsecond may count one of the two; a limit is a guard,
not a bill, and a lock would cost every request more than that.
"""

import mmap
import time
from pathlib import Path
from struct import Struct

from cegla.collect import log
from cegla.collect.rules.pace import admitted

FILE = "collector.pace"
SLOTS = 65_536  # sources; the file is sparse

_MOMENT = Struct("d")


class Pace:
    """When each source is due again. Times are `time.monotonic`, which all processes of a machine share."""

    def __init__(self, directory: Path) -> None:
        try:
            with (directory / FILE).open("a+b") as file:
                file.truncate(SLOTS * _MOMENT.size)
                self._due = mmap.mmap(file.fileno(), SLOTS * _MOMENT.size)
        except OSError as error:
            log.warning("rate limits count in each process alone", error=type(error).__name__)
            self._due = mmap.mmap(-1, SLOTS * _MOMENT.size)

    def early_seconds(self, source_id: int, per_second: float) -> float:
        """Count a request of a source; above 0 it comes so much too early, and does not count."""
        place = source_id % SLOTS * _MOMENT.size
        (due,) = _MOMENT.unpack_from(self._due, place)
        due, early = admitted(due, time.monotonic(), per_second)
        _MOMENT.pack_into(self._due, place, due)
        return early
