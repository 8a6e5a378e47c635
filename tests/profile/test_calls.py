"""Call center: a call is one, however many events tell of it; hours, callbacks and notes, worked out by hand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from cegla.profile.analysers import call
from cegla.profile.rules.analysis import Facts, Found, Params
from cegla.profile.rules.call_notes import mood_of, topics_of, without_notes
from cegla.storage.warehouse import EVENTS
from tests.profile import analysed

NOW = datetime(2026, 11, 26, tzinfo=UTC)
STRUCT = pa.struct([
    ("age_days", pa.float64()), ("weight", pa.float64()), ("outcome", pa.int64()), ("side", pa.string()), ("hour", pa.int64()), ("topics", pa.string()), ("mood", pa.string()),
    ("complaint", pa.int64()), ("resolved", pa.int64()), ("refused", pa.int64()), ("lead", pa.string()), ("talks", pa.int64()),
])  # fmt: skip


def one(age_days: float, outcome: str, side: str = "outbound", **more: Any) -> dict[str, Any]:
    plain = {"weight": 1.0, "hour": 10, "topics": "", "mood": "", "complaint": 0, "resolved": 0, "refused": 0, "lead": "", "talks": 1}
    return {"age_days": age_days, "outcome": call.OUTCOMES.index(outcome), "side": side} | plain | more


def found(key: str, *calls: dict[str, Any]) -> Any:
    facts = Facts([1], pa.table({"person_id": [1], "calls": pa.array([list(calls)], pa.list_(STRUCT))}))
    return next(iter(call.read(facts, {}, NOW)[f"call.{key}"].values))


@pytest.mark.parametrize(
    ("calls", "due"),
    [
        ([one(5, "answered"), one(1, "abandoned", "inbound")], True),
        ([one(5, "abandoned", "inbound"), one(4, "no_answer")], False),  # we called back
        ([one(5, "abandoned", "inbound"), one(4, "answered", "inbound")], False),  # they reached us
        ([one(60, "abandoned", "inbound")], False),  # too long ago to call about it
        ([one(1, "no_answer")], False),
    ],
    ids=["missed", "called back", "reached us", "long ago", "ours"],
)
def test_a_callback_is_due_after_a_call_of_theirs_that_nobody_took(calls: list[dict[str, Any]], due: bool) -> None:
    assert found("callback_due", *calls) is due


def test_how_often_they_pick_up_is_asked_of_our_calls_only() -> None:
    assert found("answer_rate", one(9, "answered"), one(8, "no_answer"), one(7, "busy"), one(6, "answered", "inbound")) == pytest.approx(1 / 3, abs=0.001)


def test_the_best_hour_is_one_they_picked_up_at() -> None:
    calls = [one(30 - n, "answered", hour=24 + 18) for n in range(4)] + [one(20 - n, "no_answer", hour=24 + 10) for n in range(4)]  # Tuesdays, 18:00 and 10:00
    assert found("reachable_hours", *calls)[0] == "2-18"
    assert found("best_hour", *calls) == 18


def test_the_chance_at_an_hour_is_what_its_calls_and_those_of_the_base_say() -> None:
    chance = call.reachable([34, 34], [1.0, 1.0], [0.25] * call.HOURS)
    assert chance[34] == pytest.approx((2 + 4 * 0.25) / (2 + 4))
    assert chance[34] > chance[35] > chance[40] > 0.25 - 1e-9


def test_two_calls_are_too_few_for_an_hour() -> None:
    assert found("reachable_hours", one(2, "answered"), one(1, "answered")) is None


@pytest.mark.parametrize(
    ("calls", "is_open"), [([one(9, "answered", complaint=1)], True), ([one(9, "answered", complaint=1), one(3, "answered", resolved=1)], False), ([one(9, "answered")], False)]
)
def test_a_complaint_is_open_until_it_is_settled(calls: list[dict[str, Any]], is_open: bool) -> None:
    assert found("complaint_open", *calls) is is_open


def test_a_settlement_is_no_call() -> None:
    assert found("count", one(9, "answered", complaint=1), one(3, "failed", resolved=1, talks=0)) == 1


def test_what_advisers_say_of_the_lead_goes_before_how_far_calls_got() -> None:
    assert found("lead_status", one(9, "answered", lead="qualified"), one(3, "no_answer")) == "qualified"
    assert found("lead_status", one(9, "answered")) == "contacted"
    assert found("lead_status", one(9, "busy")) == "attempted"


@pytest.mark.parametrize(
    ("note", "mood", "topics"),
    [
        ("Klient bardzo niezadowolony, paczka uszkodzona", "negative", ("complaint", "delivery")), ("Pani dziękuje za szybką pomoc przy zamówieniu", "positive", ("order",)),
        ("pyta o fakturę", None, ("invoice",)), ("Nie poleca, obsługa nie była miła", "negative", ()), ("ok", None, ()),
    ],
)  # fmt: skip
def test_a_note_gives_topics_and_a_mood(note: str, mood: str | None, topics: tuple[str, ...]) -> None:
    assert mood_of(note) == mood
    assert topics_of(note) == topics


def test_the_note_itself_stays_behind_and_one_on_health_gives_nothing() -> None:
    assert without_notes({"call_id": "7", "note": "reklamacja paczki, zdenerwowana"}) == {"call_id": "7", "note_topics": "complaint delivery", "note_mood": "negative"}
    assert without_notes({"call_id": "7", "note": "zły, pyta o leki na cukrzycę i dostawę"}) == {"call_id": "7"}
    assert "note" not in EVENTS.names


@pytest.mark.parametrize("name", ["agent_notes", "callNote", "Notatka", "transcription", "opis_rozmowy", "komentarz agenta", "summary_text"])
def test_a_note_stays_behind_whatever_it_is_called(name: str) -> None:
    assert without_notes({"call_id": "7", name: "Pani Anna z Zielnej prosi o fakturę"}) == {"call_id": "7", "note_topics": "invoice"}
    assert without_notes({"call_id": "7", name: {"tekst": "Pani Anna"}}) == {"call_id": "7"}


def test_a_wish_not_to_be_called_does_not_grow_old() -> None:
    old = (1, 1_500.0, "Call Ended", {"call_id": "1", "outcome": "opted out", "direction": "outbound"})
    for history in ([old], [old, (1, 1.0, "Call Ended", {"call_id": "2", "outcome": "answered", "direction": "inbound"})]):
        traits = analysed.found(call.ANALYSER, history)[1]
        assert traits["call.do_not_call"] is True
        assert traits["call.count"] in (None, 1)  # the old call itself counts for nothing else


def test_nobody_who_never_had_a_call_is_read() -> None:
    read: list[list[int]] = []

    def reading(facts: Facts, params: Params, now: datetime) -> Mapping[str, Found]:
        read.append(facts.people.tolist())
        return call.read(facts, params, now)

    deeds: list[analysed.Deed] = [(1, 3.0, "Call Answered", {"call_id": "c1", "direction": "inbound"}), (2, 2.0, "Page Viewed", {"path": "/"})]
    assert analysed.found(replace(call.ANALYSER, read=reading), deeds)[1]["call.count"] == 1
    assert read == [[1]]
