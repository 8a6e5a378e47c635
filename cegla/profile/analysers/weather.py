"""Weather: how it changes when a person comes, and what it is like at theirs now.

    visits ──powiat, hour──► sky then, and at the same hour and weekday of the same month ──► rate ratio, drawn to that of the base ──► value, 90 % interval

A visit is compared with the other days of its month at the same hour and weekday, so that rhythm and season cannot pass for weather (the
time-stratified case-crossover design, Maclure 1991; Levy et al. 2001). What few visits show is drawn to what the whole base shows, by a normal
prior on the logarithm of the ratio that is learnt from it. The weather is that of the powiat the person is in most, hour by hour; without a
provider, or where it knows nothing, everything here is unknown.
"""

from collections.abc import Mapping
from datetime import datetime
from math import erf, sqrt
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.guards import Seen, Table, gathered, joined_facts
from cegla.vocabulary.text import Text

SKIES = ("rain", "heat", "cold", "sun")
FEWEST_VISITS, FEWEST_EXPECTED = 20, 5.0  #: visits that can be compared, and how many of them would fall under that sky if it did not matter
FEW_SHOWN = 5
WIDTH = 100  #: codes of strata of one sky: ten times the days, and how many of them were so
USUAL = {"mean": 0.0, "spread": 0.3}  #: of the logarithm of the ratio, before the base was looked at
LEAST_SPREAD = 0.05
NINETY = 1.6448536269514722
LEAST_LEARNT = 30
HOT, FROST, WET_MM, SNOW_CM = 27.0, 0.0, 0.2, 0.1
NEXT_HOURS, KNOWN_HOURS, SUNNY_HOURS = 24, 12, 5


def facts(seen: Seen) -> Table:
    """Visits by the sky they fell under and by what their stratum would have had, and the next hours at home."""
    visits = seen.visits
    homes = _homes(seen)
    at = visits.mutate(hour=visits.began.truncate("h")).join(homes, visits.person_id == homes.dweller)
    sky = _sky(seen.weather)
    past = sky.filter(sky.hours_ago >= 0)
    strata = past.group_by("powiat", "stratum").agg(days=past.count(), **{f"{name}_days": past[name].cast("int64").sum() for name in SKIES})
    hours = past.join(strata, ["powiat", "stratum"])
    there = at.join(hours, (at.home == hours.powiat) & (at.hour == hours.hour))
    told = [there.select("person_id", what=ibis.literal(place * WIDTH) + there.days * 10 + there[f"{name}_days"], weight=ibis.literal(1.0))
        for place, name in enumerate(SKIES)]  # fmt: skip
    informative = {name: (there[f"{name}_days"] > 0) & (there[f"{name}_days"] < there.days) for name in SKIES}
    counted = there.group_by("person_id").agg(
        visits=there.count(), snowy=there.snow.cast("int64").sum(),
        **{f"{name}_seen": there[name].cast("int64").sum() for name in SKIES},
        **{f"{name}_hit": (there[name] & informative[name]).cast("int64").sum() for name in SKIES},
    )  # fmt: skip
    return joined_facts(counted, gathered(ibis.union(*told), "strata"), _ahead(homes, sky))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """The ratio of each sky; what skies visits fell under; the next day at home."""
    visits = facts.counts("visits")
    strata = facts.matrix("strata", len(SKIES) * WIDTH)
    found: dict[str, Found] = {}
    for place, name in enumerate(SKIES):
        mine, hits = strata[:, place * WIDTH : (place + 1) * WIDTH], facts.counts(f"{name}_hit")
        mean, spread = posterior(mine, hits, params.get(name, USUAL))
        compared, expected = _compared(mine)
        enough = np.where(expected >= FEWEST_EXPECTED, compared, 0)
        bounds = np.round(np.exp(np.column_stack([mean - NINETY * spread, mean + NINETY * spread])), 2)
        found[f"weather.sensitivity_{name}"] = Found(
            np.round(np.exp(mean), 2), [_certain(one) for one in np.abs(mean) / spread], enough,
            {f"{name}_visits": hits, f"{name}_expected": np.round(expected, 1), f"{name}_low": bounds[:, 0], f"{name}_high": bounds[:, 1]},
        )  # fmt: skip
    shares = {name: np.round(facts.counts(f"{name}_seen") / np.maximum(visits, 1), 3) for name in SKIES} | {
        "snow": np.round(facts.counts("snowy") / np.maximum(visits, 1), 3)}  # fmt: skip
    at_events = [{name: float(column[row]) for name, column in shares.items()} for row in range(len(facts))]
    ahead = facts.counts("ahead_hours")
    return found | {
        "weather.at_event": Found(at_events, visits / (visits + 5.0), np.where(visits >= FEW_SHOWN, visits, 0), {"visits": visits}),
        "weather.now_segment": Found(_now(facts), np.where(ahead >= KNOWN_HOURS, 0.8, 0.0), np.where(ahead >= KNOWN_HOURS, ahead, 0),
            {"ahead_warmest": np.round(facts.numbers("ahead_warmest"), 1), "ahead_rain": np.round(facts.numbers("ahead_rain"), 1)}),
    }  # fmt: skip


def posterior(strata: Any, hits: Any, prior: Mapping[str, float]) -> tuple[Any, Any]:
    """Mean and standard deviation of the logarithm of the rate ratio of each person (Laplace's approximation at the mode).

    `strata` counts visits by 10 × days + days that were so; `hits` are the visits that fell on such days. `prior` is normal: `mean`, `spread`.
    """
    days, so = np.divmod(np.arange(WIDTH), 10)
    informative = (so > 0) & (so < days)
    counts, with_it, without = strata[:, informative], so[informative].astype(float), (days - so)[informative].astype(float)
    precision, mean = 1.0 / prior["spread"] ** 2, np.full(len(strata), float(prior["mean"]))
    curve = np.full(len(strata), precision)
    for _ in range(12):
        weight = with_it * np.exp(mean)[:, None]
        chance = weight / (weight + without)
        curve = (counts * chance * (1 - chance)).sum(axis=1) + precision
        slope = hits - (counts * chance).sum(axis=1) - (mean - prior["mean"]) * precision
        mean = np.clip(mean + np.clip(slope / curve, -1.0, 1.0), -4.0, 4.0)
    return mean, 1.0 / np.sqrt(curve)


def _compared(strata: Any) -> tuple[Any, Any]:
    """The visits whose stratum had days of both kinds, and how many of them would have fallen on such days by chance."""
    days, so = np.divmod(np.arange(WIDTH), 10)
    informative = (so > 0) & (so < days)
    chance = np.where(informative, so / np.maximum(days, 1), 0.0)
    return (strata * informative).sum(axis=1).astype(np.int64), strata @ chance


def _certain(sigmas: float) -> float:
    """The chance that a ratio lies on the side of 1 where its estimate does."""
    return 0.5 * (1.0 + erf(sigmas / sqrt(2.0)))


def _homes(seen: Seen) -> Table:
    """The powiat that a person was seen in on most days; of equals, the last by code."""
    events = seen.events
    placed = events.filter(events.session_id.notnull() & events.powiat.notnull())
    days = placed.group_by(dweller=placed.person_id, powiat=placed.powiat).agg(days=placed.days_ago.nunique())
    best: Any = ibis.struct({"days": days.days, "powiat": days.powiat})
    found: Any = days.group_by("dweller").agg(best=best.max())
    return found.select("dweller", home=found.best["powiat"])


def _sky(weather: Table) -> Table:
    """Each hour of each powiat: which skies it had, and its stratum: the hour and weekday of a month."""
    known = weather.filter(weather.temperature.notnull())
    wet: Any = known.precipitation.fill_null(0.0) >= WET_MM
    snow: Any = known.snowfall.fill_null(0.0) >= SNOW_CM
    hour = known.hour.hour()
    return known.select(
        "powiat", "hour", "hours_ago", "temperature", "precipitation", "snowfall",
        stratum=(known.hour.year() * 12 + known.hour.month()) * 168 + known.hour.day_of_week.index() * 24 + hour,
        rain=wet & ~snow, snow=snow, heat=known.temperature >= HOT, cold=known.temperature <= FROST,
        sun=known.code.isin([0, 1]).fill_null(False) & hour.between(5, 17),
    )  # fmt: skip


def _ahead(homes: Table, sky: Table) -> Table:
    """What the next hours bring where a person is at home."""
    coming = sky.filter((sky.hours_ago < 0) & (sky.hours_ago >= -NEXT_HOURS))
    days = coming.group_by("powiat").agg(
        ahead_hours=coming.count(), ahead_warmest=coming.temperature.max(), ahead_rain=coming.precipitation.fill_null(0.0).sum().round(3),
        ahead_snow=coming.snowfall.fill_null(0.0).sum().round(3), ahead_sun=coming.sun.cast("int64").sum(),
    )  # fmt: skip
    joined = homes.join(days, homes.home == days.powiat)
    return joined.select("ahead_hours", "ahead_warmest", "ahead_rain", "ahead_snow", "ahead_sun", person_id=joined.dweller)


def _now(facts: Facts) -> list[str | None]:
    """The sky of the next day in one word, the one that keeps people at home first."""
    hours, warmest, sun = facts.counts("ahead_hours"), facts.numbers("ahead_warmest"), facts.counts("ahead_sun")
    rain, snow = np.nan_to_num(facts.numbers("ahead_rain")), np.nan_to_num(facts.numbers("ahead_snow"))
    return [
        None if not known else "snow" if white >= 1.0 else "rain" if wet >= 1.0 else "heat" if warm >= HOT else "cold" if warm <= FROST
        else "sun" if bright >= SUNNY_HOURS else "mild"
        for known, warm, wet, white, bright in zip(hours, warmest, rain, snow, sun, strict=True)
    ]  # fmt: skip


def _learn(facts: Facts, now: datetime) -> Params:
    """How much each sky matters in the base, and how unlike people are: mean and spread, by expectation and maximization over its people."""
    strata = facts.matrix("strata", len(SKIES) * WIDTH)
    learnt: dict[str, Any] = {}
    for place, name in enumerate(SKIES):
        mine = strata[:, place * WIDTH : (place + 1) * WIDTH]
        compared, expected = _compared(mine)
        enough = (compared >= FEWEST_VISITS) & (expected >= FEWEST_EXPECTED)
        if enough.sum() >= LEAST_LEARNT:
            learnt[name] = spread_of(mine[enough], facts.counts(f"{name}_hit")[enough])
    return learnt


def spread_of(strata: Any, hits: Any) -> dict[str, float]:
    """Mean and spread of the logarithm of the ratio among people."""
    prior = dict(USUAL)
    for _ in range(40):
        mean, deviation = posterior(strata, hits, prior)
        centre = float(mean.mean())
        prior = {"mean": centre, "spread": max(LEAST_SPREAD, float(np.sqrt((deviation**2 + (mean - centre) ** 2).mean())))}
    return {name: round(value, 4) for name, value in prior.items()}


_WORDS = {
    "rain": Text("deszcz", "rain"), "snow": Text("śnieg", "snow"), "heat": Text("upał", "heat"), "cold": Text("mróz", "frost"),
    "sun": Text("słońce", "sun"), "mild": Text("pogoda umiarkowana", "mild weather"),
}  # fmt: skip


def _sensitivity(name: str, label: Text, under: Text) -> AnalysedTrait:
    pl = f"{under.pl}: wizyt {{{name}_visits}}, z pory dnia i roku wypada {{{name}_expected}}: {{value}} raza tyle (90%: {{{name}_low}}–{{{name}_high}})."
    en = f"{under.en}: {{{name}_visits}} visits, time of day and year make {{{name}_expected}}: {{value}} times as many (90%: {{{name}_low}}–{{{name}_high}})."
    return AnalysedTrait(f"weather.sensitivity_{name}", label, "number", Text(pl, en), min_evidence=FEWEST_VISITS)


ANALYSER = Analyser(
    key="weather",
    label=Text("Pogoda", "Weather"),
    promise=Text("Czy deszcz, upał, mróz i słońce zmieniają to, jak często osoba zagląda, i jaka pogoda jest u niej teraz.",
        "Whether rain, heat, frost and sun change how often a person comes, and what the weather is like at theirs now."),
    inputs=("powiat", "weather.temperature", "weather.precipitation", "weather.snowfall", "weather.code"),
    facts=facts,
    read=read,
    traits=(
        _sensitivity("rain", Text("Deszcz: ile razy częściej", "Rain: how many times as often"), Text("W deszczu", "In rain")),
        _sensitivity("heat", Text("Upał: ile razy częściej", "Heat: how many times as often"), Text("W upale", "In heat")),
        _sensitivity("cold", Text("Mróz: ile razy częściej", "Frost: how many times as often"), Text("W mrozie", "In frost")),
        _sensitivity("sun", Text("Słońce: ile razy częściej", "Sun: how many times as often"), Text("W słońcu", "In the sun")),
        AnalysedTrait("weather.at_event", Text("Pogoda podczas wizyt", "Weather at visits"), "shares",
            Text("Pogoda w powiecie podczas wizyt ({visits}): {value}.", "The weather of the powiat at {visits} visits: {value}."), _WORDS),
        AnalysedTrait("weather.now_segment", Text("Pogoda u osoby w ciągu doby", "Weather at theirs, the next day"), "word",
            Text("Najcieplej {ahead_warmest} °C, opady {ahead_rain} mm w ciągu doby w powiecie: {value}.",
                "At warmest {ahead_warmest} °C, {ahead_rain} mm of rain in the powiat within a day: {value}."), _WORDS),
    ),
    method=Text(
        "Wizyta porównywana z tą samą godziną i dniem tygodnia w tym samym miesiącu; iloraz ściągany do bazy rozkładem normalnym jego logarytmu.",
        "A visit is compared with the same hour and weekday of its month; the ratio is drawn to the base by a normal prior on its logarithm.",
    ),
    purpose="profiling",
    schedule="nightly",
    ages=True,
    half_life_days=90.0,
    fit=Fit(facts, _learn),
    data="Open-Meteo",
)  # fmt: skip
