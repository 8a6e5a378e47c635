"""What Cegla knows about a person: traits, each with how it is known."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

LegalClass = Literal["ok", "sensitive_inference", "art9_blocked"]


@dataclass(frozen=True)
class Trait:
    """One thing known about a person, and why.

    `facts` are the numbers and dates the value rests on; the trait's row turns them into a sentence in either
    language. A value of None with `n_evidence` 0 means an honest "unknown".
    """

    key: str
    value: Any
    confidence: float  #: 0..1
    n_evidence: int
    facts: dict[str, Any]
    method: str  #: such as "frequency@1"; the number grows when the rule changes
    computed_at: datetime
    purpose: str
    legal_class: LegalClass = "ok"
    source: str = "computed"  #: "computed", or the name of the source that declared it
    data_version: str = ""  #: of the reference data it rests on, if it does
    valid_until: datetime | None = None
    reason: str | None = None  #: why the value is unknown: "too_little_evidence"


@dataclass(frozen=True)
class Person:
    """A resolved person. `id` is the smallest identity id of the cluster, so the oldest name wins and ids are stable."""

    id: int
    first_seen_at: datetime
    identity_ids: tuple[int, ...] = field(default=())


def person_label(person_id: int) -> str:
    """How a person is written for people to read and paste: p123."""
    return f"p{person_id}"


def parse_person_label(text: str) -> int | None:
    """The number in "p123" or "123"; None for anything else."""
    digits = text.strip().removeprefix("p").removeprefix("P")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else None
