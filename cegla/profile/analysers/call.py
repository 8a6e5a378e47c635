"""Call center: how calls with a person went, when they pick up, and what is owed to them.

    events of a call, from records, queue logs and webhooks ──by the call's number──► calls ──► counts, last outcome, hours, topics, what is open

A call is one, however many events and imports tell of it. What was said is not here: of a note only topics and a mood are left (see
`rules/call_notes.py`), and recordings are never looked at. An hour is good when calls around it were picked up: each counts for the hours near
it, and what few calls show is drawn to how the whole base picks up at that hour.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import ibis
import numpy as np

from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Fit, Found, Params
from cegla.profile.rules.call_notes import CALLS, TOPICS
from cegla.profile.rules.confidence import share_lower_bounds
from cegla.profile.rules.guards import Seen, Table
from cegla.vocabulary.text import Text

HALF_LIFE_DAYS = 180.0
LOOK_BACK_DAYS = 730.0
HOURS = 168  #: of a week, 0 is Monday 0:00
DAYTIME = range(8, 21)  #: nobody is called earlier or later
PRIOR_CALLS = 4.0  #: how many calls of the base are counted along at each hour
FEW_CALLS = 3
RECENT_DAYS = 30.0
USUAL_ANSWER = 0.35  #: before the base was looked at
#: Outcomes by strength: of a call that several events tell of, the strongest counts.
OUTCOMES = ("failed", "no_answer", "busy", "abandoned", "answered")
ANSWERED, MISSED = OUTCOMES.index("answered"), ("no_answer", "busy", "abandoned")
REFUSED = ("do_not_call", "opt_out", "opted_out", "dnc")
RESOLVED = "Complaint Resolved"
LEADS = ("new", "attempted", "contacted", "qualified", "won", "lost")


class Call(NamedTuple):
    """One call: `side` is inbound, outbound or unknown, `hour` of the week on the shop's clock, `mood` of its notes, flags 0 or 1."""

    age_days: float
    weight: float
    outcome: int
    side: str
    hour: int
    topics: str
    mood: str
    complaint: int
    resolved: int
    refused: int
    lead: str

    @property
    def is_recent(self) -> bool:
        """Whether it still counts for anything but a wish not to be called."""
        return self.age_days < LOOK_BACK_DAYS

    @property
    def answered(self) -> bool:
        """Whether people spoke."""
        return self.outcome == ANSWERED

    @property
    def missed(self) -> bool:
        """Whether a person called and nobody spoke to them."""
        return self.side == "inbound" and OUTCOMES[self.outcome] in MISSED if self.outcome >= 0 else False


def _outcome(events: Table) -> Any:
    """How a call ended, in the words of switchboards and webhooks alike: "no_answer"."""
    told: Any = ibis.coalesce(events.property_outcome, events.property_disposition)
    return told.lower().replace(" ", "_")


def facts(seen: Seen) -> Table:
    """The calls of each person, the oldest first."""
    events = seen.events
    ever = events.filter(events.name.isin([*sorted(CALLS), RESOLVED]))
    wish: Any = _outcome(ever).isin(REFUSED) | (ever.property_do_not_call == "true")
    told = ever.filter((ever.age_days < LOOK_BACK_DAYS) | wish.fill_null(False))  # a wish not to be called does not grow old
    said = _outcome(told)
    known: Any = ibis.cases(*((said == name, number) for number, name in enumerate(OUTCOMES)), else_=-1)
    strength: Any = ibis.ifelse((known < 0) & (told.name == "Call Answered"), ANSWERED, ibis.ifelse((known < 0) & (told.name == "Call Missed"), 1, known))
    topics: Any = told.property_topic.fill_null("") + " " + told.property_note_topics.fill_null("")
    calls = told.group_by("person_id", call=ibis.coalesce(told.property_call_id, told.event_id.cast("string"))).agg(
        age_days=told.age_days.min(), weight=told.weight.max(), outcome=strength.max(), side=told.property_direction.lower().max().fill_null(""),
        hour=(told.local_at.day_of_week.index() * 24 + told.local_at.hour()).min(), topics=topics.max(), mood=told.property_note_mood.max().fill_null(""),
        complaint=topics.lower().re_search("complaint|reklamac|skarg").max().cast("int64"),
        resolved=((told.name == RESOLVED) | (told.property_resolved == "true")).max().cast("int64"),
        refused=(said.isin(REFUSED) | (told.property_do_not_call == "true")).fill_null(False).max().cast("int64"),
        lead=told.property_lead_status.lower().max().fill_null(""), talks=(told.name != RESOLVED).max().cast("int64"),
    )  # fmt: skip
    row: Any = ibis.struct({name: calls[name] for name in Call._fields} | {"talks": calls.talks})
    return calls.group_by("person_id").agg(calls=row.collect(order_by=[calls.age_days.desc(), calls.call]))


def read(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
    """Everything of the calls of a person; what is open depends on the newest of them."""
    everything = [[(Call(**{name: one[name] for name in Call._fields}), bool(one["talks"])) for one in found or ()] for found in facts.values("calls")]
    people = [[call for call, talks in own if talks and call.is_recent] for own in everything]
    notices = [[call for call, _ in own if call.is_recent] for own in everything]
    wished = np.array([sum(call.refused for call, _ in own) for own in everything])
    calls = np.array([len(own) for own in people])
    tried = np.array([sum(one.side != "inbound" and one.outcome >= 0 for one in own) for own in people])
    picked = np.array([sum(one.side != "inbound" and one.answered for one in own) for own in people])
    heard = np.array([sum(one.outcome >= 0 for one in own) for own in people])
    hours = [_hours(own, params) for own in people]
    last = [next((one for one in reversed(own) if one.outcome >= 0), None) for own in people]
    moods = np.array([sum(bool(one.mood) for one in own) for own in people])
    topics = [_topics(own) for own in people]
    shown = {"calls": calls, "last_days": [round(one.age_days, 1) if one else None for one in last]}
    missed = [sum(one.missed and one.age_days < RECENT_DAYS for one in own) for own in people]
    complaints = np.array([sum(one.complaint for one in own) for own in notices])
    return {
        "call.count": Found(calls, np.ones(len(calls)), calls, {"calls": calls}),
        "call.last_outcome": Found([OUTCOMES[one.outcome] if one else None for one in last], np.where(heard > 0, 1.0, 0.0), heard, shown),
        "call.answer_rate": Found(np.round(picked / np.maximum(tried, 1), 3), share_lower_bounds(tried, tried), tried, {"tried": tried, "picked": picked}),
        "call.reachable_hours": Found([[name for name, _ in own] or None for own in hours], [_surety(own) for own in hours], heard,
            {"heard": heard, "chance_share": [round(own[0][1], 2) if own else None for own in hours]}),
        "call.best_hour": Found([int(own[0][0].partition("-")[2]) if own else None for own in hours], [_surety(own) for own in hours], heard,
            {"heard": heard, "chance_share": [round(own[0][1], 2) if own else None for own in hours]}),
        "call.missed": Found(missed, np.ones(len(calls)), heard, {"calls": calls}),
        "call.callback_due": Found([_owed(own) for own in people], np.where(heard > 0, 0.95, 0.0), heard, shown),
        "call.topics": Found(topics, [min(0.9, len(own or ()) and 0.7) for own in topics], [sum(bool(one.topics.strip()) for one in own) for own in people],
            {"calls": calls}),
        "call.sentiment": Found([_mood(own) for own in people], 0.8 * moods / (moods + 1.0), moods, {"moods": moods}),
        "call.complaint_open": Found([_complains(own) for own in notices], np.where(complaints > 0, 0.9, 0.6), np.maximum(complaints, calls), shown),
        "call.do_not_call": Found((wished > 0).tolist(), np.ones(len(calls)), calls + wished, {"wished": wished}),
        "call.lead_status": Found([_lead(own) for own in people], np.where(heard > 0, 0.9, 0.0), heard, shown),
    }  # fmt: skip


def reachable(hours: Sequence[int], answered: Sequence[float], base: Any) -> Any:
    """The chance of an answer at each hour of the week: of calls at these `hours`, `answered` 1 or 0, and of the base at each hour."""
    at = np.asarray(hours, np.int64)
    near = _nearness()[:, at] if len(at) else np.zeros((HOURS, 0))
    return (near @ np.asarray(answered, np.float64) + PRIOR_CALLS * np.asarray(base, np.float64)) / (near.sum(axis=1) + PRIOR_CALLS)


@cache
def _nearness() -> Any:
    """How much a call at one hour says of another: all at the same, less an hour or two away, on another day, on a free day instead of a workday."""
    day, hour = np.divmod(np.arange(HOURS), 24)
    apart = np.abs(hour[:, None] - hour[None, :])
    same_kind = (day[:, None] >= 5) == (day[None, :] >= 5)
    return np.exp(-(apart**2) / 2.0) * np.where(day[:, None] == day[None, :], 1.0, np.where(same_kind, 0.7, 0.15))


def _hours(own: Sequence[Call], params: Params) -> list[tuple[str, float]]:
    """The three best hours of the week with their chance of an answer; hours of the day only."""
    known = [one for one in own if one.outcome >= 0 and (one.side != "inbound" or one.answered)]
    if len(known) < FEW_CALLS:
        return []
    base = np.array(params["base"]) if "base" in params else np.full(HOURS, USUAL_ANSWER)
    chance = reachable([one.hour for one in known], [float(one.answered) for one in known], base)
    daytime = [hour for hour in range(HOURS) if hour % 24 in DAYTIME and hour < 144]
    best = sorted(daytime, key=lambda hour: (-round(float(chance[hour]), 6), hour))[:3]
    return [(f"{hour // 24 + 1}-{hour % 24:02}", float(chance[hour])) for hour in best]


def _surety(hours: Sequence[tuple[str, float]]) -> float:
    """How sure an answer is at the best hours: their mean chance."""
    return sum(chance for _, chance in hours) / len(hours) if hours else 0.0


def _owed(own: Sequence[Call]) -> bool | None:
    """Whether the newest call was one of theirs that nobody took."""
    known = [one for one in own if one.outcome >= 0 and one.side]
    return known[-1].missed and known[-1].age_days < RECENT_DAYS if known else None


def _topics(own: Sequence[Call]) -> list[str] | None:
    weights: dict[str, float] = {}
    for one in own:
        for topic in one.topics.split():
            weights[topic] = weights.get(topic, 0.0) + one.weight * 0.5 ** (one.age_days / HALF_LIFE_DAYS)
    return sorted(weights, key=lambda topic: (-round(weights[topic], 6), topic))[:3] or None


def _mood(own: Sequence[Call]) -> str | None:
    score = sum({"positive": 1.0, "negative": -1.0}.get(one.mood, 0.0) * 0.5 ** (one.age_days / HALF_LIFE_DAYS) for one in own)
    return None if not any(one.mood for one in own) else "positive" if score > 0.15 else "negative" if score < -0.15 else "neutral"


def _complains(own: Sequence[Call]) -> bool:
    """Whether the newest complaint came after whatever settled one."""
    ages = [one.age_days for one in own if one.complaint and not one.resolved]
    settled = [one.age_days for one in own if one.resolved]
    return bool(ages) and (not settled or min(ages) < min(settled))


def _lead(own: Sequence[Call]) -> str | None:
    """What advisers said of the lead last; else how far calls got."""
    said = next((one.lead for one in reversed(own) if one.lead in LEADS), None)
    return said or ("contacted" if any(one.answered for one in own) else "attempted" if any(one.outcome >= 0 for one in own) else None)


def _learn(facts: Facts, now: datetime) -> Params:
    """How the base picks up at each hour of the week, hours that few calls were made at drawn to those near them."""
    tried, picked = np.zeros(HOURS), np.zeros(HOURS)
    for found in facts.values("calls"):
        for one in found or ():
            if one["outcome"] >= 0 and one["side"] != "inbound":
                tried[one["hour"]] += 1.0
                picked[one["hour"]] += one["outcome"] == ANSWERED
    near = _nearness()
    usual = (picked.sum() + 20 * USUAL_ANSWER) / (tried.sum() + 20)
    return {"base": [round(float(one), 4) for one in (near @ picked + 10 * usual) / (near @ tried + 10)]}


_DAYS = (("pon.", "Mon"), ("wt.", "Tue"), ("śr.", "Wed"), ("czw.", "Thu"), ("pt.", "Fri"), ("sob.", "Sat"), ("niedz.", "Sun"))
_HOURS = {f"{day + 1}-{hour:02}": Text(f"{pl} {hour}–{hour + 1}", f"{en} {hour}–{hour + 1}") for day, (pl, en) in enumerate(_DAYS) for hour in range(24)}
_OUTCOMES = {
    "answered": Text("odebrana", "answered"), "no_answer": Text("nieodebrana", "not answered"), "busy": Text("zajęte", "busy"),
    "failed": Text("nieudana", "failed"), "abandoned": Text("porzucona w kolejce", "abandoned in the queue"),
}  # fmt: skip
_TOPICS = dict(zip(TOPICS, (
    Text("reklamacja", "complaint"), Text("zwrot lub wymiana", "return or exchange"), Text("dostawa", "delivery"), Text("płatność", "payment"),
    Text("faktura", "invoice"), Text("zamówienie", "order"), Text("oferta i cena", "offer and price"), Text("produkt", "product"), Text("konto", "account"),
    Text("rezygnacja", "cancellation"),
), strict=True))  # fmt: skip
_LEADS = {
    "new": Text("nowy", "new"), "attempted": Text("próbowano", "attempted"), "contacted": Text("rozmawiano", "contacted"),
    "qualified": Text("zakwalifikowany", "qualified"), "won": Text("wygrany", "won"), "lost": Text("utracony", "lost"),
}  # fmt: skip
_MOODS = {"positive": Text("dobry", "good"), "neutral": Text("obojętny", "neutral"), "negative": Text("zły", "bad")}
_LAST = Text("Dni od ostatniej rozmowy lub próby: {last_days}; rozmów i prób: {calls}.",
    "Days since the last call or try: {last_days}; calls and tries: {calls}.")
_CHANCE = Text("Szansa odebrania około {chance_share}; rozmów i prób: {heard}.", "Chance of an answer about {chance_share}; calls and tries: {heard}.")

ANALYSER = Analyser(
    key="call",
    label=Text("Rozmowy telefoniczne", "Call center"),
    promise=Text("Jak przebiegały rozmowy, kiedy osoba odbiera i co jesteśmy jej winni.",
        "How calls went, when a person picks up, and what is owed to them."),
    inputs=(
        "property.call_id", "property.outcome", "property.disposition", "property.direction", "property.topic", "property.note_topics", "property.note_mood",
        "property.resolved", "property.do_not_call", "property.lead_status",
    ),
    facts=facts,
    read=read,
    traits=(
        AnalysedTrait("call.count", Text("Liczba rozmów i prób", "Calls and tries"), "number",
            Text("Rozmowy i próby w ostatnich dwóch latach: {calls}.", "Calls and tries in the last two years: {calls}.")),
        AnalysedTrait("call.last_outcome", Text("Wynik ostatniej", "Outcome of the last"), "word", _LAST, _OUTCOMES),
        AnalysedTrait("call.answer_rate", Text("Jak często odbiera", "How often they pick up"), "share",
            Text("Odebrane {picked} z {tried} naszych prób.", "{picked} of our {tried} tries were answered."), min_evidence=FEW_CALLS),
        AnalysedTrait("call.reachable_hours", Text("Kiedy odbiera", "When they pick up"), "list", _CHANCE, _HOURS, FEW_CALLS),
        AnalysedTrait("call.best_hour", Text("Najlepsza godzina na telefon", "Best hour to call"), "hour", _CHANCE, _HOURS, FEW_CALLS),
        AnalysedTrait("call.missed", Text("Nieodebrane od osoby, 30 dni", "Their calls nobody took, 30 days"), "number",
            Text("Rozmów i prób: {calls}; z tych, którymi osoba dzwoniła do nas w 30 dniach, nie odebrano: {value}.",
                "Calls and tries: {calls}; of those in which the person called us within 30 days, not taken: {value}.")),
        AnalysedTrait("call.callback_due", Text("Trzeba oddzwonić", "A callback is due"), "flag", _LAST),
        AnalysedTrait("call.topics", Text("O czym rozmawia", "What calls are about"), "list",
            Text("Najczęściej: {value}; rozmów i prób: {calls}.", "Most often: {value}; calls and tries: {calls}."), _TOPICS),
        AnalysedTrait("call.sentiment", Text("Nastrój rozmów", "Mood of calls"), "word",
            Text("Według słów notatek ({moods}), z których nowsze ważą więcej: {value}.",
                "By the words of notes ({moods}), newer ones weighing more: {value}."), _MOODS),
        AnalysedTrait("call.complaint_open", Text("Otwarta reklamacja", "Complaint open"), "flag", _LAST),
        AnalysedTrait("call.do_not_call", Text("Prosi, by nie dzwonić", "Asks not to be called"), "flag",
            Text("Rozmów, w których zapisano taką prośbę, kiedykolwiek: {wished}.", "Calls in which this wish was written down, ever: {wished}.")),
        AnalysedTrait("call.lead_status", Text("Stan kontaktu", "State of the lead"), "word", _LAST, _LEADS),
    ),
    method=Text(
        "Zdarzenia jednej rozmowy łączy jej numer; godziny z rozkładu beta wygładzonego po sąsiednich godzinach i całej bazie; z notatek zostają tylko "
        "tematy i nastrój.",
        "Events of one call are joined by its number; hours by a beta posterior, smoothed over hours near by and the whole base; of notes only topics and a "
        "mood are left.",
    ),
    purpose="service",
    schedule="on_event",
    half_life_days=HALF_LIFE_DAYS,
    ages=True,
    version=2,
    fit=Fit(facts, _learn),
    data="topics and moods 2026-11",
)  # fmt: skip
