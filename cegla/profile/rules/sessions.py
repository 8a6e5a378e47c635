"""Sessions: runs of events of one identity without a pause of 30 minutes.

A pause of 29:59 keeps the session, 30:00 begins a new one; so do 24 hours since its start and another campaign.
Midnight does not. Events are taken one by one in the order of arrival, so where a batch ends changes nothing. Two
sessions are remembered for each identity, so that events that arrive late find theirs.
"""

from typing import NamedTuple

PAUSE_MICROS = 30 * 60 * 1_000_000
LONGEST_MICROS = 24 * 3_600 * 1_000_000

_MIX = 0x9E3779B97F4A7C15
_ALL = 0xFFFFFFFFFFFFFFFF


class Session(NamedTuple):
    """One session so far: microseconds since 1970, and the campaign that began it."""

    id: int
    started: int
    last: int
    campaign: str | None


Remembered = tuple[Session, Session | None]  #: the newest session, and one that late events still reach


class Sessions:
    """The sessions of many identities; `remembered` is what is known of them, `changed` whom this batch moved."""

    def __init__(self, remembered: dict[int, Remembered]) -> None:
        self.remembered = remembered
        self.changed: set[int] = set()

    def place(self, identity_id: int, at: int, campaign: str | None) -> int:
        """The id of the session that an event of this identity at this moment belongs to."""
        known = self.remembered.get(identity_id)
        self.changed.add(identity_id)
        if known is None:
            session = begin(identity_id, at, campaign)
            self.remembered[identity_id] = (session, None)
            return session.id
        newest, late = known
        if belongs(newest, at, campaign):
            self.remembered[identity_id] = (stretched(newest, at), late)
            return newest.id
        if late is not None and belongs(late, at, campaign):
            self.remembered[identity_id] = (newest, stretched(late, at))
            return late.id
        session = begin(identity_id, at, campaign)
        self.remembered[identity_id] = (session, newest) if at >= newest.last else (newest, session)
        return session.id


def belongs(session: Session, at: int, campaign: str | None) -> bool:
    """Whether an event at this moment continues the session. An event without a campaign never splits."""
    if not (session.started - PAUSE_MICROS < at < session.last + PAUSE_MICROS):
        return False
    if max(at, session.last) - min(at, session.started) >= LONGEST_MICROS:
        return False
    return campaign is None or campaign == session.campaign or at < session.started


def stretched(session: Session, at: int) -> Session:
    """The session with an event at this moment in it; its id stays."""
    if at > session.last:
        return Session(session.id, session.started, at, session.campaign)
    return Session(session.id, at, session.last, session.campaign) if at < session.started else session


def begin(identity_id: int, at: int, campaign: str | None) -> Session:
    """A new session. Its id is a 63-bit mix of whose it is and when it began, so a replay gives the same."""
    mixed = (identity_id * _MIX ^ at) & _ALL
    mixed = ((mixed ^ mixed >> 31) * 0xBF58476D1CE4E5B9) & _ALL
    mixed = ((mixed ^ mixed >> 29) * 0x94D049BB133111EB) & _ALL
    if campaign is not None:
        mixed ^= sum(ord(letter) * (index + 1) for index, letter in enumerate(campaign))
    return Session((mixed ^ mixed >> 32) >> 1, at, at, campaign)
