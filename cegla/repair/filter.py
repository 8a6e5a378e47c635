"""Which events of the quarantine are meant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cegla.vocabulary.events import Reason


@dataclass(frozen=True)
class Filter:
    """Which events of the quarantine. What is None asks for nothing; `text` looks into contents, so it needs the right to see personal data."""

    ids: tuple[int, ...] | None = None
    reason: Reason | None = None
    source_id: int | None = None
    event: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: str = "open"  #: open, replayed, discarded, all

    def keys(self) -> dict[str, Any]:
        """As `repair.matches` reads it."""
        found: dict[str, Any] = {
            "ids": None if self.ids is None else list(self.ids), "reason": self.reason and str(self.reason), "source_id": self.source_id,
            "event": self.event, "text": self.text, "since": self.since and self.since.isoformat(), "until": self.until and self.until.isoformat(),
            "state": self.state,
        }  # fmt: skip
        return {key: value for key, value in found.items() if value not in (None, "")}
