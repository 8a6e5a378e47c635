"""The contract of an analyser, for every row of the table: to be listed there is to be tested here.

`ANALYSER=os pytest tests/contracts/analysers` asks one alone, `ANALYSER=os,online` two.
"""

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cegla.govern.rules.purposes import PURPOSES
from cegla.profile import analysing
from cegla.profile.analysing import Devices, When
from cegla.profile.catalogue import ANALYSERS
from cegla.profile.findings import trait_of
from cegla.profile.rules.analysis import AnalysedTrait, Analyser, Facts, Found
from cegla.profile.rules.blocked import is_blocked
from cegla.profile.rules.finding import MOST_EVIDENCE, TOO_LITTLE, Findings
from cegla.profile.rules.reasons import why
from cegla.storage.warehouse import EVENTS, ORDER_LINES, Warehouse
from cegla.weather import actions as weather
from tests.contracts.analysers.worlds import NOW, PEOPLE, ZONE, Deed, deeds, histories, rows_of, skies, turned_round, warehouse_of, without

CHOSEN = [row for row in ANALYSERS if row.key in os.environ.get("ANALYSER", row.key).split(",")]
TRAITS = [(row, trait) for row in CHOSEN for trait in row.traits]
EVERYBODY = list(range(1, PEOPLE + 1))
PERSONAL = ("declared.", "identifier.", "identity.")


def told_of(name: str, person: int) -> Any:
    """What PostgreSQL alone would hold."""
    if name.startswith("identity."):
        return [(person, "anna@sklep.example", NOW), (person + 2, "anna.nowak@wp.pl", NOW)]
    return ["anna@sklep.example"] if name.startswith("identifier.") else "Kraków"


TOLD = {name: {person: told_of(name, person) for person in (1, 2)} for row in CHOSEN for name in row.inputs if name.startswith(PERSONAL)}
BLOCKED = ("apteka: leki na cukrzycę", "pielgrzymka, parafia i różaniec", "partia polityczna wybory", "prezerwatywy", "test ciążowy", "związek zawodowy", "Sexual Health")
AS_FOUND = (Phase.explicit, Phase.reuse, Phase.generate)  #: a failure is shown as it was found: making it smaller takes minutes
few = settings(max_examples=4, deadline=None, phases=AS_FOUND, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
WHEN = When(NOW, ZONE, weather=skies)
Documents = dict[str, list[tuple[int, dict[str, Any]]]]


def found_in(warehouse: Warehouse, people: Sequence[int] = EVERYBODY, devices: Devices = Devices(), learnt: Mapping[str, Any] | None = None) -> Documents:
    """What the analysers find of these people, with what they learnt before, if they did."""
    told, joined, found = dict(TOLD), {key for row in CHOSEN for key in row.joins}, Documents()
    with analysing.seen_of(warehouse, people, CHOSEN, WHEN, devices) as seen:
        for row in CHOSEN:
            one = analysing.found_by(warehouse, seen, row, people, ((learnt or {}).get(row.key, {}), NOW, devices, told))
            found[row.key] = one.documents()
            told |= {f"trait.{trait.key}": one.known(trait.key) for trait in row.traits if trait.key in joined}
    return found


def learnt_in(warehouse: Warehouse) -> dict[str, Any]:
    """What the analysers that learn take from a history, as it comes back from where it is kept."""
    learnt: dict[str, Any] = {}
    with analysing.seen_of(warehouse, EVERYBODY, CHOSEN, WHEN, Devices()) as seen:
        for row in CHOSEN:
            if row.fit:
                params = row.fit.learn(analysing.facts_of(warehouse, seen, row.fit.learn_from, EVERYBODY), NOW)
                learnt[row.key] = msgspec.json.decode(msgspec.json.encode(params))
    return learnt


def found_of(*parts: dict[str, pa.Table], **more: Any) -> Documents:
    with warehouse_of(*parts) as warehouse:
        return found_in(warehouse, **more)


def same(one: Any, other: Any) -> bool:
    """Equal but for what the order of adding floating numbers does."""
    if isinstance(one, float) or isinstance(other, float):
        return isinstance(one, (int, float)) and isinstance(other, (int, float)) and math.isclose(one, other, rel_tol=1e-6, abs_tol=1.1e-3)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def assert_same(one: Documents, other: Documents) -> None:
    for key in one:
        assert same(one[key], other[key]), f"{key}: {one[key]} is not {other[key]}"


def traits_in(found: Documents) -> list[tuple[Analyser, AnalysedTrait, dict[str, Any], dict[str, Any]]]:
    return [(row, trait, document["traits"][trait.key], document) for row in CHOSEN for _, document in found[row.key] for trait in row.traits]


# the row -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", CHOSEN, ids=lambda row: row.key)
def test_a_row_names_what_it_does_and_may_see(row: Analyser) -> None:
    assert re.fullmatch(r"[a-z_]+", row.key)
    assert row.purpose in PURPOSES
    assert row.legal_class != "art9_blocked"
    for text in (row.label, row.promise, row.method):
        assert text.pl and text.en and text.pl != text.en
    for name in row.inputs:
        kind, dot, rest = name.partition(".")
        assert name in EVENTS.names if not dot else rest in ORDER_LINES.names if kind == "line" else rest in weather.HOURS.names if kind == "weather" else kind in ("property", "declared", "identifier", "identity", "site", "trait"), name


@pytest.mark.parametrize(("row", "trait"), TRAITS, ids=[trait.key for _, trait in TRAITS])
def test_a_trait_is_named_after_its_analyser_in_two_languages(row: Analyser, trait: AnalysedTrait) -> None:
    assert re.fullmatch(rf"({row.key}|geo|place|device|line|contact|company)\.[a-z0-9_]+", trait.key)
    assert trait.label.pl and trait.label.en
    assert trait.sentence.pl != trait.sentence.en
    assert set(re.findall(r"{(\w+)}", trait.sentence.pl)) == set(re.findall(r"{(\w+)}", trait.sentence.en))


def test_what_is_joined_is_found_before() -> None:
    known: set[str] = set()
    for row in ANALYSERS:
        assert set(row.joins) <= known, row.key
        known |= {trait.key for trait in row.traits}


def test_no_two_traits_have_one_key() -> None:
    keys = [trait.key for row in ANALYSERS for trait in row.traits]
    assert len(keys) == len(set(keys))


# the answer --------------------------------------------------------------------------------------------------------------


@few
@given(histories)
def test_every_value_says_how_sure_it_is_and_why(history: list[Deed]) -> None:
    with warehouse_of(rows_of(history)) as warehouse:
        for learnt in ({}, learnt_in(warehouse)):
            for row, trait, one, document in traits_in(found_in(warehouse, learnt=learnt)):
                known = trait_of(row, trait, json.loads(json.dumps(document)), (1, row.data, row.purpose, NOW))
                said = why(row, trait, known, ZONE)
                assert 0 <= one["confidence"] <= 1, trait.key
                assert (one["value"] is None) == (one.get("reason") == TOO_LITTLE), trait.key
                if one["value"] is None:
                    assert one["confidence"] == 0, trait.key
                else:
                    assert one["n"] >= row.least(trait), trait.key
                    assert fits(trait, one["value"]), f"{trait.key} is {one['value']!r}"
                assert len([name for name in document["facts"] if "{" + name + "}" in trait.sentence.pl]) <= MOST_EVIDENCE
                assert not re.search(r"[{}?]|None|nan", said.pl + said.en), f"{trait.key}: {said}"


def fits(trait: AnalysedTrait, value: Any) -> bool:
    """Whether a value is of the type that its row says."""
    match trait.value_type:
        case "word" | "moment":
            return isinstance(value, str) and (trait.value_type == "word" or datetime.fromisoformat(value).tzinfo is not None)
        case "number" | "score" | "share" | "hour":
            bounds = {"score": (0, 100), "share": (0, 1), "hour": (0, 23)}.get(trait.value_type, (-math.inf, math.inf))
            return isinstance(value, (int, float)) and not isinstance(value, bool) and bounds[0] <= value <= bounds[1]
        case "flag":
            return isinstance(value, bool)
        case "shares":
            return isinstance(value, dict) and all(isinstance(share, (int, float)) for share in value.values())
        case "histogram":
            return isinstance(value, list) and all(isinstance(one, (int, float)) for one in value)
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, list) and all(isinstance(one, dict) for one in value)


@few
@given(histories)
def test_the_same_history_gives_the_same_twice(history: list[Deed]) -> None:
    with warehouse_of(rows_of(history)) as warehouse:
        learnt = learnt_in(warehouse)
        assert learnt == learnt_in(warehouse)
        assert found_in(warehouse, learnt=learnt) == found_in(warehouse, learnt=learnt)


def test_nothing_is_known_of_nobody() -> None:
    assert all(not any(document["traits"][trait.key]["value"] is not None for trait in row.traits for _, document in found) for row, found in ((row, found_of(rows_of([]))[row.key]) for row in CHOSEN if not any(name.startswith(PERSONAL) for name in row.inputs)))


# whose history -----------------------------------------------------------------------------------------------------------


@few
@given(histories, st.sets(st.integers(1, PEOPLE), min_size=1))
def test_asked_about_some_people_the_answer_is_that_of_a_full_run(history: list[Deed], some: set[int]) -> None:
    with warehouse_of(rows_of(history)) as warehouse:
        learnt = learnt_in(warehouse)
        everybody = found_in(warehouse, learnt=learnt)
        few_of_them = found_in(warehouse, people=sorted(some), learnt=learnt)
    assert_same({key: [one for one in found if one[0] in some] for key, found in everybody.items()}, few_of_them)


@few
@given(histories)
def test_the_order_of_arrival_changes_nothing(history: list[Deed]) -> None:
    unlike = {(deed.person, deed.minutes): deed for deed in history}  # at one moment one deed, or which was first is anybody's guess
    rows = rows_of(list(unlike.values()))
    assert_same(found_of(rows), found_of(turned_round(rows)))


@few
@given(histories, st.sets(st.integers(1, 45), max_size=20))
def test_after_events_are_erased_it_is_as_if_they_had_never_been(history: list[Deed], gone: set[int]) -> None:
    rows = rows_of(history)
    with warehouse_of(rows) as warehouse:
        found_in(warehouse)
        warehouse.erase_between([(number, number) for number in sorted(gone)])
        after = found_in(warehouse)
    assert_same(after, found_of(without(rows, gone)))


@few
@given(histories, histories, st.sampled_from([{"is_bot": True}, {"is_datacentre": True}, {"machine_reason": "scanner"}]))
def test_robots_datacentres_and_machine_opens_are_left_out(history: list[Deed], noise: list[Deed], flags: dict[str, Any]) -> None:
    assert_same(found_of(rows_of(history)), found_of(rows_of(history), rows_of(noise, first_event_id=1_000, flags=flags)))


@few
@given(histories, deeds)
def test_an_event_of_a_wrong_clock_far_ahead_changes_nothing(history: list[Deed], deed: Deed) -> None:
    ahead = Deed(deed.person, -3 * 1_440, deed.name, deed.agent, deed.choice, deed.price)
    assert_same(found_of(rows_of(history)), found_of(rows_of(history), rows_of([ahead], first_event_id=1_000)))


@few
@given(histories)
def test_who_shares_a_device_is_never_surer_than_one_in_two(history: list[Deed]) -> None:
    shared = Devices(tuple((person, 2) for person in EVERYBODY), frozenset(EVERYBODY))
    assert all(one["confidence"] <= 0.5 for _, _, one, _ in traits_in(found_of(rows_of(history), devices=shared)))


# what is never known -----------------------------------------------------------------------------------------------------


@few
@given(histories, st.sampled_from(BLOCKED))
def test_what_reveals_a_special_category_is_never_written(history: list[Deed], words: str) -> None:
    rows = rows_of(history, blocked=words)
    with warehouse_of(rows) as warehouse:
        learnt = learnt_in(warehouse)
        for key, found in found_in(warehouse, learnt=learnt).items():
            assert not is_blocked(json.dumps([found, learnt.get(key)], ensure_ascii=False)), key


# the framework -----------------------------------------------------------------------------------------------------------


def test_too_little_evidence_is_an_honest_unknown() -> None:
    trait = AnalysedTrait("a.b", CHOSEN[0].label, "word", CHOSEN[0].label)
    row = Analyser("a", CHOSEN[0].label, CHOSEN[0].label, (), lambda seen: None, lambda facts, params, now: {}, (trait,), CHOSEN[0].label, "analytics", "nightly", min_evidence=3)
    facts = Facts([1, 2, 3], pa.table({"person_id": [2, 1]}))
    kept = dict(Findings(row, facts, {"a.b": Found(["x", "y", "z"], [0.9, 1.7, 0.2], [3, 2, 0], {"fact": [1, 2, 3]})}, [False, False, False]).documents())
    assert kept == {
        1: {"traits": {"a.b": {"value": "x", "confidence": 0.9, "n": 3}}, "facts": {"fact": 1}},
        2: {"traits": {"a.b": {"value": None, "confidence": 0.0, "n": 2, "reason": TOO_LITTLE}}, "facts": {}},
    }  # fmt: skip


def test_an_answer_that_does_not_fit_the_row_is_refused() -> None:
    row = CHOSEN[0]
    with pytest.raises(ValueError, match=row.key):
        Findings(row, Facts([1], pa.table({"person_id": [1]})), {}, [False])


def test_a_word_that_only_contains_a_blocked_one_is_not_blocked() -> None:
    assert not any(is_blocked(text) for text in ("Elektronika", "kolekcja", "Rowery", "komplet", "aparat fotograficzny", "raki", "szalik", "kubek"))
    assert all(is_blocked(text) for text in BLOCKED)


def test_moments_stay_moments() -> None:
    facts = Facts([1, 2], pa.table({"person_id": [2], "at": pa.array([datetime(2026, 1, 1)], pa.timestamp("us"))}))
    assert facts.values("at") == [None, datetime(2026, 1, 1, tzinfo=UTC)]
    assert facts.numbers("at")[1] == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
