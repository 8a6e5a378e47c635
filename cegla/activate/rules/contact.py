"""How often and when somebody may be written to, across all campaigns. Pure: what was sent and waits comes in as numbers.

Days are calendar days of the person's own clock, not spans of 24 hours (Braze counts so too). Quiet hours hold a message and let it go when they end.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from cegla.activate.rules.timing import moment as wall_moment
from cegla.vocabulary.messages import SkipReason


@dataclass(frozen=True)
class Limits:
    """The rule of a channel: `per_day` 0 is no limit; without `quiet_from` there are no quiet hours. They may span midnight."""

    per_day: int = 0
    quiet_from: time | None = None
    quiet_until: time | None = None


NIGHT = (time(21), time(8))
#: What ships: text and push messages ring, so they are rarer and never come at night.
SHIPPED = {"email": Limits(2), "sms": Limits(1, *NIGHT), "push": Limits(1, *NIGHT)}
FREE = Limits()


@dataclass(frozen=True, slots=True)
class Contact:
    """What a person was given by other campaigns on a channel, and what waits for them.

    `week` counts the last seven days; `today` their own calendar day; `ahead` waits for today and goes first: of a higher priority, or
    of the same and launched before. `offered`: the same offer reached them lately, or is on its way.
    """

    week: int = 0
    week_waiting: int = 0
    today: int = 0
    ahead: int = 0
    offered: bool = False

    def reason(self, cap: int, per_day: int, *, waiting: bool) -> SkipReason | None:
        """Why the person gets nothing more, if so; `waiting`: what waits counts towards the week (at the launch, not at the hand-off)."""
        if self.offered:
            return SkipReason.OFFER_REPEATED
        if cap and self.week + (self.week_waiting if waiting else 0) >= cap:
            return SkipReason.CAPPED
        if per_day and self.today >= per_day:
            return SkipReason.CAPPED_TODAY
        if per_day and self.today + self.ahead >= per_day:
            return SkipReason.LOST_SLOT
        return None


NO_CONTACT = Contact()


def opens_at(limits: Limits, moment: datetime, zone: tzinfo) -> datetime:
    """From when on a message may go: the moment itself, or the end of the quiet hours it falls into, in UTC.

    An end that a clock skips on the night of daylight saving is the first moment after the gap; of one that comes twice it is the first.
    """
    begin, end = limits.quiet_from, limits.quiet_until
    if begin is None or end is None or begin == end:
        return moment
    local = moment.astimezone(zone)
    now = local.time()
    quiet = begin <= now < end if begin < end else now >= begin or now < end
    if not quiet:
        return moment
    day = local.date() + timedelta(days=1) if begin > end and now >= begin else local.date()
    opened = wall_moment(datetime.combine(day, end), zone)
    return opened if opened > moment else opened + timedelta(hours=1)  # the same wall clock, the second time round
