"""Who of a segment gets a campaign, and for everybody else the one reason why not. Pure; the gate's verdict comes in as data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from cegla.activate.rules.channels import deliverable
from cegla.activate.rules.contact import NO_CONTACT, Contact
from cegla.vocabulary.consent import Channel, Verdict
from cegla.vocabulary.messages import SkipReason

_BY_VERDICT = {"withdrawn": SkipReason.WITHDRAWN, "objected": SkipReason.WITHDRAWN, "suppressed": SkipReason.SUPPRESSED, "paused": SkipReason.PAUSED}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the segment, with what the decision needs. `due_at`: when quiet hours let a message go (None: at once)."""

    person_id: int
    identity_ids: Sequence[int]
    identity_id: int | None  #: of the address
    address: str | None
    verdict: Verdict
    contact: Contact = NO_CONTACT
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The decision for one person: `reason` None means the message goes out. `arm` is the variant, holdout or rest; empty: in no comparison."""

    person_id: int
    reason: SkipReason | None
    identity_id: int | None = None
    address: str | None = None
    consent_record_id: int | None = None
    consent_at: datetime | None = None
    arm: str = ""
    due_at: datetime | None = None


HOLDOUT, FIRST, REST = "holdout", "A", "rest"


@dataclass(frozen=True)
class Plan:
    """How a campaign chooses: at most `cap` messages in seven days and `per_day` a day (0: no limit), the share held out, the variants with their shares.

    `test_percent` of those who get something compare the variants (0: all do); the others are the rest, and get what is chosen then.
    """

    campaign_id: int
    cap: int = 0
    per_day: int = 0
    holdout_percent: float = 0
    variants: Sequence[tuple[str, int]] = field(default=((FIRST, 1),))
    test_percent: int = 0
    channel: Channel = Channel.EMAIL


def choose(candidates: Iterable[Candidate], plan: Plan) -> list[Chosen]:
    """Decide for each candidate. The first reason in this order counts: no address, an address no server takes, consent or suppression,
    the same offer again, the caps, another campaign that goes first, the holdout."""
    return [_choose(candidate, plan) for candidate in candidates]


def _choose(person: Candidate, plan: Plan) -> Chosen:
    verdict = person.verdict
    reason, arm = None, ""
    if person.address is None:
        reason = SkipReason.NO_ADDRESS
    elif deliverable(person.address, plan.channel) is None:
        reason = SkipReason.INVALID_ADDRESS
    elif not verdict.allowed:
        reason = _BY_VERDICT.get(verdict.reason, SkipReason.NO_CONSENT)
    else:
        reason = None if person.contact is NO_CONTACT else person.contact.reason(plan.cap, plan.per_day, waiting=True)
        if reason is None:
            held = held_out(plan.campaign_id, person.person_id, plan.holdout_percent)
            reason, arm = (SkipReason.HOLDOUT, HOLDOUT) if held else (None, _arm(plan, person.person_id))
    return Chosen(person.person_id, reason, person.identity_id, person.address, verdict.record_id, verdict.decided_at, arm, person.due_at)


def _arm(plan: Plan, person_id: int) -> str:
    if plan.test_percent and len(plan.variants) > 1 and _drawn("test", plan.campaign_id, person_id) >= plan.test_percent / 100:
        return REST
    return arm_of(plan.campaign_id, person_id, plan.variants)


def arm_of(campaign_id: int, person_id: int, variants: Sequence[tuple[str, int]]) -> str:
    """Which variant a person gets: the same every time, in the proportions of the shares, independent between campaigns and of the holdout."""
    if len(variants) == 1:
        return variants[0][0]
    place = _drawn("variant", campaign_id, person_id) * sum(share for _, share in variants)
    for key, share in variants:
        place -= share
        if place < 0:
            return key
    return variants[-1][0]


def refused_by(verdict: Verdict) -> SkipReason | None:
    """The reason a verdict gives for skipping somebody; None when it allows."""
    return None if verdict.allowed else _BY_VERDICT.get(verdict.reason, SkipReason.NO_CONSENT)


def held_out(campaign_id: int, person_id: int, percent: float) -> bool:
    """Whether a person belongs to the group that gets nothing: the same answer every time, and independent between campaigns."""
    return percent > 0 and _drawn("holdout", campaign_id, person_id) < percent / 100


def _drawn(what: str, campaign_id: int, person_id: int) -> float:
    """A number from 0 to 1 that follows from who it is about."""
    return int.from_bytes(sha256(f"{what}:{campaign_id}:{person_id}".encode()).digest()[:8]) / 2**64
