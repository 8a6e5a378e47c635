"""What many power cuts cost, whatever store they hit."""

from collections import Counter
from dataclasses import dataclass, field

SHARES = (0.02, 0.3, 0.7, 0.98)  #: how many of the unsynced sectors reached a torn disk


@dataclass
class Verdict:
    """`corrupt` counts cuts after which the store did not start or contradicted itself."""

    cuts: int = 0
    acknowledged: int = 0  #: acknowledged requests or batches looked for, over all cuts
    lost: int = 0
    cuts_with_loss: int = 0
    corrupt: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])

    def __add__(self, other: "Verdict") -> "Verdict":
        sums = (getattr(self, name) + getattr(other, name) for name in ("cuts", "acknowledged", "lost", "cuts_with_loss", "corrupt", "faults"))
        return Verdict(*sums)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing corrupt, and something was looked for."""
        return bool(self.acknowledged) and not self.lost and not self.corrupt
