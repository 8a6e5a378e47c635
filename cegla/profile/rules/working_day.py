"""Where and when a person works, which devices are for work, and what kind of day that makes.

Where somebody works is what `place` found; without it, work is what happens on a network of an office on at least five working days.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cegla.profile.rules.analysis import Known
from cegla.profile.rules.confidence import chance_above, share_lower_bound
from cegla.vocabulary.text import Text

FEWEST_DAYS, SHORTEST_HOURS = 5, 3  #: of a working day
WORK_SHARE, PRIVATE_SHARE = 0.6, 0.35  #: of a device's visits at the place of work
MOST_DEVICES = 6
OFFICE_LINE_SURE = 0.8  #: that a network of an office, where no powiat of work is known, is the own one
KINDS_OF_DAY = {
    "office": Text("wychodzi do pracy", "goes out to work"), "home": Text("w dni robocze jest w domu", "is at home on working days"),
    "shifts": Text("na zmiany", "by shifts"),
}  # fmt: skip


class Spot(NamedTuple):
    """What the working days of a person say of one place: days there, and the hours between which nine of ten visits lie."""

    powiat: str | None
    office: bool
    days: int
    begins: float
    ends: float


class Held(NamedTuple):
    """Visits on one device in one place."""

    device: str
    powiat: str | None
    office: bool
    visits: int


class Worked(NamedTuple):
    """Where and when a person works, as far as it is known."""

    spot: Spot | None
    sure: float
    by_place: bool

    @property
    def hours(self) -> tuple[int, int] | None:
        """From the first to the hour after the last."""
        if self.spot is None:
            return None
        first, last = int(self.spot.begins), min(int(self.spot.ends) + 1, 24)
        return (first, last) if last - first >= SHORTEST_HOURS else None


def work_of(traits: Mapping[str, Known], spots: Sequence[Spot]) -> Worked:
    """Where a person works: the powiat that `place` found, else an office's network on at least five working days."""
    place = traits.get("place.work")
    there = [spot for spot in spots if place is not None and spot.powiat == place.value] or [spot for spot in spots if spot.office]
    best = max(there, key=lambda spot: (spot.days, spot.powiat or ""), default=None)
    if best is None or best.days < FEWEST_DAYS:
        return Worked(None, 0.0, place is not None)
    return Worked(best, place.confidence if place is not None and best.powiat == place.value else OFFICE_LINE_SURE, place is not None)


def devices_by_place(found: Sequence[Held], work: Worked) -> list[dict[str, Any]]:
    """Of each device the share of visits where the person works, and what that makes it: for work, private or both."""
    if work.spot is None:
        return []
    visits: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for held in found:
        at_work = held.office if work.spot.office and not work.by_place else held.powiat == work.spot.powiat or (held.office and work.spot.office)
        visits[held.device][0] += held.visits if at_work else 0
        visits[held.device][1] += held.visits
    counted = [(name, inside, whole) for name, (inside, whole) in visits.items() if whole >= FEWEST_DAYS]
    ranked = sorted(counted, key=lambda device: (-device[2], device[0]))[:MOST_DEVICES]
    return [_device(name, inside / whole, whole) for name, inside, whole in ranked]


def _device(name: str, share: float, visits: int) -> dict[str, Any]:
    use = "work" if share >= WORK_SHARE else "private" if share <= PRIVATE_SHARE else "both"
    sure = share_lower_bound(max(share, 1 - share) * visits, visits)
    return {"device": name, "use": use, "share": round(share, 2), "visits": visits, "sure": round(sure, 3)}


def kind_of_day(traits: Mapping[str, Known], spots: Sequence[Spot], work: Worked) -> tuple[str | None, float]:
    """office: goes somewhere else to work; home: is at home on working days too; shifts: lives by shifts."""
    shifts = traits.get("rhythm.shift_worker")
    if shifts is not None and shifts.value:
        return "shifts", shifts.confidence
    if work.hours is not None:
        return "office", work.sure
    home = traits.get("place.home")
    if home is None or "place.work" in traits:
        return None, 0.0
    at_home = max((spot.days for spot in spots if spot.powiat == home.value and spot.ends - spot.begins >= SHORTEST_HOURS), default=0)
    elsewhere = sum(spot.days for spot in spots if spot.powiat != home.value)
    if at_home < 2 * FEWEST_DAYS or elsewhere > at_home / 4:
        return None, 0.0
    return "home", home.confidence * float(chance_above(at_home, at_home + elsewhere))


