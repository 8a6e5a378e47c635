"""Daily activity: at which hours of the week a person is there, when to write to them, and whether they live by shifts.

A vote is one hour of one day with own activity, in the shop's local time; votes lose half their weight every 28 days. The histogram over the
168 hours of the week is smoothed with that of the own base (a Dirichlet prior of 20 votes), so that little evidence says what is usual.
Where people live and work is told by `place`, which is off until a purpose is set.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.confidence import chance_above, share_lower_bounds
from cegla.profile.rules.guards import Seen, Table, gathered, half_life, joined_facts
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 28.0
HOURS, DAY = 168, 24
PRIOR_VOTES = 20.0
SHIFT_SHARE = 0.25  #: of active days with activity at night, from which on somebody lives by shifts
WAKING = range(7, 22)  #: hours at which a message may be sent
TYPES = {"morning": Text("poranny", "morning"), "evening": Text("wieczorny", "evening"), "between": Text("pośredni", "between")}


def facts(seen: Seen) -> Table:
    """The weighted histogram over the hours of the week from Monday 00:00 on, and the days and nights behind it."""
    events = seen.events
    active = events.filter(events.session_id.notnull())
    votes = active.group_by("person_id", "days_ago", hour=active.local_at.hour(), day=active.local_at.day_of_week.index()).agg(
        age_days=active.age_days.min(), weight=active.weight.max()
    )  # fmt: skip
    weight: Any = votes.weight * half_life(votes.age_days, HALF_LIFE_DAYS)
    hours = gathered(votes.select("person_id", what=votes.day * DAY + votes.hour, weight=weight), "hours")
    nightly: Any = votes.hour < 5
    days = votes.group_by("person_id").agg(
        votes=votes.count(), days=votes.days_ago.nunique(), nights=votes.days_ago.nunique(where=nightly), daily=votes.days_ago.nunique(where=~nightly)
    )
    return joined_facts(days, hours)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Everything follows from the smoothed histogram; how sure it is follows from the days behind it."""
    votes, days, nights = facts.counts("votes"), facts.counts("days"), facts.counts("nights")
    seen = facts.matrix("hours", HOURS)
    prior = np.asarray(params.get("usual") or [1.0 / HOURS] * HOURS)
    smooth = (seen + PRIOR_VOTES * prior) / (seen.sum(axis=1, keepdims=True) + PRIOR_VOTES)
    by_hour = smooth.reshape(-1, 7, DAY).sum(axis=1)
    own = seen.reshape(-1, 7, DAY).sum(axis=1)
    peaks = np.sort(np.argsort(-by_hour, axis=1, kind="stable")[:, :3], axis=1)
    waking = np.array(WAKING)
    best = waking[np.argmax(by_hour[:, waking], axis=1)]
    total = np.maximum(own.sum(axis=1), 1e-9)
    near = sum(own[np.arange(len(own)), (best + step) % DAY] for step in (-1, 0, 1)) / total
    peak_share = np.take_along_axis(own, peaks, axis=1).sum(axis=1) / total
    morning, evening = own[:, 5:11].sum(axis=1) / total, own[:, 19:24].sum(axis=1) / total
    types = ["morning" if one > 1.5 * two else "evening" if two > 1.5 * one else "between" for one, two in zip(morning, evening, strict=True)]
    night_share = nights / np.maximum(days, 1)
    shifts = (night_share >= SHIFT_SHARE) & (nights >= 4) & (night_share <= 0.8)
    at_night = chance_above(nights, days, SHIFT_SHARE)
    told = np.where(shifts, at_night, 1.0 - at_night)
    return {
        "rhythm.hist": Found([np.round(row, 4).tolist() for row in smooth], days / (days + 5.0), days, {"days": days, "votes": votes}),
        "rhythm.peak_hours": Found(peaks.tolist(), share_lower_bounds(peak_share * votes, votes), days, {"days": days, "peak_share": np.round(peak_share, 3)}),
        "rhythm.chronotype": Found(
            types, share_lower_bounds(np.maximum(morning, evening) * votes, votes), days,
            {"morning_share": np.round(morning, 3), "evening_share": np.round(evening, 3), "votes": votes},
        ),
        "rhythm.best_send_hour": Found(best, share_lower_bounds(near * votes, votes), days, {"days": days, "near_share": np.round(near, 3)}),
        "rhythm.shift_worker": Found(shifts.tolist(), told, days, {"nights": nights, "days": days}),
    }  # fmt: skip


def _learn(facts: Facts, now: datetime) -> Params:
    """The usual week of the base: each person one vote, so that few very active ones do not set it."""
    seen = facts.matrix("hours", HOURS)
    known = seen.sum(axis=1) > 0
    if not known.any():
        return {}
    usual = (seen[known] / seen[known].sum(axis=1, keepdims=True)).mean(axis=0) * 0.9 + 0.1 / HOURS
    return {"usual": np.round(usual, 6).tolist()}


ANALYSER = Analyser(
    key="rhythm",
    label=Text("Aktywność dobowa", "Daily activity"),
    promise=Text("O jakich porach tygodnia osoba jest aktywna i kiedy do niej pisać.", "At which hours of the week a person is active, and when to write."),
    inputs=(),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("rhythm.hist", Text("Rytm tygodnia", "Weekly rhythm"), "histogram",
            Text("Rozkład {votes} godzin z aktywnością w {days} dniach, od poniedziałku 0:00.",
                "How {votes} hours of activity on {days} days lie, from Monday 0:00.")),
        AnalysedTrait("rhythm.peak_hours", Text("Godziny szczytu", "Peak hours"), "list",
            Text("W godzinach {value} wypada {peak_share} aktywności z {days} dni.", "In the hours {value} lies {peak_share} of the activity of {days} days.")),
        AnalysedTrait("rhythm.chronotype", Text("Pora dnia", "Time of day"), "word",
            Text("Rano (5–11) wypada {morning_share}, wieczorem (19–24) {evening_share} z {votes} godzin.",
                "In the morning (5–11) lies {morning_share}, in the evening (19–24) {evening_share} of {votes} hours."), TYPES),
        AnalysedTrait("rhythm.best_send_hour", Text("Najlepsza godzina wysyłki", "Best hour to send"), "hour",
            Text("W tej godzinie i obok niej wypada {near_share} aktywności z {days} dni; liczą się godziny 7–22.",
                "In this hour and beside it lies {near_share} of the activity of {days} days; only hours from 7 to 22 count.")),
        AnalysedTrait("rhythm.shift_worker", Text("Tryb zmianowy", "Lives by shifts"), "flag",
            Text("Aktywność między 0 a 5 w {nights} z {days} dni.", "Activity between 0 and 5 on {nights} of {days} days."), min_evidence=7),
    ),
    method=Text(
        "Histogram 168 godzin tygodnia z półokresem 28 dni, wygładzony rozkładem własnej bazy (Dirichlet, 20 głosów).",
        "A histogram of the 168 hours of the week with a half-life of 28 days, smoothed with that of the own base (Dirichlet, 20 votes).",
    ),
    purpose="profiling",
    schedule="nightly",
    min_evidence=3,
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    version=2,
    fit=Fit(facts, _learn),
)  # fmt: skip
