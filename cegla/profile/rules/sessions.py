"""Sessions: runs of events of one identity without a pause of 30 minutes.

A pause of 29:59 keeps the session, 30:00 begins a new one; so do 24 hours since its start and another campaign.
Midnight does not. Events are taken one by one in the order of arrival, so where a batch ends changes nothing. Two
sessions are remembered for each identity, so that events that arrive late find theirs.
"""

from dataclasses import dataclass
from zlib import crc32

PAUSE_MICROS = 30 * 60 * 1_000_000
LONGEST_MICROS = 24 * 3_600 * 1_000_000

_ALL = 0xFFFFFFFFFFFFFFFF


@dataclass(slots=True)
class Session:
    """One session so far: microseconds since 1970, and the campaign that began it."""

    id: int
    started: int
    last: int
    campaign: str | None


@dataclass(slots=True)
class Remembered:
    """The newest session of an identity, and one that late events still reach."""

    newest: Session
    late: Session | None = None


class Sessions:
    """The sessions of many identities; `remembered` is what is known of them, `changed` whom this batch moved."""

    def __init__(self, remembered: dict[int, Remembered]) -> None:
        self.remembered = remembered
        self.changed: set[int] = set()

    def place(self, identity_id: int, at: int, campaign: str | None) -> int:
        """The id of the session that an event of this identity at this moment belongs to."""
        self.changed.add(identity_id)
        known = self.remembered.get(identity_id)
        if known is None:
            session = begin(identity_id, at, campaign)
            self.remembered[identity_id] = Remembered(session)
            return session.id
        newest, late = known.newest, known.late
        if take(newest, at, campaign):
            return newest.id
        if late is not None and take(late, at, campaign):
            return late.id
        session = begin(identity_id, at, campaign)
        if at >= newest.last:
            known.newest, known.late = session, newest
        else:
            known.late = session
        return session.id


def take(session: Session, at: int, campaign: str | None) -> bool:
    """Stretch the session over an event at this moment, if the event continues it. An event without a campaign never splits."""
    started, last = session.started, session.last
    if not started - PAUSE_MICROS < at < last + PAUSE_MICROS:
        return False
    if at >= started:
        if (campaign is not None and campaign != session.campaign) or at - started >= LONGEST_MICROS:
            return False
        if at > last:
            session.last = at
        return True
    if last - at >= LONGEST_MICROS:
        return False
    session.started = at
    return True


def begin(identity_id: int, at: int, campaign: str | None) -> Session:
    """A new session. Its id is a 63-bit mix of whose it is, when it began and the campaign, so a replay gives the same."""
    mixed = (identity_id * 0x9E3779B97F4A7C15 ^ at) & _ALL
    if campaign is not None:
        mixed ^= crc32(campaign.encode("utf-8", "replace")) << 20
    mixed = ((mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9) & _ALL
    mixed = ((mixed ^ mixed >> 29) * 0x94D049BB133111EB) & _ALL
    return Session((mixed ^ mixed >> 32) >> 1, at, at, campaign)
