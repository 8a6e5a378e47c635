"""Messages: what became of each, and why one was not sent."""

from enum import StrEnum


class MessageState(StrEnum):
    """The life of one outbox row. `AMBIGUOUS`: the connection died between the final dot and the reply, so nobody
    knows; it is reported and never sent again by itself."""

    DECIDED = "decided"
    HANDING_OFF = "handing_off"
    SENT = "sent"
    BOUNCED = "bounced"
    FAILED = "failed"
    AMBIGUOUS = "ambiguous"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a person in the segment did not get the message. The list is closed."""

    NO_CONSENT = "no_consent"
    WITHDRAWN = "withdrawn"
    PAUSED = "paused"
    SUPPRESSED = "suppressed"
    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    CAPPED = "capped"
    CAPPED_TODAY = "capped_today"
    LOST_SLOT = "lost_slot"
    OFFER_REPEATED = "offer_repeated"
    GOT_IT_ELSEWHERE = "got_it_elsewhere"
    HOLDOUT = "holdout"
    NOT_MATCHING_ANY_MORE = "not_matching_any_more"
    RENDERING_FAILED = "rendering_failed"
    MISSED = "missed"
    CANCELLED = "cancelled"
