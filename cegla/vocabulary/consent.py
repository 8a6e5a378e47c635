"""Consent: purposes, channels, decisions. Unknown means no wherever a purpose rests on consent."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Channel(StrEnum):
    """Where a message can go. `NONE` is for purposes without a message, such as analytics."""

    NONE = "none"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    SITE = "site"


class Basis(StrEnum):
    """Lawful bases of GDPR art. 6(1) that purposes and sources here rest on."""

    CONSENT = "consent"  #: (a)
    CONTRACT = "contract"  #: (b)
    LEGAL_OBLIGATION = "legal_obligation"  #: (c)
    LEGITIMATE_INTEREST = "legitimate_interest"  #: (f)


class State(StrEnum):
    """What a person decided (event_state of ISO/IEC TS 27560:2023)."""

    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"  #: takes an earlier record back, named in its proof: as if that had never been made


class Decision(NamedTuple):
    """One decision of a person, to be appended to the ledger."""

    identity_id: int
    purpose: str
    channel: Channel
    state: State
    at: datetime
    source_id: int
    method: str  #: how, one of govern.METHODS
    proof: dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """The gate's answer for one person. `reason` is a closed word: ok, no_consent, unconfirmed, expired, withdrawn, objected,
    paused, suppressed."""

    allowed: bool
    reason: str
    decided_at: datetime | None = None  #: when the decision that the answer rests on was made
    record_id: int | None = None  #: that decision's row in the ledger
