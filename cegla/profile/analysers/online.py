"""Online activity: on how many days a person comes, since when and how lately, and whether they are likely to come again.

Days are a bitmap: bit 0 is today, bit 27 four weeks ago, and L7 and L28 count its ones. Whether somebody still lives as a visitor is the
chance of BG/NBD (Fader, Hardie and Lee 2005: visits by a Poisson process with gamma rates, departures after a visit with beta chances), whose
four parameters are learnt from the own base. The stages are told from the person's own pauses.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.guards import Seen, Table, in_order, joined_facts
from cegla.profile.rules.visits_model import CDNOW, alive, fitted
from cegla.vocabulary.text import Text

DAYS = 28
NEW_DAYS = 14.0
LAPSED_DAYS = 60.0
SIGNED_IN = ("Signed In", "Logged In", "Login")
STAGES = {
    "new": Text("nowa", "new"), "active": Text("aktywna", "active"), "at_risk": Text("zagrożona", "at risk"), "lapsed": Text("utracona", "lapsed"),
    "returned": Text("powracająca", "returned"),
}  # fmt: skip


def facts(seen: Seen) -> Table:
    """Active days as days ago, ascending; visits, channels, devices and signed-in visits of the last 30 days."""
    events = seen.events
    active = events.filter(events.session_id.notnull())
    days = active.group_by("person_id", "days_ago").agg(seen=active.count())
    counted = days.group_by("person_id").agg(days=in_order(days.days_ago))
    signed: Any = (active.kind == "identify") | active.name.isin(SIGNED_IN)
    visits = active.group_by("person_id", "session_id").agg(
        age_days=active.age_days.min(), signed=signed.any(), app=(active.kind == "screen").any(), device=active.device_type.max(),
    )  # fmt: skip
    lately = visits.age_days < 30.0
    known = visits.device.isin(["desktop", "phone", "tablet", "tv"])
    sums = visits.group_by("person_id").agg(
        age_days=visits.age_days.min(), visits=visits.count(where=lately), signed=visits.count(where=lately & visits.signed),
        apps=visits.count(where=lately & visits.app), **{name: visits.count(where=lately & known & (visits.device == name)) for name in _DEVICES},
    )  # fmt: skip
    came = active.filter(active.referrer_kind.notnull() & (active.referrer_kind != "internal") & (active.age_days < 30.0))
    ways = came.group_by("person_id").agg(ways=came.referrer_kind.collect(distinct=True))
    return joined_facts(sums, counted, ways)


_DEVICES = ("desktop", "phone", "tablet", "tv")


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Everything but the chance of coming again follows from the days alone."""
    owners, days = facts.flat("days")
    days = days.cast("int64").to_numpy(zero_copy_only=False)
    n = np.bincount(owners, minlength=len(facts))
    bits = bitmaps(owners, days, len(facts))
    l7, l28 = np.bitwise_count(bits & 0b1111111), np.bitwise_count(bits)
    first, last = _nth(days, n, n - 1), _nth(days, n, np.zeros_like(n))
    usual = _usual_pauses(owners, days, n)
    chance = alive(params.get("visits", CDNOW), n - 1.0, first - last, first)
    stages = _stages(n, (first, last, _nth(days, n, np.ones_like(n)) - last), usual)
    visits, signed = facts.counts("visits"), facts.counts("signed")
    sure = n / (n + 2.0)
    some = np.maximum(visits, 1)
    recency = np.round(facts.numbers("age_days"), 2)
    by_device = {name: facts.counts(name) for name in _DEVICES}
    known = sum(by_device.values())
    mixes = [_shares({name: int(column[row]) for name, column in by_device.items()}) for row in range(len(facts))]
    ways = [sorted({*(found or []), *(["app"] if apps else [])}) or None for found, apps in zip(facts.values("ways"), facts.counts("apps"), strict=True)]
    shown = {"last_days": last, "pause": np.round(usual, 1), "days": n}
    return {
        "online.l7": Found(l7, np.where(n > 0, 1.0, 0.0), n, {"days": n}),
        "online.l28": Found(l28, np.where(n > 0, 1.0, 0.0), n, {"days": n}),
        "online.sessions_30d": Found(visits, np.where(n > 0, 1.0, 0.0), n, {"days": n}),
        "online.recency": Found(recency, np.where(n > 0, 1.0, 0.0), n, {"last_days": last}),
        "online.channels": Found(ways, visits / (visits + 2.0), visits, {"visits": visits}),
        "online.lifecycle": Found(stages, sure, n, shown),
        "online.p_alive": Found(np.where(n > 0, np.round(chance, 3), np.nan), sure, n, {"days": n, "last_days": last}),
        "online.device_mix": Found(mixes, known / (known + 2.0), known, {"visits": visits}),
        "online.login_share": Found(np.round(signed / some, 3), visits / (visits + 2.0), visits, {"signed": signed, "visits": visits}),
    }


def bitmaps(owners: Any, days: Any, people: int) -> Any:
    """The last four weeks of everybody as bits: bit d is set when the person came d days ago. `owners` are places of people, along `days`."""
    bits = np.zeros(people, np.int64)
    late = days < DAYS
    np.bitwise_or.at(bits, owners[late], np.int64(1) << days[late])
    return bits


def _nth(days: Any, n: Any, place: Any) -> Any:
    """Of everybody the day at a place of their own, 0 the latest; 0.0 where there is none. `n` says how many of `days`, one person's behind another's."""
    if not len(days):
        return np.zeros(len(n))
    start = np.cumsum(n) - n
    return np.where((place >= 0) & (place < n), days[np.clip(start + place, 0, len(days) - 1)], 0).astype(np.float64)


def _usual_pauses(owners: Any, days: Any, n: Any) -> Any:
    """Of everybody the pause that nine of ten of their own pauses do not exceed, in days; 30 while there are fewer than three."""
    own = owners[1:] == owners[:-1]
    whose, pauses = owners[1:][own], np.diff(days)[own]
    pauses = pauses[np.lexsort((pauses, whose))]
    many = np.maximum(n - 1, 0)
    place = 0.9 * np.maximum(many - 1, 0)
    low = np.floor(place).astype(np.int64)
    below, above = _nth(pauses, many, low), _nth(pauses, many, np.minimum(low + 1, many - 1))
    return np.where(n > 3, below + (above - below) * (place - low), 30.0)


def _stages(n: Any, days: tuple[Any, Any, Any], usual: Any) -> list[str | None]:
    """Everybody's stage, by how many days they came on, the first day, how long they have been quiet, the pause before that (days), and the usual pause."""
    first, quiet, before = days
    before = np.where(n > 1, before, 0.0)
    place = np.select(
        [n == 0, quiet > np.maximum(LAPSED_DAYS / 2, 3 * usual), quiet > np.maximum(usual, 7.0), before > np.maximum(LAPSED_DAYS, 3 * usual),
            first <= NEW_DAYS],
        [0, 1, 2, 3, 4], 5,
    )  # fmt: skip
    return [(None, "lapsed", "at_risk", "returned", "new", "active")[one] for one in place.tolist()]


def _shares(counts: Mapping[str, int]) -> dict[str, float] | None:
    total = sum(counts.values())
    return {name: round(count / total, 3) for name, count in counts.items() if count} if total else None


def _learn_from(seen: Seen) -> Table:
    events = seen.events
    active = events.filter(events.session_id.notnull())
    days = active.group_by("person_id").agg(days=active.days_ago.nunique(), first=active.days_ago.max(), last=active.days_ago.min())
    return days.select("person_id", "days", "first", "last")


def _learn(facts: Facts, now: datetime) -> Params:
    days, first, last = facts.numbers("days"), facts.numbers("first"), facts.numbers("last")
    known = days > 0
    return {"visits": fitted(days[known] - 1.0, first[known] - last[known], first[known])}


def _days_of(key: str, pl: str, en: str, many: int) -> AnalysedTrait:
    why = Text(
        f"Dni z wizytą w ostatnich {many} dniach: {{value}} (w całej historii {{days}}).", f"Days with a visit in the last {many}: {{value}} ({{days}} in all)."
    )  # fmt: skip
    return AnalysedTrait(key, Text(pl, en), "number", why)


ANALYSER = Analyser(
    key="online",
    label=Text("Aktywność w sieci", "Online activity"),
    promise=Text("Jak często i jak dawno osoba zagląda i czy jeszcze wróci.", "How often and how lately a person comes, and whether they will come again."),
    inputs=("device_type", "referrer_kind"),
    facts=facts,
    read=read,
    traits=(
        _days_of("online.l7", "Aktywne dni (7)", "Active days (7)", 7),
        _days_of("online.l28", "Aktywne dni (28)", "Active days (28)", 28),
        AnalysedTrait("online.sessions_30d", Text("Wizyty w 30 dni", "Visits in 30 days"), "number",
            Text("Sesje zaczęte w ostatnich 30 dniach: {value}.", "Sessions begun in the last 30 days: {value}.")),
        AnalysedTrait("online.recency", Text("Dni od wizyty", "Days since a visit"), "number",
            Text("Dni od ostatniego własnego działania: {value}.", "Days since the last own action: {value}.")),
        AnalysedTrait("online.channels", Text("Którędy przychodzi", "Ways in"), "list",
            Text("Drogi wejścia w {visits} wizytach z 30 dni: {value}.", "Ways in of {visits} visits in 30 days: {value}."),
            {"direct": Text("bezpośrednio", "directly"), "search": Text("wyszukiwarka", "search"), "social": Text("sieć społecznościowa", "social network"),
             "assistant": Text("asystent AI", "AI assistant"), "mail": Text("poczta", "mail"), "other": Text("inna strona", "another site"),
             "app": Text("aplikacja", "app")}),
        AnalysedTrait("online.lifecycle", Text("Etap życia", "Life cycle"), "word",
            Text("Dni od ostatniej wizyty: {last_days}; zwykła przerwa w dniach, najwyżej: {pause} (dni z wizytą: {days}).",
                "Days since the last visit: {last_days}; a usual pause in days, at most: {pause} (days with a visit: {days})."), STAGES),
        AnalysedTrait("online.p_alive", Text("Szansa, że wróci", "Chance to come again"), "share",
            Text("Dni z wizytą: {days}, dni od ostatniej: {last_days}; szansa, że nadal odwiedza, to {value}.",
                "Days with a visit: {days}, days since the last: {last_days}; the chance that visits go on is {value}."), min_evidence=2),
        AnalysedTrait("online.device_mix", Text("Urządzenia", "Devices"), "shares",
            Text("Podział {visits} wizyt z 30 dni: {value}.", "How {visits} visits in 30 days are divided: {value}."),
            {"desktop": Text("komputer", "computer"), "phone": Text("telefon", "phone"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "TV")}),
        AnalysedTrait("online.login_share", Text("Udział wizyt z logowaniem", "Share of signed-in visits"), "share",
            Text("Zalogowane były {signed} z {visits} wizyt w 30 dni.", "{signed} of {visits} visits in 30 days were signed in.")),
    ),
    method=Text(
        "Mapa bitowa aktywnych dni, własne przerwy osoby i szansa BG/NBD z parametrami z własnej bazy.",
        "A bitmap of active days, the person's own pauses, and the BG/NBD chance with parameters of the own base.",
    ),
    purpose="analytics",
    schedule="hourly",
    half_life_days=7.0,
    ages=True,
    fit=Fit(_learn_from, _learn),
)  # fmt: skip
