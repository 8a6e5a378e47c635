"""Who of a segment gets a campaign, and for everybody else the one reason why not. Pure; the gate's verdict comes in as data."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cegla.vocabulary.consent import Verdict
from cegla.vocabulary.messages import SkipReason

_BY_VERDICT = {"withdrawn": SkipReason.WITHDRAWN, "objected": SkipReason.WITHDRAWN, "suppressed": SkipReason.SUPPRESSED, "paused": SkipReason.PAUSED}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the segment, with what the decision needs. `recent` counts messages of the last seven days."""

    person_id: int
    identity_ids: Sequence[int]
    identity_id: int | None  #: of the address
    address: str | None
    verdict: Verdict
    recent: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """The decision for one person: `reason` None means the message goes out."""

    person_id: int
    reason: SkipReason | None
    identity_id: int | None = None
    address: str | None = None
    consent_record_id: int | None = None
    consent_at: datetime | None = None


def choose(candidates: Iterable[Candidate], campaign_id: int, cap: int, holdout_percent: float) -> list[Chosen]:
    """Decide for each candidate. The first reason in this order counts: no address, an address no server takes, consent
    or suppression, the cap, the holdout. `cap` 0 means none."""
    return [_choose(candidate, campaign_id, cap, holdout_percent) for candidate in candidates]


def _choose(person: Candidate, campaign_id: int, cap: int, holdout_percent: float) -> Chosen:
    verdict = person.verdict
    reason: SkipReason | None = None
    if person.address is None:
        reason = SkipReason.NO_ADDRESS
    elif deliverable(person.address) is None:
        reason = SkipReason.INVALID_ADDRESS
    elif not verdict.allowed:
        reason = _BY_VERDICT.get(verdict.reason, SkipReason.NO_CONSENT)
    elif cap and person.recent >= cap:
        reason = SkipReason.CAPPED
    elif held_out(campaign_id, person.person_id, holdout_percent):
        reason = SkipReason.HOLDOUT
    return Chosen(person.person_id, reason, person.identity_id, person.address, verdict.record_id, verdict.decided_at)


def refused_by(verdict: Verdict) -> SkipReason | None:
    """The reason a verdict gives for skipping somebody; None when it allows."""
    return None if verdict.allowed else _BY_VERDICT.get(verdict.reason, SkipReason.NO_CONSENT)


def held_out(campaign_id: int, person_id: int, percent: float) -> bool:
    """Whether a person belongs to the group that gets nothing: the same answer every time, and independent between campaigns."""
    drawn = int.from_bytes(sha256(f"holdout:{campaign_id}:{person_id}".encode()).digest()[:8])
    return drawn < percent / 100 * 2**64


def deliverable(address: str) -> str | None:
    """The address as servers take it, its domain in ASCII (IDNA); None when none would."""
    local, _, domain = address.rpartition("@")
    if not local or not local.isascii() or len(local) > 64:
        return None
    ascii_domain = _in_ascii(domain)
    return f"{local}@{ascii_domain}" if ascii_domain is not None else None


@functools.lru_cache(1_000)  # most addresses share a few domains
def _in_ascii(domain: str) -> str | None:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return None


def masked(address: str) -> str:
    """An address that can be shown: a***@example.pl."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
