"""Engagement: does the score tell who comes in the next fortnight, better than recency, frequency and money?

A simulated base whose truth is known, since the Hillstrom challenge is not among the shared data. A person has a hidden interest that wanders from week
to week; visits, looks, baskets, orders and clicks in letters follow from it, each with noise of its own: people who read a lot and never mean it, buyers
who come once a year, machines that open every letter, letters that are sent whatever happens. The anchor is logistic regression on recency,
frequency and money, learnt and asked on the same two halves. The score is asked as of a day; the truth is what was drawn for the fortnight behind it.
Beside it what cannot be passed: the filter of Bayes that is told how the base was drawn.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench.analysers._histories import found
from bench.analysers._interest import (
    CLICKERS,
    LETTERS_EVERY,
    SHIFT_SPREAD,
    STAYS,
    USUAL,
    USUAL_SPREAD,
    WANDERS,
    best_chances,
    buying,
    clicked_by,
    interest_of,
    looks,
    means_it,
)
from bench.analysers._scores import auc, calibration_error
from bench.result import Result
from cegla.profile.analysers.engage import ANALYSER
from cegla.profile.rules.learning import log_odds, logistic
from cegla.vocabulary.events import Event

PEOPLE, DAYS, AHEAD = 2_500, 120, 14
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
PROXY = "Mozilla/5.0"  #: what Apple's mail privacy protection says of itself
Told = list[tuple[int, Event]]


def run() -> list[Result]:
    """AUC beside the anchor, calibration of the score as a chance, machine opens, stability."""
    told, comes, acts, rfm = _base(np.random.default_rng(21))
    answers = found(ANALYSER, told, NOW, learn=True)
    score = np.array([answers.get(person, {}).get("engage.score", {}).get("value") or 0.0 for person in range(1, PEOPLE + 1)])
    half = np.arange(PEOPLE) % 2 == 0
    (mine, theirs), (acted, acted_theirs) = (_against(score, rfm, truth, half) for truth in (comes, acts))
    chances = 1 / (1 + np.exp(-log_odds(logistic(score[half, None] / 100, comes[half]), score[~half, None] / 100)))
    error = calibration_error(chances, comes[~half])
    machine = found(ANALYSER, [*told[:4_000], *_machine_only()], NOW)
    opened = machine.get(PEOPLE + 1, {}).get("engage.score", {}).get("value") or 0.0
    moved = _moved(told, score)
    best = auc(best_chances(_done(told), DAYS, AHEAD)[~half], comes[~half])
    note = f"{PEOPLE:,} people, {len(told):,} events of {DAYS} days; {comes.mean():.0%} come within {AHEAD} days"
    return [
        Result("engagement: AUC above recency, frequency and money", mine - theirs, "AUC", ">= 0.03", mine - theirs >= 0.03,
            f"{mine:.3f} against {theirs:.3f}; who is told how the base was drawn has {best - theirs:.3f} ({best:.3f}); {note}"),
        Result("engagement: the same for an order or a reply, which it learns", acted - acted_theirs, "AUC", ">= 0.03", acted - acted_theirs >= 0.03,
            f"{acted:.3f} against {acted_theirs:.3f}; {acts.mean():.0%} order or click within {AHEAD} days"),
        Result("engagement: calibration error", error, "ECE", "<= 0.05", error <= 0.05, f"the score as a chance, its scale learnt on one half; {note}"),
        Result("engagement: score of who only has machine opens", float(opened), "points", "0", opened == 0.0, "40 opens by Apple's relay and a scanner"),
        Result("engagement: moved by the order of events", moved, "points", "<= 3", moved <= 3.0,
            "the events of each day in another order; the greatest change of all; repeats are dropped before, at intake"),
    ]  # fmt: skip


def _against(score: Any, rfm: Any, truth: Any, half: Any) -> tuple[float, float]:
    """The area under the curve of the score and of the anchor, which learns this very truth on one half, on the other half."""
    anchor = log_odds(logistic(rfm[half], truth[half]), rfm[~half])
    return auc(score[~half], truth[~half]), auc(anchor, truth[~half])


def _base(dice: np.random.Generator) -> tuple[Told, Any, Any, Any]:
    """Events in order of time, who comes and who orders or clicks in the fortnight behind, and recency, frequency, money of each."""
    told: Told = []
    comes, acts, rfm = np.zeros(PEOPLE), np.zeros(PEOPLE), np.zeros((PEOPLE, 3))
    for person in range(1, PEOPLE + 1):
        usual, shift = dice.normal(USUAL, USUAL_SPREAD), dice.normal(0, SHIFT_SPREAD)
        reads_a_lot, clicks_letters = dice.random() < 0.2, dice.random() < CLICKERS
        visits: list[int] = []
        money = 0.0
        for day in range(-DAYS, AHEAD):
            if day % 7 == 0:
                shift = STAYS * shift + dice.normal(0, WANDERS)
            interest = interest_of(usual, shift)
            came = dice.random() < interest
            deeds = [*_letters(dice, day, interest, clicks_letters), *(_visit(dice, shift, reads_a_lot) if came else [])]
            if day >= 0:
                comes[person - 1] = max(comes[person - 1], float(came))
                acts[person - 1] = max(acts[person - 1], float(not {"Order Completed", "Email Link Clicked"}.isdisjoint(deeds)))
                continue
            visits += [day] if came else []
            money += 50.0 * ("Order Completed" in deeds)
            told += [(person, _event(name, day, place, len(told))) for place, name in enumerate(deeds)]
        rfm[person - 1] = (-(visits[-1] if visits else -DAYS), np.log1p(len(visits)), np.log1p(money))
    told.sort(key=lambda one: one[1].occurred_at)
    return told, comes, acts, rfm


def _visit(dice: np.random.Generator, shift: float, reads_a_lot: bool) -> list[str]:
    """What is done in a visit: who means it looks and fills a basket; some only read."""
    meant = means_it(shift)
    pages = ["Page Viewed"] * (1 + dice.poisson(9 if reads_a_lot else 2))
    looked = ["Product Viewed"] * dice.poisson(looks(meant))
    return [*pages, *looked, *(name for name, chance in buying(meant).items() if dice.random() < chance)]


def _letters(dice: np.random.Generator, day: int, interest: float, clicks_letters: bool) -> list[str]:
    if day % LETTERS_EVERY:
        return []
    clicked = clicks_letters and dice.random() < clicked_by(interest)
    return ["Email Sent", *(["machine open"] * int(dice.random() < 0.5)), *(["Email Link Clicked"] * int(clicked))]


def _event(name: str, day: int, place: int, number: int) -> Event:
    """An event on a day; what a machine opened says so by its user agent."""
    at = NOW + timedelta(days=day, minutes=7 * place)
    kind = "page" if name == "Page Viewed" else "track"
    agent, properties = AGENT, dict[str, Any]()
    if name == "machine open":
        name, agent = "Email Opened", PROXY
    if name == "Order Completed":
        properties = {"order_id": f"o{number}", "total": 50, "currency": "PLN"}
    context = {"userAgent": agent, "locale": "pl-PL", "page": {"url": "https://sklep.example/", "title": "Sklep"}}
    return Event(source_id=1, message_id=str(number), kind=kind, name=name, occurred_at=at, received_at=at, properties=properties, traits={}, context=context)


def _done(told: Told) -> dict[str, Any]:
    """How often each person did each thing on each day, by the name of the event."""
    done = {name: np.zeros((PEOPLE, DAYS)) for name in ("Page Viewed", "Product Viewed", "Email Link Clicked", *buying(1.0))}
    for person, event in told:
        if event.name in done:
            done[event.name][person - 1, DAYS + (event.occurred_at - NOW).days] += 1
    return done


def _machine_only() -> Told:
    return [(PEOPLE + 1, _event("machine open", -day, 0, 9_000_000 + day)) for day in range(1, 41)]


def _moved(told: Told, score: Any) -> float:
    """The greatest change of a score, in points, when the events of a day come in another order."""
    mixed = [told[place] for place in np.random.default_rng(3).permutation(len(told)).tolist()]
    mixed.sort(key=lambda one: one[1].occurred_at.date())
    answers = found(ANALYSER, mixed, NOW, learn=True)
    return float(max(abs((answers.get(person, {}).get("engage.score", {}).get("value") or 0.0) - score[person - 1]) for person in range(1, PEOPLE + 1)))
