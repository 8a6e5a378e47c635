"""What a rule must look like, and what a refusal says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.segment.actions import sentence
from cegla.segment.operators import OPERATORS, Named, known_of, parsed
from cegla.segment.rules.ready_made import READY_MADE
from cegla.vocabulary.errors.people import RuleInvalid

DID = {"op": "did", "event": "Order Completed"}
DEEP: Any = DID
for _ in range(50):
    DEEP = {"not": DEEP}
LISTED: Any = "did"
for _ in range(20_000):
    LISTED = [LISTED]

WRONG: list[Any] = [
    (None, "/"),
    ([], "/"),
    ("did", "/"),
    ({}, "/"),
    ({"all": []}, "/all"),
    ({"all": "x"}, "/all"),
    ({"any": [DID, {"op": "fly"}]}, "/any/1/op"),
    ({"op": ["did"]}, "/op"),
    pytest.param({"op": LISTED}, "/op", id="lists in lists"),
    ({"all": [DID], "any": [DID]}, "/"),
    ({"not": [DID]}, "/not"),
    (DEEP, "/not" * 12),
    ({"all": [DID] * 101}, "/all/99"),
    ({**DID, "colour": 1}, "/"),
    ({"op": "did"}, "/event"),
    ({"op": "did", "event": ""}, "/event"),
    ({"op": "did", "event": "x" * 501}, "/event"),
    ({"op": "did", "event": "a\0b"}, "/event"),
    ({"op": "did", "event": "\ud83d"}, "/event"),
    ({**DID, "at_least": 0}, "/at_least"),
    ({**DID, "at_least": True}, "/at_least"),
    ({**DID, "at_least": 1.0}, "/at_least"),
    ({**DID, "at_least": 10**40}, "/at_least"),
    ({**DID, "days": -1}, "/days"),
    ({**DID, "since": "2026-W01-1"}, "/since"),
    ({**DID, "until": "9999-12-31"}, "/until"),
    ({**DID, "where": [{"property": "a"}]}, "/where/0"),
    ({**DID, "where": [{"field": "password", "is": "x"}]}, "/where/0/field"),
    ({**DID, "where": [{"property": "a", "is": None}]}, "/where/0/is"),
    ({**DID, "where": [{"property": "a", "over": "5"}]}, "/where/0/over"),
    ({**DID, "where": [{"property": "a", "known": "yes"}]}, "/where/0/known"),
    ({"not": {"all": [{**DID, "where": [{"property": "a", "in": ["x", []]}]}]}}, "/not/all/0/where/0/in/1"),
    ({"op": "total_over", "event": "x", "more_than": float("nan")}, "/more_than"),
    ({"op": "total_over", "event": "x", "more_than": 10**400}, "/more_than"),
    ({"op": "trait_is", "trait": "shoe_size", "value": 1}, "/trait"),
    ({"op": "trait_is", "trait": "declared.", "value": 1}, "/trait"),
    ({"op": "trait_is", "trait": "order_count", "value": "many"}, "/value"),
    ({"op": "trait_is", "trait": "last_seen", "value": "yesterday"}, "/trait"),
    ({"op": "trait_within_days", "trait": "country", "days": 3}, "/trait"),
    ({"op": "rfm_group", "groups": ["kings"]}, "/groups/0"),
    ({"op": "did_at_hours", "event": "x", "from_hour": 24, "to_hour": 2}, "/from_hour"),
    ({"op": "did_on_weekdays", "event": "x", "weekdays": [0]}, "/weekdays/0"),
]


ABOUT = known_of((), (Named(1, "life_cycle.new", "Nowi", '{"op": "life_cycle", "groups": ["new"]}'), Named(2, "own.a", "A", '{"op": "in_segment", "segment": "own.b"}')))


def test_a_segment_cannot_rest_on_itself() -> None:
    with pytest.raises(RuleInvalid) as refused:
        parsed({"all": [DID, {"op": "in_segment", "segment": "own.a"}]}, ABOUT, (2,))
    assert (refused.value.where, refused.value.say("en")) == ("/all/1/segment", "The segment's rule is not valid: the segment would rest on itself")


def test_a_circle_of_segments_is_refused_where_it_closes() -> None:
    circle = known_of((), (Named(2, "own.a", "A", '{"op": "in_segment", "segment": "own.b"}'), Named(3, "own.b", "B", '{"not": {"op": "in_segment", "segment": 2}}')))
    with pytest.raises(RuleInvalid, match="rest on itself"):
        parsed({"op": "in_segment", "segment": 2}, circle)


def test_rules_of_other_segments_count_against_the_most_conditions() -> None:
    wide = '{"all": [' + ", ".join(['{"op": "everyone"}'] * 99) + "]}"
    many = known_of((), (Named(1, "own.wide", "Szeroki", wide),))
    with pytest.raises(RuleInvalid, match="too many conditions"):
        parsed({"any": [{"op": "in_segment", "segment": "own.wide"}] * 5}, many)


@pytest.mark.parametrize(("rule", "pointer"), WRONG)
def test_a_rule_that_does_not_fit_is_refused_at_its_place(rule: Any, pointer: str) -> None:
    with pytest.raises(RuleInvalid) as refused:
        parsed(rule)
    assert refused.value.where == pointer
    for language in ("pl", "en"):
        refused.value.problem(language)["title"].encode()


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS.keys())
def test_an_example_is_stored_as_it_was_given(operator: Any) -> None:
    assert parsed(operator.example, ABOUT).to_json() == operator.example


def test_a_refusal_speaks_both_languages() -> None:
    with pytest.raises(RuleInvalid) as refused:
        parsed({**DID, "at_least": 0})
    assert refused.value.say("pl") == "Reguła segmentu jest nieprawidłowa: tu powinna być liczba całkowita od 1 do 1000000"
    assert refused.value.say("en") == "The segment's rule is not valid: a whole number from 1 to 1000000 belongs here"
    assert refused.value.seen == "0"


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
RULE_LIKE = st.recursive(
    st.fixed_dictionaries({"op": st.sampled_from(sorted(OPERATORS))}, optional={parameter.name: JSON for row in OPERATORS.values() for parameter in row.parameters}) | JSON,
    lambda inner: st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}) | st.fixed_dictionaries({"not": inner}),
    max_leaves=5,
)


@given(RULE_LIKE)
def test_any_json_is_a_rule_or_a_refusal(tree: Any) -> None:
    try:
        rule = parsed(tree)
    except RuleInvalid as refused:
        assert refused.where
        str(refused).encode()
    else:
        assert parsed(rule.to_json()) == rule


@pytest.mark.parametrize("row", READY_MADE, ids=[row.key for row in READY_MADE])
def test_a_ready_made_segment_can_be_read_and_said_in_both_languages(row: Any) -> None:
    rule = parsed(row.rule).to_json()
    assert rule == parsed(rule).to_json()
    assert row.name.pl != row.name.en
    assert sentence(row.rule, "pl") != sentence(row.rule, "en")
