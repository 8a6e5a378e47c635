"""Home and work, as powiats: where a person's evenings and where their office hours are. Off until somebody sets a purpose.

Home is the powiat with most distinct nights (19 to 7) and weekend days, work the one with most distinct working days from 9 to 16 that is not
home, each with at least three days (the most frequented location, Lenormand et al. 2014). Only fixed lines of an access network tell a place:
a mobile network, a VPN or a datacentre never makes a home. Who works where they live has no other place of work.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found, Params
from cegla.profile.rules.confidence import chance_above
from cegla.profile.rules.guards import Seen, Table, gathered, joined_facts
from cegla.reference.places import poland
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 90.0
LEAST_DAYS = 3
LINE_SURE = 0.95  #: that a fixed line is in the powiat that the address database gives: 94.7 % of addresses lie within 25 km
LEAST_SHARE = 0.5  #: of the days that tell a place, this many must tell the same
WORKING = ("fixed", "business", "education", "public")


def facts(seen: Seen) -> Table:
    """Distinct days by powiat: nights and weekends on fixed lines, and office hours of working days."""
    events = seen.events
    placed = events.filter(
        events.session_id.notnull() & events.powiat.notnull() & events.network_kind.isin(WORKING) & ~events.is_proxy.fill_null(False)
        & (events.place_source.fill_null("ip") == "ip") & (events.age_days < 2 * HALF_LIFE_DAYS)
    )  # fmt: skip
    hour, weekend = placed.local_at.hour(), placed.local_at.day_of_week.index() >= 5
    home: Any = (weekend | (hour >= 19) | (hour < 7)) & (placed.network_kind == "fixed")
    office: Any = ~weekend & (hour >= 9) & (hour < 16)
    return joined_facts(placed.group_by("person_id").agg(days=placed.days_ago.nunique()), _days(placed, home, "homes"), _days(placed, office, "offices"))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The powiat with most days; none where no powiat holds half of them."""
    homes, offices = list(facts.pairs("homes")), list(facts.pairs("offices"))
    at_home = [_most(found) for found in homes]
    at_work = [_most([one for one in found if one[0] != home[0]] if home[0] else []) for found, home in zip(offices, at_home, strict=True)]
    return {"place.home": _found(at_home, homes, "home"), "place.work": _found(at_work, offices, "work")}


def _days(placed: Table, where: Any, name: str) -> Table:
    days = placed.filter(where).select("person_id", "powiat", "days_ago", "weight").distinct()
    return gathered(days.select("person_id", what="powiat", weight="weight"), name)


def _most(found: list[tuple[Any, float]]) -> tuple[str | None, float]:
    best = min(found, key=lambda one: (-one[1], one[0]), default=(None, 0.0))
    return best if best[1] >= LEAST_DAYS else (None, best[1])


def _found(chosen: list[tuple[str | None, float]], among: list[list[tuple[Any, float]]], name: str) -> Found:
    days = np.array([best for _, best in chosen])
    total = np.array([sum(weight for _, weight in found) for found in among])
    enough = days >= LEAST_SHARE * np.maximum(total, 1e-9)
    values = [place if clear else None for (place, _), clear in zip(chosen, enough, strict=True)]
    return Found(values, LINE_SURE * chance_above(days, total), np.floor(days), {f"{name}_days": np.round(days, 1), f"{name}_all": np.round(total, 1),
        f"{name}_name": [place and (poland().powiat_name(place) or place) for place in values]})  # fmt: skip


ANALYSER = Analyser(
    key="place",
    label=Text("Dom i praca", "Home and work"),
    promise=Text("W którym powiecie osoba mieszka, a w którym pracuje.", "In which powiat a person lives, and in which one works."),
    inputs=("powiat", "network_kind", "is_proxy", "place_source"),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("place.home", Text("Powiat domu (TERYT)", "Home powiat (TERYT)"), "word",
            Text("Wieczory, noce i weekendy: {home_days} z {home_all} dni na łączu stałym, powiat {home_name}.",
                "Evenings, nights and weekends: {home_days} of {home_all} days on a fixed line in the powiat {home_name}.")),
        AnalysedTrait("place.work", Text("Powiat pracy (TERYT)", "Work powiat (TERYT)"), "word",
            Text("Dni robocze 9–16: {work_days} z {work_all}, powiat {work_name}, inny niż dom.",
                "Working days 9–16: {work_days} of {work_all} in the powiat {work_name}, which is not home.")),
    ),
    method=Text(
        "Powiat z największą liczbą różnych nocy i weekendów (dom) albo dni roboczych 9–16 (praca), tylko łącza stałe, co najmniej 3 dni.",
        "The powiat with most distinct nights and weekends (home) or working days 9–16 (work), fixed lines only, at least 3 days.",
    ),
    purpose="profiling",
    schedule="nightly",
    min_evidence=LEAST_DAYS,
    half_life_days=HALF_LIFE_DAYS,
    legal_class="sensitive_inference",
    ages=True,
    version=3,
)  # fmt: skip
