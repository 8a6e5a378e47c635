"""Which address to write to about what, when, and why: one line for what concerns orders, one for each side of life that has subjects.

A line takes the address whose use fits (work subjects to the address for work), then the one used most; the hour is that of the clicks at
this address, else the busiest waking hour of that part of the week. A plan is advice: whether a message may be sent is asked of the gate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from cegla.profile.rules.addresses import FEWEST_DEEDS, Judged
from cegla.vocabulary.text import Text

WAKING = range(7, 22)
MOST_SUBJECTS = 3
LEAST_WEIGHT = 1.5  #: decayed looks that a subject needs
ABOUT = {
    "orders": Text("zamówienia i obsługa", "orders and service"), "work": Text("sprawy zawodowe", "matters of work"),
    "private": Text("sprawy prywatne", "private matters"),
}  # fmt: skip
DAYS = {"workdays": Text("dni robocze", "working days"), "any": Text("dowolny dzień", "any day"), "weekend": Text("weekend", "weekend")}
REASONS = {
    "work_address": Text("to adres służbowy", "it is the address for work"), "private_address": Text("to adres prywatny", "it is the private address"),
    "only_address": Text("innego adresu nie ma", "there is no other address"),
    "most_used": Text("tego adresu osoba używa najczęściej", "it is the address used most"),
    "first_address": Text("ten adres znamy najdłużej", "it is the address known longest"),
    "company": Text("osoba kupuje dla firmy", "the person buys for a company"), "consumer": Text("osoba kupuje dla siebie", "the person buys for themselves"),
    "subjects_then": Text("te tematy przegląda w tej części dnia", "these subjects are looked at in this part of the day"),
    "clicks_then": Text("o tej porze klika w wiadomości na tym adresie", "at this hour messages at this address are clicked"),
    "active_then": Text("wtedy jest najaktywniejsza", "activity is highest then"),
    "may_bounce": Text("poczta może nie dojść", "mail may not arrive"), "prefers": Text("na tym kanale działa najczęściej", "it is the channel acted on most"),
}  # fmt: skip


class Subject(NamedTuple):
    """What a person looks at, in which part of the week, and how much (decayed looks)."""

    topic: str
    part: str  #: morning, work, evening, night, weekend
    weight: float


class Week(NamedTuple):
    """The weekly rhythm as shares by hour of the day: of working days and of all days."""

    workdays: Sequence[float]
    days: Sequence[float]


def weeks(histograms: Any) -> list[Week]:
    """Of everybody (a row of 168 shares from Monday 0:00 on) the shares by hour."""
    by_day = np.asarray(histograms, np.float64).reshape(-1, 7, 24)
    return [Week(*both) for both in zip(np.round(by_day[:, :5].sum(axis=1), 6).tolist(), np.round(by_day.sum(axis=1), 6).tolist(), strict=True)]


@dataclass(frozen=True)
class Ground:
    """What a plan rests on. `week` is the weekly rhythm, `channels` shares of engagement, `hours` those of work."""

    addresses: Sequence[Judged]
    subjects: Sequence[Subject]
    side: str | None
    week: Week | None
    hours: tuple[int, int]
    channels: Mapping[str, float]
    arrives: float | None  #: the chance that mail arrives
    week_sure: float = 0.0


def plan(ground: Ground) -> list[dict[str, Any]]:
    """The lines of a plan, as they are kept: about, topics, identity, channel, days, hour, sure, reasons. Empty without an address that a message
    reaches: none reaches a landline."""
    if any("landline" in one.signs for one in ground.addresses):
        ground = replace(ground, addresses=[one for one in ground.addresses if "landline" not in one.signs])
    if not ground.addresses:
        return []
    lines = [_line(ground, "orders", (), "work" if ground.side == "b2b" else "private")]
    for part, topics in zip(("work", "private"), by_part(ground.subjects), strict=True):
        if topics:
            lines.append(_line(ground, part, topics, part))
    return lines


def by_part(subjects: Sequence[Subject]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The subjects that are looked at more in working hours than the person's subjects usually are, and those more outside of them."""
    inside: dict[str, float] = {}
    whole: dict[str, float] = {}
    for topic, part, weight in subjects:
        whole[topic] = whole.get(topic, 0.0) + weight
        if part == "work":
            inside[topic] = inside.get(topic, 0.0) + weight
    total = sum(whole.values())
    usual = sum(inside.values()) / total if total else 0.0
    chosen: tuple[list[tuple[float, str]], list[tuple[float, str]]] = [], []
    for topic, weight in whole.items():
        if weight < LEAST_WEIGHT:
            continue
        at_work = inside.get(topic, 0.0)
        for among, mine, often in zip(chosen, (at_work, weight - at_work), (usual, 1.0 - usual), strict=True):
            if mine >= LEAST_WEIGHT and (mine + 2.0 * often) / (weight + 2.0) >= often:
                among.append((-mine, topic))
    work, private = (tuple(topic for _, topic in sorted(among)[:MOST_SUBJECTS]) for among in chosen)
    return work, private


def _line(ground: Ground, about: str, topics: tuple[str, ...], side: str) -> dict[str, Any]:
    chosen, reasons, sure = _address(ground, side)
    days, hour, when, when_sure = _when(ground, chosen, side if about != "orders" else None)
    if about == "orders" and ground.side in ("b2b", "b2c"):
        reasons.insert(0, "company" if ground.side == "b2b" else "consumer")
    if topics:
        reasons.append("subjects_then")
    if when:
        reasons.append(when)
    good = sure * (0.5 + 0.5 * when_sure)
    if chosen.address.channel == "email" and ground.arrives is not None and ground.arrives < 0.3:
        good *= ground.arrives
        reasons.append("may_bounce")
    return {
        "about": about, "topics": list(topics), "identity": chosen.address.identity, "channel": chosen.address.channel, "days": days, "hour": hour,
        "sure": round(good, 3), "reasons": reasons,
    }  # fmt: skip


def _address(ground: Ground, side: str) -> tuple[Judged, list[str], float]:
    """The address for a side, why, and how sure it is that it is the right one."""
    preferred = max(sorted(ground.channels), key=ground.channels.__getitem__, default=None)
    fitting = [one for one in ground.addresses if one.side == side]
    among = fitting or ground.addresses
    best = among[0] if len(among) == 1 else max(
        among, key=lambda one: (one.address.channel == preferred, one.address.channel == "email", round(one.work if side == "work" else 1 - one.work, 2),
            one.address.use.deeds, -one.address.identity),
    )  # fmt: skip
    reasons = [f"{side}_address"] if fitting else []
    if len(ground.addresses) == 1:
        reasons.append("only_address")
    elif not fitting:
        most = max(ground.addresses, key=lambda one: one.address.use.deeds)
        reasons.append("most_used" if best is most and most.address.use.deeds else "first_address")
    if preferred == best.address.channel and len(ground.addresses) > 1 and len({one.address.channel for one in ground.addresses}) > 1:
        reasons.append("prefers")
    return best, reasons, best.sure if fitting else 0.5 if len(ground.addresses) > 1 else 0.8


@lru_cache(maxsize=2_048)
def _part_of_week(working: tuple[int, int], side: str | None) -> tuple[str, Sequence[int]]:
    """The days and waking hours of a side of life, with these working hours."""
    if side is None:
        return "any", WAKING
    inside = [hour for hour in WAKING if working[0] <= hour < working[1]]
    if side == "work":
        return "workdays", inside or WAKING
    return "any", [hour for hour in WAKING if hour not in inside] or WAKING


def _when(ground: Ground, chosen: Judged, side: str | None) -> tuple[str, int | None, str | None, float]:
    """Days, hour, why, and how sure: by the clicks at this address, else by the rhythm of that part of the week."""
    use = chosen.address.use
    days, hours = _part_of_week(ground.hours, side)
    if use.hour is not None and use.hour in hours and use.deeds >= FEWEST_DEEDS:
        return days, use.hour, "clicks_then", use.deeds / (use.deeds + 3.0)
    if ground.week is None:
        return days, None, None, 0.0
    shares = ground.week.workdays if side == "work" else ground.week.days
    return days, max(hours, key=shares.__getitem__), "active_then", ground.week_sure  # of equals the earliest
