"""Engagement: how much a person deals with us now, on which channel, more or less than before, and whether messages tire them.

Every own action weighs by its kind and loses half its weight every 21 days. What the kinds weigh is learnt from the own base, by whose
actions of the past told an order or a reply within two weeks, and whose told that the person came back at all: the odds of both, multiplied, since
who reads much and never orders comes again too. Until then the weights are rules. The score is the percentile in the own base,
so that half of the people are above 50. What machines opened and clicked never comes here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.guards import Seen, Table, gathered, half_life, joined_facts
from cegla.profile.rules.learning import log_odds, logistic, percentiles, rank
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 21.0
AHEAD_DAYS = 14.0  #: what the weights are learnt to tell: an order or a reply within two weeks
LEAST_OUTCOMES = 50
COMING = 2.0  #: how often the odds of coming back count beside those of an order or a reply
CLICKS = ("Message Clicked", "Email Link Clicked", "SMS Link Clicked", "Push Opened")
OPENS = ("Message Opened", "Email Opened")
SENDS = ("Message Sent", "Email Sent", "SMS Sent", "Push Sent")
REPLIES = ("Message Replied", "Email Replied", "SMS Replied", *CLICKS)
#: What an action weighs before the base was looked at, by kind; every other own action is a visit.
RULES = {"order": 10.0, "checkout": 5.0, "click": 5.0, "basket": 3.0, "open": 1.0, "look": 1.5, "visit": 1.0}
_KINDS = {
    "order": ("Order Completed",), "checkout": ("Checkout Started",), "click": CLICKS, "basket": ("Product Added", "Signed Up"), "open": OPENS,
    "look": ("Product Viewed", "Products Searched"),
}  # fmt: skip
LEVELS = {"hot": Text("gorąca", "hot"), "warm": Text("ciepła", "warm"), "cold": Text("chłodna", "cold"), "sleeping": Text("uśpiona", "sleeping")}
TRENDS = {"rising": Text("rośnie", "rising"), "steady": Text("bez zmian", "steady"), "falling": Text("spada", "falling")}
CHANNELS = {
    "site": Text("strona", "site"), "app": Text("aplikacja", "app"), "email": Text("e-mail", "e-mail"), "sms": Text("SMS", "SMS"), "push": Text("push", "push"),
    "message": Text("wiadomości", "messages"), "phone": Text("telefon", "phone"),
}  # fmt: skip


def facts(seen: Seen) -> Table:
    """For each kind of action its decayed sum now, and what is needed for trend, channels and fatigue."""
    events = seen.events
    done = events.filter(events.session_id.notnull() | events.name.isin([*CLICKS, *OPENS]))
    left: Any = done.weight * half_life(done.age_days, HALF_LIFE_DAYS)
    own = done.group_by("person_id").agg(
        deeds=done.count(), last_days=done.age_days.min(), lately=done.weight.sum(where=done.age_days < 14.0),
        before=done.weight.sum(where=(done.age_days >= 14.0) & (done.age_days < 42.0)), **_sums(done, left),
    )  # fmt: skip
    channels = gathered(done.select("person_id", what=_channel(done), weight=left), "channels")
    sends = events.filter(events.name.isin([*SENDS, *CLICKS]))
    sent, clicked = sends.name.isin(SENDS), sends.name.isin(CLICKS)
    new: Any = sends.age_days < 30.0
    old: Any = (sends.age_days >= 30.0) & (sends.age_days < 90.0)
    mail = sends.group_by("person_id").agg(
        sent_lately=sends.count(where=sent & new), clicked_lately=sends.count(where=clicked & new), sent_before=sends.count(where=sent & old),
        clicked_before=sends.count(where=clicked & old),
    )  # fmt: skip
    return joined_facts(own, channels, mail)


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Score and level from the decayed sums; the rest from what changed."""
    deeds, last = facts.counts("deeds"), facts.numbers("last_days")
    some = deeds > 0
    score = np.where(some, np.round(_score(facts, params), 1), np.nan)
    sure = deeds / (deeds + 3.0)
    lately, before = np.nan_to_num(facts.numbers("lately")) / 14.0, np.nan_to_num(facts.numbers("before")) / 28.0
    trends = ["rising" if one > 1.5 * two else "falling" if one * 1.5 < two else "steady" for one, two in zip(lately, before, strict=True)]
    sent, clicked, sent_before, clicked_before = (facts.counts(name) for name in ("sent_lately", "clicked_lately", "sent_before", "clicked_before"))
    share, share_before = clicked / np.maximum(sent, 1), clicked_before / np.maximum(sent_before, 1)
    tired = (sent / 30.0 > sent_before / 60.0) & (share < 0.8 * share_before)
    mails = np.where((sent >= 3) & (sent_before >= 3), sent + sent_before, 0)
    age = np.round(last, 1)
    return {
        "engage.score": Found(score, sure, deeds, {"deeds": deeds, "last_days": age}),
        "engage.level": Found([_level(*one) for one in zip(score, last, strict=True)], sure, deeds, {"deeds": deeds, "last_days": age}),
        "engage.trend": Found(trends, sure, np.where(lately + before > 0, deeds, 0), {"lately": np.round(lately * 7, 1), "before": np.round(before * 7, 1)}),
        "engage.by_channel": Found([_shares(found) for found in facts.pairs("channels")], sure, deeds, {"deeds": deeds}),
        "engage.fatigue": Found(
            tired.tolist(), mails / (mails + 10.0), mails,
            {"sent": sent, "sent_before": sent_before, "click_share": np.round(share, 3), "before_share": np.round(share_before, 3)},
        ),
    }  # fmt: skip


def points(facts: Facts, params: Params, suffix: str = "") -> Any:
    """What all actions weigh together: by what was learnt, or by the rules."""
    values = np.column_stack([np.nan_to_num(facts.numbers(f"{kind}{suffix}")) for kind in RULES])
    if "model" not in params:
        return values @ np.array(list(RULES.values()))
    odds = log_odds(params["model"], np.log1p(values))
    return odds + COMING * log_odds(params["coming"], np.log1p(values)) if "coming" in params else odds


def _score(facts: Facts, params: Params) -> Any:
    """The percentile in the own base; before there is one, p / (p + 10) of the points, so that a fresh order alone gives 50."""
    found = points(facts, params)
    return rank(params["cuts"], found) if params.get("cuts") else 100.0 * found / (found + 10.0)


def _level(score: float, last_days: float) -> str | None:
    if np.isnan(score):
        return None
    if last_days > 90.0:
        return "sleeping"
    if score >= 75 and last_days <= 14.0:
        return "hot"
    return "warm" if score >= 40 and last_days <= 45.0 else "cold"


def _shares(found: list[tuple[Any, float]]) -> dict[str, float] | None:
    total = sum(weight for _, weight in found)
    return {str(what): round(weight / total, 3) for what, weight in found} if total > 0 else None


def _sums(done: Table, left: Any, suffix: str = "", where: Any = None) -> dict[str, Any]:
    """The decayed sum of each kind of action."""
    known = [name for names in _KINDS.values() for name in names]
    sums: dict[str, Any] = {}
    for kind in RULES:
        mine = done.name.isin(_KINDS[kind]) if kind in _KINDS else ~done.name.isin(known)
        sums[f"{kind}{suffix}"] = left.sum(where=mine if where is None else mine & where).round(6)
    return sums


def _channel(done: Table) -> Any:
    """Where an action was done, told by its name and kind, and of our own messages by their channel."""
    told = done.property_channel.lower()
    return ibis.cases(
        (done.name.startswith("Email"), "email"), (done.name.startswith("SMS"), "sms"), (done.name.startswith("Push"), "push"),
        (done.name.startswith("Call"), "phone"), (done.name.startswith("Message") & told.isin(["email", "sms", "push"]), told),
        (done.name.startswith("Message"), "message"), (done.kind == "screen", "app"), else_="site",
    )  # fmt: skip


def _learn_from(seen: Seen) -> Table:
    """The sums now, the sums two weeks ago, whether an order or a reply came since, and whether the person did."""
    events = seen.events
    done = events.filter(events.session_id.notnull() | events.name.isin([*CLICKS, *OPENS]))
    now: Any = done.weight * half_life(done.age_days, HALF_LIFE_DAYS)
    then: Any = done.weight * half_life(done.age_days - AHEAD_DAYS, HALF_LIFE_DAYS)
    past: Any = done.age_days >= AHEAD_DAYS
    reached: Any = done.name.isin(["Order Completed", *REPLIES]) & ~past
    came: Any = done.session_id.notnull() & ~past
    return done.group_by("person_id").agg(
        known=done.count(where=past), outcome=reached.any(), came=came.any(), **_sums(done, now), **_sums(done, then, "_then", past)
    )  # fmt: skip


def _learn(facts: Facts, now: datetime) -> Params:
    known = facts.counts("known") > 0
    then = np.log1p(np.column_stack([np.nan_to_num(facts.numbers(f"{kind}_then")) for kind in RULES]))
    learnt: dict[str, Any] = {}
    for name, fact in (("model", "outcome"), ("coming", "came")):
        outcome = facts.numbers(fact)[known] > 0
        if min(int(outcome.sum()), int((~outcome).sum())) >= LEAST_OUTCOMES:
            learnt[name] = logistic(then[known], outcome)
    return learnt | {"cuts": [round(one, 6) for one in percentiles(points(facts, learnt))]}


ANALYSER = Analyser(
    key="engage",
    label=Text("Zaangażowanie", "Engagement"),
    promise=Text("Jak bardzo osoba zajmuje się nami teraz i na którym kanale.", "How much a person deals with us now, and on which channel."),
    inputs=("property.channel",),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("engage.score", Text("Wynik zaangażowania", "Engagement score"), "score",
            Text("Działania ({deeds}), tracące połowę wagi co 21 dni; dni od ostatniego: {last_days}. Wynik to miejsce w bazie: {value}.",
                "Actions ({deeds}), losing half their weight every 21 days; days since the last: {last_days}. The score is the place in the base: {value}.")),
        AnalysedTrait("engage.level", Text("Temperatura", "Level"), "word",
            Text("Działań: {deeds}; dni od ostatniego: {last_days}.", "Actions: {deeds}; days since the last: {last_days}."), LEVELS),
        AnalysedTrait("engage.trend", Text("Kierunek", "Trend"), "word",
            Text("Działań na tydzień: {lately} w ostatnich dwóch, {before} w czterech poprzednich.",
                "Actions a week: {lately} in the last two, {before} in the four before."), TRENDS, min_evidence=3),
        AnalysedTrait("engage.by_channel", Text("Kanały", "Channels"), "shares",
            Text("Podział wagi działań ({deeds}): {value}.", "How the weight of {deeds} actions is divided: {value}."), CHANNELS),
        AnalysedTrait("engage.fatigue", Text("Zmęczenie wiadomościami", "Message fatigue"), "flag",
            Text("Wysłano {sent} w 30 dni i {sent_before} w 60 poprzednich; klikanych {click_share}, wcześniej {before_share}.",
                "Sent {sent} in 30 days and {sent_before} in the 60 before; clicked {click_share}, earlier {before_share}."), min_evidence=6),
    ),
    method=Text(
        "Suma działań z półokresem 21 dni, wagi z dwóch regresji logistycznych (zamówienie lub odpowiedź, powrót w 14 dni), percentyl we własnej bazie.",
        "Actions with a half-life of 21 days, weights by two logistic regressions (an order or reply, a return in 14 days), the percentile in the own base.",
    ),
    purpose="profiling",
    schedule="on_event",
    half_life_days=HALF_LIFE_DAYS,
    version=2,
    ages=True,
    fit=Fit(_learn_from, _learn),
)  # fmt: skip
