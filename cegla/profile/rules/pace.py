"""Pace: who does more than three things a second for half a minute is no person."""

from collections.abc import Iterable

WINDOW_MICROS = 30 * 1_000_000
MOST_IN_WINDOW = 90
MOST_REMEMBERED = 100_000


class Paces:
    """Events of each identity in the half minute they fell into. Kept in memory only: after a restart a count begins anew."""

    def __init__(self) -> None:
        self._counts: dict[int, tuple[int, int]] = {}

    def too_fast(self, identity_id: int, at: int) -> bool:
        """Count one event (microseconds since 1970); whether it is one too many."""
        window = at // WINDOW_MICROS
        known = self._counts.get(identity_id)
        count = known[1] + 1 if known is not None and known[0] == window else 1
        self._counts[identity_id] = (window, count)
        return count > MOST_IN_WINDOW

    def forget(self) -> None:
        """Let go of whoever was quiet longest, when there are too many."""
        surplus = len(self._counts) - MOST_REMEMBERED
        if surplus > 0:
            self._drop(sorted(self._counts, key=lambda identity: self._counts[identity][0])[: surplus + MOST_REMEMBERED // 4])

    def _drop(self, identities: Iterable[int]) -> None:
        for identity in identities:
            del self._counts[identity]
