"""Operating system: which system a person's devices run, in which version as far as anybody can know, and whether it still gets updates.

A vote is a visit on a system; votes lose half their weight every 90 days. Browsers freeze the version in their user agent ("Windows NT
10.0", "Android 10; K"), so intake leaves it out there and here it stays unknown: see `profile/rules/devices.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, half_life, in_order
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 90.0
#: The last day with security updates by system and version; the longest version that fits counts. Makers' own pages of support, looked up in
#: 2026-11: Microsoft (Windows), Apple's release notes (macOS, iOS: the last update of a version that has a successor), Android security bulletins.
END_OF_LIFE: dict[str, dict[str, date]] = {
    "Windows": {"XP": date(2014, 4, 8), "Vista": date(2017, 4, 11), "7": date(2020, 1, 14), "8": date(2016, 1, 12), "8.1": date(2023, 1, 10),
        "10": date(2025, 10, 14)},
    "Android": {**{str(number): date(2021, 1, 1) for number in range(1, 9)}, "8.1": date(2021, 10, 1), "9": date(2022, 1, 1), "10": date(2023, 3, 6),
        "11": date(2024, 2, 5), "12": date(2025, 3, 31)},
    "macOS": {**{f"10.{number}": date(2021, 8, 30) for number in range(15)}, "10.15": date(2022, 9, 12), "11": date(2023, 9, 26), "12": date(2024, 9, 16),
        "13": date(2025, 9, 15)},
    "iOS": {**{str(number): date(2020, 9, 16) for number in range(3, 12)}, "12": date(2023, 1, 23), "13": date(2020, 9, 16), "14": date(2021, 10, 1)},
}  # fmt: skip
DATA = "end-of-life 2026-11"


class System(NamedTuple):
    """What a person's visits say of one system: their weight, how many, and the newest version that was told, with how many visits tell one."""

    family: str
    weight: float
    visits: int
    version: str | None
    told: int


def facts(seen: Seen) -> Table:
    """For each person the systems of their visits as a list of structs, ordered by name."""
    events = seen.events
    active = events.filter(events.os.notnull() & events.session_id.notnull())
    votes = active.group_by("person_id", "session_id", family=active.os).agg(
        age_days=active.age_days.min(), weight=active.weight.max(), at=active.occurred_at.max(), version=active.os_version.max(),
    )  # fmt: skip
    vote: Any = votes.weight * half_life(votes.age_days, HALF_LIFE_DAYS)
    newest: Any = ibis.struct({"at": votes.at, "version": votes.version})
    systems = votes.group_by("person_id", "family").agg(
        weight=vote.sum().round(6), visits=votes.count(), newest=newest.max(where=votes.version.notnull()), told=votes.version.count(),
    )  # fmt: skip
    row: Any = ibis.struct(
        {"family": systems.family, "weight": systems.weight, "visits": systems.visits, "version": systems.newest["version"], "told": systems.told}
    )  # fmt: skip
    return systems.group_by("person_id").agg(systems=in_order(row))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The favourite system is the one with most weight; equal weights go to the first by name."""
    people = list(facts.records("systems", System, System._fields))
    first = [max(systems, key=lambda one: one.weight, default=None) for systems in people]
    total = np.array([sum(one.weight for one in systems) for systems in people])
    visits = np.array([sum(one.visits for one in systems) for systems in people])
    share = np.array([one.weight if one else 0.0 for one in first]) / np.where(total > 0, total, 1.0)
    told = np.array([one.told if one else 0 for one in first])
    sure = share_lower_bounds(share * visits, visits)
    sure_of_version = share_lower_bounds(told, told)
    shown = {"family": [one and one.family for one in first], "share": share, "visits": visits}
    versions = [one and one.version for one in first]
    ends = [_end_of_life(one) for one in first]
    return {
        "os.family": Found(shown["family"], sure, visits, shown),
        "os.version": Found(versions, np.minimum(sure, sure_of_version), told, {"family": shown["family"], "told": told}),
        "os.share": Found([_shares(systems) or None for systems in people], share_lower_bounds(visits, visits), visits, {"visits": visits}),
        "os.eol": Found(
            [None if one is None or one.version is None else end is not None and end < now.date() for one, end in zip(first, ends, strict=True)],
            np.minimum(sure, sure_of_version), told,
            {"family": shown["family"], "version": versions, "ends": [end and end.isoformat() for end in ends]},
        ),
    }  # fmt: skip


def _shares(systems: Sequence[System]) -> dict[str, float]:
    total = sum(one.weight for one in systems)
    return {one.family: round(one.weight / total, 3) for one in systems} if total else {}


def _end_of_life(system: System | None) -> date | None:
    """The last day with updates of a system; None when it still gets them, or nobody knows its version."""
    if system is None or system.version is None:
        return None
    ends, parts = END_OF_LIFE.get(system.family, {}), system.version.split(".")
    return next((ends[name] for size in range(len(parts), 0, -1) if (name := ".".join(parts[:size])) in ends), None)


ANALYSER = Analyser(
    key="os",
    label=Text("System operacyjny", "Operating system"),
    promise=Text(
        "Na jakim systemie działają urządzenia osoby i czy dostaje on jeszcze poprawki.",
        "Which system a person's devices run, and whether it still gets updates.",
    ),
    inputs=("os", "os_version"),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait(
            "os.family", Text("System", "System"), "word",
            Text("{share} wagi wizyt ({visits}) przypada na {family}.", "{share} of the weight of {visits} visits is on {family}."),
        ),
        AnalysedTrait(
            "os.version", Text("Wersja systemu", "System version"), "word",
            Text("Najnowsza wersja systemu {family} podana w wizytach ({told}): {value}.", "The newest version of {family} told in {told} visits: {value}."),
        ),
        AnalysedTrait(
            "os.share", Text("Udział systemów", "Share of systems"), "shares",
            Text("Podział wagi wizyt ({visits}): {value}.", "How the weight of {visits} visits is divided: {value}."),
        ),
        AnalysedTrait(
            "os.eol", Text("System bez poprawek", "System without updates"), "flag",
            Text("{family} {version}: ostatnie poprawki {ends}.", "{family} {version}: the last updates on {ends}."),
        ),
    ),
    method=Text(
        "Udział wizyt na systemie, tracących połowę wagi co 90 dni; pewność to dolna granica Wilsona. Zamrożona wersja jest nieznana.",
        "The share of visits on a system, which lose half their weight every 90 days; the confidence is Wilson's lower bound. A frozen version is unknown.",
    ),
    purpose="analytics",
    schedule="hourly",
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    data=DATA,
)  # fmt: skip
