"""The segment form is the rule: what the form shows, posted back, is the rule again."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cegla.console.views import builder
from cegla.profile import actions as profile
from cegla.segment import actions as segment
from cegla.segment.operators import Named

ABOUT = segment.known_of((), (Named(1, "life_cycle.new", "Nowi", '{"op": "life_cycle", "groups": ["new"]}'),))
EXAMPLES = [dict(row.example) for row in segment.OPERATORS.values()]
LEAVES = st.sampled_from(EXAMPLES)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda rules: {"all": rules}, st.lists(inner, max_size=3)),
        st.builds(lambda rules: {"any": rules}, st.lists(inner, max_size=3)),
        st.builds(lambda rules: {"not": {"any": rules}}, st.lists(inner, max_size=3)),
    ),
    max_leaves=8,
)


def posted(node: builder.Node) -> Iterator[tuple[str, list[str]]]:
    """The fields a browser would send for a form."""
    yield f"kind-{node.path}", [node.kind]
    if node.kind == "leaf":
        yield f"op-{node.path}", [node.operator]
    for field in node.fields:
        if field.kind == "filters":
            for row in field.filters:
                yield from ((f"{row.name}-{part}", [value]) for part, value in (("place", row.place), ("key", row.key), ("compare", row.comparison), ("value", row.value)))
        elif field.kind in ("choices", "weekdays"):
            yield field.name, list(field.chosen)
        else:
            yield field.name, [", ".join(field.chosen)]
    for child in node.children:
        yield from posted(child)


def back(rule: Mapping[str, Any]) -> dict[str, Any]:
    return builder.rule_of(dict(posted(builder.form_of(rule, about=ABOUT))), about=ABOUT)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["op"])
def test_every_operator_survives_the_form(example: dict[str, Any]) -> None:
    shown = {"all": [example]}
    assert segment.sentence(back(shown), "pl", about=ABOUT) == segment.sentence(shown, "pl", about=ABOUT)


@given(RULES)
def test_every_tree_survives_the_form(rule: dict[str, Any]) -> None:
    once = back(builder.as_group(rule))
    assert back(once) == once


def test_yes_and_no_and_amounts_survive_the_form_as_what_they_are() -> None:
    gift, amount = {"property": "gift", "is": True}, {"field": "value", "in": [100, 49.9]}
    once = back({"all": [{"op": "did", "event": "Order Completed", "where": [gift, amount]}, {"op": "trait_is", "trait": "declared.vip", "value": False}]})
    assert once["all"][0]["where"] == [{"property": "gift", "is": "true"}, amount]
    assert once["all"][1]["value"] == "false"


def test_buttons_add_and_remove_at_their_place() -> None:
    rule = {"all": [EXAMPLES[1], {"any": [EXAMPLES[2]]}]}
    added = builder.edited(rule, "add:0.1")
    assert len(added["all"][1]["any"]) == 2
    assert builder.edited(added, "remove:0.1.1") == rule
    assert builder.edited(rule, "remove:0.0") == {"all": [{"any": [EXAMPLES[2]]}]}
    assert builder.edited(rule, "group:0")["all"][2] == {"any": []}
    assert builder.edited(rule, "count") == rule


@given(st.dictionaries(st.from_regex(r"(kind|op|p|w)-0(\.\d){0,3}(-\w{1,8})?", fullmatch=True), st.lists(st.text(max_size=8), min_size=1, max_size=2), max_size=12))
def test_no_posted_form_breaks_the_builder(fields: dict[str, list[str]]) -> None:
    builder.form_of(builder.as_group(builder.rule_of(fields)))


@pytest.mark.parametrize(("typed", "meant"), [("3", 3), ("1 234,5", 1234.5), ("-2.25", -2.25), ("dużo", "dużo"), ("", "")])
def test_numbers_are_read_as_either_language_writes_them(typed: str, meant: Any) -> None:
    assert builder.number(typed) == meant


OF_TRAITS = [row for row in segment.OPERATORS.values() if any(one.name == "trait" for one in row.parameters)]
SINGLE = {key: row for key, (_, row) in profile.ANALYSED.items() if row.value_type not in ("records", "histogram")}  #: of records no rule compares anything


def choices_of(example: Mapping[str, Any]) -> dict[str, Any]:
    (leaf,) = builder.form_of({"all": [example]}, about=ABOUT).children
    return dict(next(field.choices for field in leaf.fields if field.kind == "trait"))


@pytest.mark.parametrize("language", ["pl", "en"])
def test_the_form_offers_every_trait_that_analysers_find_by_its_label(language: Any) -> None:
    offered: dict[str, Any] = {}
    for row in OF_TRAITS:
        offered |= choices_of(row.example)
    assert {key for key in offered if key in profile.ANALYSED} == set(SINGLE)
    assert {key: offered[key].say(language).lower() for key in SINGLE} == {key: row.label.say(language).lower() for key, row in SINGLE.items()}


@pytest.mark.parametrize("row", OF_TRAITS, ids=lambda row: row.key)
def test_a_rule_on_what_an_analyser_found_survives_the_form(row: Any) -> None:
    """Whatever analyser's trait an operator offers: the key comes back, and the sentence names it."""
    for key in set(choices_of(row.example)) & set(SINGLE):
        numbers = {"value": 7, "values": [7, 9]} if segment.FOUND[key].kind in ("number", "hour") else {}
        shown = {"all": [row.example | {"trait": key} | {name: value for name, value in numbers.items() if name in row.example}]}
        once = back(shown)
        assert once["all"][0]["trait"] == key
        assert SINGLE[key].label.en.lower() in segment.sentence(once, "en", about=ABOUT).lower()
