"""When a campaign begins and when each of its messages goes: a wall clock, the shop's or each person's own, or the person's usual hour. Pure.

    wanted wall clock ──► the first moment it strikes for anybody: the audience is decided ──► each person's own moment ──► quiet hours

The consent gate, the caps and the quiet hours are asked again when a message's moment comes, whatever was decided before.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Literal

Clock = Literal["shop", "person", "usual"]
CLOCKS: tuple[Clock, ...] = ("shop", "person", "usual")
EARLIEST = timezone(timedelta(hours=14))  #: where a day begins first (Kiribati)
SURE = 0.2  #: from this confidence on a person's usual hour is taken for theirs; three hours of a day hold an eighth of activity by chance
YEARS = range(2000, 2200)  #: in every zone a moment of these is one
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Timing:
    """What the author chose: `at` is a wall clock without a zone (None: at once). `usual` sends within a day from then on, at each person's own hour."""

    at: datetime | None = None
    clock: Clock = "shop"

    @property
    def lag(self) -> timedelta:
        """From the decision on the audience until a test of variants counts as begun: before that most people were sent nothing.

        Each person's clock strikes up to fourteen hours after the first on earth, in Europe; the usual hours fill a day.
        """
        return DAY if self.clock == "usual" else 14 * HOUR if self.clock == "person" and self.at is not None else timedelta()


def moment(wall: datetime, zone: tzinfo) -> datetime:
    """The moment a wall clock shows this, in UTC.

    A time that the clock skips on the night of daylight saving is the first moment after the gap; of one that comes twice it is the first.
    """
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    while (found - MINUTE).astimezone(zone).replace(tzinfo=None) > wall:  # skipped by the clock, whose gap ended before
        found -= MINUTE
    return found


def begins_at(timing: Timing, shop: tzinfo) -> datetime | None:
    """When the audience is decided: as the wanted wall clock strikes for the first person on earth it could strike for. None: at the launch."""
    if timing.at is None:
        return None
    return moment(timing.at, EARLIEST if timing.clock == "person" else shop)


def due_at(timing: Timing, begun: datetime, zones: tuple[tzinfo, tzinfo], hour: int | None) -> datetime:
    """A person's own moment, never before `begun`. `zones` are the person's and the shop's; `hour` is when they are usually there, by the shop's clock.

    Whose own moment is over when the campaign begins gets the message at once; who has no usual hour, at the beginning.
    """
    person, shop = zones
    if timing.clock == "person" and timing.at is not None:
        return max(begun, moment(timing.at, person))
    if timing.clock == "usual" and hour is not None:
        return next_hour(begun, hour, shop)
    return begun


def next_hour(since: datetime, hour: int, zone: tzinfo) -> datetime:
    """The first moment from `since` on at which a clock shows this hour: `since` itself when it does already."""
    local = since.astimezone(zone)
    if local.hour == hour:
        return since
    day = local.date() + (DAY if local.hour > hour else timedelta())
    return max(since, moment(datetime.combine(day, time(hour)), zone))


def sure_hour(found: tuple[object, float] | None, others: int | None) -> int | None:
    """A person's usual hour (value, confidence), or that of the others where it is not known well enough."""
    return found[0] if found is not None and isinstance(found[0], int) and found[1] >= SURE else others


def usual_hour(found: Iterable[tuple[object, float]]) -> int | None:
    """The hour most of those are usually there whose hour is sure; for whoever is not among them. None: of nobody it is."""
    hours = Counter(hour for hour, sure in found if isinstance(hour, int) and sure >= SURE)
    return min(hours, key=lambda hour: (-hours[hour], hour), default=None)
